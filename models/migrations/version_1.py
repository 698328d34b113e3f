"""Schema version 1, and the step that makes it of version 0. Frozen: never edit.

Version 0 is the plain four-table schema of the original proposal, which people may have filled
with their own scripts. Version 1 was built in several shapes before it was released: the step that
leaves it adds what an older one lacks (``complete``).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from orch_tui.errors import RecordError
from orch_tui.models.creation import split_statements
from orch_tui.models.migrations.shapes import (
    columns_of,
    complete_indexes,
    complete_tables,
    quoted,
    version_script,
    version_shape,
)
from orch_tui.models.migrations.step import Step
from orch_tui.models.values import as_time

Row = dict[str, Any]

ORIGINAL = {
    "sessions": ("session_id", "created_at", "scope", "phase", "status", "metadata"),
    "agent_executions": (
        *("execution_id", "session_id", "agent_type", "deployed_at", "completed_at", "status"),
        *("scope", "context_token_count", "model", "final_message", "success", "error_message"),
    ),
    "outputs": ("output_id", "execution_id", "output_type", "content", "created_at", "metadata"),
    "context_allocations": (
        *("allocation_id", "execution_id", "context_type", "context_source", "token_count"),
        "included_in_deployment",
    ),
}
"""The tables of version 0, in the order their rows can be copied; the first column names a row."""


def is_original(database: sqlite3.Connection) -> bool:
    """Whether a database holds the four tables of version 0, whatever else there is."""
    return all(
        set(columns) <= columns_of(database, table).keys() for table, columns in ORIGINAL.items()
    )


def create(database: sqlite3.Connection) -> None:
    """Make everything in an empty database, inside the caller's transaction."""
    for statement in split_statements(version_script(1)):
        database.execute(statement)


def complete(database: sqlite3.Connection) -> None:
    """Add the tables, columns and indexes that an older shape of version 1 lacks.

    Expects that no trigger is left and foreign keys are not enforced.
    """
    complete_tables(database, version_shape(1))
    complete_indexes(database, version_shape(1))


@contextmanager
def new_database(path: Path) -> Iterator[sqlite3.Connection]:
    """An empty database of version 1 to fill with ``insert``, committed at the end.

    It has no triggers: what they would note is among the rows that come.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN")
        for statement in split_statements(version_script(1)):
            if not statement.lstrip().startswith("CREATE TRIGGER"):
                database.execute(statement)
        yield database
        database.execute("COMMIT")


class RowError(ValueError):
    """A row that a table of version 1 does not take."""


def insert(database: sqlite3.Connection, table: str, values: Mapping[str, Any]) -> None:
    """Insert one row by column; columns that are not named get their defaults.

    Raises:
        RowError: no such table or column, or a value that the table refuses.
    """
    columns = version_shape(1).columns.get(table)
    if columns is None or table.startswith("search_"):
        raise RowError("there is no such table")
    unknown = sorted(values.keys() - columns.keys())
    if unknown or not values:
        raise RowError(f"it has no column {', '.join(unknown) or 'at all'}")
    try:
        database.execute(
            f"INSERT INTO {quoted(table)} ({', '.join(map(quoted, values))}) "
            f"VALUES ({', '.join('?' * len(values))})",
            list(values.values()),
        )
    except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
        raise RowError(str(error)) from error


def upgrade(database: sqlite3.Connection, step: Step) -> None:
    """Make the tables of version 1 and copy every row of the four.

    What the new tables would refuse is mended, and the journal keeps the row as it was. The
    copied executions arrive as raw SQL would bring them, so each becomes an observation.
    """
    for table in reversed(ORIGINAL):
        database.execute(
            f"CREATE TEMP TABLE original_{table} AS SELECT rowid AS original_row, * FROM {table}"
        )
        database.execute(f"DROP TABLE {table}")
    create(database)
    for table, columns in ORIGINAL.items():
        for row in _rows(database, f"SELECT * FROM original_{table} ORDER BY original_row"):
            _copy(database, step, table, columns, row)
        database.execute(f"DROP TABLE original_{table}")


def _rows(database: sqlite3.Connection, query: str) -> Iterator[Row]:
    cursor = database.execute(query)
    names = [column[0] for column in cursor.description]
    for values in cursor:
        yield dict(zip(names, values, strict=True))


def _copy(
    database: sqlite3.Connection, step: Step, table: str, columns: tuple[str, ...], row: Row
) -> None:
    name = columns[0]
    kept = {column: row[column] for column in columns}
    mended = {column: _mended(table, column, value) for column, value in kept.items()}
    if mended[name] is None:  # SQLite lets a TEXT primary key be NULL
        mended[name] = f"original-{row['original_row']}"
    if table == "agent_executions":
        _know_session(database, mended)
        if mended["status"] is None and mended["error_message"]:
            mended["status"] = "failed"
    elif "execution_id" in mended and not _has_execution(database, mended["execution_id"]):
        _journal(database, step, f"{table} {row[name]}: its execution is not there", kept, None)
        return
    try:
        database.execute(
            f"INSERT INTO {table} ({', '.join(mended)}) VALUES ({', '.join('?' * len(mended))})",
            list(mended.values()),
        )
    except sqlite3.IntegrityError as error:
        raise RecordError(
            f"{step.path}: row {mended[name]!r} of {table} cannot be taken over: {error}",
            hint="the file is as it was; change that row and open it again",
        ) from error
    changed = [c for c in kept if mended[c] != kept[c] and not c.endswith("_at")]
    if changed:
        _journal(
            database,
            step,
            f"{table} {mended[name]}",
            {column: kept[column] for column in changed},
            {column: mended[column] for column in changed},
        )


def _has_execution(database: sqlite3.Connection, execution_id: Any) -> bool:
    found = database.execute(
        "SELECT 1 FROM agent_executions WHERE execution_id = ?", [execution_id]
    )
    return found.fetchone() is not None


_ALLOWED: dict[tuple[str, str], tuple[Any, ...]] = {
    ("sessions", "phase"): (1, 2, 3, 4, 5),
    ("sessions", "status"): ("planning", "executing", "completed", "failed"),
    ("agent_executions", "status"): ("deployed", "completed", "failed"),
    ("agent_executions", "success"): (0, 1),
    ("outputs", "output_type"): ("deliverable", "validation_result", "insight", "error"),
    ("context_allocations", "context_type"): ("file", "reference", "briefing", "shared_context"),
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


def _know_session(database: sqlite3.Connection, execution: Row) -> None:
    """Plain SQLite does not check that the session of an execution exists."""
    database.execute(
        "INSERT INTO sessions (session_id, scope, created_at) VALUES (?, '(not recorded)', ?) "
        "ON CONFLICT (session_id) DO NOTHING",
        [execution["session_id"], execution["deployed_at"]],
    )


def _journal(
    database: sqlite3.Connection, step: Step, subject: str, before: Row, after: Row | None
) -> None:
    database.execute(
        "INSERT INTO journal (at, actor, action, subject, before, after) "
        "VALUES (?, ?, 'migrate', ?, ?, ?)",
        [
            step.now,
            step.actor,
            subject,
            json.dumps(before, ensure_ascii=False, default=repr),
            None if after is None else json.dumps(after, ensure_ascii=False),
        ],
    )
