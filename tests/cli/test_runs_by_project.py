"""A run is of the project it worked in, in every count, whatever session or record it stands in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.record import hook_events as hooks
from tests.record.claude_home import S1, Transcript


@pytest.fixture
def other(project: Path) -> Path:
    """Another project beside the one of the record."""
    folder = project.parent / "other"
    (folder / ".claude").mkdir(parents=True)
    return folder


def publish(folder: Path) -> None:
    """Give a project a remote, by which it is known on every machine."""
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    url = f"https://host/us/{folder.name}"
    subprocess.run(["git", "remote", "add", "origin", url], cwd=folder, check=True)


def deliver(project: Path, number: int, cwd: Path, said: str) -> None:
    """One run of the session, told by hooks of a client that stood in a folder."""
    events = hooks.foreground(number, said)
    hooks.deliver(
        project,
        [each | {"cwd": str(cwd)} for each in events],
        hooks.START_NS + number * 60_000_000_000,
    )


def counted(did: Run, *more: str) -> dict[str, int]:
    """How many runs each command finds."""
    (overall,) = did("stats", "--by", "overall", "--format", "json", *more).json
    listed = did("query", "--format", "json", *more).json
    found = did("history", "found", "--format", "json", *more).json
    costs = did("stats", "--by", "costs", "--format", "json", *more).json
    return {
        "query": len(listed),
        "history": len(found),
        "overall": overall["n"],
        "costs": sum(row["n"] for row in costs),
    }


def test_a_session_that_went_to_another_project_leaves_its_runs_there(
    project: Path, other: Path, did: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    did("init-session", "--scope", "x")
    for number, folder in enumerate((project, other, project / "lib", other), start=1):
        deliver(project, number, folder, f"Found {number}.")
    names = ("query", "history", "overall", "costs")
    assert counted(did) == dict.fromkeys(names, 2)
    assert counted(did, "--all-projects") == dict.fromkeys(names, 4)
    record = project / ".claude" / "orchestration" / "execution.db"
    monkeypatch.setenv("ORCH_DB", str(record))
    monkeypatch.chdir(other)
    assert counted(did) == dict.fromkeys(names, 2)
    messages = {run["final_message"] for run in did("query", "--format", "json").json}
    assert messages == {"Found 2.", "Found 4."}


def test_an_archive_of_another_project_is_told_apart_by_run(
    project: Path, other: Path, did: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (project, other):
        publish(folder)
    monkeypatch.chdir(other)
    did("init-session", "--scope", "there")
    for number, folder in enumerate((other, project), start=1):
        deliver(other, number, folder, f"Found {number}.")
    assert [r["final_message"] for r in did("query", "--format", "json").json] == ["Found 1."]
    archive = other / "archive.jsonl"
    did("export", "--output", archive)
    monkeypatch.chdir(project)
    did("init-session", "--scope", "here")
    did("import", archive)
    assert [r["final_message"] for r in did("query", "--format", "json").json] == ["Found 2."]
    assert len(did("query", "--all-projects", "--format", "json").json) == 2


def test_transcripts_say_it_too(project: Path, other: Path, did: Run, tmp_path: Path) -> None:
    did("init-session", "--scope", "x")
    told = []
    for number, cwd in enumerate((project, other)):
        path = f"{S1}/subagents/agent-a{number}.jsonl"
        agent = Transcript(path, S1, agent=f"a{number}", cwd=str(cwd))
        agent.hears(f"task {number}")
        agent.says(f"m{number}", f"Found {number}.", stop="end_turn")
        told.append(agent)
    main = Transcript(f"{S1}.jsonl", S1, cwd=str(project))
    main.hears("go")
    home = tmp_path / "home"
    for each in (main, *told):
        each.write(home)
    did("import", home)
    assert [r["final_message"] for r in did("query", "--format", "json").json] == ["Found 0."]


def test_a_project_that_moved_keeps_its_runs(
    project: Path, did: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    did("init-session", "--scope", "x")
    deploy = ("init-deployment", "--agent-type", "t", "--scope")
    did(*deploy, "before")
    moved = project.parent / "moved"
    shutil.move(project, moved)
    monkeypatch.chdir(moved)
    did(*deploy, "after")
    scopes = {run["scope"] for run in did("query", "--format", "json").json}
    assert scopes == {"before", "after"}


def test_a_copy_beside_its_original_keeps_what_it_was_copied_with(
    project: Path, did: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    did("init-session", "--scope", "x")
    deploy = ("init-deployment", "--agent-type", "t", "--scope")
    did(*deploy, "before")
    copied = project.parent / "copied"
    shutil.copytree(project, copied)

    def scopes() -> set[str]:
        return {run["scope"] for run in did("query", "--format", "json").json}

    monkeypatch.chdir(copied)
    assert scopes() == {"before"}
    did("init-session", "--scope", "y")
    did(*deploy, "after")
    assert scopes() == {"before", "after"}
    assert len(did("query", "--sessions", "--format", "json").json) == 2
    monkeypatch.chdir(project)
    assert scopes() == {"before"}
