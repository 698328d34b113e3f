"""The lists of the Plan screen: sessions, and the agents of one or what ran in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from orch_tui.models.values import ENDINGS
from orch_tui.screens.plan.next_step import after_whom, draw_budget
from orch_tui.screens.theme import SIGNS
from orch_tui.screens.widgets.row_list import Column, Row, Rows
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.told_lines import Spans, thin_bar
from orch_tui.screens.widgets.words import format_tokens, state_of
from orch_tui.times import ago, between, lasting

if TYPE_CHECKING:
    from orch_tui.live.live_agent import LiveAgent
    from orch_tui.prepare.budget import LimitGauge
    from orch_tui.recall.overview import PlannedLine, PlanPage, RunLine, SessionLine

_STYLES = {
    "planned": "",
    "running": "running",
    "asks": "asks",
    "done": "ok",
    "failed": "bad",
    "doubt": "warn",
}
"""The styles of rows by the states of signs."""
_STATES = {"deployed": "running", "completed": "done", "failed": "failed"}


def state_of_session(line: SessionLine) -> str:
    """Name the state whose sign a session has."""
    session = line.session
    if session.status in ("completed", "failed"):
        return _STATES[session.status]
    if line.budget.status == "over":
        return "doubt"
    return "running" if line.waiting or session.status == "executing" else "planned"


def state_of_run(
    status: str | None,
    live: LiveAgent | None = None,
    *,
    went_well: bool | None = None,
    failed_checks: Sequence[str] = (),
) -> str:
    """Name the state whose sign an agent has; ``live`` is what is seen of it while it runs."""
    if status == "deployed" and live is not None and not live.has_ended:
        if live.needs_somebody:
            return "asks"
        return "doubt" if {"silent", "loops", "full"} & set(live.marks) else "running"
    if status in ENDINGS:
        return {True: "doubt" if failed_checks else "done", False: "failed", None: "doubt"}[
            went_well
        ]
    return _STATES.get(status or "", "planned")


class SessionRows(Rows):
    """Sessions, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "work on it", id="plan-use-session"),
        Binding("n", "screen.new_session", "new session", id="plan-new-session"),
        Binding("e", "screen.edit_session", "scope, limits", id="plan-edit-session"),
        Binding("p", "screen.next_phase", "next phase", id="plan-next-phase"),
        Binding("c", "screen.close", "close it", id="plan-close"),
        Binding("x", "screen.archive", "archive it", id="plan-archive"),
        Binding("full_stop", "screen.toggle_archived", "archived too", id="plan-archived"),
        Binding("tab,shift+tab,f6", "screen.other_pane", "to its plan", show=False, id="plan-pane"),
    ]
    COLUMNS = (
        Column("", 2, state=True, gives_way=-1),
        Column("session"),
        Column("used", 6, right=True, gives_way=1),
        Column("when", 7, right=True, gives_way=-1),
    )

    def show_lines(self, lines: Sequence[SessionLine], current: str | None, now: str) -> None:
        """Show sessions; ``current`` is the one that all screens work on."""
        self.show([session_row(line, line.session.session_id == current, now) for line in lines])


def session_row(line: SessionLine, current: bool, now: str) -> Row:
    """Tell of a session in ``SessionRows.COLUMNS``."""
    session = line.session
    state = state_of_session(line)
    sign = "▪" if session.archived_at else SIGNS[state]
    return Row(
        session.session_id,
        (
            f"{sign}{'▸' if current else ' '}",
            session.scope,
            share(line.budget) if line.budget.used.tokens else "",
            ago(line.changed_at, now),
        ),
        "dim" if session.archived_at else _STYLES[state],
    )


def share(gauge: LimitGauge) -> str:
    """``63 %``, with ``!`` from the critical threshold on, and ``?`` where some are without a
    count."""
    unknown = "?" if gauge.unknown else ""
    if not gauge.used.tokens:
        return unknown or "–"
    mark = "!" if gauge.status in ("critical", "over") else ""
    part = f"{100 * gauge.share:.0f} %" if gauge.share < 9.995 else ">999 %"
    return f"{mark}{part}{unknown}"


