"""What plain SQL did to the tables becomes statements like all others.

Triggers note it: an edited row of a run as a statement that waits to be read, everything else by
the name of what changed, in ``changed_rows``. It is taken in before the next transaction of orch
ends, so nothing that people did with SQL is lost or overruled.
"""

from __future__ import annotations

from typing import Any

from orch_tui.models.database import Record
from orch_tui.models.values import readable, whole_number
from orch_tui.record.ledger import portable, registers
from orch_tui.record.ledger.edits import read_edits
from orch_tui.record.ledger.rebuild import (
    derive_items,
    derive_outputs,
    has_row,
    item_rows,
    output_row,
    read_item_rows,
    read_output_rows,
    rebuild_from_statements,
    stored_statements,
)
from orch_tui.record.ledger.renaming import RENAMED, follow_renamed
from orch_tui.record.ledger.resolve import uid_key
from orch_tui.record.ledger.statement import (
    Allocated,
    Delivered,
    ItemFact,
    OutputFact,
)
from orch_tui.record.ledger.store import store_statement


def ingest_noted_changes(record: Record) -> None:
    """Take in what triggers noted, inside the caller's transaction."""
    # no trigger notes an edit of no run: whatever says so was changed itself
    record.execute("UPDATE observations SET pending = 0 WHERE pending AND execution_id IS NULL")
    while True:
        subjects = record.sql("SELECT subject FROM changed_rows ORDER BY rowid")
        noted = [readable(subject) or "" for (subject,) in subjects]
        record.execute("DELETE FROM changed_rows")
        renamed = follow_renamed(record, [s for s in noted if s.startswith(RENAMED)])
        edited = [
            e
            for (e,) in record.sql(
                "SELECT execution_id FROM observations WHERE pending "
                "GROUP BY execution_id ORDER BY min(observation_id)"
            )
        ]
        if not noted and not edited:
            return
        stale = dict.fromkeys([*sorted(renamed), *edited])
        for execution_id in edited:
            read_edits(record, execution_id)
        others = {s for s in noted if not s.startswith(RENAMED)}
        for subject in sorted(others, key=registers.subject_order):
            kind, _, name = subject.partition(":")
            if kind in registers.FIELDS:
                registers.state_changes(record, subject)
                continue
            if kind == "outputs":
                _state_outputs(record, name)
            elif kind == "allocations":
                _state_allocations(record, name)
            stale[name] = None
        rebuild_from_statements(record, [e for e in stale if has_row(record, e)])


def _state_outputs(record: Record, execution_id: str) -> None:
    """State the outputs that plain SQL inserted, changed or deleted."""
    told = stored_statements(record, execution_id, "delivered")
    stated = {o.uid: output_row(record, o) for o in derive_outputs(told)}
    held = read_output_rows(record, execution_id)
    new = [_output_fact(record, row) for uid, row in held.items() if stated.get(uid) != row]
    gone = sorted(stated.keys() - held.keys())
    if new or gone:
        _state(record, Delivered(outputs=tuple(new), withdrawn=tuple(gone)), execution_id)
    record.execute(
        "UPDATE outputs SET revision = revision + 1 WHERE execution_id = ? AND revision = 0",
        [execution_id],
    )


def _output_fact(record: Record, row: tuple[Any, ...]) -> OutputFact:
    (uid, output_type, content, created_at, metadata, found, path, sha256, size) = row[:9]
    return OutputFact(
        uid=readable(uid) or "",
        output_type=output_type,
        content=readable(content),
        created_at=readable(created_at),
        metadata=readable(metadata),
        found=int(bool(found)),
        path=readable(path),
        sha256=readable(sha256),
        size=whole_number(size),
        kept=portable.sha256_of_content(record, row[9]),
        retracted_at=readable(row[10]),
    )


def _state_allocations(record: Record, execution_id: str) -> None:
    """State what a run was given, where plain SQL changed the rows."""
    told = stored_statements(record, execution_id, "allocated")
    held = read_item_rows(record, execution_id)
    if item_rows(record, derive_items(record, told)) != held:
        items = tuple(_item_fact(record, row) for row in held)
        _state(record, Allocated(items=items, whole=True), execution_id)
    record.execute(
        "UPDATE context_allocations SET revision = revision + 1 "
        "WHERE execution_id = ? AND revision = 0",
        [execution_id],
    )


def _item_fact(record: Record, row: tuple[Any, ...]) -> ItemFact:
    (kind, source, tokens, included, position, priority, sections, estimator) = row[:8]
    return ItemFact(
        context_type=kind,
        context_source=readable(source),
        token_count=whole_number(tokens),
        included_in_deployment=whole_number(included),
        position=whole_number(position),
        priority=priority,
        sections=readable(sections),
        estimator=readable(estimator),
        token_low=whole_number(row[8]),
        token_high=whole_number(row[9]),
        content=portable.sha256_of_content(record, row[10]),
        arrived=whole_number(row[11]),
    )


def _state(record: Record, statement: Any, execution_id: str) -> None:
    if has_row(record, execution_id):
        store_statement(
            record,
            statement,
            [uid_key(record, execution_id)],
            source="sql",
            at=None,
            execution_id=execution_id,
        )
