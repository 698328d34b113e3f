"""Runs with one source beside those without it."""

from __future__ import annotations

import pytest

from orch_tui.models.database import Record
from orch_tui.recall.insights import gather_insights
from orch_tui.recall.insights.context_effects import ContextEffect, compare_context_sources
from orch_tui.recall.insights.group_outcomes import GroupOutcome
from tests.recall.runs import counts, make_bundle, make_item, open_session, run_agent


def test_the_difference_between_two_shares_as_published() -> None:
    """Newcombe 1998b, table II, method 10: 56/70 against 48/80."""
    effect = ContextEffect(GroupOutcome("a", 70, 56, 14, 0), GroupOutcome("a", 80, 48, 32, 0))
    assert effect.difference == pytest.approx(0.2)
    assert effect.interval == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert effect.evidence == pytest.approx(0.0524, abs=1e-4)


def test_by_bundle_and_by_every_file_given(record: Record) -> None:
    session = open_session(record)
    text, task = make_item("text:note"), make_item("task.md", "briefing")
    run_agent(record, session, "completed", bundle=make_bundle("b1", make_item("a.py"), text, task))
    run_agent(
        record,
        session,
        "failed",
        bundle=make_bundle("b2", make_item("a.py"), make_item("b.md", "reference")),
    )
    run_agent(record, session, None, "debugger")
    insights = gather_insights(record)
    assert counts(insights.by_bundle) == {
        "b1": (1, 1, 0, 0),
        "b2": (1, 0, 1, 0),
        None: (1, 0, 0, 1),
    }
    assert counts(insights.by_context_source) == {"a.py": (2, 1, 1, 0), "b.md": (1, 0, 1, 0)}


def test_what_was_not_included_was_not_given(record: Record) -> None:
    execution = run_agent(
        record, open_session(record), "completed", bundle=make_bundle("b", make_item("a.py"))
    )
    record.execute(
        "UPDATE context_allocations SET included_in_deployment = 0 WHERE execution_id = ?",
        [execution],
    )
    insights = gather_insights(record)
    assert not (insights.by_context_source or insights.context)


def test_which_context_went_with_success(record: Record) -> None:
    """``good.md`` with 6 of 6, without 0 of 6; ``a.py`` given to all; one run without context."""
    session = open_session(record)
    for number in range(12):
        good = [make_item("good.md")] if number % 2 else []
        once = [make_item("once.md")] if number == 1 else []
        bundle = make_bundle(f"b{number}", make_item("a.py"), *good, *once)
        run_agent(record, session, "completed" if number % 2 else "failed", bundle=bundle)
    run_agent(record, session, "completed", "no context")
    effects = {effect.given.name: effect for effect in gather_insights(record).context}
    assert list(effects) == ["good.md", "once.md", "a.py"]
    best = effects["good.md"]
    assert (best.given.n, best.given.share, best.others.n, best.others.share) == (6, 1.0, 6, 0.0)
    assert best.difference == 1.0 and best.evidence > 0
    assert effects["once.md"].evidence < 0  # one run proves nothing
    assert effects["a.py"].difference is None
    assert effects["a.py"].others.n == 0  # the run whose context is not recorded is no "without"


def test_without_returns_on_both_sides_nothing_can_be_told() -> None:
    effect = ContextEffect(GroupOutcome("a", 2, 2, 0, 0), GroupOutcome("a", 3, 0, 0, 3))
    assert (effect.difference, effect.interval, effect.evidence) == (None, None, float("-inf"))
    row = effect.row()
    assert (row["success_share"], row["success_share_without"]) == (1.0, None)
    assert row["difference_low"] is None


def test_what_harms_is_evidence_as_well() -> None:
    good = ContextEffect(GroupOutcome("a", 9, 9, 0, 0), GroupOutcome("a", 9, 0, 9, 0))
    bad = ContextEffect(GroupOutcome("a", 9, 0, 9, 0), GroupOutcome("a", 9, 9, 0, 0))
    assert good.evidence == pytest.approx(bad.evidence)
    assert good.evidence > 0.4 and bad.difference == -1.0


def test_others_are_what_is_left_of_those_whose_context_is_recorded() -> None:
    recorded = GroupOutcome(None, 10, 5, 3, 2)
    sources = [GroupOutcome("b", 4, 2, 1, 1), GroupOutcome("a", 4, 2, 1, 1)]
    first, second = compare_context_sources(sources, recorded)
    assert (first.given.name, second.given.name) == ("a", "b"), "equals stand by name"
    assert first.others == GroupOutcome("a", 6, 3, 2, 1)
