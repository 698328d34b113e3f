"""Panes side by side whose border is moved by mouse or keys, and stays where it was put."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import events
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widget import Widget

if TYPE_CHECKING:
    from orch_tui.app import OrchApp

LEAST = 20
"""Cells that each of two panes keeps."""
STEP = 4
"""Cells by which a key moves the border."""


class SplitPanes(Horizontal):
    """Two panes; where one stands above the other, each is as its style sheet says."""

    app: OrchApp

    _is_dragged = False

    @property
    def _panes(self) -> tuple[Widget, Widget]:
        left, right = self.children
        return left, right

    @property
    def can_move(self) -> bool:
        """Whether there is a border between two panes, with room on both sides."""
        left, right = self._panes
        return (
            self.region.width >= 2 * LEAST
            and bool(left.region.width and right.region.width)
            and left.region.right == right.region.x
        )

    def move_by(self, cells: int) -> None:
        """Move the border to the right, or to the left."""
        if self.can_move:
            left = self._chosen_cells or self._panes[0].region.width
            self._move_to(left + cells)

    def _move_to(self, cells: int) -> None:
        width = self.region.width
        self.app.pane_shares[f"{self.id}"] = max(LEAST, min(width - LEAST, cells)) / width
        self._apply()

    @property
    def _chosen_cells(self) -> int:
        """Cells of the pane to the left; 0: its style sheet says it."""
        return round(self.app.pane_shares.get(f"{self.id}", 0) * self.region.width)

    def _apply(self) -> None:
        """Give the panes their shares of the width; those of the style sheet where none was
        chosen, and where they stand one above the other."""
        left = self._chosen_cells
        is_beside = self.styles.layout is not None and self.styles.layout.name == "horizontal"
        for pane, cells in zip(self._panes, (left, self.region.width - left), strict=True):
            if left and is_beside:
                pane.styles.width = f"{cells}fr"
                pane.styles.max_width = "100%"
            elif left:
                pane.styles.clear_rule("width")
                pane.styles.clear_rule("max_width")

    def on_resize(self) -> None:
        self._apply()

    # The mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        edge = self._panes[1].region.x
        if self.can_move and event.screen_x in (edge - 1, edge):
            self._is_dragged = True
            self.capture_mouse()
            event.stop()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._is_dragged:
            self._move_to(int(event.screen_x) - self.region.x)
            event.stop()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._is_dragged:
            self._is_dragged = False
            self.release_mouse()
            event.stop()


def find_split(screen: Screen[Any]) -> SplitPanes | None:
    """Find the panes whose border keys move: around what has them, else the first on the screen."""
    around = screen.focused.ancestors_with_self if screen.focused else []
    found = [node for node in around if isinstance(node, SplitPanes)]
    return next((split for split in (*found, *screen.query(SplitPanes)) if split.can_move), None)


def read_shares(state: object) -> dict[str, float]:
    """Read what was kept of where borders stood; what is none is passed over."""
    if not isinstance(state, dict):
        return {}
    return {
        f"{name}": float(share)
        for name, share in state.items()
        if isinstance(share, float) and 0 < share < 1
    }
