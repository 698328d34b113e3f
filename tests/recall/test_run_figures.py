"""The facts of a run in words: what is unknown says so, four figures stay apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orch_tui.api import OrchestrationSession, Project
from orch_tui.recall.run_figures import describe_run
from orch_tui.recall.show import Shown, show_execution
from tests.conftest import FakeClock


@pytest.fixture
def shown(tmp_path: Path, clock: FakeClock) -> Shown:
    (tmp_path / ".claude").mkdir()
    with OrchestrationSession("s", project=tmp_path, clock=clock) as session:
        run = session.init_deployment("reviewer", "Review it", model="sonnet")
        run.record_completion("All is well.")
        record = session.project.record
        return show_execution(record, run.execution_id, Project(tmp_path).root)


def test_what_is_not_known_says_so(shown: Shown) -> None:
    facts = dict(describe_run(shown))
    assert facts["state"] == "completed"
    assert (facts["usage of the run"], facts["cost"]) == ("unknown", "unknown")
    assert facts["context at its end"] == "unknown"
    assert "unverified" not in facts and "error" not in facts


def test_four_figures_stay_apart(shown: Shown) -> None:
    run = replace(
        shown.execution,
        context_token_count=1200,
        estimator="claude-v4.8~1",
        context_end_tokens=43_179,
        input_tokens=15,
        cache_write_tokens=42_176,
        cache_read_tokens=34_159,
        output_tokens=999,
        cost_usd=0.27834,
        price_date="2026-10-24",
        resolved_model="claude-sonnet-5-5",
        duration_ms=32_855,
        unverified="it said nothing",
    )
    facts = dict(describe_run(replace(shown, execution=run)))
    assert facts["estimate of bundle"] == "1,200 tokens (claude-v4.8~1)"
    assert facts["context at its end"] == "43,179 tokens"
    assert facts["usage of the run"] == (
        "77,349 tokens: input 15, cache write 42,176, cache read 34,159, output 999"
    )
    assert facts["cost"] == "$0.2783 at the prices of 2026-10-24"
    assert facts["model"] == "claude-sonnet-5-5 (asked for: sonnet)"
    assert facts["returned"].endswith("after 32s")
    assert facts["unverified"] == "it said nothing"


def test_a_run_that_waits_has_no_end_yet(shown: Shown) -> None:
    waits = replace(shown.execution, status="deployed", completed_at=None)
    facts = dict(describe_run(replace(shown, execution=waits)))
    assert facts["state"] == "waiting"
    assert not {"returned", "usage of the run", "cost"} & facts.keys()


def test_the_parts_of_what_was_handed_over_add_up(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / ".claude").mkdir()
    (tmp_path / "a.md").write_text("Words of a file.\n" * 9)
    with OrchestrationSession("s", project=tmp_path, clock=clock) as session:
        bundle = session.prepare_context("reviewer", scope="Review it", files=["a.md"])
        run = session.init_deployment(context_bundle=bundle)
        shown = show_execution(session.project.record, run.execution_id, tmp_path)
    items = sum(given.allocation.token_count or 0 for given in shown.given)
    whole = shown.execution.context_token_count or 0
    assert 0 < items < whole
    estimate = dict(describe_run(shown))["estimate of bundle"]
    assert estimate.startswith(f"{whole:,} tokens, {whole - items:,} of them around the items (")
    other = replace(shown, execution=replace(shown.execution, estimator="gpt-4o"))
    assert "around" not in dict(describe_run(other))["estimate of bundle"]
