"""What the doctor looks at within a record, table by table."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import timedelta
from itertools import chain
from threading import Event
from typing import Any, TypeVar

from orch_tui.errors import RecordError
from orch_tui.frozen import frozen
from orch_tui.models.database import Record, is_interrupt, timestamp
from orch_tui.models.long_statements import list_foreign_parts
from orch_tui.models.migrations.shapes import Part, columns_of, parts_of, version_shape
from orch_tui.models.migrations.step import Progress
from orch_tui.models.stored_bytes import STORED_BYTES, unpack_bytes, unpack_parts
from orch_tui.models.values import SCHEMA_VERSION, readable
from orch_tui.record import hand_over
from orch_tui.record.defects import LEFT_ASIDE
from orch_tui.record.ledger import briefings
from orch_tui.record.ledger.contents import is_tombstone
from orch_tui.record.ledger.journal import NOT_HANDED_OVER
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.ledger.statement import KINDS, decode_stored
from orch_tui.record.upkeep.finding import REPAIR, RESTORE, Finding, Level, count_and_name
from orch_tui.search import maintenance
from orch_tui.search.schema import GIVEN, INDEX_VERSION, TEXTS
from orch_tui.wording import plural

LONG_WAIT = timedelta(days=1)
"""An execution that has not returned after this time probably never will."""

T = TypeVar("T")
_TAKE_OVER = (
    "orch export with the orch that wrote it, and orch import into a new record, lose nothing; "
    "where tables were changed by hand, orch restore FILE puts a backup back"
)
"""Between two releases records may have tables that neither of them makes."""


PUBLIC_TABLES = ("sessions", "agent_executions", "context_allocations", "outputs")


def _not_handed_over(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    """Calls of the last days that named a briefing and went through as they were."""
    since = timestamp(record.clock() - timedelta(days=hand_over.KEPT_DAYS))
    rows = record.sql(
        "SELECT execution_id, subject, json_extract(after, '$.reason') FROM journal "
        "WHERE action = ? AND at >= ? ORDER BY seq",
        [NOT_HANDED_OVER, since],
    )
    if rows:
        label, call, reason = rows[-1]
        what = f"{plural(len(rows), 'call')} by a line that no briefing took the place of"
        yield "warning", f"{what}; last {label or call}: {reason}", "deploy it again for another"


@frozen
class CheckedPart:
    """What a check is to look at, and whom it tells how far it is."""

    runs: list[str] | None
    """The runs that are looked at; None: all, and all that belongs to none."""
    number: int
    progress: Progress

    def tell(self, done: int, total: int) -> None:
        """Tell how much of this check is done; each takes the same part of the whole."""
        self.progress(1_000 * self.number + 1_000 * done // max(total, 1), 1_000 * len(CHECKS))

    def counted(self, items: Iterable[T], total: int) -> Iterator[T]:
        """The items, told of as they pass by."""
        for done, item in enumerate(items):
            if done % 256 == 0:
                self.tell(done, total)
            yield item

    def among(self, condition: str) -> tuple[str, list[str]]:
        """A condition in SQL, with ``{runs}`` for the runs that are looked at, and its parameters;
        one that everything meets where all are."""
        if self.runs is None:
            return "1", []
        return f"({condition.format(runs='SELECT value FROM json_each(?1)')})", [
            json.dumps(self.runs, default=readable)
        ]


Check = Callable[[Record, CheckedPart], Iterator[tuple[Level, str, str]]]


def run_check(record: Record, what: str, check: Check, look: CheckedPart) -> list[Finding]:
    """Run a check; that it breaks is a finding, too."""
    look.tell(0, 1)
    try:
        return [
            Finding(level, what, detail, remedy) for level, detail, remedy in check(record, look)
        ]
    except RecordError as error:
        return [Finding("problem", what, error.message, error.hint)]
    except (sqlite3.Error, ValueError, TypeError, LookupError) as error:
        if isinstance(error, sqlite3.Error) and is_interrupt(error):
            raise KeyboardInterrupt from error
        return [Finding("problem", what, f"{type(error).__name__}: {error}", RESTORE)]


def _schema(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    wrong = list(_differing_columns(record))
    missing = list_missing_parts(record)
    parts = [part.name for part in missing if part.kind != "view"]
    views = [part.name for part in missing if part.kind == "view"]
    if wrong:
        yield "problem", f"not the tables of this version: {', '.join(wrong)}", _TAKE_OVER
    if parts:
        named = count_and_name(parts, "index or trigger", "indexes and triggers")
        yield "problem", f"missing: {named}", REPAIR
    if views:  # for people alone
        yield (
            "ok",
            f"without {count_and_name(views, 'view')}, which datasette and others show",
            REPAIR,
        )
    if not wrong and not parts:
        yield "ok", f"version {SCHEMA_VERSION}, SQLite {sqlite3.sqlite_version}", ""


def _differing_columns(record: Record) -> Iterator[str]:
    """The columns that are not there or are of another kind than orch makes them. Those that the
    user added are the user's."""
    has_texts = maintenance.has_table(record)
    for table, columns in version_shape(SCHEMA_VERSION).columns.items():
        if table.startswith((TEXTS, GIVEN)) and not has_texts:
            continue  # the index is of another version
        held = columns_of(record.connection, table)
        for name, column in columns.items():
            if name not in held:
                yield f"{table}.{name} is not there"
            elif held[name][:4] != column[:4]:
                yield f"{table}.{name} is {held[name].definition()}"
            elif held[name].key_position != column.key_position:
                yield f"{table}.{name} has another place in the key"


