"""What every screen has: header and footer, work in threads, and its place remembered."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea
from textual.worker import get_current_worker

from orch_tui.errors import OrchError
from orch_tui.screens.doings import take_back
from orch_tui.screens.header import Header
from orch_tui.screens.pane_room import STAYS, toggle_room
from orch_tui.screens.small_list import SmallList
from orch_tui.screens.split_panes import STEP, find_split
from orch_tui.screens.widgets.key_line import KeyLine
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.app import OrchApp
    from orch_tui.recall.show import Shown
    from orch_tui.rows import PlannedAgent


T = TypeVar("T")

LEAST = (60, 16)
"""Columns and lines that the screens need."""

OF_A_LINE = ("compare", "replay", "write")
"""The groups of work that is about the line under the cursor: a refusal says nothing of another."""


@dataclass
class WorkDone(Message, bubble=False):
    """Work in a thread was done."""

    result: Any
    then: Callable[[Any], None]
    group: str


@dataclass
class WorkFailed(Message, bubble=False):
    """Work in a thread was refused by the engine or the system."""

    error: OrchError
    group: str
    failed: Callable[[OrchError], None] | None


class OrchScreen(Screen[None]):
    """Base of the five screens; their modules call the engine and hold no logic of their own."""

    DEFAULT_CSS = """
    OrchScreen {
        layers: base over;
        &.-too-small { overflow: hidden; & SmallList { display: block; } }
    }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+y", "copy_command", "Copy command", id="copy-command", show=False),
        Binding(
            "alt+left", "move_border(-1)", "The border to the left", id="border-left", show=False
        ),
        Binding(
            "alt+right", "move_border(1)", "The border to the right", id="border-right", show=False
        ),
        Binding("f11", "toggle_room", "This pane alone, or all", id="pane-alone", show=False),
    ]

    app: OrchApp

    _on_top = False
    """Textual may say twice that a screen came up, and reading all again takes time."""

    def compose(self) -> ComposeResult:
        yield Header()
        yield SmallList()
        yield from self.body()
        yield Problem()
        yield KeyLine()

    def body(self) -> Iterable[Widget]:
        """Return the widgets between header and footer."""
        return ()

    def load(self) -> None:
        """Refresh what is shown; called when the screen comes up and when the record changed."""

    def agents_seen(self) -> None:
        """Show what agents do by now; called at each look at them while any runs."""

    def session_changed(self) -> None:
        """Refresh for another session that was chosen, or the first one that was found."""
        self.load()

    NOT_NOW: ClassVar[dict[str, str]] = {}
    """By action: what it takes to be done, for the list of commands."""

    @property
    def is_composed(self) -> bool:
        """Whether its widgets are there; one that comes up reads for itself when they are."""
        return bool(self.query(KeyLine))

    @property
    def is_typing(self) -> bool:
        """Whether a letter goes into a text field and is no key of the screen."""
        return isinstance(self.focused, Input | TextArea) and not self.app.is_choosing_command

    @property
    def is_left_by_letter(self) -> bool:
        """Whether a letter may leave the app: not while one types, or is at a step that is left by
        going back."""
        return not self.is_typing

    @property
    def planned_agent(self) -> PlannedAgent | None:
        """The planned agent that the screen is on, where there is one."""
        return None

    @property
    def run_to_show(self) -> str:
        """The run that Deploy shows when one goes there from here; empty: none more than others."""
        return ""

    @property
    def least(self) -> tuple[int, int]:
        """The columns and lines that the screen needs now."""
        return LEAST

    def command(self) -> str:
        """Return the shell command that does or shows the same."""
        return ""

    def remember(self) -> dict[str, Any]:
        """Return what should be there again when the app is reopened, as plain JSON."""
        return {}

    def recollect(self, state: dict[str, Any]) -> None:
        """Restore what ``remember`` returned; what is unknown or wrong in it is passed over."""

    # The engine works in threads; the event loop never waits for disk, database or counting.

    def run_in_thread(
        self,
        work: Callable[[], T],
        then: Callable[[T], None],
        *,
        group: str = "read",
        failed: Callable[[OrchError], None] | None = None,
    ) -> None:
        """Do ``work`` in a thread, then call ``then`` with its result in the event loop.

        Work of the same ``group`` that still runs is cancelled. What the engine, the system or
        SQLite refuses is shown in place, until work of the group succeeds, and given to ``failed``.
        """

        def run() -> None:
            worker = get_current_worker()
            try:
                result = work()
            except (OrchError, OSError, sqlite3.Error) as error:
                if not worker.is_cancelled:
                    self.post_message(WorkFailed(_as_refusal(error), group, failed))
                return
            if not worker.is_cancelled:
                self.post_message(WorkDone(result, then, group))

        self.run_worker(run, thread=True, exclusive=True, group=group, exit_on_error=True)

    def read_run(
        self, label: str, then: Callable[[Shown | None], None], *, group: str = "run"
    ) -> None:
        """Read one execution whole for a preview; without a label ``then`` gets None.

        Another read of the same ``group`` takes the place of this one.
        """
        if not label:
            then(None)
            return
        from orch_tui.recall.show import show_execution

        project = self.app.project

        def work() -> Shown:
            shown = show_execution(project.existing_record, label, project.root)
            for each in shown.returned:
                _ = each.secrets  # looked for here, not where they are drawn
            return shown

        self.run_in_thread(work, then, group=group)

    def on_work_done(self, message: WorkDone) -> None:
        self.query_one(Problem).clear(message.group)
        message.then(message.result)
        self.app.begin()

    def on_work_failed(self, message: WorkFailed) -> None:
        self.app.begin()
        self.query_one(Problem).show(message.error, message.group)
        if message.failed is not None:
            message.failed(message.error)

    @on(Rows.Highlighted)
    def _went_on(self) -> None:
        """Take away what was refused of another line."""
        for problem in self.query(Problem):
            if problem.group in OF_A_LINE:
                problem.clear()

    def on_mount(self) -> None:
        self.app.on_screen_ready(self)

    def on_resize(self, event: events.Resize) -> None:
        self.judge_size()

    def judge_size(self) -> None:
        """Show what waits instead of the screen where the terminal has too little room for it."""
        (width, height), (least_width, least_height) = self.app.size, self.least
        self.set_class(width < least_width or height < least_height, "-too-small")

    def on_screen_resume(self) -> None:
        if not self._on_top:
            self._on_top = True
            self.load()
            self.query_one(Header).refresh()
            self.refresh_bindings()

    def on_screen_suspend(self) -> None:
        self._on_top = False

    def action_undo(self) -> None:
        """Take back the last thing that was done, on whatever screen it was."""
        take_back(self, again=False)

    def action_redo(self) -> None:
        """Do again what was taken back last."""
        take_back(self, again=True)

    def action_toggle_room(self) -> None:
        toggle_room(self)

    def action_move_border(self, way: int) -> None:
        """Give one of two panes side by side more room, and the other less."""
        if (split := find_split(self)) is not None:
            split.move_by(way * STEP)

    def action_copy_command(self) -> None:
        command = self.command()
        if command:
            self.app.copy(command, "the command")


