"""Opening the record of a project, with everything that waits to be taken in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from orch_tui.errors import RecordError
from orch_tui.models.database import Clock, Record, utc_now


def open_record(
    path: Path,
    *,
    create: bool = True,
    actor: str = "api",
    clock: Clock = utc_now,
    migrate: Callable[[Record], object] | None = None,
) -> Record:
    """Open the record at ``path``; each write brings the search index up to date.

    One of an older schema is brought up to date by ``migrate`` (default: ``migrate_if_small``).
    What raw SQL did in the meantime is taken in first, where the file can be written.

    Raises:
        RecordError: missing (with ``create=False``), not ours, newer, corrupt or locked.
    """
    is_new = create and not os.path.exists(path)
    record = Record(path, create=create, actor=actor, clock=clock, migrate=migrate or _migrate)
    if is_new:
        from orch_tui.record.provenance import remember_record

        remember_record(path)
    record.before_commit += [state_noted_changes, refresh_index]
    try:
        ingest_arrivals(record)
    except BaseException:
        record.close()
        raise
    return record


def refresh_index(record: Record) -> None:
    """Index what the transaction changed; only who writes loads what that takes."""
    if record.value("SELECT 1 FROM search_pending LIMIT 1"):
        from orch_tui.search.maintenance import refresh_pending

        refresh_pending(record)


def _migrate(record: Record) -> None:
    from orch_tui.record.upkeep.migrate import migrate_if_small  # records are up to date but once

    migrate_if_small(record)


def awaits_transcripts(record: Record) -> bool:
    """Whether a transcript is to be looked at that a hook told of; every command asks."""
    return bool(
        record.value("SELECT 1 FROM import_checkpoints WHERE awaited_since IS NOT NULL LIMIT 1")
    )


def ingest_arrivals(record: Record) -> None:
    """Merge what arrived since the engine last looked; a locked or read-only file is left alone."""
    if not record.writable or not _anything_pending(record):
        return
    try:
        with record.not_waiting(), record.write():
            state_noted_changes(record)
    except RecordError as error:
        if not error.is_locked:
            raise


def state_noted_changes(record: Record) -> None:
    """Make statements of what was changed in place, inside the caller's transaction."""
    if _anything_pending(record):
        from orch_tui.record.ledger.raw_sql import (
            ingest_noted_changes,  # most commands change nothing
        )

        ingest_noted_changes(record)


def _anything_pending(record: Record) -> bool:
    return bool(
        record.value(
            "SELECT 1 FROM observations WHERE pending UNION ALL SELECT 1 FROM changed_rows LIMIT 1"
        )
    )
