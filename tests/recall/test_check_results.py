"""The latest result of each check, by agent type."""

from __future__ import annotations

from pathlib import Path

from orch_tui.models.database import Record
from orch_tui.recall.insights import gather_insights
from orch_tui.recall.insights.check_results import read_latest_checks, tabulate_checks
from orch_tui.recall.insights.group_outcomes import ChosenRuns, GroupOutcome
from orch_tui.recall.listing import CheckResult
from orch_tui.record.outputs import collect_outputs
from tests.recall.runs import open_session, run_agent


def test_the_validations_matrix(record: Record, tmp_path: Path) -> None:
    session = open_session(record)
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
    execution = run_agent(record, open_session(record), "completed")
    (tmp_path / "a.py").write_text("one\n")
    collect_outputs(
        record, execution, root=tmp_path, deliverable_paths=["a.py"], validation={"tests": "fail"}
    )
    collect_outputs(record, execution, root=tmp_path, validation={"tests": "pass"})
    (tmp_path / "a.py").write_text("two\n")  # its new version carries the first result over
    collect_outputs(record, execution, root=tmp_path, deliverable_paths=["a.py"])
    (cell,) = gather_insights(record).validations
    assert (cell.n, cell.passed, cell.failed) == (1, 1, 0)


def test_the_latest_is_the_latest_whatever_the_order() -> None:
    checks = [
        ("a", "coverage", CheckResult(80, "2026-11-22T12:00:00.000Z", False)),
        ("a", "coverage", CheckResult("n/a", "2026-11-22T13:00:00.000Z", True)),
        ("a", "coverage", CheckResult(60.5, "2026-11-22T11:00:00.000Z", False)),
        ("b", "lint", CheckResult("pass", "2026-11-22T11:00:00.000Z", False)),
    ]
    coverage, none = tabulate_checks(
        [GroupOutcome("a", 3, 1, 1, 1), GroupOutcome("c", 2, 1, 1, 0)], checks
    )
    assert (coverage.latest, coverage.latest_at) == ("n/a", "2026-11-22T13:00:00.000Z")
    assert (coverage.minimum, coverage.median, coverage.maximum) == (60.5, 70.25, 80)
    assert (coverage.n, coverage.other, coverage.found) == (3, 3, 1)
    assert coverage.unknown == 0, "more results than returns leave none unknown"
    assert (none.check, none.n, none.unknown) == (None, 0, 2)
    assert (none.latest, none.latest_at, none.minimum, none.median, none.maximum) == (None,) * 5


def test_a_result_that_was_taken_back_counts_no_more(record: Record, tmp_path: Path) -> None:
    of = ChosenRuns(record, "1", [])
    assert read_latest_checks(of) == []
    run = run_agent(record, open_session(record), "completed")
    collect_outputs(record, run, root=tmp_path, validation={"tests": "pass"})
    ((agent_type, check, result),) = read_latest_checks(of)
    assert (agent_type, check) == ("implementor", "tests")
    assert (result.value, result.found) == ("pass", False)
    record.execute("UPDATE outputs SET retracted_at = '2026-11-23T10:00:00.000Z'")
    assert read_latest_checks(of) == []
