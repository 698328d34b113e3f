"""An end that is seen in the files makes the record read them, where no hook is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orch_tui import api
from orch_tui.cli import main
from orch_tui.live.live_view import LiveView
from orch_tui.project import Project
from orch_tui.record.executions import select_executions
from orch_tui.rows import ExecutionFacts
from tests.live.claude_files import NOON, AgentWriter, ClaudeFiles

BASH = ("t1", "Bash", {"command": "make"})


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClaudeFiles:
    made = ClaudeFiles(tmp_path, cwd=str(tmp_path / "project"))
    made.client()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(made.folder))
    return made


@pytest.fixture
def project(files: ClaudeFiles) -> Iterator[Project]:
    project = Project(files.root)
    assert project.record
    yield project
    project.close()


@pytest.fixture
def view(project: Project) -> LiveView:
    return project.live_view()


def recorded(project: Project) -> list[ExecutionFacts]:
    return select_executions(project.record)


def look(project: Project, view: LiveView, at: float) -> int:
    view.look(NOON + at)
    return project.record_ends(view.take_ends())


def test_a_running_agent_is_not_recorded(
    files: ClaudeFiles, project: Project, view: LiveView
) -> None:
    files.agent().prompt(0).calls(1, BASH)
    assert look(project, view, 2) == 0
    assert recorded(project) == []


@pytest.mark.parametrize(
    ("end", "status", "message", "error"),
    [
        (lambda a: a.says(3, "Found it."), "completed", "Found it.", None),
        (lambda a: a.api_error(3), "failed", None, "API Error: 529 Overloaded"),
        (lambda a: a.interrupted(3), "failed", None, "interrupted by the user"),
        (lambda a: a.sidecar(3, stoppedByUser=True), "failed", None, "stopped"),
    ],
)
def test_an_end_is_recorded(
    files: ClaudeFiles,
    project: Project,
    view: LiveView,
    end: object,
    status: str,
    message: str | None,
    error: str | None,
) -> None:
    agent = files.agent().prompt(0).calls(1, BASH)
    look(project, view, 2)
    assert callable(end)
    end(agent)
    look(project, view, 4)
    (run,) = recorded(project)
    assert (run.status, run.final_message, run.error_message) == (status, message, error)
    assert (run.agent_id, run.agent_type) == (agent.agent_id, "Explore")
    look(project, view, 5)
    assert recorded(project) == [run]


def import_now(project: Project, agent: AgentWriter) -> None:
    """What `orch import` would have recorded while it ran."""
    project.import_files([agent.path])
    (run,) = recorded(project)
    assert run.status == "deployed"


def test_a_run_whose_client_was_killed_leaves_the_waiting(
    files: ClaudeFiles, project: Project, view: LiveView
) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (files.folder / "sessions" / f"{os.getpid()}.json").unlink()
    files.client(process.pid)
    agent = files.agent().prompt(0).calls(1, BASH)
    import_now(project, agent)
    look(project, view, 2)
    process.kill()
    process.communicate()
    look(project, view, 3)
    (run,) = recorded(project)
    assert run.status == "failed"
    assert run.error_message == "its Claude Code client ended before it returned"
    # whoever hears of a return later believes that
    agent.answers(4, "t1").says(5, "After all.")
    project.import_files([agent.path])
    (run,) = recorded(project)
    assert (run.status, run.final_message) == ("completed", "After all.")


def test_an_end_from_before_anybody_looked(files: ClaudeFiles, project: Project) -> None:
    agent = files.agent().prompt(0).calls(1, BASH)
    import_now(project, agent)
    agent.answers(2, "t1").says(3, "Found it.").sidecar(3, finished=True)
    view = project.live_view()
    look(project, view, 4)
    (run,) = recorded(project)
    assert (run.status, run.final_message) == ("completed", "Found it.")


def test_an_end_is_told_again_while_the_record_waits(
    files: ClaudeFiles, project: Project, view: LiveView
) -> None:
    agent = files.agent().prompt(0).calls(1, BASH)
    import_now(project, agent)
    view.look(NOON + 2)
    agent.interrupted(3)
    told = 0
    for second in range(4, 204):
        view.look(NOON + second)
        told += len(view.take_ends())
    assert told == 5
    agent.told(300, "Go on")
    for second in range(301, 310):
        view.look(NOON + second)
    agent.interrupted(311)
    look(project, view, 312)
    (run,) = recorded(project)
    assert run.status == "failed"


def test_the_execution_of_an_agent_is_told(
    files: ClaudeFiles, project: Project, view: LiveView
) -> None:
    agent = files.agent().prompt(0)
    assert [a.execution_id for a in view.look(NOON + 1).agents] == [None]
    import_now(project, agent)
    (seen,) = view.look(NOON + 2).agents
    assert seen.execution_id == recorded(project)[0].execution_id
    live = project.live()
    assert [a.execution_id for a in live.running] == [seen.execution_id]
    assert live.of_execution(str(seen.execution_id)) is not None


def test_of_one_run_that_is_asked_about_no_other_is_looked_for(
    files: ClaudeFiles, project: Project
) -> None:
    sessions = [f"{n:08d}-0000-4000-8000-000000000000" for n in (1, 2)]
    for number, session in enumerate(sessions):
        agent = files.agent(f"a0123456789abc00{number}", session).prompt(0)
        project.import_files([agent.path])
    other, asked = (run.execution_id for run in recorded(project))
    seen = project.live_agent(asked)
    assert seen is not None and (seen.execution_id, seen.claude_session) == (asked, sessions[0])
    alone = project.live_view(only=asked).look(NOON + 2)
    assert [a.execution_id for a in alone.agents] == [asked]
    everybody = project.live_view().look(NOON + 2)
    assert {a.execution_id for a in everybody.agents} == {asked, other}
    assert project.live_agent("exec-999") is None


def test_a_project_without_a_record_can_be_looked_at(files: ClaudeFiles) -> None:
    files.agent().prompt(0)
    project = Project(files.root)
    assert [a.state for a in project.live().running] == ["starting"]
    assert not project.database.exists()
    assert project.record_ends([]) == 0


def test_the_api_and_show_tell_what_a_run_does(
    files: ClaudeFiles,
    project: Project,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agent = files.agent().prompt(0).calls(1, BASH)
    import_now(project, agent)
    (run,) = recorded(project)
    session = api.OrchestrationSession.open(run.session_id, project=project)
    (doing,) = session.doing()
    assert (doing.execution_id, doing.doing) == (run.execution_id, "Bash make")
    assert [a.doing for a in api.live(project=project).running] == ["Bash make"]
    other = api.OrchestrationSession("Something else", project=project)
    assert other.doing() == ()
    monkeypatch.chdir(files.root)
    assert main(["show", run.execution_id]) == 0
    shown = capsys.readouterr().out
    assert "doing         Bash make, for " in shown
    assert "known by      a call without a result" in shown
    assert "context       10,000 of 1,000,000 tokens (1 %)" in shown
    assert main(["show", run.execution_id, "--format", "json", "--part", "doing"]) == 2
    capsys.readouterr()
    assert main(["show", run.execution_id, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["doing"]
    assert (told["state"], told["tool"], told["execution_id"]) == ("tool", "Bash", run.execution_id)
    agent.answers(2, "t1").says(3, "Done")
    project.import_files([agent.path])
    assert main(["show", run.execution_id, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["doing"] is None
