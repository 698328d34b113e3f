"""The filters of a query as chips: what is asked for at a glance, taken off by a key or a click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from orch_tui.screens.theme import SIGNS
from orch_tui.screens.widgets.line_list import fit_text
from orch_tui.screens.widgets.named_styles import read_styles
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.search.language import WrittenFilter

WIDEST = 40
"""Cells of the words of a chip."""
AROUND = 4
"""Cells of a chip beside its words: a blank before, a cross and blanks behind."""

HINT = "^X takes one off"


class ChipPlace(NamedTuple):
    """Where a chip stands: its line, its first cell, and the cells of its words."""

    y: int
    x: int
    width: int


class FilterChips(Widget, can_focus=True):
    """Chips in as many lines as they need; those there is no room for are counted."""

    DEFAULT_CSS = """
    FilterChips {
        height: auto; max-height: 2; display: none;
    }
    """
    STYLES: ClassVar[Mapping[str, str]] = {
        "chip": "$foreground on $panel",
        "cross": "$foreground-muted on $panel",
        "doubt": "$state-doubt on $panel",
        "here": "$text-accent on $block-cursor-background",
        "hint": "$foreground-muted",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "choose(-1)", "filter before", show=False),
        Binding("right,l", "choose(1)", "next filter", show=False),
        Binding("enter,x,delete,backspace", "take_off", "take this filter off"),
    ]

    @dataclass
    class TakenOff(Message):
        """A filter is to go."""

        written: WrittenFilter

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name
        super().__init__(id=id)
        self.filters: Sequence[WrittenFilter] = ()
        self._words: list[str] = []
        self._here = 0

    def show(self, filters: Sequence[WrittenFilter]) -> None:
        """Show other filters; without any there is no line, and nothing to focus."""
        if filters == self.filters:
            return
        self.filters = filters
        self._words = [describe_filter(each) for each in filters]
        self._here = max(0, min(self._here, len(filters) - 1))
        if not filters and self.has_focus:
            self.screen.focus_next()
        self.display = bool(filters)
        self.refresh(layout=True)

    def take_off(self, index: int) -> None:
        """Ask for a filter to go, by its place; -1 is the last."""
        if self.filters:
            self.post_message(self.TakenOff(self.filters[index]))

    def action_choose(self, by: int) -> None:
        self._here = (self._here + by) % max(1, len(self.filters))
        self.refresh()

    def action_take_off(self) -> None:
        self.take_off(self._here)

    def on_focus(self) -> None:
        self._here = max(0, len(self.filters) - 1)
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        clicked = event.get_content_offset_capture(self)
        for index, place in enumerate(self._places(self.size.width)):
            if (
                clicked.y == place.y
                and place.y < self.size.height
                and place.x <= clicked.x < place.x + place.width + AROUND - 1
            ):
                self.take_off(index)
                return

    # Drawing

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1 + max((place.y for place in self._places(width)), default=0)

    def _places(self, width: int) -> list[ChipPlace]:
        places, x, y = [], 0, 0
        for words in self._words:
            wide = min(cell_len(words), max(1, width - AROUND))
            if x and x + wide + AROUND > width:
                x, y = 0, y + 1
            places.append(ChipPlace(y, x, wide))
            x += wide + AROUND
        return places

    def render_line(self, y: int) -> Strip:
        style, width = read_styles(self, self.STYLES), self.size.width
        base = style[""]
        segments: list[Segment] = []
        places = self._places(width)
        for index, place in enumerate(places):
            if place.y != y:
                continue
            here = self.has_focus and index == self._here
            doubt = not self.filters[index].understood
            own = style["here" if here else "doubt" if doubt else "chip"]
            segments += [
                Segment(f" {fit_text(self._words[index], place.width)} ", own),
                Segment("×", own if here else style["cross"]),
                Segment(" ", base),
            ]
        strip = Strip(segments)
        hidden = sum(place.y >= self.size.height for place in places)
        said = f"+{hidden}" if hidden else "Enter takes it off" if self.has_focus else HINT
        if y == min(self.size.height - 1, places[-1].y if places else 0):
            room = width - cell_len(said)
            if hidden and strip.cell_length > room:
                strip = strip.crop(0, room)
            if strip.cell_length <= room:
                strip = Strip([*strip, Segment(said, style["hint"])])
        return strip.adjust_cell_length(width, base)


def describe_filter(written: WrittenFilter) -> str:
    """Word a filter: ``not status: failed``, ``since 30d``."""
    values = one_line(", ".join(written.values), 200)
    colon = "" if written.name in ("since", "until") else ":"
    sign = "" if written.understood else f"{SIGNS['doubt']} "
    words = f"{sign}{'not ' if written.excluded else ''}{written.name}{colon} {values}"
    return fit_text(words, min(cell_len(words), WIDEST))
