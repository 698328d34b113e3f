"""Plan: sessions, the phases of one and their gates, and the agents to deploy in it."""

from __future__ import annotations

from collections.abc import Iterable
from shlex import join
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from orch_tui.screens.limit_form import LIMITS, LIMITS_OF
from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.plan.agent_actions import AgentActions
from orch_tui.screens.plan.lists import (
    AgentRows,
    SessionRows,
    count_states,
    draw_detail,
    draw_run,
    make_rows,
    state_of_agent,
)
from orch_tui.screens.plan.next_step import draw_session, find_asking, name_agents
from orch_tui.screens.plan.plan_changes import PlanChanges
from orch_tui.screens.plan.plan_state import PlanState
from orch_tui.screens.plan.session_actions import SessionActions
from orch_tui.screens.plan.waves import draw_waves
from orch_tui.screens.report_view import open_report
from orch_tui.screens.split_panes import SplitPanes
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.told_lines import ToldLines

if TYPE_CHECKING:
    from orch_tui.live.live_agent import LiveAgent
    from orch_tui.recall.next_step import NextStep
    from orch_tui.recall.overview import PlannedLine, PlanPage, SessionLine
    from orch_tui.rows import PlannedAgent

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
        Binding("n", "new_session", "new session", id="plan-new-session", show=False),
        Binding("p", "next_phase", "next phase", id="plan-next-phase", show=False),
        Binding("P", "phase", "other phase", id="plan-phase", show=False),
        Binding("c", "close", "close it", id="plan-close", show=False),
        Binding("a", "add", "plan an agent", id="plan-add", show=False),
        Binding("b", "bundle", "its bundle", id="plan-bundle", show=False),
        Binding("v", "validate", "check the plan", id="plan-validate", show=False),
        Binding("ctrl+z", "undo", "undo", id="plan-undo", show=False),
        Binding("R", "report", "report of the session", id="plan-report", show=False),
        Binding("L", "limits", LIMITS, id="limits", show=False, tooltip=LIMITS_OF),
        Binding("Z", "redo", "redo", id="plan-redo", show=False),
    ]
    HELP = """\
A session goes through five phases; each has a gate, which says what is missing before moving on:
**v** validates the plan, **F3** deploys it and collects what came back, **p** moves on.
Moving on anyway is possible, and recorded. The agents of a session run in waves: those that wait
for nobody first, side by side. **Ctrl+Z** takes back what was done last, whatever it was, and **Z**
does it again. **L** sets limits: of an agent, of each
agent, of the session; **e** on a session changes its scope, too.
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
        "limits": "there is no session yet",
        "add": "there is no session yet",
    }

    def __init__(self) -> None:
        super().__init__()
        self._state = PlanState()
        self._archived = False
        self._limit = PAGE
        self._followed: str | None = None
        """The session of the app when the cursor was last put on it."""
        self._choosing = True
        """Whether one is at the sessions, rather than in the plan of one."""
        self._turned = False
        """Whether the waves are shown where there is no room for more."""
        self._sessions = SessionRows(SessionRows.COLUMNS, id="sessions", classes="pane")
        self._agents = AgentRows(AgentRows.COLUMNS, id="agents")
        self._changes = PlanChanges(self)
        self._session_actions = SessionActions(self, self._state, self._changes, self._open_session)
        self._agent_actions = AgentActions(self, self._state, self._changes, self._agents)

    def body(self) -> Iterable[Widget]:
        with Vertical(id="plan"):
            with SplitPanes(id="upper"):
                yield self._sessions
                with Vertical(id="about"):
                    with Vertical(id="next-pane", classes="pane"):
                        yield ToldLines(most=14, id="next")
                    with Vertical(id="waves-pane", classes="pane"):
                        yield ToldLines(most=6, id="waves")
            with Vertical(id="agents-pane", classes="pane"):
                yield self._agents
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
        least = 0 if not beside else 13 if height >= ROOMY else 8
        upper.styles.min_height = least
        self.query_one("#next-pane").styles.min_height = 0 if has_waves and not short else least
        self.query_one("#next", ToldLines).most = 14 if height >= ROOMY else 3 if short else 5
        waves = 6 if height >= ROOMY else 4
        self.query_one("#waves", ToldLines).most = waves
        detail = 0 if short else 2 if height < ROOMY else 6
        self.query_one("#detail", ToldLines).most = detail
        if page is not None:
            others = "" if beside or choosing else "Tab other sessions · "
            pane = self.query_one("#next-pane")
            limits = "L limits · " if page.is_planned and width >= BESIDE else ""
            edge = f"{others}{limits}{one_line(page.session.session_id, 60)}"
            pane.border_subtitle = Content(edge)
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
    def planned_agent(self) -> PlannedAgent | None:
        return self._planned.agent if self._page and self._planned else None

    @property
    def run_to_show(self) -> str:
        """The run that is to be looked at next."""
        from orch_tui.recall.next_step import list_next_steps

        page = self._page
        current = self.app.session.session_id if self.app.session else ""
        if page is None or page.session.session_id != current:
            return ""
        step = list_next_steps(page)[0]
        return step.agents[0].attempts[-1][0] if step.act == "look" else ""

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
            self._state.page = None
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
            self._state.wanted_session = self._state.wanted_session or current
        if self._state.wanted_session and rows.move_to_key(self._state.wanted_session):
            self._state.wanted_session = None
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
        self._go_on_from(self._page, page)
        self._state.page = page
        session = page.session
        pane = self.query_one("#next-pane")
        scope = Content(one_line(session.scope, max(20, self.app.size.width - 20)))
        pane.border_title = "Next" if self.app.size.width >= BESIDE else scope
        self._agents.show_page(page, self._live, self.app.project.now(), empty=NO_AGENTS)
        if self._state.wanted_agent and self._agents.move_to_key(self._state.wanted_agent):
            self._state.wanted_agent = None
        self._arrange()
        self._tell()
        self.refresh_bindings()

    def _go_on_from(self, before: PlanPage | None, page: PlanPage) -> None:
        """Put the cursor on the next agent that has no bundle, once its own has one."""
        from orch_tui.recall.next_step import list_next_steps

        line = self._planned
        if before is None or line is None or before.session.uid != page.session.uid:
            return
        was = {each.agent.uid for step in list_next_steps(before) for each in _to_compose(step)}
        left = [each.agent.uid for step in list_next_steps(page) for each in _to_compose(step)]
        if left and line.agent.uid in was and line.agent.uid not in left:
            self._state.wanted_agent = left[0]

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
        here = self.focused is self._agents and self._planned
        at = here.agent.position if here else 0
        self.query_one("#next", ToldLines).show(
            lambda width, most: draw_session(page, asking, now, width, most, at)
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
        turn = "F6 waves · " if self.app.size.height < SHORT and count > 1 else ""
        pane.border_subtitle = f"{turn}{count_states(page.agents)}" if page.agents else ""
        self._show_detail()

    @on(Rows.Highlighted, "#agents")
    def _moved(self) -> None:
        self._tell()

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
    def _page(self) -> PlanPage | None:
        return self._state.page

    @property
    def _planned(self) -> PlannedLine | None:
        return self._agent_actions.planned

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
        self._tell()
        self.refresh_bindings()

    def _use(self, session_id: str) -> None:
        current = self.app.session.session_id if self.app.session else None
        if session_id and session_id != current:
            self._followed = session_id
            self.app.use_session(session_id)

    # Sessions

    def _open_session(self, session_id: str) -> None:
        self._state.wanted_session = session_id
        self._use(session_id)
        self._go_to(self._agents)

    def action_new_session(self) -> None:
        self._session_actions.open_new()

    def action_edit_session(self) -> None:
        self._session_actions.edit()

    def action_limits(self) -> None:
        line = self._planned if self.focused is self._agents else None
        agent_type = line.agent.agent_type if line else ""
        self._session_actions.edit(agent_type=agent_type, at="agent_limit")

    def action_next_phase(self) -> None:
        self._session_actions.go_on()

    def action_phase(self) -> None:
        self._session_actions.choose_phase()

    def action_close(self) -> None:
        self._session_actions.close()

    def action_archive(self) -> None:
        self._session_actions.archive()

    def action_report(self) -> None:
        open_report(self)

    def action_toggle_archived(self) -> None:
        self._archived = not self._archived
        self._say(
            "archived sessions are shown" if self._archived else "archived sessions are hidden"
        )
        self.load()

    # Planned agents

    def action_add(self) -> None:
        self._agent_actions.add()

    def action_edit(self) -> None:
        self._agent_actions.edit()

    def action_bundle(self) -> None:
        """Compose what the agent under the cursor is given; from beside the agents, what the next
        one is given that has no bundle."""
        if self._page is not None and self.focused is not self._agents:
            from orch_tui.recall.next_step import list_next_steps

            steps = list_next_steps(self._page)
            bare = [line.agent.uid for step in steps for line in _to_compose(step)]
            if bare:
                self._agents.move_to_key(bare[0])
        self._agent_actions.bundle()

    def action_duplicate(self) -> None:
        self._agent_actions.duplicate()

    def action_remove(self) -> None:
        self._agent_actions.remove()

    def action_move(self, by: int) -> None:
        self._agent_actions.move(by)

    def action_validate(self) -> None:
        self._agent_actions.validate()

    # Taking back

    def action_undo(self) -> None:
        self._changes.undo(self._state.session_id, self._took_back)

    def action_redo(self) -> None:
        self._changes.redo(self._state.session_id, self._took_back)

    def _took_back(self, session_id: str, what: str) -> None:
        self._state.wanted_session = session_id
        self._say(what)

    def _say(self, text: str) -> None:
        self.notify(one_line(text, 300), markup=False)

    # The frame

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("edit", "bundle", "duplicate", "remove", "move"):
            return self._planned is not None
        if action in ("undo", "redo"):
            return self._page is not None or (
                self._changes.can_undo if action == "undo" else self._changes.can_redo
            )
        if action in ("validate", "phase", "next_phase", "close") and (
            self._page is None or not self._page.is_planned
        ):
            return False
        if action in ("add", "validate", "archive", "phase", "edit_session", "limits"):
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
        self._state.wanted_session = session if isinstance(session, str) else None
        self._state.wanted_agent = agent if isinstance(agent, str) else None
        self._archived = state.get("archived") is True


def _to_compose(step: NextStep) -> tuple[PlannedLine, ...]:
    return step.agents if step.act == "compose" else ()


NO_RECORD = """Nothing is planned here yet, and nothing recorded.

n   opens a first session: say what is to be done

a   then plans an agent in it
F2  gives the agent what it needs, within its limit
F3  hands it over, and records what it said at the end
F4  finds every run again, by any of its words

orch demo, in a shell, makes a sample project to look around in."""
NO_MARK = """

This folder has neither .git nor .claude: it is taken for the project itself, and the record is \
made in it. To use another, quit with ctrl+q and open orch there."""
NO_SESSIONS = """There is no session to show.

n  opens one
.  shows those that were archived"""
NO_AGENTS = """No agent is planned in this session.

a   plans the first one
F2  then gives it what it needs"""
