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
from itertools import islice
from typing import Any, NamedTuple

from orch_tui.errors import UsageError
from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.rows import MODEL, USED
from orch_tui.search.documents import (
    clean_text,
    extract_briefing_text,
    first_docid,
    unpack_small_fields,
)
from orch_tui.search.language import (
    FILTERS,
    FIXED_VALUES,
    Query,
    WordMatcher,
    find_spans,
    parse_query,
    word_matchers,
)
from orch_tui.search.maintenance import has_table, refresh_pending
from orch_tui.search.schema import INDEX_VERSION, texts_table
from orch_tui.search.tokens import compose_text, filter_token, fold_text, token_value

MAX_COUNTED = 400
"""How many hits are counted, and ranked when there are words; more are ``>400``, newest first."""

MAX_SORTED = 2000
"""How many hits, the newest, are put in another order than by time."""

ORDERS = {
    "newest": "",
    "cost": "cost_usd DESC",
    "duration": "duration_ms DESC",
    "agent": "agent_type COLLATE NOCASE, deployed_at DESC",
}
"""The orders of hits: by time, the best of few first; or by a figure, unknown ones last."""

_RANKED_CHARACTERS = 1000  # of a message, that its rank is judged by
_SNIPPET_CHARACTERS = 200
_CHARACTERS_BEFORE = 60  # of a snippet, before the first match
_SEARCHED_CHARACTERS = 20_000  # of a message, for a snippet
_MAX_LISTED = 5000  # givings of matching contents that are listed, not checked for each run
_HALF_LIFE = 30 * 8640  # slots (30 days) in which recency counts half


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
    snippet: str
    spans: tuple[tuple[int, int], ...]

    def row(self) -> dict[str, Any]:
        """Give the hit by column names."""
        return {
            "execution_id": self.execution_id,
            "session_id": self.session_id,
            "agent_type": self.agent_type,
            "status": self.status,
            "model": self.model,
            "deployed_at": self.at,
            "scope": self.scope,
            "unverified": self.unverified,
            "success": self.success,
            "used_tokens": self.used_tokens,
            "cost_usd": self.cost_usd,
            "snippet": self.snippet,
        }


@frozen
class Page:
    """Some of what was found. ``next_before`` asks for what comes after; None: that was all.

    ``total`` is exact up to `MAX_COUNTED`; ``more`` says that there are more than it.
    """

    hits: tuple[Hit, ...]
    total: int
    more: bool
    next_before: str | None
    mistakes: tuple[str, ...]

    @property
    def count_text(self) -> str:
        """How many were found, in words: ``12``, or ``>400``."""
        return f">{self.total}" if self.more else str(self.total)


class Position(NamedTuple):
    """Where a found run stands among all; positions sort by time."""

    at: str
    docid: int
    execution_id: str


def search(
    record: Record,
    query: str | Query,
    *,
    limit: int = 50,
    before: str | None = None,
    project: tuple[str, ...] | None = None,
    include_archived: bool = False,
    order: str = "newest",
) -> Page:
    """Find the executions that ``query`` asks for, all of them where it asks for nothing.

    ``order`` is one of `ORDERS`; in another than the first there is one page only.

    ``before`` is the ``next_before`` of the page before. ``project`` are the roots that runs of
    the project name, where those of others are left out; a query that names projects finds those.

    Raises:
        UsageError: ``before`` is no such thing.
    """
    if isinstance(query, str):
        query = parse_query(query, record.clock())
    cursor = _parse_cursor(before) if before else None
    _index_pending(record)
    matchers = word_matchers(query.required_words)
    with record.read():
        index_query = IndexQuery(record, query, project, include_archived)
        first = index_query.newest(MAX_COUNTED + 1)
        if ORDERS[order]:
            chosen = _sort_positions(record, index_query.newest(MAX_SORTED), order)[:limit]
        elif first and matchers and len(first) <= MAX_COUNTED:
            scores = _score_positions(record, matchers, first)
            ordered = sorted(first, key=lambda p: (scores[p.execution_id], p), reverse=True)
            chosen = _skip_to_cursor(ordered, cursor)[: limit + 1]
        else:
            chosen = index_query.page(limit + 1, cursor, first)
        page, rest = chosen[:limit], chosen[limit:]
        return Page(
            hits=tuple(_load_hits(record, matchers, page)),
            total=min(len(first), MAX_COUNTED),
            more=len(first) > MAX_COUNTED,
            next_before=f"{page[-1].at}/{page[-1].docid}" if rest and page else None,
            mistakes=query.mistakes,
        )


