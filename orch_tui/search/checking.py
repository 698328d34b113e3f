"""Looking into the texts of runs, newest first, for what the index only narrows down or does not
know: words with signs that count, and parts of words.

It takes time by the amount of text, so it is done in windows that grow, and may stop before the
last: then it is known how far back was looked, and the next search goes on from there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from time import thread_time
from typing import NamedTuple, Protocol

from orch_tui.models.database import Record
from orch_tui.search.documents import clean_text, extract_briefing_text, unpack_small_fields
from orch_tui.search.language import Query, QueryFilter
from orch_tui.search.matching import WordMatcher
from orch_tui.search.tokens import fold_text

SURELY_LOOKED = 30_000
"""Runs whose texts are looked through for a part of a word before a search may stop."""

PATIENCE = 0.12
"""CPU seconds after which a search that looks into texts stops and says how far back it came."""

_FIRST_WINDOW = 2000  # runs
_BATCH = 250  # candidates that are read at once
_LIKE = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})


class Position(NamedTuple):
    """Where a found run stands among all; positions sort by time."""

    at: str
    docid: int
    execution_id: str


class Candidates(Protocol):
    """What the index says of a query."""

    def between(self, above: int, upto: int | None, limit: int) -> list[Position]:
        """Find by descending docid those of a range of docids."""
        ...


class Looked(NamedTuple):
    """What was found, by descending docid, in all runs above a docid; none above 0: in all."""

    found: list[Position]
    above: int


def look_through(
    record: Record,
    candidates: Candidates,
    query: Query,
    *,
    upto: int | None = None,
    downto: int = 0,
    wanted: int,
    patience: float = PATIENCE,
    clock: Callable[[], float] = thread_time,
) -> Looked:
    """Look for ``wanted`` runs or more among the candidates, until ``patience`` seconds are over.

    ``upto`` is the docid to begin with; that of the newest without one. ``downto`` is the docid
    above which it ends.
    """
    check = TextCheck(record, query)
    least = SURELY_LOOKED if not query.checked_words else 0
    found: list[Position] = []
    began, looked, window = clock(), 0, _FIRST_WINDOW
    while True:
        above = max(downto, _docid_below(record, upto, window))
        some = candidates.between(above, upto, _BATCH)
        if len(some) == _BATCH:
            above = some[-1].docid - 1
        else:
            looked += window
            window *= 2
        found += check.filter(some)
        spent = clock() - began
        if above <= downto or len(found) >= wanted or (spent >= patience and looked >= least):
            return Looked(found, above)
        if looked and spent < patience:  # no further than there is likely time for
            likely = looked * (patience - spent) / max(spent, 1e-6)
            window = int(max(_FIRST_WINDOW, min(window, max(likely, least - looked))))
        upto = above


def _docid_below(record: Record, upto: int | None, runs: int) -> int:
    """Find the docid that stands so many runs below another one; 0 where there are fewer."""
    return int(
        record.value(
            "SELECT docid FROM search_docs WHERE docid <= ? ORDER BY docid DESC LIMIT 1 OFFSET ?",
            [2**62 if upto is None else upto, runs],
        )
        or 0
    )


def part_condition(each: QueryFilter) -> tuple[str, list[str]]:
    """Give the SQL condition on a run (``d``) that one of the parts stands in what it was about,
    what it said or why it failed; case does not matter. Letters beyond ASCII that have case are
    only narrowed down (`TextCheck`); where they must not be there, the condition is empty."""
    if each.excluded and not _is_told_bylike_pattern(each):
        return "", []
    tests, patterns = [], []
    for column in ("final_message", "scope", "error_message"):
        for value in each.values:
            # LIKE stops at each letter that the pattern begins with: a seldom one goes first.
            seldom = min(range(len(value.text) - 1), key=lambda n: _how_often(value.text[n]))
            for text in dict.fromkeys((value.text[seldom:], value.text)):
                other = "AND" if text is value.text and seldom else "OR"
                tests.append(f"{other} e.{column} LIKE ? ESCAPE '\\'")
                patterns.append(f"%{like_pattern(text)}%")
    condition = (
        f"EXISTS (SELECT 1 FROM agent_executions AS e "
        f"WHERE e.execution_id = d.execution_id AND ({' '.join(tests).removeprefix('OR ')}))"
    )
    return f"NOT {condition}" if each.excluded else condition, patterns


def _how_often(letter: str) -> int:
    """Tell about how often a letter stands in a text, in order; others than letters seldom do."""
    return "zjqxkvwybgpmfcdlhruosnaite ".find(letter.lower())


def _is_told_bylike_pattern(each: QueryFilter) -> bool:
    return all("_" not in like_pattern(value.text).replace("\\_", "") for value in each.values)


def like_pattern(text: str) -> str:
    """Make the pattern of LIKE for a part of a text; letters beyond ASCII that have case may be
    any."""
    return "".join(
        letter.translate(_LIKE) if letter.isascii() or letter.lower() == letter.upper() else "_"
        for letter in text
    )


class TextTest:
    """What must stand, or must not, in the texts of a run as it is written."""

    def __init__(self, query: Query) -> None:
        words = query.checked_words
        self._required = [WordMatcher(word) for word in words if not word.excluded]
        self._unwanted = [WordMatcher(word) for word in words if word.excluded]
        self._parts = [
            ([value.text.lower() for value in each.values], each.excluded)
            for each in query.parts
            if not _is_told_bylike_pattern(each)
        ]

    @property
    def admits_all(self) -> bool:
        """Whether nothing has to be looked for."""
        return not (self._required or self._unwanted or self._parts)

    def is_met(self, said: Sequence[str], others: Iterable[str]) -> bool:
        """Tell whether a run meets it, by what it was about, said and failed of, and by its other
        texts, each of which is only read when it is needed."""
        lower = "\0".join(said).lower() if self._parts else ""
        for parts, excluded in self._parts:
            if any(part in lower for part in parts) == excluded:
                return False
        missing, unwanted = self._required, self._unwanted
        for text in chain(said, others):
            if not (missing or unwanted):
                break
            folded = fold_text(text)
            if any(matcher.stands_in(folded) for matcher in unwanted):
                return False
            missing = [matcher for matcher in missing if not matcher.stands_in(folded)]
        return not missing


class TextCheck:
    """A `TextTest` of runs by the texts that the record has of them."""

    def __init__(self, record: Record, query: Query) -> None:
        self._record = record
        self._test = TextTest(query)

    def filter(self, positions: Sequence[Position]) -> list[Position]:
        """Keep the runs whose texts meet it, in their order."""
        if not positions or self._test.admits_all:
            return list(positions)
        rows = self._record.sql(
            "SELECT e.execution_id, e.scope, e.final_message, e.error_message, d.small_fields, "
            "d.briefing_id FROM json_each(?) AS j "
            "CROSS JOIN search_docs AS d ON d.docid = j.value "
            "CROSS JOIN agent_executions AS e ON e.execution_id = d.execution_id",
            [json.dumps([position.docid for position in positions])],
        )
        kept = {
            row[0]
            for row in rows
            if self._test.is_met([clean_text(text) for text in row[1:4]], self._others(*row[4:]))
        }
        return [position for position in positions if position.execution_id in kept]

    def _others(self, small_fields: bytes, briefing_id: int | None) -> Iterator[str]:
        """Read the other texts of a run as it is indexed."""
        fields = unpack_small_fields(small_fields)
        yield from (fields["outputs"], *fields["sources"], *fields.get("session", ()))
        if briefing_id is not None:
            parts = self._record.value(
                "SELECT parts FROM briefings WHERE briefing_id = ?", [briefing_id]
            )
            yield extract_briefing_text(parts)
