"""Blocks of lines that stand in more than one text.

Lines are compared without their indentation and blank lines; a block is six or more in a row.
Every six lines get a number, and a text is looked up six by six: in time that grows with the
text, this finds all that a suffix array over the same lines would.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import NamedTuple

LEAST = 6
"""Lines of a block."""


class TextLines(NamedTuple):
    """A text as blocks see it."""

    ids: list[int]
    """What each line that is not blank says: the same number, the same line."""
    numbers: list[int]
    """Where it stands in the text, from 1."""
    windows: list[int]
    """The same for each line and the five after it."""
    lengths: list[int]
    """The characters of each line."""


class LineMatch(NamedTuple):
    """Lines ``first`` to ``last`` of a text, which stand in an earlier one too."""

    first: int
    last: int
    share: float
    """Of the characters of the text."""
    text: int
    """The number of the earlier text, in the order they were added."""
    its_first: int
    its_last: int


class Numbering:
    """Numbers lines and blocks; texts can be compared that were read by the same one."""

    def __init__(self) -> None:
        self._lines: dict[str, int] = {}
        self._windows: dict[tuple[int, ...], int] = {}

    def read(self, text: str) -> TextLines:
        known, ids, numbers, lengths = self._lines, [], [], []
        # Not splitlines: it splits at characters that end no line of a source.
        for number, line in enumerate(StringIO(text, newline=None), start=1):
            plain = " ".join(line.split())
            if plain:
                ids.append(known.setdefault(plain, len(known)))
                numbers.append(number)
                lengths.append(len(line))
        named = self._windows
        shifted = (ids[start:] for start in range(LEAST))
        windows = [named.setdefault(w, len(named)) for w in zip(*shifted, strict=False)]
        return TextLines(ids, numbers, windows, lengths)


class Earlier:
    """The texts so far, and where their blocks are."""

    def __init__(self) -> None:
        self._texts: list[TextLines] = []
        self._first: dict[int, tuple[int, int]] = {}

    def add(self, lines: TextLines) -> None:
        number, first = len(self._texts), self._first
        self._texts.append(lines)
        for position, window in enumerate(lines.windows):
            if window not in first:
                first[window] = (number, position)

    def matches(self, lines: TextLines) -> Iterator[LineMatch]:
        """All lines of a text that stand in a block of an earlier one, in as few pieces as can be
        had by following the text that holds the first."""
        total = sum(lines.lengths) or 1
        found = [self._first.get(window) for window in lines.windows]
        line, end = 0, len(lines.ids)
        while line < end:
            start = _covering(found, line)
            if start is None:
                line += 1
                continue
            text, position = found[start] or (0, 0)
            ids, at = self._texts[text].ids, position + line - start
            length = 1
            while (
                line + length < end
                and at + length < len(ids)
                and ids[at + length] == lines.ids[line + length]
            ):
                length += 1
            numbers = self._texts[text].numbers
            yield LineMatch(
                lines.numbers[line],
                lines.numbers[line + length - 1],
                sum(lines.lengths[line : line + length]) / total,
                text,
                numbers[at],
                numbers[at + length - 1],
            )
            line += length

    def same(self, lines: TextLines) -> int | None:
        """The earlier text that says the same, line by line; of texts too short for a block too."""
        for number, other in enumerate(self._texts):
            if other.ids == lines.ids and lines.ids:
                return number
        return None


def _covering(found: list[tuple[int, int] | None], line: int) -> int | None:
    """The latest start of a known block that reaches over a line."""
    for start in range(min(line, len(found) - 1), max(line - LEAST, -1), -1):
        if found[start] is not None:
            return start
    return None
