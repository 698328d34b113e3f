"""Sessions: opening, repeating, moving through the phases, closing, archiving."""

from __future__ import annotations

from typing import Any

import pytest

from orch_tui.errors import ConflictError, NotFoundError, UsageError
from orch_tui.models.database import Record
from orch_tui.record.ledger import journal
from orch_tui.record.sessions import (
    archive_session,
    archive_sessions,
    complete_session,
    get_session,
    init_session,
    set_phase,
)
from tests.conftest import FakeClock


def open_session(record: Record, **options: Any) -> str:
    return init_session(record, "find the bug", project="/p", **options).session_id


def test_a_session_gets_the_next_label_of_the_day(record: Record) -> None:
    assert open_session(record) == "orch-2026-11-22-001"
    open_session(record, session_id="orch-2026-11-22-002")  # taken by hand
    assert open_session(record) == "orch-2026-11-22-003"


def test_a_new_session_is_planning_in_phase_one(record: Record) -> None:
    session = init_session(
        record, "scope", project="/p", metadata={"ticket": [1, "ü"]}, budget=50_000
    )
    assert (session.phase, session.status, session.project) == (1, "planning", "/p")
    assert (session.metadata, session.budget) == ({"ticket": [1, "ü"]}, 50_000)
    assert session.created_at == "2026-11-22T10:00:02.000Z"
    assert get_session(record, session.session_id) == session


def test_the_same_call_again_gives_the_same_session(record: Record) -> None:
    one = init_session(record, "x", project="/p", session_id="s", metadata={"a": 1})
    assert init_session(record, "x", project="/p", session_id="s", metadata={"a": 1}) == one
    assert init_session(record, "x", project="/p", session_id="s") == one
    assert len(journal.list_journal(record)) == 1


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"scope": "y"}, "scope is 'x', not 'y'"),
        ({"metadata": {"a": 2}}, "metadata is {'a': 1}, not {'a': 2}"),
        ({"budget": 7}, "budget is None, not 7"),
    ],
)
def test_the_same_id_with_other_content_is_refused(
    record: Record, change: dict[str, Any], difference: str
) -> None:
    held = init_session(record, "x", project="/p", session_id="s", metadata={"a": 1})
    given = dict[str, Any](scope="x", metadata={"a": 1}) | change
    with pytest.raises(ConflictError) as caught:
        init_session(record, given.pop("scope"), project="/p", session_id="s", **given)
    assert difference in caught.value.message
    assert get_session(record, "s") == held


@pytest.mark.parametrize("options", [{"scope": " \n"}, {"budget": 0}, {"budget": -1}])
def test_nonsense_is_refused(record: Record, options: dict[str, Any]) -> None:
    given = dict[str, Any](scope="x", project="/p") | options
    with pytest.raises(UsageError):
        init_session(record, **given)
    assert record.value("SELECT count(*) FROM sessions") == 0


def test_an_unknown_session_comes_with_the_nearest(record: Record) -> None:
    open_session(record)
    with pytest.raises(NotFoundError) as caught:
        get_session(record, "orch-2026-11-22-0001")
    assert "orch-2026-11-22-001" in caught.value.hint


# Phases


def test_phases_move_the_session_on(record: Record) -> None:
    session_id = open_session(record)
    assert set_phase(record, session_id, 2)[0].status == "planning"
    session, _ = set_phase(record, session_id, 3)
    assert (session.phase, session.status) == (3, "executing")


@pytest.mark.parametrize("phase", [0, 6, -1])
def test_there_are_five_phases(record: Record, phase: int) -> None:
    session_id = open_session(record)
    with pytest.raises(UsageError, match=f"no phase {phase}"):
        set_phase(record, session_id, phase)


def test_skipped_gates_are_told_and_recorded(record: Record) -> None:
    session_id = open_session(record)
    _, skipped = set_phase(record, session_id, 3)
    assert [(gate.phase, gate.name) for gate in skipped] == [(1, "validated"), (2, "planned")]
    entry = journal.list_journal(record, session_id=session_id)[-1]
    assert entry.action == "set-phase"
    assert (entry.before["phase"], entry.after["phase"]) == (1, 3)
    assert [text.split(":")[0] for text in entry.after["skipped_gates"]] == ["validated", "planned"]


def test_going_back_skips_nothing(record: Record) -> None:
    session_id = open_session(record)
    set_phase(record, session_id, 4)
    session, skipped = set_phase(record, session_id, 2)
    assert (session.phase, skipped) == (2, ())


def test_the_same_phase_again_is_no_change(record: Record) -> None:
    session_id = open_session(record)
    set_phase(record, session_id, 2)
    before = len(journal.list_journal(record))
    assert set_phase(record, session_id, 2)[1] == ()
    assert len(journal.list_journal(record)) == before


# Endings


def test_closing(record: Record, clock: FakeClock) -> None:
    session_id = open_session(record)
    closed = complete_session(record, session_id)
    assert closed.status == "completed"
    assert closed.completed_at is not None
    assert complete_session(record, session_id) == closed  # again
    with pytest.raises(ConflictError, match="closed as completed"):
        complete_session(record, session_id, "failed")
    with pytest.raises(UsageError):
        complete_session(record, session_id, "executing")


def test_archiving_hides_and_keeps(record: Record) -> None:
    session_id = open_session(record)
    assert archive_session(record, session_id).archived_at
    assert archive_session(record, session_id, archived=False).archived_at is None
    actions = [entry.action for entry in journal.list_journal(record, session_id=session_id)]
    assert actions == ["init-session", "archive", "unarchive"]


def test_several_are_hidden_together_and_those_that_were_are_left_out(record: Record) -> None:
    one, other = open_session(record), open_session(record)
    archive_session(record, one)
    with pytest.raises(NotFoundError):
        archive_sessions(record, [other, "nobody"])
    assert archive_sessions(record, [one, other]) == [other]
    assert archive_sessions(record, [one, other], archived=False) == [one, other]


def test_the_journal_names_who_did_it(record: Record) -> None:
    record.actor = "somebody"
    open_session(record)
    (entry,) = journal.list_journal(record)
    assert (entry.actor, entry.action) == ("somebody", "init-session")
    assert entry.after == {"scope": "find the bug"}
