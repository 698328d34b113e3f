"""Plan: sessions, the phases of one and their gates, and the agents to deploy in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from shlex import join
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

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
from orch_tui.screens.plan.lists import (
    AgentRows,
    SessionRows,
    draw_detail,
    draw_run,
    make_rows,
    state_of_agent,
)
from orch_tui.screens.plan.next_step import draw_session, find_asking, name_agents, word_missing
from orch_tui.screens.plan.waves import draw_waves
from orch_tui.screens.report_view import open_report
from orch_tui.screens.split_panes import SplitPanes
from orch_tui.screens.widgets.form import Form, Values, draft_of
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.told_lines import ToldLines

if TYPE_CHECKING:
    from orch_tui.live.live_agent import LiveAgent
    from orch_tui.models.database import Record
    from orch_tui.prepare.validation import Validation
    from orch_tui.recall.overview import PlannedLine, PlanPage, SessionLine
    from orch_tui.rows import JournalEntry, PlannedAgent

T = TypeVar("T")

PAGE = 200
"""Sessions read at a time; more are read when the cursor comes near the end."""
BESIDE = 100
"""Columns from which the sessions stand beside the plan; with fewer they have a pane to go to."""
ROOMY, SHORT = 34, 22
"""Lines from which each phase has one of its own; and with fewer of which one pane has the room."""


class PlanScreen(OrchScreen):
    """What is to be done, by whom, and what is missing before it can be."""

    CSS_PATH = "plan.tcss"
    AUTO_FOCUS = "#sessions"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_session", "New session", id="plan-new-session", show=False),
        Binding("p", "next_phase", "Next phase", id="plan-next-phase", show=False),
        Binding("P", "phase", "Other phase", id="plan-phase", show=False),
        Binding("c", "close", "Close", id="plan-close", show=False),
        Binding("a", "add", "Add", id="plan-add", show=False),
        Binding("v", "validate", "Validate", id="plan-validate", show=False),
        Binding("ctrl+z", "undo", "Undo", id="plan-undo", show=False),
        Binding("R", "report", "Report", id="plan-report", show=False),
        Binding("Z", "redo", "Redo", id="plan-redo", show=False),
    ]
    HELP = """\
