"""Sessions: opening one, moving it through its five phases, closing and archiving it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict, Unpack

from orch_tui.errors import ConflictError, UsageError
from orch_tui.ids import check_label, new_label, not_found
from orch_tui.models.database import Record
from orch_tui.models.values import ENDINGS, decoded_json, real_number, whole_number
from orch_tui.phases import PHASES
from orch_tui.record.given_words import check_given_words
from orch_tui.record.ledger import journal
from orch_tui.record.ledger.project_keys import project_key
from orch_tui.record.phase_gates import Gate, evaluate_gates
from orch_tui.rows import Session, columns


class SessionDetails(TypedDict, total=False):
    """What ``init_session`` is told besides scope and project."""

    session_id: str | None
    metadata: Mapping[str, Any] | None
    budget: int | None
    allow_secret: bool
    """Take a scope that holds what looks like a secret."""


def init_session(
    record: Record,
    scope: str,
    *,
    project: str,
    session_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    budget: int | None = None,
    allow_secret: bool = False,
) -> Session:
    """Open a session; the same call again gives the same session.

    Raises:
        SourceError: the scope holds what looks like a secret, without ``allow_secret``.
        UsageError: an empty scope, a budget that is not positive or an id that nobody could type.
        ConflictError: the id is taken by a session with another scope, metadata or budget.
    """
    if not scope.strip():
        raise UsageError("a session needs a scope", hint='--scope "what it is about"')
    if budget is not None and budget <= 0:
        raise UsageError(f"a budget of {budget} tokens is not positive")
    with record.write():
        if session_id and (held := _held(record, session_id)):
            _same_or_conflict(record, held, scope, metadata, budget)
            return held
        if session_id:
            check_label("session", session_id)
        session_id = session_id or new_label(record, "session")
        check_given_words(
            record, "the scope", scope, allow_secret=allow_secret, session_id=session_id
        )
        record.execute(
            "INSERT INTO sessions (session_id, created_at, scope, phase, status, metadata, project,"
            " budget, project_key) VALUES (?, ?, ?, 1, 'planning', ?, ?, ?, ?)",
            [
                session_id,
                record.now(),
                scope,
                None if metadata is None else json.dumps(dict(metadata), ensure_ascii=False),
                project,
                budget,
                project_key(record, project),
            ],
        )
        journal.log_action(record, "init-session", session_id=session_id, after={"scope": scope})
        return get_session(record, session_id)


def _same_or_conflict(
    record: Record,
    held: Session,
    scope: str,
    metadata: Mapping[str, Any] | None,
    budget: int | None,
) -> None:
    """Refuse to open a session as another one; as it was before it was changed is the same."""
    given = {"scope": scope, "metadata": metadata, "budget": budget}
    different = [
        f"{name} is {getattr(held, name)!r}, not {value!r}"
        for name, value in given.items()
        if value is not None
        and getattr(held, name) != value
        and value not in _former_values(record, held.session_id, name)
    ]
    if different:
        raise ConflictError(
            f"session {held.session_id!r} exists already: {'; '.join(different)}",
            hint="choose another --session-id, or leave it out and one is made; set-scope and "
            "set-budget change this one",
        )


def _former_values(record: Record, session_id: str, name: str) -> list[Any]:
    """What a field of a session was before it was changed, the latest last."""
    entries = record.sql(
        "SELECT before FROM journal WHERE session_id = ? AND action IN ('set-scope', 'set-budget') "
        "ORDER BY seq",
        [session_id],
    )
    told = (decoded_json(before) for (before,) in entries)
    return [before[name] for before in told if isinstance(before, dict) and name in before]


def get_session(record: Record, session_id: str) -> Session:
    """One session.

    Raises:
        NotFoundError: with the nearest known ids.
    """
    held = _held(record, session_id)
    if held is None:
        raise not_found(record, "session", session_id)
    return held


def _held(record: Record, session_id: str) -> Session | None:
    rows = record.rows(
        f"SELECT {columns(Session)} FROM sessions WHERE session_id = ?", [session_id]
    )
    return Session.of(rows[0]) if rows else None


class LimitChanges(TypedDict, total=False):
    """What of the limits of a session can be changed besides its budget; None: as the settings
    say, and what is not given stays as it is."""

    warn_threshold: float | None
    """Shares of a limit, above 0 and at most 1."""
    critical_threshold: float | None
    reserve: int | None
    """Tokens of an agent's window that are kept free for its answer."""
    agent_limits: Mapping[str, int | None]
    """Tokens that agents of a type may be handed at most, ``*`` for all that are not named; None
    takes a limit away."""


