"""Which session a command means, and that it says so where another could be meant."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from orch_tui import OrchestrationSession
from orch_tui.api import Execution
from orch_tui.errors import ConflictError, NotFoundError
from tests.cli.conftest import ORCH, Run
from tests.record import hook_events
from tests.record.claude_home import Transcript

DEPLOY = ("init-deployment", "--agent-type", "t", "--scope", "x")
BUNDLE = ("prepare-bundle", "--agent-type", "t", "--files", "lib/types.ts", "--output")
CLAUDE = "CLAUDE_CODE_SESSION_ID"


@pytest.fixture
def two(did: Run) -> tuple[str, str]:
    """Two open sessions, opened from nowhere in particular."""
    first, second = (did("init-session", "--scope", scope).out.strip() for scope in "ab")
    return first, second


def session_of(did: Run, label: str) -> str:
    shown = did("show", label, "--format", "json").json
    return str(shown["session"]["session_id"])


def test_each_terminal_means_the_session_that_it_opened(
    did: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = {}
    for pane in ("%1", "%2"):
        monkeypatch.setenv("TMUX_PANE", pane)
        opened[pane] = did("init-session", "--scope", pane).out.strip()
    monkeypatch.setenv("TMUX_PANE", "%1")
    done = did(*DEPLOY)
    assert session_of(did, done.out.strip()) == opened["%1"]
    assert f"session {opened['%1']}, chosen here (also open: {opened['%2']}" in done.err


def test_the_one_that_was_taken_is_named_where_more_are_open(
    did: Run, two: tuple[str, str]
) -> None:
    first, second = two
    assert f"session {second}, the newest (also open: {first}" in did(*DEPLOY).err
    assert first not in did(*DEPLOY, "--session-id", second).err
    did("complete-session", "--session-id", first)
    assert second not in did(*DEPLOY).err


@pytest.mark.parametrize("variable", ["ORCH_SESSION", CLAUDE])
def test_the_environment_says_which_one_is_meant(
    did: Run, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    first, second = two
    monkeypatch.setenv(variable, first)
    if variable == CLAUDE:
        did("use", first)
    for line in ("plan", "track-budget", "set-phase 2", "synthesize", "use"):
        assert f"session {first}, " in did(*line.split()).err, line
    with OrchestrationSession.current() as session:
        assert session.session_id == first
    monkeypatch.delenv(variable)
    assert did("use").out == f"{second}\n"


def test_the_environment_is_repeated_only_where_it_may_surprise(
    did: Run, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    monkeypatch.setenv("ORCH_SESSION", second)
    for line in ("plan", "track-budget", "set-phase 1"):
        assert "ORCH_SESSION" not in did(*line.split()).err, line
    monkeypatch.setenv("ORCH_SESSION", first)
    assert f"session {first}, as ORCH_SESSION says (also open: {second}" in did("plan").err
    for session_id in two:
        did("complete-session", "--session-id", session_id)
    assert f"session {first}, as ORCH_SESSION says, is closed" in did("plan").err
    assert did("use").out == f"{first}\n"


def test_a_session_that_the_variable_invents_is_refused(
    orch: Run, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCH_SESSION", "nobody")
    for line in ("plan", "track-budget", "synthesize", "deduplicate"):
        done = orch(*line.split())
        assert done.code == 1 and "ORCH_SESSION" in done.err, line
    with pytest.raises(NotFoundError):
        OrchestrationSession.current()


def test_the_shell_of_a_claude_session_means_what_hooks_recorded_of_it(
    did: Run, project: Path, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hook_events.deliver(project, hook_events.foreground(), time.time_ns())
    assert did("use").out == f"{two[1]}\n"
    monkeypatch.setenv(CLAUDE, hook_events.SESSION)
    assert did("use").out == "claude-3f1c9d52\n"


def test_a_terminal_keeps_what_is_used_in_it_until_it_is_closed(
    did: Run, project: Path, two: tuple[str, str]
) -> None:
    """Several commands in one shell on a real terminal."""
    first, second = two
    orch = " ".join(ORCH)
    words = (f"use {first}", "use", "complete-session", "use", "use --forget")
    lines = "; ".join(f"{orch} {line}" for line in words)
    ours, its = os.openpty()
    done = subprocess.run(
        ["sh", "-c", lines], stdin=its, stdout=subprocess.PIPE, stderr=its, check=True
    )
    os.close(its)
    os.close(ours)
    assert done.stdout.decode().split("\n") == [
        *(first, first, f"{first} completed", second, ""),
    ]
    assert did("use").out == f"{second}\n"


def test_there_must_be_somewhere_to_keep_it_for(orch: Run, two: tuple[str, str]) -> None:
    done = orch("use", two[0])
    assert done.code == 2 and f"export ORCH_SESSION={two[0]}" in done.err


def test_deduplicate_takes_a_session(did: Run, orch: Run, two: tuple[str, str]) -> None:
    first, _ = two
    for name in ("a.json", "b.json"):
        did(*BUNDLE, name, "--session-id", first, "--text", name)
    assert "has no bundles" in orch("deduplicate").err
    assert "1 item stands in several bundles" in did("deduplicate", "--session-id", first).err


def test_a_bundle_of_another_session_is_not_taken_without_a_word(
    did: Run, two: tuple[str, str]
) -> None:
    first, second = two
    did(*BUNDLE, "a.json", "--session-id", first)
    told = f"bundle-001 is a bundle of another session, {first}"
    assert told in did("plan", "--agent-type", "t", "--bundle", "bundle-001").err
    assert told in did("plan", "--edit", "1", "--bundle", "bundle-001").err
    assert told in did("init-deployment", "--context-bundle", "bundle-001").err
    assert told in did("init-deployment", "--planned", "1").err
    other = did(*DEPLOY).out.strip()
    which = ("--execution-id", other, "--bundle", "bundle-001")
    assert told in did("record-allocation", *which).err
    same = ("--session-id", first)
    assert "another" not in did("init-deployment", "--context-bundle", "bundle-001", *same).err


def test_a_bundle_file_that_is_not_there_is_called_a_file(
    orch: Run, did: Run, two: tuple[str, str]
) -> None:
    did(*BUNDLE, "mine.json")
    done = orch("init-deployment", "--context-bundle", "mien.json")
    assert "mien.json: there is no such bundle file" in done.err
    assert "nearest: mine.json" in done.err
    unknown = orch("plan", "--agent-type", "t", "--bundle", "bundle-01")
    assert "bundle 'bundle-01' is not known" in unknown.err


def test_a_folder_is_made_for_an_output_with_a_word_and_not_left_in_vain(
    did: Run, orch: Run, project: Path, two: tuple[str, str]
) -> None:
    did(*DEPLOY)
    assert orch("replay", "exec-001", "--output", "new/deep/b.md").code == 1
    assert not (project / "new").exists()
    done = did(*BUNDLE, "new/deep/b.json")
    assert f"made the folder new{os.sep}deep" in done.err
    assert "made" not in did(*BUNDLE, "new/deep/c.json").err


@pytest.fixture
def other(did: Run, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another project, with a run that returned, in the one record of the user."""
    settings = Path(os.environ["ORCH_CONFIG_DIR"])
    settings.mkdir()
    (settings / "config.toml").write_text('database = "user"\n')
    other = tmp_path / "other"
    (other / ".claude").mkdir(parents=True)
    (other / "a.py").write_text("1\n")
    monkeypatch.chdir(other)
    did("init-session", "--scope", "theirs")
    did("prepare-bundle", "--agent-type", "t", "--files", "a.py", "--output", "b.json")
    did("init-deployment", "--context-bundle", "b.json")
    did("record-completion", "--execution-id", "exec-001", "--final-message", "theirs")
    monkeypatch.chdir(project)
    return other


