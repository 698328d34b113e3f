"""`orch watch --doing`: a line for each change, at most one a second for each agent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orch_tui.live.doing_changes import DoingChanges, make_doing
from tests.counts import HANGS_AFTER
from tests.live.claude_files import NOON, ClaudeFiles, Follower, stamp

BASH = ("t1", "Bash", {"command": "make test"})


def test_a_change_is_told_once_and_not_more_often_than_once_a_second(
    files: ClaudeFiles, follower: Follower
) -> None:
    changes = DoingChanges()

    def told(at: float) -> list[str]:
        return [a.doing for a in changes.find(follower.look(at), NOON + at)]

    agent = files.agent().prompt(0)
    assert told(0.25) == ["starting"]
    assert told(0.5) == []
    agent.request(0.6)
    assert told(0.75) == []
    agent.calls(1, BASH)
    assert told(1.25) == ["Bash make test"]
    assert told(9) == []
    agent.answers(10, "t1").says(10, "Done")
    assert told(10.25) == ["returned"]
    assert told(70) == told(90) == []


def test_the_same_call_again_is_a_change(files: ClaudeFiles, follower: Follower) -> None:
    changes = DoingChanges()
    agent = files.agent().prompt(0).calls(1, BASH)
    assert len(list(changes.find(follower.look(2), NOON + 2))) == 1
    agent.answers(3, "t1").calls(4, ("t2", *BASH[1:]))
    (again,) = changes.find(follower.look(5), NOON + 5)
    assert again.since == stamp(4)


def test_the_event(files: ClaudeFiles, follower: Follower) -> None:
    files.agent("aouter").prompt(0)
    files.agent("ainner", parentAgentId="aouter").prompt(0).calls(1, BASH)
    inner = follower.look(5).agents[1]
    doing = make_doing(inner, stamp(5))
    assert {name: getattr(doing, name) for name in doing.__dataclass_fields__} == {
        "at": stamp(5),
        "event": "doing",
        "execution_id": None,
        "agent_id": "ainner",
        "parent": "aouter",
        "agent_type": "Explore",
        "state": "tool",
        "tool": "Bash",
        "target": "make test",
        "since": stamp(1),
        "calls": 1,
        "context": 10_000,
        "window": 1_000_000,
        "cost": inner.cost,
        "subtree": inner.cost,
        "marks": (),
        "evidence": "a call without a result",
        "doing": "Bash make test",
    }


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = ClaudeFiles(tmp_path, cwd=str(tmp_path / "project"))
    files.client()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(files.folder))
    watching = subprocess.Popen(
        [sys.executable, "-m", "orch_tui", "watch", "--doing", "--format", "jsonl"],
        cwd=files.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert watching.stdout and watching.stderr
    assert b"Ctrl-C" in watching.stderr.readline()

    def events(wanted: str) -> list[dict[str, object]]:
        """What is told until an event of this kind, or a state, comes."""
        assert watching.stdout
        told = [json.loads(watching.stdout.readline())]
        while wanted not in (told[-1]["event"], told[-1].get("state")):
            told.append(json.loads(watching.stdout.readline()))
        return told

    agent = files.agent().prompt(0).calls(1, BASH)
    assert events("tool")[-1]["target"] == "make test"
    agent.answers(2, "t1").says(3, "Found it.")
    ended = events("completed")[-1]
    assert (ended["said"], ended["agent_type"]) == ("Found it.", "Explore")
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=HANGS_AFTER)
    assert watching.returncode == 0
