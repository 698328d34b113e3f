"""The waiting runs as rows that say what their agents do, a line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from orch_tui.live.live_words import describe_cost, describe_subtree_cost, percentage
from orch_tui.screens.widgets.row_list import Column, Row
from orch_tui.times import lasting

if TYPE_CHECKING:
    from orch_tui.live.live_agent import LiveAgent, LiveSnapshot

WIDE = 100
"""Cells from which a row has all its columns."""

NARROW_COLUMNS = (
    Column("", 1),
    Column("agent", 15),
    Column("doing"),
    Column("for", 6, right=True),
    Column("calls", 5, right=True),
    Column("full", 4, right=True),
)
WIDE_COLUMNS = (
    Column("", 1),
    Column("run", 9),
    Column("agent", 16),
    Column("doing"),
    Column("for", 6, right=True),
    Column("quiet", 6, right=True),
    Column("calls", 7, right=True),
    Column("cost so far", 13, right=True),
    Column("full", 10),
    Column("last words"),
)

_BAR = 5


def agent_key_of(agent: LiveAgent) -> str:
    """The key of an agent's row: its execution, or its own name where the record knows none."""
    return agent.execution_id or f"agent:{agent.claude_session}/{agent.agent_id}"


def columns_for(width: int) -> tuple[Column, ...]:
    """The columns there is room for in a list of so many cells."""
    return WIDE_COLUMNS if width >= WIDE else NARROW_COLUMNS


def shown_agents(live: LiveSnapshot | None, waiting: Mapping[str, object]) -> list[LiveAgent]:
    """The agents that have a row: who runs, and who ended while the record still waits."""
    agents = live.agents if live else ()
    return [a for a in agents if not a.has_ended or (a.execution_id or "") in waiting]


def arrange_rows(agents: Sequence[LiveAgent], others: Sequence[Row], width: int) -> list[Row]:
    """Rows of agents as trees, those that need somebody first, then the ``others``.

    A tree moves only when its class of states changes, never with its figures.
    """
    trees: list[list[LiveAgent]] = []
    for agent in agents:
        if agent.depth and trees:
            trees[-1].append(agent)
        else:
            trees.append([agent])
    trees.sort(key=lambda tree: min(map(_class_of, tree)))
    rows = [_agent_row(agent, width) for tree in trees for agent in tree]
    return rows + list(others)


def waiting_row(cells: Sequence[str], waited: str, style: str, width: int) -> Row:
    """The row of a run of which no agent is seen, of its label, agent type and scope."""
    label, agent_type, scope = cells
    mark = "!" if style else ""
    if width >= WIDE:
        return Row(label, (mark, label, agent_type, scope, waited), style)
    return Row(label, (mark, agent_type, f"{label} · {scope}", waited), style)


def _class_of(agent: LiveAgent) -> int:
    if agent.needs_somebody:
        return 0
    return 1 if _is_alarming(agent) else 2


def _is_alarming(agent: LiveAgent) -> bool:
    troubled = {"silent", "loops", "full"} & set(agent.marks)
    return bool(troubled) or agent.state in ("failed", "gone", "unknown")


def _agent_row(agent: LiveAgent, width: int) -> Row:
    mark = "?" if agent.needs_somebody else "!" if _is_alarming(agent) else ""
    style = "warn" if mark else "dim" if agent.has_ended else ""
    name = f"{'  ' * (agent.depth - 1)}└ " if agent.depth else ""
    name += agent.agent_type or agent.agent_id
    doing = f"{agent.doing} · {agent.signs}" if agent.signs else agent.doing
    least = "≥" if agent.is_partial else ""
    calls = f"{least}{agent.calls}"
    key, lasted = agent_key_of(agent), lasting(agent.seconds)
    if width < WIDE:
        return Row(key, (mark, name, doing, lasted, f"{calls}c", _full(agent)), style)
    if agent.subtree_calls != agent.calls:
        calls += f"/{agent.subtree_calls}"
    cost = describe_cost(agent.cost, is_partial=agent.is_partial)
    if agent.subtree_cost != agent.cost:
        cost += f"/{describe_subtree_cost(agent)}"
    quiet = lasting(agent.quiet)
    cells = (mark, agent.execution_id or "-", name, doing, lasted, quiet, calls, cost)
    return Row(key, (*cells, _bar(agent), agent.words), style)


def _full(agent: LiveAgent) -> str:
    return percentage(agent).replace(" ", "")


def _bar(agent: LiveAgent) -> str:
    if agent.filled is None:
        return ""
    filled = min(_BAR, round(_BAR * agent.filled))
    return f"{'━' * filled}{'─' * (_BAR - filled)} {_full(agent)}"
