"""Plan: sessions, the phases of one and their gates, and the agents to deploy in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from shlex import join
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from orch_tui.errors import OrchError
from orch_tui.phases import PHASES
from orch_tui.screens.dialogs import Choose, Confirm
from orch_tui.screens.orch_screen import OrchScreen, Problem
from orch_tui.screens.plan.forms import (
    agent_form,
    agent_of,
    changes_of,
    session_changes_form,
    session_form,
    session_of,
)
from orch_tui.screens.plan.lists import AgentRows, SessionRows, detail, status_of, strategy
from orch_tui.screens.plan.stepper import Stepper
from orch_tui.screens.widgets.form import Form, Values, draft_of
from orch_tui.screens.widgets.gauge import Gauge
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.models.database import Record
    from orch_tui.prepare.validation import Validation
    from orch_tui.recall.overview import PlannedLine, PlanPage, SessionLine
    from orch_tui.rows import PlannedAgent

T = TypeVar("T")

PAGE = 200
"""Sessions read at a time; more are read when the cursor comes near the end."""
BESIDE = 128
"""Columns from which the sessions stand beside the plan, not above it."""


class PlanScreen(OrchScreen):
    """What is to be done, by whom, and what is missing before it can be."""

    CSS_PATH = "plan.tcss"
    AUTO_FOCUS = "#sessions"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_session", "New session", id="plan-new-session", show=False),
        Binding("p", "next_phase", "Next phase", id="plan-next-phase", show=False),
        Binding("P", "phase", "Other phase", id="plan-phase", show=False),
        Binding("c", "close", "Close", id="plan-close", show=False),
        Binding("a", "add", "Add", id="plan-add", show=False),
        Binding("v", "validate", "Validate", id="plan-validate", show=False),
        Binding("ctrl+z", "undo", "Undo", id="plan-undo", show=False),
    ]
    HELP = """\
