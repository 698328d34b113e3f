"""Whatever plain SQL left in the tables, commands answer or say what is wrong: they never break."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from orch_tui.cli import BROKEN
from tests.cli.conftest import Run
from tests.cli.test_bad_input import DATABASE
from tests.counts import COUNTS, SEED

pytestmark = pytest.mark.slow

COMMANDS = [
    ("query",),
    ("query", "--format", "json"),
    ("query", "--sessions"),
    ("outputs",),
    ("outputs", "--state"),
    ("outputs", "--failed"),
    ("history",),
    ("history", "thing has:message"),
    ("history", "after:2020 failed", "--lenient", "--format", "json"),
    ("show", "exec-001"),
    ("show", "exec-001", "--format", "json"),
    ("show", "exec-001", "--part", "files"),
    ("compare", "exec-001", "exec-002"),
    ("replay", "exec-001", "--drift"),
    ("stats", "--format", "json"),
    ("synthesize",),
    ("synthesize", "--format", "html"),
    ("track-budget",),
    ("plan", "--session-id", "mine"),
    ("doctor",),
    ("export", "--output", "export.jsonl"),
    ("validate", "--session-id", "mine"),
    ("bundles",),
    ("init-deployment", "--agent-type", "a", "--scope", "another"),
    ("record-completion", "--execution-id", "exec-002", "--final-message", "done"),
    ("retract", "exec-001", "--reason", "wrong"),
    ("redact", "secret.txt", "--reason", "leaked", "--dry-run"),
    ("plan", "--session-id", "mine", "--undo"),
]

VALUES = [
    *("NULL", "'garbage'", "''", "-5", "0", "3.7", "1e300", "9e999", "-9e999"),
    *("9223372036854775807", "x'ff00'", "x''", "CAST(x'41ff42' AS TEXT)", "char(0)"),
    *(
        """'{"a": [1]}'""",
        "'[1, 2]'",
        "'[[[['",
        "'2026-99-99T00:00:00Z'",
        "replace(hex(zeroblob(5000)), '00', 'é')",
    ),
    *("'../../etc'", "char(27) || '[2J'", "char(0xD7FF) || char(0x10FFFF)", "zeroblob(3000)"),
]
"""SQL expressions of what nobody would write on purpose."""


class Damage(NamedTuple):
    """A statement of plain SQL, and the command that meets what it did."""

    statement: str
    command: tuple[str, ...]


def damages(tables: dict[str, list[str]]) -> Iterator[Damage]:
    """As many as the lane tries, each once."""
    chance = random.Random(SEED)
    statements = [
        f'UPDATE "{table}" SET "{column}" = {value}'
        for table, columns in tables.items()
        for column in columns
        for value in VALUES
    ]
    statements += [f'DELETE FROM "{table}"' for table in tables] * len(VALUES)
    every = [Damage(statement, command) for statement in statements for command in COMMANDS]
    yield from chance.sample(every, min(COUNTS.sql_values, len(every)))


@pytest.fixture
def tables(did: Run, project: Path) -> dict[str, list[str]]:
    """The columns of each table of a record that holds something of everything."""
    (project / "secret.txt").write_text("learned here")
    did("init-session", "--session-id", "mine", "--scope", "one thing")
    did(
        *("prepare-bundle", "--agent-type", "coder", "--scope", "do a thing"),
        *("--files", "spec/requirements.md", "--output", "bundle.json"),
    )
    did("init-deployment", "--context-bundle", "bundle.json", "--model", "sonnet")
    said = "Created `lib/types.ts`. Tests: pass\n\n## Insights\n- a thing learned here\n"
    did("record-completion", "--execution-id", "exec-001", "--final-message", said)
    did("init-deployment", "--agent-type", "reviewer", "--scope", "second")
    did("plan", "--session-id", "mine", "--agent-type", "planner", "--scope", "planned")
    with closing(sqlite3.connect(DATABASE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' "
            "AND name NOT GLOB 'search_*' AND name NOT GLOB 'sqlite_*'"
        ).fetchall()
        return {
            name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            for (name,) in names
        }


def test_no_command_breaks(tables: dict[str, list[str]], orch: Run) -> None:
    pristine = DATABASE.read_bytes()
    broken: list[Any] = []
    for damage in damages(tables):
        for path in DATABASE.parent.glob("execution.db*"):
            path.unlink()
        DATABASE.write_bytes(pristine)
        with closing(sqlite3.connect(DATABASE, isolation_level=None)) as connection:
            try:
                connection.execute(damage.statement)
            except sqlite3.Error:
                continue  # the schema itself refuses it
        done = orch(*damage.command)
        if done.code == BROKEN or done.code not in (0, 1, 2):
            broken.append((damage, done.code, done.err[-300:]))
    assert broken == []