def _index_pending(record: Record) -> None:
    """Index what raw SQL changed since orch last wrote, if that can be done now."""
    if record.writable and _is_behind(record):
        with record.in_passing(), record.write():
            refresh_pending(record)


def _is_behind(record: Record) -> bool:
    return bool(record.value("SELECT 1 FROM search_pending LIMIT 1"))


_CURSOR = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z)/(\d{1,18})", re.ASCII)


def _parse_cursor(text: str) -> Position:
    found = _CURSOR.fullmatch(text)
    if not found:
        raise UsageError(f"{text!r} is no place in a list", hint="give what the last page named")
    return Position(found[1], int(found[2]), "")


def _sort_positions(record: Record, positions: list[Position], order: str) -> list[Position]:
    by_id = {position.execution_id: position for position in positions}
    rows = record.sql(
        "SELECT execution_id FROM agent_executions "
        f"WHERE execution_id IN (SELECT value FROM json_each(?)) ORDER BY {ORDERS[order]}",
        [json.dumps(list(by_id))],
    )
    return [by_id[execution_id] for (execution_id,) in rows]


def _skip_to_cursor(ordered: list[Position], cursor: Position | None) -> list[Position]:
    for number, position in enumerate(ordered):
        if cursor and position.docid == cursor.docid:
            return ordered[number + 1 :]
    return ordered


# Asking the index


