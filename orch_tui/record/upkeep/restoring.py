"""Making a copy of the record the record again; what it was until then is kept beside it.

A backup that is put back goes on as a life of its own: from here on it states things as another
origin, or the numbers of statements that were made since the backup would be given twice.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from orch_tui.errors import RecordError
from orch_tui.frozen import frozen
from orch_tui.models.database import check_place
from orch_tui.models.values import APPLICATION_ID, SCHEMA_VERSION
from orch_tui.record.ledger.origins import begin_origin
from orch_tui.record.opening import open_record

_PATIENCE = 15.0
"""Seconds to wait for another process that writes into the record."""
_BESIDE = ("-wal", "-shm")


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
        kept = _keep(path)
        _replace(unfinished, path)
    finally:
        for name in (unfinished, *(Path(f"{unfinished}{end}") for end in _BESIDE)):
            name.unlink(missing_ok=True)
    with open_record(path) as record:
        with record.write():
            begin_origin(record)
        return RestoredRecord(path, kept, record.value("SELECT count(*) FROM agent_executions"))


def _copy(source: Path, target: Path) -> None:
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as held, closing(sqlite3.connect(target)) as copy:
        held.backup(copy)


def _require_whole(copy: Path, source: Path) -> None:
    with closing(sqlite3.connect(copy)) as held:
        (application,) = held.execute("PRAGMA application_id").fetchone()
        (version,) = held.execute("PRAGMA user_version").fetchone()
        tables = {name for (name,) in held.execute("SELECT name FROM sqlite_master")}
        damage = [text for (text,) in held.execute("PRAGMA quick_check(3)")]
    if application != APPLICATION_ID and "agent_executions" not in tables:
        raise RecordError(f"{source} is no record of orch", hint="orch backup FILE makes a copy")
    if version > SCHEMA_VERSION:
        raise RecordError(
            f"{source} is of a newer orch (schema {version}, this one knows {SCHEMA_VERSION})",
            hint="restore it with that orch",
        )
    if damage != ["ok"]:
        raise RecordError(f"{source} is damaged: {damage[0]}", hint="choose another backup")


def _keep(path: Path) -> Path | None:
    """Copy what is the record now, as whole as it is, and give the name of the copy."""
    if not path.exists():
        return None
    number, kept = 1, path.with_name(f"{path.name}.before-restore.bak")
    while os.path.lexists(kept):
        number += 1
        kept = path.with_name(f"{path.name}.before-restore.{number}.bak")
    try:
        _copy(path, kept)
    except sqlite3.DatabaseError:  # damaged, so its bytes are kept as they are
        shutil.copyfile(path, kept)
        for end in _BESIDE[:1]:
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{path}{end}", f"{kept}{end}")
    kept.chmod(0o600)
    return kept


def _replace(copy: Path, path: Path) -> None:
    """Write the pages of the copy into the record, through SQLite: whoever has it open sees them.

    Only where that is no database any more, or is not there, its file is replaced.
    """
    if not path.exists():
        os.replace(copy, path)
        return
    try:
        with (
            _named(path),
            closing(sqlite3.connect(copy)) as held,
            closing(sqlite3.connect(path, timeout=_PATIENCE)) as record,
        ):
            held.backup(record)
    except RecordError as error:
        if not isinstance(error.__cause__, sqlite3.DatabaseError) or _is_busy(error.__cause__):
            raise
        for end in _BESIDE:
            Path(f"{path}{end}").unlink(missing_ok=True)
        os.replace(copy, path)


def _is_busy(error: BaseException) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the file in what SQLite or the system complains of."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "close what uses it, and try again" if _is_busy(error) else ""
        raise RecordError(f"{path}: {reason}", hint=hint) from error