class SessionChanges(LimitChanges, total=False):
    """What of a session can be changed."""

    scope: str
    budget: int | None
    """Tokens."""


def change_session(
    record: Record,
    session_id: str,
    *,
    allow_secret: bool = False,
    **changes: Unpack[SessionChanges],
) -> Session:
    """Change the scope and the limits of a session; the journal tells who did, and when.

    Raises:
        SourceError: the scope holds what looks like a secret, without ``allow_secret``.
        UsageError: an empty scope, or a figure that is none.
        NotFoundError: no such session.
    """
    with record.write():
        session = get_session(record, session_id)
        before = {**read_limits(record, session_id), "scope": session.scope}
        after = {**before, **changes}
        own = {**before["agent_limits"], **changes.get("agent_limits", {})}
        after["agent_limits"] = {name: limit for name, limit in own.items() if limit is not None}
        _check_changes(after)
        changed = {name for name in after if after[name] != before[name]}
        if not changed:
            return session
        if "scope" in changed:
            check_given_words(
                record,
                "the scope",
                after["scope"],
                allow_secret=allow_secret,
                session_id=session_id,
            )
        write_session_values(record, session_id, after)
        for action, names in (("set-scope", {"scope"}), ("set-budget", after.keys() - {"scope"})):
            if told := sorted(names & changed):
                journal.log_action(
                    record,
                    action,
                    session_id=session_id,
                    before={name: before[name] for name in told},
                    after={name: after[name] for name in told},
                )
        return get_session(record, session_id)


def write_session_values(record: Record, session_id: str, values: Mapping[str, Any]) -> None:
    """Write the scope and the limits of a session, those that ``values`` has; without an entry in
    the journal. Call it within a write."""
    session = get_session(record, session_id)
    after = {**read_limits(record, session_id), "scope": session.scope, **values}
    thresholds: dict[str, Any] = {
        name: after[f"{name}_threshold"]
        for name in ("warn", "critical")
        if after[f"{name}_threshold"] is not None
    }
    if after["agent_limits"]:
        thresholds[_AGENTS] = after["agent_limits"]
    record.execute(
        "UPDATE sessions SET scope = ?, budget = ?, thresholds = ?, reserve = ? "
        "WHERE session_id = ?",
        [
            *(after["scope"], after["budget"]),
            *(json.dumps(thresholds) if thresholds else None, after["reserve"], session_id),
        ],
    )


def _check_changes(values: Mapping[str, Any]) -> None:
    if not values["scope"].strip():
        raise UsageError("a session needs a scope", hint="say what it is about")
    if values["budget"] is not None and values["budget"] <= 0:
        raise UsageError(f"a budget of {values['budget']} tokens is not positive")
    if values["reserve"] is not None and values["reserve"] < 0:
        raise UsageError(f"a reserve of {values['reserve']} tokens is below 0")
    for agent_type, limit in values["agent_limits"].items():
        if not agent_type.strip() or limit <= 0:
            raise UsageError(f"a limit of {limit} tokens for {agent_type!r} is none")
    warn, critical = (values[f"{name}_threshold"] for name in ("warn", "critical"))
    for share in (warn, critical):
        if share is not None and not 0 < share <= 1:
            raise UsageError(f"a threshold of {share} is not above 0 and at most 1")
    if warn is not None and critical is not None and warn > critical:
        raise UsageError(
            f"the warning would come at {warn:.0%}, after the critical threshold, {critical:.0%}"
        )


def read_limits(record: Record, session_id: str) -> dict[str, Any]:
    """Read what a session says of its limits by itself: ``budget``, ``warn_threshold``,
    ``critical_threshold`` and ``reserve`` (None: the settings say it), and ``agent_limits``."""
    rows = record.sql(
        "SELECT budget, thresholds, reserve FROM sessions WHERE session_id = ?", [session_id]
    )
    budget, stored, reserve = rows[0] if rows else (None, None, None)
    said = decoded_json(stored)
    thresholds = said if isinstance(said, dict) else {}
    return {
        "budget": whole_number(budget),
        **{f"{name}_threshold": _share(thresholds.get(name)) for name in ("warn", "critical")},
        "reserve": whole_number(reserve),
        "agent_limits": _agent_limits(thresholds.get(_AGENTS)),
    }


