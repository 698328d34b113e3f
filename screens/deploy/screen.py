"""Deploy: who was sent and waits, what came back, and recording both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from textual import on
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from orch_tui.screens.deploy.launch_form import LaunchForm
from orch_tui.screens.deploy.return_form import ReturnForm
from orch_tui.screens.deploy.run_lists import Lists
from orch_tui.screens.orch_screen import LEAST, OrchScreen, Problem
from orch_tui.screens.screen_part import ScreenPart

if TYPE_CHECKING:
    pass

SIDE_PANE = (60, 16)
"""Columns and lines that the lists need."""

TICK = 30
"""Seconds between two looks at how long the waiting wait."""


class DeployScreen(OrchScreen):
    """The lists of executions, and the two views that record."""

    AUTO_FOCUS = "#runs"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]
    CSS_PATH = "deploy.tcss"
    HELP = """\
**d** hands over, beginning with the agent under the cursor: look over the briefing and the budget,
then record it and copy what to say. **Enter** on a run that waits records its return: paste the
final message, correct what was read from it, **F8**. How it ended follows from the message, and
**F9** says otherwise. **c** on what came back changes that, adds a return or hands it over again.
While agents run, each says what it does: `?` asks for a permission, `!` is silent, loops, is nearly
full or gone; Enter follows one. **x** closes a run as failed whose agent never came back. **g**, on
any screen, goes to what came back and was not looked at. **F6** changes what is shown of a run.
"""

    def body(self) -> Iterable[Widget]:
        with ContentSwitcher(initial="lists"):
            yield Lists(id="lists")
            yield LaunchForm(id="deploying-view")
            yield ReturnForm(id="completing-view")

    def on_mount(self) -> None:
        self.set_interval(TICK, self.load)

    def on_screen_suspend(self) -> None:
        if self.app.current_mode != "deploy":  # nothing was merely put in front of it
            for lists in self.query(Lists):
                lists.leave()

    def load(self) -> None:
        if self.app.to_show and self.part.id != "lists":
            self.part.owe_draft()
            self._show("lists")
            self.query_one(Lists).focus_list()
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
    def is_left_by_letter(self) -> bool:
        at_lists = all(views.current == "lists" for views in self.query(ContentSwitcher))
        return super().is_left_by_letter and at_lists

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

    @on(Lists.HandOver)
    def _hand_over(self, event: Lists.HandOver) -> None:
        """Look one deployment over."""
        self._show("deploying-view")
        self.query_one(LaunchForm).open(event.wanted)

    @on(Lists.Complete)
    def _complete_run(self, event: Lists.Complete) -> None:
        self.complete(event.execution_id, event.pasted)

    def complete(self, execution_id: str, pasted: str = "") -> None:
        """Record a return of an execution."""
        self._show("completing-view")
        self.query_one(ReturnForm).open(execution_id, pasted)

    def command(self) -> str:
        return self.part.command()

    def remember(self) -> dict[str, Any]:
        lists = self.query_one(Lists)
        return {
            "all": lists.all_sessions,
            "completing": self.query_one(ReturnForm).execution_id,
        }

    def recollect(self, state: dict[str, Any]) -> None:
        lists = self.query_one(Lists)
        lists.all_sessions = state.get("all") is True
        completing = state.get("completing")
        if completing and isinstance(completing, str):
            self.complete(completing)
