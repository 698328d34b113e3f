"""What went well for what it cost, and the report of a session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_statistics_answer_with_n(did: Run, orch: Run, two_runs: None) -> None:
    whole = did("stats", "--format", "json").json
    assert whole["overall"][0] | {"n": 2, "success": 1, "failure": 1} == whole["overall"][0]
    (bundle,) = did("stats", "--by", "bundle", "--format", "json").json
    assert (bundle["bundle_id"], bundle["n"], bundle["success_share"]) == ("bundle-001", 2, 0.5)
    parts = did("stats", "--by", "bundle", "--by", "model", "--format", "json").json
    assert [*parts] == ["bundle", "model", "left_out", "schema_version"]
    lines = did("stats", "--format", "jsonl").out.splitlines()
    assert {json.loads(line)["part"] for line in lines} >= {"overall", "by_bundle", "context"}
    assert "bundle-001,2,1,1" in did("stats", "--by", "bundle", "--format", "csv").out
    assert orch("stats", "--format", "csv").code == 2
    assert "50% (" in did("stats").out
    assert "## worth" in did("stats", "--format", "markdown").out


def test_of_many_rows_the_best_and_the_worst_are_shown(did: Run, two_runs: None) -> None:
    whole = did("stats", "--format", "json").json
    assert whole["left_out"] == {}
    short = did("stats", "--limit", "1", "--format", "json").json
    assert {part: len(whole[part]) - 1 for part in short["left_out"] if part != "sharing"} == {
        part: count for part, count in short["left_out"].items() if part != "sharing"
    }
    assert short["left_out"]["by_model"] == 1
    table = did("stats", "--limit", "1").out
    assert "\n\n1 more, for which --limit asks\n\n" in table
    part = did("stats", "--by", "model", "--limit", "1", "--format", "jsonl")
    assert len(part.out.splitlines()) == 1
    assert part.err == "model: 1 more, for which --limit asks\n"


def test_a_part_without_runs_says_whether_any_were_meant(did: Run, two_runs: None) -> None:
    nobody = did("stats", "--by", "agent_type", "--agent-type", "nobody")
    assert (nobody.out, nobody.err) == ("", "  no recorded run meets that\n")
    assert (
        did("stats", "--by", "agent_type", "--agent-type", "nobody", "--format", "json").json == []
    )


@pytest.mark.parametrize(("form", "beginning"), [("markdown", "# "), ("json", "{"), ("html", "<")])
def test_a_report_is_written(did: Run, two_runs: None, form: str, beginning: str) -> None:
    printed = did("synthesize", "--format", form)
    assert printed.out.startswith(beginning)
    assert "exec-002" in printed.out
    done = did("synthesize", "--format", form, "--output", "out/report")
    assert (done.out, done.err) == ("", "made the folder out\nReport written to: out/report\n")
    assert Path("out/report").read_text().startswith(beginning)


def test_a_report_may_have_a_template(did: Run, two_runs: None) -> None:
    assert "exec-001" in did("synthesize", "--template", "synthesis-report.tmpl").out
