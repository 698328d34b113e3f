"""The Textual app: it brings project, engine and screens together, and holds no logic."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from threading import Event
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.messages import ExitApp
from textual.screen import Screen
from textual.widgets import Input, TextArea
from textual.worker import get_current_worker

from orch_tui import clipboard
from orch_tui.assets import asset
from orch_tui.departure import Departure
from orch_tui.drafts import DraftHolder, Drafts
from orch_tui.errors import OrchError
from orch_tui.phases import PHASES
from orch_tui.project import Project
from orch_tui.screens.app_messages import (
    AgentsSeen,
    HubLagSeen,
    LastSteps,
    Offered,
    Reindexed,
    ReturnsRead,
    SessionRead,
)
from orch_tui.screens.doings import Doings
from orch_tui.screens.header import Header
from orch_tui.screens.hub_watch import HubWatch
from orch_tui.screens.kept_stylesheet import KeptStylesheet
from orch_tui.screens.key_names import name_key
from orch_tui.screens.notices import show_notices
from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.record_watch import RecordWatch, stamp_record
from orch_tui.screens.return_news import ReturnNews, word_returns
from orch_tui.screens.split_panes import read_shares
from orch_tui.screens.terminal import write_notice
from orch_tui.screens.text_editor import TextEditor
from orch_tui.screens.theme import (
    choose_theme_name,
    make_variables,
    name_fitting_theme,
    register_themes,
)

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.notifications import Notification, SeverityLevel

    from orch_tui.config import Config
    from orch_tui.live.live_agent import LiveSnapshot
    from orch_tui.prepare.budget import LimitGauge as Figures
    from orch_tui.recall.run_endings import RunEnding
    from orch_tui.rows import PlannedAgent, Session
    from orch_tui.screens.agent_pane import AgentPane


def _import_screen(mode: str) -> ModuleType:
    """Import the module of a screen, with all it needs."""
    return import_module(f"orch_tui.screens.{mode}.screen")


def _screen(mode: str) -> Callable[[], Screen[Any]]:
    """Return what builds a screen; its module is imported then, so that the app paints sooner."""

    def build() -> Screen[Any]:
        screen: Screen[Any] = getattr(_import_screen(mode), f"{mode.capitalize()}Screen")()
        return screen

    return build


class OrchApp(App[None]):
    """What ``orch`` opens."""

    TITLES: ClassVar[dict[str, str]] = {
        "plan": "Plan",
        "compose": "Compose",
        "deploy": "Deploy",
        "history": "History",
        "insights": "Insights",
    }
    FIRST: ClassVar[str] = ""
    """The screen that comes up where none is remembered; empty: Plan where a plan is open, else
    Insights."""
    FIRST_EVER: ClassVar[str] = "plan"
    """That where there is no record: it says how to begin."""
    MODES = {mode: _screen(mode) for mode in TITLES}
    CSS_PATH = asset("orch.tcss")
    ENABLE_COMMAND_PALETTE = False  # it has one of its own
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                f"f{number}", f"switch_mode('{mode}')", title, id=mode, priority=True, show=False
            )
            for number, (mode, title) in enumerate(TITLES.items(), start=1)
        ),
        *(
            Binding(str(number), f"switch_mode('{mode}')", title, show=False)
            for number, (mode, title) in enumerate(TITLES.items(), start=1)
        ),
        Binding("g", "show_return", "What came back", id="show-return", priority=True, show=False),
        Binding("slash", "search", "Search", id="search", show=False),
        Binding("ctrl+r", "search", "Search", id="search-anywhere", priority=True, show=False),
        Binding("z,ctrl+z", "undo", "undo", id="undo", show=False),
        Binding("Z,ctrl+shift+z", "redo", "redo", id="redo", show=False),
        Binding("question_mark", "toggle_help", "help", id="help"),
        Binding("ctrl+g", "toggle_help", "help", id="help-anywhere", priority=True),
        Binding("ctrl+p", "command_palette", "commands", id="palette", priority=True),
        Binding(
            "ctrl+o",
            "choose_session",
            "Another session",
            id="choose-session",
            priority=True,
            show=False,
        ),
        Binding("ctrl+t", "jump", "Jump to …", id="jump", priority=True, show=False),
        Binding("comma", "show_settings", "Settings", id="settings", show=False),
        Binding("q", "quit_by_letter", "quit", id="quit-by-letter"),
        Binding("ctrl+q", "quit", "quit", id="quit", priority=True),
    ]

    def __init__(self, project: Project) -> None:
        super().__init__()
        self.departure = Departure(self._leave, self.keep_drafts)
        self._editor = TextEditor(self)
        self.project = project
        self.drafts = Drafts.beside(project.database)
        self.session: Session | None = None
        self.session_gauge: Figures | None = None
        self.waiting: tuple[str, ...] = ()
        """The runs of the session that were handed over and have not returned."""
        self.live: LiveSnapshot | None = None
        """What running agents do; None while none was seen."""
        self.agent_pane: AgentPane | None = None
        """The pane that follows one agent, while it is open."""
        self.followed: tuple[str, str] | None = None
        """The agent whose last steps are looked for, by session and id."""
        self.last_steps: LastSteps | None = None
        """What it did last, once it was looked for."""
        self.to_show = ""
        """The execution that Deploy is asked to put its cursor on."""
        self.to_index = 0
        """Runs that another version of orch had indexed, while they are indexed anew."""
        self.still_to_index = 0
        self.hub_lag = ""
        """How far behind its hub the record is, in words; empty where it is not."""
        self.to_compose: PlannedAgent | None = None
        """The planned agent whose bundle Compose is asked to open."""
        self.run_to_compose = ""
        """The past run that Compose is asked to begin a bundle from."""
        self._state = _read_state(self.drafts)
        wanted = self._state.get("session")
        self._wanted_session: str | None = wanted if isinstance(wanted, str) else None
        self.pane_shares = read_shares(self._state.get("shares"))
        """Where borders between panes stand that were moved, by what holds the panes."""
        self.news = ReturnNews(self._state.get("returns"), project.now())
        left = self._state.get("left")
        self.left_at: str | None = left if isinstance(left, str) else None
        """When the app was last left, as the record writes it; None: it never was."""
        self.doings = Doings()
        self.is_choosing_command = False
        self._begun = False
        self._is_in_use = False
        """Somebody pressed a key."""
        self._unmounted = Event()
        """Set at the end: leaving does not wait until the next look at the record is due."""
        self._shown: tuple[int, ...] = ()
        """The record that the first screen read."""
        self._told: set[str] = set()
        project.remark = self.warn_later
        self._use_theme(project.config)
        self.stylesheet = KeptStylesheet(variables=self.get_css_variables())
        if project.config.keymap:
            self.set_keymap(dict(project.config.keymap))

    @property
    def unseen(self) -> int:
        """How many runs of the session are waited for that are not seen running here."""
        agents = self.live.agents if self.live else ()
        return len(set(self.waiting) - {agent.execution_id for agent in agents})

    @property
    def phase(self) -> str:
        """The phase of the session, in a word."""
        return PHASES.get((self.session and self.session.phase) or 0, "")

    def on_mount(self) -> None:
        # Not DEFAULT_MODE: with eager tasks (Python 3.12) Textual mounts the widgets of a default
        # mode before its screen is on the stack, and an Input asks for it.
        from orch_tui.models.database import is_older

        if is_older(self.project.database):
            from orch_tui.screens.migration import migrate_record

            migrate_record(self, then=self._show_first_screen)
        else:
            self._show_first_screen()

    def _show_first_screen(self) -> None:
        self.run_worker(self._name_provenance, thread=True, group="provenance")
        self._shown = stamp_record(self.project.database)
        last = self._state.get("screen")
        first = self.FIRST if self._shown else self.FIRST_EVER
        if chosen := last if last in self.TITLES else first:
            self.switch_mode(chosen)
        else:
            self.run_worker(self._choose_first_screen, thread=True, group="first")

    def _name_provenance(self) -> None:
        """Name, once, a record that somebody else may have made; in a thread."""
        from orch_tui.record.provenance import is_known, list_remarks, remember_record

        record = self.project.database
        if is_known(record):
            return
        told = [f"{remark}. {remedy}" for remark, remedy in list_remarks(record)]
        remember_record(record)
        for text in told:
            self.call_later(self.notify, text, severity="warning", markup=False, timeout=20)

    def _choose_first_screen(self) -> None:
        """Choose the screen that comes up, in a thread."""
        from orch_tui.record.session_choice import has_open_plan

        mode = "insights"
        with contextlib.suppress(OrchError):  # the screen says what is wrong with the record
            if has_open_plan(self.project.existing_record, self.project.project_filter):
                mode = "plan"
        self.call_later(self.switch_mode, mode)

    def _use_theme(self, config: Config) -> None:
        for problem in register_themes(self, config):
            self.warn_later(problem)
        self.theme, problem = choose_theme_name(self, config, self._state.get("theme"))
        if problem:
            self.warn_later(problem)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the colours of meaning, which every theme has."""
        return make_variables(self.current_theme.dark)

    def handle_bindings_clash(self, clashed_bindings: set[Binding], node: DOMNode) -> None:
        """A key of the user's keymap that something else had; Textual tells at every key."""
        for binding in clashed_bindings:
            self.warn_later(f"keymap: {binding.key} is taken from {binding.description!r}")

    def warn_later(self, text: str) -> None:
        """Say it, once, when there is a screen to say it on."""
        if text not in self._told:
            self._told.add(text)
            self.call_later(
                partial(self.notify, text, severity="warning", markup=False, timeout=15)
            )

    def begin(self) -> None:
        """The first screen has its rows: now there is time for everything else."""
        if not self._begun:
            self._begun = True
            self.read_session()
            self._read_returns()
            self.run_worker(self._import_screens, thread=True, group="import")
            self.run_worker(self._watch_record, thread=True, group="watch", exit_on_error=True)
            self.run_worker(self._watch_hub, thread=True, group="watch", exit_on_error=True)
            self.run_worker(self._look_for_offer, thread=True, group="offer")

    def _import_screens(self) -> None:
        """Import the other screens in a thread: a first visit would hold the event loop for it."""
        for mode in self.TITLES:
            _import_screen(mode)

    # Recording what Claude Code does by itself: offered once (and when an update of
    # Claude Code tells more), in the palette always

    def _look_for_offer(self) -> None:
        from orch_tui.install.offers import offer

        with contextlib.suppress(OrchError):
            found = offer(self.project, only_update=bool(self._state.get("offered")))
            if found and not (found.update and found.update == self._state.get("offered_update")):
                self.post_message(Offered(found))

    def on_offered(self, message: Offered) -> None:
        from orch_tui.screens.capture_offer import show_offer

        self._state["offered"] = True
        if message.offer.update:
            self._state["offered_update"] = message.offer.update
        if self._is_in_use:  # what is typed would answer it
            self.notify(f"{message.offer} Ctrl+P has them recorded.", markup=False, timeout=15)
        else:
            show_offer(self, message.offer)

    async def on_event(self, event: events.Event) -> None:
        self._is_in_use = self._is_in_use or isinstance(event, events.Key)
        await super().on_event(event)

    def import_transcripts(self) -> None:
        from orch_tui.screens.capture_offer import import_transcripts

        import_transcripts(self)

    def install_hooks(self) -> None:
        from orch_tui.screens.capture_offer import install_hooks

        install_hooks(self)

    # The session that all screens work on

    def use_session(self, session_id: str) -> None:
        """Make a session the one that screens and header show."""
        self._wanted_session = session_id
        self.read_session()

    def compose_for(self, agent: PlannedAgent) -> None:
        """Go on with the bundle of a planned agent in Compose, or begin one there."""
        self.to_compose = agent
        self.use_session(agent.session_id)
        self.switch_mode("compose")

    def compose_from_run(self, label: str) -> None:
        """Begin a bundle in Compose of what a past run was given."""
        self.run_to_compose = label
        self.switch_mode("compose")

    def find_in_history(self, query: str, *, of_team: bool = False) -> None:
        """Go to History with a query typed, among the runs of the record or of the team."""
        self.switch_mode("history")
        self.call_after_refresh(lambda: self._type_query(query, of_team))

    def _type_query(self, query: str, of_team: bool) -> None:
        from textual.widgets import Input

        from orch_tui.screens.history.screen import HistoryScreen

        if isinstance(self.screen, HistoryScreen):
            self.screen.leave_session()
            self.screen.show_team(of_team)
        box = self.screen.query_one("#query", Input)
        box.value = query
        box.cursor_position = len(query)

    async def action_switch_mode(self, mode: str) -> None:
        """Go to a screen; from a planned agent to Compose is to what that agent is given."""
        here = self.screen
        agent = here.planned_agent if isinstance(here, OrchScreen) else None
        if mode == "compose" and agent is not None:
            self.compose_for(agent)
        else:
            if mode == "deploy" and isinstance(here, OrchScreen) and here.run_to_show:
                self.to_show = here.run_to_show
            await super().action_switch_mode(mode)

    def read_session(self) -> None:
        """Read the session and its budget anew, in a thread; the header follows."""
        self.run_worker(self._read_session, thread=True, exclusive=True, group="session")

    def _read_session(self) -> None:
        from orch_tui.recall.run_endings import list_awaited_runs
        from orch_tui.record.session_budget import track_budget

        worker = get_current_worker()
        project, found, gauge = self.project, None, None
        waiting: tuple[str, ...] = ()
        try:
            if project.database.exists():
                found = self._which_session()
                gauge = track_budget(
                    project.record,
                    found.session_id,
                    catalogue=project.catalogue,
                    limits=project.limits,
                ).session
                waiting = tuple(list_awaited_runs(project.record, found.session_id))
        except OrchError:
            pass  # no session yet: the screens say what to do
        if not worker.is_cancelled:
            self.post_message(SessionRead(found, gauge, waiting))

    def _which_session(self) -> Session:
        """The one that was chosen here, else the one that commands mean."""
        from orch_tui.record import sessions

        with contextlib.suppress(OrchError):
            if self._wanted_session:
                return sessions.get_session(self.project.existing_record, self._wanted_session)
        return self.project.choose_session().session

    def on_session_read(self, message: SessionRead) -> None:
        before = self.session and self.session.session_id
        self.session, self.session_gauge = message.session, message.gauge
        self.waiting = message.waiting
        if not self.screen_stack:  # the app is closing
            return
        self._refresh_headers()
        after = self.session and self.session.session_id
        if before != after and isinstance(self.screen, OrchScreen):
            self.screen.session_changed()

    # Other processes change the record too

    def _watch_record(self) -> None:
        RecordWatch(self, self._shown, self._unmounted).watch()

    def _watch_hub(self) -> None:
        HubWatch(self, self._unmounted).watch()

    def on_hub_lag_seen(self, message: HubLagSeen) -> None:
        self.hub_lag = message.words
        self._refresh_headers()

    def on_agents_seen(self, message: AgentsSeen) -> None:
        before, self.live = self.live, message.live if message.live.agents else None
        if not self.screen_stack:  # the app is closing
            return
        if (before and before.summary) != (self.live and self.live.summary):
            self._refresh_headers()
        if message.steps is not None and message.steps.steps:
            self.last_steps = message.steps
        if self.agent_pane is not None:
            self.agent_pane.show_agent(message.live)
        elif isinstance(self.screen, OrchScreen):
            self.screen.agents_seen()

    def on_reindexed(self, message: Reindexed) -> None:
        self.still_to_index = message.remaining
        self.to_index = max(self.to_index, message.remaining) if message.remaining else 0
        self._refresh_headers()

    def _refresh_headers(self) -> None:
        if self.screen_stack:  # else the app is closing
            for header in self.screen.query(Header):  # a dialog has none
                header.refresh()

    def on_record_changed(self) -> None:
        if not self.screen_stack:
            return
        self.read_session()
        self._read_returns()
        if isinstance(self.screen, OrchScreen) and self.screen.is_composed:
            self.screen.load()

    # Notices stand in the last line

    def _refresh_notifications(self) -> None:
        show_notices(self)

    def _unnotify(self, notification: Notification, refresh: bool = True) -> None:
        super()._unnotify(notification, refresh=False)
        show_notices(self)

    # What came back is announced on whatever screen is open

    def _read_returns(self) -> None:
        self.run_worker(self._find_returns, thread=True, exclusive=True, group="returns")

    def _find_returns(self) -> None:
        from orch_tui.recall.run_endings import list_returned_since, read_endings

        worker, project = get_current_worker(), self.project
        if not project.database.exists():
            return
        with contextlib.suppress(OrchError):  # the screens say what is wrong with the record
            record = project.existing_record
            labels = list_returned_since(record, self.news.since, project.project_filter)
            found = read_endings(record, labels, project.catalogue)
            if not worker.is_cancelled:
                self.post_message(ReturnsRead([found[label] for label in labels]))

    def on_returns_read(self, message: ReturnsRead) -> None:
        new = self.news.take(message.endings)
        if not self.screen_stack:  # the app is closing
            return
        if new:
            self._announce(new)
        self._show_news()

    def _announce(self, new: list[RunEnding]) -> None:
        """Say who came back, and where the user wants it, ring or have the terminal say it."""
        focused = self.focused
        key = "F3" if isinstance(focused, (Input, TextArea)) else "g"
        told, shown = word_returns(new)
        for text, is_bad in told:
            severity: SeverityLevel = "error" if is_bad else "information"
            self.notify(f"{text} · {key} shows {shown}", severity=severity, markup=False)
        if self._driver is not None:
            write_notice(self._driver.write, self.project.config.notify, told[-1][0])

    def _show_news(self) -> None:
        self._refresh_headers()
        self.screen.refresh_bindings()
        if isinstance(self.screen, OrchScreen):
            self.screen.agents_seen()

    def look_at(self, execution_id: str) -> bool:
        """Know that somebody has looked at a run; tell whether that was news."""
        was_news = self.news.look_at(execution_id)
        if was_news:
            self._refresh_headers()
        return was_news

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "show_return":
            return bool(self.news.unseen) and not isinstance(self.focused, (Input, TextArea))
        if action == "quit_by_letter":
            return isinstance(self.screen, OrchScreen) and self.screen.is_left_by_letter
        return super().check_action(action, parameters)

    def action_show_return(self) -> None:
        """Go to the newest run that came back and that nobody has looked at."""
        unseen = self.news.unseen
        if unseen and isinstance(self.screen, OrchScreen):
            self.to_show = unseen[0].execution_id
            if self.current_mode == "deploy":
                self.screen.load()
            else:
                self.switch_mode("deploy")

    # Actions

    async def action_quit_by_letter(self) -> None:
        await self.action_quit()

    def get_key_display(self, binding: Binding) -> str:
        """Show a key as all screens, dialogs and notices call it."""
        return binding.key_display or name_key(binding.key)

    def action_undo(self) -> None:
        if isinstance(self.screen, OrchScreen):
            self.screen.action_undo()

    def action_redo(self) -> None:
        if isinstance(self.screen, OrchScreen):
            self.screen.action_redo()

    def action_search(self) -> None:
        self.switch_mode("history")
        self.call_after_refresh(lambda: self.screen.query_one("#query").focus())

    def action_toggle_help(self) -> None:
        """Show the keys of what is in front, or go back to it."""
        from orch_tui.screens.keyhelp import Key, KeyHelp

        if isinstance(self.screen, KeyHelp):
            self.screen.dismiss(None)
            return

        def do(key: Key | None) -> None:
            if key is not None:
                self.call_later(self.run_action, key.action, key.node)

        self.push_screen(KeyHelp(self.screen), do)

    def action_show_help_panel(self) -> None:
        self.action_toggle_help()

    @contextlib.contextmanager
    def choosing_command(self) -> Iterator[None]:
        """While a command is chosen by its name no letter goes into a text field."""
        before, self.is_choosing_command = self.is_choosing_command, True
        try:
            yield
        finally:
            self.is_choosing_command = before

    def action_command_palette(self) -> None:
        """Show all that can be done from here."""
        from orch_tui.screens.command_list import show_commands

        if isinstance(self.screen, OrchScreen):
            show_commands(self)

    def action_choose_session(self) -> None:
        from orch_tui.screens.app_choices import choose_session

        if isinstance(self.screen, OrchScreen):
            choose_session(self)

    def action_choose_theme(self) -> None:
        from orch_tui.screens.app_choices import choose_theme

        choose_theme(self)

    def action_jump(self) -> None:
        from orch_tui.screens.jump_marks import jump

        if isinstance(self.screen, OrchScreen):
            jump(self.screen)

    def action_show_settings(self) -> None:
        from orch_tui.screens.app_choices import show_settings

        if isinstance(self.screen, OrchScreen):
            show_settings(self)

    def settings_changed(self) -> None:
        """Have the screens follow settings that were changed."""
        config = self.project.config
        if config.theme in self.available_themes:
            self.theme = config.theme
        self.set_keymap(dict(config.keymap))
        self.on_record_changed()

    def key_of(self, action_id: str) -> str:
        """Show the key of one of the app's actions, as the keymap has it."""
        bindings = self._bindings.copy()
        bindings.apply_keymap(self._keymap)
        found = (each for _, each in bindings if action_id and each.id == action_id)
        return next(map(self.get_key_display, found), "")

    def copy(self, text: str, what: str) -> None:
        """Put text on the clipboard, in a thread, and say which way it went."""

        def by_terminal(text: str) -> bool:
            if len(text.encode("utf-8", "replace")) > clipboard.LARGEST_SEQUENCE:
                return False
            return self.call_later(self.copy_to_clipboard, text)

        def work() -> None:
            try:
                tell = partial(self.notify, f"{what}: {clipboard.copy(text, by_terminal)}")
            except OrchError as error:
                tell = partial(self.notify, f"{what}: {error.message}", severity="error")
            self.call_later(partial(tell, markup=False))

        self.run_worker(work, thread=True, group="copy", exit_on_error=True)

    def edit(self, text: str, name: str) -> str | None:
        """Open text in $VISUAL or $EDITOR and give what came back; None where that failed."""
        return self._editor.edit(text, name)

    # What was on the screen comes back when the app is opened again

    def on_screen_ready(self, screen: OrchScreen) -> None:
        """A screen came up for the first time: give it back what it remembered."""
        state = self._state.get(self.current_mode)
        if isinstance(state, dict):
            screen.recollect(state)

    def remember(self) -> None:
        """Keep where every screen stands."""
        if not self._begun:
            return
        for mode, stack in self._screen_stacks.items():
            if stack and isinstance(stack[0], OrchScreen) and stack[0].is_mounted:
                self._state[mode] = stack[0].remember()
        self._state["screen"] = self.current_mode
        self._state["left"] = self.project.now()
        if self.theme != (self.project.config.theme or name_fitting_theme()):
            self._state["theme"] = self.theme
        else:
            self._state.pop("theme", None)
        self._state["shares"] = self.pane_shares
        self._state["returns"] = self.news.keep()
        self._state["session"] = self.session.session_id if self.session else None
        with contextlib.suppress(OrchError):  # only where one was is lost
            self.drafts.save("state", json.dumps(self._state))

    # The end: whatever brings it about, what was typed is kept

    def get_driver_class(self) -> type[Driver]:
        from orch_tui.screens.terminal import leaving_driver

        return leaving_driver(super().get_driver_class())

    def _leave(self) -> None:
        """Be asked to leave, in a thread.

        Not by ``exit``: from then on no widget can be mounted, and those of a screen that is just
        coming up would be an error.
        """
        self.post_message(ExitApp())
        self._editor.terminate()

    def keep_drafts(self) -> None:
        """Write what was typed a moment ago and is not written yet."""
        for screen in self._all_screens():
            for node in screen.walk_children(with_self=True):
                if isinstance(node, DraftHolder):
                    node.owe_draft()
        with contextlib.suppress(OrchError):  # there is no screen any more to say it on
            self.drafts.settle()

    def _all_screens(self) -> list[Screen[Any]]:
        return [screen for stack in self._screen_stacks.values() for screen in stack]

    def on_exit_app(self) -> None:
        self.remember()
        self.keep_drafts()

    async def on_unmount(self) -> None:
        self._unmounted.set()
        self.project.close()


def _read_state(drafts: Drafts) -> dict[str, Any]:
    try:
        state = json.loads(drafts.load("state"))
    except ValueError:  # none yet, or not ours
        return {}
    return state if isinstance(state, dict) else {}


def run(project: Project) -> int:
    """Open the app on a project; gives the exit code."""
    app = OrchApp(project)
    app.departure.begin()
    app.run()
    return app.departure.exit_code or app.return_code or 0