def test_nothing_writes_into_a_run_of_another_project_without_being_told(
    did: Run, orch: Run, other: Path, project: Path
) -> None:
    run = ("--execution-id", "exec-001")
    writing = (
        ("record-completion", *run, "--final-message", "mine"),
        ("record-allocation", *run, "--bundle", "bundle-001"),
        ("collect", *run, "--insights", "mine"),
        ("retract", "exec-001", "--reason", "mine"),
        ("replay", "exec-001", "--deploy"),
        ("replay", "exec-001", "--refresh"),
    )
    before = did("show", "exec-001", "--format", "json").out
    for words in writing:
        done = orch(*words)
        assert done.code == 1 and f"a run of another project, {other}" in done.err, words
    assert did("show", "exec-001", "--format", "json").out == before
    assert did("collect", *run, "--insights", "mine", "--other-project").code == 0
    session = OrchestrationSession("mine", project=project)
    with session, pytest.raises(ConflictError, match="another project"):
        Execution(session.project, "exec-001").record_completion("mine")


def test_a_session_of_another_project_that_is_named_is_called_so(did: Run, other: Path) -> None:
    (session,) = did("query", "--sessions", "--all-projects", "--format", "json").json
    done = did("set-phase", "2", "--session-id", session["session_id"])
    assert f"is of another project, {other}" in done.err


