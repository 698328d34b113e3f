"""The query language: words, phrases and filters, understood or explained, never refused.

``vector "exact phrase" -draft agent:task-implementor status:failed,completed since:7d``. All
must match. The last word is still being typed: its beginning is enough, and while it has one
letter it does not count yet. A filter's value matches from its beginning; in quotes it is the
whole value. A comma gives alternatives, a leading ``-`` excludes.

Texts are compared as FTS5's ``unicode61`` does: runs of letters and digits, without case or
accents; what stands between them (``lib/vector-search.ts``) only has to stand in that order.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from orch_tui.errors import UsageError
from orch_tui.models.values import OUTPUT_TYPES, SOURCES, STATES
from orch_tui.phases import PHASES
from orch_tui.search.tokens import EVERY, path_of, tag

CLOSED: dict[str, tuple[str, ...]] = {
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


_SAME_AS = {"waiting": "deployed"} | {name: str(number) for number, name in PHASES.items()}
_LONGEST = 2000  # characters of a query
_MOST = 60  # words and filters of a query
_CONTINUATIONS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Word:
    """A word or phrase as its tokens.

    ``open``: it is still being typed, so its last token need only begin so.
    """

    tokens: tuple[str, ...]
    open: bool = False
    negative: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a filter. ``whole``: it was in quotes."""

    text: str
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """Alternatives for one filter."""

    name: str
    values: tuple[Value, ...]
    negative: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked for, and in ``mistakes`` what of it was not understood."""

    words: tuple[Word, ...] = ()
    filters: tuple[Filter, ...] = ()
    since: str | None = None
    until: str | None = None
    mistakes: tuple[str, ...] = ()

    @property
    def sought(self) -> tuple[Word, ...]:
        """The words that must be there and say enough to look for."""
        return tuple(w for word in self.words if not word.negative and (w := _said(word)))

    def match(self, also: Iterable[str] = ()) -> str:
        """The FTS5 expression over ``search_index``; empty where everything matches.

        ``also`` are tokens of `tag` that must be there too.
        """
        wanted = [_phrase(word) for word in self.sought]
        wanted += [f'tags : "{token}"' for token in also]
        unwanted = [_phrase(word) for word in self.words if word.negative]
        for asked in self.filters:
            if asked.name != "given":
                (unwanted if asked.negative else wanted).append(_tags(asked))
        if unwanted:
            wanted = wanted or [f'tags : "{EVERY}"']
            return f"({' AND '.join(wanted)}) NOT ({' OR '.join(unwanted)})"
        return " AND ".join(wanted)

    def given(self) -> Iterator[tuple[str, bool]]:
        """For each ``given:``, the FTS5 expression over ``given_index`` and whether it excludes."""
        for asked in self.filters:
            if asked.name == "given":
                words = [Word(tokens(v.text), open=not v.whole) for v in asked.values]
                said = [w for word in words if (w := _said(word))]
                if len(said) == len(words):  # an alternative that says nothing yet admits all
                    yield " OR ".join(_phrase(word) for word in said), asked.negative


def fold(text: str) -> str:
    """Lower case, Latin letters without accents: what the index compares, letter for letter."""
    if text.isascii():
        return text.lower()
    return "".join(_folded(character) for character in text)


def _folded(character: str) -> str:
    lower = character.lower()[0]
    base = unicodedata.normalize("NFD", lower)[0]
    return base if base.isascii() else lower


_TOKEN = re.compile(r"[^\W_]+")


def tokens(text: str) -> tuple[str, ...]:
    """The tokens of a text, as far as Python's idea of a letter is SQLite's."""
    return tuple(_TOKEN.findall(unicodedata.normalize("NFC", text)))


def _is_short(token: str, length: int) -> bool:
    """Whether a beginning is so short; a single Chinese letter says more than a Latin one."""
    return len(token) == length and fold(token).isascii()


def _said(word: Word) -> Word | None:
    """The word without a last token of one letter, which says too little while it is typed."""
    if word.open and _is_short(word.tokens[-1], 1):
        return Word(word.tokens[:-1], negative=word.negative) if word.tokens[1:] else None
    return word


def _phrase(word: Word) -> str:
    said = '"' + " ".join(word.tokens) + '"'
    if not word.open:
        return said
    if _is_short(word.tokens[-1], 2):
        # The index knows beginnings of three letters only.
        longer = (f"{said[:-1]}{letter}" + '"*' for letter in _CONTINUATIONS)
        return f"({' OR '.join((said, *longer))})"
    return said + "*"


def _tags(asked: Filter) -> str:
    return f"tags : ({' OR '.join(_tag(asked.name, value) for value in asked.values)})"


def _tag(name: str, value: Value) -> str:
    return f'"{tag(name, value.text)}"' + ("" if value.whole else "*")


# Reading


def parse(text: str, now: datetime) -> Query:
    """Understand as much of ``text`` as there is to understand; never raises."""
    return _Reader(text, now).read()


_NAME = re.compile(r"([A-Za-z]{2,}):")
_QUOTED = re.compile(r'"([^"]*)("?)')
_BARE_VALUE = re.compile(r'[^\s,"]+')
_BARE_WORD = re.compile(r'[^\s"]+')


class _Reader:
    def __init__(self, text: str, now: datetime) -> None:
        self.now = now
        self.mistakes: list[str] = []
        self.words: list[Word] = []
        self.filters: list[Filter] = []
        self.times: dict[str, str] = {}
        self.position = 0
        if len(text) > _LONGEST:
            self.mistakes.append(f"only the first {_LONGEST} characters are searched for")
        # What cannot be UTF-8 (or ends a string in C) cannot be in the index either.
        self.text = text[:_LONGEST].encode("utf-8", "replace").decode().replace("\0", " ")

    def read(self) -> Query:
        while self._skip_space():
            if len(self.words) + len(self.filters) == _MOST:
                self.mistakes.append(f"only the first {_MOST} words and filters are searched for")
                break
            self._element()
        return Query(
            tuple(self.words),
            tuple(self.filters),
            self.times.get("since"),
            self.times.get("until"),
            tuple(dict.fromkeys(self.mistakes)),
        )

    def _skip_space(self) -> bool:
        """Whether anything is left."""
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1
        return self.position < len(self.text)

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.position)
        if found:
            self.position = found.end()
        return found

    def _element(self) -> None:
        negative = self.text[self.position] == "-"
        self.position += negative
        start = self.position
        if name := self._take(_NAME):
            if name[1].lower() in FILTERS:
                self._filter(name[1].lower(), negative)
                return
            self._doubt(name[1])
            self.position = start
        if quoted := self._take(_QUOTED):
            self._word(quoted[1], open=not quoted[2], negative=negative)
        elif bare := self._take(_BARE_WORD):
            self._word(bare[0], open=self.position == len(self.text), negative=negative)

    def _doubt(self, name: str) -> None:
        """``agnet:x`` is probably a filter mistyped; ``https://x`` and ``Error: x`` are not."""
        following = self.text[self.position : self.position + 1]
        if following and (following.isalnum() or following == '"'):
            near = get_close_matches(name.lower(), FILTERS, n=1, cutoff=0.5)
            hint = f", perhaps {near[0]}:" if near else ""
            self.mistakes.append(f"there is no filter {name}:{hint}; it is searched for as words")

    def _word(self, text: str, *, open: bool, negative: bool) -> None:  # noqa: A002 - as in Word
        found = tokens(text)
        if found:
            self.words.append(Word(found, open=open and not negative, negative=negative))
        elif text.strip("-"):
            self.mistakes.append(f"{text!r} holds no letter or digit to search for")

    def _filter(self, name: str, negative: bool) -> None:
        values = list(self._values())
        if name in ("since", "until"):
            self._time(name, values, negative)
            return
        understood: list[Value] = []
        for value in values:
            understood += self._understood(name, value)
        if understood:
            self.filters.append(Filter(name, tuple(dict.fromkeys(understood)), negative))

    def _values(self) -> Iterator[Value]:
        """Up to the next space; empty ones are still to be typed."""
        while True:
            if quoted := self._take(_QUOTED):
                if quoted[1].strip():
                    yield Value(quoted[1].strip(), whole=bool(quoted[2]))
            elif bare := self._take(_BARE_VALUE):
                yield Value(bare[0])
            if self.text[self.position : self.position + 1] != ",":
                return
            self.position += 1

    def _understood(self, name: str, value: Value) -> list[Value]:
        text = value.text.lower()
        if name in CLOSED:
            known = CLOSED[name]
            meant = [k for k in known if k == text or (k.startswith(text) and not value.whole)]
            if not meant:
                self.mistakes.append(f"{name}:{value.text} is none of {', '.join(known)}")
            return [Value(_SAME_AS.get(k, k), whole=True) for k in meant]
        if name == "file":
            text = path_of(value.text)
            return [Value(text, value.whole)] if text else []
        if name == "given" and not tokens(value.text):
            self.mistakes.append(f"given:{value.text} holds no letter or digit to search for")
            return []
        return [value]

    def _time(self, name: str, values: list[Value], negative: bool) -> None:
        from orch_tui.search.dates import moment

        if negative:
            other = "until" if name == "since" else "since"
            self.mistakes.append(f"-{name}: is not understood; say {other}:")
            return
        narrower: Callable[[str, str], str] = max if name == "since" else min
        for value in values:
            try:
                at = moment(value.text, self.now, end=name == "until")
            except UsageError as error:
                self.mistakes.append(f"{name}: {error.message} ({error.hint})")
                continue
            self.times[name] = narrower(self.times.get(name, at), at)


# Marking


class Mark:
    """A sought word as it is found in a folded text."""

    __slots__ = ("_open", "_pattern", "first")

    def __init__(self, word: Word) -> None:
        folded = [fold(token) for token in word.tokens]
        self.first = folded[0]
        self._pattern = re.compile(r"[\W_]+".join(map(re.escape, folded)))
        self._open = word.open

    def spans(self, folded: str) -> Iterator[tuple[int, int]]:
        """Where the word stands as whole tokens (the last of an open one may go on)."""
        for found in self._pattern.finditer(folded):
            start, end = found.span()
            if start and folded[start - 1].isalnum():
                continue
            if self._open or end == len(folded) or not folded[end].isalnum():
                yield start, end


def marks(query: Query) -> tuple[Mark, ...]:
    """What to mark in a text that was found."""
    return tuple(Mark(word) for word in query.sought)


def spans(text: str, sought: Iterable[Mark]) -> tuple[tuple[int, int], ...]:
    """Where the sought words stand in ``text``: start and end, in order, not overlapping."""
    folded = fold(text)
    merged: list[tuple[int, int]] = []
    for start, end in sorted(span for mark in sought for span in mark.spans(folded)):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
