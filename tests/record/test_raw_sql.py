"""Raw SQL on the record: the statements of the proposal run, and what they say stays said."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import OrchError
from orch_tui.models.database import BUSY_SECONDS, Record
from orch_tui.models.stored_bytes import STORED_BYTES
from orch_tui.record import executions, plan
from orch_tui.record.completion import record_completion
from orch_tui.record.executions import list_completions
from orch_tui.record.ledger import journal
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.raw_sql import ingest_noted_changes
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.ledger.statement import Deployed, Noted
from orch_tui.record.opening import ingest_arrivals, open_record
from orch_tui.record.sessions import init_session
from orch_tui.record.upkeep.export import export_record


@pytest.fixture
def raw(record: Record) -> Iterator[sqlite3.Connection]:
    """What somebody's script opens: plain SQLite, no foreign keys."""
    with closing(sqlite3.connect(record.path, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def raw_execution(raw: sqlite3.Connection) -> sqlite3.Connection:
    raw.execute("INSERT INTO sessions (session_id, scope) VALUES ('s', 'vectors')")
    raw.execute(
        "INSERT INTO agent_executions (execution_id, session_id, agent_type, status, scope, "
        "context_token_count, model) VALUES ('exec-001', 's', 'debugger', 'deployed', 'find', "
        "15000, 'sonnet')"
    )
    return raw


def _execution(record: Record) -> Any:
    ingest_arrivals(record)
    return executions.get_execution(record, "exec-001")


def test_columns_the_proposal_left_to_defaults_are_filled(
    record: Record, raw_execution: sqlite3.Connection
) -> None:
    raw_execution.execute(
        "INSERT INTO outputs (execution_id, output_type, content) "
        "VALUES ('exec-001', 'insight', 'slow')"
    )
    raw_execution.execute(
        "INSERT INTO context_allocations (execution_id, context_type, context_source, token_count, "
        "included_in_deployment) VALUES ('exec-001', 'file', 'lib/a.py', 120, 1)"
    )
    held = _execution(record)
    assert held.source == "sql"
    assert held.deployed_at.endswith("Z")
    assert len(held.uid) == 32
    assert executions.list_allocations(record, "exec-001")[0].token_count == 120


def test_an_inserted_execution_can_be_completed_at_once(
    record: Record, raw_execution: sqlite3.Connection
) -> None:
    """By a process that had the record open all along."""
    done = record_completion(record, "exec-001", final_message="found it", status="completed")
    assert done.execution.final_message == "found it"
    assert done.execution.context_token_count == 15000
    assert list(find_stale_executions(record)) == []


def test_an_update_survives_a_later_completion(
    record: Record, raw_execution: sqlite3.Connection
) -> None:
    raw_execution.execute(
        "UPDATE agent_executions SET status = 'completed', completed_at = CURRENT_TIMESTAMP, "
        "final_message = 'first', success = 1, model = 'opus' WHERE execution_id = 'exec-001'"
    )
    ingest_arrivals(record)
    record_completion(
        record,
        "exec-001",
        final_message="second",
        status="failed",
        completed_at="2099-01-01T00:00:00.000Z",
    )
    held = _execution(record)
    assert (held.model, held.final_message, held.status) == ("opus", "second", "failed")
    assert [c.status for c in list_completions(record, "exec-001")] == ["completed", "failed"]


def test_an_update_not_yet_taken_in_survives_a_completion(
    record: Record, raw_execution: sqlite3.Connection
) -> None:
    ingest_arrivals(record)
    raw_execution.execute(
        "UPDATE agent_executions SET final_message = 'by hand', status = 'completed' "
        "WHERE execution_id = 'exec-001'"
    )
    record_completion(
        record, "exec-001", final_message="later", completed_at="2099-01-01T00:00:00.000Z"
    )
    ingest_arrivals(record)
    messages = record.sql(
        f"SELECT {STORED_BYTES} FROM completions JOIN contents ON content_id = message_id "
        "ORDER BY position"
    )
    assert messages == [(b"by hand",), (b"later",)]
    assert _execution(record).final_message == "later"


def test_the_later_return_wins_however_its_time_is_written(
    record: Record, raw_execution: sqlite3.Connection
) -> None:
    record_completion(
        record, "exec-001", final_message="early", completed_at="2026-11-22T08:00:00.000Z"
    )
    raw_execution.execute(
        "UPDATE agent_executions SET final_message = 'late', "
        "completed_at = '2026-11-22 09:00:00' WHERE execution_id = 'exec-001'"
    )
    held = _execution(record)
    assert held.final_message == "late"
    assert held.completed_at == "2026-11-22T09:00:00.000Z"


def test_one_return_told_a_column_at_a_time_is_one_completion(
    record: Record, raw_execution: sqlite3.Connection
) -> None:
    for change in (
        "completed_at = '2026-11-22 09:00:00'",
        "final_message = 'it broke'",
        "success = 0",
        "status = 'failed', error_message = 'no disk'",
    ):
        raw_execution.execute(
            f"UPDATE agent_executions SET {change} WHERE execution_id = 'exec-001'"
        )
    held = _execution(record)
    assert len(list_completions(record, "exec-001")) == 1
    assert (held.status, held.success, held.error_message) == ("failed", False, "no disk")
    assert (held.final_message, held.completed_at) == ("it broke", "2026-11-22T09:00:00.000Z")


def test_raw_sql_has_the_last_word_over_what_people_said(
    record: Record, raw_execution: sqlite3.Connection
) -> None:
    record_completion(record, "exec-001", final_message="fine", success=True)
    raw_execution.execute(
        "UPDATE agent_executions SET status = 'failed', success = 0, scope = 'other' "
        "WHERE execution_id = 'exec-001'"
    )
    held = _execution(record)
    assert (held.status, held.success, held.scope) == ("failed", False, "other")
    assert held.final_message == "fine"
    assert len(list_completions(record, "exec-001")) == 1


@pytest.mark.parametrize("conflict", ["REPLACE", "IGNORE", "FAIL", "ABORT"])
def test_an_execution_written_over_keeps_its_names(
    record: Record, raw_execution: sqlite3.Connection, conflict: str
) -> None:
    """The conflict clause of a statement overrules those in the triggers it fires."""
    ingest_arrivals(record)
    raw_execution.execute("DELETE FROM agent_executions")
    raw_execution.execute(
        f"INSERT OR {conflict} INTO agent_executions (execution_id, session_id, agent_type, scope)"
        " VALUES ('exec-001', 's', 'tester', 'again')"
    )
    assert _execution(record).agent_type == "tester"
    assert ("id:exec-001", "exec-001") in record.sql("SELECT * FROM execution_keys")
    assert record.sql("SELECT DISTINCT execution_id FROM execution_keys") == [("exec-001",)]


def test_what_raw_sql_did_is_in_the_journal(
    record: Record, raw_execution: sqlite3.Connection
) -> None:
    ingest_arrivals(record)
    raw_execution.execute("UPDATE agent_executions SET completed_at = '2026-11-22T09:00:00Z'")
    ingest_arrivals(record)
    (entry,) = [e for e in journal.list_journal(record, execution_id="exec-001") if e.before]
    assert entry.after["completed_at"] == "2026-11-22T09:00:00Z"
    assert entry.before["completed_at"] is None


def test_taking_in_twice_changes_nothing(record: Record, raw_execution: sqlite3.Connection) -> None:
    ingest_arrivals(record)
    before = "\n".join(record.connection.iterdump())
    with record.write():
        ingest_noted_changes(record)
    assert "\n".join(record.connection.iterdump()) == before


def test_a_reader_does_not_wait_for_a_writer(
    record: Record, raw_execution: sqlite3.Connection
) -> None:
    """What raw SQL did is taken in another time."""
    raw_execution.execute("BEGIN IMMEDIATE")
    ingest_arrivals(record)  # would wait for fifteen seconds, and then fail
    assert executions.get_execution(record, "exec-001").scope == "find"
    raw_execution.execute("COMMIT")
    assert record.value("SELECT count(*) FROM observations WHERE pending") == 1
    assert record.value("PRAGMA busy_timeout") == BUSY_SECONDS * 1000
    assert _execution(record).scope == "find"
    assert record.value("SELECT count(*) FROM observations WHERE pending") == 0


def test_an_execution_deleted_by_raw_sql_blocks_nobody(
    record: Record, raw_execution: sqlite3.Connection
) -> None:
    raw_execution.execute("DELETE FROM agent_executions")
    ingest_arrivals(record)
    assert record.value("SELECT count(*) FROM observations WHERE pending") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE agent_executions SET status = 'in_progress'",
        "UPDATE sessions SET phase = 6",
        "INSERT INTO outputs (execution_id, output_type) VALUES ('exec-001', 'report')",
        "UPDATE agent_executions SET final_message = x'00ff'",
        "DELETE FROM journal",
        "UPDATE journal SET actor = 'nobody'",
    ],
)
def test_what_has_no_meaning_is_refused(
    record: Record, raw_execution: sqlite3.Connection, statement: str
) -> None:
    ingest_arrivals(record)
    init_session(record, "journalled", project="/p")
    with pytest.raises(sqlite3.DatabaseError):
        raw_execution.execute(statement)


