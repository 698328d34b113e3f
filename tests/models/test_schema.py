"""The schema on paper, in the models and in a new file is one and the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from orch_tui.models import schema
from orch_tui.models.base import Table
from orch_tui.models.creation import create_schema, schema_script
from orch_tui.models.database import Record
from orch_tui.models.migrations.version_1 import ORIGINAL
from orch_tui.rows import (
    Allocation,
    Completion,
    ExecutionFacts,
    JournalEntry,
    Output,
    PlannedAgent,
    Session,
)
from tests.generate.schema import render_schema


def made(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    return set(connection.execute("SELECT name, type FROM sqlite_schema"))


def test_the_schema_file_is_what_the_models_say() -> None:
    assert schema_script() == render_schema(), "run: make schema"


def test_the_schema_file_makes_the_record(record: Record, tmp_path: Path) -> None:
    path = tmp_path / "paper.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(schema_script())
        assert made(raw) == made(record.connection)
    with Record(path, create=False) as opened:
        assert opened.value("PRAGMA journal_mode") == "wal"


def test_the_tables_are_made_within_a_transaction() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as raw:
        raw.execute("BEGIN")
        create_schema(raw)
        raw.execute("ROLLBACK")
        assert made(raw) == set()


def test_every_model_is_in_the_schema() -> None:
    assert set(Table.__subclasses__()) == set(schema.TABLES)


@pytest.mark.parametrize("table", list(ORIGINAL))
def test_the_four_tables_start_with_the_columns_of_the_proposal(record: Record, table: str) -> None:
    """So that a row of SELECT * is read by position as it was."""
    columns = [row["name"] for row in record.rows(f"PRAGMA table_info({table})")]
    assert columns[: len(ORIGINAL[table])] == list(ORIGINAL[table])


OF_EXCHANGE = {"origin_id", "project_key", "run_project", "parent_key"}
"""What says where a row came from and what its neighbours are called in any record."""
OF_THE_ENGINE = {"revision"}
"""What tells its own writes from those of raw SQL."""
NOT_IN_LISTS = {
    "sessions": {
        *("title", "ended_at"),  # only a session of Claude Code has them
        *("thresholds", "reserve"),  # null: the configuration's; `record.session_budget` resolves
    },
    "agent_executions": {
        "message_id",  # points to bytes, which lists do not show
        "transcript_path",  # a file of one machine
        *("client_version", "ran_in"),  # the merge derives them, no list shows it
    },
    "completions": {"ending"},  # likewise
}
"""What the models have and lists do not hand out, by table; the models do."""
COMPUTED = {"agent_executions": {"requested_model"}}
"""What lists hand out and is no column by that name, by table."""


@pytest.mark.parametrize(
    ("fact", "table"),
    [
        (Session, "sessions"),
        (ExecutionFacts, "agent_executions"),
        (Completion, "completions"),
        (Allocation, "context_allocations"),
        (Output, "outputs"),
        (PlannedAgent, "planned_agents"),
        (JournalEntry, "journal"),
    ],
)
def test_what_is_handed_out_has_the_columns_of_its_model(fact: Any, table: str) -> None:
    (model,) = (model for model in schema.TABLES if model._meta.table_name == table)
    held = [field.column_name for field in model._meta.sorted_fields]
    given = [f.name for f in fields(fact) if f.name not in COMPUTED.get(table, set())]
    left_out = OF_EXCHANGE | OF_THE_ENGINE | NOT_IN_LISTS.get(table, set())
    assert given == [name for name in held if name in given], "in the order of the table"
    assert set(held) - set(given) <= left_out
    assert not set(given) & NOT_IN_LISTS.get(table, set())
