"""The agents that a line of a form can be completed to."""

from __future__ import annotations

from collections.abc import Iterable


def list_agent_choices(known: Iterable[str]) -> list[tuple[str, str]]:
    """List agent types with words beside them, the project's own and the user's first."""
    from orch_tui.prepare.agent_types import BUILT_IN_AGENTS

    names = sorted(known, key=lambda name: (name in BUILT_IN_AGENTS, name.casefold()))
    return [(name, "Claude Code's own" if name in BUILT_IN_AGENTS else "") for name in names]