def test_a_plan_that_raw_sql_made_a_circle_is_named(record: Record) -> None:
    session = init_session(record, "circle", project="/p")
    for number in range(2):
        plan.add_planned_agent(record, session.session_id, f"agent-{number}")
    plan.change_planned_agent(record, session.session_id, 2, waits_for=[1])
    record.execute("INSERT INTO planned_waits VALUES (1, 2)")
    with pytest.raises(OrchError, match="1, 2 wait for each other"):
        plan.list_waves(record, session.session_id)


def test_the_file_needs_no_functions_of_ours(record: Record, tmp_path: Path) -> None:
    """Defaults and triggers run in a bare SQLite, as the sqlite3 shell is."""
    record.close()
    with closing(sqlite3.connect(record.path)) as raw:
        raw.execute("INSERT INTO sessions (session_id, scope) VALUES ('s', 'x')")
        raw.execute(
            "INSERT INTO agent_executions (execution_id, session_id, agent_type) "
            "VALUES ('e', 's', 'a')"
        )
        assert raw.execute("SELECT count(*) FROM observations").fetchone() == (1,)
        raw.rollback()


@pytest.mark.parametrize("parts", ["x'00'", "'{'", "'[1, 2]'", "3", "NULL"])
def test_briefings_and_contents_that_are_broken_stop_nothing(record: Record, parts: str) -> None:
    session = init_session(record, "scope", project="/p")
    deployed = Deployed(agent_type="coder", session=f"session:{session.uid}")
    label = ingest_statement(
        record, Report(["tool:T"], deployed, source="hook", prompt="word " * 300)
    )
    for (name,) in record.sql("SELECT name FROM sqlite_schema WHERE name GLOB 'search_keeps_*'"):
        record.execute(f"DROP TRIGGER {name}")
    record.execute(f"UPDATE OR IGNORE briefings SET parts = {parts}")
    record.execute("UPDATE contents SET data = x'00', encoding = 'zlib'")
    with open_record(record.path) as opened:
        ingest_statement(opened, Report([f"id:{label}"], Noted(scope="other"), source="manual"))
        lines = list(export_record(opened))
        assert len(lines) > 3


@pytest.mark.parametrize("mark", ["1", "'2026-99-99T00:00:00Z'", "-1.5"])
def test_statements_of_no_run_that_are_marked_as_edits_stop_nothing(
    record: Record, mark: str
) -> None:
    with record.write():
        init_session(record, "scope", project="/p")
    record.execute(f"UPDATE observations SET pending = {mark}")
    with record.write():
        ingest_noted_changes(record)
    assert record.value("SELECT count(*) FROM observations WHERE pending") == 0


@pytest.mark.parametrize("subject", [b"run:x", 5, "", "run:", "nosuch:kind", "session:\ud7ff"])
def test_what_is_noted_of_nothing_stops_nothing(record: Record, subject: object) -> None:
    record.execute("INSERT INTO changed_rows (subject) VALUES (?)", [subject])
    ingest_arrivals(record)
    assert record.value("SELECT count(*) FROM changed_rows") == 0
