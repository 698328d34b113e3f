"""Finding executions: newest first, or best first where few enough match to be compared.

The index answers words and filters in descending docids and is asked for no more than can be
counted exactly. Ordering by FTS5's own bm25() is not used: for each common word it walks through
every run that has it (p99 48 ms at 100,000 runs), while comparing the scope and the opening of
at most 400 messages is bounded by what was found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, dropwhile, islice
from math import inf
from typing import Any, NamedTuple

from orch_tui.errors import UsageError
from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import STORED_BYTES
from orch_tui.models.values import MODEL, WHEN
from orch_tui.rows import USED
from orch_tui.search.checking import PATIENCE, Position, look_through, part_condition
from orch_tui.search.documents import (
    clean_text,
    decode_content,
    first_docid,
    load_other_texts,
    slot_end,
)
from orch_tui.search.language import (
    FILTERS,
    FIXED_VALUES,
    Query,
    QueryWord,
    any_word_expression,
    parse_query,
)
from orch_tui.search.maintenance import has_table, refresh_pending
from orch_tui.search.matching import (
    TextMatcher,
    find_spans,
    query_matchers,
    word_matchers,
)
from orch_tui.search.origins import list_origin_names, origin_condition
from orch_tui.search.ranking import rank_positions
from orch_tui.search.schema import INDEX_VERSION, given_table, texts_table
from orch_tui.search.tokens import TOKEN_LETTERS, FoldedText, filter_token, fold_text

MAX_COUNTED = 400
"""How many hits are counted, and ranked when there are words; more are ``>400``, newest first."""

MAX_SORTED = 2000
"""How many hits are put in another order than by time at once: the newest, then the next older."""

ORDERS = {
    "best": "",
    "newest": "",
    "cost": "cost_usd DESC, deployed_at DESC",
    "duration": "duration_ms DESC, deployed_at DESC",
    "agent": "agent_type COLLATE NOCASE, deployed_at DESC",
}
"""The orders of hits: the best of few first, else by time; by time; or by a figure, unknown ones
last."""

_SNIPPET_CHARACTERS = 200
_CHARACTERS_BEFORE = 60  # of a snippet, before the first match
SEARCHED_CHARACTERS = 20_000  # of a message, for a snippet
_UNLIMITED = 2**62
_MAX_LISTED = 5000  # givings of matching contents that are listed, not checked for each run


HIT_COLUMNS = (
    *("execution_id", "session_id", "agent_type", "status", "model", "deployed_at", "scope"),
    *("unverified", "success", "used_tokens", "cost_usd", "snippet", "person", "machine"),
)
"""The keys of a hit as a row, in their order."""


@frozen
class Hit:
    """One execution found.

    ``snippet`` is the part of its texts that is best to show and ``spans`` where the required words
    stand in it.
    """

    execution_id: str
    session_id: str
    agent_type: str
    status: str | None
    model: str | None
    at: str | None
    scope: str | None
    unverified: str | None
    success: bool | None
    used_tokens: int | None
    """Usage of the whole run; None where it is not known."""
    cost_usd: float | None
    """None: the usage or a price is not known."""
    parent_execution_id: str | None
    """The run that launched it, where one did."""
    person: str | None
    """Who ran it; None: the record does not know."""
    machine: str | None
    """Where it was recorded; None: here, and nothing of it has left this record yet."""
    is_own: bool
    """Whether it was recorded here."""
    uid: str
    """What it is known by in every record."""
    snippet: str
    spans: tuple[tuple[int, int], ...]
    is_here: bool = True
    """Whether the record has it; else it is on a hub alone, and known by its ``uid``."""

    def row(self) -> dict[str, Any]:
        """Give the hit by column names."""
        return {
            name: self.at if name == "deployed_at" else getattr(self, name) for name in HIT_COLUMNS
        }


@frozen
class Page:
    """Some of what was found. ``next_before`` asks for what comes after; None: that was all.

    ``total`` is exact up to `MAX_COUNTED`; ``more`` says that there are more than it.
    ``looked_back_to`` is the time of the oldest run whose texts were looked into, or that was put
    in order with the others, where the search stopped there; None: all were.
    """

    hits: tuple[Hit, ...]
    total: int
    more: bool
    next_before: str | None
    mistakes: tuple[str, ...]
    looked_back_to: str | None = None
    nearest: tuple[str, ...] = ()
    """Where nothing was found: queries with the nearest words that something matches."""

    @property
    def count_text(self) -> str:
        """How many were found, in words: ``12``, ``>400``, or ``12 so far``."""
        if self.looked_back_to and not self.more:
            return f"{self.total} so far"
        return f">{self.total}" if self.more else str(self.total)


def search(
    record: Record,
    query: str | Query,
    *,
    limit: int = 50,
    before: str | None = None,
    project: tuple[str, ...] | None = None,
    include_archived: bool = False,
    order: str = "best",
    patience: float = PATIENCE,
) -> Page:
    """Find the executions that ``query`` asks for, all of them where it asks for nothing.

    ``order`` is one of `ORDERS`. What is looked for in the texts themselves is never ranked, and
    after ``patience`` seconds no older texts are looked into: the page says so. In an order by a
    figure what was found that far, or the newest `MAX_SORTED`, comes in that order, then what is
    older, in that order again.

    ``before`` is the ``next_before`` of the page before. ``project`` are the roots that runs of
    the project name, where those of others are left out; a query that names projects finds those.

    Raises:
        UsageError: ``before`` or ``order`` is no such thing.
    """
    if order not in ORDERS:
        raise UsageError(f"{order!r} is no order", hint=f"there are {', '.join(ORDERS)}")
    if isinstance(query, str):
        query = parse_query(query, record.clock())
    cursor = parse_cursor(before) if before else None
    if query.finds_nothing:
        return Page((), 0, False, None, query.mistakes)
    _index_pending(record)
    with record.read():
        asked = IndexQuery(record, query, project, include_archived)
        if ORDERS[order]:
            found = _find_by_figure(record, asked, query, cursor, order, patience)
        elif query.is_in_texts:
            found = _find_in_texts(record, asked, query, cursor, patience)
        else:
            found = _find_by_index(record, asked, query, cursor, order, limit)
        page, rest = found.positions[:limit], found.positions[limit:]
        following = found.cursor_behind(page[-1]) if rest and page else found.stopped
        nearest: tuple[str, ...] = ()
        if not (found.matching or cursor or found.stopped):
            nearest = _find_nearest(record, query, project, include_archived)
        return Page(
            hits=tuple(_load_hits(record, query_matchers(query), page)),
            total=min(found.matching, MAX_COUNTED),
            more=found.matching > MAX_COUNTED,
            next_before=following.text if following else None,
            mistakes=query.mistakes,
            looked_back_to=found.stopped.at
            if found.stopped and (ORDERS[order] or found.matching <= MAX_COUNTED)
            else None,
            nearest=nearest,
        )


def _find_nearest(
    record: Record, query: Query, project: tuple[str, ...] | None, include_archived: bool
) -> tuple[str, ...]:
    """Find queries with other words, the nearest there are, that find something."""
    from orch_tui.search.nearest import list_nearest_queries

    def finds(text: str) -> bool:
        asked = IndexQuery(record, parse_query(text, record.clock()), project, include_archived)
        return bool(asked.newest(1))

    return tuple(islice(filter(finds, list_nearest_queries(record, query)), 2))


class Cursor(NamedTuple):
    """Behind which run a list goes on: the time and the docid of it; and, in an order by a figure,
    of which docids those are that were put in order together: above the one, up to the other."""

    at: str
    docid: int
    sorted_range: tuple[int, int] | None = None

    @property
    def text(self) -> str:
        """Write it as `parse_cursor` reads it."""
        return "/".join(map(str, (self.at, self.docid, *(self.sorted_range or ()))))


class Found(NamedTuple):
    """What was found, in order, from the cursor on; and where a search stopped that did not look
    at all."""

    positions: list[Position]
    matching: int
    stopped: Cursor | None = None
    sorted_range: tuple[int, int] | None = None

    def cursor_behind(self, last: Position) -> Cursor:
        """Give what asks for those that come after one of them."""
        return Cursor(last.at, last.docid, self.sorted_range)


def _find_by_index(
    record: Record,
    asked: IndexQuery,
    query: Query,
    cursor: Cursor | None,
    order: str,
    limit: int,
) -> Found:
    """Find at most one more than ``limit`` positions."""
    first = asked.newest(MAX_COUNTED + 1)
    matchers = word_matchers(query.required_words)
    if order == "best" and first and matchers and len(first) <= MAX_COUNTED:
        ranked = rank_positions(record, matchers, first)
        chosen = list(islice(_skip_to_cursor(ranked, first, cursor), limit + 1))
    else:
        chosen = asked.page(limit + 1, cursor, first)
    return Found(chosen, len(first))


def _find_in_texts(
    record: Record,
    asked: IndexQuery,
    query: Query,
    cursor: Cursor | None,
    patience: float,
) -> Found:
    """Find what is looked for in the texts themselves, as far back as there is time for.

    In the order of docids, so that it can go on from where it stopped: newest first, but for runs
    that were recorded late.
    """
    upto = cursor.docid - 1 if cursor else None
    looked = look_through(
        record, asked, query, upto=upto, wanted=MAX_COUNTED + 1, patience=patience
    )
    return Found(looked.found, len(looked.found), _cursor_above(looked.above))


def _find_by_figure(
    record: Record,
    asked: IndexQuery,
    query: Query,
    cursor: Cursor | None,
    order: str,
    patience: float,
) -> Found:
    """Find a range of runs, and put it in order: the one that the cursor stands in, else the next.

    A page is cut from the same range as the one before, whatever was recorded since and however
    much time there is: every run comes once.
    """
    above, upto = 0, cursor.docid - 1 if cursor else None
    is_begun = cursor is not None and cursor.sorted_range is not None
    if cursor and cursor.sorted_range:
        above, upto = cursor.sorted_range
    if query.is_in_texts:
        looked = look_through(
            record,
            asked,
            query,
            upto=upto,
            downto=above,
            wanted=_UNLIMITED if is_begun else MAX_SORTED,
            patience=inf if is_begun else patience,
        )
        positions, above = looked
    else:
        positions = asked.between(above, upto, _UNLIMITED if is_begun else MAX_SORTED)
        if not is_begun and len(positions) == MAX_SORTED:
            above = positions[-1].docid - 1
    matching = len(positions if query.is_in_texts else asked.newest(MAX_COUNTED + 1))
    upto = upto or max((position.docid for position in positions), default=above)
    if cursor and is_begun:
        positions = _sort_behind(record, positions, order, cursor)
    else:
        positions = _sort_positions(record, positions, order)
    return Found(positions, matching, _cursor_above(above), (above, upto))


def _sort_behind(
    record: Record, positions: list[Position], order: str, cursor: Cursor
) -> list[Position]:
    """Put in order what comes behind the cursor, though what it names may no longer be found."""
    last = record.value("SELECT execution_id FROM search_docs WHERE docid = ?", [cursor.docid])
    if last is None:
        raise UsageError(
            f"nothing stands at {cursor.text!r} any more", hint="search again, without a place"
        )
    here = Position(cursor.at, cursor.docid, last)
    ordered = _sort_positions(record, [*positions, here], order)
    return ordered[[position.docid for position in ordered].index(cursor.docid) + 1 :]


def _cursor_above(docid: int) -> Cursor | None:
    """Give what asks for the runs up to a docid; None: there are none."""
    return Cursor(slot_end(docid), docid + 1) if docid else None


def _index_pending(record: Record) -> None:
    """Index what raw SQL changed since orch last wrote, if that can be done now."""
    if record.writable and _is_behind(record):
        with record.in_passing(), record.write():
            refresh_pending(record)


def _is_behind(record: Record) -> bool:
    return bool(record.value("SELECT 1 FROM search_pending LIMIT 1"))


_CURSOR = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z)/(\d{1,18})(?:/(\d{1,18})/(\d{1,18}))?", re.ASCII)


def parse_cursor(text: str) -> Cursor:
    """Read what `Cursor.text` wrote.

    Raises:
        UsageError: it is no such thing.
    """
    found = _CURSOR.fullmatch(text)
    if not found:
        raise UsageError(f"{text!r} is no place in a list", hint="give what the last page named")
    sorted_range = (int(found[3]), int(found[4])) if found[3] else None
    return Cursor(found[1], int(found[2]), sorted_range)


def _sort_positions(record: Record, positions: list[Position], order: str) -> list[Position]:
    by_id = {position.execution_id: position for position in positions}
    rows = record.sql(
        "SELECT execution_id FROM agent_executions "
        "WHERE execution_id IN (SELECT value FROM json_each(?)) "
        f"ORDER BY {ORDERS[order]}, execution_id DESC",
        [json.dumps(list(by_id))],
    )
    return [by_id[execution_id] for (execution_id,) in rows]


def _skip_to_cursor(
    ordered: Iterator[Position], first: list[Position], cursor: Cursor | None
) -> Iterator[Position]:
    """Go on after the cursor, where it is among the first; else from the beginning."""
    if cursor and any(position.docid == cursor.docid for position in first):
        ordered = dropwhile(lambda position: position.docid != cursor.docid, ordered)
        next(ordered)
    return ordered


# Asking the index


class IndexQuery:
    """A query as conditions on the index."""

    def __init__(
        self, record: Record, query: Query, project: tuple[str, ...] | None, include_archived: bool
    ) -> None:
        self.record = record
        self._query = query
        named = any(each.name == "project" for each in query.filters)
        roots = () if project is None or named else filter(None, project)
        self._roots = [filter_token("project", root) for root in roots]
        self.match = query.match_expression(self._roots)
        self.conditions: list[str] = []
        self.parameters: list[Any] = []
        if not include_archived:
            self._add("d.archived = 0")
        if _is_behind(record):
            runs = "SELECT 1 FROM agent_executions AS e WHERE e.execution_id = d.execution_id"
            self._add(f"EXISTS ({runs})")  # raw SQL deleted some
        if query.since:
            self._add(f"{self._docid} >= ?", first_docid(query.since))
            self._add("d.deployed_at >= ?", query.since)
        if query.until:
            self._add(f"{self._docid} <= ?", self._last_docid(query.until))
            self._add("d.deployed_at <= ?", query.until)
        for words, excluded in query.given_alternatives():
            self._require_given(words, excluded)
        for each in query.parts:
            condition, patterns = part_condition(each)
            if condition:
                self._add(condition, *patterns)
        for by_origin in query.origins:
            self._add(origin_condition(record, by_origin))

    @property
    def _docid(self) -> str:
        return "s.rowid" if self.match else "d.docid"

    def _add(self, condition: str, *parameters: Any) -> None:
        self.conditions.append(condition)
        self.parameters += parameters

    def _last_docid(self, at: str) -> int:
        """Give the greatest docid that a run deployed by then can have."""
        displaced = self.record.value("SELECT max(displaced) FROM search_docs WHERE displaced > 0")
        return first_docid(at) + (displaced or 0)

    def _require_given(self, words: tuple[QueryWord, ...], excluded: bool) -> None:
        """Add a condition on the contents that runs were given.

        Few matching givings are listed; of many, one is soon found by looking at each run.
        """
        contents, parameters = self._given_contents(words)
        many = self.record.value(
            f"SELECT 1 FROM search_given WHERE content_id IN ({contents}) LIMIT 1 OFFSET ?",
            [*parameters, _MAX_LISTED],
        )
        # A unary + keeps SQLite from seeking every listed value for every run.
        holds = (
            f"EXISTS (SELECT 1 FROM search_given AS g WHERE g.docid = d.docid "
            f"AND +g.content_id IN ({contents}))"
            if many
            else f"{'+' if self.match or excluded else ''}{self._docid} IN "
            f"(SELECT docid FROM search_given WHERE content_id IN ({contents}))"
        )
        self._add(f"NOT {holds}" if excluded else holds, *parameters)

    def _given_contents(self, words: tuple[QueryWord, ...]) -> tuple[str, list[Any]]:
        """Give the SELECT of the contents that have one of the words, in each index there is."""
        selects, parameters = [], []
        for table, version in {given_table(v): v for v in _versions(self.record)}.items():
            selects.append(f"SELECT rowid FROM {table} WHERE {table} MATCH ?")
            parameters.append(any_word_expression(words, version))
        if not selects or not all(parameters):
            return "SELECT content_id FROM search_given", []
        contents = " UNION ".join(selects)
        if not any(word.is_checked for word in words):
            return contents, parameters
        checked = self._check_contents(contents, parameters, words)
        return "SELECT value FROM json_each(?)", [json.dumps(checked)]

    def _check_contents(
        self, contents: str, parameters: list[Any], words: tuple[QueryWord, ...]
    ) -> list[int]:
        """List the contents that have one of the words as it is written."""
        matchers = word_matchers(words)
        rows = self.record.execute(
            f"SELECT content_id, encoding, {STORED_BYTES} FROM contents "
            f"WHERE content_id IN ({contents})",
            parameters,
        )
        return [
            content_id
            for content_id, *stored in rows
            if (folded := fold_text(decode_content(*stored)))
            and any(matcher.stands_in(folded) for matcher in matchers)
        ]

    def newest(self, limit: int, cursor: Cursor | None = None) -> list[Position]:
        """Find at most ``limit`` positions by descending docid, older than the cursor."""
        if not cursor:
            return self._ask(self.conditions, self.parameters, limit)
        conditions, parameters = self._after(cursor)
        return self._ask([*self.conditions, *conditions], [*self.parameters, *parameters], limit)

    def _after(self, cursor: Cursor) -> tuple[list[str], list[Any]]:
        conditions = [f"{self._docid} <= ?", "(d.deployed_at, d.docid) < (?, ?)"]
        return conditions, [self._last_docid(cursor.at), cursor.at, cursor.docid]

    def between(self, above: int, upto: int | None, limit: int) -> list[Position]:
        """Find by descending docid at most ``limit`` of a range of docids."""
        conditions = [*self.conditions, f"{self._docid} > ?"]
        parameters = [*self.parameters, above]
        if upto is not None:
            conditions.append(f"{self._docid} <= ?")
            parameters.append(upto)
        return self._ask(conditions, parameters, limit)

    def _ask(self, conditions: list[str], parameters: list[Any], limit: int) -> list[Position]:
        if not self.match:
            return self._find("search_docs AS d", conditions, parameters, limit)
        found: list[Position] = []
        for version in _versions(self.record):
            table = texts_table(version)
            found += self._find(
                f"{table} AS s CROSS JOIN search_docs AS d ON d.docid = s.rowid",
                [f"{table} MATCH ?", "d.index_version = ?", *conditions],
                [self._query.match_expression(self._roots, version), version, *parameters],
                limit,
            )
        found.sort(key=lambda position: position.docid, reverse=True)
        return found[:limit]

    def _find(
        self, source: str, conditions: list[str], parameters: list[Any], limit: int
    ) -> list[Position]:
        rows = self.record.sql(
            f"SELECT d.deployed_at, d.docid, d.execution_id FROM {source} "
            f"WHERE {' AND '.join(conditions) or '1'} ORDER BY {self._docid} DESC LIMIT ?",
            [*parameters, limit],
        )
        return [Position(*row) for row in rows]

    def page(self, limit: int, cursor: Cursor | None, first: list[Position]) -> list[Position]:
        """Find at most ``limit`` positions, exactly newest first; ``first`` are the newest.

        A docid may lie above the slot of its time, so a position is known to come next only if its
        time lies above all that was not fetched.
        """
        fetched = MAX_COUNTED + 1
        positions = self.newest(fetched, cursor) if cursor else first
        while len(positions) == fetched:
            deepest = positions[-1].docid
            wanted = sorted(positions, reverse=True)[:limit]
            if len(wanted) == limit and (
                first_docid(wanted[-1].at) >= deepest
                or not self._has_later(wanted[-1].at, deepest, cursor)
            ):
                return wanted
            fetched *= 4
            positions = self.newest(fetched, cursor)
        return sorted(positions, reverse=True)[:limit]

    def _has_later(self, at: str, below: int, cursor: Cursor | None) -> bool:
        """Tell whether a run of a lower docid was deployed after a time, by the table of runs.

        Of many runs that are recorded within minutes none but the first is in the slot of its time:
        by the slots alone all of them would be fetched for the first hundred.
        """
        upto = "" if cursor is None else f"AND {WHEN} <= ?"
        later = f"SELECT execution_id FROM agent_executions WHERE {WHEN} > ? {upto}"
        found = self.record.value(
            f"SELECT 1 FROM ({later}) CROSS JOIN search_docs AS d USING (execution_id) "
            "WHERE d.docid < ? LIMIT 1",
            [at, *([] if cursor is None else [cursor.at]), below],
        )
        return found is not None


def _versions(record: Record) -> list[int]:
    """List the versions of the index that runs may be found in: this one, and older ones."""
    versions = [INDEX_VERSION] if has_table(record) else []  # there is none before the first write
    last = INDEX_VERSION
    while last := record.value(
        "SELECT max(index_version) FROM search_docs WHERE index_version < ?", [last]
    ):
        versions.append(last)
    return versions


# Showing what was found


_SUCCESS, _IS_OWN = 8, 14
"""Where the flags stand in a row of `_load_hits`."""

_OWN_ORIGIN = "(SELECT origin_id FROM origins WHERE mine AND closed_at IS NULL)"


def _load_hits(
    record: Record,
    matchers: Sequence[TextMatcher],
    positions: Sequence[Position],
) -> Iterator[Hit]:
    rows = record.sql(
        f"SELECT execution_id, session_id, agent_type, status, {MODEL}, deployed_at, scope, "
        f"unverified, success, {USED}, cost_usd, parent_execution_id, person, machine, "
        "e.origin_id IS NULL, e.uid, "
        "substr(coalesce(nullif(trim(final_message, char(9, 10, 13, 32)), ''), error_message), 1, "
        f"{SEARCHED_CHARACTERS}) "
        f"FROM agent_executions AS e LEFT JOIN origins AS o "
        f"ON o.origin_id = coalesce(e.origin_id, {_OWN_ORIGIN}) "
        "WHERE execution_id IN (SELECT value FROM json_each(?))",
        [json.dumps([position.execution_id for position in positions])],
    )
    by_id = {row[0]: row for row in rows}
    for position in positions:
        if position.execution_id not in by_id:  # plain SQL took the run from under the index
            continue
        *facts, message = by_id[position.execution_id]
        facts[_SUCCESS] = None if facts[_SUCCESS] is None else bool(facts[_SUCCESS])
        facts[_IS_OWN] = bool(facts[_IS_OWN])
        others = (text for _, text in load_other_texts(record, position.docid))
        facts += cut_snippet(matchers, clean_text(message), others)
        yield Hit(*facts)


def cut_snippet(
    matchers: Sequence[TextMatcher], message: str, others: Iterable[str]
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Cut the first text of a run that has a required word, from a little before it: its message,
    or one of the others, each of which is only read when it is needed."""
    if matchers:
        for text in chain((message,), others):
            found = _first_match(text, matchers)
            if found is not None:
                return _cut_line(text, found, matchers)
    return _cut_line(message, 0, ())


