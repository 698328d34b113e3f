"""Making a copy of the record the record again; what it was until then is kept beside it.

A backup that is put back goes on as a life of its own: from here on it states things as another
origin, or the numbers of statements that were made since the backup would be given twice.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from orch_tui.errors import RecordError
from orch_tui.frozen import frozen
from orch_tui.models.database import check_place, give_name, uri_to_look_at
from orch_tui.record.opening import open_record
from orch_tui.record.provenance import remember_record

_PATIENCE = 15.0
"""Seconds to wait for another process that writes into the record."""
_BESIDE = ("-wal", "-shm")
_PAGES = 16
"""Of a step of copying; after the first it is seen whether anybody wrote: any record has more."""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_HELD = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@frozen
class RestoredRecord:
    """What was done."""

    record: Path
    kept: Path | None
    """What was the record until then; None: there was none."""
    runs: int
    """How many executions it holds now."""


def restore_record(path: Path, source: Path) -> RestoredRecord:
    """Make the database at ``path`` what the one in ``source`` is.

    ``source`` is not changed; one of an earlier version is brought up to date in its new place.
    Processes that have the record open go on with what it is now.

    Raises:
        RecordError: ``source`` is no whole record, or another process does not let go.
    """
    check_place(path)
    check_place(source)
    if not source.is_file():
        raise RecordError(f"there is no record at {source}", hint="orch backup FILE makes a copy")
    if path.exists() and path.samefile(source):
        raise RecordError(f"{source} is the record", hint="name the copy that is to replace it")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        with _named(source):
            _copy(source, unfinished)
            _require_whole(unfinished, source)
        runs = _make_ready(unfinished)
        kept = _put_in_place(unfinished, path)
        remember_record(path)
        return RestoredRecord(path, kept, runs)
    finally:
        for name in path.parent.glob(f"{unfinished.name}*"):
            name.unlink(missing_ok=True)


def _make_ready(copy: Path) -> int:
    """Bring the copy up to date and end the life that it was; gives how many runs it holds.

    All that can be refused is refused here, before the record is touched.
    """
    with open_record(copy) as record:
        with record.write():
            record.execute(
                "UPDATE origins SET closed_at = ? WHERE mine AND closed_at IS NULL", [record.now()]
            )
        return int(record.value("SELECT count(*) FROM agent_executions"))


def _copy(source: Path, target: Path) -> None:
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    uri = uri_to_look_at(source)
    with closing(sqlite3.connect(uri, uri=True)) as held, closing(sqlite3.connect(target)) as copy:
        held.backup(copy)


def _require_whole(copy: Path, source: Path) -> None:
    with closing(sqlite3.connect(copy)) as held:
        tables = {name for (name,) in held.execute("SELECT name FROM sqlite_master")}
        damage = [text for (text,) in held.execute("PRAGMA quick_check(3)")]
    if "agent_executions" not in tables:
        raise RecordError(f"{source} is no record of orch", hint="orch backup FILE makes a copy")
    if damage != ["ok"]:
        raise RecordError(f"{source} is damaged: {damage[0]}", hint="choose another backup")


def _put_in_place(copy: Path, path: Path) -> Path | None:
    """Keep what the record is and write the copy into it; gives the name of what was kept.

    The pages are written through SQLite, so that whoever has the record open sees them; only
    where it is no database any more its file is replaced.
    """
    if not path.exists():
        os.replace(copy, path)
        return None
    kept = _free_name(path)
    last = time.monotonic() + _PATIENCE
    try:
        while not _overwrite(path, kept, copy, last):
            kept.unlink()  # somebody wrote since it was made
    except sqlite3.DatabaseError as error:
        kept.unlink(missing_ok=True)
        if error.sqlite_errorcode & 0xFF not in _DAMAGED:
            with _named(path):
                raise
        _keep_bytes(path, kept)
        for end in _BESIDE:
            Path(f"{path}{end}").unlink(missing_ok=True)
        os.replace(copy, path)
    except TimeoutError:
        kept.unlink(missing_ok=True)
        raise RecordError(
            f"{path}: another process is writing into it", hint="close what uses it, and try again"
        ) from None
    return kept


class _WrittenMeanwhileError(Exception):
    """Somebody recorded something between the keeping and the writing."""


def _overwrite(path: Path, kept: Path, copy: Path, last: float) -> bool:
    """Keep the record and write the copy into it; False: somebody wrote in between, and nothing
    was done.

    Raises:
        TimeoutError: it is still held by another process at ``last``.
        sqlite3.DatabaseError: it is no sound database, or cannot be written.
    """
    with (
        closing(sqlite3.connect(path, timeout=1)) as observer,
        closing(sqlite3.connect(path, timeout=1)) as record,
        closing(sqlite3.connect(copy)) as held,
    ):
        record.execute("PRAGMA journal_mode = wal")  # as every record: a writer stops no reader
        before = _count_changes(observer)
        _take_page_size(held, record)
        keeping = copy.with_name(f"{copy.name}.kept")  # until it is whole
        _copy(path, keeping)
        give_name(keeping, kept)

        def look(status: int, remaining: int, total: int) -> None:
            # The first step that is no refusal has the lock, and keeps it to the end.
            if status in _HELD and time.monotonic() > last:
                raise TimeoutError
            first = total - remaining == _PAGES
            if status == sqlite3.SQLITE_OK and first and _count_changes(observer) != before:
                raise _WrittenMeanwhileError

        try:
            held.backup(record, pages=_PAGES, progress=look, sleep=0.05)
        except _WrittenMeanwhileError:
            return False
    return True


def _count_changes(observer: sqlite3.Connection) -> int:
    """Give a number that is another one once anybody else has committed."""
    return _ask(observer, "PRAGMA data_version")


def _ask(connection: sqlite3.Connection, question: str) -> int:
    """Ask for one number; nothing is left open that would hold a lock."""
    ((answer,),) = connection.execute(question).fetchall()
    return int(answer)


def _take_page_size(copy: sqlite3.Connection, record: sqlite3.Connection) -> None:
    """Give the copy the size of pages that the record has: those of another do not fit into it."""
    wanted = _ask(record, "PRAGMA page_size")
    if _ask(copy, "PRAGMA page_size") != wanted:
        copy.execute("PRAGMA journal_mode = DELETE")
        copy.execute(f"PRAGMA page_size = {wanted}")
        copy.execute("VACUUM")


BEFORE_RESTORE = "before-restore"
"""Stands in the name of the copy of a record that a backup took the place of."""


def _free_name(path: Path) -> Path:
    number, kept = 1, path.with_name(f"{path.name}.{BEFORE_RESTORE}.bak")
    while os.path.lexists(kept):
        number += 1
        kept = path.with_name(f"{path.name}.{BEFORE_RESTORE}.{number}.bak")
    return kept


def _keep_bytes(path: Path, kept: Path) -> None:
    """Copy a damaged record byte for byte, with what was written and is not in it yet."""
    shutil.copyfile(path, kept)
    kept.chmod(0o600)
    with suppress(FileNotFoundError):
        shutil.copyfile(f"{path}-wal", f"{kept}-wal")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the file in what SQLite or the system complains of."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RecordError(f"{path}: {reason}") from error
