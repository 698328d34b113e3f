"""A part of a screen that asks the engine itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from textual.containers import Vertical

from orch_tui.errors import OrchError
from orch_tui.screens.base import OrchScreen, Problem

if TYPE_CHECKING:
    from orch_tui.app import OrchApp
    from orch_tui.recall.show import Shown

T = TypeVar("T")


class Part(Vertical):
    """One of several views that a screen shows in turn, with keys of its own."""

    app: OrchApp

    def ask(self, work: Callable[[], T], then: Callable[[T], None], *, group: str) -> None:
        """As the screen's own ``ask``."""
        self._whole.ask(work, then, group=group)

    def read_run(self, label: str, then: Callable[[Shown | None], None]) -> None:
        """As the screen's own ``read_run``."""
        self._whole.read_run(label, then)

    def refuse(self, error: OrchError, group: str) -> None:
        """Say no in place, until the engine says yes to the same."""
        self._whole.query_one(Problem).show(error, group)

    def command(self) -> str:
        """The command that does or shows the same."""
        return ""

    @property
    def _whole(self) -> OrchScreen:
        screen = self.screen
        assert isinstance(screen, OrchScreen)
        return screen
