"""The trail: validation, deployment, completion, output of one execution, in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import NotFoundError
from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.count import Count
from orch_tui.recall.output_validation import validate_outputs
from orch_tui.recall.timeline import list_steps
from orch_tui.record.bundles import load_bundle
from orch_tui.record.completion import record_completion
from orch_tui.record.deployment import record_deployment
from orch_tui.record.executions import get_execution, retract_execution
from orch_tui.record.ledger import journal
from orch_tui.record.outputs import collect_outputs
from orch_tui.record.sessions import init_session, set_phase
from tests.record.reporting import report


@pytest.fixture
def session_id(record: Record, tmp_path: Path) -> str:
    return init_session(record, "a scope", project=str(tmp_path)).session_id


def _deploy(record: Record, session_id: str, **given: Any) -> str:
    given = {"agent_type": "implementor", **given}
    deployed = record_deployment(
        record, session_id, catalogue=load_catalogue(), limits=Limits(), **given
    )
    return deployed.execution.execution_id


def test_from_validation_to_output_in_order(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    with record.write():
        journal.log_action(
            record,
            "validate",
            session_id=session_id,
            after={"valid": False, "warnings": ["the scope is short"]},
        )
    set_phase(record, session_id, 3)
    item = ContextItem("file", "a.py", "required", (), b"x", Count(15, "o200k_base", 15, 15))
    bundle = Bundle("b", "implementor", "Implement", (item,), "sonnet", "2026-11-22T09:00:00.000Z")
    execution = _deploy(record, session_id, bundle=bundle)
    record_completion(record, execution, final_message="All\ndone.")
    collect_outputs(
        record, execution, root=tmp_path, deliverable_paths=["a.py"], insights=["learnt"]
    )
    validate_outputs(record, session_id, tmp_path)
    steps = list_steps(record, execution)
    given = get_execution(record, execution).context_token_count
    saved = load_bundle(record, "b").bundle.total
    assert [(step.action, step.what) for step in steps] == [
        ("session", "scope a scope (api)"),
        ("validation", "not valid: the scope is short (api)"),
        (
            "phase",
            "phase 3, skipped planned: no agent is planned and no bundle prepared (api)",
        ),
        ("save-bundle", f"b v1 tokens {saved.tokens}, estimator mixed (api)"),
        (
            "deployment",
            f"implementor, Implement, sonnet, {given} tokens (claude-v4.8~1) (manual, api)",
        ),
        ("completion", "completed, All done. (manual, api)"),
        ("output", "deliverable a.py"),
        ("output", "insight learnt"),
        ("validation", f"not valid: a.py ({execution}) (api)"),
    ]
    assert [step.seq for step in steps] == list(range(1, 10))
    assert [step.at for step in steps] == sorted(step.at for step in steps)


def test_it_is_the_trail_of_one_execution(record: Record, session_id: str, tmp_path: Path) -> None:
    one, other = _deploy(record, session_id), _deploy(record, session_id, agent_type="debugger")
    record_completion(record, other, final_message="mine alone")
    collect_outputs(record, other, root=tmp_path, insights=["mine too"])
    assert not [s for s in list_steps(record, one) if "mine" in s.what or "debugger" in s.what]
    assert [s.action for s in list_steps(record, other)][-3:] == [
        "deployment",
        "completion",
        "output",
    ]


def test_consents_and_retractions_are_steps(record: Record, session_id: str) -> None:
    execution = _deploy(
        record, session_id, context_token_count=500_000, allow_overflow="it must fit"
    )
    retract_execution(record, execution, "by mistake")
    steps = {step.action: step.what for step in list_steps(record, execution)}
    assert "it must fit" in steps["overflow"]
    assert steps["retraction"] == "reason by mistake (manual, api)"


def test_what_is_heard_of_late_stands_where_it_happened(record: Record, session_id: str) -> None:
    execution = _deploy(record, session_id)
    with record.write():
        report(
            record,
            "returned",
            {"status": "completed", "completed_at": "2026-11-22T09:00:00.000Z"},
            source="import",
            keys=[f"id:{execution}"],
            message="first return",
        )
        report(
            record,
            "deployed",
            {"deployed_at": "2026-11-22T08:00:00.000Z"},
            source="import",
            keys=[f"id:{execution}"],
        )
    actions = [step.action for step in list_steps(record, execution)]
    assert actions == ["deployment", "completion", "session", "deployment"]


def test_an_unknown_execution_comes_with_the_nearest(record: Record, session_id: str) -> None:
    execution = _deploy(record, session_id)
    with pytest.raises(NotFoundError) as unknown:
        list_steps(record, "exec-009")
    assert execution in unknown.value.hint