def _first_match(text: str, matchers: Sequence[TextMatcher]) -> int | None:
    """Find where the first of the words that ``text`` has stands in it."""
    folded = FoldedText(text)
    for matcher in matchers:
        for start, end in matcher.spans(folded):
            return folded.place(start, end)[0]
    return None


_SPACE = str.maketrans("\r\n\t\v\f\x85\u2028\u2029", " " * 8)


def _cut_line(
    text: str, found: int, matchers: Sequence[TextMatcher]
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Cut one line around ``found``, beginning with a whole word, and find the words in it."""
    start = max(0, found - _CHARACTERS_BEFORE)
    if start:
        start = text.find(" ", start, found) + 1 or start
    line = text[start : start + _SNIPPET_CHARACTERS].translate(_SPACE).rstrip()
    return line, find_spans(line, matchers) if matchers else ()


# Completing what is typed


def complete_filter_names(beginning: str) -> tuple[str, ...]:
    """Complete the beginning of a filter's name."""
    return tuple(name for name in FILTERS if name.startswith(beginning.lower()))


def complete_filter_values(
    record: Record, name: str, beginning: str, limit: int = 20
) -> tuple[str, ...]:
    """Complete the beginning of a value of filter ``name`` from the record (lower-cased)."""
    found: Iterator[str]
    if name in FIXED_VALUES:
        found = (value for value in FIXED_VALUES[name] if value.startswith(beginning.lower()))
    elif name in ("person", "machine"):
        beginning = beginning.lower()
        found = (n for n in list_origin_names(record, name) if n.startswith(beginning))
    elif name in TOKEN_LETTERS:
        from orch_tui.search.nearest import list_values

        found = list_values(record, filter_token(name, beginning))
    else:
        return ()
    return tuple(islice(found, limit))
