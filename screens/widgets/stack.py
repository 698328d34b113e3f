"""What a limit is taken up by, part by part, readable without colour.

Every part has its own glyph in the bar and its figure in the legend under it; ``░`` is the rest of
the estimate's band, ``┊`` where warning and critical begin. Words say the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from orch_tui.screens.widgets.gauge import BAND, words
from orch_tui.screens.widgets.words import format_tokens

if TYPE_CHECKING:
    from orch_tui.prepare.budget import LimitGauge as Figures

TICK = "┊"


@dataclass(frozen=True, slots=True)
class GaugePart:
    """One part of what a limit is taken up by."""

    name: str
    glyph: str
    tokens: int


def draw_bar(parts: Sequence[GaugePart], figures: Figures, width: int) -> str:
    """Draw the bar: every part that is there in at least one cell, as long as there is room.

    What an agent has anyway is the first part, and not of its limit.
    """
    if figures.limit <= 0:
        return "!" * width
    bar, ambient = [" "] * width, figures.ambient.high
    whole = figures.limit + ambient
    for share in (figures.warn_threshold, figures.critical_threshold):
        bar[min(width - 1, int((ambient + share * figures.limit) / whole * width))] = TICK
    at, taken = 0, 0
    for part in parts:
        taken += part.tokens
        end = round(taken / whole * width)
        end = min(width, max(end, at + 1 if part.tokens else at))
        bar[at:end] = part.glyph * (end - at)
        at = end
    end = min(width, max(at, round((ambient + figures.used.high) / whole * width)))
    bar[at:end] = BAND * (end - at)
    return "".join(bar)


class Stack(Widget):
    """A bar of several parts with its figures; a legend under it where there are two lines."""

    DEFAULT_CSS = """
    Stack {
        height: 1;
        & > .stack--name { color: $foreground-muted; }
        & > .stack--ok { color: $text-success; }
        & > .stack--warning { color: $text-warning; }
        & > .stack--critical { color: $text-error; }
        & > .stack--over { color: $text-error; text-style: bold; }
    }
    """
    COMPONENT_CLASSES = {
        "stack--name",
        "stack--ok",
        "stack--warning",
        "stack--critical",
        "stack--over",
    }

    def __init__(self, name: str, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._title = name
        self._parts: Sequence[GaugePart] = ()
        self._figures: Figures | None = None
        self._besides = ""

    def show(self, figures: Figures, parts: Sequence[GaugePart], besides: str = "") -> None:
        """Show other figures; ``parts`` are what they are made of, in the order of the bar, and
        ``besides`` is what no figure tells of."""
        self._figures, self._parts, self._besides = figures, parts, besides
        self.refresh()

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        muted = self.get_component_rich_style("stack--name")
        figures = self._figures
        if figures is None:
            strip = Strip([Segment(f"{self._title} –" if not y else "", muted)])
        elif y == 0:
            style = self.get_component_rich_style(f"stack--{figures.status}")
            strip = Strip(self._bar(figures, muted, style))
        else:
            strip = Strip([Segment(self._legend(figures), muted)])
        return strip.adjust_cell_length(self.size.width, base)

    def _bar(self, figures: Figures, muted: Style, style: Style) -> list[Segment]:
        name = f"{self._title} "
        for said in (words(figures), words(figures, short=True)):
            room = self.size.width - len(name) - len(said) - 3
            if room >= 20:
                break
        if room < 5:
            return [Segment(name, muted), Segment(said, style)]
        return [
            Segment(f"{name}▕", muted),
            Segment(draw_bar(self._parts, figures, room), style),
            Segment("▏ ", muted),
            Segment(said, style + Style(reverse=figures.status == "over")),
        ]

    def _legend(self, figures: Figures) -> str:
        left = figures.limit - figures.used.high
        free = f"free {format_tokens(left)}" if left >= 0 else f"over by {format_tokens(-left)}"
        band = () if figures.used.exact else (f"{BAND} band",)
        legend = ""
        there = [part for part in self._parts if part.tokens]
        for parts, rest in ((self._parts, (*band, free)), (there, (*band, free)), (there, (free,))):
            said = [f"{part.glyph} {part.name} {format_tokens(part.tokens)}" for part in parts]
            legend = " " * (len(self._title) + 2) + "  ".join([*said, *rest])
            if len(legend) <= self.size.width:
                break
        whole = f"{legend}  {self._besides}"
        return whole if len(whole) <= self.size.width else legend
