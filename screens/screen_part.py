"""A part of a screen that has the engine work for it in threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from textual.containers import Vertical

from orch_tui.errors import OrchError
from orch_tui.screens.orch_screen import OrchScreen, Problem

if TYPE_CHECKING:
    from orch_tui.app import OrchApp
    from orch_tui.recall.show import Shown

T = TypeVar("T")


class ScreenPart(Vertical):
    """One of several views that a screen shows in turn, with keys of its own."""

    app: OrchApp

    def run_in_thread(
        self,
        work: Callable[[], T],
        then: Callable[[T], None],
        *,
        group: str,
        failed: Callable[[OrchError], None] | None = None,
    ) -> None:
        """Do work in a thread as ``OrchScreen.run_in_thread`` does."""
        self._whole.run_in_thread(work, then, group=group, failed=failed)

    def read_run(self, label: str, then: Callable[[Shown | None], None]) -> None:
        """Read one execution as ``OrchScreen.read_run`` does."""
        self._whole.read_run(label, then)

    def refuse(self, error: OrchError, group: str) -> None:
        """Show an error in place, until work of the same group succeeds."""
        self._whole.query_one(Problem).show(error, group)

    def owe_draft(self) -> None:
        """Have what was typed a moment ago kept."""

    def command(self) -> str:
        """Return the shell command that does or shows the same."""
        return ""

    @property
    def _whole(self) -> OrchScreen:
        screen = self.screen
        assert isinstance(screen, OrchScreen)
        return screen
