"""The first page of Insights: what is new, runs and cost a day, who fails, what is next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget

from orch_tui.phases import PHASES
from orch_tui.screens.insights.day_columns import LEGEND, DayColumns, day_column
from orch_tui.screens.insights.figures import outcome_cells
from orch_tui.screens.insights.one_pane import ONE, bring_forward, turn_to
from orch_tui.screens.insights.queries import bucket_query, quoted
from orch_tui.screens.split_panes import SplitPanes
from orch_tui.screens.theme import SIGNS
from orch_tui.screens.widgets.row_list import Column, Row, Rows
from orch_tui.screens.widgets.safe import one_line
from orch_tui.times import ago, moment_of
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.app import OrchApp
    from orch_tui.live.live_agent import LiveAgent, LiveSnapshot
    from orch_tui.recall.activity import Activity, Doubt, RunGroup, TimeBucket
    from orch_tui.recall.insights.group_outcomes import GroupOutcome
    from orch_tui.recall.next_step import NextStep
    from orch_tui.recall.run_endings import RunEnding
    from orch_tui.rows import Session

NEWS = (
    Column("", 1, state=True, gives_way=-1),
    Column("", 12, state=True, gives_way=-1),
    Column("", 22, bold=True, gives_way=-1),
    Column(""),
    Column("", 6, right=True, gives_way=-1),
    Column("", 1, own="here", bold=True, gives_way=-1),
)
AGENTS = (
    Column("agent type", 19, bold=True, gives_way=-1),
    Column("success", bar=True, least=8),
    Column("", 5, right=True, bold=True, gives_way=-1),
    Column("95 %", 6, right=True, gives_way=1),
    Column("n", 5, right=True, gives_way=-1),
    Column("✗", 4, right=True, state=True, gives_way=-1),
)
STEPS = (
    Column("", 1, state=True, gives_way=-1),
    Column("next step", 18, bold=True, gives_way=-1),
    Column("of the session"),
)
DOUBTS = (
    Column("", 1, state=True, gives_way=-1),
    Column("", 3, right=True, bold=True, gives_way=-1),
    Column(""),
)
PANES = {
    "agents": "success",
    "steps": "sessions",
    "doubts": "doubts",
    "runs-a-day": "runs a day",
    "cost-a-day": "cost",
}
"""What stands below the news, in the order in which it is told where there is little room."""
BESIDE = 40
"""Cells of the sessions from which what they are about stands beside the next step."""
NONE = "-none"
"""The class of a pane of which there is nothing to show."""
STACKED = {"agents": 9, "steps": 7}
"""The most lines of lists that stand one above the other."""
QUIET = "Nothing waits, and nothing came back since."
LETTERS = {"asks": "a", "waiting": "t", "failed": "f", "returned": "b", "drafted": "d"}
"""The key that goes to what a row of the news tells of."""
_STYLES = {"planned": "", "running": "running", "failed": "bad", "doubt": "warn"}
"""The styles of sessions by the states of signs."""
ALL = "all"
"""The key of the row that sums up all agent types."""


@dataclass(frozen=True, slots=True)
class NewsLine:
    """One thing that is new, and how one goes there."""

    row: Row
    go: Callable[[OrchApp], None]


class NewsRows(Rows):
    """What is new."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "go there")]


class OverviewRows(Rows):
    """Success by agent type, or doubts."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "its runs in History")]


class Steps(Rows):
    """Open sessions."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "its plan")]


