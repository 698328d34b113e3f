"""The insights: every figure with its n, waiting is unknown, nothing is taken for a cause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orch_tui.cli.stats_commands import stats
from orch_tui.errors import NotFoundError
from orch_tui.models.database import Record
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.count import Count
from orch_tui.recall.insights import PARTS, Insights, gather_insights
from orch_tui.recall.insights.context_effects import ContextEffect
from orch_tui.recall.insights.group_outcomes import GroupOutcome, wilson_interval
from orch_tui.record import plan
from orch_tui.record.completion import record_completion
from orch_tui.record.executions import retract_execution
from orch_tui.record.outputs import collect_outputs
from orch_tui.record.sessions import archive_session, init_session
from orch_tui.screens.insights import PARTS as TITLES
from tests.recall.runs import run_agent
from tests.record.reporting import report


def _session(record: Record, project: Path | str = "/p") -> str:
    return init_session(record, "a scope", project=str(project)).session_id


def _item(source: str, type_: str = "file", tokens: int = 100) -> ContextItem:
    count = Count(tokens, "o200k_base", tokens - 1, tokens + 1)
    return ContextItem(type_, source, "required", (), source.encode(), count)


def _bundle(bundle_id: str, *items: ContextItem) -> Bundle:
    return Bundle(bundle_id, "implementor", "a scope", items, "sonnet", "2026-11-22T10:00:00.000Z")


def _counts(outcomes: tuple[GroupOutcome, ...]) -> dict[Any, tuple[int, int, int, int]]:
    return {o.name: (o.n, o.success, o.failure, o.unknown) for o in outcomes}


def test_the_parts_are_those_of_the_screen_and_of_the_command(record: Record) -> None:
    assert PARTS == (*gather_insights(record).parts(),) == (*TITLES,)
    (by,) = [action for action in stats()._actions if action.dest == "by"]
    assert by.choices == tuple(part.removeprefix("by_") for part in PARTS)


def test_an_empty_record_has_no_figures(record: Record) -> None:
    insights = gather_insights(record)
    assert insights.overall == GroupOutcome("all", 0, 0, 0, 0)
    assert insights.overall.share is None
    assert not (insights.estimates or insights.validations or insights.worth)
    assert insights.parts()["sharing"][0]["moved_to_shared_tokens"] is None


def test_waiting_is_neither_success_nor_failure(record: Record) -> None:
    session = _session(record)
    for ending in ("completed", "completed", "failed", None, None, None):
        run_agent(record, session, ending, model="opus")
    run_agent(record, session, None, "debugger")
    insights = gather_insights(record)
    assert _counts(insights.by_agent_type) == {
        "implementor": (6, 2, 1, 3),
        "debugger": (1, 0, 0, 1),
    }
    assert _counts(insights.by_model) == {"opus": (6, 2, 1, 3), None: (1, 0, 0, 1)}
    assert _counts((insights.overall,)) == {"all": (7, 2, 1, 4)}
    assert insights.overall.share == pytest.approx(2 / 3)
    (row,) = [r for r in insights.parts()["by_agent_type"] if r["agent_type"] == "debugger"]
    assert row["success_share"] is None and row["n"] == 1


def test_completed_without_success_is_a_failure(record: Record) -> None:
    execution = run_agent(record, _session(record), None)
    record_completion(record, execution, status="completed", success=False)
    assert _counts((gather_insights(record).overall,)) == {"all": (1, 0, 1, 0)}


def test_intervals_as_published() -> None:
    assert wilson_interval(0, 0) is None
    assert wilson_interval(81, 263) == pytest.approx(
        (0.2553, 0.3662), abs=1e-4
    )  # Newcombe 1998a, table I
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_the_difference_between_two_shares_as_published(record: Record) -> None:
    """Newcombe 1998b, table II, method 10: 56/70 against 48/80."""
    effect = ContextEffect(GroupOutcome("a", 70, 56, 14, 0), GroupOutcome("a", 80, 48, 32, 0))
    assert effect.difference == pytest.approx(0.2)
    assert effect.interval == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert effect.evidence == pytest.approx(0.0524, abs=1e-4)


def test_attempts_of_a_plan_and_of_a_bundle(record: Record) -> None:
    session, other = _session(record), _session(record)
    plan.add_planned_agent(record, session, "planned", scope="one")
    run_agent(record, session, "failed", "planned", planned=1)
    run_agent(record, session, "failed", "planned", planned=1)
    run_agent(record, session, "completed", "planned", planned=1)
    for each, ending in ((session, "failed"), (session, "completed"), (other, "completed")):
        run_agent(record, each, ending, bundle=_bundle("b", _item("a.py")))
    run_agent(record, session, None, "loose")
    assert _counts(gather_insights(record).by_attempt) == {
        1: (3, 1, 2, 0),
        2: (2, 1, 1, 0),
        3: (1, 1, 0, 0),
        None: (1, 0, 0, 1),
    }


def test_a_filter_does_not_make_a_second_attempt_a_first(record: Record) -> None:
    session = _session(record)
    plan.add_planned_agent(record, session, "planned")
    run_agent(
        record, session, "failed", "planned", planned=1, deployed_at="2026-11-01T09:00:00.000Z"
    )
    run_agent(record, session, "completed", "planned", planned=1)
    assert _counts(gather_insights(record, since="2026-11-20").by_attempt) == {2: (1, 1, 0, 0)}


def test_over_time_by_day_and_week(record: Record) -> None:
    session = _session(record)
    for day in ("2026-11-15", "2026-11-16", "2026-11-22", "2026-11-22"):  # 16 is a Monday
        run_agent(record, session, "completed", deployed_at=f"{day}T09:00:00.000Z")
    assert [(o.name, o.n) for o in gather_insights(record).over_time] == [
        ("2026-11-15", 1),
        ("2026-11-16", 1),
        ("2026-11-22", 2),
    ]
    weeks = gather_insights(record, every="week").over_time
    assert [(o.name, o.n) for o in weeks] == [("2026-11-09", 1), ("2026-11-16", 3)]


def test_by_bundle_and_by_every_file_given(record: Record) -> None:
    session = _session(record)
    text, task = _item("text:note"), _item("task.md", "briefing")
    run_agent(record, session, "completed", bundle=_bundle("b1", _item("a.py"), text, task))
    run_agent(
        record, session, "failed", bundle=_bundle("b2", _item("a.py"), _item("b.md", "reference"))
    )
    run_agent(record, session, None, "debugger")
    insights = gather_insights(record)
    assert _counts(insights.by_bundle) == {
        "b1": (1, 1, 0, 0),
        "b2": (1, 0, 1, 0),
        None: (1, 0, 0, 1),
    }
    assert _counts(insights.by_context_source) == {"a.py": (2, 1, 1, 0), "b.md": (1, 0, 1, 0)}


def test_what_was_not_included_was_not_given(record: Record) -> None:
    execution = run_agent(record, _session(record), "completed", bundle=_bundle("b", _item("a.py")))
    record.execute(
        "UPDATE context_allocations SET included_in_deployment = 0 WHERE execution_id = ?",
        [execution],
    )
    insights = gather_insights(record)
    assert not (insights.by_context_source or insights.context)


def test_which_context_went_with_success(record: Record) -> None:
    """``good.md`` with 6 of 6, without 0 of 6; ``a.py`` given to all; one run without context."""
    session = _session(record)
    for number in range(12):
        good = [_item("good.md")] if number % 2 else []
        once = [_item("once.md")] if number == 1 else []
        bundle = _bundle(f"b{number}", _item("a.py"), *good, *once)
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


def _note_usage(record: Record, execution_id: str, **usage: int) -> None:
    with record.write():
        report(record, "noted", usage, source="import", keys=[f"id:{execution_id}"])


def test_estimates_beside_usage_only_where_usage_is_known(record: Record) -> None:
    session = _session(record)
    runs = [
        run_agent(record, session, "completed", bundle=_bundle(f"b{n}", _item(f"{n}", tokens=n)))
        for n in (100, 200, 900)
    ]
    assert gather_insights(record).estimates == ()
    for execution, fresh, cached in zip(runs, (10, 20, 30), (1000, 2000, 3000), strict=True):
        _note_usage(
            record,
            execution,
            input_tokens=fresh,
            cache_write_tokens=5,
            cache_read_tokens=cached,
            output_tokens=7,
        )
    (estimate,) = gather_insights(record).estimates
    assert (estimate.n, estimate.estimator) == (3, "o200k_base")
    assert (estimate.estimated_tokens, estimate.input_and_cache_tokens) == (200, 2025)
    assert estimate.context_end_tokens is None


def test_the_validations_matrix(record: Record, tmp_path: Path) -> None:
    session = _session(record)
    results: list[dict[str, str | int | float]] = [
        {"tests": "fail", "coverage": 70},
        {"tests": "pass", "coverage": 90},
        {"tests": "skip", "coverage": 85},
        {"lint": "pass"},
    ]
    for each in results:
        execution = run_agent(record, session, "completed")
        collect_outputs(record, execution, root=tmp_path, validation=each)
    run_agent(record, session, "completed")
    run_agent(record, session, None)
    run_agent(record, session, "completed", "Explore")
    cells = {(cell.agent_type, cell.check): cell for cell in gather_insights(record).validations}
    tests = cells["implementor", "tests"]
    assert (tests.n, tests.passed, tests.failed, tests.other, tests.unknown) == (3, 1, 1, 1, 2)
    assert tests.latest == "skip"
    coverage = cells["implementor", "coverage"]
    assert (coverage.minimum, coverage.median, coverage.maximum) == (70, 85, 90)
    assert coverage.other == 3 and coverage.latest == 85
    assert cells["implementor", "lint"].unknown == 4
    assert (cells["Explore", None].n, cells["Explore", None].unknown) == (0, 1)


def test_only_the_latest_result_of_an_execution_counts(record: Record, tmp_path: Path) -> None:
    execution = run_agent(record, _session(record), "completed")
    (tmp_path / "a.py").write_text("one\n")
    collect_outputs(
        record, execution, root=tmp_path, deliverable_paths=["a.py"], validation={"tests": "fail"}
    )
    collect_outputs(record, execution, root=tmp_path, validation={"tests": "pass"})
    (tmp_path / "a.py").write_text("two\n")  # its new version carries the first result over
    collect_outputs(record, execution, root=tmp_path, deliverable_paths=["a.py"])
    (cell,) = gather_insights(record).validations
    assert (cell.n, cell.passed, cell.failed) == (1, 1, 0)


def test_shared_tokens_are_kept_apart(record: Record) -> None:
    session = _session(record)
    shared = _item("constitution.md", "shared_context", 500)
    run_agent(record, session, "completed", bundle=_bundle("b1", shared, _item("a.py")))
    run_agent(record, session, "completed", bundle=_bundle("b2", shared))
    run_agent(record, session, "completed", bundle=_bundle("b3", _item("b.py")))
    (row,) = gather_insights(record).parts()["sharing"]
    assert row == {
        "n": 3,
        "n_shared": 2,
        "moved_to_shared_tokens": 1000,
        "shared_document_tokens": 500,
        "estimator": "o200k_base",
    }


def test_nothing_shared_is_a_measured_zero(record: Record) -> None:
    run_agent(record, _session(record), "completed", bundle=_bundle("b", _item("a.py")))
    sharing = gather_insights(record).sharing
    assert sharing.moved_to_shared is not None and sharing.moved_to_shared.tokens == 0


def test_was_it_worth_it(record: Record, tmp_path: Path) -> None:
    session = _session(record, tmp_path)
    one = run_agent(record, session, "completed", bundle=_bundle("b", _item("a.py", tokens=300)))
    run_agent(record, session, "failed", context_token_count=200)
    for name in ("kept.py", "lost.py"):
        (tmp_path / name).write_text("x\n")
    validation: dict[str, str | int | float] = {"tests": "pass", "lint": "fail", "coverage": 80}
    collect_outputs(
        record,
        one,
        root=tmp_path,
        deliverable_paths=["kept.py", "lost.py"],
        validation=validation,
    )
    (tmp_path / "lost.py").unlink()
    (worth,) = gather_insights(record).worth
    assert (worth.tokens_given, worth.n_given, worth.estimator) == (500, 2, "mixed")
    assert (worth.tokens_used, worth.n_used) == (None, 0)
    assert (worth.deliverables, worth.deliverables_existing) == (2, 1)
    assert (worth.validations_passed, worth.validations_failed) == (1, 1)
    _note_usage(record, one, input_tokens=10, output_tokens=5)
    (worth,) = gather_insights(record).worth
    assert (worth.tokens_used, worth.n_used) == (15, 1)


def test_a_project_that_moved_away_leaves_existence_unknown(record: Record, tmp_path: Path) -> None:
    session = _session(record, tmp_path / "gone")
    execution = run_agent(record, session, "completed")
    collect_outputs(record, execution, root=tmp_path, deliverable_paths=["a.py"])
    (worth,) = gather_insights(record).worth
    assert (worth.deliverables, worth.deliverables_existing) == (1, None)


def test_filters_archive_and_retraction(record: Record) -> None:
    here, there = _session(record, "/here"), _session(record, "/there")
    run_agent(record, here, "completed", deployed_at="2026-11-01T09:00:00.000Z")
    run_agent(record, there, "failed", "debugger")
    wrong = run_agent(record, there, "failed")
    retract_execution(record, wrong, "recorded by mistake")

    def n(**filters: Any) -> int:
        return gather_insights(record, **filters).overall.n

    assert (n(), n(project="/here"), n(session_id=there), n(agent_type="debugger")) == (2, 1, 1, 1)
    assert (n(since="2026-11-20"), n(until="2026-11-20")) == (1, 1)
    archive_session(record, here)
    assert (n(), n(include_archived=True), n(session_id=here)) == (1, 2, 1)
    with pytest.raises(NotFoundError):
        n(session_id="nowhere")


def test_every_part_counts_the_same_executions(record: Record) -> None:
    session = _session(record)
    for number in range(9):
        run_agent(
            record,
            session,
            ("completed", "failed", None)[number % 3],
            ("implementor", "debugger")[number % 2],
            bundle=_bundle(f"b{number % 4}", _item("a.py")) if number % 4 else None,
            model=("sonnet", None)[number % 2],
        )
    insights: Insights = gather_insights(record)
    parts = insights.parts()
    for name in ("by_agent_type", "by_model", "by_bundle", "by_attempt", "over_time", "worth"):
        sums = {key: sum(row[key] for row in parts[name]) for key in ("n", "success", "unknown")}
        assert sums == {"n": 9, "success": 3, "unknown": 3}, name
