"""The runs behind a figure that no query of the search can ask for."""

from __future__ import annotations

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.values import MODEL
from orch_tui.recall.attempts import NUMBERED_ATTEMPTS
from orch_tui.recall.insights.group_outcomes import ChosenRuns
from orch_tui.recall.listing import filter_executions
from orch_tui.record.own_projects import OwnProjects

BUNDLE = "(SELECT bundle_id FROM bundle_versions WHERE version_id = bundle_version_id)"
"""The bundle of a chosen run, as SQL."""
GROUPS = {
    "by_agent_type": "agent_type",
    "by_model": MODEL,
    "by_bundle": BUNDLE,
    "by_attempt": "attempt",
}
"""What runs are grouped by, by part of the insights."""


@frozen
class GroupRun:
    """One run of a group, as a list shows it."""

    execution_id: str
    agent_type: str
    scope: str | None
    status: str
    success: bool | None
    unverified: str | None
    """Why it is in doubt; None: it is not."""
    at: str


def list_group_runs(
    record: Record,
    part: str,
    name: str | int | None,
    *,
    project: OwnProjects | None = None,
    session_id: str | None = None,
    limit: int = 500,
) -> list[GroupRun]:
    """List the newest runs of one group of a part, at most ``limit``; as ``gather_part``.

    ``name`` is that of the group; None: of those whose group is not recorded.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
        KeyError: the part does not group runs.
    """
    where = filter_executions(record, session_id=session_id, project=project)
    of = ChosenRuns(record, str(where), where.parameters, last=[name, limit])
    with record.read():
        rows = of.rows(
            "SELECT execution_id, agent_type, scope, status, success, unverified, at FROM chosen "
            f"WHERE {GROUPS[part]} IS ? ORDER BY at DESC, execution_id DESC LIMIT ?",
            NUMBERED_ATTEMPTS if part == "by_attempt" else "agent_executions",
        )
    return [
        GroupRun(label, agent, scope, status, None if won is None else bool(won), doubt, at)
        for label, agent, scope, status, won, doubt, at in rows
    ]