class Overview(Vertical):
    """Panes that are each a list or a plot; Enter in any of them goes to what it tells of."""

    app: OrchApp

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name
        super().__init__(id=id)
        self._news: dict[str, NewsLine] = {}
        self._activity: Activity | None = None
        self._weekly = False
        self.within = ""
        """The filter for what the figures are of, for a query."""
        self._steps: Mapping[str, NextStep] = {}
        self._facts: dict[Widget, list[Content]] = {}
        """What there is to tell at the lower edges of panes, shorter and shorter."""

    def compose(self) -> ComposeResult:
        yield _titled(
            NewsRows(NEWS, id="news", classes="pane", titled=False), "Since you were here"
        )
        with Horizontal(id="plots"):
            yield _titled(DayColumns(id="runs-a-day", classes="pane"), "Runs a day")
            cost = DayColumns(id="cost-a-day", classes="pane", plain=True)
            yield _titled(cost, "Cost a day, $")
        with SplitPanes(id="below"):
            yield _titled(
                OverviewRows(AGENTS, id="agents", classes="pane"), "Success by agent type"
            )
            with Vertical(id="next"):
                yield _titled(Steps(STEPS, id="steps", classes="pane"), "Sessions")
                yield _titled(
                    OverviewRows(DOUBTS, id="doubts", classes="pane", titled=False), "Doubts"
                )

    def on_resize(self) -> None:
        plots, below = self.query_one("#plots"), self.query_one("#below")
        if self.screen.has_class("-narrow"):
            self.move_child(plots, after=below)
        else:
            self.move_child(plots, before=below)
        for name in STACKED:
            self._fit(self.query_one(f"#{name}", Rows))
        for pane in self._facts:
            self.call_after_refresh(self._write_edge, pane)
        self.call_after_refresh(self._show_steps_again)

    def _show_steps_again(self) -> None:
        """Show the steps as they are known by then: they may be read while it is laid out."""
        if self._activity is not None:
            self.show_steps(self._activity.sessions, self._steps)

    def _fit(self, table: Rows) -> None:
        """Give a list as many lines as it needs where lists stand one above the other."""
        if self.screen.has_class("-narrow") and not self.screen.has_class(ONE):
            needed = len(table.rows) + 3  # its titles, and the border
            table.styles.height = max(4, min(needed, STACKED[f"{table.id}"]))
        else:
            table.styles.clear_rule("height")

    # One pane at a time

    @property
    def panes(self) -> list[Widget]:
        """The panes that have something to show, in their order; first the news."""
        found = [self.query_one(f"#{name}") for name in ("news", *PANES)]
        return [pane for pane in found if not pane.has_class(NONE)]

    def turn(self) -> None:
        """Go to the next pane, and bring it forward where one has the room."""
        panes = self.panes
        here = next((n for n, pane in enumerate(panes) if pane.has_focus), -1)
        turned = panes[(here + 1) % len(panes)]
        self._bring_forward(turned)
        turn_to(turned)

    def on_descendant_focus(self) -> None:
        focused = self.screen.focused
        if focused in self.panes:
            self._bring_forward(focused)

    def _bring_forward(self, pane: Widget) -> None:
        """The news are there always; from them one goes on with the first of the others."""
        panes = self.panes
        bring_forward(panes[1] if pane.id == "news" else pane, panes[1:], self)

    def _tell(self, pane: Widget, *facts: Content | str) -> None:
        """Write at the lower edge of a pane the first of the facts that there is room for."""
        self._facts[pane] = [Content(each) if isinstance(each, str) else each for each in facts]
        self.call_after_refresh(self._write_edge, pane)  # its width may change now

    def _write_edge(self, pane: Widget) -> None:
        """Write what is told of a pane and, where one has the room, what F6 brings."""
        panes, facts = self.panes, self._facts[pane]
        room = self.size.width
        turns = [""]
        if not self.screen.has_class(ONE):
            room = pane.outer_size.width or room
        elif pane in panes:
            names = [PANES[f"{each.id}"] for each in panes[panes.index(pane) + 1 :]]
            turns = [f"F6 {', '.join(names)}", f"F6 {names[0]}"] if names else ["F6 what is new"]
        pairs = [*product(facts, turns), *((Content(), turn) for turn in turns)]
        tried = [
            Content.assemble(told, " · " if told and turn else "", turn) for told, turn in pairs
        ]
        pane.border_subtitle = next((e for e in tried if e.cell_length <= room - 6), tried[-1])

    # Showing

    def show(self, activity: Activity, since: str | None, now: str, *, weekly: bool) -> None:
        """Show what was gathered; ``since`` is when the user was here last, None: never."""
        self._activity, self._weekly = activity, weekly
        news = self.query_one("#news", Rows)
        news.border_title = "Since you were here" if since else "Now, and in the last day"
        if since and (told := _tell_since(since, now)):
            news.border_title = f"Since you were here, {told}"
        self.show_news(now)
        self._show_days(activity.buckets)
        self._show_agents(activity.agents)
        self._show_doubts(activity.doubts)
        self.show_steps(activity.sessions, self._steps)
        front = self.screen.focused
        self._bring_forward(front if front in self.panes else self.panes[0])

    def show_news(self, now: str) -> None:
        """Show what is new; called at each look at the agents, too."""
        if self._activity is None:
            return
        lines = [*_list_news(self._activity, self.app.live, self.app.news.unseen, now)]
        self._news = {line.row.key: line for line in lines}
        news = self.query_one("#news", Rows)
        news.styles.height = max(1, len(lines)) + 2 + (not lines)
        news.border_subtitle = "Enter or its letter goes there" if lines else ""
        news.show([line.row for line in lines], empty=QUIET)

    def _show_days(self, buckets: Sequence[TimeBucket]) -> None:
        n = sum(bucket.n for bucket in buckets)
        unknown = sum(bucket.unknown for bucket in buckets)
        cost = sum(bucket.cost_usd for bucket in buckets)
        priced = sum(bucket.n_priced for bucket in buckets)
        runs, costs = (
            self.query_one("#runs-a-day", DayColumns),
            self.query_one("#cost-a-day", DayColumns),
        )
        every = "week" if self._weekly else "day"
        runs.border_title, costs.border_title = f"Runs a {every}", f"Cost a {every}, $"
        runs.show([day_column(b.since, b.failure, b.success) for b in buckets])
        told = f"n {n - unknown:,}" + (f", and {unknown:,} unknown" if unknown else "")
        if not priced:
            told += " · cost unknown"
        self._tell(runs, Content.assemble(*LEGEND, f"   {told}"), told)
        costs.show([day_column(b.since, 0, b.cost_usd) for b in buckets])
        costs.set_class(not priced, NONE)
        if priced:
            unpriced = f" · {n - priced:,} unknown" if n > priced else ""
            self._tell(
                costs,
                f"{cost:,.2f} in all · {cost / priced:,.2f} a run{unpriced}",
                f"{cost:,.2f} in all{unpriced}",
                f"{cost:,.2f}",
            )

    def _show_agents(self, agents: Sequence[GroupOutcome]) -> None:
        from orch_tui.recall.insights.group_outcomes import sum_outcomes

        rows = [_agent_row(agent) for agent in agents]
        table = self.query_one("#agents", Rows)
        if len(agents) > 1:
            rows.append(Row("", ("",), section=True))
            rows.append(_agent_row(sum_outcomes(ALL, agents), ALL))
        unknown = sum(agent.unknown for agent in agents)
        table.show(rows, empty="Nothing is recorded yet.")
        self._fit(table)
        told = f" · {unknown:,} unknown" if unknown else ""
        self._tell(table, f"worst first · of known outcomes{told}", f"worst first{told}")

    def show_steps(self, sessions: Sequence[Session], steps: Mapping[str, NextStep]) -> None:
        """Show open sessions with what is next in them, where that is known."""
        self._steps = steps
        table = self.query_one("#steps", Rows)
        beneath = 0 < table.size.width < BESIDE
        rows = []
        for session in sessions:
            step = steps.get(session.session_id)
            state = "running" if step and step.act == "wait" else "planned"
            if step and step.act == "look":
                state = "failed" if step.agents[0].went_well is False else "doubt"
            words, scope = word_step(step) if step else "", one_line(session.scope)
            cells = (SIGNS[state], words, "" if beneath else scope)
            rows.append(Row(session.session_id, cells, _STYLES[state]))
            if beneath:
                rows.append(Row("", (scope,), "dim", remark=True))
        table.set_columns(STEPS[:2] if beneath else STEPS)
        table.show(rows, empty="No session is open. F1 plans one.")
        self._fit(table)
        self._tell(table, "")

    def _show_doubts(self, found: Sequence[Doubt]) -> None:
        doubts = self.query_one("#doubts", Rows)
        doubts.border_title = f"Doubts · {sum(doubt.n for doubt in found):,}"
        doubts.set_class(not found, NONE)
        doubts.styles.height = min(6, len(found)) + 2
        doubts.show(
            [
                Row(f"{doubt.query}\n{doubt.reason}", ("!", f"{doubt.n:,}", doubt.reason), "warn")
                for doubt in found
            ]
        )
        self._tell(doubts, "")

    # Going there

    def go_by_letter(self, letter: str) -> None:
        """Go where a letter of the news leads, if anywhere."""
        for kind, line in self._news.items():
            if LETTERS[kind] == letter:
                line.go(self.app)
                return

    def leads(self, letter: str) -> bool:
        """Tell whether a letter of the news leads anywhere now."""
        return any(LETTERS[kind] == letter for kind in self._news)

    @on(Rows.Selected, "#news")
    def _news_chosen(self, event: Rows.Selected) -> None:
        self._news[event.key].go(self.app)

    @on(Rows.Selected, "#agents")
    def _agent_chosen(self, event: Rows.Selected) -> None:
        name = event.key.removeprefix("agent ")
        agents = "" if event.key == ALL else f"agent:{quoted(name)} "
        self.app.find_in_history(agents + self.within)

    @on(Rows.Selected, "#steps")
    def _session_chosen(self, event: Rows.Selected) -> None:
        self.app.use_session(event.key)
        self.app.switch_mode("plan")

    @on(Rows.Selected, "#doubts")
    def _doubt_chosen(self, event: Rows.Selected) -> None:
        self.app.find_in_history(f"{event.key.partition(chr(10))[0]} {self.within}")

    @on(DayColumns.Selected)
    def _day_chosen(self, event: DayColumns.Selected) -> None:
        self.app.find_in_history(bucket_query(event.key, weekly=self._weekly) + self.within)


