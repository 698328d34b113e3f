"""Keeping the index true to the tables.

Every write that opens the record through `record.opening` brings the index up to date just before
it is committed. What is written in another way waits in ``search_pending``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from orch_tui.errors import RecordError
from orch_tui.models import facts
from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import STORED_BYTES
from orch_tui.search.documents import (
    Document,
    Indexed,
    IndexedTexts,
    build_documents,
    decode_content,
    first_docid,
    load_indexed,
    read_small_fields,
)
from orch_tui.search.index_merge import merge_index
from orch_tui.search.schema import (
    GIVEN,
    INDEX_TABLES,
    INDEX_VERSION,
    INDEX_VERSION_FACT,
    SEARCH_TRIGGERS,
    TEXTS,
    given_table,
    texts_table,
)
from orch_tui.search.tokens import render_index_text

if TYPE_CHECKING:
    from orch_tui.models.migrations.step import Progress

_BATCH = 1000  # executions that are held in memory at once


def refresh_pending(record: Record) -> None:
    """Index every execution marked in ``search_pending``.

    Runs inside the caller's transaction.
    """
    pending = [
        execution_id
        for (execution_id,) in record.sql("SELECT DISTINCT execution_id FROM search_pending")
    ]
    if pending:
        refresh(record, pending)
        record.execute("DELETE FROM search_pending")


def refresh(record: Record, execution_ids: Iterable[str]) -> None:
    """Index what the tables say of these executions now; forget those that are gone.

    Runs inside the caller's transaction. Ids in the order of time are indexed fastest.
    """
    _create_table(record)
    rest = iter(execution_ids)
    while batch := list(islice(rest, _BATCH)):
        _refresh_batch(record, batch)


def rebuild(record: Record) -> None:
    """Rebuild the whole index from the tables, inside the caller's transaction."""
    _create_table(record)
    for table in (TEXTS, GIVEN):
        record.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")
    for table in ("search_docs", "search_given", "search_pending"):
        record.execute(f"DELETE FROM {table}")
    ids = record.sql("SELECT execution_id FROM agent_executions ORDER BY deployed_at, rowid")
    refresh(record, (execution_id for (execution_id,) in ids))
    end_other_versions(record)
    merge_index(record)


@contextmanager
def changing_texts(
    record: Record, contents: Sequence[int], briefings: Sequence[int]
) -> Iterator[None]:
    """Let these indexed texts change, within the caller's transaction: the executions that have
    them are taken out of the index before and indexed again afterwards, with what is left."""
    labels: list[str] | None = None
    if not is_of_another_version(record):
        refresh_pending(record)
        labels = sorted({*find_indexed(record, contents, briefings)})
        take_out(record, labels, contents)
    for name in SEARCH_TRIGGERS:
        record.execute(f"DROP TRIGGER {name}")
    yield
    for statement in SEARCH_TRIGGERS.values():
        record.execute(statement)
    if labels is None:
        rebuild(record)
    else:
        refresh(record, labels)
        merge_index(record)  # removed words leave the file


def find_indexed(
    record: Record, contents: Sequence[int], briefings: Sequence[int]
) -> Iterator[str]:
    """Find the executions in whose indexed texts these contents and briefings stand."""
    for ids, condition in (
        (contents, "message_content_id IN (SELECT value FROM json_each(?))"),
        (briefings, "briefing_id IN (SELECT value FROM json_each(?))"),
        (
            contents,
            "docid IN (SELECT docid FROM search_given "
            "WHERE content_id IN (SELECT value FROM json_each(?)))",
        ),
    ):
        rows = record.sql(f"SELECT execution_id FROM search_docs WHERE {condition}", [_listed(ids)])
        yield from (execution_id for (execution_id,) in rows)


def find_in_small_fields(record: Record, holds: Callable[[str], bool]) -> Iterator[str]:
    """Find the executions of whose short texts, as JSON, something ``holds``."""
    for execution_id, packed in record.execute(
        "SELECT execution_id, small_fields FROM search_docs"
    ):
        if holds(read_small_fields(packed)):
            yield execution_id


