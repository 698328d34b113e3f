"""Finding the runs of a team on a hub: newest first, or best first where few match.

The same language as on the record of a machine finds the same runs. A hub is walked from its
newest runs back: three days by time, then whole months of which the index of words answers each,
more of them at a time; what has to be looked for in texts goes on in windows that double. It ends
when enough is found or the time is over, and says how far back it looked: asked for all at once,
PostgreSQL now and then takes seconds for a common word.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, dropwhile, groupby, islice
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from orch_tui.errors import UsageError
from orch_tui.hub.hub_query import (
    HubCondition,
    HubQuery,
    PlaceCheck,
    QueryTranslator,
    all_of,
    any_of,
)
from orch_tui.hub.search_rows import LONG, content_name, quote_lexeme
from orch_tui.models.database import Record, timestamp
from orch_tui.record.ledger.project_keys import is_kept_key, known_key
from orch_tui.search.checking import TextTest
from orch_tui.search.language import Query, QueryWord, parse_query
from orch_tui.search.matching import TextMatcher, query_matchers, word_matchers
from orch_tui.search.origins import KnownOrigin, told_names
from orch_tui.search.query import (
    MAX_COUNTED,
    ORDERS,
    SEARCHED_CHARACTERS,
    Cursor,
    Hit,
    Page,
    cut_snippet,
    parse_cursor,
)
from orch_tui.search.tokens import TEXTS_APART, fold_text

if TYPE_CHECKING:
    from orch_tui.hub.service import OpenHub

PATIENCE = 0.5
"""Seconds after which a search of a hub stops and says how far back it came."""

MAX_SORTED = 1000
"""How many hits are put in another order than by time at once."""

_MOST_CONTENTS = 300
"""Contents that are named in a query; of more, each run is asked which it was given."""

_FIRST_WINDOW = timedelta(days=3)
_BATCH = 250
"""Candidates whose texts are read at once."""

_HALF_LIFE = 30 * 86400
"""Seconds in which it counts half that a run is recent."""

_LEAST_TIME = 0.05
"""Seconds that a statement is given however little is left."""

_EVER = datetime(1, 1, 1, tzinfo=UTC)


class HubPosition(NamedTuple):
    """Where a found run stands among all; positions sort by time."""

    at: datetime
    run_id: int


def team_projects(record: Record, root: str) -> tuple[str, ...] | None:
    """Give the keys of the project at ``root`` on a hub; None: no other machine knows it by one,
    so that the runs of all projects are meant."""
    key = known_key(record, root)
    return None if key is None or is_kept_key(key) else (key,)


def search_team(
    hub: OpenHub,
    record: Record,
    query: str | Query,
    *,
    limit: int = 50,
    before: str | None = None,
    projects: tuple[str, ...] | None = None,
    include_archived: bool = False,
    order: str = "best",
    patience: float = PATIENCE,
    clock: Callable[[], float] = monotonic,
) -> Page:
    """Find the runs of a team that ``query`` asks for, as `orch_tui.search.query.search` does.

    ``record`` is that of who asks, for what is called otherwise here. ``projects`` are the keys of
    those that are searched (`team_projects`). The words that are offered where nothing is found
    are of the record.

    Raises:
        UsageError: ``before`` or ``order`` is no such thing.
        psycopg.Error: the hub refused, or went away.
    """
    if order not in ORDERS:
        raise UsageError(f"{order!r} is no order", hint=f"there are {', '.join(ORDERS)}")
    if isinstance(query, str):
        query = parse_query(query, record.clock())
    cursor = parse_cursor(before) if before else None
    search = _TeamSearch(hub, record, patience, clock)
    scope = _Scope(projects, include_archived)
    return search.page(query, scope, limit, cursor, order)


class _Scope(NamedTuple):
    projects: tuple[str, ...] | None
    include_archived: bool


class _OutOfTimeError(Exception):
    """A statement was not answered in the time that was left."""


class _Found(NamedTuple):
    positions: list[HubPosition]
    matching: int
    stopped: datetime | None = None
    """All from here on was looked at; None: all was."""
    sorted_range: tuple[int, int] | None = None

    def cursor_behind(self, last: HubPosition) -> Cursor:
        return Cursor(_text_of(last.at), last.run_id, self.sorted_range)


class _Walked(NamedTuple):
    """What was found, newest first, in all runs since a time; None: in all."""

    found: list[HubPosition]
    stopped: datetime | None


class _TeamSearch:
    """One search of a hub, within its time."""

    def __init__(
        self, hub: OpenHub, record: Record, patience: float, clock: Callable[[], float]
    ) -> None:
        self._connection, self._record = hub.connection, record
        self._clock, self._end = clock, clock() + patience
        self._person = hub.person
        self._own_uids = {
            str(uid)
            for (uid,) in record.sql("SELECT uid FROM origins WHERE mine AND closed_at IS NULL")
        }
        self._connection.prepare_threshold = None  # plans are made for the values that are asked
        self._translator = QueryTranslator(record, self._list_origins())

    def _list_origins(self) -> list[KnownOrigin]:
        rows = self._connection.execute(
            "SELECT uid, person, declared, machine, name FROM origins ORDER BY origin_id"
        ).fetchall()
        self._named = Counter(name for *_, name in rows)
        return [
            KnownOrigin(
                uid,
                person == self._person or uid in self._own_uids,
                uid in self._own_uids,
                told_names(person, declared),
                told_names(machine, name),
            )
            for uid, person, declared, machine, name in rows
        ]

    def page(
        self, query: Query, scope: _Scope, limit: int, cursor: Cursor | None, order: str
    ) -> Page:
        asked = self._translate(query, scope)
        if asked is None:
            return Page((), 0, False, None, query.mistakes)
        if ORDERS[order]:
            found = self._find_by_figure(asked, query, cursor, order)
        elif query.is_in_texts:
            found = self._find_in_texts(asked, query, cursor)
        else:
            found = self._find_by_index(asked, query, cursor, order, limit)
        page, rest = found.positions[:limit], found.positions[limit:]
        stopped = Cursor(_text_of(found.stopped), 0) if found.stopped else None
        following = found.cursor_behind(page[-1]) if rest and page else stopped
        nearest: tuple[str, ...] = ()
        if not (found.matching or cursor or stopped):
            nearest = self._find_nearest(query, scope)
        return Page(
            hits=tuple(self._load_hits(query_matchers(query), page)),
            total=min(found.matching, MAX_COUNTED),
            more=found.matching > MAX_COUNTED,
            next_before=following.text if following else None,
            mistakes=query.mistakes,
            looked_back_to=stopped.at
            if stopped and (ORDERS[order] or found.matching <= MAX_COUNTED)
            else None,
            nearest=nearest,
        )

    def _find_nearest(self, query: Query, scope: _Scope) -> tuple[str, ...]:
        """Find queries with words that are the nearest in the record, and that find something on
        the hub."""
        from orch_tui.search.nearest import list_nearest_queries

        def finds(text: str) -> bool:
            asked = self._translate(other := parse_query(text, self._record.clock()), scope)
            return asked is not None and bool(self._walk(asked, other, wanted=1).found)

        offered = islice(list_nearest_queries(self._record, query), 4)
        return tuple(islice(filter(finds, offered), 2))

    # Asking

    def _left(self) -> float:
        return self._end - self._clock()

    def _ask(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """Ask within the time that is left."""
        from psycopg.errors import QueryCanceled

        left = int(1000 * max(self._left(), _LEAST_TIME))
        try:
            with self._connection.pipeline():
                self._connection.execute(_SETTINGS, [str(left)])
                rows = self._connection.execute(statement.encode(), parameters)
            return rows.fetchall()
        except QueryCanceled:
            raise _OutOfTimeError from None

    def _translate(self, query: Query, scope: _Scope) -> HubQuery | None:
        """Translate a query; None: nothing can match it."""
        asked = self._translator.translate(
            query, scope.projects, include_archived=scope.include_archived
        )
        if asked.finds_nothing:
            return None
        for words, excluded in query.given_alternatives():
            given = self._require_given(asked, words, excluded)
            if given is None:
                return None
            asked = given
        return asked

    def _require_given(
        self, asked: HubQuery, words: tuple[QueryWord, ...], excluded: bool
    ) -> HubQuery | None:
        """Add a condition on the contents that runs were given; None: no run meets it."""
        rendered = self._translator.render_given(words)
        if not rendered:
            return asked
        is_checked = any(word.is_checked for word in words)
        try:
            names = self._ask(
                "SELECT sha256 FROM content_search WHERE words @@ %s::tsquery LIMIT %s",
                [rendered, 50 * _MOST_CONTENTS if is_checked else _MOST_CONTENTS + 1],
            )
        except _OutOfTimeError:
            names = [(b"",)] * (_MOST_CONTENTS + 1)
        found = [bytes(sha256) for (sha256,) in names]
        if is_checked:
            found = self._check_contents(found, words)
        if len(found) > _MOST_CONTENTS and not is_checked:
            given = (
                "EXISTS (SELECT FROM unnest(tsvector_to_array(s.words)) AS held (name) "
                "JOIN content_search AS c ON c.sha256 = CASE WHEN held.name ^@ %s "
                "THEN decode(substr(held.name, 2), 'hex') END WHERE c.words @@ %s::tsquery)"
            )
            condition = HubCondition(
                f"NOT {given}" if excluded else given, (content_name(b""), rendered)
            )
            return _with(asked, conditions=(*asked.conditions, condition), in_turn=True)
        if not found:
            return asked if excluded else None
        either = any_of(quote_lexeme(content_name(sha256)) for sha256 in found)
        if excluded:
            return _with(asked, words=all_of([asked.words], [either]))
        return _with(asked, words=all_of([asked.words, either], []))

    def _check_contents(self, found: list[bytes], words: Sequence[QueryWord]) -> list[bytes]:
        """Keep the contents that have one of the words as it is written."""
        matchers = word_matchers(words)
        rows = self._ask(
            "SELECT sha256, encoding, data FROM contents WHERE sha256 = ANY(%s)", [found]
        )
        return [
            bytes(sha256)
            for sha256, encoding, data in rows
            if data is not None
            and (text := fold_text(_decode(encoding, data)))
            and any(matcher.stands_in(text) for matcher in matchers)
        ]

    # Walking

    def _walk(
        self,
        asked: HubQuery,
        query: Query,
        *,
        wanted: int,
        below: HubPosition | None = None,
        since: datetime | None = None,
    ) -> _Walked:
        """Find by time, newest first, ``wanted`` runs or all there are, older than ``below`` and
        not older than ``since``."""
        check = _TextCheck(self, query)
        conditions = [*asked.conditions]
        if below is not None:
            conditions.append(HubCondition("(s.at, s.run_id) < (%s, %s)", (below.at, below.run_id)))
        if asked.until is not None:
            conditions.append(HubCondition("s.at <= %s", (asked.until,)))
        earliest = max(filter(None, (asked.since, since, _EVER)))
        if asked.is_plain:
            return self._list_newest(asked, conditions, earliest, wanted)
        found: list[HubPosition] = []
        upper = min(
            filter(None, (below and below.at, asked.until)), default=self._record.clock()
        ) + timedelta(milliseconds=1)
        is_open = below is None and asked.until is None  # clocks of others may be ahead
        oldest = max(earliest, self._oldest())
        for begin, in_order in _list_windows(upper, oldest, in_turn=asked.in_turn):
            # The last takes in those whose time nobody knows.
            lower = earliest if begin <= oldest else begin
            end = None if is_open else upper
            is_open = False
            try:
                some = self._look_in_window(
                    asked, conditions, check, lower, end, in_order, wanted - len(found)
                )
            except _OutOfTimeError:
                return _Walked(found, upper)
            found += some
            upper = lower
            if len(found) >= wanted or lower <= earliest:
                break
            if self._left() <= 0:
                return _Walked(found, upper)
        return _Walked(found, None)

    def _oldest(self) -> datetime:
        """Find when the oldest run was deployed of which that is known."""
        try:
            rows = self._ask("SELECT at FROM search WHERE at > %s ORDER BY at LIMIT 1", [_EPOCH])
        except _OutOfTimeError:
            return _EVER
        return rows[0][0] if rows else _EVER

    def _look_in_window(
        self,
        asked: HubQuery,
        conditions: list[HubCondition],
        check: _TextCheck,
        lower: datetime,
        upper: datetime | None,
        in_order: bool,
        wanted: int,
    ) -> list[HubPosition]:
        """Find those of a window of time, newest first."""
        terms = [HubCondition("s.at >= %s", (lower,)), *conditions]
        if upper is not None:
            terms.append(HubCondition("s.at < %s", (upper,)))
        if asked.words:
            terms.append(HubCondition("s.words @@ %s::tsquery", (asked.words,)))
        # With an order that no index has, that of words has to answer.
        by = "s.at" if in_order else "s.at + interval '0'"
        found: list[HubPosition] = []
        behind: list[HubCondition] = []
        while True:
            limit = _BATCH if check.is_needed else wanted
            rows = self._ask(
                f"SELECT s.at, s.run_id, {check.column} FROM search AS s "
                f"WHERE {' AND '.join(term.sql for term in (*terms, *behind))} "
                f"ORDER BY {by} DESC, s.run_id DESC LIMIT %s",
                [each for term in (*terms, *behind) for each in term.parameters] + [limit],
            )
            found += check.filter(rows)
            if len(rows) < limit or len(found) >= wanted or not check.is_needed:
                return found
            behind = [HubCondition("(s.at, s.run_id) < (%s, %s)", tuple(rows[-1][:2]))]

    def _list_newest(
        self,
        asked: HubQuery,
        conditions: Sequence[HubCondition],
        since: datetime,
        wanted: int,
    ) -> _Walked:
        """List the newest runs where nothing but their project and time has to be looked for."""
        terms = [HubCondition("s.at >= %s AND NOT s.retracted", (since,)), *conditions]
        if asked.projects is not None:
            terms.append(HubCondition("s.project = ANY(%s)", (list(asked.projects),)))
        try:
            rows = self._ask(
                f"SELECT s.at, s.run_id FROM runs AS s "
                f"WHERE {' AND '.join(term.sql for term in terms)} "
                "ORDER BY s.at DESC, s.run_id DESC LIMIT %s",
                [each for term in terms for each in term.parameters] + [wanted],
            )
        except _OutOfTimeError:
            return _Walked([], self._record.clock())
        return _Walked([HubPosition(*row) for row in rows], None)

    # Putting in order

    def _find_by_index(
        self, asked: HubQuery, query: Query, cursor: Cursor | None, order: str, limit: int
    ) -> _Found:
        """Find at least one more than ``limit``, where there are so many."""
        first = self._walk(asked, query, wanted=MAX_COUNTED + 1)
        matching = len(first.found)
        if order == "best" and asked.ranked and matching <= MAX_COUNTED and not first.stopped:
            ranked = self._rank(asked, first.found)
            return _Found(list(_skip_to_cursor(ranked, cursor)), matching)
        if cursor is None:
            return _Found(first.found, matching, first.stopped)
        behind = self._walk(asked, query, wanted=limit + 1, below=_place(cursor))
        return _Found(behind.found, matching, behind.stopped)

    def _rank(self, asked: HubQuery, found: list[HubPosition]) -> list[HubPosition]:
        """Rank runs by how well they match, recent ones more; by time where that takes too long."""
        if not found:
            return []
        # Each month by itself: else every month would be asked for each run.
        months = [
            list(group)
            for _, group in groupby(found, key=lambda each: (each.at.year, each.at.month))
        ]
        part = (
            "SELECT at, run_id, ts_rank('{0.1, 0.2, 0.4, 1.0}', words, %s::tsquery) AS rank "
            "FROM search WHERE at BETWEEN %s AND %s AND run_id = ANY(%s)"
        )
        given = [
            (asked.ranked, month[-1].at, month[0].at, [each.run_id for each in month])
            for month in months
        ]
        try:
            rows = self._ask(
                f"SELECT at, run_id FROM ({' UNION ALL '.join([part] * len(months))}) AS f "
                "ORDER BY rank * (1 + 0.5 * exp(greatest(-99, "
                "-0.69 * extract(epoch FROM %s - at)::float8 / %s))) DESC, at DESC, run_id DESC",
                [*chain(*given), found[0].at, _HALF_LIFE],
            )
        except _OutOfTimeError:
            return found
        return [HubPosition(*row) for row in rows]

    def _find_in_texts(self, asked: HubQuery, query: Query, cursor: Cursor | None) -> _Found:
        """Find what is looked for in the texts themselves, as far back as there is time for."""
        below = _place(cursor) if cursor else None
        walked = self._walk(asked, query, wanted=MAX_COUNTED + 1, below=below)
        found, stopped = walked
        if len(found) > MAX_COUNTED and stopped is None:  # there may be more behind
            stopped = found[-1].at + timedelta(milliseconds=1)
            found = [each for each in found if each.at >= stopped] or found
        return _Found(found, len(walked.found), stopped)

    def _find_by_figure(
        self, asked: HubQuery, query: Query, cursor: Cursor | None, order: str
    ) -> _Found:
        """Find a range of runs, and put it in order: the one that the cursor stands in, else the
        next. A page is cut from the same range as the one before."""
        held = cursor.sorted_range if cursor else None
        if held:
            lower, upper = (_EPOCH + timedelta(milliseconds=each) for each in held)
            self._end += 10 * PATIENCE  # of what was found once
            walked = self._walk(
                asked, query, wanted=2**31, below=HubPosition(upper, 0), since=lower
            )
            stopped = lower if held[0] > 0 else None
        else:
            below = _place(cursor) if cursor else None
            walked = self._walk(asked, query, wanted=MAX_SORTED + 1, below=below)
            stopped = walked.stopped
            upper = below.at if below else self._record.clock() + timedelta(days=36500)
        found = walked.found
        if not held and len(found) > MAX_SORTED:
            last = found[-1].at
            found = [each for each in found if each.at > last] or found
            stopped = last + timedelta(milliseconds=1)
        sorted_range = (_number(stopped) if stopped else 0, _number(upper))
        ordered = self._sort(found, order)
        if cursor and held:
            ordered = list(_skip_to_cursor(ordered, cursor))
        matching = min(len(walked.found), MAX_COUNTED + 1)
        return _Found(ordered, matching, stopped, sorted_range)

    def _sort(self, found: list[HubPosition], order: str) -> list[HubPosition]:
        rows = self._connection.execute(
            f"SELECT at, run_id FROM runs WHERE run_id = ANY(%s) ORDER BY {_SORTS[order]}, "
            "run_id DESC".encode(),
            [[each.run_id for each in found]],
        )
        return [HubPosition(*row) for row in rows]

    # Showing what was found

    def _load_hits(
        self, matchers: Sequence[TextMatcher], positions: Sequence[HubPosition]
    ) -> Iterator[Hit]:
        ids = [position.run_id for position in positions]
        self._end = max(self._end, self._clock() + PATIENCE)
        rows = self._ask(_HITS, [ids]) if ids else []
        labels = self._known_labels([row[1] for row in rows])
        by_id = {row[0]: row[1:] for row in rows}
        others = _OtherTexts(self, ids)
        for run_id in ids:
            if run_id not in by_id:  # taken away meanwhile
                continue
            uid, label, origin_uid, origin_name, *facts, person, declared, machine, said = by_id[
                run_id
            ]
            session, agent, status, model, at, scope, unverified, went_well, used, cost = facts
            is_own = origin_uid in self._own_uids
            snippet, spans = cut_snippet(matchers, said or "", others.of(run_id))
            yield Hit(
                execution_id=labels.get(uid)
                or (label if is_own else f"{label}@{self._name(origin_name, origin_uid)}"),
                session_id=session or "",
                agent_type=agent,
                status=status,
                model=model,
                at=_text_of(at),
                scope=scope,
                unverified=unverified,
                success=went_well,
                used_tokens=used,
                cost_usd=cost,
                parent_execution_id=None,
                person=declared or person,
                machine=machine,
                is_own=is_own,
                uid=uid,
                snippet=snippet,
                spans=spans,
                is_here=uid in labels,
            )

    def _name(self, name: str, uid: str) -> str:
        """Name an origin as labels do: of several of one name each by a part of its uid, too."""
        return f"{name}.{uid[:4]}" if self._named[name] > 1 else name

    def _known_labels(self, uids: Sequence[str]) -> dict[str, str]:
        """Tell what the record calls the runs that it knows."""
        import json

        return {
            str(key).removeprefix("uid:"): str(label)
            for key, label in self._record.sql(
                "SELECT key, execution_id FROM execution_keys "
                "WHERE key IN (SELECT 'uid:' || value FROM json_each(?))",
                [json.dumps(list(uids))],
            )
        }

    def load_texts(self, run_ids: Sequence[int]) -> dict[int, tuple[list[str], list[str]]]:
        """Load the texts of some runs: what they were about, said and failed of; and the others."""
        rows = self._ask(
            "SELECT run_id, scope, message, error, other FROM run_texts WHERE run_id = ANY(%s)",
            [list(run_ids)],
        )
        return {
            run_id: ([text or "" for text in said], (other or "").split(TEXTS_APART))
            for run_id, *said, other in rows
        }


_SETTINGS = (
    "SELECT set_config('statement_timeout', %s, true), set_config('enable_seqscan', 'off', true), "
    "set_config('cpu_operator_cost', '5', true), set_config('jit', 'off', true), "
    "set_config('max_parallel_workers_per_gather', '0', true)"
)
"""Of each question. PostgreSQL takes a month of few pages for a short table, and does not know that
each vector it looks at has to be unpacked: without these it looks at all of them."""

_SORTS = {
    "cost": "cost_usd DESC NULLS LAST, at DESC",
    "duration": "duration_ms DESC NULLS LAST, at DESC",
    "agent": "lower(agent), at DESC",
}

_HITS = (
    "SELECT r.run_id, r.uid, r.label, o.uid, o.name, r.session, r.agent, r.status, r.model, r.at, "
    "t.scope, r.unverified, r.went_well, r.input_tokens + coalesce(r.cache_write_tokens, 0) "
    "+ coalesce(r.cache_read_tokens, 0) + coalesce(r.output_tokens, 0), r.cost_usd, "
    "o.person, o.declared, r.machine, "
    f"left(coalesce(nullif(btrim(t.message, E' \\t\\n\\r'), ''), t.error), {SEARCHED_CHARACTERS}) "
    "FROM runs AS r JOIN origins AS o USING (origin_id) LEFT JOIN run_texts AS t USING (run_id) "
    "WHERE r.run_id = ANY(%s)"
)


class _OtherTexts:
    """The texts of the runs of a page besides their messages, loaded once where they are needed."""

    def __init__(self, search: _TeamSearch, run_ids: Sequence[int]) -> None:
        self._search, self._run_ids = search, run_ids
        self._loaded: dict[int, tuple[list[str], list[str]]] | None = None

    def of(self, run_id: int) -> Iterator[str]:
        """Give those of one run, most telling first."""
        if self._loaded is None:
            try:
                self._loaded = self._search.load_texts(self._run_ids)
            except _OutOfTimeError:
                self._loaded = {}
        if run_id in self._loaded:
            yield from self._loaded[run_id][1]


class _TextCheck:
    """What the index does not tell of runs, looked for in their texts."""

    def __init__(self, search: _TeamSearch, query: Query) -> None:
        self._search = search
        self._test = TextTest(query)
        phrases = [
            w for w in query.words if w.tokens[1:] or not w.tokens or not w.tokens[0].isascii()
        ]
        self._places = PlaceCheck(query) if phrases else None

    @property
    def is_needed(self) -> bool:
        """Whether the texts of every run have to be read."""
        return not self._test.admits_all

    @property
    def column(self) -> str:
        """Give the SQL that tells of a row of ``search`` (``s``) whether it lacks places."""
        return (
            f"s.words @@ {quote_lexeme(quote_lexeme(LONG))}::tsquery" if self._places else "false"
        )

    def filter(self, rows: Sequence[tuple[Any, ...]]) -> list[HubPosition]:
        """Keep the runs that meet it; rows are time, number and whether places are lacking."""
        read = [run_id for _, run_id, is_long in rows if is_long or self.is_needed]
        texts = self._search.load_texts(read) if read else {}
        return [
            HubPosition(at, run_id)
            for at, run_id, is_long in rows
            if run_id not in texts or self._is_met(*texts[run_id], is_long)
        ]

    def _is_met(self, said: list[str], others: list[str], is_long: bool) -> bool:
        if is_long and self._places and not self._places.is_met([*said[:2], *others]):
            return False
        return self._test.is_met(said, others)


# Times


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _text_of(at: datetime) -> str:
    return timestamp(at)


def _number(at: datetime) -> int:
    return max(1, round((at - _EPOCH) / timedelta(milliseconds=1)))


def _place(cursor: Cursor) -> HubPosition:
    return HubPosition(datetime.fromisoformat(cursor.at), cursor.docid)


def _skip_to_cursor(ordered: list[HubPosition], cursor: Cursor | None) -> Iterator[HubPosition]:
    """Go on after the cursor, where it is among them; else from the beginning."""
    if cursor and any(each.run_id == cursor.docid for each in ordered):
        behind = dropwhile(lambda each: each.run_id != cursor.docid, ordered)
        next(behind)
        return behind
    return iter(ordered)


def _list_windows(
    upper: datetime, oldest: datetime, *, in_turn: bool
) -> Iterator[tuple[datetime, bool]]:
    """List where windows of time begin, from the newest back, and whether the index by time answers
    in them: else that of words does. The last one begins before the oldest run, or where it is."""
    width, months = _FIRST_WINDOW, 1
    lower = upper
    for number in range(64):
        if number == 0 or in_turn:
            lower = _back(lower, width)
            width *= 2
            is_by_time = True
        else:
            lower = _back_to_month(lower, months)
            months *= 2
            is_by_time = False
        yield lower, is_by_time
        if lower <= oldest:
            return


def _back(at: datetime, width: timedelta) -> datetime:
    return at - width if at - _EVER > width else _EVER


def _back_to_month(at: datetime, months: int) -> datetime:
    """Give the first day of the month in which the time before ``at`` lies, or of one before it."""
    if at - _EVER < timedelta(days=32 * (months + 1)):
        return _EVER
    before = at - timedelta(milliseconds=1)
    number = before.year * 12 + before.month - months
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


def _with(asked: HubQuery, **changes: Any) -> HubQuery:
    from dataclasses import replace

    return replace(asked, **changes)


def _decode(encoding: str, data: bytes) -> str:
    """Decode a content as it lies on the hub to text."""
    try:
        held = zlib.decompress(data) if encoding == "zlib" else bytes(data)
    except zlib.error:
        return ""
    return held.decode("utf-8", "replace")
