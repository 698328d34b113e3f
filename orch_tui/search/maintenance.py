"""Keeping the index true to the tables.

Every write that opens the record through `record.opening` brings the index up to date just before
it is committed. What is written in another way waits in ``search_pending``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice

from orch_tui.errors import RecordError
from orch_tui.models.database import Record
from orch_tui.search.documents import (
    Document,
    IndexedTexts,
    build_documents,
    decode_content,
    first_docid,
    load_indexed_documents,
)
from orch_tui.search.schema import COLUMNS


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
    rest = iter(execution_ids)
    while batch := list(islice(rest, 1000)):
        _refresh_batch(record, batch)


def rebuild(record: Record) -> None:
    """Rebuild the whole index from the tables, inside the caller's transaction."""
    for index in ("search_index", "given_index"):
        record.execute(f"INSERT INTO {index} ({index}) VALUES ('delete-all')")
    for table in ("search_docs", "search_given", "search_pending"):
        record.execute(f"DELETE FROM {table}")
    ids = record.sql("SELECT execution_id FROM agent_executions ORDER BY deployed_at, rowid")
    refresh(record, (execution_id for (execution_id,) in ids))
    optimize(record)


def optimize(record: Record) -> None:
    """Merge the index into one piece: removed words leave the file, searches touch fewer pages.

    Worth its time (about 60 microseconds an execution) after a big import too: a small write
    may otherwise be the one that has to merge what the import left.
    """
    for index in ("search_index", "given_index"):
        record.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")


def check(record: Record) -> list[str]:
    """Compare the index with the tables; tell what is wrong with it, normally nothing."""
    problems = []
    pending = {e for (e,) in record.sql("SELECT DISTINCT execution_id FROM search_pending")}
    ids = [e for (e,) in record.sql("SELECT execution_id FROM agent_executions ORDER BY rowid")]
    ids += [
        e
        for (e,) in record.sql(
            "SELECT execution_id FROM search_docs WHERE execution_id NOT IN "
            "(SELECT execution_id FROM agent_executions)"
        )
    ]
    wrong = [
        execution_id
        for start in range(0, len(ids), 1000)
        for execution_id in _find_differing(record, ids[start : start + 1000])
        if execution_id not in pending
    ]
    if wrong:
        named = ", ".join(wrong[:3]) + (", ..." if len(wrong) > 3 else "")
        problems.append(f"the search index is not up to date for {len(wrong)} executions: {named}")
    for index, expected in (
        ("search_index", "SELECT docid FROM search_docs"),
        ("given_index", "SELECT content_id FROM contents WHERE encoding <> 'gone'"),
    ):
        orphans = f"SELECT rowid FROM {index} EXCEPT {expected}"
        if record.value(f"SELECT count(*) FROM ({orphans})"):
            problems.append(f"{index} holds rows that nothing refers to")
    if record.value(
        "SELECT count(*) FROM (SELECT docid FROM search_docs EXCEPT SELECT rowid FROM search_index)"
    ) or record.value(
        "SELECT count(*) FROM search_given WHERE content_id NOT IN (SELECT rowid FROM given_index)"
    ):
        problems.append("rows of the search index are missing")
    return problems + (_check_integrity(record) if record.writable else [])


def _check_integrity(record: Record) -> list[str]:
    problems = []
    for index in ("search_index", "given_index"):
        try:
            record.execute(f"INSERT INTO {index} ({index}) VALUES ('integrity-check')")
        except RecordError as error:
            problems.append(f"{index} is corrupt: {error}")
    return problems


def _refresh_batch(record: Record, ids: list[str]) -> None:
    new, old = build_documents(record, ids), load_indexed_documents(record, ids)
    same = [e for e, doc in new.items() if e in old and old[e][1] == doc]
    for execution_id in same:
        del new[execution_id], old[execution_id]
    _replace_documents(record, new, old)


def _find_differing(record: Record, ids: list[str]) -> list[str]:
    new, old = build_documents(record, ids), load_indexed_documents(record, ids)
    return [e for e in ids if new.get(e) != (old[e][1] if e in old else None)]


def _replace_documents(
    record: Record, new: dict[str, Document], old: dict[str, tuple[int, Document]]
) -> None:
    """Replace ``old`` by ``new``, in ascending docids: FTS5 flushes whenever they step back."""
    if not new and not old:
        return
    docids = [(docid,) for docid, _ in old.values()]
    record.executemany("DELETE FROM search_docs WHERE docid = ?", docids)
    record.executemany("DELETE FROM search_given WHERE docid = ?", docids)
    placed = _assign_docids(record, new, old)
    record.executemany(
        "INSERT INTO search_docs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (docid, e, doc.deployed_at, docid - first_docid(doc.deployed_at), doc.archived)
            + (doc.message_content_id, doc.briefing_id, doc.small_fields)
            for docid, e, doc in placed
        ),
    )
    record.executemany(
        "INSERT INTO search_given VALUES (?, ?)",
        (
            (docid, content_id)
            for docid, _, doc in placed
            for content_id in sorted(doc.given_content_ids)
        ),
    )
    before = dict(old.values())
    same = {
        docid for docid, _, doc in placed if docid in before and before[docid].same_text_as(doc)
    }
    changes = [(docid, "delete", doc) for docid, doc in old.values() if docid not in same]
    changes += [(docid, "insert", doc) for docid, _, doc in placed if docid not in same]
    changes.sort(key=lambda change: change[:2])
    texts = IndexedTexts(record, [doc for _, _, doc in changes])
    command = {"delete": "delete", "insert": None}
    record.executemany(
        f"INSERT INTO search_index (search_index, rowid, {', '.join(COLUMNS)}) "
        f"VALUES (?, ?{', ?' * len(COLUMNS)})",
        (
            (command[change], docid, *doc.index_row(texts.message(doc), texts.briefing(doc)))
            for docid, change, doc in changes
        ),
    )
    _index_contents(
        record, {content_id for _, _, doc in placed for content_id in doc.given_content_ids}
    )


def _assign_docids(
    record: Record, new: dict[str, Document], old: dict[str, tuple[int, Document]]
) -> list[tuple[int, str, Document]]:
    """Assign the docids: the one a document had while its time is the same, else a free one."""
    placed = [
        (old[e][0], e, d)
        for e, d in new.items()
        if e in old and old[e][1].deployed_at == d.deployed_at
    ]
    taken = {docid for docid, _, _ in placed}
    moving = sorted(
        (first_docid(d.deployed_at), d.deployed_at, e, d)
        for e, d in new.items()
        if e not in old or old[e][1].deployed_at != d.deployed_at
    )
    last = 0
    for first, _, execution_id, doc in moving:
        # From its slot up to the last one placed all is taken, where they overlap.
        last = max(first, last + 1)
        while last in taken or (last := _next_free_docid(record, last)) in taken:
            last += 1
        placed.append((last, execution_id, doc))
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
        "SELECT content_id, encoding, data FROM contents "
        "WHERE content_id IN (SELECT value FROM json_each(?)) "
        "AND NOT EXISTS (SELECT 1 FROM given_index WHERE rowid = content_id) ORDER BY content_id",
        [json.dumps(list(content_ids))],
    )
    record.executemany(
        "INSERT INTO given_index (rowid, text) VALUES (?, ?)",
        ((content_id, decode_content(*data)) for content_id, *data in rows),
    )
