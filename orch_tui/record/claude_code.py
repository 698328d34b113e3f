"""What Claude Code calls its agents, as hooks and transcripts both tell of them."""

from __future__ import annotations

import hashlib
import re

from orch_tui.record.ledger.statement import RunEnd

LAUNCHERS = ("Agent", "Task")
"""The tool that launches agents: ``Task`` until 2.1.62."""

STOPPER = "TaskStop"
"""The tool that stops agents in the background, and other tasks."""

REPORTER = "SubagentHandback"
"""The tool by which agents give their report back since 2.1.271, in auto mode."""

AGENT_TASK = "local_agent"
"""What that tool, and those that wait for tasks, call an agent."""

STOPPED: RunEnd = {
    "status": "failed",
    "error_message": "stopped",
    "broke_off": True,
    "ending": "stopped",
}
"""What is said of a run that somebody stopped."""

INTERRUPTED_BY_USER = "interrupted by the user"

INTERRUPTED: RunEnd = {
    "status": "failed",
    "error_message": INTERRUPTED_BY_USER,
    "ending": "interrupted",
}
"""What is said of a run that the user interrupted."""

SIDECAR = ".meta.json"
"""Ends the name of what Claude Code notes of an agent, instead of the ``.jsonl`` of its own."""

INTERRUPTION = "[Request interrupted by user"
"""Begins what stands in a transcript where somebody stopped the run."""

FORK = "fork-context-ref"
"""The type of the first line of a fork's transcript, since 2.1.300 or so."""

_INTERNAL = re.compile(
    r"a(?:compact|prompt_suggestion|side_question|session_memory|speculation|magic_docs"
    r"|extract_memories|away_summary)-"
)
"""Agents that Claude Code runs for itself (``acompact-fffbd0``)."""


def agent_key(claude_session: str, agent_id: str) -> str:
    """What the record knows an agent by; its id is unique in its session only."""
    return f"agent:{claude_session}/{agent_id}"


def tool_key(tool_use_id: str) -> str:
    """What the record knows the launch of an agent by."""
    return f"tool:{tool_use_id}"


NAMELESS_CALLS_BEFORE = (2, 0, 43)
"""The first release whose hooks tell the id of a call."""


def nameless_call_key(claude_session: str, prompt: str) -> str:
    """What the record knows a launch by of which hooks told no id: the prompt stands for it."""
    digest = hashlib.sha256(prompt.encode("utf-8", "replace")).hexdigest()
    return f"call:{claude_session}/{digest[:16]}"


def describe_failure(reason: str) -> str:
    """Why a launch came to nothing, from what Claude Code wrote in place of a result."""
    reason = reason.strip()
    if reason.startswith(INTERRUPTION):
        return INTERRUPTED_BY_USER
    return reason.removeprefix("Error: ")[:2000] or "the call of the agent failed"


def is_internal(agent_id: str) -> bool:
    """Whether it is no agent that anybody deployed."""
    return _INTERNAL.match(agent_id) is not None


_TEAMMATE = re.compile(r"a(.{1,200})-[0-9a-f]{16}")


def name_of_agent(agent_id: str) -> str | None:
    """Read the name an agent was launched with from its id; None for one without a name."""
    named = None if is_internal(agent_id) else _TEAMMATE.fullmatch(agent_id)
    return named[1] if named else None
