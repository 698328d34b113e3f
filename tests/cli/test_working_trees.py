"""Files are meant from where one stands: in subfolders and linked worktrees of a project."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orch_tui import OrchestrationSession
from tests.cli.conftest import Run
from tests.record import hook_events
from tests.record.claude_home import S1, Transcript, done, launch, tool

FEATURE = ".claude/worktrees/feat"
DEPLOY = ("init-deployment", "--agent-type", "impl", "--scope", "x")
NEW = "I created lib/new.py."


def git(where: Path, *words: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(["git", *identity, *words], cwd=where, check=True, capture_output=True)


@pytest.fixture
def repository(project: Path, did: Run) -> Path:
    """The project with a commit, a session, and linked worktrees within and beside it."""
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "start")
    git(project, "worktree", "add", "-q", FEATURE, "-b", "feat")
    git(project, "worktree", "add", "-q", str(project.parent / "beside"), "-b", "beside")
    did("init-session", "--scope", "s")
    return project


@pytest.fixture(params=[FEATURE, "../beside"])
def tree(repository: Path, request: pytest.FixtureRequest) -> Path:
    """A linked worktree with a file that only it has."""
    tree = (repository / str(request.param)).resolve()
    (tree / "lib" / "new.py").write_text("b = 2\n")
    return tree


@pytest.fixture
def states(did: Run) -> Callable[[], dict[str, str]]:
    """What became of each deliverable, by its path."""

    def read() -> dict[str, str]:
        listed = did("outputs", "--state", "--format", "json").json
        return {row["path"]: row["state"] for row in listed}

    return read


States = Callable[[], dict[str, str]]


def run_of(did: Run, label: str = "exec-001") -> Any:
    (row,) = [row for row in did("query", "--format", "json").json if row["execution_id"] == label]
    return row


DONE = ("--final-message", "Done.")


def test_in_a_worktree_what_an_agent_made_is_there_and_has_its_name(
    did: Run, repository: Path, tree: Path, monkeypatch: pytest.MonkeyPatch, states: States
) -> None:
    monkeypatch.chdir(tree)
    did(*DEPLOY)
    message = ("--final-message", NEW, "--collect", "auto")
    assert "trouble" not in did("record-completion", "--execution-id", "exec-001", *message).err
    collected = did("collect", "--execution-id", "exec-001", "--deliverables", "lib/new.py")
    assert "missing" not in collected.out + collected.err
    for place in (tree, repository):
        monkeypatch.chdir(place)
        assert states() == {"lib/new.py": "unchanged"}
        assert "trouble" not in did("show", "exec-001").out
    assert run_of(did)["worktree"] == os.path.relpath(tree, repository)


def test_what_was_deployed_in_a_worktree_is_checked_there_from_elsewhere(
    did: Run, repository: Path, tree: Path, monkeypatch: pytest.MonkeyPatch, states: States
) -> None:
    monkeypatch.chdir(tree)
    did(*DEPLOY)
    monkeypatch.chdir(repository)
    done = did(
        *("record-completion", "--execution-id", "exec-001", "--final-message", NEW),
        *("--collect", "auto", "--deliverables", "lib/new.py"),
    )
    assert "trouble" not in done.err
    assert states() == {"lib/new.py": "unchanged"}


def test_what_was_merged_is_found_in_the_root_when_its_worktree_is_gone(
    did: Run, repository: Path, tree: Path, monkeypatch: pytest.MonkeyPatch, states: States
) -> None:
    monkeypatch.chdir(tree)
    did(*DEPLOY)
    did("collect", "--execution-id", "exec-001", "--deliverables", "lib/new.py")
    monkeypatch.chdir(repository)
    git(repository, "worktree", "remove", "--force", str(tree))
    assert states() == {"lib/new.py": "missing"}
    did("record-completion", "--execution-id", "exec-001", "--final-message", NEW)
    assert "trouble" not in did("show", "exec-001").out, "nobody can tell any more"
    (repository / "lib" / "new.py").write_text("b = 2\n")
    assert states() == {"lib/new.py": "unchanged"}


def test_a_file_of_another_worktree_keeps_its_name_and_is_found(
    did: Run, repository: Path, tree: Path, states: States
) -> None:
    did(*DEPLOY)
    file = str(tree / "lib" / "new.py")
    did("collect", "--execution-id", "exec-001", "--deliverables", file)
    assert states() == {"lib/new.py": "unchanged"}
    (tree / "lib" / "new.py").write_text("b = 3\n")
    assert states() == {"lib/new.py": "changed since"}


def test_a_folder_that_says_it_is_a_worktree_is_not_looked_into(
    did: Run, repository: Path, tmp_path: Path, states: States
) -> None:
    """Only what the repository names itself is a tree of it."""
    did(*DEPLOY)
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / ".git").write_text(f"gitdir: {repository}/.git/worktrees/feat\n")
    (stranger / "secret.txt").write_text("s\n")
    file = str(stranger / "secret.txt")
    did("collect", "--execution-id", "exec-001", "--deliverables", file)
    assert list(states()) == [file]


def test_in_a_subfolder_paths_are_meant_from_there_then_from_the_root(
    did: Run, repository: Path, monkeypatch: pytest.MonkeyPatch, states: States
) -> None:
    did(*DEPLOY)
    (repository / "sub").mkdir()
    (repository / "sub" / "own.py").write_text("1\n")
    monkeypatch.chdir(repository / "sub")
    said = "own.py,lib/types.ts,../constitution.md"
    done = did(
        *("record-completion", "--execution-id", "exec-001", "--deliverables", said),
        *("--final-message", "I created own.py."),
    )
    assert "trouble" not in done.err and "missing" not in done.err
    assert states() == dict.fromkeys(("constitution.md", "lib/types.ts", "sub/own.py"), "unchanged")
    monkeypatch.chdir(repository)
    assert "trouble" not in did("show", "exec-001").out, "it is known which file was meant"


def test_a_missing_deliverable_is_said_at_once_with_the_nearest_names(
    orch: Run, did: Run, repository: Path
) -> None:
    did(*DEPLOY)
    said = ("--execution-id", "exec-001", "--deliverables", "lib/typs.ts,constitution.md")
    done = did("record-completion", *said, "--final-message", "Done.")
    assert "lib/typs.ts is missing" in done.err and "lib/types.ts" in done.err
    assert "constitution.md" not in done.err
    for command in ("record-completion", "collect"):
        strict = orch(command, *said, "--strict")
        assert strict.code == 1 and "lib/typs.ts is missing" in strict.err
    there = ("--execution-id", "exec-001", "--deliverables", "lib/types.ts", "--strict")
    assert orch("collect", *there).code == 0


def test_a_folder_has_one_state_wherever_it_is_told(
    did: Run, repository: Path, states: States
) -> None:
    did(*DEPLOY)
    did("record-completion", "--execution-id", "exec-001", "--deliverables", "lib", *DONE)
    shown = did("show", "exec-001", "--format", "json").json
    assert [each["state"] for each in shown["delivered"]] == ["not known"]
    assert states() == {"lib": "not known"}
    (line,) = (line for line in did("synthesize").out.splitlines() if "`lib`: " in line)
    assert "; not known (exec-001)" in line


def test_a_deliverable_that_is_said_twice_stands_once(did: Run, repository: Path) -> None:
    did(*DEPLOY)
    which = ("--execution-id", "exec-001", "--deliverables", "lib/types.ts")
    did("record-completion", *which, *DONE)
    did("collect", *which, "--validation-results", "tests:pass")
    (kept,) = did("outputs", "--output-type", "deliverable", "--format", "json").json
    assert kept["content"]["validation"] == {"tests": "pass"}


def test_a_sign_of_trouble_names_the_file_and_names_it_once(did: Run, repository: Path) -> None:
    did(*DEPLOY)
    message = "I created gone.py and lost.py.\n\nI changed gone.py too."
    done = did("record-completion", "--execution-id", "exec-001", "--final-message", message)
    told = [line for line in done.err.splitlines() if "sign of trouble" in line]
    assert told == [f"sign of trouble, missing file: {name}" for name in ("gone.py", "lost.py")]
    assert did("show", "exec-001").out.count("missing file: gone.py") == 1


def test_an_output_is_written_where_the_command_stands(
    did: Run, repository: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    bundle = ("prepare-bundle", "--agent-type", "impl", "--files", "lib/new.py")
    did(*bundle, "--output", "b.json")
    did("init-deployment", "--context-bundle", "b.json", "--output", "briefing.md")
    assert {path.name for path in tree.glob("b*")} >= {"b.json", "briefing.md"}
    (item,) = json.loads((tree / "b.json").read_text())["context_items"]
    assert item["source"] == "lib/new.py"


def test_sources_of_a_worktree_are_inside_the_project(
    did: Run, repository: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "notes.md").write_text("only here\n")
    monkeypatch.chdir(tree / "lib")
    sources = "new.py,lib/types.ts,notes.md"
    bundle = ("prepare-bundle", "--agent-type", "impl", "--files", sources, "--output", "-")
    done = did(*bundle)
    named = [item["source"] for item in done.json["context_items"]]
    assert named == ["lib/new.py", "lib/types.ts", "notes.md"]
    assert "outside" not in done.err
    checked = did("validate", "--scope", "s", "--context-files", "new.py,notes.md")
    assert checked.json["files_outside_project"] == []


def test_the_api_means_the_folder_it_stands_in(repository: Path, tree: Path) -> None:
    with OrchestrationSession(scope="s", session_id="mine", project=tree) as session:
        execution = session.init_deployment("impl", "x")
        execution.record_completion(NEW, deliverables="lib/new.py", collect=True)
        (output,) = execution.outputs()
        assert (output.path, output.content.get("missing")) == ("lib/new.py", None)
        assert session.validate_outputs().missing == ()
        with pytest.warns(UserWarning, match=r"lib/nw.py is missing \(nearest: .*lib/new.py"):
            execution.collect(deliverables="lib/nw.py")


AGENT = "a1"
CALL = "toolu_1"


def told_by_hooks(repository: Path, tree: Path) -> list[Any]:
    """Events of an agent with a worktree of its own, as Claude Code 2.1.332 sends them."""
    here, there = {"cwd": str(repository)}, {"cwd": str(tree)}
    called = hook_events.call(CALL, "work apart", isolation="worktree") | here
    result = hook_events.completed(AGENT, NEW, worktreePath=str(tree), worktreeBranch="feat")
    return [
        called,
        hook_events.start(AGENT) | there,
        hook_events.stop(AGENT, NEW) | there,
        hook_events.answer(called, result),
    ]


@pytest.mark.parametrize("events", [slice(0, 4), slice(1, 3), slice(3, 4)])
def test_hooks_tell_the_worktree_of_an_agent(
    did: Run, repository: Path, tree: Path, events: slice
) -> None:
    hook_events.deliver(repository, told_by_hooks(repository, tree)[events])
    shown = did("show", "exec-001")
    assert "trouble" not in shown.out
    assert run_of(did)["worktree"] == os.path.relpath(tree, repository)
    (output,) = did("outputs", "--format", "json").json
    assert (output["path"], output["found"]) == ("lib/new.py", True)


def test_a_worktree_that_a_hook_invents_is_not_looked_into(
    did: Run, repository: Path, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger"
    (stranger / "lib").mkdir(parents=True)
    (stranger / "lib" / "new.py").write_text("s\n")
    (stranger / ".git").write_text(f"gitdir: {repository}/.git/worktrees/feat\n")
    hook_events.deliver(repository, told_by_hooks(repository, stranger))
    assert "missing file: lib/new.py" in did("show", "exec-001").out
    assert run_of(did)["worktree"] is None
    assert did("outputs", "--format", "json").json == []


def transcripts(repository: Path, tree: Path) -> list[Transcript]:
    """A session that gives an agent a worktree, and the agent's own file."""
    parent = Transcript(f"{S1}.jsonl", S1, cwd=str(repository))
    parent.hears("do it")
    given = {"description": "apart", "isolation": "worktree"}
    parent.says("m-1", launch(CALL, "impl", "work apart", **given))
    agent = Transcript(f"{S1}/subagents/agent-{AGENT}.jsonl", S1, AGENT, start=2, cwd=str(tree))
    agent.hears("work apart")
    agent.says("m-2", tool("W1", "Write", file_path=str(tree / "lib" / "new.py"), content="b"))
    agent.gets("W1")
    agent.says("m-3", NEW, stop="end_turn")
    parent.start = 20
    result = done(AGENT, NEW, 4, worktreePath=str(tree), worktreeBranch="feat")
    parent.gets(CALL, NEW, result)
    return [parent, agent]