def _as_refusal(error: OrchError | OSError | sqlite3.Error) -> OrchError:
    """Word a refusal of the system, such as a full disk or no permission, as an OrchError."""
    if isinstance(error, OrchError):
        return error
    if isinstance(error, sqlite3.Error):
        return OrchError(f"the record: {error}", hint="`orch doctor` tells more")
    return OrchError(f"{error.filename or 'the system'}: {error.strerror or error}")


_LINES_OF_PROBLEM = 4
"""Of what was refused the message is cut before what to do about it is."""


class Problem(Widget):
    """What the engine refused and what to do, in place, above the footer."""

    DEFAULT_CLASSES = STAYS
    DEFAULT_CSS = """
    Problem { height: auto; max-height: 4; display: none; color: $text-error; padding: 0 1; }
    Problem.-shown { display: block; }
    """

    text: reactive[str] = reactive("", layout=True)

    group = ""
    """What was refused: an answer to the same question takes it away, others do not."""

    def show(self, error: OrchError, group: str = "") -> None:
        self.group = group
        hint = one_line(error.hint, 200)
        room = _LINES_OF_PROBLEM * max(40, self.app.size.width - 8)  # words end lines early
        message = one_line(error.message, max(60, room - len(hint)))
        self.text = f"{message}. {hint}" if hint else message
        self.add_class("-shown")

    def clear(self, group: str = "") -> None:
        if not group or self.group in ("", group):
            self.remove_class("-shown")

    def render(self) -> Any:
        from rich.text import Text

        return Text(self.text)
