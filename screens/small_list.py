"""What waits and what came back, where a terminal is too small for the screens.

It lies over the screen, whose keys and text fields stay as they are: what is typed or pasted still
arrives where it would have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from orch_tui.screens.deploy.agent_rows import Board, arrange_rows, columns_for, shown_agents
from orch_tui.screens.pane_room import STAYS
from orch_tui.screens.widgets.row_list import Rows

if TYPE_CHECKING:
    from orch_tui.app import OrchApp
    from orch_tui.screens.orch_screen import OrchScreen

LOOK_EVERY = 1.0
"""Seconds between two looks while the list is there."""

MOST = 50
"""Runs that wait, at most."""


class SmallList(Vertical):
    """Runs in sections, a line each, without a cursor."""

    DEFAULT_CLASSES = STAYS
    DEFAULT_CSS = """
    SmallList {
        layer: over; display: none; width: 100%; height: 100%; background: $background;
        & Rows { height: 1fr; background: $background; }
        & Static { height: 1; color: $foreground-muted; }
    }
    """
    app: OrchApp

    def compose(self) -> ComposeResult:
        rows = Rows(columns_for(0), titled=False, empty="Nothing waits, nothing came back.")
        rows.can_focus = False
        yield rows
        yield Static(markup=False)

    def on_mount(self) -> None:
        self.set_interval(LOOK_EVERY, self.load)

    def on_show(self) -> None:
        self.load()

    def load(self) -> None:
        """Read the list, where it is seen."""
        if not self.display:
            return
        screen = cast("OrchScreen", self.screen)
        width, height = screen.least
        self.query_one(Static).update(f"the screens come from {width}x{height}")
        back = [ending.execution_id for ending in self.app.news.unseen]
        screen.run_in_thread(lambda: self._read(back), self._show, group="small")

    def _read(self, back: list[str]) -> Board:
        from orch_tui.recall.run_endings import read_endings
        from orch_tui.search.query import search

        project = self.app.project
        if not project.database.exists():
            return Board(now=project.now())
        record = project.existing_record
        found = search(record, "status:deployed", limit=MOST, project=project.project_filter)
        waiting = [hit.execution_id for hit in found.hits]
        endings = read_endings(record, [*waiting, *back], project.catalogue)
        return Board(
            agents=shown_agents(self.app.live, waiting),
            endings=endings,
            waiting=waiting,
            back=back,
            unseen=back,
            now=project.now(),
        )

    def _show(self, board: Board) -> None:
        rows = self.query_one(Rows)
        found = arrange_rows(board, self.app.size.width)
        rows.set_columns(columns_for(self.app.size.width, found))
        rows.show(found)
