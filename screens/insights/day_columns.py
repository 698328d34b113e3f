"""Figures of days as columns, drawn by eighths of a cell: at most two parts, one on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from orch_tui.screens.widgets.named_styles import read_styles

EIGHTHS = " ▁▂▃▄▅▆▇"
WIDEST = 4
"""Cells of a column that has room; the next stands one cell from it."""


@dataclass(frozen=True, slots=True)
class DayColumn:
    """One column: what stands under it, the part on the base line, and the part on that."""

    key: str
    label: str
    below: float
    above: float

    @property
    def total(self) -> float:
        return self.below + self.above


def day_column(since: str, below: float, above: float) -> DayColumn:
    """Return the column of a day, under which the day of its month stands."""
    return DayColumn(since, since[-2:].lstrip("0"), below, above)


LEGEND = (("■", "$state-failed"), " failed  ", ("■", "$state-done"), " done")
"""What the two parts are, for ``Content.assemble``."""


class DayColumns(Widget, can_focus=True):
    """Columns over a base line; one of them can be chosen, Enter says which."""

    DEFAULT_CSS = """
    DayColumns {
    }
    """
    STYLES: ClassVar[Mapping[str, str]] = {
        "below": "$state-failed",
        "above": "$state-done",
        "plain": "$part-had",
        "line": "$line",
        "label": "$foreground-muted",
        "here": "$foreground on $block-cursor-background",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "its runs in History"),
        Binding("left,h", "step(-1)", "the day before", show=False),
        Binding("right,l", "step(1)", "the day after", show=False),
    ]

    @dataclass
    class Selected(Message, bubble=True):
        """Enter or a double click on a column."""

        columns: DayColumns
        key: str

        @property
        def control(self) -> DayColumns:
            return self.columns

    def __init__(self, *, plain: bool = False, id: str | None = None, classes: str = "") -> None:  # noqa: A002 # Textual's own name
        """``plain``: the columns are neither good nor bad."""
        super().__init__(id=id, classes=classes)
        self._plain = plain
        self._columns: Sequence[DayColumn] = ()
        self._chosen = ""
        self._bounds: list[tuple[int, str]] = []
        """Where each column that is drawn ends, and its key."""

    def show(self, columns: Sequence[DayColumn]) -> None:
        """Show other columns, the newest to the right; the choice stays on its day."""
        self._columns = columns
        if self._chosen not in {column.key for column in columns}:
            self._chosen = columns[-1].key if columns else ""
        self.refresh()

    def action_step(self, by: int) -> None:
        keys = [column.key for column in self._columns]
        if keys:
            at = max(0, min(len(keys) - 1, keys.index(self._chosen) + by))
            self._chosen = keys[at]
            self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._columns) if action == "select" else True

    def action_select(self) -> None:
        if self._chosen:
            self.post_message(self.Selected(self, self._chosen))

    def on_click(self, event: events.Click) -> None:
        x = event.get_content_offset_capture(self).x
        for end, key in self._bounds:
            if x < end:
                self._chosen = key
                self.refresh()
                if event.chain == 2:
                    self.action_select()
                return

    # Drawing

    def render_line(self, y: int) -> Strip:
        width, height = self.size.width, self.size.height - 2
        styles = read_styles(self, self.STYLES)
        base = styles[""]
        if height < 1 or not self._columns:
            return Strip.blank(width, base)
        top = round_up(max(column.total for column in self._columns))
        scale = max(len(f"{mark:g}") for mark in (top, top / 2)) + 2
        shown, cells = self._fit(width - scale)
        segments = [Segment(_mark(y, height, top, scale), styles["label"])]
        at = scale
        self._bounds = []
        for column in shown:
            at += cells + 1
            self._bounds.append((at, column.key))
            if y < height:
                parts = (column.below / top, column.above / top)
                glyph, style = self._cell(height - 1 - y, height, parts, styles, base)
                segments += [Segment(glyph * cells, style), Segment(" ", base)]
            elif y == height:
                segments.append(Segment("─" * (cells + 1), styles["line"]))
            else:
                is_here = self.has_focus and column.key == self._chosen
                label = column.label[-cells:].center(cells)
                segments.append(Segment(label, styles["here" if is_here else "label"]))
                segments.append(Segment(" ", base))
        return Strip(segments).adjust_cell_length(width, base)

    def _fit(self, room: int) -> tuple[Sequence[DayColumn], int]:
        """Return the newest columns that there is room for, and the cells of each."""
        widest_label = max(len(column.label) for column in self._columns)
        count = max(1, min(len(self._columns), room // (min(widest_label, 2) + 1)))
        return self._columns[-count:], max(1, min(WIDEST, room // count - 1))

    def _cell(
        self,
        row: int,
        height: int,
        parts: tuple[float, float],
        styles: dict[str, Style],
        base: Style,
    ) -> tuple[str, Style]:
        """Return what fills the cell of a column in a row from the base line, and its style."""
        below = _in_eighths(parts[0], height)
        total = max(_in_eighths(parts[0] + parts[1], height), below + (parts[1] > 0))
        filled = min(8, max(0, total - 8 * row))
        lower = min(filled, max(0, below - 8 * row))
        if filled == 0:
            return " ", base
        above = styles["plain" if self._plain else "above"]
        if 0 < lower < filled:
            if filled == 8:
                ground = Style(bgcolor=above.color)
                return EIGHTHS[lower], styles["below"] + ground
            lower = filled if lower * 2 > filled else 0  # a cell has two colours, here were three
        style = styles["below"] if lower else above
        return ("█" if filled == 8 else EIGHTHS[filled]), style


def _in_eighths(share: float, height: int) -> int:
    """Return a share of the height in eighths of a cell; what is not nothing has one."""
    return max(1, round(share * height * 8)) if share > 0 else 0


def _mark(y: int, height: int, top: float, width: int) -> str:
    """Return the figure of the scale that stands before a line."""
    marks = {0: top, height: 0.0}
    if height >= 4 and height % 2 == 0:
        marks[height // 2] = top / 2
    return f"{marks[y]:g} ".rjust(width) if y in marks else " " * width


HALVED = (1, 1.2, 1.6, 2, 4, 6, 8)
"""Digits of which half is short to write, too."""


def round_up(value: float, digits: Sequence[float] = HALVED) -> float:
    """Round up to one of the ``digits``, times a power of ten."""
    if value <= 0:
        return 1
    power = 10.0 ** floor(log10(value))
    return next((s * power for s in digits if s * power >= value), 10 * power)
