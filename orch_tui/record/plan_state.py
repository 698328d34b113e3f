"""How far the agents of a plan are: which can start, run, came back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.values import WENT_WELL
from orch_tui.record import plan

Progress = Literal["blocked", "ready", "deployed", "completed", "failed", "unverified"]


@frozen
class PlannedState:
    """How far one planned agent is."""

    agent_type: str
    progress: Progress
    """The status of its last attempt, ``unverified`` where that is in doubt; before there is one,
    whether agents that it waits for are out."""
    execution_id: str | None
    """Its last attempt."""
    runs: int
    """Attempts there were, without retracted ones."""
    outstanding: tuple[int, ...]
    """Positions of the agents it waits for of which no attempt has completed."""


def read_plan_states(record: Record, session_id: str) -> dict[int, PlannedState]:
    """Read the state of each planned agent of a session, by its position."""
    with record.read():
        planned = plan.list_planned_agents(record, session_id)
        waits = plan.list_waits(record, session_id)
        attempts: dict[int, list[tuple[str, str, int | None]]] = {}
        for planned_id, label, status, went_well in record.sql(
            f"SELECT planned_id, execution_id, status, {WENT_WELL} FROM agent_executions "
            "WHERE session_id = ? AND planned_id IS NOT NULL AND retracted_at IS NULL "
            "ORDER BY deployed_at, rowid",
            [session_id],
        ):
            attempts.setdefault(planned_id, []).append((label, status, went_well))
    completed = {
        agent.position
        for agent in planned
        if any(status == "completed" for _, status, _ in attempts.get(agent.planned_id, ()))
    }
    states = {}
    for agent in planned:
        runs = attempts.get(agent.planned_id, [])
        outstanding = tuple(p for p in waits[agent.position] if p not in completed)
        progress: Progress = "blocked" if outstanding else "ready"
        if runs:
            _, status, went_well = runs[-1]
            progress = "deployed" if status == "deployed" else _ENDED[went_well]
        label = runs[-1][0] if runs else None
        states[agent.position] = PlannedState(
            agent.agent_type, progress, label, len(runs), outstanding
        )
    return states


_ENDED: dict[int | None, Progress] = {1: "completed", 0: "failed", None: "unverified"}


def describe_outstanding(states: dict[int, PlannedState], position: int) -> Iterator[str]:
    """Say for which agents a planned agent should have waited, and how far each of them is."""
    for other in states[position].outstanding:
        state = states[other]
        how = f"{state.execution_id} {_HOW[state.progress]}" if state.execution_id else "not begun"
        yield (
            f"planned agent {position} is deployed before {other} ({state.agent_type}) "
            f"completed, which it waits for: {how}"
        )


_HOW = {"deployed": "has not returned", "failed": "failed"}
"""Of an agent that is outstanding: none of its attempts has completed."""