_AGENTS = "agents"
"""Where the limits of agents stand among the thresholds."""


def _agent_limits(value: Any) -> dict[str, int]:
    """The limits by agent type; plain SQL may have put anything there."""
    found = value if isinstance(value, dict) else {}
    numbers = ((str(name), whole_number(limit)) for name, limit in found.items())
    return {name: limit for name, limit in numbers if limit is not None and limit > 0}


def _share(value: Any) -> float | None:
    """A share of a limit; plain SQL may have put anything there."""
    number = real_number(value)
    return number if number is not None and 0 < number <= 1 else None


def set_phase(record: Record, session_id: str, phase: int) -> tuple[Session, tuple[Gate, ...]]:
    """Move a session to ``phase`` and give the gates that were skipped on the way.

    Moving on past an unmet gate is allowed and recorded; so is going back.

    Raises:
        UsageError: a phase outside 1 to 5.
        NotFoundError: no such session.
    """
    if phase not in PHASES:
        listed = ", ".join(f"{number} {name}" for number, name in PHASES.items())
        raise UsageError(f"there is no phase {phase}", hint=f"phases: {listed}")
    with record.write():
        session = get_session(record, session_id)
        before = session.phase or 1
        skipped = tuple(
            gate
            for gate in evaluate_gates(record, session_id)
            if before <= gate.phase < phase and not gate.met
        )
        if session.phase != phase:
            status = "executing" if phase >= 3 and session.status == "planning" else session.status
            record.execute(
                "UPDATE sessions SET phase = ?, status = ? WHERE session_id = ?",
                [phase, status, session_id],
            )
            journal.log_action(
                record,
                "set-phase",
                session_id=session_id,
                before={"phase": session.phase, "status": session.status},
                after={
                    "phase": phase,
                    "status": status,
                    "skipped_gates": [f"{g.name}: {g.missing}" for g in skipped],
                },
            )
        return get_session(record, session_id), skipped


def begin_session(record: Record, session: Session) -> None:
    """The first deployment of a session makes it executing; its phase is its owner's to set."""
    if session.status != "planning":
        return
    record.execute(
        "UPDATE sessions SET status = 'executing' WHERE session_id = ?", [session.session_id]
    )
    journal.log_action(
        record,
        "begin-session",
        session_id=session.session_id,
        before={"status": "planning"},
        after={"status": "executing"},
    )


def complete_session(record: Record, session_id: str, status: str = "completed") -> Session:
    """Close a session as ``completed`` or ``failed``.

    Raises:
        UsageError: another status.
        ConflictError: it was closed with the other one.
    """
    if status not in ENDINGS:
        raise UsageError(f"a session ends {' or '.join(ENDINGS)}, not {status!r}")
    with record.write():
        session = get_session(record, session_id)
        if session.status == status:
            return session
        if session.status in ENDINGS:
            raise ConflictError(
                f"session {session_id!r} was closed as {session.status} at {session.completed_at}",
                hint="open a new session for further work",
            )
        record.execute(
            "UPDATE sessions SET status = ?, completed_at = ? WHERE session_id = ?",
            [status, record.now(), session_id],
        )
        journal.log_action(
            record,
            "complete-session",
            session_id=session_id,
            before={"status": session.status},
            after={"status": status},
        )
        return get_session(record, session_id)


def archive_session(record: Record, session_id: str, *, archived: bool = True) -> Session:
    """Hide a session from lists and search, or show it again; nothing is deleted."""
    with record.write():
        session = get_session(record, session_id)
        if bool(session.archived_at) != archived:
            record.execute(
                "UPDATE sessions SET archived_at = ? WHERE session_id = ?",
                [record.now() if archived else None, session_id],
            )
            journal.log_action(
                record, "archive" if archived else "unarchive", session_id=session_id
            )
        return get_session(record, session_id)


def archive_sessions(
    record: Record, session_ids: Iterable[str], *, archived: bool = True
) -> list[str]:
    """Hide several sessions, or show them again: all of them, or where one is refused none; gives
    those that were not so already."""
    with record.write():
        changed = [
            session_id
            for session_id in session_ids
            if bool(get_session(record, session_id).archived_at) != archived
        ]
        for session_id in changed:
            archive_session(record, session_id, archived=archived)
    return changed
