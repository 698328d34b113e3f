"""A letter on everything that can be gone to: each pane, text field and view; pressing it goes
there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from orch_tui.screens.pane_room import find_pane
from orch_tui.screens.widgets.tabs import Tabs

LETTERS = "asdfghjklqwertyuiopzxcvbnm"


@dataclass(frozen=True)
class JumpPlace:
    """Where a letter stands, and what goes there."""

    at: Offset
    go: Callable[[], object]


def list_places(screen: Screen[Any]) -> list[JumpPlace]:
    """List the places of a screen from the top left, one for each pane, field and view."""
    return sorted(_find_places(screen), key=lambda place: (place.at.y, place.at.x))


def _find_places(screen: Screen[Any]) -> Iterator[JumpPlace]:
    taken: set[Offset] = set()
    for widget in screen.focus_chain:
        if not widget.region or not screen.region.overlaps(widget.region):
            continue
        pane = find_pane(widget)
        inside = pane is not None and pane is not widget and pane.region.y < widget.region.y - 1
        at = (widget if inside or pane is None else pane).region.offset
        if at not in taken:
            taken.add(at)
            yield JumpPlace(at, partial(widget.focus, scroll_visible=False))
    for tabs in screen.query(Tabs):
        if tabs.region and all(node.display for node in tabs.ancestors if isinstance(node, Widget)):
            for x, name in tabs.starts:
                yield JumpPlace(tabs.region.offset + Offset(x, 0), partial(_show, tabs, name))


def _show(tabs: Tabs, name: str) -> None:
    tabs.active = name


class JumpMarks(ModalScreen[JumpPlace | None]):
    """The letters over the screen; any other key takes them away."""

    DEFAULT_CSS = """
    JumpMarks {
        background: $background 40%;
        & Static {
            position: absolute; width: 3; height: 1; text-align: center;
            background: $accent; color: $background; text-style: bold;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave")]

    def __init__(self, places: list[JumpPlace]) -> None:
        super().__init__()
        self._places = dict(zip(LETTERS, places, strict=False))

    def compose(self) -> ComposeResult:
        for letter, place in self._places.items():
            mark = Static(letter, markup=False)
            mark.styles.offset = (place.at.x, place.at.y)
            yield mark

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.dismiss(self._places.get(event.character or ""))

    def action_leave(self) -> None:
        self.dismiss(None)


def jump(screen: Screen[Any]) -> None:
    """Show the letters over a screen and go where one leads."""

    def go(place: JumpPlace | None) -> None:
        if place is not None:
            place.go()

    screen.app.push_screen(JumpMarks(list_places(screen)), go)
