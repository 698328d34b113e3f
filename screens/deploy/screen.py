"""Deploy: who was sent and waits, what came back, and recording both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from shlex import join
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

from orch_tui.errors import OrchError
from orch_tui.screens.agent_pane import AgentPane
from orch_tui.screens.deploy.agent_rows import (
    agent_key_of,
    arrange_rows,
    columns_for,
    shown_agents,
    waiting_row,
)
from orch_tui.screens.deploy.launch_form import LaunchForm, Wanted, write_briefing
from orch_tui.screens.deploy.return_form import ReturnForm, ReturnOutcome, ask_failure
from orch_tui.screens.dialogs import Ask, Choose
from orch_tui.screens.orch_screen import LEAST, OrchScreen, Problem
from orch_tui.screens.screen_part import ScreenPart
from orch_tui.screens.widgets.paste import pasted
from orch_tui.screens.widgets.preview import Preview
from orch_tui.screens.widgets.row_list import Column, Row, Rows
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.tabs import Tabs
from orch_tui.times import between, lasting, local_time

if TYPE_CHECKING:
    from orch_tui.live.live_agent import LiveAgent
    from orch_tui.recall.show import Shown
    from orch_tui.record.deployable import Deployable
    from orch_tui.search.query import Hit, Page

STATES = {"deployed": "○ Waiting", "completed": "● Completed", "failed": "✗ Failed"}
"""The lists, by the status of what is in them."""

PAGE = 200
"""Executions read at a time."""

OLD = 24 * 3600
"""Seconds from which a waiting execution is marked: its agent hardly still runs."""

SIDE_PANE = (60, 16)
"""Columns and lines that the lists need."""

TICK = 30
"""Seconds between two looks at how long the waiting wait."""

_REST = (Column("run", 9), Column("agent", 20), Column("what it was sent for"))
WAITING = (Column("waiting", 13, right=True), *_REST)
RETURNED = (Column("deployed", 16), *_REST)

NO_RECORD = """This project has no record yet.

F1 plans a first session, d then deploys its agents."""
EMPTY = {
    "deployed": """Nobody is waited for.

d deploys a planned agent or a bundle; F1 plans one, F2 composes what it is given.
Left and right change the list.""",
    "completed": """Nothing has come back yet.

Enter on a waiting run records what its agent said. Left and right change the list.""",
    "failed": """Nothing has failed.

x on a waiting run closes it as failed. Left and right change the list.""",
}


class DeployScreen(OrchScreen):
    """The lists of executions, and the two views that record."""

    AUTO_FOCUS = "#runs"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]
    CSS_PATH = "deploy.tcss"
    HELP = """\
**d** deploys: choose, look over the briefing and the budget, then record and copy it.
**c** or Enter on a waiting run records its return: paste the final message, correct what was
read from it, **F8**. While agents run, each says what it does: `?` asks for a permission, `!` is
silent, loops, is nearly full or gone; Enter follows one. **x** closes a run as failed whose agent
never came back.
Left and right change the list, **F6** what is shown of a run.
"""

    def body(self) -> Iterable[Widget]:
        with ContentSwitcher(initial="lists"):
            yield Lists(id="lists")
            yield LaunchForm(id="deploying-view")
            yield ReturnForm(id="completing-view")

    def on_mount(self) -> None:
        self.set_interval(TICK, self.load)

    def load(self) -> None:
        for lists in self.query(Lists):  # none where the app is closing
            lists.load()

    def agents_seen(self) -> None:
        for lists in self.query(Lists):
            lists.agents_seen()

    @property
    def least(self) -> tuple[int, int]:
        """The lists are for a narrow pane at the side, too."""
        return SIDE_PANE if self.part.id == "lists" else LEAST

    @property
    def part(self) -> ScreenPart:
        """The view in front."""
        part = self.query_one(ContentSwitcher).visible_content
        assert isinstance(part, ScreenPart)
        return part

    def _show(self, part: str) -> None:
        self.query_one(ContentSwitcher).current = part
        self.query_one(Problem).clear()
        self.judge_size()
        self.refresh_bindings()

    @on(LaunchForm.Closed)
    @on(ReturnForm.Closed)
    def _back_to_lists(self, event: LaunchForm.Closed | ReturnForm.Closed) -> None:
        self._show("lists")
        lists = self.query_one(Lists)
        lists.focus_list()
        lists.load(event.execution_id)

    def deploy(self, wanted: Wanted) -> None:
        """Look one deployment over."""
        self._show("deploying-view")
        self.query_one(LaunchForm).open(wanted)

    def complete(self, execution_id: str, pasted: str = "") -> None:
        """Record a return of an execution."""
        self._show("completing-view")
        self.query_one(ReturnForm).open(execution_id, pasted)

    def command(self) -> str:
        return self.part.command()

    def remember(self) -> dict[str, Any]:
        lists = self.query_one(Lists)
        return {
            "state": lists.state,
            "all": lists.all_sessions,
            "completing": self.query_one(ReturnForm).execution_id,
        }

    def recollect(self, state: dict[str, Any]) -> None:
        lists = self.query_one(Lists)
        if state.get("state") in STATES:
            lists.state = state["state"]
        lists.all_sessions = state.get("all") is True
        completing = state.get("completing")
        if completing and isinstance(completing, str):
            self.complete(completing)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the lists show."""

    pages: dict[str, Page]
    drafts: set[str]
    now: str


