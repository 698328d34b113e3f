"""Tokens that sharing moved out of bundles."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.recall.insights import gather_insights
from orch_tui.recall.insights.group_outcomes import ChosenRuns
from orch_tui.recall.insights.shared_tokens import sum_shared_tokens
from tests.recall.runs import make_bundle, make_item, open_session, run_agent


def test_shared_tokens_are_kept_apart(record: Record) -> None:
    session = open_session(record)
    shared = make_item("constitution.md", "shared_context", 500)
    run_agent(record, session, "completed", bundle=make_bundle("b1", shared, make_item("a.py")))
    run_agent(record, session, "completed", bundle=make_bundle("b2", shared))
    run_agent(record, session, "completed", bundle=make_bundle("b3", make_item("b.py")))
    (row,) = gather_insights(record).parts()["sharing"]
    assert row == {
        "n": 3,
        "n_shared": 2,
        "moved_to_shared_tokens": 1000,
        "shared_document_tokens": 500,
        "estimator": "o200k_base",
    }


def test_nothing_shared_is_a_measured_zero(record: Record) -> None:
    run_agent(record, open_session(record), "completed", bundle=make_bundle("b", make_item("a.py")))
    sharing = gather_insights(record).sharing
    assert sharing.moved_to_shared is not None and sharing.moved_to_shared.tokens == 0


def test_estimators_that_differ_are_not_named_as_one(record: Record) -> None:
    session = open_session(record)
    for number in range(2):
        shared = make_item(f"{number}.md", "shared_context", 10)
        run_agent(record, session, "completed", bundle=make_bundle(f"b{number}", shared))
    record.execute(
        "UPDATE context_allocations SET estimator = 'other' WHERE context_source = '1.md'"
    )
    row = sum_shared_tokens(ChosenRuns(record, "1", []), 2).row()
    assert (row["moved_to_shared_tokens"], row["shared_document_tokens"]) == (20, 20)
    assert row["estimator"] == "mixed"


def test_without_recorded_context_nothing_is_known(record: Record) -> None:
    sharing = sum_shared_tokens(ChosenRuns(record, "1", []), 0)
    assert (sharing.n, sharing.moved_to_shared, sharing.shared_document) == (0, None, None)
    assert sharing.row()["estimator"] is None
