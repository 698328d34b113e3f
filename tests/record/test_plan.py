"""The plan of a session: its agents, their order, and what waits for what."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orch_tui.errors import ConflictError, NotFoundError, OrchError, UsageError
from orch_tui.models.database import Record
from orch_tui.record import plan
from orch_tui.record.ledger import journal
from orch_tui.record.sessions import init_session
from tests.counts import COUNTS


@pytest.fixture
def session(record: Record) -> str:
    return init_session(record, "plan it", project="/p", session_id="s").session_id


def add(record: Record, *names: str) -> None:
    for name in names:
        plan.add_planned_agent(record, "s", name)


def order(record: Record) -> list[str]:
    held = plan.list_planned_agents(record, "s")
    assert [agent.position for agent in held] == list(range(1, len(held) + 1))
    return [agent.agent_type for agent in held]


def test_agents_come_in_the_order_they_were_planned(record: Record, session: str) -> None:
    added = plan.add_planned_agent(record, session, "debugger", scope="find", model="opus")
    add(record, "tester")
    assert order(record) == ["debugger", "tester"]
    assert plan.get_planned_agent(record, session, 1) == added
    assert (added.scope, added.model, added.bundle_id) == ("find", "opus", None)


def test_bad_plans_are_refused(record: Record, session: str) -> None:
    with pytest.raises(UsageError):
        plan.add_planned_agent(record, session, "  ")
    with pytest.raises(NotFoundError):
        plan.add_planned_agent(record, "nobody", "tester")
    with pytest.raises(NotFoundError):
        plan.add_planned_agent(record, session, "tester", bundle_id="bundle-404")
    with pytest.raises(NotFoundError):
        plan.add_planned_agent(record, session, "tester", waits_for=[3])
    assert plan.list_planned_agents(record, session) == []
    assert [e.action for e in journal.list_journal(record)] == ["init-session"]


@pytest.mark.parametrize("position", [0, -1, 3])
def test_a_position_outside_the_plan(record: Record, session: str, position: int) -> None:
    add(record, "a", "b")
    with pytest.raises(NotFoundError):
        plan.get_planned_agent(record, session, position)


def test_changing_is_recorded_with_before_and_after(record: Record, session: str) -> None:
    add(record, "a", "b")
    plan.change_planned_agent(record, session, 2, scope="other", model="haiku", waits_for=[1])
    entry = journal.list_journal(record)[-1]
    assert entry.before["scope"] == ""
    assert (entry.after["scope"], entry.after["model"]) == ("other", "haiku")
    assert (entry.before["waits_for"], entry.after["waits_for"]) == ([], [1])
    before = len(journal.list_journal(record))
    plan.change_planned_agent(record, session, 2, scope="other")
    assert len(journal.list_journal(record)) == before


def test_only_what_is_planned_can_be_changed(record: Record, session: str) -> None:
    add(record, "a")
    with pytest.raises(UsageError, match="planned_id"):
        plan.change_planned_agent(record, session, 1, planned_id="7")


@pytest.mark.parametrize(
    ("position", "to", "expected"), [(1, 3, "bca"), (3, 1, "cab"), (2, 2, "abc"), (2, 3, "acb")]
)
def test_moving(record: Record, session: str, position: int, to: int, expected: str) -> None:
    add(record, *"abc")
    plan.move_planned_agent(record, session, position, to)
    assert order(record) == list(expected)


def test_moving_out_of_the_plan_is_refused(record: Record, session: str) -> None:
    add(record, *"abc")
    with pytest.raises(NotFoundError):
        plan.move_planned_agent(record, session, 1, 4)
    assert order(record) == list("abc")


def test_waits_follow_an_agent_that_moves(record: Record, session: str) -> None:
    add(record, *"abc")
    plan.change_planned_agent(record, session, 2, waits_for=[1])
    plan.move_planned_agent(record, session, 2, 3)
    assert plan.list_waits(record, session) == {1: [], 2: [], 3: [1]}


def test_removing_closes_the_gap_and_frees_who_waited(record: Record, session: str) -> None:
    add(record, *"abc")
    plan.change_planned_agent(record, session, 3, waits_for=[1, 2])
    plan.remove_planned_agent(record, session, 1)
    assert order(record) == ["b", "c"]
    assert plan.list_waits(record, session) == {1: [], 2: [1]}
    assert record.value("SELECT count(*) FROM planned_agents") == 3  # kept, with its runs
    assert journal.list_journal(record)[-1].before["agent_type"] == "a"


def test_nobody_waits_for_itself(record: Record, session: str) -> None:
    add(record, *"abc")
    plan.change_planned_agent(record, session, 2, waits_for=[1])
    plan.change_planned_agent(record, session, 3, waits_for=[2])
    for position, waits_for in ((1, [1]), (1, [2]), (1, [3])):
        with pytest.raises(OrchError, match="wait for itself"):
            plan.change_planned_agent(record, session, position, waits_for=waits_for)
    assert plan.list_waits(record, session) == {1: [], 2: [1], 3: [2]}


def test_waves(record: Record, session: str) -> None:
    add(record, *"abcd")
    plan.change_planned_agent(record, session, 1, waits_for=[3])
    plan.change_planned_agent(record, session, 2, waits_for=[1, 3])
    assert plan.list_waves(record, session) == [[3, 4], [1], [2]]


def test_an_empty_plan_has_no_waves(record: Record, session: str) -> None:
    assert plan.list_waves(record, session) == []


@pytest.mark.slow
@given(st.integers(2, 7), st.randoms(use_true_random=False))
@settings(max_examples=COUNTS.histories)
def test_every_wave_waits_only_for_earlier_ones(
    tmp_path_factory: pytest.TempPathFactory, count: int, chance: random.Random
) -> None:
    with Record(tmp_path_factory.mktemp("plan") / "e.db") as record:
        init_session(record, "plan it", project="/p", session_id="s")
        with record.write():
            for position in range(1, count + 1):
                before = [p for p in range(1, position) if chance.random() < 0.4]
                plan.add_planned_agent(record, "s", f"agent-{position}", waits_for=before)
        waiting, done = plan.list_waits(record, "s"), set[int]()
        for wave in plan.list_waves(record, "s"):
            assert all(set(waiting[position]) <= done for position in wave)
            done |= set(wave)
        assert done == set(range(1, count + 1))


def test_a_deployment_is_matched_where_the_plan_leaves_no_doubt(
    record: Record, session: str
) -> None:
    plan.add_planned_agent(record, session, "tester", scope="one")
    plan.add_planned_agent(record, session, "tester", scope="two")
    plan.add_planned_agent(record, session, "debugger", scope="one")
    matched = plan.match_planned_agent(record, session, "tester", "two", None)
    assert matched == plan.get_planned_agent(record, session, 2)
    assert plan.match_planned_agent(record, session, "tester", "three", None) is None
    plan.add_planned_agent(record, session, "tester", scope="two")
    assert plan.match_planned_agent(record, session, "tester", "two", None) is None


def test_a_duplicate_stands_behind_its_original(record: Record, session: str) -> None:
    add(record, *"abc")
    plan.change_planned_agent(record, session, 2, scope="one", model="opus", waits_for=[1])
    plan.change_planned_agent(record, session, 3, waits_for=[2])
    copy = plan.duplicate_planned_agent(record, session, 2)
    assert (copy.position, copy.agent_type, copy.scope, copy.model) == (3, "b", "one", "opus")
    assert order(record) == ["a", "b", "b", "c"]
    assert plan.list_waits(record, session) == {1: [], 2: [1], 3: [1], 4: [2]}


def test_an_agent_is_planned_at_a_place_that_is_there(record: Record, session: str) -> None:
    add(record, *"ab")
    plan.add_planned_agent(record, session, "first", position=1, waits_for=[2])
    assert order(record) == ["first", "a", "b"]
    assert plan.list_waits(record, session)[1] == [3]
    for position in (0, 5):
        with pytest.raises(NotFoundError):
            plan.add_planned_agent(record, session, "nowhere", position=position)
    assert len(order(record)) == 3


def as_it_is(record: Record) -> list[object]:
    described = [
        (a.uid, a.agent_type, a.scope, a.model, a.bundle_id)
        for a in plan.list_planned_agents(record, "s")
    ]
    return [described, plan.list_waits(record, "s")]


@pytest.mark.slow
@given(st.lists(st.integers(0, 6), max_size=14), st.randoms(use_true_random=False))
@settings(max_examples=COUNTS.histories)
def test_undo_goes_back_through_every_change(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], chance: random.Random
) -> None:
    """Changes and undos in any order: each undo gives the plan as it was, to the beginning."""
    with Record(tmp_path_factory.mktemp("plan") / "e.db") as record, record.write():
        init_session(record, "plan it", project="/p", session_id="s")
        before: list[list[object]] = []
        for step in steps:
            last = len(plan.list_planned_agents(record, "s"))
            now, entries = as_it_is(record), len(journal.list_journal(record))
            position, other = (chance.randint(1, last or 1) for _ in range(2))
            if step == 6 and before:
                plan.undo_plan_change(record, "s")
                assert as_it_is(record) == before.pop()
                continue
            if step <= 1 or not last:
                plan.add_planned_agent(
                    record, "s", chance.choice("xyz"), waits_for=[position] if last else []
                )
            elif step == 2:
                plan.move_planned_agent(record, "s", position, other)
            elif step == 3:
                plan.remove_planned_agent(record, "s", position)
            elif step == 4:
                plan.duplicate_planned_agent(record, "s", position)
            else:
                free = (
                    [other] if other < position and position not in reached(record, other) else []
                )
                plan.change_planned_agent(
                    record, "s", position, scope=chance.choice("ab"), waits_for=free
                )
            if len(journal.list_journal(record)) > entries:
                before.append(now)
        while before:
            plan.undo_plan_change(record, "s")
            assert as_it_is(record) == before.pop()
        with pytest.raises(OrchError, match="no change to undo"):
            plan.undo_plan_change(record, "s")


def reached(record: Record, position: int) -> set[int]:
    """The positions that one waits for, also through others."""
    waiting, seen, left = plan.list_waits(record, "s"), set[int](), [position]
    while left:
        left += (new := set(waiting[left.pop()]) - seen)
        seen |= new
    return seen


def test_undo_says_what_it_took_back_and_is_journaled(record: Record, session: str) -> None:
    add(record, *"ab")
    plan.change_planned_agent(record, session, 2, model="opus", waits_for=[1])
    plan.move_planned_agent(record, session, 1, 2)
    plan.remove_planned_agent(record, session, 1)
    told = [plan.describe_plan_change(plan.undo_plan_change(record, session)) for _ in range(5)]
    assert told == [
        "removed 1 b",
        "moved 1 to 2",
        "changed model, waits_for of 2 b",
        "added 2 b",
        "added 1 a",
    ]
    last = journal.list_journal(record)[-1]
    assert (last.action, last.before["agent_type"], last.after) == ("undo-plan", "a", None)
    assert order(record) == []


def test_undo_leaves_alone_what_raw_sql_changed(record: Record, session: str) -> None:
    plan.add_planned_agent(record, session, "tester", scope="one")
    plan.change_planned_agent(record, session, 1, scope="two")
    record.execute("UPDATE planned_agents SET scope = 'by hand'")
    with pytest.raises(ConflictError, match="changed scope of 1 tester"):
        plan.undo_plan_change(record, session)
    assert plan.get_planned_agent(record, session, 1).scope == "by hand"


def test_undo_keeps_to_its_session(record: Record, session: str) -> None:
    add(record, "a")
    init_session(record, "another", project="/p", session_id="t")
    with pytest.raises(OrchError, match="no change"):
        plan.undo_plan_change(record, "t")
    assert order(record) == ["a"]
