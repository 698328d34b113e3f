"""What the statements about one run add up to.

A pure function of the set: order and repetition change nothing, so a paste, a hook and a
transcript may tell of the same run in any order, any number of times. Nothing here knows a number
or label of one database, so that every record that holds the same statements sees the same run.
The database side is in ``rebuild``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from orch_tui.frozen import frozen
from orch_tui.record.ledger.returns import assign_return_keys
from orch_tui.record.ledger.statement import Deployed, Edited, Noted, OfRun, Retracted, Returned
from orch_tui.times import between

UNKNOWN = "unknown"
"""The agent type of a run whose deployment nobody saw; whoever knows better is believed."""

SAID = ("manual", "api")
"""Sources that speak for a person or a script; ``sql`` is one too, and has the last word."""

_TRUST = {
    # what somebody intended: people first
    "intent": {"sql": 4, "manual": 3, "api": 3, "hook": 2, "import": 1},
    # what really happened: the machine's own record first
    "fact": {"sql": 4, "import": 3, "hook": 2, "manual": 1, "api": 1},
}

_SOURCE_RANK = ("manual", "api", "sql", "hook", "import")
"""Whose a run is called that several sources tell of: the first of these."""

INTENT = (
    *("session", "agent_type", "scope", "model", "context_token_count", "estimator"),
    *("ambient_tokens", "planned", "bundle_version", "briefing", "phase", "agent_name"),
    *("agent_kind", "workflow", "workflow_run", "workflow_phase"),
)
FACT = (
    # "parent" is a key of the run that launched it (``agent:<claude_session>/<agent_id>``)
    *("tool_use_id", "agent_id", "parent", "depth", "resolved_model", "context_end_tokens"),
    *("input_tokens", "cache_write_tokens", "cache_read_tokens", "output_tokens", "tool_calls"),
    *("duration_ms", "cost_usd", "price_date", "worktree", "run_project"),
    "client_version",
)


@frozen
class Observation:
    """One statement about one run, and who said it when."""

    digest: str
    """What it is recognised by; hexadecimal."""
    source: str
    at: str
    statement: OfRun

    @property
    def words(self) -> str | None:
        """``text_fingerprint`` of the final message, where there is one."""
        statement = self.statement
        return statement.words if isinstance(statement, Returned | Edited) else None


@frozen
class Return:
    """One completion: what one or more statements say of the same return."""

    completed_at: str
    status: str
    success: bool
    message: str | None
    """SHA-256 of the final message."""
    error_message: str | None
    error_code: str | None
    source: str
    doubt: str | None = None
    ending: str | None = None


@frozen
class Merged:
    """The run that the statements add up to."""

    values: Mapping[str, Any]
    """By field of a statement; what nobody spoke of is absent. ``ran_in`` is the session of
    Claude Code it ran in."""
    returns: tuple[Return, ...] = field(default=())


def merge_statements(
    observations: Iterable[Observation], unfinished: frozenset[str] = frozenset()
) -> Merged:
    """Add up the statements about one run.

    ``unfinished`` are messages of the model that turned out to be no return (a statement may say
    so, too, by ``went_on_after``): a transcript that was read in the middle ended with what looked
    like one.
    """
    told = not_superseded(observations)
    unfinished |= {
        o.statement.went_on_after
        for o in told
        if isinstance(o.statement, Noted) and o.statement.went_on_after
    }
    living = _whole([o for o in told if _model_message(o) not in unfinished])
    values: dict[str, Any] = {}
    for columns, trust in ((INTENT, "intent"), (FACT, "fact")):
        ranked = sorted(living, key=lambda o: _rank(o, trust))
        for column in columns:
            said = [value for o in ranked if (value := getattr(o.statement, column)) is not None]
            if column == "agent_type":
                said = [name for name in said if name != UNKNOWN] or said
            elif column == "tool_use_id":  # of a text that was redacted the id may be none
                calls = [
                    o.statement.tool_use_id for o in ranked if isinstance(o.statement, Deployed)
                ]
                said = [call for call in calls if call] or said
            if said:
                values[column] = said[-1]
    called, got = _seen_texts(living)
    if got is not None:
        values["handed_over"] = got
        values.setdefault("briefing", called or got)  # nobody planned another
    ran_in = [o.statement.ran_in for o in living if o.statement.ran_in]
    told_in = [o.statement.told_in for o in living if o.statement.told_in]
    if ran_in or told_in:
        values["ran_in"] = min(ran_in or told_in)
    deployed_at = _deployed_at(living)
    if deployed_at:
        values["deployed_at"] = deployed_at
    if told:
        values["source"] = min((o.source for o in told), key=_SOURCE_RANK.index)
    values["retracted_at"] = min((o.at for o in living if is_retraction(o)), default=None)
    speak_of_returns = [
        o for o in living if isinstance(o.statement, Returned) or _is_edited_return(o.statement)
    ]
    interim = {
        note.went_on_after: note.interim_words
        for o in told
        if isinstance(note := o.statement, Noted) and note.went_on_after and note.interim_words
    }
    keyed = assign_return_keys(speak_of_returns, living)
    returns = _returns(_without_interim(keyed, interim.values()))
    values |= _latest(returns)
    return Merged(values, returns)


def _without_interim(statements: list[Observation], interim: Iterable[str]) -> list[Observation]:
    """Leave out what machines took for returns and the agent's own transcript shows to be none.

    ``interim`` are the words of each message after which the agent went on: of the returns with
    those words that somebody tells of, the first are none.
    """
    counts = Counter(interim)
    if not counts:
        return statements
    keys: dict[tuple[str, str], list[Any]] = {}
    for o in statements:
        words = o.words or ""
        if words in counts and o.source in ("hook", "import") and reporter_id(o) != _OWN:
            seen = keys.setdefault((reporter_id(o), words), [])
            if _return_key(o) not in seen:
                seen.append(_return_key(o))
    none = {
        (reporter, key) for (reporter, words), seen in keys.items() for key in seen[: counts[words]]
    }
    return [o for o in statements if (reporter_id(o), _return_key(o)) not in none]


_OWN = "import agent"
"""The agent's own transcript."""


