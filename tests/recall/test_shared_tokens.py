"""Tokens that sharing moved out of bundles."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.prepare.briefing_size import measure_briefing
from orch_tui.prepare.dedup import find_duplicates, remove_duplicates
from orch_tui.recall.insights import gather_insights
from orch_tui.recall.insights.group_outcomes import ChosenRuns
from orch_tui.recall.insights.shared_tokens import sum_shared_tokens
from orch_tui.record.bundles import save_bundle
from orch_tui.record.sharing import save_shared
from tests.recall.runs import make_bundle, make_item, open_session, run_agent


def test_shared_tokens_are_kept_apart(record: Record) -> None:
    session = open_session(record)
    shared = make_item("constitution.md", "shared_context", 500)
    run_agent(record, session, "completed", bundle=make_bundle("b1", shared, make_item("a.py")))
    run_agent(record, session, "completed", bundle=make_bundle("b2", shared))
    run_agent(record, session, "completed", bundle=make_bundle("b3", make_item("b.py")))
    row = gather_insights(record).parts()["sharing"][0]
    assert (row["of"], row["n"], row["n_unknown"]) == ("all", 3, 0)
    assert row["moved_to_shared_tokens"] == 1000
    assert row["shared_document_tokens"] == 500
    assert row["estimator"] == "o200k_base"


def test_what_agents_are_handed_is_compared_with_what_it_was(record: Record) -> None:
    session = open_session(record)
    law, own = make_item("law.md", tokens=500), make_item("own.md", tokens=100)
    given = [make_bundle(name, law, own if name == "b1" else law) for name in ("b1", "b2")]
    before = [save_bundle(record, measure_briefing(b, "v4.8"), session).bundle for b in given]
    run_agent(record, session, "completed", context_token_count=70)
    run_agent(record, session, "completed")
    after = remove_duplicates(
        find_duplicates(before), before, document="d.md", family_of=lambda model: "v4.8"
    )
    made = save_shared(record, before, after, document="d.md")
    for bundle in made:
        run_agent(record, session, "completed", bundle=bundle)
    first, of_session, of_day = gather_insights(record).parts()["sharing"]
    saved = sum(b.total.tokens for b in before) - sum(b.total.tokens for b in made)
    handed = record.value("SELECT sum(context_token_count) FROM agent_executions")
    assert (first["n"], first["n_unknown"], first["n_shared"]) == (3, 1, 2)
    assert first["tokens_after"] == round(handed / 3)
    assert first["tokens_before"] == round((handed + saved) / 3)
    assert first["saved_share"] == round(1 - handed / (handed + saved), 3) > 0.1
    assert (of_session["of"], of_session["name"]) == ("session", session)
    assert of_day["of"] == "day"
    for row in (of_session, of_day):
        assert row["tokens_before"] == first["tokens_before"]


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
    row = sum_shared_tokens(ChosenRuns(record, "1", []), 2, record).rows()[0]
    assert (row["moved_to_shared_tokens"], row["shared_document_tokens"]) == (20, 20)
    assert row["estimator"] == "mixed"


def test_without_recorded_context_nothing_is_known(record: Record) -> None:
    sharing = sum_shared_tokens(ChosenRuns(record, "1", []), 0, record)
    assert (sharing.moved_to_shared, sharing.shared_document) == (None, None)
    (row,) = sharing.rows()
    assert (row["n"], row["tokens_before"], row["estimator"]) == (0, None, None)
