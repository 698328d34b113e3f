"""The gates of the phases open with what is recorded."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.record import plan
from orch_tui.record.completion import record_completion
from orch_tui.record.executions import retract_execution
from orch_tui.record.ledger import journal
from orch_tui.record.phase_gates import evaluate_gates
from orch_tui.record.sessions import init_session
from tests.record.reporting import report


def open_session(record: Record) -> str:
    return init_session(record, "find the bug", project="/p").session_id


def deployed(record: Record, session_id: str) -> str:
    with record.write():
        label = report(
            record, "deployed", {"session_id": session_id, "agent_type": "a"}, source="manual"
        )
    return label


def unmet(record: Record, session_id: str) -> set[str]:
    return {gate.name for gate in evaluate_gates(record, session_id) if not gate.met}


def test_gates_open_with_what_was_recorded(record: Record) -> None:
    session_id = open_session(record)
    everything = {"validated", "planned", "deployed", "results recorded"}
    assert unmet(record, session_id) == everything
    plan.add_planned_agent(record, session_id, "debugger")
    assert unmet(record, session_id) == everything - {"planned"}
    label = deployed(record, session_id)
    assert unmet(record, session_id) == {"validated", "returned", "results recorded"}
    record_completion(record, label, final_message="done")
    assert unmet(record, session_id) == {"validated", "results recorded"}
    record.execute(
        "INSERT INTO outputs (execution_id, output_type, content) "
        "VALUES (?, 'validation_result', '{}')",
        [label],
    )
    with record.write():
        journal.log_action(record, "validate", session_id=session_id)
    assert unmet(record, session_id) == set()


def test_each_gate_is_of_its_phase_and_says_what_is_missing(record: Record) -> None:
    session_id = open_session(record)
    assert [(gate.phase, gate.name) for gate in evaluate_gates(record, session_id)] == [
        (1, "validated"),
        (2, "planned"),
        (3, "deployed"),
        (3, "returned"),
        (4, "results recorded"),
    ]
    for label in (deployed(record, session_id), deployed(record, session_id)):
        last = label
    record_completion(record, last, status="failed")
    missing = {gate.name: gate.missing for gate in evaluate_gates(record, session_id)}
    assert missing["returned"] == "1 of 2 agents have not returned"
    assert missing["deployed"] == ""
    assert missing["planned"] == "no agent is planned and no bundle prepared"


def test_what_was_taken_back_or_is_of_another_session_opens_none(record: Record) -> None:
    session_id, other = open_session(record), open_session(record)
    closed = unmet(record, session_id)
    planned = plan.add_planned_agent(record, session_id, "x")
    plan.remove_planned_agent(record, session_id, planned.position)
    retract_execution(record, deployed(record, session_id), "by mistake")
    plan.add_planned_agent(record, other, "x")
    record_completion(record, deployed(record, other), final_message="done")
    with record.write():
        journal.log_action(record, "validate", session_id=other)
    assert unmet(record, session_id) == closed
    assert unmet(record, other) == {"results recorded"}
