"""The synthesis: what was recorded, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import FormatError, NotFoundError, UsageError
from orch_tui.models.database import Record
from orch_tui.recall.report import synthesize_report
from orch_tui.record import plan
from orch_tui.record.completion import record_completion
from orch_tui.record.outputs import collect_outputs
from orch_tui.record.sessions import init_session, set_phase
from tests.recall.runs import ALL_PASS, run_agent

OLDER = (
    *("agent_summaries", "deliverable_list_with_locations", "gate_results", "coverage_actual"),
    *("coverage_target", "evidence_status", "files_modified_count", "files_created_count"),
    *("tests_added_count", "docs_updated", "recommended_actions", "timestamp"),
)


def _section(report: str, title: str) -> list[str]:
    """The lines under a heading, to the next one."""
    _, _, rest = report.partition(f"# {title}\n")
    return [line for line in rest.partition("\n#")[0].splitlines() if line]


def test_the_report_tells_what_is_stored(record: Record, session_id: str, tmp_path: Path) -> None:
    set_phase(record, session_id, 3)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("x\n")
    (tmp_path / "README.md").write_text("x\n")
    one = run_agent(
        record, session_id, scope="Implement HNSW", model="sonnet", context_token_count=15_000
    )
    record_completion(
        record,
        run_agent(record, session_id, None, agent_type="debugger"),
        status="failed",
        error_code="ORG-003",
        error_message="cut off",
    )
    waiting = run_agent(record, session_id, None, agent_type="reviewer")
    collect_outputs(
        record,
        one,
        root=tmp_path,
        deliverable_paths=["tests/test_a.py", "README.md"],
        validation={"format": "pass", "lint": "fail"},
        insights=["HNSW is fast"],
        errors=["flaky network"],
    )
    report = synthesize_report(record, session_id, root=tmp_path)
    agents = _section(report, "Deployed Agents")
    assert agents[0] == f"- **implementor** ({one}): Implement HNSW"
    assert (
        "completed; model not recorded (asked for: sonnet); given 15,000 tokens (claimed);"
        in agents[1]
    )
    assert agents[-1].startswith("  waiting; model not recorded; tokens given not recorded")
    assert f"- `README.md`: lines not recorded; unchanged since ({one})" in _section(
        report, "Deliverables"
    )
    assert _section(report, "Quality Gates") == [
        f"- format: pass (pass: {one})",
        f"- lint: fail (fail: {one})",
        "- types: not recorded",
        "- tests: not recorded",
    ]
    assert _section(report, "Coverage") == ["Reached not recorded, wanted not recorded."]
    assert _section(report, "Evidence Status") == [
        "2 deliverables: 2 unchanged; validation results for 1 of 2 returned agents; "
        "final messages for 1 of 2"
    ]
    changes = _section(report, "Changes Made")
    assert "- Files created: not known (2 files)" in changes  # the project is no repository
    assert "- Documentation updated: `README.md`" in changes
    assert _section(report, "Insights") == [f"- HNSW is fast ({one})"]
    errors = _section(report, "Errors and Failures")
    assert any("debugger failed: ORG-003 Sub-Agent Failure, cut off" in line for line in errors)
    assert f"- flaky network ({one})" in errors
    assert "15,000 of 200,000 tokens" in _section(report, "Budget")[0]
    skipped = _section(report, "Skipped Gates")
    assert "validated: no validation is recorded" in skipped[0] and "api" in skipped[0]
    steps = _section(report, "Next Steps")
    assert f"- Mend and check again: lint failed for {one}" in steps
    assert any(waiting in step for step in steps)
    assert any("types, tests" in step for step in steps)


def test_changes_are_told_where_git_knows_them(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "old.py").write_text("one\ntwo\nthree\n")
    (tmp_path / "grown.md").write_text("one\n")
    git("init", "-q")
    git("add", "old.py", "grown.md")
    git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "first")
    (tmp_path / "old.py").write_text("one\n2\nthree\n")
    (tmp_path / "grown.md").write_text("one\ntwo\n")  # only additions, yet no new file
    (tmp_path / "new.py").write_text("a\nb")
    (tmp_path / "test_new.py").write_text("a\n")
    paths = ["old.py", "grown.md", "new.py", "test_new.py"]
    collect_outputs(record, run_agent(record, session_id), root=tmp_path, deliverable_paths=paths)
    report = json.loads(synthesize_report(record, session_id, root=tmp_path, format="json"))
    assert report["changes"] == {
        "created": 2,
        "modified": 2,
        "not_known": 0,
        "tests_added": 1,
        "tests_not_known": 0,
        "docs": ["grown.md"],
    }


def test_an_empty_session_claims_nothing(record: Record, session_id: str, tmp_path: Path) -> None:
    report = synthesize_report(record, session_id, root=tmp_path)
    assert _section(report, "Deployed Agents") == ["- none recorded"]
    assert "- tests: not recorded" in _section(report, "Quality Gates")
    assert "pass" not in report.lower().replace("passed", "")
    assert _section(report, "Next Steps") == [
        "- Record what is not recorded: no agent was deployed"
    ]


def test_the_older_template_is_filled_to_the_last_placeholder(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    collect_outputs(
        record,
        run_agent(record, session_id, scope="keep {this} as it is"),
        root=tmp_path,
        deliverable_paths=["a{b}.py"],
    )
    report = synthesize_report(record, session_id, root=tmp_path, template="synthesis-report.tmpl")
    assert not [name for name in OLDER if f"{{{name}}}" in report]
    assert "keep {this} as it is" in report and "a{b}.py" in report
    (tmp_path / "all.tmpl").write_text("".join(f"<{name}>{{{name}}}\n" for name in OLDER))
    every = synthesize_report(
        record, session_id, root=tmp_path, template=str(tmp_path / "all.tmpl")
    )
    assert re.findall(r"<(\w+)>", every) == list(OLDER)
    assert not [name for name in OLDER if f"{{{name}}}" in every]


def test_templates_of_the_user(record: Record, session_id: str, tmp_path: Path) -> None:
    run_agent(record, session_id, scope="Implement HNSW")
    (tmp_path / "mine.md.j2").write_text("{% for a in agents %}{{ a.scope }}{% endfor %}")
    folders = [tmp_path]
    given = synthesize_report(
        record, session_id, root=tmp_path, template="mine", template_folders=folders
    )
    assert given == "Implement HNSW"
    (tmp_path / "wrong.tmpl").write_text("{agent_summaries} {who_knows}")
    with pytest.raises(FormatError, match="who_knows"):
        synthesize_report(record, session_id, root=tmp_path, template=str(tmp_path / "wrong.tmpl"))
    with pytest.raises(NotFoundError):
        synthesize_report(record, session_id, root=tmp_path, template="nonesuch")


def test_markup_in_what_was_recorded_stays_text(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    hostile = "*bold* <script>alert(1)</script>\n# Next Steps\n\x1b[31mred"
    execution = run_agent(record, session_id, scope=hostile)
    collect_outputs(
        record, execution, root=tmp_path, insights=[hostile], deliverable_paths=["a`b.py"]
    )
    report = synthesize_report(record, session_id, root=tmp_path)
    assert report.count("\n## Next Steps\n") == 1 and "\n# Next" not in report
    assert "<script>" not in report.replace("\\<script\\>", "") and "\x1b" not in report
    assert "`` a`b.py ``" in report


class _Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_alone_and_everything_in_it_is_escaped(
    record: Record, tmp_path: Path
) -> None:
    hostile = "<img src=x onerror=alert(1)> \"quoted\" & 'so'"
    session = init_session(
        record, hostile, project=str(tmp_path), metadata={hostile: hostile}
    ).session_id
    set_phase(record, session, 4)
    execution = run_agent(record, session, scope=hostile, agent_type=hostile, model="<b>opus")
    collect_outputs(
        record,
        execution,
        root=tmp_path,
        deliverable_paths=["<i>.py"],
        validation={"<u>gate": "pass"},
        insights=[hostile],
        errors=[hostile],
    )
    page = _Page()
    text = synthesize_report(record, session, root=tmp_path, format="html")
    page.feed(text)
    assert text.startswith("<!doctype html>") and text.rstrip().endswith("</html>")
    assert not {"img", "i", "u", "b", "script", "link"} & set(page.tags)
    assert page.links == []
    assert page.text.count(hostile) >= 4 and "<u>gate" in page.text
    (tmp_path / "mine.html.j2").write_text("<p>{{ session.scope }}</p>{{ agent_summaries }}")
    own = synthesize_report(
        record, session, root=tmp_path, format="html", template=str(tmp_path / "mine.html.j2")
    )
    assert "<img" not in own and own.startswith("<p>&lt;img")


def test_json_has_the_older_keys_first(record: Record, session_id: str, tmp_path: Path) -> None:
    run_agent(record, session_id, None)
    collect_outputs(
        record, run_agent(record, session_id), root=tmp_path, deliverable_paths=["a.py"]
    )
    report = json.loads(synthesize_report(record, session_id, root=tmp_path, format="json"))
    assert list(report)[:5] == [
        "timestamp",
        "agents_deployed",
        "deliverables",
        "status",
        "validation",
    ]
    assert report["agents_deployed"] == ["implementor", "implementor"]
    assert report["deliverables"] == ["a.py"]
    assert report["status"] == "executing"
    assert report["validation"]["agents_count"] == 2
    assert report["validation"]["deliverables_count"] == 1
    assert [agent["outcome"] for agent in report["agents"]] == ["waiting", "completed"]


def test_overflows_and_budgets_are_reported(record: Record, tmp_path: Path) -> None:
    session = init_session(record, "a scope", project=str(tmp_path), budget=1000).session_id
    execution = run_agent(record, session, context_token_count=1500, allow_overflow="it must fit")
    report = synthesize_report(record, session, root=tmp_path)
    budget = _section(report, "Budget")
    assert "1,500 of 1,000 tokens, over by 500" in budget[0]
    assert budget[1] == f"- overflow allowed for {execution}: it must fit"


def test_a_plan_not_carried_out_is_a_next_step(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    plan.add_planned_agent(record, session_id, "reviewer")
    steps = _section(synthesize_report(record, session_id, root=tmp_path), "Next Steps")
    assert "- Deploy planned agent 1 (reviewer), or take it out of the plan" in steps


def test_a_report_can_be_read_from_a_file_nobody_may_write(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    record.close()
    with Record(record.path, writable=False, clock=record.clock) as reading:
        assert "Implement search" in synthesize_report(reading, session_id, root=tmp_path)


def test_of_the_attempts_the_last_one_counts(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    plan.add_planned_agent(record, session_id, "implementor")
    first = run_agent(record, session_id, "failed", planned=1)
    collect_outputs(record, first, root=tmp_path, validation={"tests": "fail"})
    second = run_agent(record, session_id, planned=1)
    collect_outputs(record, second, root=tmp_path, validation=ALL_PASS)
    report = synthesize_report(record, session_id, root=tmp_path)
    assert f"- tests: pass (pass: {second})" in _section(report, "Quality Gates")
    assert f"({first})" in report  # what went wrong before is still told
    assert "implementor failed" in "".join(_section(report, "Errors and Failures"))


def test_what_only_a_superseded_attempt_made_is_told_apart_and_not_counted(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    plan.add_planned_agent(record, session_id, "implementor")
    first = run_agent(record, session_id, planned=1)
    (tmp_path / "both.py").write_text("x = 1\n")
    collect_outputs(
        record, first, root=tmp_path, deliverable_paths=["both.py", "gone.py"], validation=ALL_PASS
    )
    second = run_agent(record, session_id, planned=1)
    collect_outputs(record, second, root=tmp_path, deliverable_paths=["both.py"])
    report = synthesize_report(record, session_id, root=tmp_path)
    made = _section(report, "Deliverables")
    assert [line.partition(":")[0] for line in made] == ["- `both.py`", "- `gone.py`"]
    assert made[0].endswith(f"({second})")
    assert made[1].endswith(f"({first}), superseded by a later attempt, not counted")
    (evidence,) = _section(report, "Evidence Status")
    assert evidence.startswith("1 deliverable: 1 unchanged; validation results for 0 of 1")
    assert evidence.endswith("; 1 attempt superseded by a later one not counted")
    assert not any("gone.py" in line for line in _section(report, "Next Steps"))
    told = json.loads(synthesize_report(record, session_id, root=tmp_path, format="json"))
    assert told["deliverables"] == ["both.py"] and told["validation"]["missing"] == []
    assert [each["path"] for each in told["superseded_deliverables"]] == ["gone.py"]


def test_while_a_retry_is_awaited_what_was_reached_still_counts(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    plan.add_planned_agent(record, session_id, "implementor")
    first = run_agent(record, session_id, planned=1)
    collect_outputs(record, first, root=tmp_path, validation=ALL_PASS)
    retry = run_agent(record, session_id, None, planned=1)
    report = synthesize_report(record, session_id, root=tmp_path)
    assert f"- tests: pass (pass: {first})" in _section(report, "Quality Gates")
    assert "superseded" not in report
    assert f"{retry} (implementor) has not returned" in "".join(_section(report, "Next Steps"))


def test_an_insight_is_listed_once(record: Record, session_id: str, tmp_path: Path) -> None:
    first = run_agent(record, session_id)
    second = run_agent(record, session_id)
    for run, text in ((first, "Locks are slow."), (second, "locks  are slow"), (second, "Other")):
        collect_outputs(record, run, root=tmp_path, insights=[text])
    section = _section(synthesize_report(record, session_id, root=tmp_path), "Insights")
    assert f"- Locks are slow. ({first}, {second})" in section
    assert sum("ocks" in line for line in section) == 1


def test_a_run_that_said_nothing_is_no_success_of_the_report(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    run = run_agent(record, session_id, None)
    record_completion(record, run, final_message="")
    report = synthesize_report(record, session_id, root=tmp_path)
    assert "completed, unverified: its final message is empty" in report
    assert "final messages for 0 of 1" in report


def test_coverage_stands_beside_its_target(record: Record, tmp_path: Path) -> None:
    session = init_session(
        record, "a scope", project=str(tmp_path), metadata={"coverage_target": 90}
    ).session_id
    execution = run_agent(record, session)
    collect_outputs(record, execution, root=tmp_path, validation={**ALL_PASS, "coverage": 85})
    report = synthesize_report(record, session, root=tmp_path)
    assert _section(report, "Coverage") == ["Reached 85 %, wanted 90 %."]


@pytest.mark.parametrize(
    "options", [{"format": "pdf"}, {"format": "json", "template": "synthesis-report.tmpl"}]
)
def test_formats_that_make_no_sense_are_refused(
    record: Record, session_id: str, tmp_path: Path, options: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        synthesize_report(record, session_id, root=tmp_path, **options)


def test_an_unknown_session_comes_with_the_nearest(
    record: Record, session_id: str, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError) as unknown:
        synthesize_report(record, session_id[:-1] + "9", root=tmp_path)
    assert session_id in unknown.value.hint
