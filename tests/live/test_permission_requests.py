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
from orch_tui.record.hooks.inbox import list_asked
from tests.live.claude_files import NOON, SESSION, ClaudeFiles, Follower, stamp

WRITE = ("t1", "Write", {"file_path": "/home/dev/project/new.txt", "content": "x"})
AGENT = "a0123456789abc001"
OTHER = "a0123456789abc002"


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


@pytest.mark.parametrize("asking", [AGENT, None], ids=["another agent", "the conversation"])
def test_where_a_hook_told_who_asks_nobody_else_may(
    files: ClaudeFiles, follower: Follower, asking: str | None
) -> None:
    files.agent(AGENT).prompt(0).calls(1, WRITE)
    files.agent(OTHER).prompt(0).calls(1, ("t2", "Bash", {"command": "make"}))
    waits(files, 1.5)

    def state(at: float, who: str = OTHER) -> str:
        return next(each.state for each in follower.look(at).agents if each.agent_id == who)

    assert state(3) == "asks?"
    ask(files, NOON + 1.4, agent_id=asking)
    assert state(4) == "tool"
    assert state(90) == "tool"
    assert state(90, AGENT) == ("asks" if asking else "tool")
    waits(files, 91)
    assert state(93) == ("tool" if asking else "asks?"), "it waits for something else"


def test_it_stays_for_those_who_look_and_is_not_recorded(files: ClaudeFiles) -> None:
    """All of them for ten seconds, the last one of each agent for an hour."""
    project = Project(files.root)
    assert project.record
    now = time.time()
    ask(files, now - 3599, agent_id="second")
    ask(files, now - 3601, agent_id="third")
    paths = [ask(files, now + age) for age in (0, -11, -12, 3600)]
    project.drain_inbox()
    assert [os.path.exists(path) for path in paths] == [True, False, False, False]
    requests = PermissionRequests(str(files.root))
    requests.look()
    assert {who: round(now - asked.at) for (_, who), asked in requests.asked.items()} == {
        AGENT: 0,
        "second": 3599,
    }
    assert [round(now - each.arrived_ns / 1e9) for each in list_asked(files.root)] == [11, 3599]
    for each in list_asked(files.root):
        os.utime(each.path, (now - 3601, now - 3601))
    assert project.drain_inbox() == 0
    assert list_asked(files.root) == []
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
