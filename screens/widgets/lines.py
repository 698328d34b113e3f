"""Text of any size, drawn line by line; folding a long one is done in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import Any, ClassVar

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.worker import get_current_worker

from orch_tui.screens.widgets.safe import plain

PROSE = 2000
"""Characters of a line up to which it is broken between words."""
AT_ONCE = 20_000
"""Characters up to which text is folded on the spot; it takes about a millisecond per 10,000."""

MARKDOWN_MOST = 200_000
"""Characters up to which Markdown is rendered; longer text is shown as it is."""


class Lines(ScrollView, can_focus=True, inherit_bindings=False):
    """Text from anywhere, shown as text; lines longer than the width are folded."""

    DEFAULT_CSS = """
    Lines {
        background: $surface; padding: 0 1;
        overflow-x: hidden; scrollbar-size-vertical: 1; scrollbar-gutter: stable;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home,g", "scroll_home", "Top", show=False),
        Binding("end,G", "scroll_end", "End", show=False),
    ]

    @dataclass
    class Folded(Message, bubble=False):
        """A thread has folded the text for a width."""

        lines: Sequence[Strip]
        width: int

    def __init__(
        self,
        text: str = "",
        *,
        id: str | None = None,  # noqa: A002 # Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._text = text
        self._markdown = False
        self._lines: Sequence[Strip] = ()
        self._width = 0

    @property
    def text(self) -> str:
        """The exact text that is shown."""
        return self._text

    def show(self, text: str, *, markdown: bool = False) -> None:
        """Show another text from its top, rendered as Markdown or as it is."""
        self._text = text
        self._markdown = markdown and 0 < len(text) <= MARKDOWN_MOST
        self._fold()
        self.scroll_to(y=0, animate=False, immediate=True)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._fold())

    def on_resize(self) -> None:
        if self._width != self.scrollable_content_region.width:
            self._fold()

    def _fold(self) -> None:
        width = self.scrollable_content_region.width
        self._width = width  # also while it is hidden: what came meanwhile is folded afterwards
        if width <= 0:
            return
        text = self._text
        if len(text) <= AT_ONCE and not self._markdown:
            self._take(fold(text, width))
            return
        dark = self.app.current_theme.dark
        make = partial(rendered, dark=dark) if self._markdown else fold

        def work() -> None:
            worker = get_current_worker()
            lines = make(text, width)
            if not worker.is_cancelled:
                self.post_message(self.Folded(lines, width))

        self.run_worker(work, thread=True, exclusive=True, group="fold")

    def on_lines_folded(self, message: Folded) -> None:
        if message.width == self._width:
            self._take(message.lines)

    def _take(self, lines: Sequence[Strip]) -> None:
        self._lines = lines
        size = Size(self._width, len(lines))
        if size != self.virtual_size:
            self.virtual_size = size
        self.refresh()

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        index = y + round(self.scroll_offset.y)
        line = self._lines[index] if index < len(self._lines) else Strip([])
        return line.apply_style(style).adjust_cell_length(self.size.width, style)


def fold(text: str, width: int) -> list[Strip]:
    """The text as it is, harmful characters shown, in lines of at most ``width`` cells."""
    folded: list[Strip] = []
    for line in text.split("\n"):
        shown = plain(line.removesuffix("\r"))
        folded += (Strip([Segment(piece)]) for piece in _pieces(shown, width))
    return folded


def _pieces(line: str, width: int) -> list[str]:
    """A line in pieces that fit, broken after a blank where there is one not too far from the end;
    together they are the line."""
    if cell_len(line) <= width:
        return [line]
    if len(line) > PROSE:
        return list(chop_cells(line, width))
    pieces = []
    while cell_len(line) > width:
        end = len(chop_cells(line, width)[0])
        blank = line.rfind(" ", end // 2, end) + 1
        pieces.append(line[: blank or end])
        line = line[blank or end :]
    return [*pieces, line] if line else pieces


def rendered(text: str, width: int, *, dark: bool = True) -> list[Strip]:
    """The text as Markdown in the colours of a theme; links are shown, never made clickable."""
    from rich.console import Console
    from rich.markdown import Markdown

    from orch_tui.screens.widgets.coloured import make_code_colours, make_markdown_colours

    console = Console(
        width=width,
        file=StringIO(),
        force_terminal=True,
        color_system="truecolor",
        theme=make_markdown_colours(dark=dark),
    )
    harmless = "\n".join(plain(line.removesuffix("\r")) for line in text.split("\n"))
    # Rich takes a theme of its own for code wherever it takes the name of one.
    code: Any = make_code_colours(dark=dark)
    document = Markdown(harmless, hyperlinks=False, code_theme=code)
    return [Strip(line) for line in console.render_lines(document, pad=False)]