def take_out(record: Record, execution_ids: Sequence[str], contents: Sequence[int]) -> None:
    """Take executions out of the index, and contents that were given, while their texts are there;
    `refresh` indexes again what is left."""
    for start in range(0, len(execution_ids), _BATCH):
        held = load_indexed(record, [*execution_ids[start : start + _BATCH]])
        _replace_documents(record, {}, held)
    rows = record.sql(
        f"SELECT content_id, encoding, {STORED_BYTES} FROM contents "
        f"WHERE content_id IN (SELECT value FROM json_each(?)) "
        f"AND EXISTS (SELECT 1 FROM {GIVEN} WHERE rowid = content_id) ORDER BY content_id",
        [_listed(contents)],
    )
    record.executemany(
        f"INSERT INTO {GIVEN} ({GIVEN}, rowid, text) VALUES ('delete', ?, ?)",
        ((content_id, render_index_text([decode_content(*data)])) for content_id, *data in rows),
    )


def _listed(ids: Iterable[int]) -> str:
    return json.dumps([*ids])


# Versions of the index


def index_version(record: Record) -> str:
    """Tell the version in which all executions were indexed last."""
    return facts.get_fact(record, INDEX_VERSION_FACT) or "none"


def is_of_another_version(record: Record) -> bool:
    """Tell whether there is anything for `index_older` to do."""
    # A program of another version may have written since the whole was of this one.
    return index_version(record) != str(INDEX_VERSION) or bool(_tables_of_other_versions(record))


def count_other_versions(record: Record) -> int:
    """Count the executions whose index is of another version."""
    return int(
        record.value(
            "SELECT count(*) FROM search_docs WHERE index_version < ?1 OR index_version > ?1",
            [INDEX_VERSION],
        )
    )


def index_older(record: Record, limit: int = 500) -> int:
    """Index anew the newest executions of another version, ``limit`` of them; count what remains.

    One transaction of its own, so that other writers get their turn between two shares, and the
    next share goes on where one ended. What was not reached yet is searched in the tables of its
    version.
    """
    with record.write():
        ids = record.sql(
            "SELECT execution_id FROM search_docs WHERE index_version < ?1 OR index_version > ?1 "
            "ORDER BY docid DESC LIMIT ?2",
            [INDEX_VERSION, limit],
        )
        refresh(record, [execution_id for (execution_id,) in reversed(ids)])
        remaining = count_other_versions(record)
        if not remaining:
            end_other_versions(record)
        return remaining


def _create_table(record: Record) -> None:
    """Create the tables of this version, and its triggers, where the record was made with those of
    another."""
    if has_table(record):
        return
    for table in ("search_terms", GIVEN):
        record.execute(f"DROP TABLE IF EXISTS {table}")
    for statement in INDEX_TABLES:
        record.execute(statement)
    for name, trigger in SEARCH_TRIGGERS.items():
        record.execute(f"DROP TRIGGER IF EXISTS {name}")
        record.execute(trigger)


def has_table(record: Record) -> bool:
    """Tell whether the record has the tables of this version."""
    return bool(record.value("SELECT 1 FROM sqlite_schema WHERE name = ?", [TEXTS]))


def end_other_versions(record: Record) -> None:
    """Drop the tables of other versions: no execution is searched there any more.

    Runs inside the caller's transaction.
    """
    for name in _tables_of_other_versions(record):
        record.execute(f"DROP TABLE {name}")
    facts.set_fact(record, INDEX_VERSION_FACT, str(INDEX_VERSION))


def _tables_of_other_versions(record: Record) -> list[str]:
    tables = record.sql(
        "SELECT name FROM sqlite_schema WHERE sql GLOB 'CREATE VIRTUAL TABLE *' "
        "AND (name GLOB ? AND name <> ? OR name GLOB ? AND name <> ?)",
        [f"{texts_table(version=1)}*", TEXTS, f"{given_table(version=1)}*", GIVEN],
    )
    return [name for (name,) in tables]


