"""The lines around what was found in a run, as ``grep -C`` shows them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.search.documents import clean_text, load_other_texts
from orch_tui.search.matching import TextMatcher, find_spans
from orch_tui.text_lines import split_lines

MOST_PASSAGES = 20
"""Passages of one run that are listed."""

Spans = tuple[tuple[int, int], ...]


@frozen
class FoundLine:
    """One line of a text; ``spans`` are where in it what was looked for stands."""

    number: int
    text: str
    spans: Spans


@frozen
class FoundPassage:
    """Lines of a text in which something stands, and lines around them.

    ``where`` is the text: ``scope``, ``message``, ``outputs``, ``sources``, ``briefing`` or
    ``session``.
    """

    where: str
    lines: tuple[FoundLine, ...]

    def row(self) -> dict[str, object]:
        """Give the passage as JSON has it."""
        return {
            "where": self.where,
            "first_line": self.lines[0].number,
            "lines": [line.text for line in self.lines],
        }


def list_passages(
    record: Record, execution_id: str, matchers: Sequence[TextMatcher], around: int
) -> tuple[FoundPassage, ...]:
    """List the passages, with ``around`` lines before and after each, of the first text of a run
    that has any."""
    for where, text in _load_texts(record, execution_id):
        if spans := find_spans(text, matchers):
            lines = list(_split_lines(text, spans))
            return tuple(
                FoundPassage(where, tuple(lines[start:end]))
                for start, end in islice(_find_ranges(lines, around), MOST_PASSAGES)
            )
    return ()


def _load_texts(record: Record, execution_id: str) -> Iterator[tuple[str, str]]:
    rows = record.sql(
        "SELECT e.final_message, e.scope, d.docid FROM agent_executions AS e "
        "JOIN search_docs AS d USING (execution_id) WHERE execution_id = ?",
        [execution_id],
    )
    for message, scope, docid in rows:
        yield "message", clean_text(message)
        yield "scope", clean_text(scope)
        yield from load_other_texts(record, docid)


def _split_lines(text: str, spans: Spans) -> Iterator[FoundLine]:
    """Split a text into lines with the spans in each; one over several lines is parted."""
    lines = split_lines(text)
    starts = [0, *(end.end() for end in re.finditer("\n", text))]
    held: dict[int, list[tuple[int, int]]] = {}
    for start, end in spans:
        for number in range(bisect_right(starts, start) - 1, bisect_right(starts, end - 1)):
            first = max(0, start - starts[number])
            last = min(len(lines[number]), end - starts[number])
            if first < last:
                held.setdefault(number, []).append((first, last))
    for number, line in enumerate(lines):
        yield FoundLine(number + 1, line, tuple(held.get(number, ())))


def _find_ranges(lines: Sequence[FoundLine], around: int) -> Iterator[tuple[int, int]]:
    """Find the ranges of lines to show: those that touch are one."""
    start = end = -1
    for index, line in enumerate(lines):
        if not line.spans:
            continue
        if start >= 0 and index - around > end:
            yield start, end
            start = -1
        start = max(0, index - around) if start < 0 else start
        end = min(len(lines), index + around + 1)
    if start >= 0:
        yield start, end
