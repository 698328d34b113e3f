"""Two texts as a passage: beside each other where there is room, else one beneath the other; what
is the same in both is folded to a count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from orch_tui.screens.theme import DARK, LIGHT
from orch_tui.screens.widgets.passages import Line, colour_lines, fold_segments, named_style
from orch_tui.screens.widgets.safe import plain
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.recall.line_changes import LineBlock

BESIDE_FROM = 92
"""Cells from which on two texts stand beside each other: what a terminal of 100 columns has."""
AROUND = 2
"""Lines that are the same, shown before and after those that are not."""
BETWEEN = " │ "


@dataclass(frozen=True, slots=True)
class ComparedTexts:
    """The left and the right text; ``name`` is that of a file, for the colours of its kind."""

    left: str
    right: str
    name: str = ""
    folded: bool = True

    @property
    def size(self) -> int:
        return 10 * (len(self.left) + len(self.right))

    def draw(self, width: int, *, dark: bool) -> list[Line]:
        return _ComparedLines(self, width, dark=dark).draw()


class _ComparedLines:
    """Draws two texts for one width."""

    def __init__(self, texts: ComparedTexts, width: int, *, dark: bool) -> None:
        from orch_tui.recall.line_changes import align_lines

        colours = DARK if dark else LIGHT
        left, right = _split(texts.left), _split(texts.right)
        self._blocks = align_lines(left, right)
        self._left = _colour(left, texts.name, dark=dark)
        self._right = _colour(right, texts.name, dark=dark)
        self._folded = texts.folded
        self._beside = width >= BESIDE_FROM
        self._cells = (width - len(BETWEEN)) // 2 if self._beside else width
        self._muted = named_style("muted", dark=dark)
        self._between = Segment(BETWEEN, named_style("line", dark=dark))
        self._out = ("−", named_style("failed", dark=dark), Style(bgcolor=colours["removed"]))
        self._in = ("+", named_style("done", dark=dark), Style(bgcolor=colours["added"]))
        self._same = (" ", Style(), Style())

    def draw(self) -> list[Line]:
        drawn: list[Line] = []
        for number, block in enumerate(self._blocks):
            if block.same:
                drawn += self._draw_same(block, number)
            else:
                changed = self._draw_changed(block)
                first = next(changed)
                drawn += [Line(first.strip, first.margin, begins=True), *changed]
        return drawn

    def _draw_same(self, block: LineBlock, number: int) -> Iterator[Line]:
        start, end = block.left
        shift = block.right[0] - start
        head = start + (AROUND if number else 0)
        tail = end - (AROUND if number + 1 < len(self._blocks) else 0)
        is_folded = self._folded and tail - head > 1
        for line in range(start, head if is_folded else end):
            yield from self._draw_line(line, line + shift)
        if is_folded:
            words = f"⋯ {plural(tail - head, 'line')} the same"
            side = self._pad([Segment("  "), Segment(words, self._muted)], Style())
            yield Line(Strip([*side, self._between, *side]) if self._beside else side, 2)
            for line in range(tail, end):
                yield from self._draw_line(line, line + shift)

    def _draw_line(self, left: int, right: int) -> Iterator[Line]:
        """Draw a line that both have."""
        one = self._fold(self._left[left], self._same)
        if not self._beside:
            yield from (Line(strip, 2) for strip in one)
            return
        yield from self._join(one, self._fold(self._right[right], self._same))

    def _draw_changed(self, block: LineBlock) -> Iterator[Line]:
        lefts, rights = self._left[slice(*block.left)], self._right[slice(*block.right)]
        if not self._beside:
            for segments in lefts:
                yield from (Line(strip, 2) for strip in self._fold(segments, self._out))
            for segments in rights:
                yield from (Line(strip, 2) for strip in self._fold(segments, self._in))
            return
        for one, other in zip_longest(lefts, rights):
            yield from self._join(
                [] if one is None else self._fold(one, self._out),
                [] if other is None else self._fold(other, self._in),
            )

    def _join(self, lefts: Sequence[Strip], rights: Sequence[Strip]) -> Iterator[Line]:
        nothing = self._pad([], Style())
        for one, other in zip_longest(lefts, rights, fillvalue=nothing):
            yield Line(Strip([*one, self._between, *other]), 2)

    def _fold(self, line: Sequence[Segment], kind: tuple[str, Style, Style]) -> list[Strip]:
        sign, style, ground = kind
        strips = []
        for piece in fold_segments(line, max(8, self._cells - 2)):
            strips.append(self._pad([Segment(f"{sign} ", style), *piece], ground))
            sign = " "
        return strips

    def _pad(self, segments: Sequence[Segment], ground: Style) -> Strip:
        return Strip(segments).apply_style(ground).adjust_cell_length(self._cells, ground)


def _split(text: str) -> list[str]:
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines[-1] == "":
        lines.pop()
    return lines


def _colour(lines: Sequence[str], name: str, *, dark: bool) -> list[list[Segment]]:
    shown = [plain(line) for line in lines]
    return list(colour_lines(shown, name, dark=dark)) if shown else []
