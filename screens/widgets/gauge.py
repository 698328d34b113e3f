"""A budget gauge that tells the truth past 100 %, and without colour.

The bar shows the tokens, ``░`` the rest of the estimate's band; words say the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from orch_tui.prepare.count import describe_known

if TYPE_CHECKING:
    from orch_tui.prepare.budget import LimitGauge as Figures


NOT_REVERSED = Style(reverse=False)
"""A full bar in reverse would look empty."""
BAND = "░"
_SHORT = {"ok": "ok", "warning": "warning", "critical": "critical", "over": "OVER"}


def bar(figures: Figures, width: int) -> str:
    """``width`` cells: filled, uncertain, free; the thresholds as ticks where they are free."""
    if figures.limit <= 0:
        return "!" * width
    cells = [" "] * width
    for share in (figures.warn_threshold, figures.critical_threshold):
        cells[min(width - 1, int(share * width))] = "┊"
    low = min(width, round(figures.used.tokens / figures.limit * width))
    high = min(width, round(figures.used.high / figures.limit * width))
    cells[:low] = "█" * low
    cells[low:high] = BAND * (high - low)
    return "".join(cells)


def words(figures: Figures, *, short: bool = False) -> str:
    """``~84,100 ±4 % of 200,000, ok``, and how many are without a count."""
    share = f"{100 * figures.share:.0f} %" if figures.limit > 0 else "no room"
    unknown = figures.unknown
    if short:
        return f"{share} {_SHORT[figures.status]}{f', {unknown} unknown' if unknown else ''}"
    said = f"{figures.used} of {figures.limit:,} · {share} · {_SHORT[figures.status]}"
    return f"{said} · {describe_known(figures.known, unknown)}" if unknown else said


class Gauge(Widget):
    """One line: a name, a bar, and the figures in words."""

    DEFAULT_CSS = """
    Gauge {
        height: 1;
        & > .gauge--name { color: $foreground-muted; }
        & > .gauge--ok { color: $text-success; }
        & > .gauge--warning { color: $text-warning; }
        & > .gauge--critical { color: $text-error; }
        & > .gauge--over { color: $text-error; text-style: bold reverse; }
    }
    """
    COMPONENT_CLASSES = {
        "gauge--name",
        "gauge--ok",
        "gauge--warning",
        "gauge--critical",
        "gauge--over",
    }

    figures: reactive[Figures | None] = reactive(None)

    def __init__(self, name: str, *, short: bool = False, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._name = name
        self._short = short

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        muted = self.get_component_rich_style("gauge--name")
        name = f"{self._name} " if self._name else ""
        if self.figures is None:
            return Strip([Segment(f"{name}–", muted)]).adjust_cell_length(self.size.width, base)
        said = " " + words(self.figures, short=self._short)
        style = self.get_component_rich_style(f"gauge--{self.figures.status}")
        room = self.size.width - len(name) - len(said) - 2
        if room < 5:
            segments = [Segment(name, muted), Segment(said.strip(), style)]
        else:
            segments = [
                Segment(f"{name}▕", muted),
                Segment(bar(self.figures, room), style + NOT_REVERSED),
                Segment("▏", muted),
                Segment(said, style),
            ]
        return Strip(segments).adjust_cell_length(self.size.width, base)
