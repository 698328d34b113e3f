"""Where in a text stands what a query looks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Protocol

from orch_tui.search.language import Query, QueryWord, parse_query
from orch_tui.search.tokens import SPACELESS, FoldedText, fold_text, is_spaceless

_LETTER = rf"[^\W_{SPACELESS}]"
_GAP = rf"((?:[^\w{SPACELESS}]|_)*)"


class TextMatcher(Protocol):
    """Finds something in a text."""

    def spans(self, text: FoldedText) -> Iterator[tuple[int, int]]:
        """Find where it stands in the folded text."""
        ...


class LettersMatcher:
    """Finds letters wherever they stand, within words too."""

    __slots__ = ("_sought",)

    def __init__(self, sought: str) -> None:
        self._sought = fold_text(sought)

    def spans(self, text: FoldedText) -> Iterator[tuple[int, int]]:
        at = text.folded.find(self._sought) if self._sought else -1
        while at >= 0:
            yield at, at + len(self._sought)
            at = text.folded.find(self._sought, at + len(self._sought))


class WordMatcher:
    """Finds a required word in a text: by itself, or as parts of a name."""

    __slots__ = ("_ends", "_first", "_is_literal", "_pattern", "_starts", "_whole")

    def __init__(self, word: QueryWord) -> None:
        if word.literal:
            pieces = [r"\s+".join(map(re.escape, word.literal.split()))]
            begins, ends = word.literal[0], word.literal[-1]
            self._first, *others = word.literal.split()
        else:
            pieces = [*word.tokens]
            begins, ends = word.tokens[0], word.tokens[-1]
            self._first, *others = pieces
        self._starts = _ends_words(begins)
        self._ends = not word.unfinished and _ends_words(ends)
        self._is_literal = bool(word.literal)
        self._pattern = re.compile(_GAP.join(pieces)) if pieces[1:] else None
        # One word is found without: compiling a class of all letters takes milliseconds a key.
        self._whole = self._compile(pieces) if others else None

    def _compile(self, pieces: list[str]) -> re.Pattern[str]:
        """Compile what finds several pieces that stand by themselves."""
        # What stands before it is looked at last: re is fast with letters to look for first.
        before = rf"(?<!{_LETTER}{pieces[0]})" if self._starts else ""
        after = rf"(?!{_LETTER})" if self._ends else ""
        if self._is_literal and before:
            before, pieces = "", [rf"(?<!{_LETTER}){pieces[0]}"]
        gaps = "".join(
            _GAP + piece
            if is_spaceless(piece) or is_spaceless(last)
            else rf"(?:[^\w{SPACELESS}]|_)+" + piece
            for last, piece in zip(pieces, pieces[1:], strict=False)
        )
        return re.compile(pieces[0] + before + gaps + after)

    def spans(self, text: FoldedText) -> Iterator[tuple[int, int]]:
        """Find where the word stands as whole tokens (the last of an unfinished one may go on), or
        as whole parts of a name."""
        if self._pattern is not None:
            yield from self._spans_of_phrase(self._pattern, text)
        elif self._is_literal:
            yield from self._spans_alone(text.folded)
        else:
            at = text.folded.find(self._first)
            while at >= 0:
                end = at + len(self._first)
                if _is_edge(text.plain, at) and (not self._ends or _is_edge(text.plain, end)):
                    yield at, end
                    at = text.folded.find(self._first, end)
                else:
                    at = text.folded.find(self._first, at + 1)

    def _spans_alone(self, folded: str) -> Iterator[tuple[int, int]]:
        """Find where the word stands by itself."""
        at = folded.find(self._first)
        while at >= 0:
            end = self._end_alone(folded, at)
            if end is not None:
                yield at, end
            at = folded.find(self._first, at + 1 if end is None else end)

    def _end_alone(self, folded: str, at: int) -> int | None:
        """Find where the word ends that begins at a place; None: it does not stand there by
        itself."""
        if self._whole is not None:
            found = self._whole.match(folded, at)
            return found.end() if found else None
        end = at + len(self._first)
        if self._starts and at and _is_letter(folded[at - 1]):
            return None
        if self._ends and end < len(folded) and _is_letter(folded[end]):
            return None
        return end

    def _spans_of_phrase(
        self, pattern: re.Pattern[str], text: FoldedText
    ) -> Iterator[tuple[int, int]]:
        at = text.folded.find(self._first)
        while at >= 0 and (found := pattern.search(text.folded, at)):
            edges = [found.start(), *(end for start, end in found.regs[1:] if start == end)]
            edges += [found.end()] * self._ends
            if all(_is_edge(text.plain, edge) for edge in edges):
                yield found.span()
                at = found.end()
            else:
                at = found.start() + 1

    def count(self, folded: str) -> int:
        """Count how often the word stands there by itself."""
        return sum(1 for _ in self._spans_alone(folded)) if self._first in folded else 0

    def stands_in(self, folded: str, at: int = 0) -> bool:
        """Tell whether the word stands there by itself, at ``at`` or behind it."""
        # Finding letters is several times as fast as what re does.
        at = folded.find(self._first, at)
        while at >= 0 and self._end_alone(folded, at) is None:
            at = folded.find(self._first, at + 1)
        return at >= 0


def _is_letter(sign: str) -> bool:
    """Tell whether a sign is a letter or digit of a word between spaces: ``_LETTER``."""
    return sign.isalnum() and not is_spaceless(sign)


def _ends_words(piece: str) -> bool:
    """Tell whether a word that ends (or begins) so must not go on there."""
    return piece[-1].isalnum() and not is_spaceless(piece[-1])


def _is_edge(plain: str, at: int) -> bool:
    """Tell whether a word or a part of a name begins or ends at a place."""
    if not 0 < at < len(plain):
        return True
    before, after = plain[at - 1], plain[at]
    if not (before.isalnum() and after.isalnum()):
        return True
    if after.islower() and before.isalpha():  # mostly
        return is_spaceless(before)
    if is_spaceless(before) or is_spaceless(after):
        return True
    if before.isdigit() or after.isdigit():
        return before.isdigit() != after.isdigit()
    following = plain[at + 1 : at + 2]
    return after.isupper() and (not before.isupper() or following.islower())


def word_matchers(words: Iterable[QueryWord]) -> tuple[WordMatcher, ...]:
    """Make what finds words in a text."""
    return tuple(map(WordMatcher, words))


def query_matchers(query: Query) -> tuple[TextMatcher, ...]:
    """Make what finds in a run all that a query looked for."""
    parts = (v.text for each in query.parts if not each.excluded for v in each.values)
    return (
        *word_matchers(query.required_words),
        *word_matchers(query.given_words),
        *map(LettersMatcher, parts),
    )


def make_markers(text: str) -> tuple[TextMatcher, ...]:
    """Make what finds in a run what a query looked for; times in it do not matter."""
    return query_matchers(parse_query(text, datetime.now(UTC)))


def find_spans(text: str, matchers: Iterable[TextMatcher]) -> tuple[tuple[int, int], ...]:
    """Find where the words stand in ``text``: start and end, in order, not overlapping."""
    folded = FoldedText(text)
    merged: list[tuple[int, int]] = []
    found = (folded.place(*span) for matcher in matchers for span in matcher.spans(folded))
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