def _seen_texts(living: Iterable[Observation]) -> tuple[str | None, str | None]:
    """Choose the text of the call and the text that the agent got, as machines saw them.

    Who saw the agent knows what it got better than who saw the call: a hook may have put another
    text in the place of its prompt.
    """
    called: list[tuple[int, bool, str, str, str]] = []
    got: list[tuple[int, bool, str, str, str]] = []
    for o in living:
        text = _seen_text(o)
        if text is not None:
            by = called if isinstance(o.statement, Deployed) else got
            is_of_today = o.statement.handed_over is not None
            by.append((_TRUST["fact"][o.source], is_of_today, o.at, o.digest, text))
    call = max(called)[-1] if called else None
    return call, max(got)[-1] if got else call


def is_text_seen(observations: Iterable[Observation]) -> bool:
    """Tell whether any machine saw what the agent was handed."""
    return any(_seen_text(o) is not None for o in observations)


def _seen_text(observation: Observation) -> str | None:
    """The text that a statement says was handed over; of an older orch, the briefing it saw."""
    statement = observation.statement
    if statement.handed_over is not None:
        return statement.handed_over
    is_seen = observation.source in ("hook", "import") and statement.bundle_version is None
    return statement.briefing if is_seen else None


def _deployed_at(living: list[Observation]) -> str | None:
    """Choose when a run was sent: what plain SQL said last, else the earliest time stated."""
    edits = [o for o in living if isinstance(o.statement, Edited) and o.statement.deployed_at]
    if edits:
        return max(edits, key=lambda o: (o.at, o.digest)).statement.deployed_at
    return min((o.statement.deployed_at for o in living if o.statement.deployed_at), default=None)


def _model_message(observation: Observation) -> str | None:
    statement = observation.statement
    return statement.model_message if isinstance(statement, Returned) else None


def _rank(observation: Observation, trust: str) -> tuple[int, bool, str, str]:
    """Rank the statements of one source: intent of a deployment goes before later notes."""
    deploys = trust == "intent" and isinstance(observation.statement, Deployed)
    return _TRUST[trust][observation.source], deploys, observation.at, observation.digest


def _whole(living: list[Observation]) -> list[Observation]:
    """Without returns that were read when only a part of their message had been written."""
    most: dict[tuple[str, str], Observation] = {}
    for o in living:
        message = _model_message(o)
        if message is not None:
            held = most.get((reporter_id(o), message))
            if held is None or _pieces(o) > _pieces(held):
                most[reporter_id(o), message] = o
    return [
        o
        for o in living
        if (message := _model_message(o)) is None or most[reporter_id(o), message] is o
    ]


