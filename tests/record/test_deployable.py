"""Before a deployment: what can be deployed, and what it would be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import NotFoundError, UsageError
from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import compose_bundle
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.sources import SourceReader
from orch_tui.record import bundles, deployment, executions, plan, sessions
from orch_tui.record.completion import record_completion
from orch_tui.record.deployable import list_deployable

BOUNDS: Any = {"catalogue": load_catalogue(), "limits": Limits()}


@pytest.fixture
def session(record: Record, tmp_path: Path) -> str:
    """Two planned agents, the second of which waits for the first, and a bundle beside them."""
    (tmp_path / "a.md").write_text("# Alpha\n" + "words of the first file\n" * 40)
    session_id = sessions.init_session(record, "s", project=str(tmp_path)).session_id
    for bundle_id, agent_type in (("bundle-001", "debugger"), ("bundle-002", "tester")):
        made = compose_bundle(
            agent_type,
            f"work of the {agent_type}",
            reader=SourceReader(tmp_path, tmp_path),
            bundle_id=bundle_id,
            created_at="2026-11-22T10:00:00.000Z",
            model="sonnet",
            family="v4.8",
            files=["a.md"],
        )
        bundles.save_bundle(record, made, session_id)
    plan.add_planned_agent(record, session_id, "debugger", scope="find it", bundle_id="bundle-001")
    plan.add_planned_agent(record, session_id, "reviewer", scope="review it", waits_for=[1])
    return session_id


def test_planned_agents_come_first_then_bundles_that_nobody_planned(
    record: Record, session: str
) -> None:
    found = list_deployable(record, session)
    assert [(c.planned, c.bundle_id, c.agent_type, c.runs, c.waits_for) for c in found] == [
        (1, "bundle-001", "debugger", 0, ()),
        (2, None, "reviewer", 0, (1,)),
        (None, "bundle-002", "tester", 0, ()),
    ]
    assert found[0].count == found[2].count and found[0].count is not None
    assert found[1].count is None


def test_runs_are_counted_and_nobody_waits_for_what_completed(record: Record, session: str) -> None:
    first = deployment.record_deployment(
        record, session, planned=1, **BOUNDS
    ).execution.execution_id
    tester = bundles.load_bundle(record, "bundle-002").bundle
    deployment.record_deployment(record, session, bundle=tester, **BOUNDS)
    assert [(c.runs, c.waits_for) for c in list_deployable(record, session)] == [
        (1, ()),
        (0, (1,)),
        (1, ()),
    ]
    record_completion(record, first, status="failed")
    assert list_deployable(record, session)[1].waits_for == (1,)
    again = deployment.record_deployment(
        record, session, planned=1, **BOUNDS
    ).execution.execution_id
    record_completion(record, again, final_message="Done.")
    assert [(c.runs, c.waits_for) for c in list_deployable(record, session)] == [
        (2, ()),
        (0, ()),
        (1, ()),
    ]


def test_a_prospect_is_what_the_deployment_then_is(record: Record, session: str) -> None:
    prospect = deployment.preview_deployment(record, session, planned=1, **BOUNDS)
    assert executions.select_executions(record) == []
    deployed = deployment.record_deployment(record, session, planned=1, **BOUNDS)
    assert (prospect.agent_type, prospect.scope) == ("debugger", "find it")
    assert prospect.judgement == deployed.judgement
    saved = bundles.load_bundle(record, "bundle-001").bundle
    assert prospect.bundle is not None  # measured: as large as its briefing
    assert (prospect.bundle.bundle_id, prospect.bundle.items) == (saved.bundle_id, saved.items)
    assert deployed.briefing.startswith(prospect.briefing.rstrip(b"\n"))
    assert b"words of the first file" in prospect.briefing


def test_a_prospect_over_budget_is_told_not_refused(record: Record, session: str) -> None:
    tight: Any = {"catalogue": load_catalogue(), "limits": Limits(budget=10)}
    assert (
        deployment.preview_deployment(record, session, planned=1, **tight).judgement.status
        == "over"
    )


def test_a_prospect_of_nothing_known_is_refused(record: Record, session: str) -> None:
    with pytest.raises(UsageError):
        deployment.preview_deployment(record, session, **BOUNDS)
    with pytest.raises(NotFoundError):
        deployment.preview_deployment(record, session, planned=9, **BOUNDS)


def test_the_briefing_can_be_handed_over_again(record: Record, session: str) -> None:
    deployed = deployment.record_deployment(record, session, planned=1, **BOUNDS)
    assert deployment.get_handed_over(record, deployed.execution.execution_id) == deployed.briefing
    bare = deployment.record_deployment(record, session, agent_type="helper", **BOUNDS)
    assert deployment.get_handed_over(record, bare.execution.execution_id) == b""
