"""A list that draws only the lines in view, so that 100,000 lines cost what fifty do.

Textual's own lists measure every cell they are given (a ``DataTable`` took 33 s for 100,000 rows).
This one asks a source for a line when it is drawn, and knows of lines only how many there are,
which are in view and which has the cursor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar, Protocol

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orch_tui.screens.widgets.named_styles import read_styles

NO_STYLE = Style()
HERE = "▌"
"""What stands before the line under the cursor: seen without colours too."""


AROUND = 24
"""Cells that a list without lines has besides its text where that stands in the middle."""


@dataclass(frozen=True, slots=True)
class LineFrame:
    """What the lines of one drawing have in common."""

    width: int
    """Cells of each line."""
    styles: Mapping[str, Style]
    """By name; ``""`` is the list's own."""


class LineSource(Protocol):
    """Lines that can be drawn one by one."""

    def __len__(self) -> int:
        """Return how many lines there are."""

    def can_hold_cursor(self, index: int) -> bool:
        """Tell whether the cursor may stand on a line, or passes over it."""

    def draw_line(self, index: int, frame: LineFrame, cursor: Style) -> Strip:
        """Draw a line as wide as the frame; ``cursor`` is to be added to its styles."""


class LineList(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of a source with a cursor, by keyboard and mouse; a title above them may stay."""

    DEFAULT_CSS = """
    LineList {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        background: $surface;
        color: $foreground;
        & > .linelist--cursor { background: $block-cursor-blurred-background; }
        & > .linelist--cursor-focus {
            background: $block-cursor-background; color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "linelist--cursor",
        "linelist--cursor-focus",
    }
    STYLES: ClassVar[Mapping[str, str]] = {
        "here": "$border",
        "empty": "$foreground-muted",
        "empty-first": "bold $foreground",
        "empty-key": "bold $text-accent",
        "empty-does": "$foreground",
    }
    """What its lines are drawn in, by name: see ``read_styles``."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Up", show=False),
        Binding("down,j", "cursor(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "to(0)", "First", show=False),
        Binding("end,G", "to(-1)", "Last", show=False),
    ]

    def __init__(
        self,
        source: LineSource,
        *,
        title: Callable[[LineFrame], Strip] | None = None,
        empty: str = "",
        id: str | None = None,  # noqa: A002 # Textual's own name
        classes: str | None = None,
    ) -> None:
        """``title`` draws the line above all others, and ``empty`` is the text where there are no
        lines: what is so in its first line, then what can be done, keys parted by two blanks."""
        super().__init__(id=id, classes=classes)
        self._source = source
        self._title = title
        self._title_height = 0 if title is None else 1
        self._cursor = 0
        self._frame = LineFrame(0, {"": NO_STYLE})
        self.empty = empty
        self.is_led = False
        """Whether a box above it passes on the keys that move its cursor."""
        self._empty_strips: dict[int, Strip] = {}
        """The text where there are no lines, by the lines of the widget."""

    # The lines

    @property
    def cursor(self) -> int:
        """The index of the line under the cursor; 0 where there is none."""
        return self._cursor

    @property
    def in_view(self) -> range:
        """The indices of the lines in view."""
        top = round(self.scroll_offset.y)
        height = max(1, self.size.height - self._title_height)
        return range(top, min(top + height, len(self._source)))

    def update_lines(self, cursor: int) -> None:
        """Draw other lines of the source, with the cursor on one of them."""
        self._cursor = 0
        if len(self._source):
            self._cursor = self._nearest(max(0, min(cursor, len(self._source) - 1)))
        self.update_height()
        self._reveal_cursor()
        self.refresh()

    def update_height(self) -> None:
        """Scroll over as many lines as there are now."""
        height = len(self._source) + self._title_height
        if self.virtual_size.height != height:  # a layout reactive: set only when it changes
            self.virtual_size = Size(self.size.width, height)

    # Moving

    def move_to(self, index: int) -> None:
        """Put the cursor on a line, or on the nearest that can hold it."""
        if not len(self._source):
            return
        index = self._nearest(max(0, min(index, len(self._source) - 1)))
        if index == self._cursor:
            return
        self._cursor = index
        self._reveal_cursor()
        self.refresh()
        self.cursor_moved()

    def cursor_moved(self) -> None:
        """Tell others that the cursor moved; a list of its kind posts its own message."""

    def _nearest(self, index: int) -> int:
        """Return the next line that can hold the cursor in the direction of its move, or else the
        last one before."""
        step = 1 if index >= self._cursor else -1
        onward = range(index, len(self._source) if step > 0 else -1, step)
        back = range(index, -1 if step > 0 else len(self._source), -step)
        can_hold = self._source.can_hold_cursor
        return next((n for way in (onward, back) for n in way if can_hold(n)), self._cursor)

    def action_cursor(self, by: int) -> None:
        self.move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        self.move_to(self._cursor + by * max(1, self.size.height - 1 - self._title_height))

    def action_to(self, index: int) -> None:
        self.move_to(index % len(self._source) if len(self._source) else 0)

    def _reveal_cursor(self) -> None:
        can_hold = self._source.can_hold_cursor
        if not any(map(can_hold, range(self._cursor))):  # what stands above the first is seen, too
            self.scroll_to(y=0, animate=False, immediate=True)
        elif not any(map(can_hold, range(self._cursor + 1, len(self._source)))):
            self.scroll_to(y=len(self._source), animate=False, immediate=True)
        else:  # a title lies over the first line of the view
            region = Region(0, self._cursor, 1, 1 + self._title_height)
            self.scroll_to_region(region, animate=False, immediate=True, x_axis=False)

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)  # not on the border
        if place is None or place.y < self._title_height:
            return
        index = place.y + round(self.scroll_offset.y) - self._title_height
        if index < len(self._source):
            self.move_to(index)
            self.line_clicked(index, event)

    def line_clicked(self, index: int, event: events.Click) -> None:
        """Do what a click means besides moving the cursor there."""

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._source) + self._title_height)
        self._reveal_cursor()

    def tell(self, message: Callable[[], Message]) -> None:
        """Post a message of our own: made while the parent handles one, it would end there."""
        self.call_next(lambda: self.post_message(message()))

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        # Styles are read once a frame: each walks the whole ancestry.
        styles = read_styles(self, self.STYLES)
        for name in LineList.COMPONENT_CLASSES:
            styles[name.partition("--")[2]] = self.get_component_rich_style(name)
        self._frame = LineFrame(self.size.width - len(HERE), styles)
        if not len(self._source):
            self._empty_strips = draw_empty(self.empty, self.size, self._title_height, styles)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        frame, own = self._frame, self._frame.styles[""]
        before = Segment(" " * len(HERE), own)
        if not len(self._source) and self.empty:
            strip = self._empty_strips.get(y, Strip.blank(0))
            return strip.adjust_cell_length(self.size.width, own)
        if y < self._title_height and self._title is not None:
            return Strip.join([Strip([before]), self._title(frame)])
        index = y - self._title_height + round(self.scroll_offset.y)
        if index < len(self._source):
            cursor = NO_STYLE
            if index == self._cursor:
                is_lit = self.has_focus or self.is_led
                cursor = frame.styles["cursor-focus" if is_lit else "cursor"]
                color = frame.styles["here" if is_lit else "empty"].color
                before = Segment(HERE, own + cursor + Style(color=color))
            return Strip.join([Strip([before]), self._source.draw_line(index, frame, cursor)])
        return Strip.blank(self.size.width, own)


_KEY_AND_WORDS = re.compile(r"(\S.{0,22}?)( {2,})(\S.*)")
"""What is typed, and what comes of it, in the text of a list without lines."""


def draw_empty(text: str, size: Size, above: int, styles: Mapping[str, Style]) -> dict[int, Strip]:
    """Draw the text of a list without lines by its place in it: in the middle where there is room,
    else ``above`` lines and one more below its top."""
    lines = [*_draw_words(text, size.width - 3, styles)]
    wide = max((sum(cell_len(word) for word, *_ in line) for line in lines), default=0)
    left = max(2, (size.width - wide) // 2) if size.width - wide >= AROUND else 2
    top = max(above + 1, (size.height - len(lines)) // 3)
    before = Segment(" " * left, styles[""])
    return {top + number: Strip([before, *line]) for number, line in enumerate(lines)}


def _draw_words(text: str, width: int, styles: Mapping[str, Style]) -> Iterator[list[Segment]]:
    """Draw each line folded, what a key does hanging beside the key."""
    for number, line in enumerate(text.splitlines()):
        found = _KEY_AND_WORDS.fullmatch(line)
        if found is None:
            style = styles["empty" if number else "empty-first"]
            yield from ([Segment(piece, style)] for piece in fold_words(line or " ", width))
            continue
        key, gap, does = found.groups()
        told = [Segment(key, styles["empty-key"]), Segment(gap, styles[""])]
        for piece in fold_words(does, width - cell_len(key + gap)):
            yield [*told, Segment(piece, styles["empty-does"])]
            told = [Segment(" " * cell_len(key + gap), styles[""])]


def fold_words(text: str, width: int) -> list[str]:
    """Fold our own words into lines of at most ``width`` cells, broken between words."""
    return [
        piece
        for line in text.splitlines()
        for piece in (wrap(line, max(20, width)) if line.strip() else [""])
    ]


def fit_text(text: str, width: int, *, cut_head: bool = False) -> str:
    """Fill a text up to ``width`` cells, or cut its end off, or its head, and say so."""
    if cell_len(text) > width > 1:
        if cut_head:
            while cell_len(text) > width - 1:
                text = (
                    text[1:] if cell_len(text) < width + 9 else text[cell_len(text) - width - 8 :]
                )
            return set_cell_size("…" + text, width)
        return set_cell_size(text, width - 1) + "…"
    return set_cell_size(text, width)
