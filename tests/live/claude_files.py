"""The files that Claude Code writes while agents run, written line by line as it does."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orch_tui.live.live_agent import LiveAgent, LiveSnapshot
from orch_tui.live.live_view import KnownRuns, LiveView, NoRecord
from orch_tui.prepare.catalogue import load_catalogue

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()
SESSION = "8e3cdeb6-0c42-4ea1-a109-8e3e63c5e7dc"
VERSION = "2.1.332"
OPUS = "claude-opus-5-5"
"""A model with a window of a million tokens and a price."""


def stamp(second: float) -> str:
    """A time as transcripts write it, so many seconds after noon."""
    return datetime.fromtimestamp(NOON + second, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def start_of(pid: int) -> str:
    """The start of a process in clock ticks: field 22 of its stat."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


class AgentWriter:
    """One agent's transcript and sidecar; ``at`` is in seconds after noon."""

    def __init__(
        self, folder: Path, agent_id: str, session: str, cwd: str = "/home/dev/project"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.agent_id = agent_id
        self.path = folder / f"agent-{agent_id}.jsonl"
        self.session = session
        self.cwd = cwd
        self.messages = 0

    def line(self, kind: str, at: float, **fields: Any) -> bytes:
        entry = {
            "parentUuid": None,
            "isSidechain": True,
            "agentId": self.agent_id,
            **{"type": kind, "uuid": f"{self.agent_id}-{at}", "timestamp": stamp(at)},
            **{"cwd": self.cwd, "sessionId": self.session, "version": VERSION},
            **fields,
        }
        return json.dumps(entry, separators=(",", ":")).encode() + b"\n"

    def append(self, data: bytes) -> AgentWriter:
        with self.path.open("ab") as file:
            file.write(data)
        return self

    def sidecar(self, at: float = 0, **fields: Any) -> AgentWriter:
        path = self.path.with_name(f"agent-{self.agent_id}.meta.json")
        noted = {"agentType": "Explore", "description": "Look around", "spawnDepth": 1, **fields}
        fresh = path.with_suffix(".tmp")
        fresh.write_text(json.dumps(noted))
        os.utime(fresh, (NOON + at, NOON + at))
        fresh.rename(path)
        return self

    def prompt(self, at: float, text: str = "Look around") -> AgentWriter:
        return self.append(self.line("user", at, message={"role": "user", "content": text}))

    def told(self, at: float, text: str) -> AgentWriter:
        content = [{"type": "text", "text": text}]
        return self.append(self.line("user", at, message={"role": "user", "content": content}))

    def request(self, at: float) -> AgentWriter:
        return self.append(self.line("api-request", at, params={"betas": ["b" * 30] * 9}))

    def message(
        self,
        at: float,
        *blocks: dict[str, Any],
        stop: str | None,
        name: str = "",
        context: int = 10_000,
        output: int = 50,
        model: str = OPUS,
        **fields: Any,
    ) -> bytes:
        """The lines of one message of the model, the usage repeated in each."""
        self.messages += 1
        name = name or f"msg_{self.agent_id}_{self.messages}"
        usage = {
            **{"input_tokens": 10, "cache_creation_input_tokens": 990},
            **{"cache_read_input_tokens": context - 1000, "output_tokens": output},
        }
        return b"".join(
            self.line(
                "assistant",
                at,
                message={
                    **{"id": name, "type": "message", "role": "assistant", "model": model},
                    **{"content": [block], "stop_reason": stop, "usage": usage},
                },
                **fields,
            )
            for block in blocks
        )

    def says(self, at: float, text: str, *, stop: str = "end_turn", **usage: Any) -> AgentWriter:
        return self.append(self.message(at, {"type": "text", "text": text}, stop=stop, **usage))

    def calls(
        self, at: float, *calls: tuple[str, str, dict[str, Any]], **usage: Any
    ) -> AgentWriter:
        """Call tools, each by the id of the call, its name and its input."""
        blocks = [
            {"type": "tool_use", "id": call_id, "name": tool, "input": given}
            for call_id, tool, given in calls
        ]
        return self.append(self.message(at, *blocks, stop="tool_use", **usage))

    def answers(self, at: float, call_id: str, content: str = "ok", **fields: Any) -> AgentWriter:
        block = {"tool_use_id": call_id, "type": "tool_result", "content": content}
        message = {"role": "user", "content": [block]}
        return self.append(self.line("user", at, message=message, **fields))

    def api_error(self, at: float) -> AgentWriter:
        block = {"type": "text", "text": "API Error: 529 Overloaded"}
        self.append(
            self.line(
                "assistant",
                at,
                isApiErrorMessage=True,
                message={
                    **{"id": "x", "model": "<synthetic>", "role": "assistant", "content": [block]},
                    **{"stop_reason": "stop_sequence", "usage": {"input_tokens": 0}},
                },
            )
        )
        return self

    def interrupted(self, at: float) -> AgentWriter:
        return self.told(at, "[Request interrupted by user]")


class ClaudeFiles:
    """A configuration folder of Claude Code, and a project it works in."""

    def __init__(self, folder: Path, cwd: str = "/home/dev/project") -> None:
        self.folder = folder / "claude"
        self.root = folder / "project"
        (self.root / ".claude").mkdir(parents=True)
        self.cwd = cwd
        self.project = self.folder / "projects" / "".join(c if c.isalnum() else "-" for c in cwd)
        self.project.mkdir(parents=True)

    def client(
        self, pid: int | None = None, session: str = SESSION, at: float = -100, **fields: Any
    ) -> Path:
        """``sessions/PID.json`` of a client (this process, where no other is named)."""
        pid = os.getpid() if pid is None else pid
        path = self.folder / "sessions" / f"{pid}.json"
        path.parent.mkdir(exist_ok=True)
        noted = {
            **{"pid": pid, "sessionId": session, "cwd": str(self.root), "status": "busy"},
            **{"startedAt": round((NOON + at) * 1000), "version": VERSION},
            **({} if "procStart" in fields else {"procStart": start_of(pid)}),
            **fields,
        }
        path.write_text(json.dumps(noted))
        return path

    def agent(
        self,
        agent_id: str = "a0123456789abc001",
        session: str = SESSION,
        run: str = "",
        **noted: Any,
    ) -> AgentWriter:
        """An agent of a session, with its sidecar; ``run`` is the workflow it is of."""
        folder = self.project / session / "subagents"
        writer = AgentWriter(
            folder / "workflows" / run if run else folder, agent_id, session, self.cwd
        )
        return writer.sidecar(**noted)


class Follower:
    """A view on such files, with the clock in hand."""

    def __init__(self, files: ClaudeFiles, runs: KnownRuns | None = None) -> None:
        known = runs or NoRecord()
        self.view = LiveView(
            str(files.root), str(files.folder), catalogue=load_catalogue(), runs=lambda: known
        )

    def look(self, at: float) -> LiveSnapshot:
        return self.view.look_until_done(NOON + at)

    def agent(self, at: float) -> LiveAgent:
        """The only agent there is."""
        (agent,) = self.look(at).agents
        return agent

    def doing(self, at: float) -> str:
        return self.agent(at).doing
