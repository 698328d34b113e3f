"""Every table, index and trigger of the record, in the order they are created.

``assets/execution_db.schema.sql`` is this module written out: ``python -m orch_tui.models.schema``
prints it and a test holds the two together.
"""

from __future__ import annotations

import sqlite3
from functools import cache

from peewee import Model, SchemaManager, SqliteDatabase

from orch_tui.models.bundle import Bundle, BundleItem, BundleVersion
from orch_tui.models.content import Briefing, Content, TokenCount
from orch_tui.models.execution import (
    RAW_TRIGGERS,
    AgentExecution,
    Completion,
    ContextAllocation,
    ExecutionFile,
    ExecutionKey,
    ImportCheckpoint,
    Observation,
    UsageMessage,
)
from orch_tui.models.output import Output
from orch_tui.models.search import SEARCH_TABLES, SEARCH_TRIGGERS
from orch_tui.models.session import (
    JOURNAL_TRIGGERS,
    Counter,
    JournalEntry,
    PlannedAgent,
    PlannedWait,
    Session,
)
from orch_tui.models.values import APPLICATION_ID, SCHEMA_VERSION, WHEN

TABLES: tuple[type[Model], ...] = (
    Content,
    TokenCount,
    Briefing,
    Bundle,
    BundleVersion,
    BundleItem,
    Session,
    PlannedAgent,
    PlannedWait,
    JournalEntry,
    Counter,
    AgentExecution,
    ExecutionKey,
    Observation,
    Completion,
    ContextAllocation,
    Output,
    ImportCheckpoint,
    UsageMessage,
    ExecutionFile,
)

INDEXES = (
    "CREATE INDEX observations_pending ON observations (execution_id) WHERE pending",
    "CREATE INDEX transcripts_awaited ON import_checkpoints (awaited_since) "
    "WHERE awaited_since IS NOT NULL",
    # Lists are newest first, and so are most questions; it covers what they filter by.
    f"CREATE INDEX executions_by_time ON agent_executions ({WHEN}, "
    "retracted_at, session_id, agent_type, status, success, model, resolved_model, planned_id, "
    "bundle_version_id)",
)

TRIGGERS = {**RAW_TRIGGERS, **JOURNAL_TRIGGERS, **SEARCH_TRIGGERS}


@cache
def statements() -> tuple[str, ...]:
    """What makes everything in an empty database, in order."""
    with SqliteDatabase(":memory:") as database:
        for table in TABLES:
            SchemaManager(table, database).create_all(safe=False)
        made = database.execute_sql(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid"
        ).fetchall()
    return (
        f"PRAGMA application_id = {APPLICATION_ID}",
        f"PRAGMA user_version = {SCHEMA_VERSION}",
        *(sql for (sql,) in made),
        *INDEXES,
        *SEARCH_TABLES,
        *TRIGGERS.values(),
    )


def create(connection: sqlite3.Connection) -> None:
    """Make everything in an empty database, inside the caller's transaction."""
    for statement in statements():
        connection.execute(statement)


def script() -> str:
    """The whole schema as one SQL script."""
    head = "-- The record of orch. Written by `python -m orch_tui.models.schema`; do not edit.\n"
    return head + "\n".join(f"{_folded(statement)};\n" for statement in statements())


def _folded(statement: str) -> str:
    """A CREATE TABLE with one column a line, for people who read the file."""
    if not statement.startswith("CREATE TABLE"):
        return statement
    opening = statement.index("(")
    depth, lines, start = 0, [], opening + 1
    for position in range(opening, len(statement)):
        depth += {"(": 1, ")": -1}.get(statement[position], 0)
        if (statement[position] == "," and depth == 1) or depth == 0:
            lines.append(statement[start:position].strip())
            start = position + 1
            if depth == 0:
                break
    return statement[: opening + 1] + "\n  " + ",\n  ".join(lines) + "\n)" + statement[start:]


if __name__ == "__main__":
    print(script(), end="")