@pytest.mark.parametrize("files", [slice(0, 2), slice(0, 1), slice(1, 2)])
def test_transcripts_tell_the_worktree_of_an_agent(
    did: Run, repository: Path, tree: Path, tmp_path: Path, files: slice
) -> None:
    for transcript in transcripts(repository, tree)[files]:
        transcript.write(tmp_path / "claude")
    did("import", str(tmp_path / "claude"))
    run = run_of(did)
    assert run["worktree"] == os.path.relpath(tree, repository)
    shown = did("show", run["execution_id"], "--format", "json").json
    assert "trouble" not in did("show", run["execution_id"]).out
    assert [file["path"] for file in shown["files"]] in (["lib/new.py"], [])
    assert shown["session"]["project"] == str(repository)


def test_a_worktree_that_is_gone_leaves_its_runs_with_the_project(
    did: Run, repository: Path, tmp_path: Path
) -> None:
    """As of an agent whose worktree was merged and removed before anybody imported."""
    tree = repository / FEATURE
    for transcript in transcripts(repository, tree):
        transcript.write(tmp_path / "claude")
    git(repository, "worktree", "remove", "--force", str(tree))
    (repository / "lib" / "new.py").write_text("b\n")
    did("import", str(tmp_path / "claude"))
    assert run_of(did)["worktree"] == FEATURE
    shown = did("show", "exec-001", "--format", "json").json
    assert [file["path"] for file in shown["files"]] == ["lib/new.py"]
    assert shown["session"]["project"] == str(repository)
    assert "trouble" not in did("show", "exec-001").out, "it was merged"


