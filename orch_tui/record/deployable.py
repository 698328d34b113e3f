"""What of a session can be deployed: its planned agents, and bundles that nobody planned."""

from __future__ import annotations

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.prepare.count import Count
from orch_tui.record import plan
from orch_tui.record.plan_state import read_plan_states
from orch_tui.record.session_budget import read_taken


@frozen
class Deployable:
    """One planned agent, or one bundle."""

    planned: int | None
    """The position in the plan; None: only a bundle."""
    bundle_id: str | None
    agent_type: str
    scope: str
    model: str | None
    count: Count | None
    """Of the bundle."""
    runs: int
    """How often it was deployed already."""
    waits_for: tuple[int, ...]
    """The planned agents it waits for that have not completed."""


def list_deployable(record: Record, session_id: str) -> list[Deployable]:
    """The planned agents in their order, then the bundles that no planned agent is given."""
    with record.read():
        counts = {t.label: t.count for t in read_taken(record, session_id)}
        states = read_plan_states(record, session_id)
        return [
            *(
                Deployable(
                    agent.position,
                    agent.bundle_id,
                    agent.agent_type,
                    agent.scope,
                    agent.model,
                    counts.get(agent.bundle_id or ""),
                    states[agent.position].runs,
                    states[agent.position].outstanding,
                )
                for agent in plan.list_planned_agents(record, session_id)
            ),
            *(
                Deployable(
                    None, bundle_id, agent_type, scope, model, counts.get(bundle_id), deployed, ()
                )
                for bundle_id, agent_type, scope, model, deployed in _unplanned(record, session_id)
            ),
        ]


@frozen
class Attempted:
    """What a run was an attempt at, to be attempted again."""

    session_id: str
    planned: int | None
    """The position in the plan, where it is still there; None: it was not planned."""
    bundle_id: str | None
    agent_type: str
    scope: str
    model: str | None


def read_attempted(record: Record, execution_id: str) -> Attempted:
    """Read what a run was an attempt at: of a plan, with a bundle, or an agent by its name.

    Raises:
        NotFoundError: no such execution was deployed.
    """
    from orch_tui.record.executions import get_execution

    with record.read():
        run = get_execution(record, execution_id)
        ((planned_id, bundle_id),) = record.sql(
            "SELECT planned_id, (SELECT bundle_id FROM bundle_versions AS v "
            "WHERE v.version_id = e.bundle_version_id) FROM agent_executions AS e "
            "WHERE execution_id = ?",
            [run.execution_id],
        )
        planned = plan.list_planned_agents(record, run.session_id) if planned_id else []
        position = next((p.position for p in planned if p.planned_id == planned_id), None)
    return Attempted(
        run.session_id, position, bundle_id, run.agent_type or "", run.scope or "", run.model
    )


def _unplanned(record: Record, session_id: str) -> list[tuple[str, str, str, str | None, int]]:
    return record.sql(
        """SELECT bundle_id, agent_type, scope, model, (
          SELECT count(*) FROM agent_executions AS e JOIN bundle_versions AS d
          ON d.version_id = e.bundle_version_id
          WHERE d.bundle_id = b.bundle_id AND e.retracted_at IS NULL)
        FROM bundles AS b JOIN bundle_versions AS v USING (bundle_id)
        WHERE session_id = ?1 AND b.removed_at IS NULL
        AND version = (SELECT max(version) FROM bundle_versions WHERE bundle_id = b.bundle_id)
        AND bundle_id NOT IN (SELECT bundle_id FROM planned_agents
          WHERE session_id = ?1 AND removed_at IS NULL AND bundle_id IS NOT NULL)
        ORDER BY b.rowid""",
        [session_id],
    )
