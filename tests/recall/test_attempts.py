"""Attempts: which runs are of one task, and which of them is the last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.prepare.bundle import Bundle
from orch_tui.recall.attempts import NUMBERED_ATTEMPTS, list_attempts, list_last_attempts
from orch_tui.recall.run_figures import describe_run
from orch_tui.recall.show import show_execution
from orch_tui.record import plan
from orch_tui.record.executions import retract_execution
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.statement import Deployed
from orch_tui.record.sessions import init_session
from tests.recall.runs import run_agent

BUNDLE = Bundle("b", "implementor", "a scope", (), "sonnet", "2026-11-22T10:00:00.000Z")


def numbers(record: Record) -> list[int | None]:
    """The number of each attempt that stands, in the order of deployment."""
    rows = record.sql(f"SELECT attempt FROM {NUMBERED_ATTEMPTS} ORDER BY deployed_at")
    return [number for (number,) in rows]


def test_runs_of_a_planned_agent_are_its_attempts(record: Record, session_id: str) -> None:
    plan.add_planned_agent(record, session_id, "implementor")
    plan.add_planned_agent(record, session_id, "tester")
    first = run_agent(record, session_id, "failed", planned=1)
    other = run_agent(record, session_id, agent_type="tester", planned=2)
    second = run_agent(record, session_id, planned=1)
    assert numbers(record) == [1, 1, 2]
    assert list_last_attempts(record, session_id) == {other, second}
    retract_execution(record, second, reason="a mistake")
    assert numbers(record) == [1, 1]
    assert list_last_attempts(record, session_id) == {first, other}


@pytest.mark.parametrize(
    ("changed", "attempts"),
    [({}, [1, 2]), ({"scope": "another"}, [1, 1]), ({"agent_type": "tester"}, [1, 1])],
    ids=["same", "scope", "agent"],
)
def test_without_a_plan_a_task_is_bundle_agent_and_scope(
    record: Record, session_id: str, changed: dict[str, str], attempts: list[int]
) -> None:
    first = run_agent(record, session_id, "failed", bundle=BUNDLE, scope="one")
    second = run_agent(record, session_id, bundle=BUNDLE, **({"scope": "one"} | changed))
    assert numbers(record) == attempts
    last = {second} if attempts == [1, 2] else {first, second}
    assert list_last_attempts(record, session_id) == last


def test_a_briefing_without_a_bundle_is_a_task_where_somebody_deployed_it(
    record: Record, session_id: str
) -> None:
    """What only a hook saw twice may run side by side."""
    for _ in range(2):
        run_agent(record, session_id, scope="one", briefing=b"Do it.")
    called = Deployed(agent_type="implementor", scope="one")
    with record.write():
        for each in ("1", "2"):
            about = [f"call:s/{each}"]
            ingest_statement(record, Report(about, called, source="hook", prompt="Do that."))
    assert sorted(numbers(record), key=str) == [1, 2, None, None]


def test_another_version_of_a_bundle_is_the_same_task(record: Record, session_id: str) -> None:
    run_agent(record, session_id, "failed", bundle=BUNDLE)
    second = run_agent(record, session_id, bundle=replace(BUNDLE, model="opus"))
    assert list_last_attempts(record, session_id) == {second}


def test_while_a_retry_is_awaited_the_attempt_before_it_stands(
    record: Record, session_id: str
) -> None:
    first = run_agent(record, session_id, "failed", bundle=BUNDLE)
    second = run_agent(record, session_id, bundle=BUNDLE)
    retry = run_agent(record, session_id, None, bundle=BUNDLE)
    assert first not in list_last_attempts(record, session_id)
    assert list_last_attempts(record, session_id) == {second, retry}


def test_where_nothing_says_of_what_no_run_is_an_attempt(record: Record, session_id: str) -> None:
    runs = {run_agent(record, session_id), run_agent(record, session_id)}
    assert numbers(record) == [None, None]
    assert list_last_attempts(record, session_id) == runs


def test_each_session_counts_for_itself(record: Record, session_id: str) -> None:
    first = run_agent(record, session_id, bundle=BUNDLE)
    other = init_session(record, "another", project="/p").session_id
    second = run_agent(record, other, bundle=BUNDLE)
    assert numbers(record) == [1, 1]
    assert list_last_attempts(record, session_id) == {first}
    assert list_last_attempts(record, other) == {second}


def test_the_attempts_at_a_task_are_told_from_each_of_them(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    plan.add_planned_agent(record, session_id, "implementor")
    first = run_agent(record, session_id, "failed", planned=1)
    other = run_agent(record, session_id, agent_type="tester")
    second = run_agent(record, session_id, planned=1)
    assert list_attempts(record, first, session_id) == (first, second)
    assert list_attempts(record, other, session_id) == ()

    def facts(label: str) -> dict[str, str]:
        return dict(describe_run(show_execution(record, label, tmp_path)))

    assert facts(first)["attempt"] == f"1 of 2, tried again as {second}"
    assert facts(second)["attempt"] == f"2 of 2, tries {first} again"
    assert facts(second)["previous run"] == other
    assert "attempt" not in facts(other)
    retract_execution(record, second, reason="a mistake")
    assert "attempt" not in facts(first) and "attempt" not in facts(second)
