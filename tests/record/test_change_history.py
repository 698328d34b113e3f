"""Taking back and doing again what was changed of a session and its plan, on a real record."""

from __future__ import annotations

import random
from typing import Any

import pytest

from orch_tui.errors import ConflictError, OrchError
from orch_tui.models.database import Record
from orch_tui.record import plan, sessions
from orch_tui.record.change_history import (
    describe_change,
    make_changes,
    redo_change,
    redo_changes,
    undo_change,
    undo_changes,
)
from orch_tui.record.ledger import journal


@pytest.fixture
def session(record: Record) -> str:
    return sessions.init_session(record, "one", project="/p", session_id="s").session_id


def as_it_is(record: Record) -> tuple[Any, ...]:
    held = sessions.get_session(record, "s")
    return (
        *(held.scope, held.phase, held.status, bool(held.completed_at), bool(held.archived_at)),
        sessions.read_limits(record, "s"),
        [(a.uid, a.position, a.agent_type, a.scope) for a in plan.list_planned_agents(record, "s")],
        plan.list_waits(record, "s"),
    )


def change(record: Record, chance: random.Random) -> None:
    planned = len(plan.list_planned_agents(record, "s"))
    position = chance.randint(1, planned) if planned else 0
    match chance.choice(["phase", "scope", "budget", "archive", "add", "add", "remove", "move"]):
        case "phase":
            sessions.set_phase(record, "s", chance.randint(1, 5))
        case "scope":
            sessions.change_session(record, "s", scope=chance.choice(["one", "two"]))
        case "budget":
            sessions.change_session(record, "s", budget=chance.choice([None, 5_000, 6_000]))
        case "archive":
            held = sessions.get_session(record, "s")
            sessions.archive_session(record, "s", archived=not held.archived_at)
        case "add":
            waits = [position] if position else []
            plan.add_planned_agent(record, "s", "tester", waits_for=waits)
        case "remove" if planned:
            plan.remove_planned_agent(record, "s", position)
        case "move" if planned:
            plan.move_planned_agent(record, "s", position, chance.randint(1, planned))


@pytest.mark.parametrize("seed", range(4))
def test_all_is_taken_back_and_done_again_step_by_step(
    record: Record, session: str, seed: int
) -> None:
    chance = random.Random(seed)
    states = [as_it_is(record)]
    for _ in range(25):
        entries = len(journal.list_journal(record))
        change(record, chance)
        if len(journal.list_journal(record)) > entries:
            states.append(as_it_is(record))
    for _ in range(2):
        for state in reversed(states[:-1]):
            undo_change(record, session)
            assert as_it_is(record) == state
        with pytest.raises(OrchError, match="no change to undo"):
            undo_change(record, session)
        for state in states[1:]:
            redo_change(record, session)
            assert as_it_is(record) == state
        with pytest.raises(OrchError, match="nothing to do again"):
            redo_change(record, session)


def test_a_move_to_a_phase_is_taken_back_before_what_was_planned(
    record: Record, session: str
) -> None:
    plan.add_planned_agent(record, session, "tester")
    sessions.set_phase(record, session, 3)
    sessions.complete_session(record, session)
    told = [describe_change(undo_change(record, session)) for _ in range(3)]
    assert told == ["closed it as completed", "moved to phase 3 execute", "added 1 tester"]
    assert as_it_is(record)[1:5] == (1, "planning", False, False)


def test_a_change_ends_what_can_be_done_again(record: Record, session: str) -> None:
    sessions.set_phase(record, session, 2)
    undo_change(record, session)
    plan.add_planned_agent(record, session, "tester")
    with pytest.raises(OrchError, match="nothing to do again"):
        redo_change(record, session)


def test_the_plan_alone_can_be_taken_back_past_a_phase(record: Record, session: str) -> None:
    plan.add_planned_agent(record, session, "tester")
    sessions.set_phase(record, session, 2)
    assert plan.undo_plan_change(record, session).action == "plan"
    assert describe_change(undo_change(record, session)) == "moved to phase 2 plan"


def test_what_somebody_else_changed_since_is_left_alone(record: Record, session: str) -> None:
    sessions.set_phase(record, session, 4)
    record.execute("UPDATE sessions SET phase = 5")
    with pytest.raises(ConflictError, match="moved to phase 4 validate"):
        undo_change(record, session)
    assert sessions.get_session(record, session).phase == 5


def archive(record: Record, *, archived: bool = True) -> None:
    sessions.archive_session(record, "s", archived=archived)


def test_a_change_is_taken_back_though_others_came_after_it(record: Record, session: str) -> None:
    before = as_it_is(record)
    _, archived = make_changes(record, archive)
    sessions.set_phase(record, session, 2)
    plan.add_planned_agent(record, session, "tester")
    assert undo_changes(record, archived) == "archived it"
    assert not sessions.get_session(record, session).archived_at
    assert undo_changes(record, archived) == ""
    assert redo_changes(record, archived) == "archived it"
    assert sessions.get_session(record, session).archived_at
    undo_changes(record, archived)
    told = [describe_change(undo_change(record, session)) for _ in range(2)]
    assert told == ["added 1 tester", "moved to phase 2 plan"]
    assert as_it_is(record) == before


def test_a_change_stays_while_a_later_one_stands_on_it(record: Record, session: str) -> None:
    _, archived = make_changes(record, archive)
    archive(record, archived=False)
    archive(record)
    with pytest.raises(ConflictError, match=r"archived it: .* stands on that \(showed it again\)"):
        undo_changes(record, archived)
    undo_change(record, session)
    undo_change(record, session)
    assert undo_changes(record, archived) == "archived it"
    sessions.set_phase(record, session, 2)
    with pytest.raises(ConflictError, match="changed since"):
        redo_changes(record, archived)


def test_several_changes_at_once_are_taken_back_all_or_none(record: Record, session: str) -> None:
    before = as_it_is(record)

    def several(record: Record) -> None:
        sessions.change_session(record, session, scope="two", budget=9_000)
        plan.add_planned_agent(record, session, "tester")

    _, made = make_changes(record, several)
    after = as_it_is(record)
    assert undo_changes(record, made).endswith("added 1 tester")
    assert as_it_is(record) == before
    redo_changes(record, made)
    assert as_it_is(record) == after
    sessions.change_session(record, session, scope="three")
    with pytest.raises(ConflictError, match="stands on that"):
        undo_changes(record, made)
    assert [agent.agent_type for agent in plan.list_planned_agents(record, session)] == ["tester"]