def test_what_an_agent_claims_in_a_subfolder_is_found_by_what_it_wrote(
    did: Run, repository: Path, tmp_path: Path
) -> None:
    sub = repository / "lib"
    (sub / "own.py").write_text("1\n")
    agent = Transcript(f"{S1}/subagents/agent-{AGENT}.jsonl", S1, AGENT, cwd=str(sub))
    agent.hears("work there")
    agent.says("m-2", tool("W1", "Write", file_path=str(sub / "own.py"), content="1"))
    agent.gets("W1")
    agent.says("m-3", "I created own.py.", stop="end_turn")
    agent.write(tmp_path / "claude")
    did("import", str(tmp_path / "claude"))
    assert "trouble" not in did("show", "exec-001").out


def test_insights_and_redaction_look_into_the_worktree(
    did: Run, orch: Run, repository: Path, tree: Path
) -> None:
    (tree / "lib" / "new.py").write_text("word = 'wombat-4711'\n")
    did(*DEPLOY)
    file = str(tree / "lib" / "new.py")
    did("collect", "--execution-id", "exec-001", "--deliverables", file)
    (worth,) = did("stats", "--by", "worth", "--format", "json").json
    assert (worth["deliverables"], worth["deliverables_existing"]) == (1, 1)
    done = orch("redact", "-", "--reason", "it is secret", stdin=b"wombat-4711")
    assert file in done.out + done.err
