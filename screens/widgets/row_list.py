"""A table of rows with a cursor, drawn line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
Accent = tuple[int, int, str]
"""Characters of a cell from and to, and what they are: ``bold``, or the name of a style, or both;
empty: plain, in a column of names too."""
BOLD = Style(bold=True)
MARK = Style(bold=True, underline=True)
"""What was found in a cell: the colours of the cell and of the cursor stay."""
LEAST_ELASTIC = 18
"""Cells that a column that shares what is left has, where it does not say."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title, and its width in cells; 0 shares what is left.

    ``state``: it alone has the colour of the row's style. ``bold``: a name. ``cut_head``: what is
    too long loses its beginning, as paths do. ``bar``: its cells are shares from 0 to 1, drawn as a
    line in the colours of done and failed. ``gives_way``: where there is no room, those from 1
    on go first, in their order, then from the right those that have none; -1 never goes.
    ``own``: a style of its own, whatever that of the row is. ``least``: the cells that a column
    that shares what is left has, before others give way. ``hidden``: it is not there now.
    """

    title: str
    width: int = 0
    right: bool = False
    state: bool = False
    bold: bool = False
    cut_head: bool = False
    bar: bool = False
    gives_way: int = 0
    own: str = ""
    least: int = LEAST_ELASTIC
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its key, a cell per column, and what to make of it.

    ``style`` names one of ``Rows.STYLES`` (``ok``, ``bad`` ...) for the columns of its state;
    ``dim`` is for all of it. ``marks`` are the characters to highlight, by column, ``accents``
    those that are told apart. A ``remark`` has one cell, which stands beneath the row before it
    over all columns, a ``note`` is a line of words by itself; a ``section`` has a word and a count,
    above the rows that belong to it. The cursor passes over all three.
    """

    key: str
    cells: tuple[str, ...]
    style: str = ""
    marks: tuple[tuple[int, Spans], ...] = ()
    remark: bool = False
    section: bool = False
    note: bool = False
    accents: tuple[tuple[int, tuple[Accent, ...]], ...] = ()


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
        row = self.rows[index]
        return not (row.remark or row.section or row.note)

    def find(self, key: str) -> int | None:
        """Return the index of the row with a key; None where there is none."""
        return next((n for n, row in enumerate(self.rows) if row.key == key), None)

    def draw_titles(self, frame: LineFrame) -> Strip:
        """Draw the titles of the columns; a bar that is shorter than its title has none."""
        self._fit_to(frame.width)
        titles = tuple(
            "" if column.bar and cell_len(column.title) > width else column.title
            for column, width in zip(self._columns, self._widths, strict=True)
        )
        return self._draw(Row("", titles, "title"), frame, Style())

    def draw_line(self, index: int, frame: LineFrame, cursor: Style) -> Strip:
        row = self.rows[index]
        style = frame.styles.get(row.style, frame.styles[""])
        if row.section:
            return _draw_section(row, frame)
        if row.note:
            shown = fit_text(flat(row.cells[0]), frame.width)
            return Strip([Segment(shown, style)]).adjust_cell_length(frame.width, style)
        if row.remark:
            text = one_line(row.cells[0], 2 * frame.width)
            return Strip([Segment(f"   ↳ {text}", style)]).adjust_cell_length(frame.width, style)
        return self._draw(row, frame, cursor)

    def _draw(self, row: Row, frame: LineFrame, cursor: Style) -> Strip:
        self._fit_to(frame.width)
        marks, accents = dict(row.marks), dict(row.accents)
        own = frame.styles[""] + cursor
        told = frame.styles.get(row.style, frame.styles[""]) + Style(bgcolor=cursor.bgcolor)
        whole = told if row.style in ("dim", "title") else own
        segments: list[Segment] = []
        for number, (column, width, cell) in enumerate(
            zip(self._columns, self._widths, row.cells, strict=False)
        ):
            if not width:
                continue
            if column.bar and (share := _share(cell)) is not None:
                segments += _draw_share(share, width, frame, Style(bgcolor=cursor.bgcolor))
                segments.append(Segment(" ", own))
                continue
            text = flat(cell[-2 * width :] if column.cut_head else cell[: 2 * width])
            before = max(0, width - cell_len(text)) if column.right else 0
            text = " " * before + text
            style = told if column.state else whole
            if column.own:
                style = frame.styles[column.own] + Style(bgcolor=cursor.bgcolor)
            if column.bold and whole is own:
                style += BOLD
            if number in marks:
                segments += _mark(text, width, marks[number], style)
            elif accents.get(number):
                shown = fit_text(text, width)
                segments += _accent(shown, before, accents[number], (style, whole), frame)
            else:
                segments.append(Segment(fit_text(text, width, cut_head=column.cut_head), style))
            segments.append(Segment(" ", own))
        return Strip(segments).adjust_cell_length(frame.width, own)

    def _fit_to(self, width: int) -> None:
        if self._fitted_to != width:
            self._widths, self._fitted_to = self._fit(width), width

    def _fit(self, width: int) -> tuple[int, ...]:
        """Return the cells of each column, 0 for one that had to give way."""
        columns = self._columns
        shown = {n for n, column in enumerate(columns) if not column.hidden}
        elastic = [n for n in shown if not columns[n].width]
        going = sorted(
            (n for n in shown if columns[n].width and columns[n].gives_way >= 0),
            key=lambda n: (columns[n].gives_way or len(columns), -n),
        )

        def left() -> int:
            return width - sum(columns[n].width + 1 for n in shown)

        for n in going:
            if left() >= sum(columns[n].least for n in elastic):
                break
            shown.discard(n)
        share = max(0, left()) // len(elastic) if elastic else 0
        return tuple(
            (column.width or share) if n in shown else 0 for n, column in enumerate(columns)
        )


