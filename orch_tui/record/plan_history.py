"""Which changes of a session and its plan stand, and which were taken back, by the journal."""

from __future__ import annotations

from collections.abc import Sequence

from orch_tui.models.database import Record

PLAN = "plan"
"""The action of the entries of a plan; all others that are asked for are of its session."""


def read_changes(
    record: Record, session_id: str, of_session: Sequence[str] = ()
) -> tuple[list[int], list[int]]:
    """Read the entries that stand, and those that were taken back since and can be done again:
    the last one to be taken back, or done again, comes last.

    ``of_session`` are actions besides those of the plan. Each ``undo-`` takes the newest of its
    kind that stands, each ``redo-`` the newest that was taken back; a change ends the latter.
    """
    done: list[tuple[str, int]] = []
    undone: list[tuple[str, int]] = []
    for seq, action in record.sql(
        "SELECT seq, action FROM journal WHERE session_id = ? ORDER BY seq", [session_id]
    ):
        way, _, kind = action.partition("-")
        if action == PLAN:
            done.append(("plan", seq))
            undone.clear()
        elif action in of_session:
            done.append(("session", seq))
            undone.clear()
        elif way in ("undo", "redo") and kind in ("plan", "session"):
            taken, given = (done, undone) if way == "undo" else (undone, done)
            at = next((n for n in range(len(taken) - 1, -1, -1) if taken[n][0] == kind), None)
            if at is not None:
                given.append(taken.pop(at))
    return [seq for _, seq in done], [seq for _, seq in undone]
