"""Collecting: versions of deliverables, results that change, nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.api import Execution, OrchestrationSession
from orch_tui.errors import NotFoundError, UsageError
from orch_tui.record import outputs
from orch_tui.record.ledger import contents


@pytest.fixture
def execution(tmp_path: Path) -> Execution:
    (tmp_path / ".claude").mkdir()
    session = OrchestrationSession("find the bug", project=tmp_path)
    return session.init_deployment("debugger", model="sonnet")


def test_a_changed_file_is_another_version_and_the_bytes_of_both_are_kept(
    execution: Execution, tmp_path: Path
) -> None:
    made = tmp_path / "made.txt"
    for text in ("one\n", "one\n", "two\n"):
        made.write_text(text)
        execution.collect(deliverables=["made.txt"])
    versions = execution.outputs()
    held = [contents.get_content(execution.project.record, v.content_id or 0) for v in versions]
    assert held == [b"one\n", b"two\n"]


def test_a_deliverable_is_stored_as_the_json_of_the_proposal(
    execution: Execution, tmp_path: Path
) -> None:
    (tmp_path / "a.ts").write_text("x\n")
    (tmp_path / "b.ts").write_text("y\n")
    first, *_ = execution.collect(
        deliverables=["a.ts", "b.ts"], validation_results={"tests": "pass", "coverage": 85}
    )
    content = first.content
    assert list(content) == ["file_path", "lines_added", "lines_modified", "validation"]
    assert content["validation"] == {"tests": "pass", "coverage": 85}
    assert first.metadata == {
        "agent_type": "debugger",
        "model": "sonnet",
        "related_files": ["b.ts"],
    }


@pytest.mark.parametrize("content", ["made.txt", "[1]", "{broken", None])
def test_a_deliverable_that_raw_sql_recorded_gets_its_next_version(
    execution: Execution, tmp_path: Path, content: str | None
) -> None:
    (tmp_path / "made.txt").write_text("made\n")
    record = execution.project.record
    with record.write():
        record.execute(
            "INSERT INTO outputs (execution_id, output_type, path, content) "
            "VALUES (?, 'deliverable', 'made.txt', ?)",
            [execution.execution_id, content],
        )
    execution.collect(deliverables=["made.txt"])
    assert execution.outputs()[-1].content["validation"] == {}


def test_a_check_that_fails_again_is_recorded_again(execution: Execution) -> None:
    for result in ("fail", "fail", "pass", "fail"):
        execution.collect(validation_results={"tests": result})
    kept = [output.content["tests"] for output in execution.outputs()]
    assert kept == ["fail", "pass", "fail"]


def test_an_insight_is_kept_once(execution: Execution) -> None:
    for _ in range(2):
        execution.collect(insights=["it was the cache", "and the index"])
    assert [output.content for output in execution.outputs()] == [
        "it was the cache",
        "and the index",
    ]


def test_what_is_found_does_not_outdo_what_was_claimed(
    execution: Execution, tmp_path: Path
) -> None:
    (tmp_path / "made.txt").write_text("made\n")
    execution.record_completion(
        "Created `made.txt`.\n\n## Validation\n- tests: pass\n",
        deliverables=["made.txt"],
        collect=True,
    )
    kept = [(output.output_type, output.found) for output in execution.outputs()]
    assert kept == [("deliverable", False), ("validation_result", True)]


def test_nothing_to_collect_and_nobody_to_collect_from(
    execution: Execution, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="nothing to collect"):
        execution.collect()
    with pytest.raises(NotFoundError, match="exec-9"):
        outputs.collect_outputs(execution.project.record, "exec-9", root=tmp_path, insights=["x"])
