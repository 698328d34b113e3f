"""Statements whose words are as a model or a screen was shown them, read as the agent said them.

An earlier orch stored results with the notes and frames that Claude Code puts around an agent's
words, and took a fork's copy of its parent's call for a call of its own; people paste what their
terminal shows. Such statements stay as they were stored. What they add up to is mended here, each
time the rows are made, so that it is the same whenever they come and wherever they come from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from orch_tui.frozen import frozen
from orch_tui.record.ledger.doubt import EMPTY, ENDED_WITH
from orch_tui.record.ledger.merge import SAID, Observation, not_superseded, text_fingerprint
from orch_tui.record.ledger.statement import Changes, Deployed, Noted, Returned, Used

_MACHINES = ("hook", "import")


@frozen
class MendedStatements:
    """The statements about one run as they count."""

    told: list[Observation]
    texts: tuple[str, ...] = ()
    """Final messages that no statement names as they are: the words without what was around."""


def mend_statements(
    told: Sequence[Observation], read_text: Callable[[str], str | None]
) -> MendedStatements:
    """Read what statements about one run say as the reader of today would have.

    ``read_text`` gets a final message by its SHA-256; it is asked only where the words of two
    statements differ, or nobody but who was shown the words tells of them.
    """
    told = _without_copied_call(_without_unasked_models(told))
    told = [_read_as_failed(o, read_text) if _is_error(o) else o for o in told]
    own = {o.words for o in told if o.words is not None and not _is_shown(o) and not _is_said(o)}
    texts: dict[str, str] = {}
    mended: list[Observation] = []
    for o in told:
        is_doubtful = _is_shown(o) and o.words is not None and o.words not in own
        text = read_text(_message(o)) if is_doubtful else None
        settled = o if text is None else _read_as_said(o, text, own, texts)
        if settled is not None:
            mended.append(settled)
    return MendedStatements(_match_pastes(mended, read_text, texts), tuple(texts.values()))


def _is_said(observation: Observation) -> bool:
    return observation.source in SAID and isinstance(observation.statement, Returned)


def _is_shown(observation: Observation) -> bool:
    """Tell whether a machine says what the launcher was shown, not what the agent wrote."""
    statement = observation.statement
    return (
        isinstance(statement, Returned)
        and observation.source in _MACHINES
        and bool(statement.echo or statement.rendered or statement.witness == "parent")
    )


def _message(observation: Observation) -> str:
    """SHA-256 of a final message; empty for none."""
    statement = observation.statement
    return (isinstance(statement, Returned) and statement.message) or ""


def _is_error(observation: Observation) -> bool:
    """Tell whether an error that Claude Code wrote into a transcript was taken for a message."""
    statement = observation.statement
    return (
        isinstance(statement, Returned)
        and (observation.source, statement.witness) == ("import", "agent")
        and (statement.doubt or "").startswith(ENDED_WITH)
        and not (statement.model_message or "").startswith("msg_")
    )


def _read_as_failed(
    observation: Observation, read_text: Callable[[str], str | None]
) -> Observation:
    from orch_tui.record.claude_code import describe_failure

    text = read_text(_message(observation))
    failed: Changes = {"status": "failed", "doubt": EMPTY, "words": None, "message": None}
    failed["error_message"] = "failed" if text is None else describe_failure(text)
    return replace(observation, statement=observation.statement.replaced(**failed))


def _read_as_said(
    observation: Observation, text: str, own: Iterable[str | None], texts: dict[str, str]
) -> Observation | None:
    """Take off what Claude Code put around the words of a statement; None: it tells of no return.

    ``texts`` gets the words by their SHA-256, where no other statement has them.
    """
    from orch_tui.record.agent_words import (
        is_told_to_fork,
        read_framed_words,
        separate_joined_notes,
    )
    from orch_tui.record.notifications import is_interim_result

    if is_told_to_fork(text) or is_interim_result(text):
        return None
    words = read_framed_words(text) or separate_joined_notes(text)
    changes: Changes = {"words": None, "message": None}
    if (meant := _unescape(words.text)) is not None and text_fingerprint(meant) in own:
        changes["words"] = text_fingerprint(meant)
    elif words.text == text:
        return observation
    elif words.text.strip():
        changes["words"] = text_fingerprint(words.text)
        if changes["words"] not in own:
            data = words.text.encode("utf-8", "surrogatepass")
            changes["message"] = digest = hashlib.sha256(data).hexdigest()
            texts[digest] = words.text
    if words.doubt:
        changes["doubt"] = words.doubt
    if words.hit_limit:
        changes["ending"] = "limit"
    if words.error is not None:
        changes["status"], changes["error_message"] = "failed", words.error
    return replace(observation, statement=observation.statement.replaced(**changes))


def _unescape(text: str) -> str | None:
    """Read a text as XML would have it; None where that is the same."""
    if "&" not in text:
        return None
    from html import unescape  # a table of two thousand names

    plain = unescape(text)
    return None if plain == text else plain


# What people paste


def _match_pastes(
    told: list[Observation], read_text: Callable[[str], str | None], texts: dict[str, str]
) -> list[Observation]:
    """Give what people pasted the words of the return whose message it is, as a screen shows it.

    The message itself is then that of whoever told of it first, machines before people.
    """
    heard = {o.words for o in told if o.words is not None and not _is_said(o)}
    if all(o.words is None or o.words in heard or not _is_said(o) for o in told):
        return told
    living = [o for o in not_superseded(told) if o.words is not None]
    if len({o.words for o in living}) < 2:
        return told
    from orch_tui.record.pasted_words import fingerprints_of_paste

    words_of_print: dict[str, str] = {}
    copies: dict[str, str] = {}
    for o in sorted(living, key=lambda o: (_is_said(o), o.at, o.digest)):
        text = texts.get(_message(o)) or read_text(_message(o))
        prints = () if text is None else fingerprints_of_paste(text)
        known = next((words_of_print[each] for each in prints if each in words_of_print), None)
        if known and _is_said(o) and o.words not in heard:
            copies[o.digest] = known
        words = known if o.digest in copies else o.words
        words_of_print |= {each: words or "" for each in prints if each not in words_of_print}
    return [
        replace(o, statement=o.statement.replaced(words=copies[o.digest], message=None))
        if o.digest in copies and copies[o.digest] != o.words
        else o
        for o in told
    ]


# What is no run's own


def is_of_nobody(told: Sequence[Observation]) -> bool:
    """Tell whether all that is known of a run is that a hook told of the stop of a nameless agent.

    Claude Code 2.0 told so of the agents that warmed its cache up, later releases of prompts they
    would suggest; today such a stop is heard only where somebody has heard of the agent.
    """
    return bool(told) and all(
        o.source == "hook"
        and isinstance(o.statement, Returned)
        and not (o.statement.agent_type or o.statement.tool_use_id or o.statement.echo)
        for o in told
    )


def _without_copied_call(told: Sequence[Observation]) -> Sequence[Observation]:
    """Leave out a call by which a run would have launched itself: a fork's copy of its parent's."""
    copied = {o.digest for o in told if _launches_itself(o, told)}
    return [o for o in told if o.digest not in copied] if copied else told


def _launches_itself(observation: Observation, told: Sequence[Observation]) -> bool:
    statement = observation.statement
    if not isinstance(statement, Deployed) or observation.source not in _MACHINES:
        return False
    agent = (statement.parent or "").rpartition("/")[2]
    return bool(agent) and any(o.statement.agent_id == agent for o in told)


def drop_copied_messages(told: Sequence[Observation], uses: Iterable[Used]) -> list[Used]:
    """Leave out the message of the model that made a fork: it is its parent's."""
    times = {o.statement.deployed_at for o in told if _launches_itself(o, told)} - {None}

    if not times:
        return list(uses)
    return [
        used.replaced(
            messages=tuple(m for m in used.messages if m.at not in times or not m.tool_calls)
        )
        for used in uses
    ]


def _without_unasked_models(told: Sequence[Observation]) -> Sequence[Observation]:
    """Take the model from a sidecar's note where nobody asked for one.

    Sidecars name the model that a run merely ran as, and say so; an earlier orch did not heed it.
    Another reading of the sidecar without a model shows it, and a fork's has its parent's.
    """
    unasked = {
        (o.at, o.statement.agent_id) for o in told if _is_of_sidecar(o) and not o.statement.model
    }

    def is_unasked(o: Observation) -> bool:
        model = o.statement.model or ""
        is_name_of_one = model.startswith("claude-") and (o.at, o.statement.agent_id) in unasked
        return (is_name_of_one or model == "inherit") and _is_of_sidecar(o)

    if not any(is_unasked(o) for o in told):
        return told
    return [
        replace(o, statement=o.statement.replaced(model=None)) if is_unasked(o) else o for o in told
    ]


def _is_of_sidecar(observation: Observation) -> bool:
    statement = observation.statement
    return (
        isinstance(statement, Noted)
        and observation.source == "import"
        and bool(statement.agent_id and statement.agent_type)
        and not (statement.ran_in or statement.deployed_at or statement.resolved_model)
        and bool(statement.scope or statement.depth)
    )