class Lists(ScreenPart):
    """Waiting, completed, failed: one list at a time, the run under the cursor beside it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "deploy", "Deploy", id="deploy"),
        Binding("c", "complete", "Complete", id="complete"),
        Binding("x", "close", "Close as failed", id="close-as-failed"),
        Binding("b", "copy", "Copy briefing", id="copy-briefing"),
        Binding("w", "write", "Briefing to file", id="write-briefing", show=False),
        Binding("h", "history", "In History", id="in-history", show=False),
        Binding("left", "list(-1)", "List", id="deploy-list-before", key_display="←→"),
        Binding("right", "list(1)", "Next list", id="deploy-list-next", show=False),
        Binding("f6", "next_tab", "Tab", id="deploy-tab"),
        Binding("ctrl+f", "all", "Where", id="deploy-where"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name
        super().__init__(id=id)
        self.all_sessions = False
        self._found: _Found | None = None
        self._hits: dict[str, Hit] = {}
        self._agents: dict[str, LiveAgent] = {}
        """The agents that have a row, by its key."""
        self._wished = ""

    def compose(self) -> ComposeResult:
        with Horizontal(id="which"):
            yield Tabs(STATES, id="states")
            yield Static("", id="where", markup=False)
        with Horizontal(id="split"):
            yield Rows(WAITING, id="runs")
            yield Preview(id="run")

    def on_mount(self) -> None:
        self._show_first(self.state)

    def _show_first(self, status: str) -> None:
        """What one wants to read of a run: what it is to do, or what it said."""
        self.query_one("#run", Preview).tab = "briefing" if status == "deployed" else "said"

    @property
    def state(self) -> str:
        """The status of what the list in front holds."""
        return self.query_one("#states", Tabs).active

    @state.setter
    def state(self, status: str) -> None:
        self.query_one("#states", Tabs).active = status

    @property
    def _rows(self) -> Rows:
        return self.query_one("#runs", Rows)

    @property
    def _hit(self) -> Hit | None:
        """The run under the cursor."""
        return self._hits.get(self._rows.key)

    @property
    def _label(self) -> str:
        """The execution under the cursor, also one of another session whose agent runs."""
        agent = self._agents.get(self._rows.key)
        return self._hit.execution_id if self._hit else (agent and agent.execution_id) or ""

    @property
    def _is_waiting(self) -> bool:
        """Whether the run under the cursor has not returned."""
        return self._hit.status == "deployed" if self._hit else bool(self._label)

    def focus_list(self) -> None:
        self._rows.focus()

    # Reading

    def load(self, execution_id: str = "") -> None:
        """Read the lists again; the cursor goes to ``execution_id`` where it is in front."""
        from orch_tui.search.query import search

        if not self.query("#states"):  # the app is closing
            return
        self._wished = execution_id or self._wished
        project, drafts, within, front = self.app.project, self.app.drafts, self._within, self.state

        def work() -> _Found | None:
            if not project.database.exists():
                return None
            record = project.existing_record
            pages = {
                status: search(
                    record,
                    f"{within} status:{status}",
                    limit=PAGE if status == front else 1,
                    project=project.project_filter,
                )
                for status in STATES
            }
            return _Found(pages, drafts.names(), project.now())

        self.run_in_thread(work, self._show, group="lists")

    @property
    def _within(self) -> str:
        session = self.app.session
        return "" if self.all_sessions or session is None else f'session:"{session.session_id}"'

    def _show(self, found: _Found | None) -> None:
        self._found = found
        if found is None:
            self._hits = {}
            self._show_rows()
            return
        for status, page in found.pages.items():
            self.query_one("#states", Tabs).retitle(status, f"{STATES[status]} {page.count_text}")
        here = f"session {self.app.session.session_id}" if self._within and self.app.session else ""
        self.query_one("#where", Static).update(f"{here or 'all sessions'} · Ctrl+F changes it")
        page = found.pages[self.state]
        self._hits = {hit.execution_id: hit for hit in page.hits}
        self._show_rows()
        if self._wished and self._rows.move_to_key(self._wished):
            self._wished = ""
        self.refresh_bindings()

    def _show_rows(self) -> None:
        """Show the runs, and what their agents do where any runs."""
        is_waiting = self.state == "deployed"
        agents = shown_agents(self.app.live, self._hits) if is_waiting else []
        self._agents = {agent_key_of(agent): agent for agent in agents}
        found = self._found
        others = [hit for label, hit in self._hits.items() if label not in self._agents]
        if not agents:
            self.remove_class("-live")
            self._rows.set_columns(WAITING if is_waiting else RETURNED)
            rows = [self._row(hit, found) for hit in others] if found else []
        else:
            self.add_class("-live")
            width = self.app.size.width
            self._rows.set_columns(columns_for(width))
            quiet = [self._quiet_row(hit, found, width) for hit in others] if found else []
            rows = arrange_rows(agents, quiet, width)
        if [row.key for row in rows] == [row.key for row in self._rows.rows] != []:
            self._rows.redraw(rows)
        else:
            self._rows.show(rows, empty=EMPTY[self.state] if found else NO_RECORD)

    def agents_seen(self) -> None:
        """Show what agents do by now."""
        if self.query("#states") and self.state == "deployed":
            self._show_rows()

    def on_resize(self) -> None:
        self.agents_seen()

    def _quiet_row(self, hit: Hit, found: _Found, width: int) -> Row:
        """The row of a run of which no agent is seen, under the columns of those that are."""
        row = self._row(hit, found)
        waited = between(hit.at, found.now)
        lasted = lasting(waited) if waited else ""
        return waiting_row(row.cells[1:], lasted, row.style, width)

    def _row(self, hit: Hit, found: _Found) -> Row:
        draft = "✎ draft · " if f"final-message {hit.execution_id}" in found.drafts else ""
        scope = draft + (hit.scope or "")
        if hit.status != "deployed":
            return Row(
                hit.execution_id, (local_time(hit.at), hit.execution_id, hit.agent_type, scope)
            )
        waiting, style = lasting(between(hit.at, found.now)), ""
        if _is_old(hit.at, found.now):
            waiting, style = f"! {waiting}", "warn"
        return Row(hit.execution_id, (waiting, hit.execution_id, hit.agent_type, scope), style)

    @on(Rows.NearEnd, "#runs")
    def _near_end(self) -> None:
        from orch_tui.search.query import search

        found, state, within = self._found, self.state, self._within
        page = found.pages[state] if found else None
        if page is None or page.next_before is None:
            return
        project, before = self.app.project, page.next_before
        self.run_in_thread(
            lambda: search(
                project.existing_record,
                f"{within} status:{state}",
                limit=PAGE,
                before=before,
                project=project.project_filter,
            ),
            self._more,
            group="lists",
        )

    def _more(self, page: Page) -> None:
        if self._found is not None:
            self._found.pages[self.state] = page
            self._hits |= {hit.execution_id: hit for hit in page.hits}
            self._show_rows()

    @on(Tabs.Activated, "#states")
    def _other_list(self, event: Tabs.Activated) -> None:
        event.stop()
        self._show_first(event.name)
        self.load()

    @on(Rows.Highlighted, "#runs")
    def _highlighted(self, event: Rows.Highlighted) -> None:
        self.refresh_bindings()
        self.read_run("" if event.key.startswith("agent:") else event.key, self._show_run)

    def _show_run(self, shown: Shown | None) -> None:
        self.query_one("#run", Preview).show(shown)
        self.refresh_bindings()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "complete":
            return bool(self._label)
        if action == "history":
            return self._hit is not None
        if action in ("copy", "write"):
            shown = self.query_one("#run", Preview).shown
            return bool(self._label and shown and shown.briefing)
        if action == "close":
            return self._is_waiting
        return True

    def action_list(self, by: int) -> None:
        states = list(STATES)
        self.state = states[(states.index(self.state) + by) % len(states)]

    def action_next_tab(self) -> None:
        self.query_one("#run", Preview).action_tab(1)

    def action_all(self) -> None:
        self.all_sessions = not self.all_sessions
        self.load()

    @on(Rows.Selected, "#runs")
    def _opened(self) -> None:
        hit, preview = self._hit, self.query_one("#run", Preview)
        agent = self._agents.get(self._rows.key)
        if agent is not None:
            self.app.push_screen(AgentPane(agent))
        elif hit is not None and hit.status == "deployed":
            self.action_complete()
        elif preview.shown is not None:
            from orch_tui.screens.history.screen import Run

            self.app.push_screen(Run(preview.shown, preview.tab))

    def action_complete(self) -> None:
        if self._label:
            self._screen.complete(self._label)

    def on_paste(self, event: events.Paste) -> None:
        """A message pasted on a waiting run is its final message."""
        event.stop()
        if self._is_waiting:
            self._screen.complete(self._label, pasted(event.text))

    def action_close(self) -> None:
        if label := self._label:
            ask_failure(self, "", lambda outcome: self._close_as(label, outcome))

    def _close_as(self, label: str, outcome: ReturnOutcome) -> None:
        from orch_tui.record.completion import record_completion

        project = self.app.project
        self.run_in_thread(
            lambda: record_completion(
                project.record,
                label,
                status=outcome.status,
                error_message=outcome.error_message,
                error_code=outcome.error_code,
            ),
            lambda _: self._was_closed(label),
            group="record",
        )

    def _was_closed(self, label: str) -> None:
        self.notify(f"{label} is closed as failed", markup=False)
        self.load()

    def action_copy(self) -> None:
        self._with_briefing(
            lambda label, text: self.app.copy(
                text.decode("utf-8", "replace"), f"the briefing of {label}"
            )
        )

    def action_write(self) -> None:
        self._with_briefing(lambda label, text: write_briefing(self, label, text))

    def _with_briefing(self, use: Callable[[str, bytes], None]) -> None:
        from orch_tui.record.deployment import get_handed_over

        if not self._label:
            return
        project, label = self.app.project, self._label

        self.run_in_thread(
            lambda: get_handed_over(project.existing_record, label),
            lambda briefing: use(label, briefing),
            group="briefing",
        )

    def action_history(self) -> None:
        """Show the session of this run in History."""
        if self._hit is None:
            return
        query = f"session:{self._hit.session_id} "
        self.app.switch_mode("history")

        def fill() -> None:
            from textual.widgets import Input

            self.app.screen.query_one("#query", Input).value = query

        self.app.call_after_refresh(fill)

    def command(self) -> str:
        session = self.app.session
        words = ["orch", "query", "--status", self.state]
        if self._within and session:
            words += ["--session-id", session.session_id]
        return join(words)

    # Choosing what to deploy

    def action_deploy(self) -> None:
        from orch_tui.record.deployable import list_deployable

        session = self.app.session
        if session is None:
            self.refuse(NO_SESSION, "choices")
            return
        project, session_id = self.app.project, session.session_id
        self.run_in_thread(
            lambda: list_deployable(project.existing_record, session_id),
            lambda found: self._choose(session_id, found),
            group="choices",
        )

    def _choose(self, session_id: str, found: Sequence[Deployable]) -> None:
        lines = [(str(number), _in_words(choice)) for number, choice in enumerate(found)]
        lines.append(("", "another agent, without a bundle"))
        question = (
            "Deploy which agent?"
            if found
            else "Nothing is planned or composed: F1 plans an agent, F2 composes a bundle."
        )

        def chosen(number: str | None) -> None:
            if number == "":
                self._ask_agent(session_id)
            elif number is not None:
                choice = found[int(number)]
                bundle_id = None if choice.planned else choice.bundle_id
                self._screen.deploy(
                    Wanted(session_id, choice.planned, bundle_id, waits_for=choice.waits_for)
                )

        self.app.push_screen(Choose(question, lines), chosen)

    def _ask_agent(self, session_id: str) -> None:
        def ask_scope(agent_type: str | None) -> None:
            if agent_type and agent_type.strip():
                name = agent_type.strip()
                self.app.push_screen(
                    Ask(f"What is {name} to do?"),
                    lambda scope: (
                        None
                        if scope is None
                        else self._screen.deploy(
                            Wanted(session_id, agent_type=name, scope=scope.strip() or None)
                        )
                    ),
                )

        self.app.push_screen(Ask("Which agent type?", detail="As Claude Code names it."), ask_scope)

    @property
    def _screen(self) -> DeployScreen:
        screen = self._whole
        assert isinstance(screen, DeployScreen)
        return screen


NO_SESSION = OrchError(
    "there is no open session to deploy in", hint="F1 opens one and plans its agents"
)


def _is_old(at: str | None, now: str) -> bool:
    from datetime import datetime

    try:
        passed = datetime.fromisoformat(now) - datetime.fromisoformat(at or "")
    except (ValueError, TypeError):
        return False
    return passed.total_seconds() >= OLD


def _in_words(choice: Deployable) -> str:
    parts = [
        f"{choice.planned} {choice.agent_type}" if choice.planned else choice.agent_type,
        one_line(choice.scope, 60),
        f"{choice.bundle_id} {choice.count} tokens" if choice.count else "no bundle",
    ]
    if choice.runs:
        parts.append("deployed once" if choice.runs == 1 else f"deployed {choice.runs} times")
    if choice.waits_for:
        parts.append(f"waits for {', '.join(map(str, choice.waits_for))}")
    return " · ".join(filter(None, parts))
