"""Opening the record of a project, with everything that waits to be taken in."""

from __future__ import annotations

from pathlib import Path

from orch_tui.errors import RecordError
from orch_tui.models.database import Clock, Record, utc_now


def open_record(
    path: Path, *, create: bool = True, actor: str = "api", clock: Clock = utc_now
) -> Record:
    """Open the record at ``path``; each write brings the search index up to date.

    What raw SQL did in the meantime is taken in first, where the file can be written.

    Raises:
        RecordError: missing (with ``create=False``), not ours, newer, corrupt or locked.
    """
    record = Record(path, create=create, actor=actor, clock=clock)
    record.before_commit.append(refresh_index)
    try:
        take_in(record)
    except BaseException:
        record.close()
        raise
    return record


def refresh_index(record: Record) -> None:
    """Index what the transaction changed; only who writes loads what that takes."""
    if record.value("SELECT 1 FROM search_pending LIMIT 1"):
        from orch_tui.search.maintenance import refresh_pending

        refresh_pending(record)


def take_in(record: Record) -> None:
    """Merge what arrived since the engine last looked; a locked or read-only file is left alone."""
    if not record.writable or not _anything_pending(record):
        return
    from orch_tui.record.ledger.observations import settle_raw

    try:
        with record.not_waiting(), record.write():
            settle_raw(record)
    except RecordError as error:
        if not error.is_locked:
            raise


def _anything_pending(record: Record) -> bool:
    return bool(record.value("SELECT 1 FROM observations WHERE pending LIMIT 1"))
