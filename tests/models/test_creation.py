"""A new record is made from the SQL that ships with orch."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from orch_tui.models.creation import create_schema, schema_script, split_statements


@pytest.mark.parametrize(
    ("script", "statements"),
    [
        ("", []),
        ("A;\nB;\n", ["A;\n", "B;\n"]),
        ("A\n  b;\n\nC;", ["A\n  b;\n", "\nC;"]),
        ("A ';\n';\n", ["A ';\n';\n"]),
        ("-- a;\nB;\n", ["-- a;\nB;\n"]),
        (
            "CREATE TRIGGER t BEGIN\n  A;\n  B;\nEND;\nC;\n",
            ["CREATE TRIGGER t BEGIN\n  A;\n  B;\nEND;\n", "C;\n"],
        ),
        ("A;\nunfinished", ["A;\n"]),
    ],
)
def test_a_script_is_split_where_its_statements_end(script: str, statements: list[str]) -> None:
    assert list(split_statements(script)) == statements


def test_nothing_of_the_script_is_lost() -> None:
    assert "".join(split_statements(schema_script())).strip() == schema_script().strip()


def test_a_schema_is_made_within_the_transaction_of_the_caller() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("BEGIN")
        create_schema(connection)
        assert connection.in_transaction
        tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'agent_executions'"
        assert connection.execute(tables).fetchone() == (1,)
        connection.execute("ROLLBACK")
        assert connection.execute(tables).fetchone() == (0,)
