"""What a text view is made of: plain text, Markdown, code, notes and small tables, each drawn as
lines of the width there is. Text from anywhere is shown, never obeyed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, NamedTuple, Protocol

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from orch_tui.screens.theme import DARK, LIGHT
from orch_tui.screens.widgets.safe import plain

PROSE = 2000
"""Characters of a line up to which it is broken between words."""
MARKDOWN_MOST = 200_000
"""Characters up to which Markdown is rendered; longer text is shown as it is."""
COLOURED_MOST = 200_000
"""Characters up to which code has colours."""
LONGEST_COLOURED = 4000
"""Characters of a line up to which its text has colours: what is longer was not written by hand."""
WIDEST_LABEL = 20


_ITEMS = ("•", "-", "*", *"0123456789")
"""How an item of a list begins, drawn."""


class Line(NamedTuple):
    """A drawn line; the first ``margin`` characters are not of its text."""

    strip: Strip
    margin: int = 0
    begins: bool = False
    """Whether a difference begins there."""


class Passage(Protocol):
    """Some of a text."""

    @property
    def size(self) -> int:
        """Return the characters of it, by which the time to draw it is judged."""

    def draw(self, width: int, *, dark: bool) -> list[Line]:
        """Draw it in lines of at most ``width`` cells."""


class Words(NamedTuple):
    """Words of one style: names of colours of the theme, ``bold``, or both."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class AsIs:
    """Text as it is, in the colour of all text."""

    text: str

    @property
    def size(self) -> int:
        return len(self.text)

    def draw(self, width: int, *, dark: bool) -> list[Line]:
        return [Line(strip) for strip in fold(self.text, width)]


class NoteBeside(NamedTuple):
    """What is told beside the first line that has some words in it."""

    sought: str
    note: Words


@dataclass(frozen=True, slots=True)
class MarkdownText:
    """Markdown, rendered; notes stand at the end of the lines they are of, where there is room."""

    text: str
    notes: tuple[NoteBeside, ...] = ()

    @property
    def size(self) -> int:
        return 10 * len(self.text)

    def draw(self, width: int, *, dark: bool) -> list[Line]:
        if len(self.text) > MARKDOWN_MOST or not self.text:
            return AsIs(self.text).draw(width, dark=dark)
        strips = rendered(self.text, width, dark=dark)
        for sought, (words, style) in self.notes:
            number = _find_line(strips, sought)
            end = 0 if number is None else cell_len(strips[number].text.rstrip())
            if number is not None and end + cell_len(words) + 2 <= width:
                told = Segment(f"  {words}", named_style(style, dark=dark))
                strips[number] = Strip([*strips[number].crop(0, end), told])
        return [Line(strip) for strip in strips]


def _find_line(strips: Sequence[Strip], sought: str) -> int | None:
    """Find the line that tells of something: an item of a list, or else the first that has it."""
    having = [number for number, strip in enumerate(strips) if sought in strip.text]
    items = (number for number in having if strips[number].text.lstrip().startswith(_ITEMS))
    return next(items, next(iter(having), None))


@dataclass(frozen=True, slots=True)
class Code:
    """The text of a file in the colours of its kind; ``first`` numbers its lines, 0: none does."""

    text: str
    name: str
    first: int = 1

    @property
    def size(self) -> int:
        return 10 * len(self.text)

    def draw(self, width: int, *, dark: bool) -> list[Line]:
        lines = [plain(line.removesuffix("\r")) for line in self.text.split("\n")]
        if len(lines) > 1 and not lines[-1]:
            lines.pop()
        coloured = colour_lines(lines, self.name, dark=dark)
        digits = len(str(self.first + len(lines))) + 2 if self.first else 0
        muted = named_style("muted", dark=dark)
        drawn = []
        for number, segments in enumerate(coloured, start=self.first):
            margin = f"{number:>{digits - 1}} " if digits else ""
            for piece in fold_segments(segments, max(8, width - digits)):
                strip = Strip([Segment(margin, muted), *piece] if digits else piece)
                drawn.append(Line(strip, digits))
                margin = " " * digits
        return drawn


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """A paragraph of words in several styles."""

    words: tuple[Words, ...]

    @property
    def size(self) -> int:
        return sum(len(words.text) for words in self.words)

    def draw(self, width: int, *, dark: bool) -> list[Line]:
        lines: list[list[Segment]] = [[]]
        for text, style in self.words:
            first, *others = text.split("\n")
            made = named_style(style, dark=dark)
            lines[-1].append(Segment(plain(first), made))
            lines += ([Segment(plain(other), made)] for other in others)
        return [Line(Strip(piece)) for line in lines for piece in fold_segments(line, width)]


class TableEntry(NamedTuple):
    """A label with what it is about; ``style`` is that of the label."""

    label: str
    text: str
    style: str = "muted"