def test_bundles_of_other_projects_are_listed_where_asked_for(did: Run, other: Path) -> None:
    assert did("bundles", "--format", "json").json == []
    listed = did("bundles", "--all-projects", "--format", "json").json
    assert [line["bundle_id"] for line in listed] == ["bundle-001"]


def test_runs_are_counted_with_the_project_of_their_folder(
    did: Run, project: Path, tmp_path: Path
) -> None:
    """Though they were imported into the record of another one, from an archive."""
    other = tmp_path / "other"
    (other / ".claude").mkdir(parents=True)
    for number, cwd in enumerate((project, other, Path("/gone/app")), start=1):
        session = f"{number}0000000-0000-4000-8000-000000000000"
        path = f"{session}/subagents/agent-a{number}.jsonl"
        agent = Transcript(path, session, f"a{number}", cwd=str(cwd))
        agent.hears(f"look at {number}")
        agent.says("m-1", "Done.", stop="end_turn")
        agent.write(tmp_path / "claude")
    did("import", str(tmp_path / "claude"))
    for command in ("query", "query --sessions", "history"):
        words = (*command.split(), "--format", "json")
        done = did(*words)
        assert len(done.json) == 2, command
        assert "--all-projects takes them in" in done.err
        assert len(did(*words, "--all-projects").json) == 3, command
    overall = ("stats", "--by", "overall", "--format", "json")
    assert [did(*overall, *more).json[0]["n"] for more in ((), ("--all-projects",))] == [2, 3]
    assert len(did("history", f"project:{other}", "--format", "json").json) == 1


def test_a_bundle_of_another_session_is_not_overwritten_nor_moved(
    did: Run, orch: Run, two: tuple[str, str]
) -> None:
    first, second = two
    did(*BUNDLE, "a.json", "--session-id", first)
    taking = ("prepare-bundle", "--agent-type", "t", "--files", "constitution.md")
    done = orch(*taking, "--bundle-id", "bundle-001", "--output", "b.json")
    assert done.code == 1
    assert f"bundle-001 is a bundle of another session, {first}" in done.err
    (line,) = did("bundles", "--format", "json").json
    assert (line["session_id"], line["version"]) == (first, 1)
    did(*taking, "--output", "b.json")
    several = did("deduplicate", "--bundles", "a.json,b.json").err
    assert f"bundle-001 of {first}, bundle-002 of {second}" in several


def test_a_terminal_keeps_a_session_for_each_project_of_one_record(
    did: Run, orch: Run, other: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX_PANE", "%1")
    monkeypatch.chdir(other)
    theirs = did("init-session", "--scope", "theirs too").out.strip()
    monkeypatch.chdir(project)
    assert "no open session" in orch("set-phase", "2").err
    mine = did("init-session", "--scope", "mine").out.strip()
    assert did("use").out.strip() == mine
    monkeypatch.chdir(other)
    assert did("use").out.strip() == theirs
    monkeypatch.setenv("ORCH_SESSION", mine)
    assert f"is of another project, {project}" in did("set-phase", "2").err
