"""Bringing an older record up to date: a backup copy beside it, then one transaction.

Version 0 is the plain four-table schema of the original proposal, which people may have filled
with their own scripts.
"""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orch_tui.errors import RecordError
from orch_tui.models.creation import create_schema
from orch_tui.models.execution import RAW_COLUMNS
from orch_tui.models.values import (
    ITEM_TYPES,
    OUTPUT_TYPES,
    SCHEMA_VERSION,
    STATES,
    STATUSES,
    as_time,
)

if TYPE_CHECKING:
    from orch_tui.models.database import Record, Row

ORIGINAL = {
    "sessions": ("session_id", "created_at", "scope", "phase", "status", "metadata"),
    "agent_executions": ("execution_id", *RAW_COLUMNS),
    "outputs": (
        "output_id",
        "execution_id",
        "output_type",
        "content",
        "created_at",
        "metadata",
    ),
    "context_allocations": (
        "allocation_id",
        "execution_id",
        "context_type",
        "context_source",
        "token_count",
        "included_in_deployment",
    ),
}
"""The tables of version 0, in the order their rows can be copied; the first column names a row."""


def is_original(record: Record) -> bool:
    """Whether the file holds the four tables of version 0, whatever else there is."""
    return record._version() == 0 and all(
        set(columns) <= {row["name"] for row in record.rows(f"PRAGMA table_info({table})")}
        for table, columns in ORIGINAL.items()
    )


def migrate(record: Record) -> None:
    """Bring ``record`` to the current schema; the file is untouched if anything fails.

    Raises:
        RecordError: a row that cannot be taken over.
    """
    backup: Path | None = None
    try:
        with record._transaction("IMMEDIATE"):
            version = record._version()
            if version == SCHEMA_VERSION:  # another process was faster
                return
            backup = _backup_path(record.path, version)
            record.backup(backup)
            for step in range(version, SCHEMA_VERSION):
                _STEPS[step](record)
            record.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException:
        if backup:
            backup.unlink(missing_ok=True)
        raise


def _backup_path(path: Path, version: int) -> Path:
    backup = path.with_name(f"{path.name}.v{version}.bak")
    number = 1
    while os.path.lexists(backup):
        number += 1
        backup = path.with_name(f"{path.name}.v{version}.{number}.bak")
    return backup


def _from_original(record: Record) -> None:
    """Make the new tables and copy every row of the four.

    What the new tables would refuse is mended, and the journal keeps the row as it was. The
    copied executions arrive as raw SQL would bring them, so each becomes an observation.
    """
    record.execute("PRAGMA defer_foreign_keys = ON")  # tables of the user's may point at ours
    for table in reversed(ORIGINAL):
        record.execute(
            f"CREATE TEMP TABLE original_{table} AS SELECT rowid AS original_row, * FROM {table}"
        )
        record.execute(f"DROP TABLE {table}")
    create_schema(record.connection)
    for table, columns in ORIGINAL.items():
        for row in record.rows(f"SELECT * FROM original_{table} ORDER BY original_row"):
            _copy(record, table, columns, row)
        record.execute(f"DROP TABLE original_{table}")


def _copy(record: Record, table: str, columns: tuple[str, ...], row: Row) -> None:
    name = columns[0]
    kept = {column: row[column] for column in columns}
    mended = {column: _mended(table, column, value) for column, value in kept.items()}
    if mended[name] is None:  # SQLite lets a TEXT primary key be NULL
        mended[name] = f"original-{row['original_row']}"
    if table == "agent_executions":
        _know_session(record, mended)
        if mended["status"] is None and mended["error_message"]:
            mended["status"] = "failed"
    elif "execution_id" in mended and not record.value(
        "SELECT 1 FROM agent_executions WHERE execution_id = ?", [mended["execution_id"]]
    ):
        _journal(record, f"{table} {row[name]}: its execution is not there", kept, None)
        return
    try:
        record.execute(
            f"INSERT INTO {table} ({', '.join(mended)}) VALUES ({', '.join('?' * len(mended))})",
            list(mended.values()),
        )
    except sqlite3.IntegrityError as error:
        raise RecordError(
            f"{record.path}: row {mended[name]!r} of {table} cannot be taken over: {error}",
            hint="the file is as it was; change that row and open it again",
        ) from error
    changed = [c for c in kept if mended[c] != kept[c] and not c.endswith("_at")]
    if changed:
        _journal(
            record,
            f"{table} {mended[name]}",
            {column: kept[column] for column in changed},
            {column: mended[column] for column in changed},
        )


_ALLOWED: dict[tuple[str, str], tuple[Any, ...]] = {
    ("sessions", "phase"): (1, 2, 3, 4, 5),
    ("sessions", "status"): STATUSES,
    ("agent_executions", "status"): STATES,
    ("agent_executions", "success"): (0, 1),
    ("outputs", "output_type"): OUTPUT_TYPES,
    ("context_allocations", "context_type"): ITEM_TYPES,
    ("context_allocations", "included_in_deployment"): (0, 1),
}
_SYNONYMS = {
    **dict.fromkeys(("complete", "done", "finished", "succeeded", "success"), "completed"),
    **dict.fromkeys(
        ("aborted", "canceled", "cancelled", "error", "failure", "killed", "stopped", "timeout"),
        "failed",
    ),
    **dict.fromkeys(("true", "yes"), 1),
    **dict.fromkeys(("false", "no"), 0),
}


def _mended(table: str, column: str, value: Any) -> Any:
    """``value`` as the new table takes it; NULL (not known) for a word it has no place for."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if column.endswith("_at"):
        return as_time(value)
    allowed = _ALLOWED.get((table, column))
    if allowed is None or value in allowed:
        return value
    word = value.strip().lower() if isinstance(value, str) else value
    word = _SYNONYMS.get(word, word)
    return word if word in allowed else None


def _know_session(record: Record, execution: Row) -> None:
    """Plain SQLite does not check that the session of an execution exists."""
    record.execute(
        "INSERT INTO sessions (session_id, scope, created_at) VALUES (?, '(not recorded)', ?) "
        "ON CONFLICT (session_id) DO NOTHING",
        [execution["session_id"], execution["deployed_at"]],
    )


def _journal(record: Record, subject: str, before: Row, after: Row | None) -> None:
    record.execute(
        "INSERT INTO journal (at, actor, action, subject, before, after) "
        "VALUES (?, ?, 'migrate', ?, ?, ?)",
        [
            record.now(),
            record.actor,
            subject,
            json.dumps(before, ensure_ascii=False, default=repr),
            None if after is None else json.dumps(after, ensure_ascii=False),
        ],
    )


_STEPS = {0: _from_original}
