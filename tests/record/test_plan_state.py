"""How far the agents of a plan are."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.record import plan
from orch_tui.record.executions import retract_execution
from orch_tui.record.plan_state import describe_outstanding, read_plan_states
from orch_tui.record.sessions import init_session
from tests.recall.runs import run_agent


def progress(record: Record) -> list[str]:
    return [state.progress for state in read_plan_states(record, "s").values()]


def test_a_planned_agent_is_as_far_as_its_last_attempt(record: Record) -> None:
    init_session(record, "plan it", project="/p", session_id="s")
    for number in range(3):
        plan.add_planned_agent(record, "s", f"agent-{number}", waits_for=[number] * bool(number))
    assert progress(record) == ["ready", "blocked", "blocked"]
    first = run_agent(record, "s", "failed", agent_type="agent-0", planned=1)
    assert progress(record) == ["failed", "blocked", "blocked"]
    (told,) = describe_outstanding(read_plan_states(record, "s"), 2)
    assert told.endswith(f"before 1 (agent-0) completed, which it waits for: {first} failed")
    second = run_agent(record, "s", None, agent_type="agent-0", planned=1)
    state = read_plan_states(record, "s")[1]
    assert (state.progress, state.execution_id, state.runs) == ("deployed", second, 2)
    third = run_agent(record, "s", agent_type="agent-0", planned=1)
    assert progress(record) == ["completed", "ready", "blocked"]
    assert list(describe_outstanding(read_plan_states(record, "s"), 2)) == []
    (told,) = describe_outstanding(read_plan_states(record, "s"), 3)
    assert told.endswith("not begun")
    for label in (first, second, third):
        retract_execution(record, label, "a mistake")
    assert progress(record) == ["ready", "blocked", "blocked"]
