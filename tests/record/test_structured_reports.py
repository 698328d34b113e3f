"""Final messages that are data, read as the lists they stand for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orch_tui.record.messages.findings import Findings, read_findings
from orch_tui.record.messages.structured_reports import read_report
from orch_tui.record.run_place import RunPlace
from tests.record.message_claims import project


def findings_of(text: str, folder: Path, *files: str) -> Findings:
    return read_findings(text, RunPlace(project(folder, *files)))


def test_a_report_is_read_by_its_keys(tmp_path: Path) -> None:
    report = {
        "filesCreated": ["a.py"],
        "files_modified": [{"path": "b.py", "change": "faster"}],
        "files_read": ["c.py"],
        "deliverables": [{"file": "d.py"}],
        "removed": ["e.py"],
        "checks": {"lint": "pass", "tests": "fail"},
        "insights": ["The cache is per worker."],
    }
    found = findings_of(json.dumps(report), tmp_path, "a.py", "b.py", "c.py", "d.py", "e.py")
    assert {path.path: path.claim for path in found.paths} == {
        "a.py": "created",
        "b.py": "modified",
        "c.py": "",
        "d.py": "created",
        "e.py": "deleted",
    }
    assert found.validation == {"lint": "pass", "tests": "fail"}
    assert [insight.text for insight in found.insights] == ["The cache is per worker."]


def test_a_report_in_a_fence_is_read_and_its_line_is_that_of_the_fence(tmp_path: Path) -> None:
    text = 'Done.\n\n```json\n{"created": ["a.py"]}\n```\n'
    found = findings_of(text, tmp_path, "a.py")
    assert [(path.path, path.claim, path.line) for path in found.paths] == [("a.py", "created", 4)]


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "x", "version": "1.0"}',
        '{"id": 1, "created_at": "2026-11-29", "updated_by": "a.py"}',
        "[1, 2]",
        '{"files": ["a.py"',
        '"files"',
        "{}",
        "{" * 9000 + "}" * 9000,
    ],
)
def test_other_data_is_none(text: str) -> None:
    assert read_report(text) is None


def test_what_lies_deep_ends_somewhere() -> None:
    data: object = "a.py"
    for _ in range(50):
        data = {"files": data}
    assert read_report(json.dumps(data)) == []
    assert read_report('{"files": ' + "[" * 500 + '"a.py"' + "]" * 500 + "}") == []


def test_members_that_are_no_text_are_said_in_words() -> None:
    assert read_report('{"files": [null, 3, true], "checks": {"b/c.py": 1.5}}') == [
        (("files",), ""),
        (("files",), "3"),
        (("files",), "yes"),
        (("checks",), "`b/c.py`: 1.5"),
    ]


def test_a_check_may_be_an_object_of_its_own(tmp_path: Path) -> None:
    report = {
        "checks": {"pytest": {"status": "passed", "count": 12}, "mypy": {"passed": False}},
        "validation": [{"name": "lint", "result": "pass"}],
        "changed": [{"path": "a.py", "status": "edited"}],
    }
    found = findings_of(json.dumps(report), tmp_path, "a.py")
    assert found.validation == {"tests": "pass", "types": "fail", "lint": "pass"}
    assert [path.path for path in found.deliverables] == ["a.py"]
