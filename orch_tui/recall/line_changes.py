"""Two texts line by line: what they share, and what only one of them has."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

LONGEST_ALIGNED = 20_000
"""Lines that differ up to which they are compared one by one; difflib is quadratic."""


class LineBlock(NamedTuple):
    """Lines of the left text and of the right one, from and to, that are the same or differ."""

    same: bool
    left: tuple[int, int]
    right: tuple[int, int]


def align_lines(left: Sequence[str], right: Sequence[str]) -> list[LineBlock]:
    """Pair the lines of two texts in blocks; together the blocks are both texts.

    Where too many lines differ, all between the first and the last that do is one block.
    """
    shorter = min(len(left), len(right))
    head = next((n for n in range(shorter) if left[n] != right[n]), shorter)
    most = shorter - head
    tail = next((n for n in range(most) if left[-1 - n] != right[-1 - n]), most)
    ends = len(left) - tail, len(right) - tail
    blocks = [LineBlock(True, (0, head), (0, head))] if head else []
    middle = left[head : ends[0]], right[head : ends[1]]
    if max(map(len, middle)) > LONGEST_ALIGNED:
        blocks.append(LineBlock(False, (head, ends[0]), (head, ends[1])))
    else:
        for tag, a, b, c, d in SequenceMatcher(None, *middle).get_opcodes():
            same = tag == "equal"
            blocks.append(LineBlock(same, (head + a, head + b), (head + c, head + d)))
    if tail:
        blocks.append(LineBlock(True, (ends[0], len(left)), (ends[1], len(right))))
    return blocks


def count_changes(left: str, right: str) -> tuple[int, int]:
    """Count the lines that only the left text has, and those that only the right one has."""
    changed = [b for b in align_lines(left.split("\n"), right.split("\n")) if not b.same]
    return (
        sum(end - start for _, (start, end), _ in changed),
        sum(end - start for _, _, (start, end) in changed),
    )
