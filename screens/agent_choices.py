"""The agents that a line of a form can be completed to."""

from __future__ import annotations

from collections.abc import Iterable

OWN = "Claude Code's own"
_DOES = {
    "general-purpose": "any task, with all tools",
    "Explore": "searches and reads, changes nothing",
    "Plan": "reads for a plan, changes nothing",
    "fork": "goes on with the whole conversation",
    "statusline-setup": "sets up the status line",
    "claude-code-guide": "answers about Claude Code itself",
}
"""What those of Claude Code do (code.claude.com: sub-agents; October 2026)."""


def list_agent_choices(known: Iterable[str]) -> list[tuple[str, str]]:
    """List agent types with words beside them: the project's own and the user's first, then those
    of Claude Code that work on whatever there is."""
    from orch_tui.prepare.agent_types import BUILT_IN_AGENTS

    ranks = {name: rank for rank, name in enumerate(_DOES, start=1)}

    def order(name: str) -> tuple[int, str]:
        is_own = name in BUILT_IN_AGENTS
        return (ranks.get(name, len(ranks)) if is_own else 0, name.casefold())

    words = {name: f"{OWN}: {does}" for name, does in _DOES.items()}
    return [
        (name, words.get(name, OWN) if name in BUILT_IN_AGENTS else "")
        for name in sorted(known, key=order)
    ]