A session goes through five phases; each has a gate, which says what is missing before moving on:
**v** validates the plan, **F3** deploys it and collects what came back, **p** moves on.
Moving on anyway is possible, and recorded. The agents of a session run in waves: those that wait
for nobody first, side by side. **Ctrl+Z** takes back what was done last, whatever it was, and **Z**
does it again. **e** on a session changes its scope and its budget.
"""

    NOT_NOW: ClassVar[dict[str, str]] = {
        "edit": "choose a planned agent",
        "bundle": "choose a planned agent",
        "duplicate": "choose a planned agent",
        "remove": "choose a planned agent",
        "move": "choose a planned agent",
        "undo": "nothing was done yet",
        "redo": "nothing was undone",
        "validate": "nobody planned in this session",
        "phase": "nobody planned in this session",
        "next_phase": "the session is in its last phase, or closed",
        "close": "the session is closed",
        "archive": "there is no session yet",
        "edit_session": "there is no session yet",
        "add": "there is no session yet",
    }

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
        self._choosing = True
        """Whether one is at the sessions, rather than in the plan of one."""
        self._turned = False
        """Whether the waves are shown where there is no room for more."""
        self._done: list[str] = []
        """The sessions that were changed here, one for each change; likewise where changes were
        taken back that can be done again."""
        self._undone: list[str] = []
        self._changes: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
        """Changes that wait for the one before them: keys may come faster than the disk."""

    def body(self) -> Iterable[Widget]:
        with Vertical(id="plan"):
            with SplitPanes(id="upper"):
                yield SessionRows(SessionRows.COLUMNS, id="sessions", classes="pane")
                with Vertical(id="about"):
                    with Vertical(id="next-pane", classes="pane"):
                        yield ToldLines(most=14, id="next")
                    with Vertical(id="waves-pane", classes="pane"):
                        yield ToldLines(most=6, id="waves")
            with Vertical(id="agents-pane", classes="pane"):
                yield AgentRows(AgentRows.COLUMNS, id="agents")
                yield ToldLines(most=6, id="detail")

    def on_mount(self) -> None:
        super().on_mount()
        self._sessions.border_title = "Sessions"
        self.query_one("#waves-pane").border_title = "Waves"

    @property
    def least(self) -> tuple[int, int]:
        return (60, 16)

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Show the panes there is room for: the sessions stand beside the plan, or are gone to."""
        width, height = self.app.size
        beside, short = width >= BESIDE, height < SHORT
        page = self._page
        choosing = self._choosing and not beside or page is None
        self._sessions.display = beside or choosing
        has_waves = bool(page and len(page.agents) > 1 and not choosing)
        turned = has_waves and short and self._turned
        self.query_one("#waves-pane").display = has_waves and (turned or not short)
        self.query_one("#next-pane").display = not turned
        self.query_one("#agents-pane").display = not choosing
        self.query_one("#about").display = page is not None
        upper = self.query_one("#upper")
        upper.styles.height = "1fr" if choosing else "auto"
        # so that some sessions are seen beside one of which there is little to tell
        upper.styles.min_height = 0 if not beside else 13 if height >= ROOMY else 8
        self.query_one("#next", ToldLines).most = 14 if height >= ROOMY else 3 if short else 5
        waves = 6 if height >= ROOMY else 4
        self.query_one("#waves", ToldLines).most = waves
        detail = 0 if short else 2 if height < ROOMY else 6
        self.query_one("#detail", ToldLines).most = detail
        if page is not None:
            others = "" if beside or choosing else "Tab other sessions · "
            pane = self.query_one("#next-pane")
            pane.border_subtitle = Content(f"{others}{one_line(page.session.session_id, 60)}")
        for told in self.query(ToldLines):
            told.refresh(layout=True)

    def action_other_pane(self) -> None:
        """Go from the sessions to the plan of one, or back."""
        choosing = self.focused is not self._sessions
        self._go_to(self._sessions if choosing else self._agents)

    def action_turn(self) -> None:
        """Show the waves in place of the next step, or the other way round, where there is no room
        for both; elsewhere go to the sessions."""
        if self.app.size.height < SHORT:
            self._turned = not self._turned
            self._arrange()
        else:
            self.action_other_pane()

    def _go_to(self, rows: Rows) -> None:
        """Put the cursor into a list, and show it where another had the room."""
        self._choosing = rows is self._sessions
        self._arrange()
        rows.focus()

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
            rows.show((), empty=lines if isinstance(lines, str) else NO_SESSIONS)
            rows.border_title = "Sessions"
            self._arrange()
            self.refresh_bindings()
            return
        rows.show_lines(lines, current, self.app.project.now())
        count = f"{len(lines)}{'+' if len(lines) == self._limit else ''}"
        rows.border_title = f"Sessions · {count}"
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
        pane = self.query_one("#next-pane")
        scope = Content(one_line(session.scope, 200)).truncate(max(20, self.app.size.width - 20))
        pane.border_title = "Next" if self.app.size.width >= BESIDE else scope
        self._agents.show_page(page, self._live, self.app.project.now(), empty=NO_AGENTS)
        if self._wanted_agent and self._agents.move_to_key(self._wanted_agent):
            self._wanted_agent = None
        self._arrange()
        self._tell()
        self.refresh_bindings()

    @property
    def _live(self) -> dict[str, LiveAgent]:
        """What is seen of the agents that run, by their executions."""
        agents = self.app.live.agents if self.app.live else ()
        return {agent.execution_id: agent for agent in agents if agent.execution_id}

    def agents_seen(self) -> None:
        page = self._page
        if page is not None and not self.has_class("-empty"):
            self._agents.redraw(make_rows(page, self._live, self.app.project.now()))
            self._tell()

    def _tell(self) -> None:
        """Draw what is told of the session beside its agents."""
        page, live, now = self._page, self._live, self.app.project.now()
        if page is None:
            return
        asking = dict(find_asking(page, self.app.live.agents if self.app.live else ()))
        self.query_one("#next", ToldLines).show(
            lambda width, most: draw_session(page, asking, now, width, most)
        )
        names = name_agents(page)
        states = {
            line.agent.position: (state_of_agent(line, live), names[line.agent.position])
            for line in page.agents
        }
        waits = {line.agent.position: line.waits_for for line in page.agents}
        self.query_one("#waves", ToldLines).show(
            lambda width, most: draw_waves(page.waves, waits, states, width, most)
        )
        pane = self.query_one("#agents-pane")
        count = len(page.agents) if page.is_planned else len(page.runs)
        pane.border_title = f"{'Agents' if page.is_planned else 'Runs'} · {count}"
        back = sum(line.status == "completed" for line in page.agents)
        turn = "F6 waves · " if self.app.size.height < SHORT and count > 1 else ""
        pane.border_subtitle = f"{turn}{back} back of {count}" if page.agents else ""
        self._show_detail()

    @on(Rows.Highlighted, "#agents")
    def _show_detail(self) -> None:
        page, line, live = self._page, self._planned, self._live
        told = self.query_one("#detail", ToldLines)
        run = (
            next((run for run in page.runs if run.execution_id == self._agents.key), None)
            if (page)
            else None
        )
        if page and line:
            seen = live.get(line.attempts[-1][0]) if line.attempts else None
            told.show(lambda width, most: draw_detail(page, line, seen, width, most))
        elif run:
            now = self.app.project.now()
            told.show(lambda width, most: draw_run(run, now, width))
        else:
            told.show(lambda width, most: ())

    @property
    def _planned(self) -> PlannedLine | None:
        """The planned agent under the cursor."""
        key = self._agents.key
        agents = self._page.agents if self._page else ()
        return next((line for line in agents if line.agent.uid == key), None)

    # Choosing a session: with Enter, or by going into its plan

    @on(Rows.Selected, "#sessions")
    def _selected(self) -> None:
        self._go_to(self._agents)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget is self._agents:
            self._choosing = False
            self._use(self._sessions.key)
        elif event.widget is self._sessions:
            self._choosing = True
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
        can_undo: bool = True,
    ) -> None:
        """Change the record in a thread, after the changes asked for before, and show it.

        ``typed`` is what came out of a form and the name of its draft: kept where it is refused.
        ``can_undo``: it is a change of the session that is shown.
        """
        of = self._page.session.session_id if self._page and can_undo else ""
        project, drafts = self.app.project, self.app.drafts

        def attempt() -> T:
            if typed:
                drafts.save(typed[0], draft_of(typed[1]))
            result = work(project.record)
            if typed:
                with suppress(OrchError):
                    drafts.drop(typed[0])
            return result

        def done(result: T) -> None:
            if of:
                self._done.append(of)
                self._undone.clear()
            then(result)

        self._changes.append((attempt, done))
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
                can_undo=False,
            )

        def opened(session_id: str) -> None:
            self._wanted_session = session_id
            self._use(session_id)
            self._go_to(self._agents)

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
                    lambda _: self._say(f"phase {phase} {PHASES[phase]} · Ctrl+Z goes back"),
                )

        missing = [g for g in page.gates if before <= g.phase < phase and not g.met]
        if not missing:
            go(True)
            return
        listed = "\n".join(f"○ {gate.name}: {word_missing(gate)}" for gate in missing)
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
                    f"○ {gate.name}: {word_missing(gate)}" for gate in page.gates if not gate.met
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
                word = "shown again" if archived else "archived · Ctrl+Z or . shows it"
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
            self._say(f"{name} is out of the plan · Ctrl+Z brings it back")

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
        """Take back the last thing done here, whatever it was and in whatever session."""
        self._take_back(self._done, self._undone, "undone")

    def action_report(self) -> None:
        open_report(self)

    def action_redo(self) -> None:
        self._take_back(self._undone, self._done, "done again")

    def _take_back(self, taken: list[str], given: list[str], word: str) -> None:
        from orch_tui.record import change_history

        shown = self._page.session.session_id if self._page else ""
        session_id = taken.pop() if taken else shown
        work = change_history.undo_change if word == "undone" else change_history.redo_change

        def changed(entry: JournalEntry) -> None:
            given.append(session_id)
            self._wanted_session = session_id
            where = "" if session_id == shown else f", in {session_id}"
            self._say(f"{word}: {change_history.describe_change(entry)}{where}")

        self._change(lambda record: work(record, session_id), changed, can_undo=False)

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

        self._change(work, self._validated, can_undo=False)

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
        if action in ("undo", "redo"):
            return self._page is not None or bool(self._done if action == "undo" else self._undone)
        if action in ("validate", "phase", "next_phase", "close") and (
            self._page is None or not self._page.is_planned
        ):
            return False
        if action in ("add", "validate", "archive", "phase", "edit_session"):
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