class AgentRows(Rows):
    """The planned agents of a session, or what ran in one that nobody planned in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "screen.add", "plan an agent", id="plan-add"),
        Binding("b", "screen.bundle", "its bundle", id="plan-bundle"),
        Binding("e", "screen.edit", "change it", id="plan-edit"),
        Binding("enter", "screen.edit", "change it", show=False),
        Binding("p", "screen.next_phase", "next phase", id="plan-next-phase"),
        Binding("v", "screen.validate", "check the plan", id="plan-validate"),
        Binding("ctrl+z", "screen.undo", "undo", id="plan-undo"),
        Binding("Z", "screen.redo", "redo", id="plan-redo", show=False),
        Binding("d", "screen.duplicate", "duplicate", id="plan-duplicate"),
        Binding(
            "delete,backspace,x", "screen.remove", "take it out", id="plan-remove", key_display="x"
        ),
        Binding("shift+up", "screen.move(-1)", "move it", id="plan-up", key_display="⇧↑↓"),
        Binding("shift+down", "screen.move(1)", "move down", id="plan-down", show=False),
        Binding("tab,shift+tab", "screen.other_pane", "to the sessions", id="plan-pane"),
        Binding("f6", "screen.turn", "waves or next step", show=False, id="plan-turn"),
    ]
    COLUMNS = (
        Column("#", 2, right=True, gives_way=-1),
        Column("", 1, state=True, gives_way=-1),
        Column("agent", 19, bold=True, gives_way=-1),
        Column("scope", least=26),
        Column("model", 10, gives_way=1),
        Column("bundle", 7, right=True),
        Column("of its limit", 13, right=True, gives_way=2),
        Column("since", 7, right=True, gives_way=-1),
        Column("", 1, own="warn", gives_way=-1),
    )
    RUNS = (
        Column("", 1, state=True, gives_way=-1),
        Column("agent", 26, bold=True, gives_way=-1),
        Column("scope", least=26),
        Column("model", 18, gives_way=1),
        Column("took", 7, right=True),
        Column("begun", 7, right=True),
    )

    _of = ""
    """The session whose agents are shown."""

    def show_page(
        self, page: PlanPage, live: Mapping[str, LiveAgent], now: str, *, empty: str
    ) -> None:
        key, at, before = self.key, self.cursor, self._of
        self._of = page.session.session_id
        columns = self.COLUMNS if page.is_planned else self.RUNS
        if columns is not self._columns:
            self._columns = columns
            self.set_columns(columns)
        self.show(make_rows(page, live, now), empty=empty)
        if key and before == self._of and self.key != key:  # taken out: stay where it was
            self.move_to(at)

    _columns: Sequence[Column] = COLUMNS


def make_rows(page: PlanPage, live: Mapping[str, LiveAgent], now: str) -> list[Row]:
    """Make the rows of a session: its agents, or its runs; ``live`` is by execution."""
    if page.is_planned:
        return [_agent_row(page, line, live, now) for line in page.agents]
    return [_run_row(run, live.get(run.execution_id), now) for run in page.runs]


def _agent_row(page: PlanPage, line: PlannedLine, live: Mapping[str, LiveAgent], now: str) -> Row:
    agent = line.agent
    state = state_of_agent(line, live)
    seen = live.get(line.attempts[-1][0]) if line.attempts else None
    since = seen.since if seen and state in ("asks", "doubt") else line.changed_at
    return Row(
        agent.uid,
        (
            str(agent.position),
            SIGNS[state],
            agent.agent_type,
            agent.scope,
            page.rules.choose_model(agent.model, agent.bundle_id, agent.agent_type).name,
            _tokens(line.bundle) if line.bundle else "",
            _thin_share(line.bundle) if line.bundle else "",
            ago(since, now),
            SIGNS["doubt"] if line.remarks else "",
        ),
        _STYLES[state],
    )


def state_of_agent(line: PlannedLine, live: Mapping[str, LiveAgent]) -> str:
    """Name the state whose sign a planned agent has: that of its last execution."""
    seen = live.get(line.attempts[-1][0]) if line.attempts else None
    return state_of_run(
        line.status, seen, went_well=line.went_well, failed_checks=line.failed_checks
    )


_COUNTED = {"done": "done", "failed": "failed", "doubt": "in doubt", "planned": "planned"}
"""What the states of ended and planned agents are called; all others are waited for."""


def count_states(lines: Sequence[PlannedLine]) -> str:
    """Count the planned agents by how far they are: ``1 done · 2 waiting``."""
    counts = Counter(_COUNTED.get(state_of_agent(line, {}), "waiting") for line in lines)
    order = ("done", "failed", "in doubt", "waiting", "planned")
    return " · ".join(f"{counts[word]} {word}" for word in order if counts[word])


def _run_row(run: RunLine, live: LiveAgent | None, now: str) -> Row:
    state = state_of_run(run.status, live, went_well=run.went_well, failed_checks=run.failed_checks)
    indent = f"{'  ' * min(run.depth - 1, 5)}└ " if run.depth else ""
    took = between(run.deployed_at, run.completed_at or now)
    return Row(
        run.execution_id,
        (
            SIGNS[state],
            f"{indent}{run.agent_type}",
            run.scope,
            run.model,
            lasting(took) if took is not None else "",
            ago(run.deployed_at, now),
        ),
        _STYLES[state],
    )


def _tokens(gauge: LimitGauge) -> str:
    return f"{'' if gauge.used.exact else '~'}{format_tokens(gauge.used.tokens)}"


def _thin_share(gauge: LimitGauge) -> str:
    full, rest = thin_bar(gauge.share if gauge.limit > 0 else 1.0, 6)
    return f"{full}{rest} {share(gauge):>6}"


def draw_detail(
    page: PlanPage, line: PlannedLine, live: LiveAgent | None, width: int, most: int
) -> list[Spans]:
    """Draw what the row of an agent has no room for: all of its scope, what is wrong, its bundle,
    what it ran as."""
    agent = line.agent
    name = f" {agent.position} {one_line(agent.agent_type, 60)} "
    model = page.rules.choose_model(agent.model, agent.bundle_id, agent.agent_type)
    after = after_whom(page, line)
    head: Spans = [
        ("rule", "──"),
        ("bold", name),
        ("rule", "─" * max(0, width - len(name) - 2)),
    ]
    told: Spans = [
        ("", one_line(agent.scope) or "(no scope)"),
        ("dim", f"   {after}" if after else ""),
        ("dim", f"   {model}"),
    ]
    wrong: list[Spans] = [
        [
            ("doubt", f"{SIGNS['doubt']} "),
            ("", one_line(remark.text)),
            ("key", "   e"),
            ("dim", " changes it"),
        ]
        for remark in line.remarks
    ]
    if line.failed_checks:
        wrong.insert(0, word_failed_checks(line.failed_checks))
    if live is not None and not live.has_ended:
        wrong.insert(
            0,
            [
                (state_of_run("deployed", live), f"{SIGNS['running']} "),
                ("", one_line(live.doing)),
                ("doubt", f"   {live.signs}"),
            ],
        )
    runs = ", ".join(f"{label} {state_of(status)[0]}" for label, status in line.attempts[-3:])
    tail = f"   {runs}" if runs else ""
    if line.bundle:
        last: Spans = draw_budget(line.bundle, width, "bundle", f"{agent.bundle_id}{tail}")
    elif agent.bundle_id:
        last = [("doubt", f"{one_line(agent.bundle_id, 60)} is unknown"), ("dim", tail)]
    else:
        last = [("dim", "no bundle yet: "), ("key", "b"), ("dim", f" composes one{tail}")]
    if most <= 2:  # what is wrong comes first
        return [*wrong, told][:most] if wrong else [told, last][:most]
    return [head, told, *wrong[: most - 3], last]


def word_failed_checks(checks: Sequence[str]) -> Spans:
    """Say which checks failed, of what came back as done."""
    return [
        ("doubt", f"{SIGNS['doubt']} "),
        ("", f"{one_line(', '.join(checks), 60)} failed"),
        ("key", "   F3"),
        ("dim", " shows what it said"),
    ]


def draw_run(run: RunLine, now: str, width: int) -> list[Spans]:
    """Draw what the row of a run has no room for."""
    return [
        [
            ("rule", "──"),
            ("bold", f" {one_line(run.agent_type, 60)} "),
            ("rule", "─" * max(0, width - len(one_line(run.agent_type, 60)) - 4)),
        ],
        [("", one_line(run.scope) or "(no scope)")],
        *([word_failed_checks(run.failed_checks)] if run.failed_checks else []),
        [("dim", f"{run.execution_id} · F4 shows what it was given and what came back")],
    ]
