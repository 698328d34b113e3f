"""Payloads of hooks as Claude Code sends them: the fields of its documentation, invented values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orch_tui import hook

SESSION = "3f1c9d52-0000-4000-8000-000000000001"
START_NS = 1_795_341_600_000_000_000
"""2026-11-22 10:00 UTC."""

Event = dict[str, Any]


def event(name: str, session: str = SESSION, **fields: Any) -> Event:
    """One payload; ``agent_id`` outside SubagentStart and SubagentStop is that of the caller."""
    common = {
        "session_id": session,
        "transcript_path": f"/home/dev/.claude/projects/-home-dev-app/{session}.jsonl",
        "cwd": "/home/dev/app",
        "permission_mode": "default",
        "hook_event_name": name,
    }
    return common | {key: value for key, value in fields.items() if value is not None}


def call(
    tool_use_id: str, prompt: str, *, by: str | None = None, tool: str = "Agent", **more: Any
) -> Event:
    fields = {"description": f"do {tool_use_id}", "prompt": prompt, "subagent_type": "Explore"}
    return event(
        "PreToolUse",
        tool_name=tool,
        tool_use_id=tool_use_id,
        tool_input=fields | more,
        agent_id=by,
        agent_type="Explore" if by else None,
    )


def answer(called: Event, response: Any) -> Event:
    return called | {"hook_event_name": "PostToolUse", "tool_response": response}


def completed(agent: str, said: str, **more: Any) -> Event:
    return {
        "status": "completed",
        "agentId": agent,
        "content": [{"type": "text", "text": said}],
        "resolvedModel": "claude-sonnet-5-5",
        "totalToolUseCount": 4,
        "totalDurationMs": 61_000,
        "totalTokens": 43_179,
        "usage": {"input_tokens": 1, "output_tokens": 997},
    } | more


def noted(agent: str, said: str, *notes: str) -> Event:
    """A result with what Claude Code notes of it before the agent's words."""
    content = [{"type": "text", "text": text} for text in (*notes, said)]
    return completed(agent, said, content=content, harnessNoteCount=len(notes), harnessTailCount=0)


def launched(agent: str) -> Event:
    return {
        "isAsync": True,
        "status": "async_launched",
        "agentId": agent,
        "outputFile": f"/tmp/tasks/{agent}.output",
        "resolvedModel": "claude-sonnet-5-5",
    }


def start(agent: str, agent_type: str = "Explore") -> Event:
    return event("SubagentStart", agent_id=agent, agent_type=agent_type)


def stop(agent: str, said: str | None, agent_type: str | None = "Explore", **more: Any) -> Event:
    return event(
        "SubagentStop",
        agent_id=agent,
        agent_type=agent_type,
        stop_hook_active=False,
        agent_transcript_path=f"/nowhere/agent-{agent}.jsonl",
        last_assistant_message=said,
        **more,
    )


def broken(agent: str, said: str, error: str = "server_error") -> Event:
    """In place of the stop of an agent that an error of the API ended."""
    return event(
        "StopFailure",
        agent_id=agent,
        agent_type="Explore",
        error=error,
        last_assistant_message=said,
    )


def stopped(agent: str, tool_use_id: str = "toolu_s") -> Event:
    """Whoever launched it stopped an agent in the background."""
    called = event(
        "PreToolUse",
        tool_name="TaskStop",
        tool_use_id=tool_use_id,
        tool_input={"task_id": agent},
    )
    return answer(called, {"message": "stopped", "task_id": agent, "task_type": "local_agent"})


def message(agent: str, tool_use_id: str) -> Event:
    called = event(
        "PreToolUse",
        tool_name="SendMessage",
        tool_use_id=tool_use_id,
        tool_input={"to": agent, "message": "go on"},
    )
    resumed = {"success": True, "message": f"Resuming agent {agent}", "resumedAgentId": agent}
    return answer(called, resumed)


def foreground(number: int = 1, said: str = "Found it in lib/a.py.") -> list[Event]:
    called = call(f"toolu_{number}", f"find bug {number}")
    agent = f"a{number:016x}"
    return [called, start(agent), stop(agent, said), answer(called, completed(agent, said))]


def background(number: int = 1, said: str = "All is well.") -> list[Event]:
    called = call(f"toolu_{number}", f"look at {number}")
    agent = f"a{number:016x}"
    return [called, answer(called, launched(agent)), start(agent), stop(agent, said)]


def resumed() -> list[Event]:
    agent = f"a{1:016x}"
    return [*background(1, "First."), message(agent, "toolu_m"), start(agent), stop(agent, "More.")]


def nested() -> list[Event]:
    outer = call("toolu_1", "manage it")
    inner = call("toolu_2", "do a part", by="a1")
    return [
        *(outer, start("a1")),
        *(inner, start("a2"), stop("a2", "Part done.")),
        answer(inner, completed("a2", "Part done.")),
        *(stop("a1", "All done."), answer(outer, completed("a1", "All done."))),
    ]


def deliver(root: Path, events: list[Event], start_ns: int = START_NS, step_ms: int = 3000) -> None:
    """Leave payloads in the inbox, each some time after the one before."""
    for number, payload in enumerate(events):
        at = start_ns + number * step_ms * 1_000_000
        assert hook.put([json.dumps(payload).encode()], str(root), at)
