"""A list that draws only the lines in view, so that 100,000 rows cost what fifty do.

A ``DataTable`` measures every cell it is given (33 s for 100,000 rows); this one is given rows
when they are needed and draws each as one strip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orch_tui.screens.widgets.safe import flat

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
    characters to highlight, by column.
    """

    key: str
    cells: tuple[str, ...]
    style: str = ""
    marks: tuple[tuple[int, Spans], ...] = ()


class Rows(ScrollView, can_focus=True, inherit_bindings=False):
    """A keyboard-driven list of rows under a line of titles."""

    DEFAULT_CSS = """
    Rows {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        background: $surface;
        color: $foreground;
        & > .rows--title { color: $foreground-muted; text-style: bold; }
        & > .rows--cursor { background: $block-cursor-blurred-background; }
        & > .rows--cursor-focus {
            background: $block-cursor-background; color: $block-cursor-foreground;
            text-style: bold;
        }
        & > .rows--mark { color: $text-warning; text-style: bold underline; }
        & > .rows--ok { color: $text-success; }
        & > .rows--bad { color: $text-error; }
        & > .rows--warn { color: $text-warning; }
        & > .rows--dim { color: $foreground-muted; }
        & > .rows--empty { color: $foreground-muted; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "rows--title",
        "rows--cursor",
        "rows--cursor-focus",
        "rows--mark",
        "rows--ok",
        "rows--bad",
        "rows--warn",
        "rows--dim",
        "rows--empty",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Up", show=False),
        Binding("down,j", "cursor(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "to(0)", "First", show=False),
        Binding("end,G", "to(-1)", "Last", show=False),
        Binding("enter", "select", "Open"),
    ]

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
        super().__init__(id=id, classes=classes)
        self._columns = tuple(columns)
        self._rows: Sequence[Row] = rows
        self._empty = empty
        self.wanted = ""
        """The key to put the cursor on as soon as a row has it."""
        self._cursor = 0
        self._styles: dict[str, Style] = {}
        self._widths: tuple[int, ...] = ()
        self._empty_lines: list[str] = []

    # What is shown

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    @property
    def cursor(self) -> int:
        """The index of the row under the cursor."""
        return self._cursor

    @property
    def key(self) -> str:
        """The key of the row under the cursor; empty where there is none."""
        return self._rows[self._cursor].key if self._rows else ""

    def show(self, rows: Sequence[Row], *, empty: str | None = None, keep: bool = True) -> None:
        """Show other rows. ``keep`` leaves the cursor on the row with the same key."""
        before = self.key
        if bool(rows) != bool(self._rows):
            self.refresh_bindings()
        key = self.wanted or (before if keep else "")
        self.wanted = ""
        self._rows = rows
        if empty is not None:
            self._empty = empty
        same = next((n for n, row in enumerate(rows) if row.key == key), None) if key else None
        self._cursor = same if same is not None else 0
        height = len(rows) + 1
        if self.virtual_size.height != height:  # a layout reactive: set only when it changes
            self.virtual_size = Size(self.size.width, height)
        self.refresh()
        self._reveal()
        if self.key != before or not keep:
            self.post_message(self.Highlighted(self, self.key))

    def extend(self, rows: Sequence[Row]) -> None:
        """Add rows at the end; the cursor stays."""
        self._rows = [*self._rows, *rows]
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        self.refresh()

    def set_columns(self, columns: Sequence[Column]) -> None:
        self._columns = tuple(columns)
        self._widths = ()
        self.refresh()

    # Moving

    def action_cursor(self, by: int) -> None:
        self.move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        self.move_to(self._cursor + by * max(1, self.size.height - 2))

    def action_to(self, index: int) -> None:
        self.move_to(index % len(self._rows) if self._rows else 0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._rows) if action == "select" else True

    def action_select(self) -> None:
        if self._rows:
            self.post_message(self.Selected(self, self.key))

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, as far as there is one."""
        index = max(0, min(index, len(self._rows) - 1))
        if not self._rows or index == self._cursor:
            return
        self._cursor = index
        self._reveal()
        self.refresh()
        self.post_message(self.Highlighted(self, self.key))
        if index >= len(self._rows) - self.size.height:
            self.post_message(self.NearEnd(self))

    def move_to_key(self, key: str) -> bool:
        """Put the cursor on the row with this key, if it is there."""
        for index, row in enumerate(self._rows):
            if row.key == key:
                self.move_to(index)
                return True
        return False

    def _reveal(self) -> None:
        if self._cursor == 0:
            self.scroll_to(y=0, animate=False, immediate=True)
        else:  # the titles lie over the first line of the view
            region = Region(0, self._cursor, 1, 2)
            self.scroll_to_region(region, animate=False, immediate=True, x_axis=False)

    def on_click(self, event: events.Click) -> None:
        index = event.y + round(self.scroll_offset.y) - 1
        if event.y > 0 and 0 <= index < len(self._rows):
            self.move_to(index)
            if event.chain == 2:
                self.action_select()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_resize(self) -> None:
        self._widths = ()
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        base = self.rich_style  # read once a frame: it walks the whole ancestry
        self._styles = {
            name.removeprefix("rows--"): self.get_component_rich_style(name)
            for name in self.COMPONENT_CLASSES
        } | {"": base}
        mark = self._styles["mark"]  # without its background, it can stand on the cursor too
        self._styles["mark"] = Style(color=mark.color, bold=True, underline=True)
        if not self._widths:
            self._widths = self._fit(self.size.width)
        self._empty_lines = [] if self._rows else folded(self._empty, self.size.width - 3)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        if y == 0:
            titles = tuple(column.title for column in self._columns)
            return self._line(Row("", titles), self._styles["title"])
        index = y - 1 + round(self.scroll_offset.y)
        if index < len(self._rows):
            row = self._rows[index]
            style = self._styles.get(row.style, self._styles[""])
            if index == self._cursor:
                style += self._styles["cursor-focus" if self.has_focus else "cursor"]
            return self._line(row, style)
        text = self._empty_lines[y - 2] if 2 <= y < len(self._empty_lines) + 2 else ""
        return Strip([Segment(_fitted(f"  {text}", self.size.width), self._styles["empty"])])

    def _line(self, row: Row, style: Style) -> Strip:
        marks: dict[int, Any] = dict(row.marks)
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
                mark = BARE_MARK if style.bgcolor == self._cursor_color() else self._styles["mark"]
                segments += _marked(text, width, marks[number], style, mark)
            else:
                segments.append(Segment(_fitted(text, width), style))
            segments.append(Segment(" ", style))
        strip = Strip(segments)
        return strip.adjust_cell_length(self.size.width, style)

    def _cursor_color(self) -> RichColor | None:
        return self._styles["cursor-focus"].bgcolor

    def _fit(self, width: int) -> tuple[int, ...]:
        """Cells for each column; where the width does not do, the last ones give way."""
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


def folded(text: str, width: int) -> list[str]:
    """Our own words in lines of at most ``width`` cells, broken between words."""
    return [
        piece
        for line in text.splitlines()
        for piece in (wrap(line, max(20, width)) if line.strip() else [""])
    ]


def _marked(text: str, width: int, spans: Spans, style: Style, mark: Style) -> list[Segment]:
    segments, at = [], 0
    for start, end in spans:
        segments.append(Segment(text[at:start], style))
        segments.append(Segment(text[start:end], style + mark))
        at = end
    segments.append(Segment(text[at:], style))
    return list(Segment.adjust_line_length(segments, width, style))


def _fitted(text: str, width: int) -> str:
    if cell_len(text) > width > 1:
        return set_cell_size(text, width - 1) + "…"
    return set_cell_size(text, width)