def _pieces(observation: Observation) -> tuple[int, str, str]:
    statement = observation.statement
    blocks = statement.blocks if isinstance(statement, Returned) else None
    return blocks or 0, observation.at, observation.digest


def not_superseded(observations: Iterable[Observation]) -> list[Observation]:
    """Select the statements that no other supersedes, each once, oldest first."""
    by_digest = {o.digest: o for o in observations}
    superseded_by: dict[str, list[str]] = {}
    for observation in by_digest.values():
        for target in _supersedes(observation):
            superseded_by.setdefault(target, []).append(observation.digest)
    alive: dict[str, bool] = {}

    def lives(digest: str) -> bool:
        if digest not in alive:
            alive[digest] = True  # a circle cannot be told; a digest covers what it names
            alive[digest] = not any(lives(other) for other in superseded_by.get(digest, ()))
        return alive[digest]

    return sorted(
        (o for o in by_digest.values() if lives(o.digest)), key=lambda o: (o.at, o.digest)
    )


def is_retraction(observation: Observation) -> bool:
    """Tell whether a statement retracts its run, and not a retraction."""
    statement = observation.statement
    return isinstance(statement, Retracted) and not statement.supersedes


def _supersedes(observation: Observation) -> tuple[str, ...]:
    statement = observation.statement
    return statement.supersedes if isinstance(statement, Deployed | Returned | Retracted) else ()


def _is_edited_return(statement: OfRun) -> bool:
    """Tell whether plain SQL changed a return: how it ended, or anything that came with it."""
    return isinstance(statement, Edited) and (
        statement.status in ("completed", "failed")
        or any(getattr(statement, name) is not None for name in _OF_A_RETURN)
    )


_OF_A_RETURN = ("message", "completed_at", "error_message", "success")


def _returns(statements: list[Observation]) -> tuple[Return, ...]:
    """Group statements into returns: same words are the same return, across sources."""
    heard = {o.words for o in statements if o.words is not None and not _is_rendered(o)}
    by_words: dict[str, list[Observation]] = {}
    for observation in statements:
        words = observation.words
        if words is not None and (words in heard or not heard):
            by_words.setdefault(words, []).append(observation)
    groups = [group for same in by_words.values() for group in _aligned(same)]
    for observation in statements:
        if observation.words not in by_words:
            _attach(observation, groups)
    merged = (_one_return(group) for group in groups)
    return tuple(sorted(merged, key=lambda r: (r.completed_at, r.message or "", r.status)))


def _aligned(same: list[Observation]) -> list[list[Observation]]:
    """Statements with the same words, a group for each return.

    A resumed agent may say "Done." twice. Whoever can tell its returns apart gives each a
    ``return_key``; the first of every source is one return, the second another.
    """
    keys: dict[str, list[Any]] = {}
    groups: dict[int, list[Observation]] = {}
    for observation in same:
        seen = keys.setdefault(reporter_id(observation), [])
        key = _return_key(observation)
        if key not in seen:
            seen.append(key)
        groups.setdefault(seen.index(key), []).append(observation)
    return list(groups.values())


def _attach(observation: Observation, groups: list[list[Observation]]) -> None:
    """Attach a statement without words to the nearest return its source has not spoken of.

    Raw SQL may speak of one return in several statements, a column at a time; so may who gives
    them the same ``return_key``.
    """
    mine = reporter_id(observation), _return_key(observation)
    if mine[1] is not None:
        for group in groups:
            if any((reporter_id(o), _return_key(o)) == mine for o in group):
                group.append(observation)
                return
    open_groups = [
        group
        for group in groups
        if observation.source == "sql" or all(reporter_id(o) != mine[0] for o in group)
    ]
    if _breaks_off(observation):
        failed = [g for g in open_groups if any(_status(o) == "failed" for o in g)]
        open_groups = failed or open_groups
    if open_groups:
        at = observation.at
        min(open_groups, key=lambda g: _distance(_time(g[0]), at)).append(observation)
    else:
        groups.append([observation])


def reporter_id(observation: Observation) -> str:
    """Name who states it: a person or script, a hook, plain SQL, or one kind of transcript."""
    if observation.source in SAID:
        return "said"
    statement = observation.statement
    witness = statement.witness if isinstance(statement, Returned) else None
    return f"{observation.source} {witness or ''}"