# Checking


def check(
    record: Record,
    among: Sequence[str] | None = None,
    progress: Progress = lambda done, total: None,
) -> list[str]:
    """Compare the index with the tables; tell what is wrong with it, normally nothing.

    Executions of another version are not compared; they wait for `index_older`. ``among`` are the
    only ones to compare, and nothing else is looked at then. ``progress`` is told how many were
    compared of how many.
    """
    problems = []
    pending = {e for (e,) in record.sql("SELECT DISTINCT execution_id FROM search_pending")}
    ids = list(_indexed_or_to_be(record) if among is None else among)
    wrong = []
    for start in range(0, len(ids), _BATCH):
        progress(start, len(ids))
        differing = _find_differing(record, ids[start : start + _BATCH])
        wrong += [execution_id for execution_id in differing if execution_id not in pending]
    if wrong:
        named = ", ".join(wrong[:3]) + (", ..." if len(wrong) > 3 else "")
        problems.append(f"the search index is not up to date for {len(wrong)} executions: {named}")
    if among is not None or not has_table(record):
        return problems
    indexed = f"SELECT docid FROM search_docs WHERE index_version = {INDEX_VERSION}"
    living = "SELECT content_id FROM contents WHERE encoding <> 'gone'"
    for table, expected in ((TEXTS, indexed), (GIVEN, living)):
        orphans = f"SELECT rowid FROM {table} EXCEPT {expected}"
        if record.value(f"SELECT count(*) FROM ({orphans})"):
            problems.append(f"{table} holds rows that nothing refers to")
    if record.value(
        f"SELECT count(*) FROM ({indexed} EXCEPT SELECT rowid FROM {TEXTS})"
    ) or record.value(
        f"SELECT count(*) FROM search_given WHERE docid IN ({indexed}) "
        f"AND content_id NOT IN (SELECT rowid FROM {GIVEN})"
    ):
        problems.append("rows of the search index are missing")
    return problems + (_check_integrity(record) if record.writable else [])


def _indexed_or_to_be(record: Record) -> Iterator[str]:
    for statement in (
        "SELECT execution_id FROM agent_executions ORDER BY rowid",
        "SELECT execution_id FROM search_docs WHERE execution_id NOT IN "
        "(SELECT execution_id FROM agent_executions)",
    ):
        yield from (execution_id for (execution_id,) in record.sql(statement))


def _check_integrity(record: Record) -> list[str]:
    problems = []
    for table in (TEXTS, GIVEN):
        try:
            record.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
        except RecordError as error:
            problems.append(f"{table} is corrupt: {error}")
    return problems


def _find_differing(record: Record, ids: list[str]) -> list[str]:
    new, old = build_documents(record, ids), load_indexed(record, ids)
    return [
        e
        for e in ids
        if (new.get(e) != (old[e].document if e in old else None))
        and (e not in old or old[e].version == INDEX_VERSION)
    ]


# Writing


def _refresh_batch(record: Record, ids: list[str]) -> None:
    new, old = build_documents(record, ids), load_indexed(record, ids)
    for execution_id, document in [*new.items()]:
        held = old.get(execution_id)
        if held and held.version == INDEX_VERSION and held.document == document:
            del new[execution_id], old[execution_id]
    if new or old:
        _replace_documents(record, new, old)


