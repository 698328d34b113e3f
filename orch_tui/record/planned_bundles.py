"""What speaks against the bundle that a planned agent is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.record import bundles
from orch_tui.record.session_budget import load_session_budget
from orch_tui.rows import PlannedAgent

if TYPE_CHECKING:
    from orch_tui.prepare.catalogue import Catalogue


def tell_of_planned_bundle(
    record: Record, planned: PlannedAgent, *, catalogue: Catalogue, limits: Limits
) -> Iterator[str]:
    """Say what is odd about the bundle of a planned agent; nothing where it has none.

    It may be of another session, retracted, prepared for an agent of another type, or over a limit.
    ``limits`` are those of the settings.
    """
    if planned.bundle_id is None:
        return
    bundle = bundles.load_bundle(record, planned.bundle_id).bundle
    if told := bundles.tell_other_session(bundle.bundle_id, bundle.session_id, planned.session_id):
        yield told
    if told := bundles.tell_removed(record, bundle.bundle_id):
        yield told
    if bundle.agent_type != planned.agent_type:
        yield f"{bundle.bundle_id} was prepared for {bundle.agent_type}, not {planned.agent_type}"
    judgement = load_session_budget(record, planned.session_id, limits).judge(
        bundle.total,
        catalogue.model(planned.model or bundle.model or limits.agents.model(planned.agent_type)),
        agent_type=planned.agent_type,
        items=bundle.items,
        instead_of=(bundle.bundle_id,),
    )
    for gauge in (judgement.agent, judgement.session):
        if gauge.status == "over":
            yield f"{bundle.bundle_id}: {gauge}"


def list_removed_bundles(record: Record, session_id: str) -> frozenset[str]:
    """List the bundles in a plan that were retracted: nothing can be deployed with them."""
    return frozenset(
        bundle_id
        for (bundle_id,) in record.sql(
            "SELECT bundle_id FROM planned_agents AS p JOIN bundles AS b USING (bundle_id) "
            "WHERE p.session_id = ? AND p.removed_at IS NULL AND b.removed_at IS NOT NULL",
            [session_id],
        )
    )
