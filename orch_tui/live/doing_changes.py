"""What changed from one look at running agents to the next, for who follows them line by line."""

from __future__ import annotations

from collections.abc import Iterator

from orch_tui.frozen import frozen
from orch_tui.live.live_agent import LiveAgent, LiveSnapshot

LEAST_BETWEEN = 1.0
"""Seconds between two changes of one agent that are told; what changed meanwhile is told then."""


@frozen
class Doing:
    """What an agent does since a change; the keys of a line of ``orch watch --doing`` in JSON."""

    at: str
    """Of the look that saw it."""
    event: str
    """``doing``."""
    execution_id: str | None
    agent_id: str
    parent: str | None
    """The agent that launched it."""
    agent_type: str
    state: str
    tool: str | None
    target: str | None
    since: str
    calls: int
    context: int
    window: int | None
    cost: float | None
    """USD so far."""
    subtree: float | None
    """USD so far, with its children and theirs."""
    marks: tuple[str, ...]
    evidence: str
    doing: str
    """The state in words, for people."""


def make_doing(agent: LiveAgent, at: str) -> Doing:
    """Make the event of what an agent does."""
    return Doing(
        at=at,
        event="doing",
        execution_id=agent.execution_id,
        agent_id=agent.agent_id,
        parent=agent.parent,
        agent_type=agent.agent_type,
        state=agent.state,
        tool=agent.tool or None,
        target=agent.target or None,
        since=agent.since,
        calls=agent.calls,
        context=agent.context,
        window=agent.window,
        cost=agent.cost,
        subtree=agent.subtree_cost,
        marks=agent.marks,
        evidence=agent.evidence,
        doing=agent.doing,
    )


class DoingChanges:
    """Remembers what was told of each agent, and when."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], tuple[object, float]] = {}

    def find(self, snapshot: LiveSnapshot, now: float) -> Iterator[LiveAgent]:
        """Find the agents that do something else than was told, each at most once a second."""
        seen = {(agent.claude_session, agent.agent_id): agent for agent in snapshot.agents}
        for key in self._told.keys() - seen.keys():
            del self._told[key]
        for key, agent in seen.items():
            doing = (agent.doing, agent.marks, agent.since if agent.tool else "")
            told, at = self._told.get(key, (None, now - LEAST_BETWEEN))
            if doing != told and now - at >= LEAST_BETWEEN:
                self._told[key] = doing, now
                yield agent
