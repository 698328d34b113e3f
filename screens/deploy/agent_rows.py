"""The runs as rows in sections: who needs somebody, runs, came back, can be handed over."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from orch_tui.live.live_words import percentage
from orch_tui.screens.theme import SIGNS
from orch_tui.screens.widgets.row_list import Accent, Column, Row
from orch_tui.screens.widgets.safe import flat, one_line
from orch_tui.screens.widgets.words import format_duration
from orch_tui.times import ago, between

if TYPE_CHECKING:
    from orch_tui.live.live_agent import LiveAgent, LiveSnapshot
    from orch_tui.recall.run_endings import RunEnding
    from orch_tui.record.deployable import Deployable

WIDE = 100
"""Cells from which a row has all its columns."""

OLD = 24 * 3600
"""Seconds from which a run that nobody sees is doubted: its agent hardly still runs."""

NARROW = 72
"""Cells from which names of agents are whole, as most are."""

_BAR = 6

_SIGN = Column("", 2, right=True, state=True, gives_way=-1)
_SINCE = Column("since", 7, right=True, gives_way=-1)


@dataclass(frozen=True, slots=True)
class Board:
    """What is shown: agents as they are seen, and what the record holds."""

    agents: Sequence[LiveAgent] = ()
    """Parents before their children."""
    endings: Mapping[str, RunEnding] = field(default_factory=dict)
    waiting: Sequence[str] = ()
    """Executions that have not returned."""
    back: Sequence[str] = ()
    """Those that came back and were not looked at when the list was opened."""
    unseen: Collection[str] = ()
    """Those of them that are not looked at yet."""
    planned: Sequence[Deployable] = ()
    """The agents of the plan."""
    earlier: Sequence[str] = ()
    drafts: Collection[str] = ()
    """Executions whose message was begun."""
    now: str = ""


def agent_key_of(agent: LiveAgent) -> str:
    """The key of an agent's row: its execution, or its own name where the record knows none."""
    return agent.execution_id or f"agent:{agent.claude_session}/{agent.agent_id}"


def planned_key_of(choice: Deployable) -> str:
    """The key of the row of a planned agent."""
    return f"planned:{choice.planned}"


def columns_for(width: int, rows: Sequence[Row] = ()) -> tuple[Column, ...]:
    """The columns there is room for in a list of so many cells; of figures that no row has, none
    is there."""
    columns = _list_columns(width)
    held = {number for row in rows for number, cell in enumerate(row.cells) if cell}
    return tuple(
        replace(column, hidden=bool(rows) and column.gives_way > 0 and number not in held)
        for number, column in enumerate(columns)
    )


def _list_columns(width: int) -> tuple[Column, ...]:
    name = Column("agent", 20 if width >= NARROW else 15, bold=True, gives_way=-1)
    if width < WIDE:
        share = Column("context", 7, right=True, gives_way=1)
        return (_SIGN, name, Column("doing"), _SINCE, share)
    bar = Column(" context", 1 + _BAR + 7, gives_way=2)
    cost = Column("cost $", 7, right=True, gives_way=1)
    return (_SIGN, name, Column("for what"), Column("doing"), _SINCE, bar, cost)


def shown_agents(live: LiveSnapshot | None, waiting: Collection[str]) -> list[LiveAgent]:
    """The agents that have a row: who runs, and who ended while the record still waits."""
    agents = live.agents if live else ()
    return [a for a in agents if not a.has_ended or (a.execution_id or "") in waiting]


def arrange_rows(board: Board, width: int) -> list[Row]:
    """Arrange rows in sections, agents as trees.

    A tree moves whole, and only when its class changes, never with its figures.
    """
    seen = {agent_key_of(agent) for agent in board.agents}
    trees = _make_trees(board.agents)
    asking = [tree for tree in trees if any(agent.needs_somebody for agent in tree)]
    running = [tree for tree in trees if tree not in asking]
    unseen = [label for label in board.waiting if label not in seen and label in board.endings]
    back = [label for label in board.back if label not in seen and label in board.endings]
    earlier = [e for e in board.earlier if e not in seen and e not in board.back]
    ready = [choice for choice in board.planned if not choice.runs]
    not_looked_at = sum(label in board.unseen for label in back)
    came_back = "Came back, not looked at" if not_looked_at else "Came back"
    drawn = _Rows(board, width >= WIDE)
    sections = (
        ("Needs you", "asks", [r for tree in asking for r in drawn.of_tree(tree)], len(asking)),
        ("Running", "", [r for tree in running for r in drawn.of_tree(tree)], 0),
        (came_back, "", [drawn.of_ending(board.endings[x]) for x in back], not_looked_at),
        ("Waiting", "", [drawn.of_waiting(board.endings[x]) for x in unseen], 0),
        ("Can be handed over", "", [drawn.of_planned(choice) for choice in ready], 0),
        (
            "Earlier",
            "",
            [drawn.of_ending(board.endings[x]) for x in earlier if x in board.endings],
            0,
        ),
    )
    return [row for section in sections for row in _make_section(*section)]


