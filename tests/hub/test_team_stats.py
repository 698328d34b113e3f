"""The figures of a team are counted on its hub as those of one record are here."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from orch_tui.models.database import Record
from orch_tui.recall.insights import TEAM_PARTS, gather_parts
from orch_tui.record.opening import state_noted_changes
from tests.hub.pushed_runs import push_runs
from tests.hub.test_team_search import opened
from tests.search.rows import START, put, put_session

if TYPE_CHECKING:
    from tests.hub.conftest import Connect


def test_the_parts_are_those_that_are_offered() -> None:
    pytest.importorskip("psycopg", reason="the extra hub is not installed", exc_type=ImportError)
    from orch_tui.hub.team_stats import TeamInsights

    assert tuple(part.name for part in fields(TeamInsights)) == TEAM_PARTS


def test_a_hub_counts_as_the_record_does(record: Record, connect: Connect) -> None:
    from orch_tui.hub.team_stats import TeamRuns, gather_team_parts

    record.before_commit.remove(state_noted_changes)
    put_session(record)
    put_session(record, "orch-2026-11-02-001", archived_at=str(START))
    put(
        record,
        {"success": True, "cost_usd": 0.5, "input_tokens": 3, "output_tokens": 4, "model": "opus"},
        {"success": False, "agent_type": "b", "cost_usd": 0.25, "input_tokens": 1},
        {"status": "deployed", "agent_type": "b"},
        {"success": True, "session_id": "orch-2026-11-02-001"},
        {"success": True, "retracted_at": str(START)},
        {"success": True, "deployed_at": "2026-10-30T23:59:00.000Z"},
    )
    hub = opened(connect())
    push_runs(hub.connection, record)
    same = ("overall", "by_agent_type", "by_model", "over_time", "costs")
    for archived in (False, True):
        for every in ("day", "week"):
            runs = TeamRuns(include_archived=archived, every=every)
            here = gather_parts(record, same, include_archived=archived, every=every)
            assert gather_team_parts(hub, runs, same) == here
    some = gather_team_parts(hub, TeamRuns(agent_type="b"), ["overall"])["overall"]
    assert [row["n"] for row in some] == [2]
    assert gather_team_parts(hub, TeamRuns(projects=("elsewhere",)), ["by_person"]) == {
        "by_person": []
    }
