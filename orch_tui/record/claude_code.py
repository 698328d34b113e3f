"""What Claude Code calls its agents, as hooks and transcripts both tell of them."""

from __future__ import annotations

import re

from orch_tui.record.ledger.statement import RunEnd

LAUNCHERS = ("Agent", "Task")
"""The tool that launches agents: ``Task`` until 2.1.62."""

STOPPER = "TaskStop"
"""The tool that stops agents in the background, and other tasks."""

AGENT_TASK = "local_agent"
"""What that tool, and those that wait for tasks, call an agent."""

STOPPED: RunEnd = {"status": "failed", "error_message": "stopped", "broke_off": True}
"""What is said of a run that somebody stopped."""

SIDECAR = ".meta.json"
"""Ends the name of what Claude Code notes of an agent, instead of the ``.jsonl`` of its own."""

INTERRUPTED = "[Request interrupted by user"
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


def describe_failure(reason: str) -> str:
    """Why a launch came to nothing, from what Claude Code wrote in place of a result."""
    reason = reason.strip()
    if reason.startswith(INTERRUPTED):
        return "interrupted by the user"
    return reason.removeprefix("Error: ")[:2000] or "the call of the agent failed"


def is_internal(agent_id: str) -> bool:
    """Whether it is no agent that anybody deployed."""
    return _INTERNAL.match(agent_id) is not None
