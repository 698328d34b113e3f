"""Validating a session's plan, on the record."""

from __future__ import annotations

from collections.abc import Iterable

from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits, compute_agent_limit
from orch_tui.prepare.catalogue import Catalogue
from orch_tui.prepare.sources import SourceReader
from orch_tui.prepare.validation import Validation, validate_plan
from orch_tui.record import bundles, plan, sessions
from orch_tui.record.ledger import journal
from orch_tui.record.session_budget import resolve_limits


def validate_session(
    record: Record,
    session_id: str,
    *,
    reader: SourceReader,
    catalogue: Catalogue,
    limits: Limits,
    known_agents: Iterable[str],
    scope: str | None = None,
    context_files: Iterable[str] = (),
    dependencies: Iterable[str] = (),
) -> Validation:
    """Check a session's scope, planned agents and bundles, and what is given besides.

    The answer is journaled, so that a deployment can be traced back to it.

    Raises:
        NotFoundError: no such session.
    """
    session = sessions.get_session(record, session_id)
    limits = resolve_limits(record, session_id, limits)
    planned = {agent.position: agent for agent in plan.list_planned_agents(record, session_id)}
    names = {position: f"{position} {agent.agent_type}" for position, agent in planned.items()}
    validation = validate_plan(
        session.scope if scope is None else scope,
        context_files,
        dependencies,
        reader=reader,
        planned={
            names[position]: [names[other] for other in others]
            for position, others in plan.list_waits(record, session_id).items()
        },
        agent_types=[agent.agent_type for agent in planned.values()],
        known_agents=known_agents,
        bundles=[saved.bundle for saved in bundles.load_session_figures(record, session_id)],
        limit_of=lambda bundle: compute_agent_limit(
            catalogue.model(bundle.model), limits, bundle.agent_type
        ),
        problems_of=limits.agents.problems,
    )
    with record.write():
        journal.log_action(record, "validate", session_id=session_id, after=validation.to_dict())
    return validation
