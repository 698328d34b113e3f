"""What a set of observations adds up to.

A pure function of the set: order and repetition change nothing, so a paste, a hook and a
transcript may tell of the same run in any order, any number of times. The database side is in
``observations``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orch_tui.record.ledger.returns import told_apart
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

INTENT = (
    "session_id",
    "agent_type",
    "scope",
    "model",
    "context_token_count",
    "estimator",
    "ambient_tokens",
    "planned_id",
    "bundle_version_id",
    "briefing_id",
    "phase",
)
FACT = (
    # "parent" is a key of the execution that launched it (``agent:<claude_session>/<agent_id>``)
    "tool_use_id",
    "agent_id",
    "parent",
    "depth",
    "resolved_model",
    "context_end_tokens",
    "input_tokens",
    "cache_write_tokens",
    "cache_read_tokens",
    "output_tokens",
    "tool_calls",
    "duration_ms",
    "cost_usd",
    "price_date",
)


@dataclass(frozen=True, slots=True)
class Observation:
    """One statement about one execution.

    ``kind`` is ``deployed``, ``returned``, ``noted`` (facts only), ``retracted`` (of the
    execution as a whole) or ``sql``. In the payload, ``supersedes`` lists digests it takes back;
    ``witness`` tells apart who of one source speaks (the agent's own transcript, its parent's),
    so that both may tell of the same return; ``return_key`` tells the returns apart that one
    witness speaks of. ``model_message`` is the message of the model that a return was read from,
    ``blocks`` how many of its pieces had been written then; ``doubt`` why a return is not to be
    taken at its word. ``broke_off`` says that the run was seen to be stopped or to end in an
    error, ``rendered`` that its words are as a model was shown them. ``ran_in`` is the Claude
    session of the agent as it or a hook says, ``told_in`` that of a transcript which tells of it
    and may be the copy of another.
    """

    digest: str
    kind: str
    source: str
    at: str
    payload: Mapping[str, Any]

    @property
    def words(self) -> str | None:
        """``same_words`` of the final message, where there is one."""
        words = self.payload.get("words")
        return None if words is None else str(words)


@dataclass(frozen=True, slots=True)
class Return:
    """One completion: what one or more statements say of the same return."""

    completed_at: str
    status: str
    success: bool
    message_id: int | None
    error_message: str | None
    error_code: str | None
    source: str
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """The execution that the observations add up to."""

    values: Mapping[str, Any]
    """Column values; a column nobody spoke of is absent. ``parent`` is a key of the parent,
    ``claude_session`` where it ran."""
    returns: tuple[Return, ...] = field(default=())


def merge(observations: Iterable[Observation], unfinished: frozenset[str] = frozenset()) -> Merged:
    """Add up the statements about one execution.

    ``unfinished`` are messages of the model that turned out to be no return (a statement may say
    so, too, by ``went_on_after``): a transcript that was read in the middle ended with what looked
    like one.
    """
    told = live(observations)
    unfinished |= {o.payload["went_on_after"] for o in told if "went_on_after" in o.payload}
    living = _whole(
        [
            o
            for o in told
            if o.kind != "returned" or o.payload.get("model_message") not in unfinished
        ]
    )
    values: dict[str, Any] = {}
    for columns, trust in ((INTENT, "intent"), (FACT, "fact")):
        ranked = sorted(living, key=lambda o: _rank(o, trust))
        for column in columns:
            said = [o.payload[column] for o in ranked if o.payload.get(column) is not None]
            if said and column == "agent_type":
                said = [name for name in said if name != UNKNOWN] or said
            if said:
                values[column] = said[-1]
    for where in ("ran_in", "told_in"):
        said = [o.payload[where] for o in living if o.payload.get(where)]
        if said:
            values["claude_session"] = min(said)
            break
    deployed = [o for o in living if o.payload.get("deployed_at")]
    if deployed:
        by_sql = [o for o in deployed if o.kind == "sql"]
        values["deployed_at"] = (
            max(by_sql, key=lambda o: (o.at, o.digest)).payload["deployed_at"]
            if by_sql
            else min(o.payload["deployed_at"] for o in deployed)
        )
    retractions = sorted(o.at for o in living if o.kind == "retracted")
    values["retracted_at"] = retractions[0] if retractions else None
    spoke_of_returns = [o for o in living if o.kind == "returned" or _sql_return(o)]
    returns = _returns(told_apart(spoke_of_returns, living))
    values |= _latest(returns)
    return Merged(values, returns)


def _rank(observation: Observation, trust: str) -> tuple[int, bool, str, str]:
    """Of one source, what a deployment says of intent goes before what was noted later."""
    deploys = trust == "intent" and observation.kind == "deployed"
    return _TRUST[trust][observation.source], deploys, observation.at, observation.digest


def _whole(living: list[Observation]) -> list[Observation]:
    """Without returns that were read when only a part of their message had been written."""
    most: dict[tuple[str, str], Observation] = {}
    for o in living:
        message = o.payload.get("model_message")
        if o.kind == "returned" and message is not None:
            key = (_voice(o), message)
            held = most.get(key)
            if held is None or _pieces(o) > _pieces(held):
                most[key] = o
    return [
        o
        for o in living
        if o.kind != "returned" or most.get((_voice(o), o.payload.get("model_message", "")), o) is o
    ]


def _pieces(observation: Observation) -> tuple[int, str, str]:
    return int(observation.payload.get("blocks") or 0), observation.at, observation.digest


def live(observations: Iterable[Observation]) -> list[Observation]:
    """The statements no living statement supersedes, each once, oldest first."""
    by_digest = {o.digest: o for o in observations}
    superseded_by: dict[str, list[str]] = {}
    for observation in by_digest.values():
        for target in observation.payload.get("supersedes", ()):
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


_OF_A_RETURN = ("final_message", "message_id", "completed_at", "error_message", "success")


def _sql_return(observation: Observation) -> bool:
    """Whether raw SQL spoke of a return: of how it ended, or of anything that came with it."""
    payload = observation.payload
    return observation.kind == "sql" and (
        payload.get("status") in ("completed", "failed")
        or any(payload.get(column) is not None for column in _OF_A_RETURN)
    )


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
    return tuple(sorted(merged, key=lambda r: (r.completed_at, r.message_id or 0, r.status)))


def _aligned(same: list[Observation]) -> list[list[Observation]]:
    """Statements with the same words, a group for each return.

    A resumed agent may say "Done." twice. Whoever can tell its returns apart gives each a
    ``return_key``; the first of every source is one return, the second another.
    """
    keys: dict[str, list[Any]] = {}
    groups: dict[int, list[Observation]] = {}
    for observation in same:
        seen = keys.setdefault(_voice(observation), [])
        key = observation.payload.get("return_key")
        if key not in seen:
            seen.append(key)
        groups.setdefault(seen.index(key), []).append(observation)
    return list(groups.values())


def _attach(observation: Observation, groups: list[list[Observation]]) -> None:
    """A statement without words joins the nearest return its own source has not spoken of.

    Raw SQL may speak of one return in several statements, a column at a time; so may who gives
    them the same ``return_key``.
    """
    mine = _voice(observation), observation.payload.get("return_key")
    if mine[1] is not None:
        for group in groups:
            if any((_voice(o), o.payload.get("return_key")) == mine for o in group):
                group.append(observation)
                return
    open_groups = [
        group
        for group in groups
        if observation.kind == "sql" or all(_voice(o) != mine[0] for o in group)
    ]
    if observation.payload.get("broke_off"):
        failed = [g for g in open_groups if any(o.payload.get("status") == "failed" for o in g)]
        open_groups = failed or open_groups
    if open_groups:
        at = observation.at
        min(open_groups, key=lambda g: _distance(_time(g[0]), at)).append(observation)
    else:
        groups.append([observation])


def _voice(observation: Observation) -> str:
    if observation.source in SAID:
        return "said"
    return f"{observation.source} {observation.payload.get('witness', '')}"


def _time(observation: Observation) -> str:
    return str(observation.payload.get("completed_at") or observation.at)


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
        said = [o.payload[column] for o in ranked if o.payload.get(column) is not None]
        return said[-1] if said else None

    speaks = any(o.words is not None for o in group)
    status = latest(intent, "status")
    success = latest(intent, "success")
    if status not in ("completed", "failed"):
        status = "failed" if success in (False, 0) else "completed"
    return Return(
        completed_at=_returned_at([o for o in fact if o.source == fact[-1].source]),
        status=status,
        success=(status == "completed") if success is None else bool(success),
        message_id=latest(sorted(fact, key=_is_rendered, reverse=True), "message_id"),
        error_message=latest(intent, "error_message"),
        error_code=latest(intent, "error_code"),
        source=fact[-1].source,
        doubt=latest([o for o in fact if not (speaks and _is_silent(o))], "doubt"),
    )


def _outcome_rank(observation: Observation) -> tuple[bool, bool, int, str, str]:
    trust = _TRUST["intent"][observation.source]
    is_broken = bool(observation.payload.get("broke_off"))
    is_said = observation.source in SAID or observation.source == "sql"
    return is_said, is_broken, trust, observation.at, observation.digest


def _is_rendered(observation: Observation) -> bool:
    """Whether its words were framed for the model that launched the agent, not taken from it."""
    return bool(observation.payload.get("rendered"))


def _is_silent(observation: Observation) -> bool:
    """Whether a statement knows of no words, so that its doubt is about just that."""
    return observation.words is None and "model_message" not in observation.payload


def _returned_at(ranked: list[Observation]) -> str:
    """The time one source gave, the first where it gave several; raw SQL has the last word."""
    stated = [str(o.payload["completed_at"]) for o in ranked if o.payload.get("completed_at")]
    if stated and ranked[-1].kind == "sql":
        return stated[-1]
    return min(stated or (o.at for o in ranked))


_OF_RETURNING = (
    *("completed_at", "success", "message_id", "error_message", "error_code", "unverified"),
    *("duration_ms", "context_end_tokens"),
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
        "message_id": last.message_id,
        "error_message": last.error_message,
        "error_code": last.error_code,
        "unverified": last.doubt if last.status == "completed" else None,
    }


def same_words(text: str) -> str:
    """A key equal for texts that differ only in white space: a paste, a hook, a transcript."""
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()
