"""The plan of a session: its agents, their order, and what waits for what."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orch_tui.errors import NotFoundError, OrchError, UsageError
from orch_tui.models.database import Record
from orch_tui.record import journal, plan
from orch_tui.record.sessions import init_session


@pytest.fixture
def session(record: Record) -> str:
    return init_session(record, "plan it", project="/p", session_id="s").session_id


def add(record: Record, *names: str) -> None:
    for name in names:
        plan.add(record, "s", name)


def order(record: Record) -> list[str]:
    held = plan.agents(record, "s")
    assert [agent.position for agent in held] == list(range(1, len(held) + 1))
    return [agent.agent_type for agent in held]


def test_agents_come_in_the_order_they_were_planned(record: Record, session: str) -> None:
    added = plan.add(record, session, "debugger", scope="find", model="opus")
    add(record, "tester")
    assert order(record) == ["debugger", "tester"]
    assert plan.at(record, session, 1) == added
    assert (added.scope, added.model, added.bundle_id) == ("find", "opus", None)


def test_bad_plans_are_refused(record: Record, session: str) -> None:
    with pytest.raises(UsageError):
        plan.add(record, session, "  ")
    with pytest.raises(NotFoundError):
        plan.add(record, "nobody", "tester")
    with pytest.raises(NotFoundError):
        plan.add(record, session, "tester", bundle_id="bundle-404")
    with pytest.raises(NotFoundError):
        plan.add(record, session, "tester", waits_for=[3])
    assert plan.agents(record, session) == []
    assert [e.action for e in journal.entries(record)] == ["init-session"]


@pytest.mark.parametrize("position", [0, -1, 3])
def test_a_position_outside_the_plan(record: Record, session: str, position: int) -> None:
    add(record, "a", "b")
    with pytest.raises(NotFoundError):
        plan.at(record, session, position)


def test_changing_is_recorded_with_before_and_after(record: Record, session: str) -> None:
    add(record, "a", "b")
    plan.change(record, session, 2, scope="other", model="haiku", waits_for=[1])
    entry = journal.entries(record)[-1]
    assert entry.before["scope"] == ""
    assert (entry.after["scope"], entry.after["model"]) == ("other", "haiku")
    assert (entry.before["waits_for"], entry.after["waits_for"]) == ([], [1])
    before = len(journal.entries(record))
    plan.change(record, session, 2, scope="other")
    assert len(journal.entries(record)) == before


def test_only_what_is_planned_can_be_changed(record: Record, session: str) -> None:
    add(record, "a")
    with pytest.raises(UsageError, match="planned_id"):
        plan.change(record, session, 1, planned_id="7")


@pytest.mark.parametrize(
    ("position", "to", "expected"), [(1, 3, "bca"), (3, 1, "cab"), (2, 2, "abc"), (2, 3, "acb")]
)
def test_moving(record: Record, session: str, position: int, to: int, expected: str) -> None:
    add(record, *"abc")
    plan.move(record, session, position, to)
    assert order(record) == list(expected)


def test_moving_out_of_the_plan_is_refused(record: Record, session: str) -> None:
    add(record, *"abc")
    with pytest.raises(NotFoundError):
        plan.move(record, session, 1, 4)
    assert order(record) == list("abc")


def test_waits_follow_an_agent_that_moves(record: Record, session: str) -> None:
    add(record, *"abc")
    plan.change(record, session, 2, waits_for=[1])
    plan.move(record, session, 2, 3)
    assert plan.waits(record, session) == {1: [], 2: [], 3: [1]}


def test_removing_closes_the_gap_and_frees_who_waited(record: Record, session: str) -> None:
    add(record, *"abc")
    plan.change(record, session, 3, waits_for=[1, 2])
    plan.remove(record, session, 1)
    assert order(record) == ["b", "c"]
    assert plan.waits(record, session) == {1: [], 2: [1]}
    assert record.value("SELECT count(*) FROM planned_agents") == 3  # kept, with its runs
    assert journal.entries(record)[-1].before["agent_type"] == "a"


def test_nobody_waits_for_itself(record: Record, session: str) -> None:
    add(record, *"abc")
    plan.change(record, session, 2, waits_for=[1])
    plan.change(record, session, 3, waits_for=[2])
    for position, waits_for in ((1, [1]), (1, [2]), (1, [3])):
        with pytest.raises(OrchError, match="wait for itself"):
            plan.change(record, session, position, waits_for=waits_for)
    assert plan.waits(record, session) == {1: [], 2: [1], 3: [2]}


def test_waves(record: Record, session: str) -> None:
    add(record, *"abcd")
    plan.change(record, session, 1, waits_for=[3])
    plan.change(record, session, 2, waits_for=[1, 3])
    assert plan.waves(record, session) == [[3, 4], [1], [2]]


def test_an_empty_plan_has_no_waves(record: Record, session: str) -> None:
    assert plan.waves(record, session) == []


@given(st.integers(2, 7), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_every_wave_waits_only_for_earlier_ones(
    tmp_path_factory: pytest.TempPathFactory, count: int, chance: random.Random
) -> None:
    with Record(tmp_path_factory.mktemp("plan") / "e.db") as record:
        init_session(record, "plan it", project="/p", session_id="s")
        with record.write():
            for position in range(1, count + 1):
                before = [p for p in range(1, position) if chance.random() < 0.4]
                plan.add(record, "s", f"agent-{position}", waits_for=before)
        waiting, done = plan.waits(record, "s"), set[int]()
        for wave in plan.waves(record, "s"):
            assert all(set(waiting[position]) <= done for position in wave)
            done |= set(wave)
        assert done == set(range(1, count + 1))


def test_a_deployment_is_matched_where_the_plan_leaves_no_doubt(
    record: Record, session: str
) -> None:
    plan.add(record, session, "tester", scope="one")
    plan.add(record, session, "tester", scope="two")
    plan.add(record, session, "debugger", scope="one")
    matched = plan.matching(record, session, "tester", "two", None)
    assert matched == plan.at(record, session, 2)
    assert plan.matching(record, session, "tester", "three", None) is None
    plan.add(record, session, "tester", scope="two")
    assert plan.matching(record, session, "tester", "two", None) is None
