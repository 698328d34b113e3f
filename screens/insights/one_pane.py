"""Panes of which one is seen at a time where there is no room for all: the class ``-one``."""

from __future__ import annotations

from collections.abc import Sequence

from textual.screen import Screen
from textual.widget import Widget

ONE = "-one"
"""The class of a screen that has room for one pane; its styles put away what is behind."""
BEHIND = "-behind"
NARROWEST, LOWEST = 72, 20
"""Columns and rows from which there is room for several."""


def judge_room(screen: Screen[None]) -> None:
    """Tell the styles whether there is room for more than one pane."""
    width, height = screen.app.size
    screen.set_class(width < NARROWEST or height < LOWEST, ONE)


def bring_forward(front: Widget, panes: Sequence[Widget], within: Widget) -> None:
    """Put behind the other panes what lies beside the one in front, up to what holds them all."""
    around = front.ancestors_with_self
    for pane in panes:
        for node in pane.ancestors_with_self:
            if node is within:
                break
            if isinstance(node, Widget):
                node.set_class(node not in around, BEHIND)


def turn_to(pane: Widget) -> None:
    """Give a pane the keys once it is there again."""
    pane.call_after_refresh(pane.focus)
