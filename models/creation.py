"""Making the tables of a new record, from the SQL that ships with orch."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator


def schema_script() -> str:
    """Read the whole schema, as one SQL script."""
    from orch_tui.assets import asset

    return asset("execution_db.schema.sql").read_text("utf-8")


def create_schema(connection: sqlite3.Connection) -> None:
    """Create everything in an empty database, inside the caller's transaction."""
    for statement in split_statements(schema_script()):
        connection.execute(statement)


def split_statements(script: str) -> Iterator[str]:
    """Split a script into its statements, each of which ends its last line.

    ``executescript`` would commit the transaction that is open.
    """
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
