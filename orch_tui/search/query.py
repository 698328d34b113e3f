"""Finding executions: newest first, or best first where few enough match to be compared.

The index answers words and filters in descending docids and is asked for no more than can be
counted exactly. Ordering by FTS5's own bm25() is not used: for each common word it walks through
every run that has it (p99 48 ms at 100,000 runs), while comparing the scope and the opening of
at most 400 messages is bounded by what was found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from orch_tui.errors import RecordError, UsageError
from orch_tui.models.database import Record
from orch_tui.one_line import one_line
from orch_tui.rows import USED
from orch_tui.search.documents import briefing_text, slot, small_fields
from orch_tui.search.language import CLOSED, FILTERS, Mark, Query, fold, marks, parse, spans
from orch_tui.search.maintenance import refresh_pending
from orch_tui.search.tokens import tag, tag_value

COUNTED = 400
"""How many hits are counted, and ranked when there are words; more are ``>400``, newest first."""

_OPENING = 1000  # characters of a message that its rank is judged by
_SNIPPET = 200  # characters
_BEFORE = 60  # characters of it before the first match
_LOOKED_THROUGH = 20_000  # characters of a message searched for a snippet
_FEW = 5000  # givings of matching contents that are listed instead of checked for each run
_HALF_LIFE = 30 * 8640  # slots (30 days) in which recency counts half


@dataclass(frozen=True, slots=True)
class Hit:
    """One execution found.

    ``snippet`` is the part of its texts that matched best to show and ``spans`` where the sought
    words stand in it. ``score`` is 0 where hits come newest first.
    """

    __repr__ = one_line

    execution_id: str
    session_id: str
    agent_type: str
    status: str | None
    model: str | None
    at: str | None
    scope: str | None
    unverified: str | None
    used_tokens: int | None
    """Usage of the whole run; None where it is not known."""
    cost_usd: float | None
    """None: the usage or a price is not known."""
    snippet: str
    spans: tuple[tuple[int, int], ...]
    score: float

    def row(self) -> dict[str, Any]:
        """The hit by column names."""
        return {
            "execution_id": self.execution_id,
            "session_id": self.session_id,
            "agent_type": self.agent_type,
            "status": self.status,
            "model": self.model,
            "deployed_at": self.at,
            "scope": self.scope,
            "unverified": self.unverified,
            "used_tokens": self.used_tokens,
            "cost_usd": self.cost_usd,
            "snippet": self.snippet,
        }


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was found. ``next_before`` asks for what comes after; None: that was all.

    ``total`` is exact up to `COUNTED`; ``more`` says that there are more than it.
    """

    __repr__ = one_line

    hits: tuple[Hit, ...]
    total: int
    more: bool
    next_before: str | None
    mistakes: tuple[str, ...]

    @property
    def found(self) -> str:
        """``12``, or ``>400``."""
        return f">{self.total}" if self.more else str(self.total)


class _Place(NamedTuple):
    """A found run; places sort by time."""

    at: str
    docid: int
    execution_id: str


def search(
    record: Record,
    query: str | Query,
    *,
    limit: int = 50,
    before: str | None = None,
    project: str | None = None,
    include_archived: bool = False,
) -> Page:
    """The executions that ``query`` asks for, all of them where it asks for nothing.

    ``before`` is the ``next_before`` of the page before.

    Raises:
        UsageError: ``before`` is no such thing.
    """
    if isinstance(query, str):
        query = parse(query, record.clock())
    cursor = _cursor(before) if before else None
    _catch_up(record)
    sought = marks(query)
    with record.read():
        asked = _Asked(record, query, project, include_archived)
        first = asked.newest(COUNTED + 1)
        scores: dict[str, float] = {}
        if sought and len(first) <= COUNTED:
            scores = _scores(record, sought, first)
            ordered = sorted(first, key=lambda p: (scores[p.execution_id], p), reverse=True)
            chosen = _after(ordered, cursor)[: limit + 1]
        else:
            chosen = asked.page(limit + 1, cursor, first)
        page, rest = chosen[:limit], chosen[limit:]
        return Page(
            hits=tuple(_hits(record, sought, page, scores)),
            total=min(len(first), COUNTED),
            more=len(first) > COUNTED,
            next_before=f"{page[-1].at}/{page[-1].docid}" if rest and page else None,
            mistakes=query.mistakes,
        )


def _catch_up(record: Record) -> None:
    """Index what raw SQL changed since orch last wrote, if that can be done now."""
    if record.writable and record.value("SELECT 1 FROM search_pending LIMIT 1"):
        with suppress(RecordError), record.write():
            refresh_pending(record)


