"""What was estimated beside what was read."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.recall.insights import gather_insights
from orch_tui.recall.insights.estimate_usage import compare_estimates
from orch_tui.recall.insights.group_outcomes import ChosenRuns
from tests.recall.runs import note_usage, open_session, run_agent


def test_estimates_beside_usage_only_where_usage_is_known(record: Record) -> None:
    session = open_session(record)
    runs = [run_agent(record, session, context_token_count=n) for n in (100, 200, 900)]
    assert gather_insights(record).estimates == ()
    for execution, fresh, cached in zip(runs, (10, 20, 30), (1000, 2000, 3000), strict=True):
        note_usage(
            record,
            execution,
            input_tokens=fresh,
            cache_write_tokens=5,
            cache_read_tokens=cached,
            output_tokens=7,
        )
    (estimate,) = gather_insights(record).estimates
    assert (estimate.n, estimate.estimator) == (3, "claimed")
    assert (estimate.estimated_tokens, estimate.input_and_cache_tokens) == (200, 2025)
    assert estimate.context_end_tokens is None


def test_medians_are_by_agent_type_and_estimator_the_most_runs_first(record: Record) -> None:
    session = open_session(record)
    for agent_type, estimated, read, end in (
        ("b", 100, 1000, None),
        ("b", 200, 3000, 500),
        ("a", 300, 5, 7),
        ("a", 400, None, 9),
    ):
        run = run_agent(record, session, "completed", agent_type, context_token_count=estimated)
        record.execute(
            "UPDATE agent_executions SET input_tokens = ?, context_end_tokens = ? "
            "WHERE execution_id = ?",
            [read, end, run],
        )
    found = compare_estimates(ChosenRuns(record, "1", []))
    assert [
        (e.agent_type, e.n, e.estimated_tokens, e.input_and_cache_tokens, e.context_end_tokens)
        for e in found
    ] == [("b", 2, 150, 2000, 500), ("a", 1, 300, 5, 7)]
