"""The query language: words, phrases and filters, understood or explained, never refused.

``vector "exact phrase" -draft agent:task-implementor status:failed,completed since:7d``. All
must match. The last word is still being typed: its beginning is enough, and while it has one
letter it does not count yet. A filter's value matches from its beginning; in quotes it is the
whole value. A comma gives alternatives, a leading ``-`` excludes.

Texts are compared by their tokens: runs of letters and digits, without case or accents. What
stands between them does not count: ``lib/vector-search.ts`` is a phrase of four words. A word with
one of the signs that tell words apart (``C++``, ``$5``, ``a::b``, ``--flag``, ``.net``) is looked
for as it is written, and so is any part of three letters or more by ``part:``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import NamedTuple

from orch_tui.errors import UsageError
from orch_tui.frozen import frozen
from orch_tui.models.values import OUTPUT_TYPES, SOURCES, STATES
from orch_tui.phases import PHASES
from orch_tui.search.schema import INDEX_VERSION
from orch_tui.search.tokens import (
    COMMON_TOKEN,
    TELLING_SIGNS,
    filter_token,
    find_signs,
    fold_text,
    is_spaceless,
    phrase_tokens,
    sign_token,
    split_tokens,
)
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
    *("given", "part", "since", "until", "source", "has", "project", "person", "machine"),
)
"""The names of the filters, in the order they are offered."""


def filters_in_words() -> str:
    """Render the filters as a help text names them: ``agent: status: ...``."""
    return " ".join(f"{name}:" for name in FILTERS)


_SYNONYMS = {"waiting": "deployed"} | {name: str(number) for number, name in PHASES.items()}
_MAX_CHARACTERS = 2000
_MAX_ELEMENTS = 60  # words and filters of a query
_CONTINUATIONS = "abcdefghijklmnopqrstuvwxyz0123456789"
_SHORTEST_PART = 3
_FIRST_WITH_PAIRS = 5  # version of the index
_NO_TOKENS = ("given", "part", "person", "machine")  # filters that are no tokens of a run

OWN = "mine"
"""The value of ``person:`` and ``machine:`` for who asks."""


@frozen
class QueryWord:
    """A word or phrase as its tokens; a phrase stands in a text in that order.

    ``unfinished``: it is still being typed, so its last token need only begin so. ``literal``: the
    folded text that must stand there as it is; empty where the signs in it do not count.
    """

    tokens: tuple[str, ...]
    unfinished: bool = False
    excluded: bool = False
    literal: str = ""
    start: int = field(default=0, compare=False)
    """Where in the text of the query it stands, up to ``end``."""
    end: int = field(default=0, compare=False)

    @property
    def is_sign(self) -> bool:
        """Whether it is one sign alone, which the index knows by itself."""
        return bool(self.literal) and find_signs(self.literal) == [self.literal]

    @property
    def is_checked(self) -> bool:
        """Whether the index only tells where it may stand."""
        return bool(self.literal) and not self.is_sign


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
    unfinished: tuple[str, ...] = field(default=(), compare=False)
    """What is still to be typed, such as the end of a quotation; a mistake where nobody types."""
    finds_nothing: bool = False
    """Whether all that was asked for cannot be searched for."""
    text: str = field(default="", compare=False)
    meant: str = field(default="", compare=False)
    """The text with the fields that are probably meant; empty where all there are."""

    @property
    def required_words(self) -> tuple[QueryWord, ...]:
        """The words that must be there and say enough to look for."""
        return tuple(w for word in self.words if not word.excluded and (w := _drop_letter(word)))

    @property
    def checked_words(self) -> tuple[QueryWord, ...]:
        """The words, excluded ones too, that must be looked for in the texts themselves."""
        return tuple(word for word in self.words if word.is_checked)

    @property
    def is_in_texts(self) -> bool:
        """Whether anything must be looked for in the texts themselves."""
        return bool(self.checked_words or self.parts)

    @property
    def given_words(self) -> tuple[QueryWord, ...]:
        """The words that something that was given must have, as far as they say enough."""
        return tuple(
            word
            for each in self.filters
            if each.name == "given" and not each.excluded
            for value in each.values
            if (word := _drop_letter(_given_word(value)))
        )

    @property
    def parts(self) -> tuple[QueryFilter, ...]:
        """The filters by a part of a text."""
        return tuple(each for each in self.filters if each.name == "part")

    @property
    def origins(self) -> tuple[QueryFilter, ...]:
        """The filters by who ran it, and on which machine."""
        return tuple(each for each in self.filters if each.name in ("person", "machine"))

    def match_expression(self, any_of: Sequence[str] = (), version: int = INDEX_VERSION) -> str:
        """Render the FTS5 expression over the texts of runs; empty where everything matches.

        ``any_of`` are filter tokens of which one must be there, too. ``version`` is that of the
        index that is asked.
        """
        wanted = [_word_expression(word, version) for word in self.required_words]
        if any_of:
            either = " OR ".join(f'"{token}"' for token in any_of)
            wanted.append(f"({either})")
        unwanted = [
            _word_expression(word, version)
            for word in self.words
            if word.excluded and not word.is_checked
        ]
        for each in self.told_filters:
            (unwanted if each.excluded else wanted).append(_filter_expression(each))
        wanted, unwanted = [*filter(None, wanted)], [*filter(None, unwanted)]
        if unwanted:
            wanted = wanted or [f'"{COMMON_TOKEN}"']
            return f"({' AND '.join(wanted)}) NOT ({' OR '.join(unwanted)})"
        return " AND ".join(wanted)

    @property
    def told_filters(self) -> tuple[QueryFilter, ...]:
        """The filters that tokens of a run answer."""
        return tuple(each for each in self.filters if each.name not in _NO_TOKENS)

    def given_alternatives(self) -> Iterator[tuple[tuple[QueryWord, ...], bool]]:
        """List, for each ``given:``, the words of which one must be in what was given, and whether
        it excludes."""
        for each in self.filters:
            if each.name == "given":
                words = [_given_word(value) for value in each.values]
                telling = tuple(w for word in words if (w := _drop_letter(word)))
                if len(telling) == len(words):  # an alternative that says nothing yet admits all
                    yield telling, each.excluded


def any_word_expression(words: Sequence[QueryWord], version: int = INDEX_VERSION) -> str:
    """Render the FTS5 expression for texts that have one of some words; empty: all may have."""
    alternatives = [_word_expression(word, version) for word in words]
    return " OR ".join(alternatives) if all(alternatives) else ""


def _given_word(value: FilterValue) -> QueryWord:
    return _make_word(value.text, unfinished=not value.exact, excluded=False)


def _make_word(text: str, *, unfinished: bool, excluded: bool) -> QueryWord:
    """Make the word that ``text`` says; without tokens and literal where it says none."""
    tokens, literal = split_tokens(text), ""
    if _COUNTING.search(text):
        literal = " ".join(fold_text(text).split())
        unfinished = unfinished and bool(tokens) and literal.endswith(tokens[-1])
    elif tokens and is_spaceless(tokens[-1]):
        unfinished = False  # nothing tells where a word ends
    return QueryWord(tokens, unfinished and bool(tokens), excluded, literal)


def _drop_letter(word: QueryWord) -> QueryWord | None:
    """Drop a last token of one Latin letter or digit: it says too little while it is typed."""
    if word.literal:
        return word
    if word.unfinished and len(word.tokens[-1]) == 1 and word.tokens[-1].isascii():
        return QueryWord(word.tokens[:-1], excluded=word.excluded) if word.tokens[1:] else None
    return word


def _word_expression(word: QueryWord, version: int) -> str:
    if version < _FIRST_WITH_PAIRS and word.tokens:  # a sign alone is not in that
        spaceless = any(map(is_spaceless, word.tokens))
        return _phrase_expression(word.tokens, begins=spaceless or word.unfinished)
    signs, phrase = word_terms(word)
    found = [f'"{sign}"' for sign in signs]
    if phrase:
        found.append(_phrase_expression(phrase.tokens, begins=phrase.begins))
    return f"({' AND '.join(found)})" if found[1:] else "".join(found)


class Phrase(NamedTuple):
    """Tokens that stand in a row; ``begins``: the last need only begin so."""

    tokens: tuple[str, ...]
    begins: bool


def word_terms(word: QueryWord) -> tuple[list[str], Phrase | None]:
    """Give what the index must have where a word is: the tokens of its signs, and a phrase."""
    signs = [sign_token(sign) for sign in find_signs(word.literal)] if word.literal else []
    if not word.tokens:
        return signs, None
    tokens, begins = phrase_tokens(word.tokens)
    begins = begins or word.unfinished
    if word.literal and word.unfinished and len(tokens[-1]) == 1 and tokens[-1].isascii():
        tokens, begins = tokens[:-1], False  # says too little while it is typed
    return signs, Phrase(tokens, begins) if tokens else None


def _phrase_expression(tokens: Sequence[str], *, begins: bool) -> str:
    if not tokens:
        return ""
    phrase = '"' + " ".join(tokens) + '"'
    if not begins:
        return phrase
    if len(tokens[-1]) == 2 and tokens[-1].isascii():
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


_NAME = re.compile(r"([A-Za-z]{2,}):(?!:)")
_OPTION = re.compile(r"--+[^\s\"-]|-[>=]")  # begins with a dash that excludes nothing
_QUOTED = re.compile(r'"([^"]*)("?)')
_BARE_VALUE = re.compile(r'[^\s,"]+')
_BARE_WORD = re.compile(r'[^\s"]+')
_COUNTING = re.compile(
    rf"{TELLING_SIGNS}|::|(?:^|\s)(?:--+|\.)(?=[^\W_])"  # a dash or dot before a word
)
"""What makes a word one that is looked for as it is written."""


class _QueryParser:
    def __init__(self, text: str, now: datetime) -> None:
        self.now = now
        self.mistakes: list[str] = []
        self.unfinished: list[str] = []
        self.words: list[QueryWord] = []
        self.filters: list[QueryFilter] = []
        self.times: dict[str, str] = {}
        self.written: list[WrittenFilter] = []
        self.misspelt: list[tuple[int, str, str]] = []
        """Where a field stands that there is not, how it is called, and the nearest that is one."""
        self.has_unsearchable = False
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
            tuple(dict.fromkeys(self.unfinished)),
            self.has_unsearchable and not (self.words or self.filters or self.times),
            self.text,
            self._render_meant(),
        )

    def _render_meant(self) -> str:
        text, end = "", 0
        for place, written, near in self.misspelt:
            text += self.text[end:place] + near
            end = place + len(written)
        return text + self.text[end:] if end else ""

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
        excluded = self.text[begin] == "-" and not _OPTION.match(self.text, begin)
        self.position += excluded
        start = self.position
        if name := self._take(_NAME):
            if name[1].lower() in FILTERS:
                self._parse_filter(name[1].lower(), excluded, begin)
                return
            self._doubt_name(name[1], start)
            self.position = start
        if quoted := self._take(_QUOTED):
            if not quoted[2]:
                self.unfinished.append(f'the quotation {quoted[0]} has no end: it lacks a "')
            self._add_word(quoted[1], begin, unfinished=not quoted[2], excluded=excluded)
        elif bare := self._take(_BARE_WORD):
            at_end = self.position == len(self.text)
            self._add_word(bare[0], begin, unfinished=at_end, excluded=excluded)
        elif excluded:
            self.unfinished.append("a word to be left out follows its - without a blank")

    def _doubt_name(self, name: str, start: int) -> None:
        """Note that ``agnet:x`` is probably a mistyped filter; ``https://x`` and ``Error: x`` are
        not."""
        following = self.text[self.position : self.position + 1]
        if not following or not (following.isalnum() or following == '"'):
            return
        value = (_QUOTED if following == '"' else _BARE_WORD).match(self.text, self.position)
        told = value[0] if value else ""
        quoted = told.strip('"')
        hint = f'; as words it is "{name}:{quoted}"'
        if near := get_close_matches(name.lower(), FILTERS, n=1, cutoff=0.5):
            hint = f"; the nearest is {near[0]}: {near[0]}:{told}"
            self.misspelt.append((start, name, near[0]))
        self.mistakes.append(f"there is no field {name}{hint}")

    def _add_word(self, text: str, begin: int, *, unfinished: bool, excluded: bool) -> None:
        word = _make_word(text, unfinished=unfinished and not excluded, excluded=excluded)
        if word.tokens or word.literal:
            self.words.append(replace(word, start=begin, end=self.position))
        elif text.strip("-"):
            self._refuse(text)
        elif not unfinished or text:
            self.unfinished.append(f"{self.text[begin : self.position]} is no word")

    def _refuse(self, text: str) -> None:
        self.has_unsearchable = True
        self.mistakes.append(f"{text!r} holds no letter, digit or sign that is searched for")

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
        else:
            self.unfinished.append(f"{self.text[begin : self.position]} has no value")

    def _parse_values(self) -> Iterator[FilterValue]:
        """Parse values up to the next space; empty ones are still to be typed."""
        while True:
            if quoted := self._take(_QUOTED):
                if not quoted[2]:
                    self.unfinished.append(f'the quotation {quoted[0]} has no end: it lacks a "')
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
        if name == "given" and _given_word(value) == QueryWord(()):
            self._refuse(f"given:{value.text}")
            return []
        if name == "part" and len(value.text) < _SHORTEST_PART:
            self.unfinished.append(
                f"part:{value.text} is too short: {_SHORTEST_PART} letters or signs are the least"
            )
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
