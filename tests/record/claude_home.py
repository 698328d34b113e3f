"""Transcripts as Claude Code writes them, a short one for every generation of the format."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

S1, S2, S3, S4, S5 = (f"{n}0000000-0000-4000-8000-000000000000" for n in range(1, 6))
CWD = "/home/dev/app"


@dataclass
class Transcript:
    """The lines of one file; every line is a second later than the one before."""

    path: str
    session: str
    agent: str | None = None
    is_sidechain: bool = False
    start: int = 0
    cwd: str = CWD
    lines: list[dict[str, Any]] = field(default_factory=list)

    def add(self, kind: str, **fields: Any) -> dict[str, Any]:
        second = self.start + len(self.lines)
        line = {
            "parentUuid": self.lines[-1]["uuid"] if self.lines else None,
            "isSidechain": self.agent is not None or self.is_sidechain,
            "cwd": self.cwd,
            "sessionId": self.session,
            "version": "2.1.39",
            "type": kind,
            "uuid": f"{self.path}:{len(self.lines)}",
            "timestamp": f"2026-02-11T00:{second // 60:02}:{second % 60:02}.000Z",
            **({"agentId": self.agent} if self.agent else {}),
            **fields,
        }
        self.lines.append(line)
        return line

    def hears(self, text: str, **fields: Any) -> None:
        self.add("user", message={"role": "user", "content": text}, **fields)

    def says(
        self,
        message_id: str,
        *blocks: dict[str, Any] | str,
        output: int = 10,
        stop: str | None = None,
        model: str = "claude-haiku-4-5-20251001",
        **fields: Any,
    ) -> None:
        """One line for each block, as Claude Code writes them, the usage repeated in each."""
        for block in blocks:
            piece = {"type": "text", "text": block} if isinstance(block, str) else block
            message = {
                "model": model,
                "id": message_id,
                "role": "assistant",
                "content": [piece],
                "stop_reason": stop,
                "usage": {
                    "input_tokens": 3,
                    "cache_creation_input_tokens": 100,
                    "cache_read_input_tokens": 1000,
                    "cache_creation": {"ephemeral_1h_input_tokens": 40},
                    "output_tokens": output,
                },
            }
            self.add("assistant", message=message, **fields)

    def gets(self, tool: str, content: Any = "ok", result: Any = None, error: bool = False) -> None:
        block = {"type": "tool_result", "tool_use_id": tool, "content": content}
        if error:
            block["is_error"] = True
        fields = {} if result is None else {"toolUseResult": result}
        self.add("user", message={"role": "user", "content": [block]}, **fields)

    @property
    def data(self) -> bytes:
        return b"".join(
            json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in self.lines
        )

    def write(self, home: Path) -> Path:
        target = home / "projects" / "-home-dev-app" / self.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self.data)
        return target


def tool(tool_id: str, name: str, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": tool_id, "name": name, "input": given}


def launch(tool_id: str, agent_type: str, prompt: str, **given: Any) -> dict[str, Any]:
    return tool(tool_id, "Task", subagent_type=agent_type, prompt=prompt, **given)


def done(agent: str | None, text: str, output: int, **fields: Any) -> dict[str, Any]:
    """The result of an agent in the foreground."""
    usage = {
        "input_tokens": 3,
        "cache_creation_input_tokens": 100,
        "cache_read_input_tokens": 1000,
        "output_tokens": output,
    }
    named = {"status": "completed", "agentId": agent} if agent else {}
    return {
        **named,
        "content": [{"type": "text", "text": text}],
        "totalTokens": 1103 + output,
        "totalToolUseCount": 1,
        "totalDurationMs": 5000,
        "usage": usage,
        **fields,
    }


def notification(agent: str, tool_id: str, text: str, status: str = "completed") -> str:
    return (
        f"<task-notification>\n<task-id>{agent}</task-id>\n<tool-use-id>{tool_id}</tool-use-id>\n"
        f'<status>{status}</status>\n<summary>Agent "look" {status}</summary>\n'
        f"<result>{text}</result>\n<usage>total_tokens: 1500\ntool_uses: 1\n"
        "duration_ms: 900</usage>\n</task-notification>"
    )


def foreground() -> list[Transcript]:
    """2.1 before background became the default: a placeholder for the last output."""
    parent = Transcript(f"{S1}.jsonl", S1)
    parent.hears("do it")
    parent.says("m-p1", "I'll ask.", launch("T1", "Explore", "Look at lib", description="look"))
    agent = Transcript(f"{S1}/subagents/agent-a000001.jsonl", S1, "a000001", start=2)
    agent.hears("Look at lib")
    agent.says(
        "m-a1",
        "Reading.",
        tool("R1", "Read", file_path=f"{CWD}/lib/a.py"),
        tool("R2", "Read", file_path=f"{CWD}/lib/gone.py"),
        output=1,
    )
    agent.gets("R1")
    agent.gets("R2", "no such file", error=True)
    agent.says("m-a2", tool("W1", "Write", file_path="/elsewhere/b.py", content="x"), output=1)
    agent.gets("W1")
    agent.says("m-a3", "All of lib is fine.\n", output=1)
    parent.start = 20
    parent.gets("T1", "All of lib is fine.", done("a000001", "All of lib is fine.\n", 400))
    internal = Transcript(
        f"{S1}/subagents/agent-acompact-ffffff.jsonl", S1, "acompact-ffffff", start=30
    )
    internal.hears("compact")
    internal.says("m-c1", "a summary")
    return [parent, agent, internal]


def background() -> list[Transcript]:
    """Launched and reported later; resumed, so that it returns twice; it has a sidecar."""
    parent = Transcript(f"{S2}.jsonl", S2, start=100)
    parent.says("m-p2", tool("T2", "Agent", prompt="Watch", description="watch", model="opus"))
    launched = {"isAsync": True, "status": "async_launched", "agentId": "a2", "prompt": "Watch"}
    parent.gets("T2", "Async agent launched successfully.\nagentId: a2", launched)
    agent = Transcript(f"{S2}/subagents/agent-a2.jsonl", S2, "a2", start=101)
    agent.hears("Watch")
    agent.says("m-b1", "Done.", stop="end_turn")
    agent.start += 5
    agent.hears("Once more")
    agent.says("m-b2", tool("T3", "Agent", prompt="Help", subagent_type="helper"), stop="tool_use")
    agent.gets("T3", "helped", done("a3", "helped", 5))
    agent.says("m-b3", "Done.", stop="end_turn")
    nested = Transcript(f"{S2}/subagents/agent-a3.jsonl", S2, "a3", start=109)
    nested.hears("Help")
    nested.says("m-n1", "helped", stop="end_turn", output=5)
    first = notification("a2", "T2", "Done.")
    parent.start += 1
    parent.add("queue-operation", operation="enqueue", content=first)
    parent.hears(first)
    parent.start += 20
    parent.hears(notification("a2", "T2", "Done.").replace("900", "901"))
    return [parent, agent, nested]


def inline() -> list[Transcript]:
    """1.0: the agent's lines stand in the session's file, without an id of its own."""
    whole = Transcript(f"{S3}.jsonl", S3, start=200)
    whole.hears("do it")
    whole.says("m-p3", launch("T4", "Plan", "Plan it", description="plan"))
    whole.add(
        "user",
        isSidechain=True,
        parentUuid=None,
        message={"role": "user", "content": "Plan it"},
    )
    whole.says("m-i1", tool("R3", "Read", file_path=f"{CWD}/plan.md"), isSidechain=True)
    whole.add(
        "user",
        isSidechain=True,
        message={
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "R3", "content": "text"}],
        },
    )
    whole.says("m-i2", "The plan.", isSidechain=True)
    whole.gets("T4", "The plan.", done(None, "The plan.", 77))
    return [whole]


def flat() -> list[Transcript]:
    """Before 2.0.6x: the agent's file beside the session's; this one's launch is lost."""
    agent = Transcript("agent-abcdef0.jsonl", S4, "abcdef0", start=300)
    agent.hears("Find the bug")
    agent.says("m-f1", "Found it.")
    warm = Transcript("agent-abcdef1.jsonl", S4, "abcdef1", start=310)
    warm.hears("Warmup")
    warm.says("m-w1", "I'm ready.")
    return [agent, warm]


def troubled() -> list[Transcript]:
    """Launches that came to nothing, and a success that was none."""
    parent = Transcript(f"{S5}.jsonl", S5, start=400)
    for number in range(5, 9):
        parent.says(f"m-t{number}", launch(f"T{number}", "general", f"try {number}"))
    parent.gets("T5", "Agent type 'x' not found", "Error: Agent type 'x' not found", error=True)
    parent.gets("T6", "rejected", "User rejected tool use", error=True)
    parent.gets("T7", "x", done("a7", "API Error: Rate limit reached", 0))
    parent.hears(notification("a8", "T8", "", status="killed"))
    return [parent]


def everything() -> list[Transcript]:
    return [*foreground(), *background(), *inline(), *flat(), *troubled()]


SIDECAR = {"agentType": "watcher", "description": "watch it", "toolUseId": "T2", "spawnDepth": 1}


def write_home(home: Path) -> Path:
    """A configuration folder of Claude Code with all of it."""
    for transcript in everything():
        transcript.write(home)
    sidecar = home / f"projects/-home-dev-app/{S2}/subagents/agent-a2.meta.json"
    sidecar.write_text(json.dumps(SIDECAR))
    return home