def _return_key(observation: Observation) -> str | int | None:
    statement = observation.statement
    return statement.return_key if isinstance(statement, Returned) else None


def _time(observation: Observation) -> str:
    return _completed_at(observation) or observation.at


def _completed_at(observation: Observation) -> str | None:
    statement = observation.statement
    return statement.completed_at if isinstance(statement, Returned | Edited) else None


def _distance(one: str, other: str) -> float:
    passed = between(one, other)
    return float("inf") if passed is None else abs(passed.total_seconds())


def _one_return(group: list[Observation]) -> Return:
    """People decide whether it was a success, machines when it was and what exactly it said.

    Among machines, who saw the run break off knows better than who reports it as completed.
    """
    intent = sorted(group, key=_outcome_rank)
    fact = sorted(group, key=lambda o: (_TRUST["fact"][o.source], o.at, o.digest))

    def latest(ranked: list[Observation], column: str) -> Any:
        said = [getattr(o.statement, column, None) for o in ranked]
        return next((value for value in reversed(said) if value is not None), None)

    speaks = any(o.words is not None for o in group)
    status = latest(intent, "status")
    success = latest(intent, "success")
    if status not in ("completed", "failed"):
        status = "failed" if success in (False, 0) else "completed"
    ending = latest(fact, "ending")
    reason = latest(sorted(intent, key=_is_own_word), "error_message")
    doubt = latest([o for o in fact if not (speaks and _is_silent(o))], "doubt")
    return Return(
        completed_at=_returned_at([o for o in fact if o.source == fact[-1].source]),
        status=status,
        success=(status == "completed") if success is None else bool(success),
        message=latest(sorted(fact, key=_is_rendered, reverse=True), "message"),
        error_message=reason,
        error_code=latest(intent, "error_code"),
        source=fact[-1].source,
        doubt=reason if ending == "gone" else doubt,  # its client ended, and nobody saw it fail
        ending=ending,
    )


def _outcome_rank(observation: Observation) -> tuple[bool, bool, int, str, str]:
    trust = _TRUST["intent"][observation.source]
    is_said = observation.source in SAID or observation.source == "sql"
    return is_said, _breaks_off(observation), trust, observation.at, observation.digest


def _breaks_off(observation: Observation) -> bool:
    statement = observation.statement
    return isinstance(statement, Returned) and bool(statement.broke_off)


def _is_own_word(observation: Observation) -> bool:
    """Tell whether it is no summary of a failure that others were told of."""
    statement = observation.statement
    if not isinstance(statement, Returned) or _breaks_off(observation):
        return True
    return statement.witness != "parent" and not statement.echo


def _status(observation: Observation) -> str | None:
    statement = observation.statement
    return statement.status if isinstance(statement, Returned | Edited) else None


def _is_rendered(observation: Observation) -> bool:
    """Tell whether a message is as the launching model was shown it, not as the agent wrote it."""
    statement = observation.statement
    return isinstance(statement, Returned) and bool(statement.rendered)


def _is_silent(observation: Observation) -> bool:
    """Tell whether a statement has no message, so that its doubt is about just that."""
    return observation.words is None and _model_message(observation) is None


def _returned_at(ranked: list[Observation]) -> str:
    """Choose the time of a return: the first of its source, unless plain SQL set another."""
    stated = [at for o in ranked if (at := _completed_at(o))]
    if stated and ranked[-1].source == "sql":
        return stated[-1]
    return min(stated or (o.at for o in ranked))


_OF_RETURNING = (
    *("completed_at", "success", "message", "error_message", "error_code", "unverified"),
    *("duration_ms", "context_end_tokens", "ending"),
)
"""What an execution has only when it has returned: a return that was none takes it away."""


def _latest(returns: tuple[Return, ...]) -> dict[str, Any]:
    if not returns:
        return {"status": "deployed", **dict.fromkeys(_OF_RETURNING)}
    last = returns[-1]
    return {
        "status": last.status,
        "completed_at": last.completed_at,
        "success": last.success,
        "message": last.message,
        "error_message": last.error_message,
        "error_code": last.error_code,
        "ending": last.ending,
        "unverified": last.doubt if last.status == "completed" or last.ending == "gone" else None,
    }


def text_fingerprint(text: str) -> str:
    """Hash a text without its white space: a paste, a hook and a transcript give the same."""
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()