class IndexQuery:
    """A query as conditions on the index."""

    def __init__(
        self, record: Record, query: Query, project: tuple[str, ...] | None, include_archived: bool
    ) -> None:
        self.record = record
        named = any(each.name == "project" for each in query.filters)
        roots = () if project is None or named else filter(None, project)
        self.match = query.match_expression([filter_token("project", root) for root in roots])
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
        for expression, excluded in query.given_expressions():
            self._require_given(expression, excluded)

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

    def _require_given(self, expression: str, excluded: bool) -> None:
        """Add a condition on the contents that runs were given.

        Few matching givings are listed; of many, one is soon found by looking at each run.
        """
        contents = "SELECT rowid FROM given_index WHERE given_index MATCH ?"
        many = self.record.value(
            f"SELECT 1 FROM search_given WHERE content_id IN ({contents}) LIMIT 1 OFFSET ?",
            [expression, _MAX_LISTED],
        )
        # A unary + keeps SQLite from seeking every listed value for every run.
        holds = (
            f"EXISTS (SELECT 1 FROM search_given AS g WHERE g.docid = d.docid "
            f"AND +g.content_id IN ({contents}))"
            if many
            else f"{'+' if self.match or excluded else ''}{self._docid} IN "
            f"(SELECT docid FROM search_given WHERE content_id IN ({contents}))"
        )
        self._add(f"NOT {holds}" if excluded else holds, expression)

    def newest(self, limit: int, cursor: Position | None = None) -> list[Position]:
        """Find at most ``limit`` positions by descending docid, older than the cursor."""
        conditions, parameters = list(self.conditions), list(self.parameters)
        if cursor:
            conditions += [f"{self._docid} <= ?", "(d.deployed_at, d.docid) < (?, ?)"]
            parameters += [self._last_docid(cursor.at), cursor.at, cursor.docid]
        if not self.match:
            return self._find("search_docs AS d", conditions, parameters, limit)
        found: list[Position] = []
        for version in _versions(self.record):
            table = texts_table(version)
            found += self._find(
                f"{table} AS s CROSS JOIN search_docs AS d ON d.docid = s.rowid",
                [f"{table} MATCH ?", "d.index_version = ?", *conditions],
                [self.match, version, *parameters],
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

    def page(self, limit: int, cursor: Position | None, first: list[Position]) -> list[Position]:
        """Find at most ``limit`` positions, exactly newest first; ``first`` are the newest.

        A docid may lie above the slot of its time, so a position is known to come next only if its
        time lies above all that was not fetched.
        """
        fetched = MAX_COUNTED + 1
        positions = self.newest(fetched, cursor) if cursor else first
        while len(positions) == fetched:
            deepest = positions[-1].docid
            wanted = sorted(positions, reverse=True)[:limit]
            if len(wanted) == limit and first_docid(wanted[-1].at) >= deepest:
                return wanted
            fetched *= 4
            positions = self.newest(fetched, cursor)
        return sorted(positions, reverse=True)[:limit]


def _versions(record: Record) -> list[int]:
    """List the versions of the index that runs may be found in: this one, and older ones."""
    versions = [INDEX_VERSION] if has_table(record) else []  # there is none before the first write
    last = INDEX_VERSION
    while last := record.value(
        "SELECT max(index_version) FROM search_docs WHERE index_version < ?", [last]
    ):
        versions.append(last)
    return versions


# Ranking and showing what was found


def _score_positions(
    record: Record, matchers: Sequence[WordMatcher], positions: Sequence[Position]
) -> dict[str, float]:
    """Score how well each run matches, recent ones more; no clock, so that pages agree."""
    texts = record.sql(
        "SELECT execution_id, scope, "
        f"substr(final_message, 1, {_RANKED_CHARACTERS}) FROM agent_executions "
        "WHERE execution_id IN (SELECT value FROM json_each(?))",
        [json.dumps([position.execution_id for position in positions])],
    )
    docids = {position.execution_id: position.docid for position in positions}
    latest = max(docids.values())
    scores = {}
    for execution_id, scope, opening in texts:
        folded = (
            fold_text(compose_text(clean_text(scope))),
            fold_text(compose_text(clean_text(opening))),
        )
        relevance = sum(_word_relevance(matcher, *folded) for matcher in matchers)
        age = (latest - docids[execution_id]) / _HALF_LIFE
        scores[execution_id] = relevance * (1 + 0.5 ** (1 + age))
    return scores


def _word_relevance(matcher: WordMatcher, scope: str, opening: str) -> float:
    """Judge a word: in the scope it tells most, then by how often the message's opening has it."""
    in_scope, times = bool(matcher.count(scope)), matcher.count(opening)
    return 1 + 6 * in_scope + 4 * times / (times + 1.5)


_SUCCESS = 8
"""Where the flag stands in a row of `_load_hits`."""


def _load_hits(
    record: Record,
    matchers: Sequence[WordMatcher],
    positions: Sequence[Position],
) -> Iterator[Hit]:
    rows = record.sql(
        f"SELECT execution_id, session_id, agent_type, status, {MODEL}, deployed_at, scope, "
        f"unverified, success, {USED}, cost_usd, parent_execution_id, "
        "substr(coalesce(nullif(trim(final_message, char(9, 10, 13, 32)), ''), error_message), 1, "
        f"{_SEARCHED_CHARACTERS}) "
        "FROM agent_executions "
        "WHERE execution_id IN (SELECT value FROM json_each(?))",
        [json.dumps([position.execution_id for position in positions])],
    )
    by_id = {row[0]: row for row in rows}
    for position in positions:
        *facts, message = by_id[position.execution_id]
        facts[_SUCCESS] = None if facts[_SUCCESS] is None else bool(facts[_SUCCESS])
        facts += _snippet(record, matchers, position, compose_text(clean_text(message)))
        yield Hit(*facts)


def _snippet(
    record: Record, matchers: Sequence[WordMatcher], position: Position, message: str
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Cut the first text of the run that has a required word, from a little before it."""
    if matchers:
        for text in _load_texts(record, position, message):
            found = _first_match(text, matchers)
            if found is not None:
                return _cut_line(text, found, matchers)
    return _cut_line(message, 0, ())


def _first_match(text: str, matchers: Sequence[WordMatcher]) -> int | None:
    """Find where the first of the words that ``text`` has stands in it."""
    folded = fold_text(text)
    for matcher in matchers:
        for start, _ in matcher.spans(folded):
            return start
    return None


def _load_texts(record: Record, position: Position, message: str) -> Iterator[str]:
    """Load what was indexed of a run, most telling first; the scope is shown beside the snippet."""
    yield message
    packed, briefing_id = record.sql(
        "SELECT small_fields, briefing_id FROM search_docs WHERE docid = ?", [position.docid]
    )[0]
    fields = unpack_small_fields(packed)
    yield compose_text(fields["outputs"])
    yield compose_text("\n".join(fields["sources"]))
    if briefing_id is not None:
        parts = record.value("SELECT parts FROM briefings WHERE briefing_id = ?", [briefing_id])
        yield compose_text(extract_briefing_text(parts))
    yield compose_text("\n".join(fields.get("session", ())))


_SPACE = str.maketrans("\r\n\t\v\f\x85\u2028\u2029", " " * 8)


def _cut_line(
    text: str, found: int, matchers: Sequence[WordMatcher]
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
    elif name in FILTERS and name not in ("given", "since", "until"):
        found = _recorded_values(record, filter_token(name, beginning))
    else:
        return ()
    return tuple(islice(found, limit))


def _recorded_values(record: Record, beginning: str) -> Iterator[str]:
    """Read the values in the index whose tokens begin so: a seek for each, in order."""
    after = beginning
    while True:
        token = record.value(
            "SELECT term FROM search_terms WHERE term >= ? AND term < ? LIMIT 1",
            [after, beginning + "g"],  # the digits of a token end with f
        )
        if token is None:
            return
        yield token_value(token)
        after = token + "0"
