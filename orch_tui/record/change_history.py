"""What was changed of a session and its plan, taken back and done again, from the journal.

Nothing is deleted: taking back is a change of its own, with an entry of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from orch_tui.errors import ConflictError, OrchError
from orch_tui.models.database import Record
from orch_tui.phases import PHASES
from orch_tui.record import plan, sessions
from orch_tui.record.ledger import journal
from orch_tui.record.plan_history import PLAN, read_changes
from orch_tui.rows import JournalEntry, Session, columns

_OF_SESSION = ("set-phase", "set-scope", "set-budget", "complete-session", "archive", "unarchive")
_ALL = (PLAN, *_OF_SESSION)

T = TypeVar("T")


def undo_change(record: Record, session_id: str) -> JournalEntry:
    """Take back the last change of a session or its plan that still stands, whatever it was; gives
    the entry of that change.

    What was deployed, validated or returned stays.

    Raises:
        NotFoundError: no such session.
        OrchError: no change is left to undo.
        ConflictError: the session is not as that change left it.
    """
    with record.write():
        sessions.get_session(record, session_id)
        done, _ = read_changes(record, session_id, _OF_SESSION)
        if not done:
            raise OrchError("there is no change to undo", hint="what was deployed stays")
        return _apply(record, _read_entry(record, done[-1]), "undo")


def redo_change(record: Record, session_id: str) -> JournalEntry:
    """Do again what was taken back last, as long as nothing was changed since; gives the entry of
    that change.

    Raises:
        NotFoundError: no such session.
        OrchError: nothing was taken back since the last change.
        ConflictError: the session is not as taking it back left it.
    """
    with record.write():
        sessions.get_session(record, session_id)
        _, undone = read_changes(record, session_id, _OF_SESSION)
        if not undone:
            raise OrchError("there is nothing to do again", hint="only what was just undone is")
        return _apply(record, _read_entry(record, undone[-1]), "redo")


def make_changes(record: Record, work: Callable[[Record], T]) -> tuple[T, tuple[int, ...]]:
    """Do ``work`` in one transaction; gives its result and, by their entries in the journal, the
    changes of sessions and plans that it made."""
    with record.write():
        last = record.value("SELECT coalesce(max(seq), 0) FROM journal")
        result = work(record)
        made = record.sql(
            f"SELECT seq FROM journal WHERE seq > ? AND action IN ({', '.join('?' * len(_ALL))}) "
            "ORDER BY seq",
            [last, *_ALL],
        )
        return result, tuple(seq for (seq,) in made)


def undo_changes(record: Record, seqs: Sequence[int]) -> str:
    """Take back changes, by their entries in the journal, whatever else was changed since: all of
    them, or where one is refused none. Gives what they did, in words; empty: all of them were taken
    back already.

    Raises:
        ConflictError: a later change stands on one.
    """
    told = []
    with record.write():
        for seq in reversed(seqs):
            entry = _read_entry(record, seq)
            done, _ = read_changes(record, entry.session_id or "", _OF_SESSION)
            if seq in done:
                _check_last(record, entry, done)
                told.append(describe_change(_apply(record, entry, "undo")))
    return _join_words(reversed(told))


def redo_changes(record: Record, seqs: Sequence[int]) -> str:
    """Do changes again that ``undo_changes`` took back, and give what they do, in words.

    Raises:
        ConflictError: the session of one was changed since.
    """
    told = []
    with record.write():
        for seq in seqs:
            entry = _read_entry(record, seq)
            _, undone = read_changes(record, entry.session_id or "", _OF_SESSION)
            if seq not in undone:
                raise ConflictError(
                    f"{describe_change(entry)}: the session was changed since that was taken back",
                    hint="change it instead",
                )
            _check_last(record, entry, undone)
            told.append(describe_change(_apply(record, entry, "redo")))
    return _join_words(told)


def _check_last(record: Record, entry: JournalEntry, known: Sequence[int]) -> None:
    """Check that of the entries that are ``known`` none after this one stands on it."""
    for seq in known[known.index(entry.seq) + 1 :]:
        later = _read_entry(record, seq)
        if _name_subject(later) == _name_subject(entry):
            raise ConflictError(
                f"{describe_change(entry)}: a later change stands on that "
                f"({describe_change(later)})",
                hint="take that one back first",
            )


def _join_words(told: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(told))


def _name_subject(entry: JournalEntry) -> str:
    """Name what a change is of: a later one of the same stands on it."""
    same = {"unarchive": "archive", "complete-session": "set-phase"}
    return same.get(entry.action, entry.action)


def _read_entry(record: Record, seq: int) -> JournalEntry:
    (row,) = record.rows(f"SELECT {columns(JournalEntry)} FROM journal WHERE seq = ?", [seq])
    return JournalEntry.of(row)


def describe_change(entry: JournalEntry) -> str:
    """Say what a change did: ``moved to phase 4 validate``, ``removed 2 tester``."""
    after: Mapping[str, Any] = entry.after or {}
    if entry.action == PLAN:
        return plan.describe_plan_change(entry)
    if entry.action == "set-phase":
        phase = after.get("phase")
        return f"moved to phase {phase} {PHASES.get(phase or 0, '')}".strip()
    if entry.action == "complete-session":
        return f"closed it as {after.get('status')}"
    if entry.action in ("set-scope", "set-budget"):
        return f"changed its {', '.join(name.replace('_', ' ') for name in after)}"
    return {"archive": "archived it", "unarchive": "showed it again"}[entry.action]


def _apply(record: Record, entry: JournalEntry, way: str) -> JournalEntry:
    """Bring a session to what it was before an entry, or was after it, and journal that."""
    session_id = entry.session_id or ""
    left, wanted = entry.after, entry.before
    if way == "redo":  # who waited for it is no part of a planned agent
        left = {n: v for n, v in (wanted or {}).items() if n != "awaited_by"} or None
        wanted = entry.after
    if entry.action == PLAN:
        plan.put_planned_agent(record, session_id, left or {}, wanted or {}, entry)
        kind = "plan"
    else:
        _put_session(record, session_id, entry, left or {}, wanted or {}, way)
        kind = "session"
    journal.log_action(
        record,
        f"{way}-{kind}",
        session_id=session_id,
        subject=entry.subject or entry.action,
        before=left,
        after=wanted,
    )
    return entry


def _put_session(
    record: Record,
    session_id: str,
    entry: JournalEntry,
    left: Mapping[str, Any],
    wanted: Mapping[str, Any],
    way: str,
) -> None:
    session = sessions.get_session(record, session_id)
    archived = (entry.action == "archive") == (way == "redo")
    if not _is_as(record, session, entry, left, archived=not archived):
        raise ConflictError(
            f"the session is not as that change left it ({describe_change(entry)})",
            hint="change it instead",
        )
    if entry.action in ("set-scope", "set-budget"):
        sessions.write_session_values(record, session_id, wanted)
        return
    values: dict[str, Any] = {}
    if entry.action in ("archive", "unarchive"):
        values["archived_at"] = record.now() if archived else None
    if entry.action == "set-phase":
        values["phase"] = wanted.get("phase")
    # Deploying or closing changed the status since: that stays.
    if "status" in wanted and session.status == left.get("status"):
        values["status"] = wanted["status"]
    if entry.action == "complete-session":
        values["completed_at"] = record.now() if way == "redo" else None
    for name, value in values.items():
        record.execute(f"UPDATE sessions SET {name} = ? WHERE session_id = ?", [value, session_id])


def _is_as(
    record: Record,
    session: Session,
    entry: JournalEntry,
    left: Mapping[str, Any],
    *,
    archived: bool,
) -> bool:
    """Tell whether a session still is what a change, or taking it back, made of it."""
    if entry.action in ("archive", "unarchive"):
        return bool(session.archived_at) == archived
    if entry.action == "set-phase":
        return session.phase == left.get("phase")
    if entry.action == "complete-session":
        return session.status == left.get("status")
    now = {**sessions.read_limits(record, session.session_id), "scope": session.scope}
    return all(now.get(name) == value for name, value in left.items())