def list_missing_parts(record: Record) -> list[Part]:
    """The indexes, triggers and views that orch makes and that are not there."""
    held = {part.name for part in parts_of(record.connection)}
    return [
        part
        for part in version_shape(SCHEMA_VERSION).parts
        if part.kind != "table" and part.name not in held
    ]


def _integrity(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    if look.runs is None:
        checks = ["PRAGMA integrity_check"]
    else:
        checks = [f"PRAGMA quick_check({table})" for table in PUBLIC_TABLES]
    complaints = [str(complaint) for check in checks for (complaint,) in _run_beside(record, check)]
    if all(complaint == "ok" for complaint in complaints):
        of = "pages" if look.runs is None else "pages; those of the public tables are sound"
        yield "ok", f"{record.value('PRAGMA page_count')} {of}", ""
    else:
        yield "problem", count_and_name(complaints, "complaint"), RESTORE


def _run_beside(record: Record, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement that asks nobody on its way whether it is to end, in a thread, so that
    Ctrl-C is answered."""
    connections: list[sqlite3.Connection] = []
    must_end = Event()

    def run() -> list[tuple[Any, ...]]:
        connections.append(record.connection)
        try:
            return [] if must_end.is_set() else record.sql(statement)
        finally:
            record.close()

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(run)
        try:
            return result.result()
        except KeyboardInterrupt:
            must_end.set()
            while connections and wait([result], 0.01).not_done:  # it may be about to begin
                with suppress(sqlite3.ProgrammingError):  # it may have ended just now
                    connections[0].interrupt()
            raise


def _foreign_parts(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    foreign = list_foreign_parts(record.connection)
    if foreign and maintenance.is_of_another_version(record):
        foreign = tuple(name for name in foreign if not name.startswith("trigger search_"))
    if foreign:
        parts = count_and_name(list(foreign), "trigger or view", "triggers and views")
        yield (
            "warning",
            f"not made by orch: {parts}; what orch writes sets them going",
            "where you did not make them, drop them with sqlite3 (DROP TRIGGER, DROP VIEW)",
        )


def _foreign_keys(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    broken: dict[str, int] = {}
    tables = [""] if look.runs is None else [f"({table})" for table in PUBLIC_TABLES]
    rows = chain.from_iterable(record.sql(f"PRAGMA foreign_key_check{each}") for each in tables)
    for table, _, parent, _ in rows:
        name = f"{table} without their {parent}"
        broken[name] = broken.get(name, 0) + 1
    for name, count in broken.items():
        yield (
            "problem",
            f"{count} {name}",
            "raw SQL deleted those; orch restore FILE puts a backup back",
        )
    if not broken:
        of = "" if look.runs is None else " of the public tables"
        yield "ok", f"every row{of} has what it points to", ""


def _search_index(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    wrong = maintenance.check(record, look.runs, look.tell)
    for complaint in wrong:
        yield "problem", complaint, REPAIR
    if maintenance.is_of_another_version(record):
        older = maintenance.count_other_versions(record)
        version = maintenance.index_version(record)
        detail = (
            f"of version {version}, this orch makes {INDEX_VERSION}: {plural(older, 'execution')} "
            "to be indexed anew; all are found all the same"
        )
        yield "warning", detail, f"open orch, or {REPAIR}"
    elif not wrong:
        with_tables = "the tables" if look.runs is None else f"{len(look.runs)} runs"
        yield "ok", f"version {INDEX_VERSION}, agrees with {with_tables}", ""


def _executions(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    wrong = list(find_stale_executions(record, look.runs, look.tell))
    if wrong:
        yield "warning", f"not what was observed: {count_and_name(wrong, 'execution')}", REPAIR
    else:
        count = record.value("SELECT count(*) FROM agent_executions")
        which = count if look.runs is None else f"the newest {len(look.runs)} of {count}"
        yield "ok", f"{which} are what was observed", ""


def _statements(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    count, wrong = 0, []
    condition, parameters = look.among("execution_id IN ({runs})")
    rows = record.execute(
        f"SELECT execution_id, kind, payload FROM observations WHERE NOT pending AND {condition}",
        parameters,
    )
    total = record.value("SELECT count(*) FROM observations") if look.runs is None else 0
    for execution_id, kind, payload in look.counted(rows, total):
        count += 1
        if kind in KINDS and decode_stored(kind, payload) is None:
            wrong.append(readable(execution_id) or "of no execution")
    if wrong:
        those = count_and_name(wrong, "of an execution", "of executions")
        yield (
            "problem",
            f"no statements any more, and passed over: {those}",
            "orch restore FILE puts a backup back from before they were changed",
        )
    else:
        yield "ok", f"{count} can be read", ""


def _contents(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    count, wrong = 0, []
    condition, parameters = look.among(
        "content_id IN ("
        "SELECT content_id FROM context_allocations WHERE execution_id IN ({runs}) UNION ALL "
        "SELECT content_id FROM outputs WHERE execution_id IN ({runs}) UNION ALL "
        "SELECT message_id FROM completions WHERE execution_id IN ({runs}) UNION ALL "
        "SELECT message_id FROM agent_executions WHERE execution_id IN ({runs}))"
    )
    rows = record.execute(
        f"SELECT content_id, sha256, size, encoding, {STORED_BYTES} FROM contents "
        f"WHERE {condition}",
        parameters,
    )
    total = record.value("SELECT count(*) FROM contents") if look.runs is None else 0
    for content_id, sha256, size, encoding, stored in look.counted(rows, total):
        count += 1
        data = unpack_bytes(encoding, stored)
        if data is None:
            if not is_tombstone(encoding, stored):
                wrong.append(str(content_id))
        elif len(data) != size or hashlib.sha256(data).digest() != sha256:
            wrong.append(str(content_id))
    if wrong:
        yield (
            "problem",
            f"other bytes than were stored: {count_and_name(wrong, 'content')}",
            RESTORE,
        )
    else:
        yield "ok", f"{count} have the bytes they were stored with", ""


def _briefings(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    count, wrong = 0, []
    condition, parameters = look.among(
        "briefing_id IN ("
        "SELECT briefing_id FROM agent_executions WHERE execution_id IN ({runs}) UNION ALL "
        "SELECT handed_over_id FROM agent_executions WHERE execution_id IN ({runs}))"
    )
    chosen = briefings.iterate_briefings(record, f"WHERE {condition}", parameters)
    total = record.value("SELECT count(*) FROM briefings") if look.runs is None else 0
    for each in look.counted(chosen, total):
        if each.is_gone:
            continue
        count += 1
        if hashlib.sha256(each.rendered).digest() != each.sha256:
            wrong.append(str(each.briefing_id))
    if wrong:
        yield "problem", f"not as they were rendered: {count_and_name(wrong, 'briefing')}", RESTORE
    else:
        condition, parameters = look.among("execution_id IN ({runs})")
        runs = record.value(
            "SELECT count(*) FROM agent_executions "
            f"WHERE (briefing_id IS NOT NULL OR handed_over_id IS NOT NULL) AND {condition}",
            parameters,
        )
        texts, deployments = plural(count, "text"), plural(runs, "deployment")
        yield "ok", f"{texts} for {deployments}, as rendered", ""


def _orphans(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    used = {
        content_id
        for (parts,) in record.execute("SELECT parts FROM briefings")
        for kind, content_id in unpack_parts(parts)
        if kind == "content"
    }
    unused, size = 0, 0
    for content_id, length in record.execute(
        "SELECT content_id, length(data) FROM contents WHERE encoding <> 'gone' "
        "EXCEPT SELECT content_id, length(data) FROM contents WHERE content_id IN ("
        "SELECT content_id FROM bundle_items UNION ALL SELECT content_id FROM context_allocations "
        "UNION ALL SELECT content_id FROM outputs UNION ALL SELECT message_id FROM completions "
        "UNION ALL SELECT message_id FROM agent_executions)"
    ):
        if content_id not in used:
            unused, size = unused + 1, size + length
    if unused:
        yield (
            "ok",
            f"{plural(unused, 'content')} of replaced bundles, kept: {size / 1e6:,.1f} MB",
            "",
        )


def _waiting(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    long_ago = timestamp(record.clock() - LONG_WAIT)
    count = record.value(
        "SELECT count(*) FROM agent_executions WHERE status = 'deployed' "
        "AND retracted_at IS NULL AND origin_id IS NULL AND deployed_at < ?",
        [long_ago],
    )
    if count:
        yield (
            "warning",
            f"{plural(count, 'execution')} deployed more than a day ago, and not returned",
            "orch record-completion, with --status failed where nothing will come",
        )


def _halves(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    """Calls that do not say which agent they started, and agents of which no call is known."""
    count = record.value(
        "SELECT count(*) FROM agent_executions AS c JOIN sessions AS s USING (session_id) "
        "WHERE s.status = 'completed' AND tool_use_id IS NOT NULL AND agent_id IS NULL "
        "AND source = 'hook' AND retracted_at IS NULL AND EXISTS ("
        "SELECT 1 FROM agent_executions AS a WHERE a.session_id = c.session_id "
        "AND a.agent_type = c.agent_type AND a.tool_use_id IS NULL AND a.agent_id IS NOT NULL "
        "AND a.source = 'hook' AND a.retracted_at IS NULL)"
    )
    if count:
        yield (
            "warning",
            f"{plural(count, 'execution')} may stand twice: a hook that tells which agent a "
            "call started was not heard",
            "orch import, which joins them where the transcripts are still there",
        )


def _transcripts(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    for path, reason in record.sql("SELECT path, reason FROM inputs_set_aside ORDER BY path"):
        what = f"{readable(path)} is {LEFT_ASIDE}: {readable(reason)}"
        yield "warning", what, "orch import PATH tries it again"


def _free_pages(record: Record, look: CheckedPart) -> Iterator[tuple[Level, str, str]]:
    free, pages = record.value("PRAGMA freelist_count"), record.value("PRAGMA page_count")
    yield "ok", f"{free} of {pages} pages are free and will be used again", ""


CHECKS: dict[str, Check] = {
    "schema": _schema,
    "foreign parts": _foreign_parts,
    "integrity": _integrity,
    "references": _foreign_keys,
    "statements": _statements,
    "contents": _contents,
    "briefings": _briefings,
    "executions": _executions,
    "search index": _search_index,
    "unused contents": _orphans,
    "waiting": _waiting,
    "hand-over": _not_handed_over,
    "halves": _halves,
    "transcripts": _transcripts,
    "free pages": _free_pages,
}


FULL_ONLY = {"unused contents"}
"""Checks that ask for every row there is."""