def word_step(step: NextStep) -> str:
    """Word what is next in a session, without the keys that do it in Plan."""
    many = plural(len(step.agents), "agent")
    if step.act == "look":
        failed = step.agents[0].went_well is False
        return f"see {len(step.agents)} {'failed' if failed else 'in doubt'}"
    return {
        "plan": "plan its agents",
        "validate": "check its plan",
        "compose": f"compose {plural(len(step.agents), 'bundle')}",
        "deploy": f"hand over {many}",
        "wait": f"await {many}",
        "collect": "collect results",
        "move": f"go on to {PHASES.get(step.phase, '')}",
        "close": "close it",
        "open": "closed",
    }[step.act]


def _titled(pane: Any, title: str) -> Any:
    pane.border_title = title
    return pane


def _tell_since(since: str, now: str) -> str:
    """Tell when the user was here, as people say it: ``18:40``, ``yesterday 18:40``, ``Nov 21``."""
    moment, here = moment_of(since), moment_of(now)
    if moment is None or here is None:
        return ""
    local, today = moment.astimezone(), here.astimezone()
    days = (today.date() - local.date()).days
    clock = f"{local:%H:%M}"
    if days <= 1:
        return clock if days <= 0 else f"yesterday {clock}"
    return f"{local:%b} {local.day}, {clock}"


