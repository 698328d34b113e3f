"""A label that plain SQL changes is the new name; what was named by the old one follows."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from orch_tui.models.database import Record
from orch_tui.recall.timeline import list_steps
from orch_tui.record.completion import record_completion
from orch_tui.record.executions import get_execution, list_completions
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.ledger.statement import Deployed
from orch_tui.record.opening import open_record
from orch_tui.record.sessions import get_session, init_session
from orch_tui.search.query import search


def by_sql(record: Record, statement: str) -> None:
    """As the sqlite3 shell does it: with foreign keys off."""
    with closing(sqlite3.connect(record.path, isolation_level=None)) as connection:
        connection.execute(statement)


@pytest.fixture
def run(record: Record) -> str:
    session = init_session(record, "scope", project="/p")
    deployed = Deployed(agent_type="coder", session=f"session:{session.uid}")
    label = ingest_statement(record, Report([], deployed, source="manual"))
    record_completion(record, label, final_message="all is quixotic")
    return label


def test_an_execution_is_known_by_both_names(record: Record, run: str) -> None:
    by_sql(
        record, f"UPDATE agent_executions SET execution_id = 'my-run' WHERE execution_id = '{run}'"
    )
    with open_record(record.path) as opened:
        for name in ("my-run", run):
            found = get_execution(opened, name)
            assert (found.execution_id, found.status) == ("my-run", "completed")
            assert found.final_message == "all is quixotic"
        assert len(list_completions(opened, "my-run")) == 1
        assert [hit.execution_id for hit in search(opened, "quixotic").hits] == ["my-run"]
        assert list(find_stale_executions(opened)) == []
        assert opened.sql("PRAGMA foreign_key_check") == []
        assert "deployment" in [step.action for step in list_steps(opened, "my-run")]


@pytest.mark.parametrize("name", ["", "a b", "x" * 300])
def test_any_name_will_do_and_twice_as_well(record: Record, run: str, name: str) -> None:
    by_sql(record, "UPDATE agent_executions SET execution_id = 'between'")
    by_sql(record, f"UPDATE agent_executions SET execution_id = '{name}'")
    with open_record(record.path) as opened:
        assert get_execution(opened, run).execution_id == name
        assert opened.sql("PRAGMA foreign_key_check") == []


def test_two_that_change_places_keep_what_they_said(record: Record, run: str) -> None:
    other = ingest_statement(record, Report([], Deployed(agent_type="b"), source="manual"))
    record_completion(record, other, final_message="the other")
    for old, new in ((run, "x"), (other, run), ("x", other)):
        by_sql(
            record,
            f"UPDATE agent_executions SET execution_id = '{new}' WHERE execution_id = '{old}'",
        )
    with open_record(record.path) as opened:
        assert get_execution(opened, other).final_message == "all is quixotic"
        assert get_execution(opened, run).final_message == "the other"
        assert [c.execution_id for c in list_completions(opened, run)] == [run]
        assert list(find_stale_executions(opened)) == []
        assert opened.sql("PRAGMA foreign_key_check") == []


def test_a_session_takes_its_runs_along(record: Record, run: str) -> None:
    by_sql(record, "UPDATE sessions SET session_id = 'release'")
    with open_record(record.path) as opened:
        assert get_session(opened, "release").scope == "scope"
        assert get_execution(opened, run).session_id == "release"
        assert list(find_stale_executions(opened)) == []
        assert opened.sql("PRAGMA foreign_key_check") == []
        assert list_steps(opened, run)


def test_what_is_no_note_of_a_name_is_passed_over(record: Record, run: str) -> None:
    by_sql(record, "INSERT INTO changed_rows VALUES ('renamed:'), ('renamed:[1]'), ('renamed:{')")
    with open_record(record.path) as opened:
        assert get_execution(opened, run).status == "completed"
        assert opened.sql("SELECT * FROM changed_rows") == []
