"""The insights: every figure with its n, waiting is unknown, nothing is taken for a cause."""

from __future__ import annotations

from typing import Any

import pytest

from orch_tui.cli.stats_commands import stats
from orch_tui.errors import NotFoundError
from orch_tui.models.database import Record
from orch_tui.recall.insights import PARTS, TEAM_PARTS, Insights, gather_insights
from orch_tui.recall.insights.group_outcomes import GroupOutcome
from orch_tui.record.executions import retract_execution
from orch_tui.record.sessions import archive_session
from orch_tui.screens.insights.screen import PARTS as TITLES
from tests.recall.runs import make_bundle, make_item, open_session, run_agent


def test_the_parts_are_those_of_the_screen_and_of_the_command(record: Record) -> None:
    assert (*gather_insights(record).parts(),) == PARTS
    assert {*PARTS} - {"overall"} == {*TITLES} - {"overview"}
    (by,) = [action for action in stats()._actions if action.dest == "by"]
    both = dict.fromkeys((*PARTS, *TEAM_PARTS))
    assert by.choices == tuple(part.removeprefix("by_") for part in both)


def test_an_empty_record_has_no_figures(record: Record) -> None:
    insights = gather_insights(record)
    assert insights.overall == GroupOutcome("all", 0, 0, 0, 0)
    assert insights.overall.share is None
    assert not (insights.estimates or insights.validations or insights.worth)
    assert insights.parts()["sharing"][0]["moved_to_shared_tokens"] is None


def test_filters_archive_and_retraction(record: Record) -> None:
    here, there = open_session(record, "/here"), open_session(record, "/there")
    run_agent(record, here, "completed", deployed_at="2026-11-01T09:00:00.000Z")
    run_agent(record, there, "failed", "debugger")
    wrong = run_agent(record, there, "failed")
    retract_execution(record, wrong, "recorded by mistake")

    def n(**filters: Any) -> int:
        return gather_insights(record, **filters).overall.n

    assert (n(), n(project=("/here",)), n(session_id=there), n(agent_type="debugger")) == (
        2,
        1,
        1,
        1,
    )
    assert (n(since="2026-11-20"), n(until="2026-11-20")) == (1, 1)
    archive_session(record, here)
    assert (n(), n(include_archived=True), n(session_id=here)) == (1, 2, 1)
    with pytest.raises(NotFoundError):
        n(session_id="nowhere")


def test_every_part_counts_the_same_executions(record: Record) -> None:
    session = open_session(record)
    for number in range(9):
        run_agent(
            record,
            session,
            ("completed", "failed", None)[number % 3],
            ("implementor", "debugger")[number % 2],
            bundle=make_bundle(f"b{number % 4}", make_item("a.py")) if number % 4 else None,
            model=("sonnet", None)[number % 2],
        )
    insights: Insights = gather_insights(record)
    parts = insights.parts()
    for name in ("by_agent_type", "by_model", "by_bundle", "by_attempt", "over_time", "worth"):
        sums = {key: sum(row[key] for row in parts[name]) for key in ("n", "success", "unknown")}
        assert sums == {"n": 9, "success": 3, "unknown": 3}, name
