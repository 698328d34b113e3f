"""Which changes of a session and its plan stand, and which were taken back, by the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from orch_tui.models.database import Record

PLAN = "plan"
"""The action of the entries of a plan; all others that are asked for are of its session."""


class _Change(NamedTuple):
    seq: int
    kind: str
    action: str


def read_changes(
    record: Record, session_id: str, of_session: Sequence[str] = ()
) -> tuple[list[int], list[int]]:
    """Read the entries that stand, and those that were taken back since and can be done again:
    the last one to be taken back, or done again, comes last.

    ``of_session`` are actions besides those of the plan. Each ``undo-`` takes the newest of its
    kind that stands, of the session the newest with its action; each ``redo-`` likewise of what
    was taken back; a change ends the latter.
    """
    done: list[_Change] = []
    undone: list[_Change] = []
    for seq, action, subject in record.sql(
        "SELECT seq, action, subject FROM journal WHERE session_id = ? ORDER BY seq", [session_id]
    ):
        way, _, kind = action.partition("-")
        if action == PLAN or action in of_session:
            done.append(_Change(seq, "plan" if action == PLAN else "session", action))
            undone.clear()
        elif way in ("undo", "redo") and kind in ("plan", "session"):
            taken, given = (done, undone) if way == "undo" else (undone, done)
            found = [change for change in taken if change.kind == kind]
            if found:
                change = next((c for c in reversed(found) if c.action == subject), found[-1])
                taken.remove(change)
                given.append(change)
    return [change.seq for change in done], [change.seq for change in undone]
