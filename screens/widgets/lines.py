"""Text of any size, drawn line by line; folding a long one is done in a thread."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.worker import get_current_worker

from orch_tui.screens.theme import DARK, LIGHT
from orch_tui.screens.widgets.passages import AsIs, Line, MarkdownText, Passage, draw_passages

if TYPE_CHECKING:
    from orch_tui.search.matching import TextMatcher

AT_ONCE = 20_000
"""Characters up to which text is folded on the spot; it takes about a millisecond per 10,000."""
ABOVE = 4
"""Lines kept above a match that is gone to."""


class Match(NamedTuple):
    """Where a word that is sought stands: the characters of a drawn line."""

    line: int
    start: int
    end: int
    number: int
    """Which it is, from 0; one that is broken over lines stands in each of them."""


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

        lines: Sequence[Line]
        matches: Sequence[Match]
        width: int

    @dataclass
    class Found(Message, bubble=True):
        """How often what is sought stands in the text, or that another place is in view."""

        lines: Lines

        @property
        def control(self) -> Lines:
            return self.lines

    def __init__(
        self,
        text: str = "",
        *,
        id: str | None = None,  # noqa: A002 # Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._text = text
        self._passages: Sequence[Passage] = (AsIs(text),)
        self._lines: Sequence[Line] = ()
        self._width = 0
        self._sought: Sequence[TextMatcher] = ()
        self._matches: Sequence[Match] = ()
        self._by_line: dict[int, list[Match]] = {}
        self._current = 0
        self._change = 0
        self._starts: Sequence[int] = ()
        """The lines in which differences begin."""
        self._is_pointed_at = False
        self._to_match = False
        """Whether the next text that is folded opens at its first match."""

    @property
    def text(self) -> str:
        """The exact text that is shown."""
        return self._text

    @property
    def match_count(self) -> int:
        """How often what is sought stands in the text."""
        return self._matches[-1].number + 1 if self._matches else 0

    @property
    def match(self) -> int:
        """Which of the matches is gone to, from 1; 0 where there is none."""
        return self._current + 1 if self._matches else 0

    def show(self, text: str, *, markdown: bool = False) -> None:
        """Show another text from its top, rendered as Markdown or as it is."""
        self.show_passages(text, (MarkdownText(text) if markdown else AsIs(text),))

    def show_passages(
        self, text: str, passages: Sequence[Passage], sought: Sequence[TextMatcher] = ()
    ) -> None:
        """Show another text as these passages, from its top or the first word that is sought."""
        self._text, self._passages, self._sought = text, passages, sought
        self._current, self._to_match, self._change = 0, bool(sought), 0
        self.scroll_to(y=0, animate=False, immediate=True)
        self._fold()

    def seek(self, sought: Sequence[TextMatcher]) -> None:
        """Mark other words in the same text, and go to the first."""
        self._sought, self._current, self._to_match = sought, 0, True
        self._fold()

    def step_match(self, by: int) -> bool:
        """Go to the next match, or another near it; False where there is none on that side."""
        wanted = self._current + by
        if not 0 <= wanted < self.match_count:
            return False
        self.go_to_match(wanted)
        return True

    def go_to_match(self, number: int) -> None:
        """Go to a match by its number from 0; -1 is the last."""
        if self._matches:
            self._current = number % self.match_count
            self._reveal_match()
            self.refresh()
            self.post_message(self.Found(self))

    @property
    def change_count(self) -> int:
        """How many differences begin in the text."""
        return len(self._starts)

    @property
    def change(self) -> int:
        """Which of the differences was gone to, from 1; 0 before any was."""
        return self._change

    def step_change(self, by: int) -> None:
        """Go to the next difference, or another near it; after the last comes the first."""
        if not self._starts:
            return
        at = self._change - 1 + by if self._change else min(0, by)
        self._change = at % len(self._starts) + 1
        y = max(0, self._starts[self._change - 1] - ABOVE)
        self.scroll_to(y=y, animate=False, immediate=True)
        self.refresh()
        self.post_message(self.Found(self))

    def _reveal_match(self) -> None:
        line = next(m.line for m in self._matches if m.number == self._current)
        top, height = round(self.scroll_offset.y), self.size.height
        if not top <= line < top + max(1, height - 1):
            above = min(ABOVE, max(0, height // 3))
            self.scroll_to(y=max(0, line - above), animate=False, immediate=True)

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
        passages, sought, dark = self._passages, self._sought, self.app.current_theme.dark

        def fold() -> Lines.Folded:
            lines = draw_passages(passages, width, dark=dark)
            return self.Folded(lines, list(_find_matches(lines, sought)), width)

        if sum(passage.size for passage in passages) <= AT_ONCE:
            self.workers.cancel_group(self, "fold")
            self._take(fold())
            return

        def work() -> None:
            worker = get_current_worker()
            folded = fold()
            if not worker.is_cancelled:
                self.post_message(folded)

        self.run_worker(work, thread=True, exclusive=True, group="fold")

    def on_lines_folded(self, message: Folded) -> None:
        if message.width == self._width:
            self._take(message)

    def _take(self, folded: Folded) -> None:
        self._lines, self._matches = folded.lines, folded.matches
        self._starts = [index for index, line in enumerate(folded.lines) if line.begins]
        self._change = min(self._change, len(self._starts))
        self._by_line = {}
        for match in folded.matches:
            self._by_line.setdefault(match.line, []).append(match)
        self._current = min(self._current, max(0, self.match_count - 1))
        size = Size(self._width, len(folded.lines))
        if size != self.virtual_size:
            self.virtual_size = size
        if self._to_match and self._matches:
            # Only after the next layout is there a region to scroll in.
            self.call_after_refresh(self._open_at_match)
        self.refresh()
        self.post_message(self.Found(self))

    def _open_at_match(self) -> None:
        if self._to_match and self._matches:
            self._to_match = False
            self._reveal_match()

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        index = y + round(self.scroll_offset.y)
        line = self._lines[index].strip if index < len(self._lines) else Strip([])
        if index in self._by_line:
            line = self._mark(line, self._by_line[index])
        if self._change and index == self._starts[self._change - 1]:
            line = self._mark_change(line)
        if (selection := self.text_selection) is not None:
            line = self._mark_selection(line, selection.get_span(index))
        drawn = line.apply_style(style).adjust_cell_length(self.size.width, style)
        return drawn.apply_offsets(0, index) if self._is_pointed_at else drawn

    # Selecting with the mouse

    def on_enter(self) -> None:
        """Tell where each letter is once the mouse is here: a style for each takes time to draw."""
        self._is_pointed_at = True
        self.refresh()

    def on_leave(self) -> None:
        self._is_pointed_at = False

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Give the text that was dragged over, as it is drawn."""
        return selection.extract("\n".join(line.strip.text for line in self._lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def _mark_selection(self, strip: Strip, span: tuple[int, int] | None) -> Strip:
        if span is None:
            return strip
        text = strip.text
        start, end = span if span[1] >= 0 else (span[0], len(text))
        first, last = cell_len(text[:start]), cell_len(text[:end])
        chosen = self.screen.get_component_rich_style("screen--selection")
        marked = Strip(Segment.apply_style(strip.crop(first, last), post_style=chosen))
        return Strip.join([strip.crop(0, first), marked, strip.crop(last)])

    def _mark_change(self, strip: Strip) -> Strip:
        """Draw the sign of the difference that was gone to reversed."""
        colours = DARK if self.app.current_theme.dark else LIGHT
        here = Style(bgcolor=colours["accent"], color=colours["background"], bold=True)
        sign = Segment.apply_style(strip.crop(0, 1), post_style=here)
        return Strip.join([Strip(sign), strip.crop(1)])

    def _mark(self, strip: Strip, matches: Sequence[Match]) -> Strip:
        """Draw the matches of a line on their ground, the one that is gone to reversed."""
        colours = DARK if self.app.current_theme.dark else LIGHT
        ground = Style(bgcolor=colours["match"], color=colours["foreground"], bold=True)
        here = Style(bgcolor=colours["accent"], color=colours["background"], bold=True)
        text, at, parts = strip.text, 0, []
        for match in matches:
            start, end = cell_len(text[: match.start]), cell_len(text[: match.end])
            style = here if match.number == self._current else ground
            parts.append(strip.crop(at, start))
            marked = Segment.apply_style(strip.crop(start, end), post_style=style)
            parts.append(Strip(marked))
            at = end
        return Strip.join([*parts, strip.crop(at)])


def _find_matches(lines: Sequence[Line], sought: Sequence[TextMatcher]) -> Iterator[Match]:
    """Find the words in drawn lines; a phrase may be broken over several."""
    if not sought:
        return
    from orch_tui.search.matching import find_spans

    texts = [line.strip.text[line.margin :] for line in lines]
    starts = [0, *accumulate(len(text) + 1 for text in texts)]
    for number, (start, end) in enumerate(find_spans("\n".join(texts), sought)):
        line = bisect_right(starts, start) - 1
        while line < len(texts) and starts[line] < end:
            first, last = max(0, start - starts[line]), min(len(texts[line]), end - starts[line])
            if first < last:
                margin = lines[line].margin
                yield Match(line, first + margin, last + margin, number)
            line += 1
