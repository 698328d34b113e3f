"""What an earlier orch recorded, added up and read again as this one does.

An earlier orch may have read less of a transcript, or taken something in it for what it is not.
Its statements stay; the rows are made of them anew, and transcripts that are still there are read
from their beginning. That happens in shares, for whoever waits for it: the open app, ``orch watch``
and ``orch import``, never a command on its way.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui.models import facts
from orch_tui.models.database import Record
from orch_tui.models.values import READING_VERSION, READING_VERSION_FACT

if TYPE_CHECKING:
    from orch_tui.prepare.catalogue import Catalogue
    from orch_tui.record.transcripts.transcript_files import TranscriptFile

RUNS_AT_ONCE = 200
"""Rows that one share makes anew."""
BYTES_AT_ONCE = 4_000_000
"""Bytes of transcripts that one share reads, but for the last of them."""

_MARK = "to be read again"
"""The note of a checkpoint whose file an earlier orch has read."""
_DONE_UNTIL = "rows_made_until"


def is_of_earlier_version(record: Record) -> bool:
    """Tell whether there is anything for `reread_share` to do."""
    return facts.get_fact(record, READING_VERSION_FACT) != str(READING_VERSION) or bool(
        record.value("SELECT 1 FROM import_checkpoints WHERE note = ? LIMIT 1", [_MARK])
    )


def reread_share(record: Record, *, catalogue: Catalogue, root: Path) -> int:
    """Add up some runs again or read some transcripts again; gives how many of both remain.

    Raises:
        RecordError: the record is locked or cannot be written.
    """
    if facts.get_fact(record, READING_VERSION_FACT) != str(READING_VERSION):
        return _rebuild_share(record)
    waiting = record.sql(
        "SELECT path, size FROM import_checkpoints WHERE note = ? ORDER BY path", [_MARK]
    )
    share: list[str] = []
    size = 0
    for path, its_size in waiting:
        share.append(str(path))
        size += max(int(its_size), 0)
        if size >= BYTES_AT_ONCE:
            break
    _read_again(record, share, catalogue, root)
    return len(waiting) - len(share)


def _rebuild_share(record: Record) -> int:
    """Make the rows of some runs anew; with the last of them all transcripts are marked."""
    from orch_tui.record.ledger.rebuild import rebuild_from_statements
    from orch_tui.record.ledger.resolve import join_halves

    with record.write():
        until = int(facts.get_fact(record, _DONE_UNTIL) or 0)
        runs = record.sql(
            "SELECT rowid, execution_id FROM agent_executions WHERE rowid > ? ORDER BY rowid "
            "LIMIT ?",
            [until, RUNS_AT_ONCE],
        )
        labels = [str(label) for _, label in runs]
        rebuild_from_statements(record, labels)
        if joined := join_halves(record, labels):
            rebuild_from_statements(record, sorted(joined))
        until = runs[-1][0] if runs else until
        remaining = record.value("SELECT count(*) FROM agent_executions WHERE rowid > ?", [until])
        if remaining:
            facts.set_fact(record, _DONE_UNTIL, str(until))
            return int(remaining)
        record.execute("DELETE FROM record_facts WHERE name = ?", [_DONE_UNTIL])
        facts.set_fact(record, READING_VERSION_FACT, str(READING_VERSION))
        record.execute(
            "UPDATE import_checkpoints SET note = ?, mtime_ns = -1, position = 0, state = NULL, "
            "awaited_since = NULL WHERE note IS NULL AND size >= 0 AND typeof(path) = 'text'",
            [_MARK],
        )
        return int(record.value("SELECT count(*) FROM import_checkpoints WHERE note = ?", [_MARK]))


def note_rows_made(record: Record) -> None:
    """Note that all rows were made by this version just now. Call it within a write."""
    newest = record.value("SELECT coalesce(max(rowid), 0) FROM agent_executions")
    facts.set_fact(record, _DONE_UNTIL, str(newest))


def _read_again(record: Record, paths: list[str], catalogue: Catalogue, root: Path) -> None:
    """Read transcripts that are still there; those that are not wait no longer."""
    from orch_tui.errors import SourceError
    from orch_tui.record.transcripts.importer import import_files
    from orch_tui.record.transcripts.transcript_files import find_in_paths

    found: list[TranscriptFile] = []
    for path in paths:
        if os.path.isfile(path):
            with suppress(SourceError):
                found += find_in_paths([Path(path)])
    if found:
        import_files(record, found, catalogue=catalogue, root=root, exports=False)
    with record.write():
        record.executemany(
            "UPDATE import_checkpoints SET note = NULL WHERE path = ? AND note = ?",
            [(path, _MARK) for path in paths],
        )