@dataclass(frozen=True, slots=True)
class Table:
    """Labels, and beside them texts that hang from their first line."""

    entries: tuple[TableEntry, ...]

    @property
    def size(self) -> int:
        return sum(len(entry.text) for entry in self.entries)

    def draw(self, width: int, *, dark: bool) -> list[Line]:
        label = min(WIDEST_LABEL, max((cell_len(e.label) for e in self.entries), default=0)) + 2
        drawn = []
        for entry in self.entries:
            before = Segment(plain(entry.label).ljust(label), named_style(entry.style, dark=dark))
            for strip in fold(entry.text, max(8, width - label)):
                drawn.append(Line(Strip([before, *strip]), len(before.text)))
                before = Segment(" " * label)
        return drawn


def draw_passages(passages: Sequence[Passage], width: int, *, dark: bool) -> list[Line]:
    """Draw them one beneath the other."""
    return [line for passage in passages for line in passage.draw(width, dark=dark)]


def fold(text: str, width: int) -> list[Strip]:
    """The text as it is, harmful characters shown, in lines of at most ``width`` cells."""
    folded: list[Strip] = []
    for line in text.split("\n"):
        shown = plain(line.removesuffix("\r"))
        folded += (Strip([Segment(piece)]) for piece in _pieces(shown, width))
    return folded


def rendered(text: str, width: int, *, dark: bool = True) -> list[Strip]:
    """The text as Markdown in the colours of a theme; links are shown, never made clickable."""
    from rich.console import Console
    from rich.markdown import CodeBlock, Heading, Markdown
    from rich.syntax import Syntax

    from orch_tui.screens.widgets.coloured import make_code_colours, make_markdown_colours

    console = Console(
        width=width,
        file=StringIO(),
        force_terminal=True,
        color_system="truecolor",
        theme=make_markdown_colours(dark=dark),
    )

    class LeftHeading(Heading):
        """A heading where the text begins, not in the middle of the line."""

        def __rich_console__(self, console: Console, options: Any) -> Iterator[Any]:
            self.text.justify = "left"
            yield self.text

    class CloseCode(CodeBlock):
        """Code without an empty line of its own above and below."""

        def __rich_console__(self, console: Console, options: Any) -> Iterator[Any]:
            code = str(self.text).rstrip()
            yield Syntax(code, self.lexer_name, theme=self.theme, word_wrap=True, padding=(0, 1))

    class LeftMarkdown(Markdown):
        elements = {
            **Markdown.elements,
            "heading_open": LeftHeading,
            "fence": CloseCode,
            "code_block": CloseCode,
        }

    harmless = "\n".join(plain(line.removesuffix("\r")) for line in text.split("\n"))
    # Rich takes a theme of its own for code wherever it takes the name of one.
    code: Any = make_code_colours(dark=dark)
    document = LeftMarkdown(harmless, hyperlinks=False, code_theme=code)
    return [Strip(line) for line in console.render_lines(document, pad=False)]


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


def fold_segments(segments: Sequence[Segment], width: int) -> Iterator[list[Segment]]:
    """Break a line of several styles where its bare text would be."""
    rest = list(segments)
    for piece in _pieces("".join(segment.text for segment in segments), width):
        wanted, taken = len(piece), []
        while wanted and rest:
            text, style, _ = rest.pop(0)
            taken.append(Segment(text[:wanted], style))
            if len(text) > wanted:
                rest.insert(0, Segment(text[wanted:], style))
            wanted -= min(wanted, len(text))
        yield taken


def colour_lines(lines: Sequence[str], name: str, *, dark: bool) -> Iterator[list[Segment]]:
    """Give each line in the colours of the kind of file, as far as one is known by its name."""
    text = "\n".join(lines)
    too_much = len(text) > COLOURED_MOST or max(map(len, lines), default=0) > LONGEST_COLOURED
    lexer = None if too_much else _find_lexer(name)
    if lexer is None:
        yield from ([Segment(line)] for line in lines)
        return
    from orch_tui.screens.widgets.coloured import make_code_colours

    colours = make_code_colours(dark=dark)
    line: list[Segment] = []
    for kind, value in lexer.get_tokens(text):
        style = colours.get_style_for_token(kind)
        first, *others = value.split("\n")
        line.append(Segment(first, style))
        for other in others:
            yield line
            line = [Segment(other, style)]
    yield line


def _find_lexer(name: str) -> Any:
    from pygments.lexers import get_lexer_for_filename
    from pygments.util import ClassNotFound

    try:
        return get_lexer_for_filename(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def named_style(named: str, *, dark: bool) -> Style:
    """Make a style of names: a colour of the theme, ``bold``, or both."""
    colours = DARK if dark else LIGHT
    names = named.split()
    colour = next((colours[name] for name in names if name in colours), None)
    return Style(color=colour, bold=True if "bold" in names else None)