def _replace_documents(
    record: Record, new: Mapping[str, Document], old: Mapping[str, Indexed]
) -> None:
    """Replace ``old`` by ``new``, in ascending docids: FTS5 flushes whenever they step back."""
    docids = [(held.docid,) for held in old.values()]
    record.executemany("DELETE FROM search_docs WHERE docid = ?", docids)
    placed = _assign_docids(record, new, old)
    record.executemany(
        "INSERT INTO search_docs (docid, execution_id, deployed_at, displaced, archived, "
        "index_version, message_content_id, briefing_id, small_fields) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (docid, e, doc.deployed_at, docid - first_docid(doc.deployed_at), doc.archived)
            + (INDEX_VERSION, doc.message_content_id, doc.briefing_id, doc.small_fields)
            for docid, e, doc in placed
        ),
    )
    # The tables of other versions are left as they are, until they are dropped.
    before = {held.docid: held.document for held in old.values() if held.version == INDEX_VERSION}
    _replace_given(record, placed, before, docids)
    same = {
        docid for docid, _, doc in placed if docid in before and before[docid].same_text_as(doc)
    }
    changes = [(docid, "delete", doc) for docid, doc in before.items() if docid not in same]
    changes += [(docid, "insert", doc) for docid, _, doc in placed if docid not in same]
    changes.sort(key=lambda change: change[:2])
    texts = IndexedTexts(record, [doc for _, _, doc in changes])
    command = {"delete": "delete", "insert": None}
    record.executemany(
        f"INSERT INTO {TEXTS} ({TEXTS}, rowid, texts) VALUES (?, ?, ?)",
        (
            (command[change], docid, doc.index_text(texts.message(doc), texts.briefing(doc)))
            for docid, change, doc in changes
        ),
    )


def _replace_given(
    record: Record,
    placed: Sequence[tuple[int, str, Document]],
    before: Mapping[int, Document],
    docids: Iterable[tuple[int]],
) -> None:
    """Replace what was given; mostly a run returns, and was given what it was given before."""
    same = {
        docid
        for docid, _, doc in placed
        if docid in before and before[docid].given_content_ids == doc.given_content_ids
    }
    record.executemany(
        "DELETE FROM search_given WHERE docid = ?", [each for each in docids if each[0] not in same]
    )
    given = [
        (docid, content_id)
        for docid, _, doc in placed
        if docid not in same
        for content_id in sorted(doc.given_content_ids)
    ]
    record.executemany("INSERT INTO search_given VALUES (?, ?)", given)
    if given:
        _index_contents(record, {content_id for _, content_id in given})


def _assign_docids(
    record: Record, new: Mapping[str, Document], old: Mapping[str, Indexed]
) -> list[tuple[int, str, Document]]:
    """Assign the docids: the one a document had while its time is the same, else a free one."""
    staying = {
        e: old[e].docid
        for e, d in new.items()
        if e in old and old[e].document.deployed_at == d.deployed_at
    }
    placed = [(docid, e, new[e]) for e, docid in staying.items()]
    taken = set(staying.values())
    moving = sorted(
        (first_docid(d.deployed_at), d.deployed_at, e) for e, d in new.items() if e not in staying
    )
    last = 0
    for first, _, execution_id in moving:
        # From its slot up to the last one placed all is taken, where they overlap.
        last = max(first, last + 1)
        while last in taken or (last := _next_free_docid(record, last)) in taken:
            last += 1
        placed.append((last, execution_id, new[execution_id]))
    return sorted(placed, key=lambda place: place[0])


def _next_free_docid(record: Record, docid: int) -> int:
    if not record.value("SELECT 1 FROM search_docs WHERE docid = ?", [docid]):
        return docid
    return int(
        record.value(
            "SELECT docid + 1 FROM search_docs AS d WHERE docid >= ? AND NOT EXISTS "
            "(SELECT 1 FROM search_docs AS n WHERE n.docid = d.docid + 1) ORDER BY docid LIMIT 1",
            [docid],
        )
    )


def _index_contents(record: Record, content_ids: set[int]) -> None:
    """Index the contents that are not indexed yet; their text never changes."""
    rows = record.sql(
        f"SELECT content_id, encoding, {STORED_BYTES} FROM contents "
        "WHERE content_id IN (SELECT value FROM json_each(?)) "
        f"AND NOT EXISTS (SELECT 1 FROM {GIVEN} WHERE rowid = content_id) ORDER BY content_id",
        [json.dumps(list(content_ids))],
    )
    record.executemany(
        f"INSERT INTO {GIVEN} (rowid, text) VALUES (?, ?)",
        ((content_id, render_index_text([decode_content(*data)])) for content_id, *data in rows),
    )