_CURSOR = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z)/(\d{1,18})", re.ASCII)


def _cursor(text: str) -> _Place:
    found = _CURSOR.fullmatch(text)
    if not found:
        raise UsageError(f"{text!r} is no place in a list", hint="give what the last page named")
    return _Place(found[1], int(found[2]), "")


def _after(ordered: list[_Place], cursor: _Place | None) -> list[_Place]:
    for position, place in enumerate(ordered):
        if cursor and place.docid == cursor.docid:
            return ordered[position + 1 :]
    return ordered


# Asking the index


class _Asked:
    """A query as conditions on the index."""

    def __init__(
        self, record: Record, query: Query, project: str | None, include_archived: bool
    ) -> None:
        self.record = record
        self.match = query.match([tag("project", project)] if project is not None else ())
        self.conditions: list[str] = []
        self.parameters: list[Any] = []
        if not include_archived:
            self._add("d.archived = 0")
        if query.since:
            self._add(f"{self._docid} >= ?", slot(query.since))
            self._add("d.at >= ?", query.since)
        if query.until:
            self._add(f"{self._docid} <= ?", self._last_docid(query.until))
            self._add("d.at <= ?", query.until)
        for expression, negative in query.given():
            self._given(expression, negative)

    @property
    def _docid(self) -> str:
        return "s.rowid" if self.match else "d.docid"

    def _add(self, condition: str, *parameters: Any) -> None:
        self.conditions.append(condition)
        self.parameters += parameters

    def _last_docid(self, at: str) -> int:
        """The greatest docid that a run deployed by then can have."""
        displaced = self.record.value("SELECT max(displaced) FROM search_docs WHERE displaced > 0")
        return slot(at) + (displaced or 0)

    def _given(self, expression: str, negative: bool) -> None:
        """Few matching givings are listed; of many, one is soon found by looking at each run."""
        contents = "SELECT rowid FROM given_index WHERE given_index MATCH ?"
        many = self.record.value(
            f"SELECT 1 FROM search_given WHERE content_id IN ({contents}) LIMIT 1 OFFSET {_FEW}",
            [expression],
        )
        # A unary + keeps SQLite from seeking every listed value for every run.
        holds = (
            f"EXISTS (SELECT 1 FROM search_given AS g WHERE g.docid = d.docid "
            f"AND +g.content_id IN ({contents}))"
            if many
            else f"{'+' if self.match or negative else ''}{self._docid} IN "
            f"(SELECT docid FROM search_given WHERE content_id IN ({contents}))"
        )
        self._add(f"NOT {holds}" if negative else holds, expression)

    def newest(self, limit: int, cursor: _Place | None = None) -> list[_Place]:
        """At most ``limit`` places by descending docid, older than the cursor's."""
        conditions, parameters = list(self.conditions), list(self.parameters)
        if self.match:
            conditions.insert(0, "search_index MATCH ?")
            parameters.insert(0, self.match)
        if cursor:
            conditions += [f"{self._docid} <= ?", "(d.at, d.docid) < (?, ?)"]
            parameters += [self._last_docid(cursor.at), cursor.at, cursor.docid]
        source = (
            "search_index AS s CROSS JOIN search_docs AS d ON d.docid = s.rowid"
            if self.match
            else "search_docs AS d"
        )
        return [
            _Place(*row)
            for row in self.record.sql(
                f"SELECT d.at, d.docid, d.execution_id FROM {source} "
                f"WHERE {' AND '.join(conditions) or '1'} ORDER BY {self._docid} DESC LIMIT ?",
                [*parameters, limit],
            )
        ]

    def page(self, limit: int, cursor: _Place | None, first: list[_Place]) -> list[_Place]:
        """At most ``limit`` places, exactly newest first; ``first`` are the newest of all.

        A docid may lie above the slot of its time, so a place is known to come next only if its
        time lies above all that was not fetched.
        """
        fetched = COUNTED + 1
        places = self.newest(fetched, cursor) if cursor else first
        while len(places) == fetched:
            deepest = places[-1].docid
            wanted = sorted(places, reverse=True)[:limit]
            if len(wanted) == limit and slot(wanted[-1].at) >= deepest:
                return wanted
            fetched *= 4
            places = self.newest(fetched, cursor)
        return sorted(places, reverse=True)[:limit]


# Ranking and showing what was found


