"""A table of rows with a cursor, drawn line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from orch_tui.screens.widgets.line_list import LineFrame, LineList, fit_text
from orch_tui.screens.widgets.safe import flat, one_line

Spans = Sequence[tuple[int, int]]
BARE_MARK = Style(bold=True, underline=True)
"""A mark on the cursor, whose own colours must stay."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title, and its width in cells; 0 shares what is left."""

    title: str
    width: int = 0
    right: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its key, a cell per column, and what to make of it.

    ``style`` names a component class part (``ok``, ``bad``, ``dim`` ...); ``marks`` are the
    characters to highlight, by column. A ``remark`` has one cell, which stands beneath the row
    before it over all columns; the cursor passes over it.
    """

    key: str
    cells: tuple[str, ...]
    style: str = ""
    marks: tuple[tuple[int, Spans], ...] = ()
    remark: bool = False


class RowTable:
    """Rows and columns, drawn as lines: a ``LineSource``."""

    def __init__(self, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        self.rows = rows
        self._columns = tuple(columns)
        self._widths: tuple[int, ...] = ()
        self._fitted_to = 0
        """Cells that the widths were made for."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, from the left."""
        return self._columns

    @columns.setter
    def columns(self, columns: Sequence[Column]) -> None:
        self._columns = tuple(columns)
        self._fitted_to = 0

    def __len__(self) -> int:
        return len(self.rows)

    def can_hold_cursor(self, index: int) -> bool:
        return not self.rows[index].remark

    def find(self, key: str) -> int | None:
        """Return the index of the row with a key; None where there is none."""
        return next((n for n, row in enumerate(self.rows) if row.key == key), None)

    def draw_titles(self, frame: LineFrame) -> Strip:
        """Draw the titles of the columns."""
        titles = tuple(column.title for column in self._columns)
        return self._draw(Row("", titles), frame, frame.styles["title"])

    def draw_line(self, index: int, frame: LineFrame, cursor: Style) -> Strip:
        row = self.rows[index]
        style = frame.styles.get(row.style, frame.styles[""])
        if row.remark:
            text = one_line(row.cells[0], 2 * frame.width)
            return Strip([Segment(f"   ↳ {text}", style)]).adjust_cell_length(frame.width, style)
        return self._draw(row, frame, style + cursor)

    def _draw(self, row: Row, frame: LineFrame, style: Style) -> Strip:
        if self._fitted_to != frame.width:
            self._widths, self._fitted_to = self._fit(frame.width), frame.width
        marks = dict(row.marks)
        segments: list[Segment] = []
        for number, (column, width, cell) in enumerate(
            zip(self._columns, self._widths, row.cells, strict=False)
        ):
            if not width:
                continue
            text = flat(cell[: 2 * width])
            if column.right and cell_len(text) < width:
                text = " " * (width - cell_len(text)) + text
            if number in marks:
                segments += _mark(text, width, marks[number], style, _mark_style(frame, style))
            else:
                segments.append(Segment(fit_text(text, width), style))
            segments.append(Segment(" ", style))
        return Strip(segments).adjust_cell_length(frame.width, style)

    def _fit(self, width: int) -> tuple[int, ...]:
        """Return the cells of each column; where there are too few, the last ones give way."""
        left = width - len(self._columns)
        widths: list[int] = []
        flexible = [n for n, column in enumerate(self._columns) if not column.width]
        reserved = 12 * len(flexible)
        for column in self._columns:
            given = column.width if column.width <= left - reserved else 0
            widths.append(given)
            left -= given
        for n in flexible:
            widths[n] = max(0, left // len(flexible))
        return tuple(widths)


class Rows(LineList):
    """A keyboard-driven list of rows under a line of titles."""

    DEFAULT_CSS = """
    Rows {
        & > .rows--title { color: $foreground-muted; text-style: bold; }
        & > .rows--mark { color: $text-warning; text-style: bold underline; }
        & > .rows--ok { color: $text-success; }
        & > .rows--bad { color: $text-error; }
        & > .rows--warn { color: $text-warning; }
        & > .rows--dim { color: $foreground-muted; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "rows--title",
        "rows--mark",
        "rows--ok",
        "rows--bad",
        "rows--warn",
        "rows--dim",
    }
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "Open")]

    @dataclass
    class Highlighted(Message, bubble=True):
        """The cursor is on another row; ``key`` is empty where there is none."""

        rows: Rows
        key: str

        @property
        def control(self) -> Rows:
            return self.rows

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Rows.Highlighted) and message.rows is self.rows

    @dataclass
    class Selected(Message, bubble=True):
        """Enter or a double click on a row."""

        rows: Rows
        key: str

        @property
        def control(self) -> Rows:
            return self.rows

    @dataclass
    class NearEnd(Message, bubble=True):
        """The cursor comes near the end of what was loaded."""

        rows: Rows

        @property
        def control(self) -> Rows:
            return self.rows

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        rows: Sequence[Row] = (),
        empty: str = "",
        id: str | None = None,  # noqa: A002 # Textual's own name
        classes: str | None = None,
    ) -> None:
        self._table = RowTable(columns, rows)
        super().__init__(
            self._table, title=self._table.draw_titles, empty=empty, id=id, classes=classes
        )
        self.wanted = ""
        """The key to put the cursor on as soon as a row has it."""

    @property
    def rows(self) -> Sequence[Row]:
        """All rows, from the first."""
        return self._table.rows

    @property
    def key(self) -> str:
        """The key of the row under the cursor; empty where there is none."""
        return self.rows[self.cursor].key if self.rows else ""

    def show(self, rows: Sequence[Row], *, empty: str | None = None, keep: bool = True) -> None:
        """Show other rows. ``keep`` leaves the cursor on the row with the same key."""
        before = self.key
        if bool(rows) != bool(self.rows):
            self.refresh_bindings()
        key = self.wanted or (before if keep else "")
        self.wanted = ""
        self._table.rows = rows
        if empty is not None:
            self.empty = empty
        self.update_lines((self._table.find(key) or 0) if key else 0)
        if self.key != before or not keep:
            self.cursor_moved()

    def redraw(self, rows: Sequence[Row]) -> None:
        """Show the same rows with other cells: neither cursor nor view moves."""
        self._table.rows = rows
        self.refresh()

    def extend(self, rows: Sequence[Row]) -> None:
        """Add rows at the end; the cursor stays."""
        self._table.rows = [*self.rows, *rows]
        self.update_height()
        self.refresh()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns of the same rows."""
        self._table.columns = tuple(columns)
        self.refresh()

    def move_to(self, index: int) -> None:
        before = self.cursor
        super().move_to(index)
        if self.cursor != before and self.cursor >= len(self.rows) - self.size.height:
            self.post_message(self.NearEnd(self))

    def move_to_key(self, key: str) -> bool:
        """Put the cursor on the row with this key, and tell whether there is one."""
        index = self._table.find(key)
        if index is not None:
            self.move_to(index)
        return index is not None

    def cursor_moved(self) -> None:
        self.post_message(self.Highlighted(self, self.key))

    def line_clicked(self, index: int, event: events.Click) -> None:
        if event.chain == 2:
            self.action_select()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.rows) if action == "select" else True

    def action_select(self) -> None:
        if self.rows:
            self.post_message(self.Selected(self, self.key))


def _mark_style(frame: LineFrame, style: Style) -> Style:
    """Return the style that a mark adds to that of its row: no background, which may be the
    cursor's, and no colour on the cursor."""
    if style.bgcolor == frame.styles["cursor-focus"].bgcolor:
        return BARE_MARK
    return Style(color=frame.styles["mark"].color, bold=True, underline=True)


def _mark(text: str, width: int, spans: Spans, style: Style, mark: Style) -> list[Segment]:
    segments, at = [], 0
    for start, end in spans:
        segments.append(Segment(text[at:start], style))
        segments.append(Segment(text[start:end], style + mark))
        at = end
    segments.append(Segment(text[at:], style))
    return list(Segment.adjust_line_length(segments, width, style))
