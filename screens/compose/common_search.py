"""The search for what a composition has in common with other bundles and agents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from orch_tui.compose_context import CommonContent, find_common_content
from orch_tui.errors import OrchError
from orch_tui.screens.compose.compose_state import ComposeState
from orch_tui.screens.orch_screen import OrchScreen

if TYPE_CHECKING:
    from orch_tui.prepare.bundle import ContextItem


class CommonContentSearch:
    """Searches anew when something of it changed, one search at a time."""

    def __init__(self, screen: OrchScreen, state: ComposeState, found: Callable[[], None]) -> None:
        """``found`` is called when ``state.common`` is another."""
        self._screen = screen
        self._state = state
        self._found = found
        self._subject: tuple[object, ...] = ()
        """What was searched last, or will be next."""
        self._searching = False

    def search(self, items: Sequence[ContextItem]) -> None:
        """Search, where the composition with its weighed items, its agent or the other bundles
        changed since."""
        state = self._state
        if state.context is None:
            return
        hashes = [item.sha256 for item in items]
        subject = (
            *(state.context.session_id, state.context.bundles),
            *(state.agent, state.composition, hashes),
        )
        if subject != self._subject:
            self._subject = subject
            if not self._searching:
                self._start(items)

    def _start(self, items: Sequence[ContextItem]) -> None:
        project, session_id = self._screen.app.project, self._state.session_id
        composition = self._state.composition
        subject, self._searching = self._subject, True

        def work() -> CommonContent | None:
            with suppress(OrchError, OSError):  # the record cannot be read now
                return find_common_content(project, session_id, composition, items)
            return None

        def then(common: CommonContent | None) -> None:
            self._searching = False
            if self._subject != subject:
                self._start(self._state.weigh_items())
                return
            self._state.common = common
            self._found()

        self._screen.run_in_thread(work, then, group="common")
