"""Bringing an older record up to date: a backup copy beside it, then one transaction.

One module and one SQL script stand for each schema version, and are never edited once it is
released: a step must make what its version was, not what tables are today.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui.errors import RecordError
from orch_tui.models.migrations import version_1, version_2
from orch_tui.models.migrations.step import Progress, Step
from orch_tui.models.values import SCHEMA_VERSION

if TYPE_CHECKING:
    from orch_tui.models.database import Record

_STEPS: dict[int, Callable[[sqlite3.Connection, Step], None]] = {
    0: version_1.upgrade,
    1: version_2.upgrade,
}
"""By the version they begin with."""


def is_original(record: Record) -> bool:
    """Whether the file holds the four tables of version 0, whatever else there is."""
    return record._version() == 0 and version_1.is_original(record.connection)


def migrate(
    record: Record,
    *,
    finish: Callable[[Record, Progress], None] | None = None,
    progress: Progress | None = None,
) -> Path | None:
    """Bring ``record`` to the current schema; the file is untouched if anything fails.

    Gives the copy of what it was; None where it was of that schema already.

    ``finish`` is called before the transaction ends, to make anew what is derived; without it the
    rows are noted, and whoever writes next does it. ``progress`` is told how much is done, of
    how much.

    Raises:
        RecordError: a row that cannot be taken over.
    """
    tell = progress or (lambda done, total: None)
    backup: Path | None = None
    # tables are made anew under what points to them; neither can be said within a transaction
    record.execute("PRAGMA foreign_keys = OFF")
    record.execute("PRAGMA legacy_alter_table = ON")
    try:
        with record._transaction("IMMEDIATE"):
            version = record._version()
            if version == SCHEMA_VERSION:  # another process was faster
                return None
            backup = _backup_path(record.path, version)
            record.backup(backup)
            stages = SCHEMA_VERSION - version + (finish is not None)
            for number in range(version, SCHEMA_VERSION):
                stage = _stage(tell, number - version, stages)
                _take_step(record, number, stage)
            record.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            if finish:
                finish(record, _stage(tell, stages - 1, stages))
    except BaseException:
        if backup:
            backup.unlink(missing_ok=True)
        raise
    finally:
        record.execute("PRAGMA legacy_alter_table = OFF")
        record.execute("PRAGMA foreign_keys = ON")
    return backup


def _take_step(record: Record, number: int, progress: Progress) -> None:
    step = Step(record.path, record.now(), record.actor, progress)
    try:
        _STEPS[number](record.connection, step)
    except sqlite3.IntegrityError as error:
        raise RecordError(
            f"{record.path} cannot be brought to schema {number + 1}: {error}",
            hint="the file is as it was; change that row and open it again",
        ) from error


_UNITS = 1_000
"""Of a stage, in the words of ``progress``."""


def _stage(progress: Progress, number: int, stages: int) -> Progress:
    """The progress of one of several stages."""
    return lambda done, total: progress(
        number * _UNITS + _UNITS * done // max(total, 1), stages * _UNITS
    )


def _backup_path(path: Path, version: int) -> Path:
    backup = path.with_name(f"{path.name}.v{version}.bak")
    number = 1
    while os.path.lexists(backup):
        number += 1
        backup = path.with_name(f"{path.name}.v{version}.{number}.bak")
    return backup
