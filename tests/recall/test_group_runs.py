"""The runs behind a figure: as many as the figure counts, the newest first."""

from __future__ import annotations

import pytest

from orch_tui.errors import NotFoundError
from orch_tui.models.database import Record
from orch_tui.recall.insights import gather_insights
from orch_tui.recall.insights.group_runs import list_group_runs
from orch_tui.record import plan
from tests.recall.runs import make_bundle, make_item, open_session, run_agent


def test_each_group_lists_the_runs_that_it_counts(record: Record) -> None:
    session, other = open_session(record), open_session(record)
    first = run_agent(record, session, "failed", model="opus")
    second = run_agent(record, session, "completed", "debugger")
    third = run_agent(record, other, None, "debugger", model="opus")

    def labels(part: str, name: str | int | None, session_id: str | None = None) -> list[str]:
        return [
            run.execution_id for run in list_group_runs(record, part, name, session_id=session_id)
        ]

    assert labels("by_agent_type", "debugger") == [third, second]
    assert labels("by_agent_type", "debugger", session_id=session) == [second]
    assert labels("by_model", "opus") == [third, first]
    assert labels("by_model", None) == [second]
    assert labels("by_agent_type", "nobody") == []
    for group in gather_insights(record).by_agent_type:
        assert len(labels("by_agent_type", group.name)) == group.n
    (newest,) = list_group_runs(record, "by_model", None)
    assert (newest.agent_type, newest.status, newest.success) == ("debugger", "completed", True)
    (waiting, *_) = list_group_runs(record, "by_model", "opus")
    assert (waiting.status, waiting.success) == ("deployed", None)
    assert len(list_group_runs(record, "by_model", "opus", limit=1)) == 1


def test_bundles_and_attempts_list_theirs(record: Record) -> None:
    session = open_session(record)
    plan.add_planned_agent(record, session, "planned", scope="one")
    tried = [run_agent(record, session, "failed", "planned", planned=1) for _ in range(2)]
    given = run_agent(record, session, "completed", bundle=make_bundle("b", make_item("a.py")))
    (bundle,) = (group for group in gather_insights(record).by_bundle if group.name)
    assert [run.execution_id for run in list_group_runs(record, "by_bundle", bundle.name)] == [
        given
    ]
    for number, label in enumerate(tried, start=1):
        found = [run.execution_id for run in list_group_runs(record, "by_attempt", number)]
        assert label in found


def test_what_there_is_not_is_named(record: Record) -> None:
    open_session(record)
    with pytest.raises(NotFoundError):
        list_group_runs(record, "by_model", "opus", session_id="nope")
    with pytest.raises(KeyError):
        list_group_runs(record, "by_weather", "rain")
