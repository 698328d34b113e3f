"""Sessions of Claude Code: made once, ended when that was said or nothing was heard for a day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orch_tui.errors import NotFoundError
from orch_tui.models.database import Record
from orch_tui.record.claude_sessions import (
    end_silent_sessions,
    ensure_claude_session,
    note_session_end,
    presume_gone,
    presume_silent_gone,
    refresh_session,
)
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.statement import Noted, Returned
from orch_tui.record.session_choice import choose_session
from orch_tui.record.sessions import get_session
from tests.conftest import FakeClock

T1, T2, T3 = (f"2026-11-22T09:00:0{second}.000Z" for second in (1, 2, 3))


def test_a_session_of_claude_code_is_made_once_with_its_earliest_start(
    record: Record,
) -> None:
    with record.write():
        made = [
            ensure_claude_session(record, name, project="/p", started_at=at)
            for name, at in [
                ("258c7280-ae70", "2026-11-22T10:00:00.000Z"),
                ("258c7280-ae70", "2026-11-22T09:00:00.000Z"),
                ("258c7280-ae70", "2026-11-22T09:30:00.000Z"),
                ("258c7280-ffff", "2026-11-22T11:00:00.000Z"),
            ]
        ]
    assert made == [*["claude-258c7280"] * 3, "claude-258c7280-ffff"]
    held = get_session(record, "claude-258c7280")
    assert (held.created_at, held.phase) == ("2026-11-22T09:00:00.000Z", None)
    with pytest.raises(NotFoundError):  # what nobody opened is nobody's current session
        choose_session(record, "/p")


def hear(record: Record, at: str, key: str = "tool:T", source: str = "hook", **more: Any) -> str:
    """Something is heard of a run of session C; gives the run."""
    noted = Noted(agent_type="Explore", ran_in="C", deployed_at=at)
    given = {"statement": noted, "claude_session": "C", "project": "/p", **more}
    label = ingest_statement(record, Report([key], source=source, at=at, **given))
    assert label is not None
    return label


def state(record: Record) -> tuple[str | None, str | None]:
    held = get_session(record, "claude-C")
    return held.status, held.completed_at


def end(record: Record, at: str) -> tuple[str | None, str | None]:
    with record.write():
        note_session_end(record, "C", at)
    return state(record)


def test_a_session_ends_when_that_was_said_and_nothing_was_heard_later(record: Record) -> None:
    hear(record, T2)
    assert state(record) == ("executing", None)
    assert end(record, T1) == ("executing", None)
    assert end(record, T2) == ("completed", T2)
    assert end(record, T1) == ("completed", T2), "the latest end counts"
    hear(record, T3)
    with record.write():
        refresh_session(record, "C")
        refresh_session(record, "nobody")
    assert state(record) == ("executing", None)
    assert end(record, T3) == ("completed", T3)


def test_what_people_say_of_a_run_does_not_wake_its_session(record: Record) -> None:
    hear(record, T1)
    end(record, T2)
    hear(record, T3, source="manual")
    with record.write():
        refresh_session(record, "C")
    assert state(record) == ("completed", T2)


@pytest.mark.parametrize(
    ("now", "status"),
    [("2026-11-23T08:59:59", "executing"), ("2026-11-23T09:00:00", "completed")],
)
def test_a_session_that_is_silent_for_a_day_has_ended(
    record: Record, clock: FakeClock, now: str, status: str
) -> None:
    hear(record, T1)
    clock.now = datetime.fromisoformat(now).replace(tzinfo=UTC)  # two seconds before the second
    end_silent_sessions(record, "another")
    assert state(record) == ("executing", None)
    end_silent_sessions(record)
    assert state(record) == (status, T1 if status == "completed" else None)


def status_of(record: Record, label: str) -> tuple[Any, ...]:
    return record.sql(
        "SELECT status, error_message, completed_at FROM agent_executions WHERE execution_id = ?",
        [label],
    )[0]


def test_what_did_not_come_back_before_its_session_ended_is_gone(record: Record) -> None:
    lost, back, later = (hear(record, at, f"tool:{at}") for at in (T1, T2, T3))
    done = Returned(status="completed", completed_at=T2)
    hear(record, T2, f"tool:{T2}", statement=done)
    with record.write():
        presume_gone(record, "other", "exit", T3)
        presume_gone(record, "C", "exit", T2)
    reason = "its Claude Code session ended (exit) before it returned"
    assert status_of(record, lost)[:2] == ("failed", reason)
    assert status_of(record, back)[:2] == ("completed", None)
    assert status_of(record, later)[0] == "deployed"
    hear(record, T3, f"tool:{T1}", statement=Returned(status="completed", completed_at=T3))
    assert status_of(record, lost)[:2] == ("completed", None), "who saw it return is believed"


def test_a_transcript_alone_may_break_off_in_the_middle(record: Record, clock: FakeClock) -> None:
    heard, read = hear(record, T1), hear(record, T1, "tool:U", source="import")
    presume_silent_gone(record)
    assert {status_of(record, label)[0] for label in (heard, read)} == {"deployed"}
    clock.now = datetime(2026, 11, 23, 9, 0, 2, tzinfo=UTC)
    presume_silent_gone(record)
    assert status_of(record, heard)[0] == "failed"
    assert "nothing was heard of it any more" in status_of(record, heard)[1]
    assert status_of(record, read)[0] == "deployed"
