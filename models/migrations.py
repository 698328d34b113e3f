"""Bringing an older record up to date: a backup copy beside it, then one transaction.

Version 0 is the plain four-table schema of the original proposal, which people may have filled
with their own scripts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orch_tui.errors import RecordError
from orch_tui.models.executions import RAW_COLUMNS
from orch_tui.models.schema import SCHEMA_VERSION, create

if TYPE_CHECKING:
    from orch_tui.models.database import Record

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
"""The tables of version 0, in the order their rows can be copied."""


def migrate(record: Record) -> None:
    """Bring ``record`` to the current schema; the file is untouched if anything fails.

    Raises:
        RecordError: its tables are none of orch's.
    """
    if record._version() == 0 and not set(ORIGINAL) <= record._tables():
        raise RecordError(
            f"{record.path} is an SQLite database of something else",
            hint="name another with --db",
        )
    version = record._version()
    backup = record.path.with_name(f"{record.path.name}.v{version}.bak")
    number = 1
    while backup.exists():
        number += 1
        backup = record.path.with_name(f"{record.path.name}.v{version}.{number}.bak")
    record.backup(backup)
    with record.db.atomic("IMMEDIATE"):
        for step in range(record._version(), SCHEMA_VERSION):  # nothing if another process won
            _STEPS[step](record)
        record._stamp()


def _from_original(record: Record) -> None:
    """Set the four tables aside, make the new ones and copy every row.

    Times keep the moment they name; they get the record's way of writing it. The copied
    executions arrive as raw SQL would bring them, so each becomes an observation.
    """
    for table in ORIGINAL:
        record.execute(f"ALTER TABLE {table} RENAME TO original_{table}")
    for (name,) in record.sql(
        "SELECT name FROM sqlite_schema WHERE type IN ('index', 'trigger', 'view') "
        "AND name NOT LIKE 'sqlite_%'"
    ):
        kind = record.value("SELECT type FROM sqlite_schema WHERE name = ?", [name])
        record.execute(f'DROP {kind} "{name}"')
    create(record.db)
    for table, columns in ORIGINAL.items():
        held = {row["name"] for row in record.rows(f"PRAGMA table_info(original_{table})")}
        kept = [column for column in columns if column in held]
        values = ", ".join(_as_time(c) if c.endswith("_at") else c for c in kept)
        record.execute(
            f"INSERT INTO {table} ({', '.join(kept)}) SELECT {values} FROM original_{table}"
        )
        record.execute(f"DROP TABLE original_{table}")


def _as_time(column: str) -> str:
    return f"coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', {column}), {column})"


_STEPS = {0: _from_original}
