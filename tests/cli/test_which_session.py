"""Which session a command means, and that it says so where another could be meant."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from orch_tui import OrchestrationSession
from orch_tui.errors import NotFoundError
from tests.cli.conftest import ORCH, Run
from tests.record import hook_events

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
