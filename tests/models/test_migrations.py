"""A file of the proposal's plain four tables becomes a record, and loses nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orch_tui.models import migrations
from orch_tui.models.database import Record
from orch_tui.models.migrations.step import Step
from orch_tui.models.values import SCHEMA_VERSION
from orch_tui.record import executions, outputs, sessions
from orch_tui.record.completion import record_completion
from orch_tui.record.ledger import journal
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.opening import ingest_arrivals
from tests.models.test_database import refused, together

RECORD = (
    Path(__file__).parents[1].joinpath("fixtures", "records", "version_0.sql").read_text("utf-8")
)
PROPOSAL, _, _ = RECORD.partition("INSERT INTO")


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "execution.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(RECORD)
    return path


def add(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as raw:
        for statement in statements:
            raw.execute(statement)
        raw.commit()
    return path


def opened(path: Path) -> Record:
    record = Record(path)
    ingest_arrivals(record)
    return record


def test_every_row_arrives(original: Path) -> None:
    with opened(original) as record:
        session = sessions.get_session(record, "orch-2025-01-17-001")
        assert (session.scope, session.phase, session.status) == ("vectors", 3, "executing")
        assert session.metadata == {"a": 1}
        done = executions.get_execution(record, "exec-001")
        assert (done.status, done.success, done.final_message) == ("completed", True, "All done.")
        assert (done.context_token_count, done.model, done.source) == (15000, "sonnet", "sql")
        (output,) = outputs.list_execution_outputs(record, "exec-001")
        assert (output.output_type, output.file_path) == ("deliverable", "lib/v.ts")
        (allocation,) = executions.list_allocations(record, "exec-001")
        assert (allocation.allocation_id, allocation.context_source) == (7, "lib/old.ts")
        assert allocation.included_in_deployment is True
        assert record.value("PRAGMA user_version") == SCHEMA_VERSION
        assert record.sql("PRAGMA foreign_key_check") == []
        assert list(find_stale_executions(record)) == []


def test_times_keep_the_moment_they_name(original: Path) -> None:
    with opened(original) as record:
        done, waiting = (
            executions.get_execution(record, "exec-001"),
            executions.get_execution(record, "exec-002"),
        )
        assert done.deployed_at == "2025-01-17T09:01:00.000Z"
        assert done.completed_at == "2025-01-17T09:30:00.123Z"
        assert waiting.deployed_at == "2025-01-17T10:00:00.500Z"
        assert (
            outputs.list_execution_outputs(record, "exec-001")[0].created_at
            == "2025-01-17T09:31:00.000Z"
        )


def test_a_migrated_execution_can_be_completed(original: Path) -> None:
    with opened(original) as record:
        done = record_completion(record, "exec-002", final_message="found", success=False)
        assert done.execution.status == "failed"
        again = record_completion(record, "exec-001", final_message="All done.")
        assert not again.is_new


def test_a_copy_of_the_file_as_it_was_lies_beside_it(original: Path) -> None:
    with closing(sqlite3.connect(original)) as raw:
        before = list(raw.iterdump())
    opened(original).close()
    backup = original.with_name("execution.db.v0.bak")
    with closing(sqlite3.connect(backup)) as raw:
        assert list(raw.iterdump()) == before
    assert backup.stat().st_mode & 0o777 == 0o600
    opened(original).close()
    assert sorted(p.suffix for p in original.parent.iterdir()) == [".bak", ".db"]


def test_an_earlier_backup_is_not_overwritten(original: Path) -> None:
    original.with_name("execution.db.v0.bak").write_text("mine")
    opened(original).close()
    assert original.with_name("execution.db.v0.bak").read_text() == "mine"
    assert original.with_name("execution.db.v0.2.bak").exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("status = 'in_progress'", ("deployed", None)),
        ("status = ' Completed '", ("completed", True)),
        ("status = 'success', final_message = 'ok'", ("completed", True)),
        ("status = 'error'", ("failed", False)),
        ("status = 'cancelled', success = 'false'", ("failed", False)),
        ("status = 'crashed', error_message = 'no disk'", ("failed", False)),
        ("status = 'weird', success = 0", ("failed", False)),
        ("status = NULL", ("deployed", None)),
    ],
)
def test_a_status_we_refuse_is_mended(
    original: Path, change: str, expected: tuple[str, Any]
) -> None:
    add(original, f"UPDATE agent_executions SET {change} WHERE execution_id = 'exec-002'")
    with opened(original) as record:
        held = executions.get_execution(record, "exec-002")
        assert (held.status, held.success) == expected


def test_the_journal_keeps_a_mended_row_as_it_was(original: Path) -> None:
    add(
        original,
        "UPDATE agent_executions SET status = 'in_progress' WHERE execution_id = 'exec-002'",
        "UPDATE sessions SET phase = 0, status = 'running' WHERE session_id = 'empty'",
        "UPDATE outputs SET output_type = 'report'",
        "UPDATE context_allocations SET context_type = 'doc', included_in_deployment = 'yes'",
    )
    with opened(original) as record:
        entries = {e.subject: (e.before, e.after) for e in journal.list_journal(record)}
        assert entries["agent_executions exec-002"] == (
            {"status": "in_progress"},
            {"status": None},
        )
        assert entries["sessions empty"] == (
            {"phase": 0, "status": "running"},
            {"phase": None, "status": None},
        )
        assert entries["outputs 1"] == ({"output_type": "report"}, {"output_type": None})
        assert entries["context_allocations 7"] == (
            {"context_type": "doc", "included_in_deployment": "yes"},
            {"context_type": None, "included_in_deployment": 1},
        )
        assert sessions.get_session(record, "empty").phase is None


def test_an_execution_without_its_session_gets_one(original: Path) -> None:
    add(original, "DELETE FROM sessions")
    with opened(original) as record:
        session = sessions.get_session(record, "orch-2025-01-17-001")
        assert session.scope == "(not recorded)"
        assert session.created_at == "2025-01-17T09:01:00.000Z"
        assert executions.get_execution(record, "exec-001").session_id == session.session_id


def test_an_output_without_its_execution_stays_in_the_journal(original: Path) -> None:
    add(original, "DELETE FROM agent_executions WHERE execution_id = 'exec-001'")
    with opened(original) as record:
        kept = {
            e.subject.split(":")[0]: e.before for e in journal.list_journal(record) if e.subject
        }
        assert kept["outputs 1"]["content"] == "lib/v.ts"
        assert kept["context_allocations 7"]["context_source"] == "lib/old.ts"
        assert record.sql("PRAGMA foreign_key_check") == []


def test_rows_without_an_id_get_one(original: Path) -> None:
    """SQLite lets a TEXT primary key be NULL."""
    add(
        original,
        "INSERT INTO agent_executions (session_id, agent_type, final_message) "
        "VALUES ('empty', 'tester', 'green')",
    )
    with opened(original) as record:
        assert executions.get_execution(record, "original-3").final_message == "green"


def test_a_message_stored_as_bytes_becomes_text(original: Path) -> None:
    add(original, "UPDATE agent_executions SET final_message = x'6869ff'")
    with opened(original) as record:
        assert executions.get_execution(record, "exec-001").final_message == "hi\ufffd"


def test_what_else_is_in_the_file_stays(original: Path) -> None:
    add(
        original,
        "CREATE TABLE notes (session_id TEXT REFERENCES sessions, note TEXT)",
        "INSERT INTO notes VALUES ('empty', 'mine')",
        "CREATE VIEW failures AS SELECT execution_id FROM agent_executions WHERE success = 0",
        "CREATE INDEX sessions_created_at ON sessions (created_at)",
        "CREATE TRIGGER t AFTER INSERT ON sessions BEGIN DELETE FROM notes; END",
    )
    with opened(original) as record:
        assert record.sql("SELECT * FROM notes") == [("empty", "mine")]
        assert record.sql("SELECT * FROM failures") == []


def test_a_row_that_cannot_be_taken_over_is_named(tmp_path: Path) -> None:
    path = tmp_path / "loose.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(RECORD.replace("agent_type TEXT NOT NULL", "agent_type TEXT"))
        raw.execute("UPDATE agent_executions SET agent_type = NULL WHERE execution_id = 'exec-002'")
        raw.commit()
    with refused(path, "row 'exec-002' of agent_executions"):
        Record(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_of_the_users_with_a_name_of_ours_is_named(original: Path) -> None:
    add(original, "CREATE TABLE journal (entry TEXT)")
    with refused(original, "journal"):
        Record(original)


def test_a_failure_at_the_end_leaves_the_file_as_it_was(
    original: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = migrations._STEPS[0]

    def stopped(database: sqlite3.Connection, told: Step) -> None:
        step(database, told)
        raise KeyboardInterrupt

    before = original.read_bytes()
    monkeypatch.setitem(migrations._STEPS, 0, stopped)
    with pytest.raises(KeyboardInterrupt):
        Record(original)
    assert original.read_bytes() == before
    assert list(original.parent.iterdir()) == [original]


def test_two_tables_do_not_make_a_file_of_the_proposal(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(PROPOSAL + "DROP TABLE outputs; DROP TABLE context_allocations;")
    with refused(path, "something else"):
        Record(path)


def test_an_older_record_that_cannot_be_written_says_so(original: Path) -> None:
    with refused(original, "older schema"):
        Record(original, writable=False)


MIGRATE = """
import sys
from pathlib import Path
from orch_tui.models.database import Record
from orch_tui.record import executions
from orch_tui.record.opening import ingest_arrivals
sys.stdin.read()
with Record(Path(sys.argv[1])) as record:
    ingest_arrivals(record)
    print(executions.get_execution(record, "exec-001").final_message)
"""


@pytest.mark.slow
def test_several_processes_migrate_at_once(original: Path) -> None:
    assert together(MIGRATE, original, 4) == [("All done.\n", "")] * 4
    assert [p.name for p in original.parent.glob("*.bak")] == ["execution.db.v0.bak"]


def test_every_older_schema_has_a_step() -> None:
    assert sorted(migrations._STEPS) == list(range(SCHEMA_VERSION))
