"""Some runs in a file of their own."""

from __future__ import annotations

import json

import pytest

from orch_tui.api import OrchestrationSession
from orch_tui.cli import main
from orch_tui.errors import NotFoundError
from orch_tui.project import Project
from orch_tui.recall.run_export import export_runs


def test_each_run_is_a_line_as_the_command_shows_it(
    project: Project,
    session: OrchestrationSession,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle = session.prepare_context("debugger", files=["a.md"])
    session.init_deployment(context_bundle=bundle).record_completion("Fine \ud800\x1b é.")
    session.init_deployment("Explore")
    data = export_runs(project.record, ["exec-002", "exec-001"], project.root)
    lines = [json.loads(line) for line in data.decode("ascii").splitlines()]
    assert [line["facts"]["execution_id"] for line in lines] == ["exec-002", "exec-001"]
    assert lines[1]["given"][0]["text"] == (project.root / "a.md").read_text()
    project.close()
    monkeypatch.chdir(project.root)
    assert main(["show", "exec-001", "--format", "json"]) == 0
    assert {**lines[1], "doing": None} == json.loads(capsys.readouterr().out)


def test_one_that_is_not_known_is_named(project: Project, session: OrchestrationSession) -> None:
    with pytest.raises(NotFoundError, match="exec-009"):
        export_runs(project.record, ["exec-009"], project.root)
