"""When the runs of a session ran, beneath whom, and for whom each of them waited."""

from __future__ import annotations

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.values import WHEN
from orch_tui.recall.run_tree import arrange_tree
from orch_tui.record import plan, sessions
from orch_tui.rows import Session

MOST_SPANS = 500
"""Runs of one session that are listed; those that began first."""


@frozen
class RunSpan:
    """One run in the time of its session."""

    execution_id: str
    agent_type: str
    scope: str
    status: str | None
    unverified: str | None
    success: bool | None
    begun_at: str | None
    ended_at: str | None
    """None: it runs, or nobody knows when it ended."""
    depth: int
    """0 for what the main conversation launched, 1 for what that one launched."""
    parent: str | None
    waited_for: tuple[str, ...] = ()
    """The runs that it was planned to begin after, each the last before it began."""


@frozen
class SessionTimeline:
    """A session and its runs, each beneath the one that launched it, in the order they began."""

    session: Session
    spans: tuple[RunSpan, ...]
    count: int
    """Of all its runs, more than are listed where there are many."""


def load_session_timeline(record: Record, session_id: str) -> SessionTimeline:
    """Read when each run of a session began and ended; retracted ones are left out.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
    """
    with record.read():
        session = sessions.get_session(record, session_id)
        condition = "FROM agent_executions WHERE session_id = ? AND retracted_at IS NULL"
        count = record.value(f"SELECT count(*) {condition}", [session_id])
        rows = list(
            record.sql(
                "SELECT execution_id, agent_type, coalesce(scope, ''), status, unverified, "
                "success, deployed_at, "
                "CASE WHEN status = 'deployed' THEN NULL ELSE completed_at END, "
                f"parent_execution_id, planned_id {condition} ORDER BY {WHEN}, rowid LIMIT ?",
                [session_id, MOST_SPANS],
            )
        )
        position = {
            agent.planned_id: agent.position
            for agent in plan.list_planned_agents(record, session_id)
        }
        waits = plan.list_waits(record, session_id)
    last: dict[int, str] = {}
    waited: dict[str, tuple[str, ...]] = {}
    for label, *_, planned_id in rows:
        here = position.get(planned_id, 0)
        waited[label] = tuple(last[other] for other in waits.get(here, ()) if other in last)
        last[here] = label
    tree = arrange_tree(rows, label=lambda row: str(row[0]), parent=lambda row: row[8])
    spans = (RunSpan(*[*row[:8], depth, row[8], waited[row[0]]]) for row, depth in tree)
    return SessionTimeline(session, tuple(spans), int(count))
