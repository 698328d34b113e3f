"""Every table, index and trigger of the record, in the order they are created.

``assets/execution_db.schema.sql`` is this module written out: ``python -m orch_tui.models.schema``
prints it and a test holds the two together.
"""

from __future__ import annotations

from peewee import Model, SchemaManager, SqliteDatabase

from orch_tui.models.base import APPLICATION_ID as APPLICATION_ID
from orch_tui.models.base import SCHEMA_VERSION as SCHEMA_VERSION
from orch_tui.models.base import WHEN
from orch_tui.models.bundles import Bundle, BundleItem, BundleVersion
from orch_tui.models.contents import Briefing, Content, TokenCount
from orch_tui.models.executions import (
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
from orch_tui.models.outputs import Output
from orch_tui.models.search import SEARCH_TABLES, SEARCH_TRIGGERS
from orch_tui.models.sessions import (
    JOURNAL_TRIGGERS,
    Counter,
    JournalEntry,
    PlannedAgent,
    PlannedWait,
    Session,
)

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


def create(database: SqliteDatabase) -> None:
    """Make everything in an empty database, inside the caller's transaction."""
    for table in TABLES:
        SchemaManager(table, database).create_all(safe=False)
    for statement in (*INDEXES, *SEARCH_TABLES, *TRIGGERS.values()):
        database.execute_sql(statement)


def script() -> str:
    """The whole schema as one SQL script."""
    head = (
        "-- The record of orch. Written by `python -m orch_tui.models.schema`; do not edit.\n"
        f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {SCHEMA_VERSION};\n\n"
    )
    with SqliteDatabase(":memory:") as database:
        create(database)
        # what a virtual table keeps for itself has a name of the form <table>_<part>
        made = database.execute_sql(
            "SELECT sql FROM sqlite_schema AS s WHERE sql IS NOT NULL AND NOT EXISTS ("
            "SELECT 1 FROM sqlite_schema AS v WHERE v.sql LIKE 'CREATE VIRTUAL%' "
            "AND s.name GLOB v.name || '_*') ORDER BY rowid"
        ).fetchall()
    return head + "".join(f"{_folded(statement)};\n\n" for (statement,) in made)


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
