"""A permission that a hook told of: exact, seen by whoever looks, kept out of the record."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest

from orch_tui.hook import put
from orch_tui.live.live_agent import LiveAgent
from orch_tui.live.permission_requests import PermissionRequests
from orch_tui.project import Project
from tests.live.claude_files import NOON, SESSION, ClaudeFiles, Follower, stamp

WRITE = ("t1", "Write", {"file_path": "/home/dev/project/new.txt", "content": "x"})
AGENT = "a0123456789abc001"


def ask(files: ClaudeFiles, at: float, tool: str = "Write", **fields: Any) -> str:
    """What the hook leaves when an agent asks, at a time in seconds since 1970."""
    given = {"file_path": str(files.root / "new.txt"), "content": "x"}
    payload = {
        **{"hook_event_name": "PermissionRequest", "session_id": SESSION, "agent_id": AGENT},
        **{"agent_type": "Explore", "tool_name": tool, "tool_input": given, **fields},
    }
    path = put([json.dumps(payload).encode()], str(files.root), round(at * 1e9))
    assert path
    return path


def waits(files: ClaudeFiles, at: float, status: str = "waiting") -> None:
    files.client(status=status, statusUpdatedAt=round((NOON + at) * 1000), waitingFor="")


def test_it_asks_until_its_client_goes_on(files: ClaudeFiles, follower: Follower) -> None:
    agent = files.agent(AGENT).prompt(0).calls(1, WRITE)
    ask(files, NOON + 1.1)
    seen: LiveAgent = follower.agent(1.2)
    assert (seen.doing, seen.since) == ("asks Write new.txt", stamp(1.1))
    assert seen.evidence == "its hook told that it asks for a permission"
    waits(files, 1.3)
    assert follower.agent(20).state == "asks"
    waits(files, 21, "busy")
    assert follower.agent(22).state == "tool"
    agent.answers(23, "t1").calls(24, ("t2", "Write", {"file_path": "b"}))
    assert follower.agent(26).state == "tool"


@pytest.mark.parametrize(
    "fields", [{"agent_id": "another"}, {"agent_id": None}, {"session_id": ""}, {"tool": "Bash"}]
)
def test_what_somebody_else_asks_for(
    files: ClaudeFiles, follower: Follower, fields: dict[str, Any]
) -> None:
    files.agent(AGENT).prompt(0).calls(1, WRITE)
    ask(files, NOON + 1.1, **fields)
    assert follower.agent(1.2).state == "tool"


def test_it_stays_a_moment_for_those_who_look_and_is_not_recorded(files: ClaudeFiles) -> None:
    project = Project(files.root)
    assert project.record
    fresh, old, later = (ask(files, time.time() + age) for age in (0, -11, 3600))
    project.drain_inbox()
    assert [os.path.exists(path) for path in (fresh, old, later)] == [True, False, False]
    assert project.record.value("SELECT count(*) FROM observations") == 0
    project.close()


def test_payloads_that_are_none_are_passed_over(files: ClaudeFiles, follower: Follower) -> None:
    files.agent(AGENT).prompt(0).calls(1, WRITE)
    for data in (b"", b"PermissionRequest", b'["PermissionRequest"]', b"\xff" * 9):
        put([data + b" "], str(files.root), round(NOON * 1e9))
    ask(files, NOON + 1.1, tool_input=7, tool_name="\x1b[2JWrite")
    assert follower.agent(2).state == "tool"


def test_what_was_asked_is_forgotten_with_who_asked(files: ClaudeFiles) -> None:
    requests = PermissionRequests(str(files.root))
    for agent in ("a1", "a2"):
        ask(files, NOON, agent_id=agent)
    requests.look()
    requests.forget(NOON + 50, [])
    assert {agent for _, agent in requests.asked} == {"a1", "a2"}, "who follows may find them yet"
    requests.forget(NOON + 70, {(SESSION, "a2")})
    assert {agent for _, agent in requests.asked} == {"a2"}