def _agent_row(agent: GroupOutcome, key: str = "") -> Row:
    name = "not recorded" if agent.name is None else str(agent.name)
    cells = (one_line(name, 60), *outcome_cells(agent.row("agent_type")))
    return Row(key or f"agent {name}", cells, "bad" if agent.failure else "")


# What is new


def _list_news(
    activity: Activity, live: LiveSnapshot | None, unseen: Sequence[RunEnding], now: str
) -> Iterable[NewsLine]:
    asking = [agent for agent in live.running if agent.needs_somebody] if live else []
    if asking:
        yield _line_of_asking(asking)
    failed, returned = activity.failed, activity.returned
    if unseen:  # as the badges count them: those that somebody has looked at are no news
        failed = _group_endings([each for each in unseen if each.status == "failed"])
        returned = _group_endings([each for each in unseen if each.status != "failed"])
    for kind, sign, word, style, group, go in (
        ("waiting", "running", "waiting", "running", activity.waiting, _show_first),
        ("failed", "failed", "failed", "bad", failed, _show_first if unseen else _to_failed),
        ("returned", "done", "came back", "ok", returned, _show_first if unseen else _to_returned),
        (
            *("drafted", "doubt", "draft" if activity.drafted.n == 1 else "drafts", "warn"),
            *(activity.drafted, _to_draft),
        ),
    ):
        if group.n:
            yield NewsLine(_group_row(kind, sign, word, style, group, now), _bind(go, group))


