"""How runs ended, by group: waiting is unknown, a second attempt stays a second one."""

from __future__ import annotations

import pytest

from orch_tui.models.database import Record
from orch_tui.recall.insights import gather_insights
from orch_tui.recall.insights.group_outcomes import (
    GroupOutcome,
    find_median,
    sum_outcomes,
    wilson_interval,
)
from orch_tui.record import plan
from orch_tui.record.completion import record_completion
from tests.recall.runs import counts, make_bundle, make_item, open_session, run_agent


def test_waiting_is_neither_success_nor_failure(record: Record) -> None:
    session = open_session(record)
    for ending in ("completed", "completed", "failed", None, None, None):
        run_agent(record, session, ending, model="opus")
    run_agent(record, session, None, "debugger")
    insights = gather_insights(record)
    assert counts(insights.by_agent_type) == {
        "implementor": (6, 2, 1, 3),
        "debugger": (1, 0, 0, 1),
    }
    assert counts(insights.by_model) == {"opus": (6, 2, 1, 3), None: (1, 0, 0, 1)}
    assert counts((insights.overall,)) == {"all": (7, 2, 1, 4)}
    assert insights.overall.share == pytest.approx(2 / 3)
    (row,) = [r for r in insights.parts()["by_agent_type"] if r["agent_type"] == "debugger"]
    assert row["success_share"] is None and row["n"] == 1


def test_completed_without_success_is_a_failure(record: Record) -> None:
    execution = run_agent(record, open_session(record), None)
    record_completion(record, execution, final_message="Done.", status="completed", success=False)
    assert counts((gather_insights(record).overall,)) == {"all": (1, 0, 1, 0)}


def test_intervals_as_published() -> None:
    assert wilson_interval(0, 0) is None
    assert wilson_interval(81, 263) == pytest.approx(
        (0.2553, 0.3662), abs=1e-4
    )  # Newcombe 1998a, table I
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_attempts_of_a_plan_and_of_a_bundle(record: Record) -> None:
    session, other = open_session(record), open_session(record)
    plan.add_planned_agent(record, session, "planned", scope="one")
    run_agent(record, session, "failed", "planned", planned=1)
    run_agent(record, session, "failed", "planned", planned=1)
    run_agent(record, session, "completed", "planned", planned=1)
    for each, ending in ((session, "failed"), (session, "completed"), (other, "completed")):
        run_agent(record, each, ending, bundle=make_bundle("b", make_item("a.py")))
    run_agent(record, session, None, "loose")
    assert counts(gather_insights(record).by_attempt) == {
        1: (3, 1, 2, 0),
        2: (2, 1, 1, 0),
        3: (1, 1, 0, 0),
        None: (1, 0, 0, 1),
    }


def test_a_filter_does_not_make_a_second_attempt_a_first(record: Record) -> None:
    session = open_session(record)
    plan.add_planned_agent(record, session, "planned")
    run_agent(
        record, session, "failed", "planned", planned=1, deployed_at="2026-11-01T09:00:00.000Z"
    )
    run_agent(record, session, "completed", "planned", planned=1)
    assert counts(gather_insights(record, since="2026-11-20").by_attempt) == {2: (1, 1, 0, 0)}


def test_over_time_by_day_and_week(record: Record) -> None:
    session = open_session(record)
    for day in ("2026-11-15", "2026-11-16", "2026-11-22", "2026-11-22"):  # 16 is a Monday
        run_agent(record, session, "completed", deployed_at=f"{day}T09:00:00.000Z")
    assert [(o.name, o.n) for o in gather_insights(record).over_time] == [
        ("2026-11-15", 1),
        ("2026-11-16", 1),
        ("2026-11-22", 2),
    ]
    weeks = gather_insights(record, every="week").over_time
    assert [(o.name, o.n) for o in weeks] == [("2026-11-09", 1), ("2026-11-16", 3)]


def test_a_run_in_doubt_is_no_success_and_no_failure(record: Record) -> None:
    session = open_session(record)
    for doubt in (None, "cut off: it reached the limit of its output"):
        label = run_agent(record, session, "completed")
        with record.write():
            record.execute(
                "UPDATE agent_executions SET unverified = ? WHERE execution_id = ?", [doubt, label]
            )
    ((_, outcome),) = counts(gather_insights(record).by_agent_type).items()
    assert outcome == (2, 1, 0, 1)


def test_a_share_is_of_those_that_returned() -> None:
    assert GroupOutcome("a", 5, 1, 3, 1).share == 0.25
    waiting = GroupOutcome("a", 2, 0, 0, 2)
    assert (waiting.share, waiting.interval) == (None, None)
    assert waiting.row("group") == {
        "group": "a",
        "n": 2,
        "success": 0,
        "failure": 0,
        "unknown": 2,
        "success_share": None,
        "share_low": None,
        "share_high": None,
    }
    row = GroupOutcome("a", 3, 2, 1, 0).row("group")
    assert (row["success_share"], row["share_low"], row["share_high"]) == (0.667, 0.208, 0.939)


def test_outcomes_add_up_column_by_column() -> None:
    parts = [GroupOutcome("a", 6, 3, 2, 1), GroupOutcome("b", 40, 10, 20, 10)]
    assert sum_outcomes("all", parts) == GroupOutcome("all", 46, 13, 22, 11)
    assert sum_outcomes(None, []) == GroupOutcome(None, 0, 0, 0, 0)


def test_a_median_lies_in_the_middle() -> None:
    assert find_median([3.0]) == 3
    assert find_median([9, 1, 5]) == 5
    assert find_median([9, 1, 5, 2]) == 3.5
