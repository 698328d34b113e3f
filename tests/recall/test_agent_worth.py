"""What an agent type took, and what came of it."""

from __future__ import annotations

from pathlib import Path

from orch_tui.models.database import Record
from orch_tui.recall.insights import gather_insights
from orch_tui.recall.insights.agent_worth import sum_costs
from orch_tui.recall.insights.group_outcomes import ChosenRuns
from orch_tui.record.executions import get_execution
from orch_tui.record.outputs import collect_outputs
from tests.recall.runs import make_bundle, make_item, note_usage, open_session, run_agent


def test_was_it_worth_it(record: Record, tmp_path: Path) -> None:
    session = open_session(record, tmp_path)
    one = run_agent(
        record, session, "completed", bundle=make_bundle("b", make_item("a.py", tokens=300))
    )
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
    given = get_execution(record, one).context_token_count
    assert given is not None
    assert (worth.tokens_given, worth.n_given, worth.estimator) == (given + 200, 2, "mixed")
    assert (worth.tokens_used, worth.n_used) == (None, 0)
    assert (worth.deliverables, worth.deliverables_existing) == (2, 1)
    assert (worth.validations_passed, worth.validations_failed) == (1, 1)
    note_usage(record, one, input_tokens=10, output_tokens=5)
    (worth,) = gather_insights(record).worth
    assert (worth.tokens_used, worth.n_used) == (15, 1)


def test_a_project_that_moved_away_leaves_existence_unknown(record: Record, tmp_path: Path) -> None:
    session = open_session(record, tmp_path / "gone")
    execution = run_agent(record, session, "completed")
    collect_outputs(record, execution, root=tmp_path, deliverable_paths=["a.py"])
    (worth,) = gather_insights(record).worth
    assert (worth.deliverables, worth.deliverables_existing) == (1, None)


def test_costs_are_by_the_model_that_ran_the_dearest_first(record: Record) -> None:
    session = open_session(record)
    for model, ran, cost in (
        ("opus", None, None),
        ("opus", "claude-opus-4-6", 1.5),
        ("opus", "claude-opus-4-6", 0.25),
        (None, "claude-haiku-4-5", 3.0),
    ):
        run = run_agent(record, session, None, model=model)
        record.execute(
            "UPDATE agent_executions SET resolved_model = ?, cost_usd = ?, input_tokens = ? "
            "WHERE execution_id = ?",
            [ran, cost, None if cost is None else 100, run],
        )
    costs = sum_costs(ChosenRuns(record, "1", []))
    assert [(c.model, c.n, c.n_used, c.n_priced, c.cost_usd, c.cost_usd_mean) for c in costs] == [
        ("claude-haiku-4-5", 1, 1, 1, 3.0, 3.0),
        ("claude-opus-4-6", 2, 2, 2, 1.75, 0.875),
        ("opus", 1, 0, 0, None, None),
    ]
    assert [cost.input_tokens for cost in costs] == [100, 200, None]


def test_a_deliverable_of_two_runs_is_one_file(record: Record, tmp_path: Path) -> None:
    session = open_session(record, tmp_path)
    (tmp_path / "a.py").write_text("x\n")
    for _ in range(2):
        run = run_agent(record, session, "completed")
        collect_outputs(record, run, root=tmp_path, deliverable_paths=["a.py"])
    (worth,) = gather_insights(record).worth
    assert (worth.n, worth.deliverables, worth.deliverables_existing) == (2, 1, 1)