def _group_endings(endings: Sequence[RunEnding]) -> RunGroup:
    from orch_tui.recall.activity import NAMED, RecentRun, RunGroup

    lines = (
        RecentRun(e.execution_id, e.agent_type, e.scope, e.completed_at or "", one_line(e.words))
        for e in endings[:NAMED]
    )
    return RunGroup(len(endings), tuple(lines))


def _bind(go: Callable[[OrchApp, RunGroup], None], group: RunGroup) -> Callable[[OrchApp], None]:
    return lambda app: go(app, group)


def _line_of_asking(asking: Sequence[LiveAgent]) -> NewsLine:
    first = asking[0]
    row = Row(
        "asks",
        (
            *(SIGNS["asks"], f"{len(asking)} asks", _names(a.agent_type for a in asking)),
            one_line(f"{first.tool} {first.target}".strip() or first.scope, 200),
            *(f"{_brief(first.seconds)}", LETTERS["asks"]),
        ),
        "asks",
    )
    return NewsLine(row, _to_deploy)


def _brief(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds // 60:.0f} min"


def _group_row(kind: str, sign: str, word: str, style: str, group: RunGroup, now: str) -> Row:
    first = group.runs[0]
    text = first.reason or first.scope
    if kind == "drafted":
        text = "its final message, pasted, not recorded"
    names = _names(run.agent_type for run in group.runs)
    return Row(
        kind,
        (
            *(SIGNS[sign], f"{group.n:,} {word}", names, one_line(text, 200)),
            *(ago(first.at, now), LETTERS[kind]),
        ),
        style,
    )


def _names(agent_types: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(one_line(name, 40) for name in agent_types))


def _to_deploy(app: OrchApp) -> None:
    app.switch_mode("deploy")


def _show_first(app: OrchApp, group: RunGroup) -> None:
    app.to_show = group.runs[0].execution_id
    _to_deploy(app)


def _to_failed(app: OrchApp, group: RunGroup) -> None:
    app.find_in_history("status:failed ")


def _to_returned(app: OrchApp, group: RunGroup) -> None:
    app.find_in_history("status:completed ")


def _to_draft(app: OrchApp, group: RunGroup) -> None:
    from orch_tui.screens.deploy.screen import DeployScreen

    app.switch_mode("deploy")

    def complete() -> None:
        if isinstance(app.screen, DeployScreen):
            app.screen.complete(group.runs[0].execution_id)

    app.call_after_refresh(complete)