A session goes through five phases; each has a gate, which says what is missing before moving on:
**v** validates the plan, **F3** deploys it and collects what came back, **p** moves on.
Moving on anyway is possible, and recorded. The agents of a session run in waves: those that wait
for nobody first, side by side.
"""

    def __init__(self) -> None:
        super().__init__()
        self._page: PlanPage | None = None
        self._archived = False
        self._limit = PAGE
        self._wanted_session: str | None = None
        """The session to put the cursor on, once it is listed; likewise the planned agent."""
        self._wanted_agent: str | None = None
        self._followed: str | None = None
        """The session of the app when the cursor was last put on it."""
        self._changes: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
        """Changes that wait for the one before them: keys may come faster than the disk."""

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="plan"):
            yield SessionRows(SessionRows.BESIDE, id="sessions")
            yield from self._session()

    def _session(self) -> ComposeResult:
        with Vertical(id="session"):
            yield Static("", id="about", markup=False)
            yield Gauge("budget", id="budget")
            yield Stepper(id="phases")
            yield Static("", id="strategy", markup=False)
            yield AgentRows(AgentRows.COLUMNS, id="agents")
            yield Static("", id="detail", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        stacked = event.size.width < BESIDE
        self.set_class(stacked, "-stacked")
        self._sessions.set_columns(SessionRows.ABOVE if stacked else SessionRows.BESIDE)

    @property
    def _sessions(self) -> SessionRows:
        return self.query_one("#sessions", SessionRows)

    @property
    def _agents(self) -> AgentRows:
        return self.query_one("#agents", AgentRows)

    @property
    def planned_agent(self) -> PlannedAgent | None:
        return self._planned.agent if self._page and self._planned else None

    # Reading

    def load(self) -> None:
        project, archived, limit = self.app.project, self._archived, self._limit

        def work() -> list[SessionLine] | str:
            if not project.database.exists():
                return NO_RECORD if project.has_project_marker else NO_RECORD + NO_MARK
            from orch_tui.recall.overview import list_session_lines

            return list_session_lines(
                project.existing_record,
                limits=project.limits,
                project=project.project_filter,
                include_archived=archived,
                limit=limit,
            )

        self.run_in_thread(work, self._show_sessions, group="sessions")

    def _show_sessions(self, lines: list[SessionLine] | str) -> None:
        """Show them, or say what to do where there are none."""
        current = self.app.session.session_id if self.app.session else None
        rows = self._sessions
        self.set_class(isinstance(lines, str) or not lines, "-empty")
        if isinstance(lines, str) or not lines:
            self._page = None
            rows.show((), empty=NOTHING)
            self._agents.show((), empty=lines if isinstance(lines, str) else NO_SESSIONS)
            self.refresh_bindings()
            return
        rows.show_lines(lines, current)
        if current != self._followed:  # chosen elsewhere: follow
            self._followed = current
            self._wanted_session = self._wanted_session or current
        if self._wanted_session and rows.move_to_key(self._wanted_session):
            self._wanted_session = None
        self._read_plan()

    @on(Rows.NearEnd, "#sessions")
    def _near_end(self) -> None:
        if len(self._sessions.rows) == self._limit:
            self._limit += PAGE
            self.load()

    @on(Rows.Highlighted, "#sessions")
    def _read_plan(self) -> None:
        project, session_id = self.app.project, self._sessions.key
        if not session_id:
            return

        def work() -> PlanPage:
            from orch_tui.recall.overview import load_plan_page

            return load_plan_page(
                project.existing_record,
                session_id,
                catalogue=project.catalogue,
                limits=project.limits,
                known_agents=project.known_agents,
            )

        self.run_in_thread(work, self._show_plan, group="plan")

    def _show_plan(self, page: PlanPage) -> None:
        self._page = page
        session = page.session
        self._tell("about", f"{session.session_id} · {status_of(session)} · {session.scope}")
        self.query_one("#budget", Gauge).figures = page.budget
        stepper = self.query_one(Stepper)
        stepper.phase = 6 if session.completed_at else session.phase or 1
        stepper.gates = page.gates
        self._tell("strategy", strategy(page))
        self._agents.show_page(page, empty=NO_AGENTS)
        if self._wanted_agent and self._agents.move_to_key(self._wanted_agent):
            self._wanted_agent = None
        self._show_detail()
        self.refresh_bindings()

    @on(Rows.Highlighted, "#agents")
    def _show_detail(self) -> None:
        line = self._planned
        lines = detail(self._page, line) if self._page and line else []
        self._tell("detail", *lines)

    def _tell(self, where: str, *lines: str) -> None:
        """Put text into a part of fixed size: nothing is laid out anew for it."""
        text = Text("\n".join(one_line(line) for line in lines))
        self.query_one(f"#{where}", Static).update(text, layout=False)

    @property
    def _planned(self) -> PlannedLine | None:
        """The planned agent under the cursor."""
        key = self._agents.key
        agents = self._page.agents if self._page else ()
        return next((line for line in agents if line.agent.uid == key), None)

    # Choosing a session: with Enter, or by going into its plan

    @on(Rows.Selected, "#sessions")
    def _selected(self) -> None:
        self._agents.focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget is self._agents:
            self._use(self._sessions.key)
        self.refresh_bindings()

    def _use(self, session_id: str) -> None:
        current = self.app.session.session_id if self.app.session else None
        if session_id and session_id != current:
            self._followed = session_id
            self.app.use_session(session_id)

    # Changing

    def _change(
        self,
        work: Callable[[Record], T],
        then: Callable[[T], None],
        *,
        typed: tuple[str, Values] | None = None,
    ) -> None:
        """Change the record in a thread, after the changes asked for before, and show it.

        ``typed`` is what came out of a form and the name of its draft: kept where it is refused.
        """
        project, drafts = self.app.project, self.app.drafts

        def attempt() -> T:
            if typed:
                drafts.save(typed[0], draft_of(typed[1]))
            result = work(project.record)
            if typed:
                with suppress(OrchError):
                    drafts.drop(typed[0])
            return result

        self._changes.append((attempt, then))
        if len(self._changes) == 1:
            self._next_change()

    def _next_change(self) -> None:
        work, then = self._changes[0]

        def attempt() -> tuple[Any, OrchError | None]:
            try:
                return work(), None
            except OrchError as error:
                return None, error

        def changed(answer: tuple[Any, OrchError | None]) -> None:
            del self._changes[0]
            result, refusal = answer
            if refusal:
                self.query_one(Problem).show(refusal, "change")
            else:
                then(result)
            if self._changes:
                self._next_change()
            elif not refusal:
                self.load()
                self.app.read_session()

        self.run_in_thread(attempt, changed, group="change")

    def _say(self, text: str) -> None:
        self.notify(one_line(text, 300), markup=False)

    # Sessions

    def action_new_session(self) -> None:
        form = session_form(self.app.project.limits.budget)

        def accepted(values: dict[str, str] | None) -> None:
            if values is None:
                return
            project = self.app.project
            self._change(
                lambda record: project.init_session(**session_of(values)),
                lambda session: opened(session.session_id),
                typed=(form.draft, values),
            )

        def opened(session_id: str) -> None:
            self._wanted_session = session_id
            self._use(session_id)
            self._agents.focus()

        self.app.push_screen(form, accepted)

    def action_edit_session(self) -> None:
        """Ask for another scope, budget, thresholds or reserve of the session."""
        if self._page is None:
            return
        project, session = self.app.project, self._page.session

        def offer(own: dict[str, Any]) -> None:
            form = session_changes_form(session, own, project.limits)

            def accepted(values: dict[str, str] | None) -> None:
                if values is None:
                    return
                from orch_tui.record import sessions

                self._change(
                    lambda record: sessions.change_session(
                        record, session.session_id, **changes_of(values)
                    ),
                    lambda changed: self._say(f"changed {changed.session_id}"),
                    typed=(form.draft, values),
                )

            self.app.push_screen(form, accepted)

        def work() -> dict[str, Any]:
            from orch_tui.record import sessions

            return sessions.read_limits(project.existing_record, session.session_id)

        self.run_in_thread(work, offer, group="limits")

    def action_next_phase(self) -> None:
        page = self._page
        phase = page.session.phase or 1 if page else 5
        if phase < 5:
            self._go_to_phase(phase + 1)

    def action_phase(self) -> None:
        def chosen(key: str | None) -> None:
            if key:
                self._go_to_phase(int(key))

        choices = [(str(number), f"{number} {name}") for number, name in PHASES.items()]
        self.app.push_screen(Choose("Go to which phase?", choices), chosen)

    def _go_to_phase(self, phase: int) -> None:
        from orch_tui.record import sessions

        page = self._page
        if page is None:
            return
        session_id, before = page.session.session_id, page.session.phase or 1

        def go(agreed: bool | None) -> None:
            if agreed:
                self._change(
                    lambda record: sessions.set_phase(record, session_id, phase),
                    lambda _: self._say(f"phase {phase} {PHASES[phase]}"),
                )

        missing = [g for g in page.gates if before <= g.phase < phase and not g.met]
        if not missing:
            go(True)
            return
        listed = "\n".join(f"✗ {gate.name}: {gate.missing}" for gate in missing)
        self.app.push_screen(
            Confirm(
                f"Move on to phase {phase} {PHASES[phase]} anyway?",
                detail=f"{listed}\n\nWhat was skipped is recorded with it.",
            ),
            go,
        )

    def action_close(self) -> None:
        from orch_tui.record import sessions

        page = self._page
        if page is None:
            return
        session_id = page.session.session_id

        def chosen(status: str | None) -> None:
            if status:
                open_gates = [
                    f"✗ {gate.name}: {gate.missing}" for gate in page.gates if not gate.met
                ]
                self.app.push_screen(
                    Confirm(f"Close {session_id} as {status}?", detail="\n".join(open_gates)),
                    lambda agreed: close(status) if agreed else None,
                )

        def close(status: str) -> None:
            self._change(
                lambda record: sessions.complete_session(record, session_id, status),
                lambda session: self._say(f"{session_id} is {session.status}"),
            )

        choices = [("completed", "● completed: it is done"), ("failed", "✗ failed: it is given up")]
        self.app.push_screen(Choose(f"Close {session_id} as", choices), chosen)

    def action_archive(self) -> None:
        from orch_tui.record import sessions

        page = self._page
        if page is None:
            return
        session_id, archived = page.session.session_id, bool(page.session.archived_at)

        def go(agreed: bool | None) -> None:
            if agreed:
                word = "shown again" if archived else "archived: . shows it"
                self._change(
                    lambda record: sessions.archive_session(
                        record, session_id, archived=not archived
                    ),
                    lambda _: self._say(f"{session_id} is {word}"),
                )

        if archived:
            go(True)
            return
        detail = (
            "It is left out of lists and search. Nothing is deleted; the same key brings it back."
        )
        self.app.push_screen(Confirm(f"Archive {session_id}?", detail=detail), go)

    def action_toggle_archived(self) -> None:
        self._archived = not self._archived
        self._say(
            "archived sessions are shown" if self._archived else "archived sessions are hidden"
        )
        self.load()

    # Planned agents

    def action_add(self) -> None:
        from orch_tui.record import plan

        page = self._page
        if page is None:
            return
        session_id = page.session.session_id
        self._open(
            agent_form(page),
            lambda record, values: plan.add_planned_agent(record, session_id, **values),
        )

    def action_edit(self) -> None:
        from orch_tui.record import plan

        page, line = self._page, self._planned
        if page is None or line is None:
            return
        agent = line.agent

        def change(record: Record, values: dict[str, Any]) -> PlannedAgent:
            position = plan.find_position(record, agent.session_id, agent.uid)
            return plan.change_planned_agent(record, agent.session_id, position, **values)

        self._open(agent_form(page, line), change)

    def _open(self, form: Form, work: Callable[[Record, dict[str, Any]], PlannedAgent]) -> None:
        """Ask for a planned agent, and do ``work`` with what was accepted."""

        def accepted(values: dict[str, str] | None) -> None:
            if values is not None:
                self._change(
                    lambda record: work(record, agent_of(values)),
                    lambda agent: self._want(agent.uid),
                    typed=(form.draft, values),
                )

        self.app.push_screen(form, accepted)

    def action_bundle(self) -> None:
        if self._planned:
            self.app.compose_for(self._planned.agent)

    def action_duplicate(self) -> None:
        from orch_tui.record import plan

        self._change_planned(
            lambda record, session_id, position: plan.duplicate_planned_agent(
                record, session_id, position
            ),
            lambda agent: self._want(agent.uid),
        )

    def action_remove(self) -> None:
        from orch_tui.record import plan

        line = self._planned
        if self._page is None or line is None:
            return
        agents = self._page.agents
        at = line.agent.position - 1
        beside = agents[at + 1 : at + 2] or agents[at - 1 : at]
        name = f"{line.agent.position} {line.agent.agent_type}"

        def removed(_: object) -> None:
            self._want(beside[0].agent.uid if beside else "")
            self._say(f"{name} is out of the plan; ctrl+z brings it back")

        self._change_planned(plan.remove_planned_agent, removed)

    def action_move(self, by: int) -> None:
        from orch_tui.record import plan

        def move(record: Record, session_id: str, position: int) -> None:
            to = position + by
            if 1 <= to <= len(plan.list_planned_agents(record, session_id)):
                plan.move_planned_agent(record, session_id, position, to)

        self._change_planned(move, lambda _: None)

    def _change_planned(
        self, work: Callable[[Record, str, int], T], then: Callable[[T], None]
    ) -> None:
        """Change the agent under the cursor, wherever earlier changes have put it meanwhile."""
        line = self._planned
        if line is None:
            return
        from orch_tui.record import plan

        session_id, uid = line.agent.session_id, line.agent.uid
        self._change(
            lambda record: work(record, session_id, plan.find_position(record, session_id, uid)),
            then,
        )

    def _want(self, uid: str) -> None:
        self._wanted_agent = uid

    def action_undo(self) -> None:
        from orch_tui.record import plan

        if self._page is None:
            return
        session_id = self._page.session.session_id
        self._change(
            lambda record: plan.undo_plan_change(record, session_id),
            lambda entry: self._say(f"undone: {plan.describe_plan_change(entry)}"),
        )

    def action_validate(self) -> None:
        page, project = self._page, self.app.project
        if page is None:
            return
        session_id = page.session.session_id

        def work(record: Record) -> Validation:
            from orch_tui.record.session_validation import validate_session

            return validate_session(
                record,
                session_id,
                reader=project.reader(),
                catalogue=project.catalogue,
                limits=project.limits,
                known_agents=project.known_agents,
            )

        self._change(work, self._validated)

    def _validated(self, answer: Validation) -> None:
        remarks = (*answer.warnings, *answer.recommendations)
        said = "the plan is valid" if answer.valid else "the plan is not valid"
        self.notify(
            "\n".join(map(one_line, (said, *remarks))),
            severity="information" if answer.valid else "warning",
            markup=False,
        )

    # The frame

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("edit", "bundle", "duplicate", "remove", "move"):
            return self._planned is not None
        if action in ("add", "undo", "validate", "archive", "phase", "edit_session"):
            return self._page is not None
        if action in ("next_phase", "close"):
            session = self._page.session if self._page else None
            open_session = session is not None and session.completed_at is None
            last = session is not None and session.phase == 5
            return open_session and not (action == "next_phase" and last)
        return True

    def command(self) -> str:
        if self._page is None:
            return join(["orch", "init-session", "--scope", "what is to be done"])
        if self.focused is self._sessions:
            return "orch query --sessions" + (" --archived" if self._archived else "")
        return join(["orch", "plan", "--session-id", self._page.session.session_id])

    def remember(self) -> dict[str, Any]:
        return {
            "session": self._sessions.key,
            "agent": self._agents.key,
            "archived": self._archived,
        }

    def recollect(self, state: dict[str, Any]) -> None:
        session, agent = state.get("session"), state.get("agent")
        self._wanted_session = session if isinstance(session, str) else None
        self._wanted_agent = agent if isinstance(agent, str) else None
        self._archived = state.get("archived") is True


NOTHING = """No session yet.

n opens the first."""
NO_RECORD = """Nothing is planned here yet, and nothing recorded.

n opens a first session: say what is to be done.
Then a plans its agents, F2 composes what they are given, F3 deploys them.

orch demo makes a sample project to look around in."""
NO_MARK = """

This folder has neither .git nor .claude: it is taken for the project itself, and the record is \
made in it. To use another, quit with ctrl+q and open orch there."""
NO_SESSIONS = """There is no session to show.

n opens one; . shows those that were archived."""
NO_AGENTS = """No agent is planned in this session.

a plans the first one; F2 composes a bundle for it."""
