"""The two lists of the Plan screen: sessions, and the agents of one with what is wrong in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from orch_tui.screens.widgets.gauge import words
from orch_tui.screens.widgets.row_list import Column, Row, Rows
from orch_tui.screens.widgets.words import plural, state_of

if TYPE_CHECKING:
    from orch_tui.prepare.budget import LimitGauge
    from orch_tui.prepare.count import Count
    from orch_tui.prepare.validation import Remark
    from orch_tui.recall.overview import PlannedLine, PlanPage, SessionLine
    from orch_tui.rows import Session

_STATUS = {
    "planning": "○ planning",
    "executing": "▶ executing",
    "completed": "● completed",
    "failed": "✗ failed",
}


def status_of(session: Session) -> str:
    """A session's status as a glyph with a word."""
    return _STATUS.get(session.status or "", f"? {session.status or 'unknown'}")


class SessionRows(Rows):
    """Sessions, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Work on it", id="plan-use-session"),
        Binding("n", "screen.new_session", "New session", id="plan-new-session"),
        Binding("e", "screen.edit_session", "Change", id="plan-edit-session"),
        Binding("p", "screen.next_phase", "Next phase", id="plan-next-phase"),
        Binding("c", "screen.close", "Close", id="plan-close"),
        Binding("x", "screen.archive", "Archive", id="plan-archive"),
        Binding("full_stop", "screen.toggle_archived", "Archived", id="plan-archived"),
    ]
    BESIDE = (
        Column("session"),
        Column("state · phase", 13),
        Column("wait", 4, right=True),
        Column("used", 7, right=True),
    )
    ABOVE = (
        Column("session", 21),
        *BESIDE[1:],
        Column("scope"),
    )

    def show_lines(self, lines: Sequence[SessionLine], current: str | None) -> None:
        """Show sessions; ``current`` is the one that all screens work on."""
        self.show([_session_row(line, line.session.session_id == current) for line in lines])


def _session_row(line: SessionLine, current: bool) -> Row:
    session = line.session
    state = f"{status_of(session)} {session.phase or ''}"
    if session.archived_at:
        state = "▪ archived"
    style = "dim" if session.archived_at or session.completed_at else ""
    if line.budget.status == "over" and not style:
        style = "bad"
    return Row(
        session.session_id,
        (
            f"{'▸' if current else ' '} {session.session_id}",
            state,
            str(line.waiting or ""),
            share(line.budget),
            session.scope,
        ),
        style,
    )


def share(gauge: LimitGauge) -> str:
    """``63 %``, with ``!`` from the critical threshold on, and ``?`` where some are without a
    count."""
    unknown = "?" if gauge.unknown else ""
    if not gauge.used.tokens:
        return unknown or "–"
    mark = "!" if gauge.status in ("critical", "over") else ""
    return f"{mark}{100 * gauge.share:.0f} %{unknown}"


class AgentRows(Rows):
    """The planned agents of a session; what is wrong with one stands on lines of its own beneath
    it, which the cursor passes over."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "screen.add", "Add", id="plan-add"),
        Binding("e,enter", "screen.edit", "Edit", id="plan-edit"),
        Binding("b", "screen.bundle", "Bundle", id="plan-bundle"),
        Binding("d", "screen.duplicate", "Duplicate", id="plan-duplicate"),
        Binding("delete,backspace,x", "screen.remove", "Remove", id="plan-remove", key_display="x"),
        Binding(
            "shift+up", "screen.move(-1)", "Move", id="plan-up", key_display="⇧↑↓", tooltip="Up"
        ),
        Binding("shift+down", "screen.move(1)", "Move down", id="plan-down", show=False),
        Binding("ctrl+z", "screen.undo", "Undo", id="plan-undo"),
        Binding("v", "screen.validate", "Validate", id="plan-validate"),
        Binding("p", "screen.next_phase", "Phase", id="plan-next-phase"),
    ]
    COLUMNS = (
        Column("#", 2, right=True),
        Column("agent", 19),
        Column("scope"),
        Column("bundle", 10),
        Column("tokens", 8, right=True),
        Column("after", 5),
        Column("runs", 12),
        Column("model", 7),
    )

    _of = ""
    """The session whose agents are shown."""

    def show_page(self, page: PlanPage, *, empty: str) -> None:
        rows: list[Row] = []
        for line in page.agents:
            rows.append(_agent_row(line))
            rows += [
                Row(
                    f"{line.agent.uid}!{n}",
                    (_word_remark(remark),),
                    "bad" if remark.stops else "warn",
                    remark=True,
                )
                for n, remark in enumerate(line.remarks)
            ]
        key, at, before = self.key, self.cursor, self._of
        self._of = page.session.session_id
        self.show(rows, empty=empty)
        if key and before == self._of and self.key != key:  # taken out: stay where it was
            self.move_to(at)


def _word_remark(remark: Remark) -> str:
    return f"{'✗' if remark.stops else '⚠'} {remark.text}"


def _agent_row(line: PlannedLine) -> Row:
    agent = line.agent
    return Row(
        agent.uid,
        (
            str(agent.position),
            agent.agent_type,
            agent.scope,
            agent.bundle_id or "–",
            _tokens(line.bundle.used) if line.bundle else "",
            ",".join(map(str, line.waits_for)) or "–",
            runs(line),
            agent.model or "–",
        ),
    )


def _tokens(count: Count) -> str:
    figure = f"{count.tokens:,}" if count.tokens < 1_000_000 else f"{count.tokens / 1e6:,.2f} M"
    return figure if count.exact else f"~{figure}"


def runs(line: PlannedLine) -> str:
    """How often it was deployed, the state of each attempt, and the last one in words."""
    if not line.attempts:
        return "–"
    states = [state_of(status)[0] for _, status in line.attempts]
    glyphs = "".join(state[0] for state in states[-3:])
    return f"{len(states)} {glyphs} {states[-1][2:]}"


def strategy(page: PlanPage) -> str:
    """Who runs beside whom, and who after whom."""
    if not page.agents:
        return ""
    names = {line.agent.position: line.agent.agent_type for line in page.agents}
    waves = " → ".join(
        " + ".join(f"{position} {names[position]}" for position in wave) for wave in page.waves
    )
    stuck = [str(line.agent.position) for line in page.agents if line.wave is None]
    if stuck:
        waves += f" · {', '.join(stuck)} wait for each other and never start"
    count = len(page.waves)
    return f"{plural(count, 'wave')}: {waves}"


def detail(page: PlanPage, line: PlannedLine) -> list[str]:
    """What the row of an agent has no room for."""
    agent = line.agent
    bundle = "no bundle: F2 composes one"
    if line.bundle:
        bundle = f"{agent.bundle_id} {words(line.bundle)}"
    elif agent.bundle_id:
        bundle = f"{agent.bundle_id} (unknown)"
    attempts = ", ".join(
        f"{execution_id} {state_of(status)[0]}" for execution_id, status in line.attempts
    )
    model = page.rules.choose_model(agent.model, agent.bundle_id, agent.agent_type)
    return [
        f"{agent.position} {agent.agent_type} · {model} · {bundle}",
        agent.scope or "(no scope)",
        f"runs: {attempts}" if attempts else "not deployed yet: F3 deploys it",
    ]