def _make_section(word: str, style: str, rows: Sequence[Row], count: int) -> Iterator[Row]:
    if rows:
        yield Row(f"section:{word}", (word, str(count or len(rows))), style, section=True)
        yield from rows


def _make_trees(agents: Sequence[LiveAgent]) -> list[list[LiveAgent]]:
    trees: list[list[LiveAgent]] = []
    for agent in agents:
        if agent.depth and trees:
            trees[-1].append(agent)
        else:
            trees.append([agent])
    return trees


class _Rows:
    """Rows for one width."""

    def __init__(self, board: Board, is_wide: bool) -> None:
        self._board = board
        self._is_wide = is_wide

    def of_tree(self, tree: Sequence[LiveAgent]) -> Iterator[Row]:
        for number, agent in enumerate(tree):
            after = tree[number + 1 :]
            deeper = next((a for a in after if a.depth <= agent.depth), None)
            is_last = deeper is None or deeper.depth < agent.depth
            yield self._of_agent(agent, is_last)

    def _of_agent(self, agent: LiveAgent, is_last: bool) -> Row:
        state = _state_of(agent)
        doing, accents = _word_doing(agent, state)
        name, own = _name_in_tree(agent, is_last)
        is_alarming = state in ("asks", "warn", "bad") and not agent.has_ended
        since: tuple[Accent, ...] = ((0, 9, state),) if is_alarming else ()
        cost = "" if agent.cost is None else f"{'≥' * agent.is_partial}{agent.cost:.2f}"
        return self._make_row(
            agent_key_of(agent),
            (_SIGN_OF[state], state),
            (name, own),
            agent.scope,
            (doing, accents),
            (format_duration(agent.seconds), since),
            (agent.filled, percentage(agent)),
            cost,
        )

    def of_waiting(self, ending: RunEnding) -> Row:
        """A run of which no agent is seen."""
        waited = between(ending.deployed_at, self._board.now)
        is_old = waited is not None and waited.total_seconds() >= OLD
        draft = "✎ draft" if ending.execution_id in self._board.drafts else ""
        doing = draft or ("nothing heard since" if is_old else "c records it")
        style = "warn" if is_old else "dim"
        accents: tuple[Accent, ...] = ((0, len(doing), "asks" if draft else style),)
        if not self._is_wide:
            doing, accents = (f"{draft} · {ending.scope}" if draft else ending.scope), ()
        since = ago(ending.deployed_at, self._board.now)
        return self._make_row(
            ending.execution_id,
            (SIGNS["doubt"], "warn") if is_old else (SIGNS["running"], "running"),
            (ending.agent_type, ()),
            ending.scope,
            (doing, accents),
            (since, ((0, 9, "warn"),) if is_old else ()),
            (None, ""),
            "",
        )

    def of_ending(self, ending: RunEnding) -> Row:
        """A run that came back: why it failed or is in doubt, or its first words."""
        failed = ending.went_well is False
        sign = (SIGNS["failed"], "bad") if failed else (SIGNS["done"], "ok")
        is_unseen = ending.execution_id in self._board.unseen
        words = ending.words or ("no reason was given" if failed else "no message")
        doing = words if failed or not ending.words else f"“{words[:200]}”"
        if ending.went_well is None:
            sign, doing = (SIGNS["doubt"], "warn"), f"in doubt: {ending.doubt}"
        elif ending.failed_checks and not failed:
            checks = one_line(", ".join(ending.failed_checks), 60)
            sign, doing = (SIGNS["doubt"], "warn"), f"{checks} failed · {doing}"
        accents: tuple[Accent, ...] = ()
        if ending.execution_id in self._board.drafts:
            doing, accents = f"✎ draft · {doing}", ((0, 7, "asks"),)
        share = "" if ending.filled is None else f"{ending.filled * 100:.0f} %"
        return self._make_row(
            ending.execution_id,
            sign,
            (ending.agent_type, () if is_unseen else ((0, 99, ""),)),
            ending.scope,
            (doing, accents),
            (ago(ending.completed_at, self._board.now), ((0, 9, "dim"),)),
            (ending.filled, share),
            "" if ending.cost_usd is None else f"{ending.cost_usd:.2f}",
        )

    def of_planned(self, choice: Deployable) -> Row:
        """A planned agent: ready, or after whom."""
        names = {each.planned: each.agent_type for each in self._board.planned}
        others = ", ".join(names.get(position, str(position)) for position in choice.waits_for)
        doing = f"after {others}" if others else "ready"
        accents: tuple[Accent, ...] = () if others else ((0, len(doing), "bold"),)
        if not others:
            told = f"  ~{choice.count.tokens:,} tokens" if choice.count else "  no bundle"
            accents += ((len(doing), len(doing + told), "dim"),)
            doing += told
        if not self._is_wide:
            doing, accents = f"{doing}  {choice.scope}", ()
        return self._make_row(
            planned_key_of(choice),
            (SIGNS["planned"], "planned"),
            (choice.agent_type, ()),
            choice.scope,
            (doing, accents),
            ("", ()),
            (None, ""),
            "",
        )

    def _make_row(
        self,
        key: str,
        sign: tuple[str, str],
        name: tuple[str, tuple[Accent, ...]],
        scope: str,
        doing: tuple[str, tuple[Accent, ...]],
        since: tuple[str, tuple[Accent, ...]],
        filled: tuple[float | None, str],
        cost: str,
    ) -> Row:
        share, text = filled
        told = "warn" if share is not None and share >= _NEARLY_FULL else ""
        if not self._is_wide:
            figure = f"{text}{'!' * bool(told)}"
            doubt: tuple[Accent, ...] = ((0, 9, told),) if told else ()
            parts = [name, doing, since, (figure, doubt)]
        else:
            dim: tuple[Accent, ...] = ((0, len(scope), "dim"),)
            parts = [name, (scope, dim), doing, since, _draw_bar(share, text, told), (cost, ())]
        cells = (sign[0], *(cell for cell, _ in parts))
        accents = tuple((number, part[1]) for number, part in enumerate(parts, start=1))
        return Row(key, cells, sign[1], accents=accents)


