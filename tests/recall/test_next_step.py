"""What a planned session has to do next, phase by phase."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.recall.next_step import list_next_steps, load_first_steps
from orch_tui.record import plan, sessions
from orch_tui.record.completion import record_completion
from orch_tui.record.outputs import collect_outputs
from tests.recall.test_overview import LIMITS, open_session, page, run, save


@pytest.fixture
def session(record: Record) -> str:
    return open_session(record, "s")


def acts(record: Record) -> list[tuple[str, list[int]]]:
    return [
        (step.act, [line.agent.position for line in step.agents])
        for step in list_next_steps(page(record))
    ]


def test_first_agents_are_planned(record: Record, session: str) -> None:
    assert acts(record) == [("plan", []), ("move", [])]
    assert list_next_steps(page(record))[-1].phase == 2


def test_then_what_they_are_given_is_composed_and_validated(record: Record, session: str) -> None:
    plan.add_planned_agent(record, session, "Explore")
    assert acts(record)[0] == ("compose", [1])
    plan.change_planned_agent(record, session, 1, bundle_id=save(record, session, 10))
    assert acts(record)[0] == ("validate", [])
    sessions.set_phase(record, session, 2)
    assert acts(record) == [("move", [])]


def test_what_was_handed_over_is_no_more_prepared(record: Record, session: str) -> None:
    plan.add_planned_agent(record, session, "Explore")
    run(record, session, planned=1)
    assert acts(record) == [("wait", [1]), ("move", [])]
    assert list_next_steps(page(record))[-1].phase == 3


def test_agents_are_handed_over_as_those_they_wait_for_return(record: Record, session: str) -> None:
    plan.add_planned_agent(record, session, "Explore")
    plan.add_planned_agent(record, session, "tester", waits_for=[1])
    sessions.set_phase(record, session, 3)
    assert acts(record)[0] == ("deploy", [1])
    first = run(record, session, planned=1)
    assert acts(record)[0] == ("wait", [1])
    record_completion(record, first, final_message="it is found")
    assert acts(record)[0] == ("deploy", [2])
    second = run(record, session, planned=2)
    record_completion(record, second, status="failed", error_message="no room")
    assert acts(record)[0] == ("look", [2])
    run(record, session, planned=2)
    assert acts(record)[0] == ("wait", [2])


def test_what_failed_is_looked_at_before_anything_else(record: Record, session: str) -> None:
    for agent_type in ("Explore", "tester", "Explore"):
        plan.add_planned_agent(record, session, agent_type)
    first, second = (run(record, session, planned=position) for position in (1, 2))
    sessions.set_phase(record, session, 3)
    record_completion(record, first, final_message="It is done.")
    collect_outputs(record, first, root=Path(), validation={"tests": "fail"})
    assert page(record).agents[0].failed_checks == ("tests",)
    assert acts(record) == [("look", [1]), ("deploy", [3]), ("move", [])]
    record_completion(record, second, status="failed", error_message="no room")
    assert acts(record) == [("look", [2]), ("deploy", [3]), ("move", [])]
    collect_outputs(record, first, root=Path(), validation={"tests": "pass"})
    assert not page(record).agents[0].is_doubted


def test_in_the_end_it_is_closed_and_another_is_opened(record: Record, session: str) -> None:
    plan.add_planned_agent(record, session, "Explore")
    sessions.set_phase(record, session, 5)
    assert acts(record) == [("close", [])]
    sessions.complete_session(record, session)
    assert acts(record) == [("open", [])]


def test_of_many_sessions_the_first_step_of_each_is_told(record: Record, session: str) -> None:
    open_session(record, "bare")
    plan.add_planned_agent(record, session, "Explore")
    found = load_first_steps(
        record,
        ["s", "bare"],
        catalogue=load_catalogue(),
        limits=LIMITS,
        known_agents={"Explore"},
    )
    assert {name: step.act for name, step in found.items()} == {"s": "compose", "bare": "plan"}