def _share(cell: str) -> float | None:
    try:
        return min(1.0, max(0.0, float(cell)))
    except ValueError:
        return None


def _draw_share(share: float, width: int, frame: LineFrame, ground: Style) -> list[Segment]:
    """Draw a share as a line, the rest of it dashed: told apart without colour, too."""
    done = round(share * width)
    if 0 < share < 1:  # neither none nor all
        done = min(max(done, 1), width - 1)
    return [
        Segment("━" * done, frame.styles["ok"] + ground),
        Segment("╍" * (width - done), frame.styles["bad"] + ground),
    ]


def _draw_section(row: Row, frame: LineFrame) -> Strip:
    """Draw the word and the count of a section, and a rule to the end of the line."""
    word, *count = row.cells
    said = " · ".join((word, *count))
    style = frame.styles.get(row.style, frame.styles[""]) + BOLD
    rule = "─" * max(0, frame.width - cell_len(said) - 2)
    segments = [Segment(said, style), Segment(f" {rule}", frame.styles["rule"])]
    return Strip(segments).adjust_cell_length(frame.width, frame.styles[""])


class Rows(LineList):
    """A keyboard-driven list of rows under a line of titles."""

    STYLES: ClassVar[Mapping[str, str]] = {
        **LineList.STYLES,
        "title": "$foreground-muted",
        "rule": "$line",
        "ok": "$state-done",
        "bad": "$state-failed",
        "warn": "$state-doubt",
        "running": "$state-running",
        "asks": "$state-asks",
        "required": "$part-required",
        "recommended": "$part-recommended",
        "optional": "$part-optional",
        "shared": "$part-shared",
        "planned": "$state-planned",
        "dim": "$foreground-muted",
    }
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "open")]

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
        titled: bool = True,
    ) -> None:
        """``titled``: the titles of the columns stand above the rows."""
        self._table = RowTable(columns, rows)
        super().__init__(
            self._table,
            title=self._table.draw_titles if titled else None,
            empty=empty,
            id=id,
            classes=classes,
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


def _accent(
    text: str, before: int, accents: Sequence[Accent], styles: tuple[Style, Style], frame: LineFrame
) -> Iterator[Segment]:
    """Draw a cell whose parts are told apart; ``styles`` are its own and that of plain text."""
    own, plain = styles
    at = 0
    for start, end, name in accents:
        start, end = min(len(text), start + before), min(len(text), end + before)
        style = plain
        for word in name.split():
            style += BOLD if word == "bold" else Style(color=frame.styles[word].color)
        yield Segment(text[at:start], own)
        yield Segment(text[start:end], style)
        at = end
    yield Segment(text[at:], own)


def _mark(text: str, width: int, spans: Spans, style: Style) -> list[Segment]:
    shown = fit_text(text, width)
    segments, at = [], 0
    for start, end in spans:
        segments.append(Segment(shown[at:start], style))
        segments.append(Segment(shown[start:end], style + MARK))
        at = end
    return [*segments, Segment(shown[at:], style)]