_NEARLY_FULL = 0.8
_SIGN_OF = {
    "asks": SIGNS["asks"],
    "warn": SIGNS["doubt"],
    "bad": SIGNS["failed"],
    "ok": SIGNS["done"],
    "running": SIGNS["running"],
}


def _state_of(agent: LiveAgent) -> str:
    """The style of an agent's sign."""
    if agent.needs_somebody:
        return "asks"
    if agent.state in ("failed", "stopped"):
        return "bad"
    if agent.state == "returned":
        return "ok"
    is_odd = agent.state in ("gone", "unknown") or bool({"silent", "loops"} & set(agent.marks))
    return "warn" if is_odd else "running"


def _name_in_tree(agent: LiveAgent, is_last: bool) -> tuple[str, tuple[Accent, ...]]:
    name = agent.agent_type or agent.agent_id
    if not agent.depth:
        return name, ()
    branch = f"{'  ' * (agent.depth - 1)}{'└' if is_last else '├'} "
    return f"{branch}{name}", ((0, len(branch), "rule"), (len(branch), 99, ""))


def _word_doing(agent: LiveAgent, state: str) -> tuple[str, tuple[Accent, ...]]:
    """What it does, with the word of a state in its colour, the tool bold and its target plain."""
    parts: list[tuple[str, str]] = []
    if agent.signs:
        parts.append((agent.signs, "warn" if state == "warn" or "full" in agent.marks else "dim"))
    call = [(agent.tool, "bold"), (flat(agent.target), "")] if agent.tool else []
    if agent.needs_somebody:
        parts = [(agent.state, "asks bold"), *call, *parts]
    elif agent.state == "tool":
        parts = [*parts, *call]
    else:
        told = {"waiting": f"waits for {agent.count}", "retrying": f"tries again ({agent.count})"}
        style = state if state in ("warn", "bad", "ok") else ""
        parts = [*parts, (told.get(agent.state, agent.state), style)]
        parts += [("in", "dim"), *call] if agent.state == "unknown" else []
    if agent.more_calls:
        parts.append((f"+{agent.more_calls} more", "dim"))
    text, accents = "", []
    for word, style in parts:
        if not word:
            continue
        text += "  " if text else ""
        accents.append((len(text), len(text) + len(word), style))
        text += word
    return text, tuple(accents)


def _draw_bar(share: float | None, text: str, told: str) -> tuple[str, tuple[Accent, ...]]:
    """``━━╸─── 48 %``."""
    if share is None:
        return "", ()
    halves = max(1, min(2 * _BAR, round(2 * _BAR * share)))
    full = "━" * (halves // 2) + "╸" * (halves % 2)
    bar = full + "─" * (_BAR - len(full))
    at, end = 1 + len(full), 1 + _BAR
    accents = ((1, at, told or "dim"), (at, end, "rule"), (end, 99, told or ""))
    return f" {bar} {text:>5}{'!' * bool(told)}", accents
