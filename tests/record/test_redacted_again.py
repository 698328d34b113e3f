"""What was redacted stays out, though a transcript nobody had read says it in other words."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.project import Project
from orch_tui.record.executions import select_executions
from orch_tui.record.upkeep.redacted_again import left_out_if_redacted
from orch_tui.record.upkeep.redaction import redact_secret
from tests.record.claude_home import S1, Transcript, done, launch
from tests.record.test_redaction import KEY, traces


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


def transcript(project: Project, said: str) -> Path:
    parent = Transcript(f"{S1}.jsonl", S1)
    parent.says("p", launch("T", "Explore", f"look for {said}"))
    parent.gets("T", said, done("a1", said, 7))
    folder = project.root / "old"
    folder.mkdir()
    for line in parent.lines:
        line["cwd"] = str(project.root)
    (folder / parent.path).write_bytes(parent.data)
    return folder


def test_a_transcript_that_was_never_read_does_not_bring_it_back(project: Project) -> None:
    record = project.record
    with record.write():
        record.execute(
            "INSERT INTO journal (at, actor, action, after) VALUES ('', '', 'a', ?)", [KEY]
        )
    redact_secret(record, KEY, "pasted")
    summary = project.import_files([transcript(project, f"In other words: {KEY}!")])
    assert "what was redacted here before was left out" in summary.remarks
    assert traces(record, KEY) == []
    (run,) = select_executions(record, "1", [])
    assert run.final_message == "In other words: [redacted]!"
    assert summary.new == 1


def test_where_nothing_was_redacted_nothing_is_looked_through(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orch_tui.record.upkeep.redacted_again._new_values", None)
    remarks: list[str] = []
    with left_out_if_redacted(project.record, remarks):
        pass
    assert remarks == []
