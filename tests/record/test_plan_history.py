"""Which changes stand and which were taken back, by the order of what the journal tells."""

from __future__ import annotations

import pytest

from orch_tui.models.database import Record
from orch_tui.record import plan
from orch_tui.record.change_history import redo_change, undo_change
from orch_tui.record.plan_history import read_changes
from orch_tui.record.sessions import init_session, set_phase

OF_SESSION = ("set-phase",)


@pytest.fixture
def session(record: Record) -> str:
    return init_session(record, "plan it", project="/p", session_id="s").session_id


def changes(record: Record) -> tuple[int, int]:
    stand, taken_back = read_changes(record, "s", OF_SESSION)
    assert not {*stand} & {*taken_back}
    return len(stand), len(taken_back)


def test_what_is_taken_back_can_be_done_again_until_something_is_changed(
    record: Record, session: str
) -> None:
    assert changes(record) == (0, 0)
    plan.add_planned_agent(record, session, "debugger")
    set_phase(record, session, 2)
    plan.add_planned_agent(record, session, "tester")
    assert changes(record) == (3, 0)
    undo_change(record, session)
    undo_change(record, session)
    assert changes(record) == (1, 2)
    redo_change(record, session)
    assert changes(record) == (2, 1)
    plan.add_planned_agent(record, session, "reviewer")
    assert changes(record) == (3, 0)


def test_the_last_to_be_taken_back_comes_last(record: Record, session: str) -> None:
    plan.add_planned_agent(record, session, "debugger")
    set_phase(record, session, 2)
    first, second = read_changes(record, session, OF_SESSION)[0]
    undo_change(record, session)
    undo_change(record, session)
    assert read_changes(record, session, OF_SESSION) == ([], [second, first])


def test_without_actions_of_the_session_only_its_plan_counts(record: Record, session: str) -> None:
    plan.add_planned_agent(record, session, "debugger")
    set_phase(record, session, 2)
    stand, _ = read_changes(record, session)
    assert stand == read_changes(record, session, OF_SESSION)[0][:1]
    plan.undo_plan_change(record, session)
    assert [len(found) for found in read_changes(record, session)] == [0, 1]
