"""What happened lately: bounded, by kind, with what is unknown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from orch_tui import api
from orch_tui.models.database import Record, timestamp
from orch_tui.recall.activity import BUCKETS, gather_activity
from orch_tui.record.sessions import archive_session
from tests.conftest import FakeClock
from tests.recall.runs import open_session, run_agent


def test_an_empty_record_has_nothing_to_tell(record: Record) -> None:
    found = gather_activity(record)
    assert (found.n, found.waiting.n, found.buckets, found.sessions, found.doubts) == (
        *(0, 0),
        *((), (), ()),
    )


def test_runs_are_told_by_what_became_of_them(record: Record, clock: FakeClock) -> None:
    session = open_session(record)
    run_agent(record, session, "failed", "tester")
    clock.now += timedelta(hours=1)
    since = timestamp(clock.now)
    clock.now += timedelta(hours=1)
    run_agent(record, session, "failed", "tester")
    run_agent(record, session, agent_type="reviewer")
    run_agent(record, session, None, "writer")
    found = gather_activity(record, since)
    assert (found.failed.n, found.returned.n, found.waiting.n) == (1, 1, 1)
    assert found.waiting.runs[0].agent_type == "writer"
    assert [(a.name, a.share) for a in found.agents] == [
        ("tester", 0.0),
        ("reviewer", 1.0),
        ("writer", None),
    ]
    today = found.buckets[-1]
    assert (len(found.buckets), today.n, today.failure, today.unknown) == (BUCKETS, 4, 2, 1)
    assert [each.session_id for each in found.sessions] == [session]
    archive_session(record, session)
    assert gather_activity(record, since).n == 0


def test_days_end_with_the_newest_run_where_that_was_long_ago(
    record: Record, clock: FakeClock
) -> None:
    session = open_session(record)
    run_agent(record, session, agent_type="tester")
    day = clock.now.astimezone().date().isoformat()
    clock.now += timedelta(days=90)
    buckets = gather_activity(record).buckets
    assert (buckets[-1].since, buckets[-1].n) == (day, 1)
    weeks = gather_activity(record, every="week").buckets
    assert (len(weeks), sum(week.n for week in weeks)) == (BUCKETS, 1)


def test_who_waits_for_long_is_in_doubt_and_can_be_found(record: Record, clock: FakeClock) -> None:
    session = open_session(record)
    run_agent(record, session, None, "tester")
    assert gather_activity(record).doubts == ()
    clock.now += timedelta(days=2)
    (doubt,) = gather_activity(record).doubts
    assert (doubt.n, doubt.query.partition(" ")[0]) == (1, "status:waiting")


def test_python_can_ask_for_it(tmp_path: Path) -> None:
    (tmp_path / ".claude").mkdir()
    with api.OrchestrationSession("find the bug", project=tmp_path) as session:
        session.init_deployment("tester").record_completion("", status="failed")
        session.init_deployment("tester")
    told = api.activity(since="2h", project=tmp_path)
    assert (told.n, told.failed.n, told.waiting.n) == (2, 1, 1)
    assert api.activity(every="week", project=tmp_path).buckets[-1].failure == 1
