"""The query language: words, phrases and filters, understood or explained, never refused.

``vector "exact phrase" -draft agent:task-implementor status:failed,completed since:7d``. All
must match. The last word is still being typed: its beginning is enough, and while it has one
letter it does not count yet. A filter's value matches from its beginning; in quotes it is the
whole value. A comma gives alternatives, a leading ``-`` excludes.

Texts are compared by their tokens: runs of letters and digits, without case or accents. What
stands between them does not count: ``lib/vector-search.ts`` is a phrase of four words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Protocol

from orch_tui.errors import UsageError
from orch_tui.frozen import frozen
from orch_tui.models.values import OUTPUT_TYPES, SOURCES, STATES
from orch_tui.phases import PHASES
from orch_tui.search.tokens import COMMON_TOKEN, filter_token, fold_text, split_tokens
from orch_tui.source_name import path_of

FIXED_VALUES: dict[str, tuple[str, ...]] = {
    "status": (*STATES[:1], "waiting", *STATES[1:]),
    "type": OUTPUT_TYPES,
    "source": SOURCES,
    "has": ("message", "deliverable", "validation", "insight", "error", "bundle", "usage", "doubt"),
    "phase": (*map(str, PHASES), *PHASES.values()),
}
"""The filters whose values are known, and those."""

FILTERS = (
    *("agent", "status", "model", "session", "phase", "type", "file"),
    *("given", "since", "until", "source", "has", "project"),
)
"""The names of the filters, in the order they are offered."""


def filters_in_words() -> str:
    """Render the filters as a help text names them: ``agent: status: ...``."""
    return " ".join(f"{name}:" for name in FILTERS)


_SYNONYMS = {"waiting": "deployed"} | {name: str(number) for number, name in PHASES.items()}
_MAX_CHARACTERS = 2000
_MAX_ELEMENTS = 60  # words and filters of a query
_CONTINUATIONS = "abcdefghijklmnopqrstuvwxyz0123456789"


@frozen
class QueryWord:
    """A word or phrase as its tokens; a phrase stands in a text in that order.

    ``unfinished``: it is still being typed, so its last token need only begin so.
    """

    tokens: tuple[str, ...]
    unfinished: bool = False
    excluded: bool = False


@frozen
class FilterValue:
    """One value of a filter. ``exact``: it was in quotes, so it is the whole value."""

    text: str
    exact: bool = False


@frozen
class QueryFilter:
    """Alternatives for one filter."""

    name: str
    values: tuple[FilterValue, ...]
    excluded: bool = False


@frozen
class WrittenFilter:
    """A filter as it stands in the text of a query, from ``start`` to ``end``."""

    name: str
    values: tuple[str, ...]
    excluded: bool
    understood: bool
    """Whether all of it is; what is not stands among the mistakes."""
    start: int
    end: int


@frozen
class Query:
    """A query as it was understood; ``mistakes`` tells what of it was not."""

    words: tuple[QueryWord, ...] = ()
    filters: tuple[QueryFilter, ...] = ()
    since: str | None = None
    until: str | None = None
    mistakes: tuple[str, ...] = ()
    written: tuple[WrittenFilter, ...] = ()
    """Each filter that has a value, in the order of the text."""

    @property
    def required_words(self) -> tuple[QueryWord, ...]:
        """The words that must be there and say enough to look for."""
        return tuple(w for word in self.words if not word.excluded and (w := _drop_letter(word)))

    @property
    def marked_words(self) -> tuple[QueryWord, ...]:
        """The required words, and those that something that was given must have."""
        given = (
            QueryWord(tokens, unfinished=not value.exact)
            for each in self.filters
            if each.name == "given" and not each.excluded
            for value in each.values
            if (tokens := split_tokens(value.text))
        )
        return (*self.required_words, *(w for word in given if (w := _drop_letter(word))))

    def match_expression(self, any_of: Sequence[str] = ()) -> str:
        """Render the FTS5 expression over the texts of runs; empty where everything matches.

        ``any_of`` are filter tokens of which one must be there, too.
        """
        wanted = [_word_expression(word) for word in self.required_words]
        if any_of:
            either = " OR ".join(f'"{token}"' for token in any_of)
            wanted.append(f"({either})")
        unwanted = [_word_expression(word) for word in self.words if word.excluded]
        for each in self.filters:
            if each.name != "given":
                (unwanted if each.excluded else wanted).append(_filter_expression(each))
        if unwanted:
            wanted = wanted or [f'"{COMMON_TOKEN}"']
            return f"({' AND '.join(wanted)}) NOT ({' OR '.join(unwanted)})"
        return " AND ".join(wanted)

    def given_expressions(self) -> Iterator[tuple[str, bool]]:
        """Render each ``given:`` as an FTS5 expression over ``given_index``, and if it excludes."""
        for each in self.filters:
            if each.name == "given":
                words = [
                    QueryWord(split_tokens(v.text), unfinished=not v.exact) for v in each.values
                ]
                telling = [w for word in words if (w := _drop_letter(word))]
                if len(telling) == len(words):  # an alternative that says nothing yet admits all
                    yield " OR ".join(map(_word_expression, telling)), each.excluded


def _drop_letter(word: QueryWord) -> QueryWord | None:
    """Drop a last token of one Latin letter or digit: it says too little while it is typed."""
    if word.unfinished and len(word.tokens[-1]) == 1 and word.tokens[-1].isascii():
        return QueryWord(word.tokens[:-1], excluded=word.excluded) if word.tokens[1:] else None
    return word


def _word_expression(word: QueryWord) -> str:
    phrase = '"' + " ".join(word.tokens) + '"'
    if not word.unfinished:
        return phrase
    if len(word.tokens[-1]) == 2 and word.tokens[-1].isascii():
        # The index knows beginnings of three letters only.
        longer = (f"{phrase[:-1]}{letter}" + '"*' for letter in _CONTINUATIONS)
        return f"({' OR '.join((phrase, *longer))})"
    return phrase + "*"


def _filter_expression(each: QueryFilter) -> str:
    return f"({' OR '.join(_value_expression(each.name, v) for v in each.values)})"


def _value_expression(name: str, value: FilterValue) -> str:
    return f'"{filter_token(name, value.text)}"' + ("" if value.exact else "*")


# Parsing


def parse_query(text: str, now: datetime) -> Query:
    """Parse as much of ``text`` as can be understood; never raises."""
    return _QueryParser(text, now).parse()


_NAME = re.compile(r"([A-Za-z]{2,}):")
_QUOTED = re.compile(r'"([^"]*)("?)')
_BARE_VALUE = re.compile(r'[^\s,"]+')
_BARE_WORD = re.compile(r'[^\s"]+')


class _QueryParser:
    def __init__(self, text: str, now: datetime) -> None:
        self.now = now
        self.mistakes: list[str] = []
        self.words: list[QueryWord] = []
        self.filters: list[QueryFilter] = []
        self.times: dict[str, str] = {}
        self.written: list[WrittenFilter] = []
        self.position = 0
        if len(text) > _MAX_CHARACTERS:
            self.mistakes.append(f"only the first {_MAX_CHARACTERS} characters are searched for")
        # What cannot be UTF-8 (or ends a string in C) cannot be in the index either.
        self.text = text[:_MAX_CHARACTERS].encode("utf-8", "replace").decode().replace("\0", " ")

    def parse(self) -> Query:
        while self._skip_space():
            if len(self.words) + len(self.filters) == _MAX_ELEMENTS:
                self.mistakes.append(
                    f"only the first {_MAX_ELEMENTS} words and filters are searched for"
                )
                break
            self._parse_element()
        return Query(
            tuple(self.words),
            tuple(self.filters),
            self.times.get("since"),
            self.times.get("until"),
            tuple(dict.fromkeys(self.mistakes)),
            tuple(self.written),
        )

    def _skip_space(self) -> bool:
        """Skip spaces; tell whether anything is left."""
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1
        return self.position < len(self.text)

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.position)
        if found:
            self.position = found.end()
        return found

    def _parse_element(self) -> None:
        begin = self.position
        excluded = self.text[begin] == "-"
        self.position += excluded
        start = self.position
        if name := self._take(_NAME):
            if name[1].lower() in FILTERS:
                self._parse_filter(name[1].lower(), excluded, begin)
                return
            self._doubt_name(name[1])
            self.position = start
        if quoted := self._take(_QUOTED):
            self._add_word(quoted[1], unfinished=not quoted[2], excluded=excluded)
        elif bare := self._take(_BARE_WORD):
            at_end = self.position == len(self.text)
            self._add_word(bare[0], unfinished=at_end, excluded=excluded)

    def _doubt_name(self, name: str) -> None:
        """Note that ``agnet:x`` is probably a mistyped filter; ``https://x`` and ``Error: x`` are
        not."""
        following = self.text[self.position : self.position + 1]
        if following and (following.isalnum() or following == '"'):
            near = get_close_matches(name.lower(), FILTERS, n=1, cutoff=0.5)
            hint = f", perhaps {near[0]}:" if near else ""
            self.mistakes.append(f"there is no filter {name}:{hint}; it is searched for as words")

    def _add_word(self, text: str, *, unfinished: bool, excluded: bool) -> None:
        tokens = split_tokens(text)
        if tokens:
            unfinished = unfinished and not excluded
            self.words.append(QueryWord(tokens, unfinished=unfinished, excluded=excluded))
        elif text.strip("-"):
            self.mistakes.append(f"{text!r} holds no letter or digit to search for")

    def _parse_filter(self, name: str, excluded: bool, begin: int) -> None:
        values = list(self._parse_values())
        before = len(self.mistakes)
        understood: list[FilterValue] = []
        if name in ("since", "until"):
            self._parse_times(name, values, excluded)
        else:
            for value in values:
                understood += self._resolve_value(name, value)
        if understood:
            self.filters.append(QueryFilter(name, tuple(dict.fromkeys(understood)), excluded))
        if values:
            texts = tuple(value.text for value in values)
            known = len(self.mistakes) == before
            written = WrittenFilter(name, texts, excluded, known, begin, self.position)
            self.written.append(written)

    def _parse_values(self) -> Iterator[FilterValue]:
        """Parse values up to the next space; empty ones are still to be typed."""
        while True:
            if quoted := self._take(_QUOTED):
                if quoted[1].strip():
                    yield FilterValue(quoted[1].strip(), exact=bool(quoted[2]))
            elif bare := self._take(_BARE_VALUE):
                yield FilterValue(bare[0])
            if self.text[self.position : self.position + 1] != ",":
                return
            self.position += 1

    def _resolve_value(self, name: str, value: FilterValue) -> list[FilterValue]:
        """Resolve what was typed to the values it means in the index; none where it means none."""
        text = value.text.lower()
        if name in FIXED_VALUES:
            known = FIXED_VALUES[name]
            meant = [k for k in known if k == text or (k.startswith(text) and not value.exact)]
            if not meant:
                self.mistakes.append(f"{name}:{value.text} is none of {', '.join(known)}")
            return [FilterValue(_SYNONYMS.get(k, k), exact=True) for k in meant]
        if name == "file":
            # A range that is being typed; of a source that is no file none is found.
            written = re.sub(r":[0-9]+-$", "", value.text)
            text = path_of(written) or written
            return [FilterValue(text, value.exact)] if text else []
        if name == "given" and not split_tokens(value.text):
            self.mistakes.append(f"given:{value.text} holds no letter or digit to search for")
            return []
        return [value]

    def _parse_times(self, name: str, values: list[FilterValue], excluded: bool) -> None:
        from orch_tui.search.dates import parse_time

        if excluded:
            other = "until" if name == "since" else "since"
            self.mistakes.append(f"-{name}: is not understood; say {other}:")
            return
        narrower: Callable[[str, str], str] = max if name == "since" else min
        for value in values:
            try:
                at = parse_time(value.text, self.now, end=name == "until")
            except UsageError as error:
                self.mistakes.append(f"{name}: {error.message} ({error.hint})")
                continue
            self.times[name] = narrower(self.times.get(name, at), at)


def list_written_filters(text: str) -> tuple[WrittenFilter, ...]:
    """List the filters in the text of a query, in its order; times in it do not matter."""
    return parse_query(text, datetime.now(UTC)).written


def remove_filter(text: str, written: WrittenFilter) -> str:
    """Take a filter, as it was parsed from ``text``, out of it; words stay apart."""
    before, after = text[: written.start].rstrip(), text[written.end :].lstrip()
    return f"{before} {after}" if before and after else before or after


# Marking


class TextMatcher(Protocol):
    """Finds something in a folded text."""

    def spans(self, folded: str) -> Iterator[tuple[int, int]]:
        """Find where it stands."""
        ...


class LettersMatcher:
    """Finds letters wherever they stand, within words too."""

    __slots__ = ("_sought",)

    def __init__(self, sought: str) -> None:
        self._sought = fold_text(sought)

    def spans(self, folded: str) -> Iterator[tuple[int, int]]:
        at = folded.find(self._sought) if self._sought else -1
        while at >= 0:
            yield at, at + len(self._sought)
            at = folded.find(self._sought, at + len(self._sought))


class WordMatcher:
    """Finds a required word in a folded text."""

    __slots__ = ("_first", "_pattern")

    def __init__(self, word: QueryWord) -> None:
        self._first, *rest = word.tokens
        # What stands before it is looked at last: re is fast with letters to look for first.
        whole = rf"{self._first}(?<![^\W_]{self._first})"
        end = "" if word.unfinished else r"(?![^\W_])"
        self._pattern = re.compile(r"[\W_]+".join((whole, *rest)) + end)

    def spans(self, folded: str) -> Iterator[tuple[int, int]]:
        """Find where the word stands as whole tokens (the last of an unfinished one may go on)."""
        return (found.span() for found in self._pattern.finditer(folded))

    def count(self, folded: str) -> int:
        """Count how often the word stands there."""
        return len(self._pattern.findall(folded)) if self._first in folded else 0


def word_matchers(words: Iterable[QueryWord]) -> tuple[WordMatcher, ...]:
    """Make what finds words in a text."""
    return tuple(map(WordMatcher, words))


def make_markers(text: str) -> tuple[WordMatcher, ...]:
    """Make what finds in a run the words that a query looked for; times in it do not matter."""
    return word_matchers(parse_query(text, datetime.now(UTC)).marked_words)


def find_spans(text: str, matchers: Iterable[TextMatcher]) -> tuple[tuple[int, int], ...]:
    """Find where the words stand in ``text``: start and end, in order, not overlapping."""
    folded = fold_text(text)
    merged: list[tuple[int, int]] = []
    for start, end in sorted(span for matcher in matchers for span in matcher.spans(folded)):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
