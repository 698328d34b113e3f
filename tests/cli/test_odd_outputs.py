"""Outputs as raw SQL may leave them: with any content, or none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orch_tui.project import Project
from tests.cli.conftest import Run

READS = (
    *("query", "history", "stats", "stats --format json", "outputs", "outputs --failed"),
    *("outputs --state", "show exec-001", "show exec-001 --format json", "export"),
    *("synthesize", "synthesize --format json"),
)

ODD_CONTENTS: tuple[Any, ...] = (
    *(None, "", " ", "plain", "{", "[]", "null", 7, b"", b"\0\xff", '"text"', "\0"),
    *('{"tests": 1e999}', '{"tests": null}', '{"": {}}', '{"file_path": 7}', '{"missing": []}'),
)


@pytest.mark.parametrize("kind", ["deliverable", "validation_result", "insight", "error"])
def test_outputs_of_any_content_are_read(did: Run, project: Path, kind: str) -> None:
    did("init-session", "--scope", "Find the walrus")
    did("init-deployment", "--agent-type", "Explore", "--scope", "look")
    did("record-completion", "--execution-id", "exec-001", "--final-message", "A walrus.")
    with closing(sqlite3.connect(Project(project).database)) as raw, raw:
        raw.executemany(
            "INSERT INTO outputs (execution_id, output_type, content) VALUES ('exec-001', ?, ?)",
            [(kind, content) for content in ODD_CONTENTS],
        )
    for command in READS:
        did(*command.split())