def _scores(record: Record, sought: Sequence[Mark], places: Sequence[_Place]) -> dict[str, float]:
    """How well each run matches, recent ones more; no clock, so that pages agree."""
    texts = record.sql(
        f"SELECT execution_id, scope, substr(final_message, 1, {_OPENING}) FROM agent_executions "
        "WHERE execution_id IN (SELECT value FROM json_each(?))",
        [json.dumps([place.execution_id for place in places])],
    )
    slots = {place.execution_id: place.docid for place in places}
    latest = max(slots.values(), default=0)
    scores = {}
    for execution_id, scope, opening in texts:
        folded = fold(str(scope or "")), fold(str(opening or ""))
        relevance = sum(_relevance(mark, *folded) for mark in sought)
        age = (latest - slots[execution_id]) / _HALF_LIFE
        scores[execution_id] = relevance * (1 + 0.5 ** (1 + age))
    return scores


def _relevance(mark: Mark, scope: str, opening: str) -> float:
    """A word in the scope tells most, then how often the opening of the message has it."""
    in_scope = mark.first in scope and any(mark.spans(scope))
    times = sum(1 for _ in mark.spans(opening)) if mark.first in opening else 0
    return 1 + 6 * in_scope + 4 * times / (times + 1.5)


def _hits(
    record: Record, sought: Sequence[Mark], places: Sequence[_Place], scores: dict[str, float]
) -> Iterator[Hit]:
    rows = record.sql(
        "SELECT execution_id, session_id, agent_type, status, model, deployed_at, scope, "
        f"unverified, {USED}, cost_usd, substr(final_message, 1, {_LOOKED_THROUGH}) "
        "FROM agent_executions "
        "WHERE execution_id IN (SELECT value FROM json_each(?))",
        [json.dumps([place.execution_id for place in places])],
    )
    by_id = {row[0]: row for row in rows}
    for place in places:
        *facts, said = by_id[place.execution_id]
        facts += _snippet(record, sought, place, str(said or ""))
        facts.append(scores.get(place.execution_id, 0.0))
        yield Hit(*facts)


def _snippet(
    record: Record, sought: Sequence[Mark], place: _Place, said: str
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The first text of the run that has a sought word, from a little before it."""
    if sought:
        for text in _texts(record, place, said):
            found = _first(text, sought)
            if found is not None:
                return _cut(text, found, sought)
    return _cut(said, 0, ())


def _first(text: str, sought: Sequence[Mark]) -> int | None:
    """Where the first of the sought words that ``text`` has stands in it."""
    folded = fold(text)
    for mark in sought:
        for start, _ in mark.spans(folded):
            return start
    return None


def _texts(record: Record, place: _Place, said: str) -> Iterator[str]:
    """What was indexed of a run, most telling first; the scope is shown beside the snippet."""
    yield said
    kept, briefing_id = record.sql(
        "SELECT kept, briefing_id FROM search_docs WHERE docid = ?", [place.docid]
    )[0]
    fields = small_fields(kept)
    yield fields["outputs"]
    yield "\n".join(fields["sources"])
    if briefing_id is not None:
        parts = record.value("SELECT parts FROM briefings WHERE briefing_id = ?", [briefing_id])
        yield briefing_text(parts)


_SPACE = str.maketrans("\r\n\t\v\f\x85\u2028\u2029", " " * 8)


def _cut(text: str, found: int, sought: Sequence[Mark]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """One line around ``found``, beginning with a whole word, and the marks in it."""
    start = max(0, found - _BEFORE)
    if start:
        start = text.find(" ", start, found) + 1 or start
    line = text[start : start + _SNIPPET].translate(_SPACE).rstrip()
    return line, spans(line, sought) if sought else ()


# Completing what is typed


def filter_names(beginning: str) -> tuple[str, ...]:
    """The filters whose name begins so."""
    return tuple(name for name in FILTERS if name.startswith(beginning.lower()))


def filter_values(record: Record, name: str, beginning: str, limit: int = 20) -> tuple[str, ...]:
    """Values that filter ``name`` has in the record (lower-cased) and that begin so."""
    found: Iterator[str]
    if name in CLOSED:
        found = (value for value in CLOSED[name] if value.startswith(beginning.lower()))
    elif name in FILTERS and name not in ("given", "since", "until"):
        found = _recorded(record, tag(name, beginning))
    else:
        return ()
    return tuple(islice(found, limit))


def _recorded(record: Record, beginning: str) -> Iterator[str]:
    """The values in the index whose tokens begin so: a seek for each, in order."""
    after = beginning
    while True:
        token = record.value(
            "SELECT term FROM search_terms WHERE term >= ? AND term < ? LIMIT 1",
            [after, beginning + "g"],  # the digits of a token end with f
        )
        if token is None:
            return
        yield tag_value(token)
        after = token + "0"
