"""What the doctor finds wrong within a record, and how it is mended."""

from __future__ import annotations

import hashlib
import signal
import threading

import pytest

from orch_tui.errors import RecordError
from orch_tui.models.database import Record
from orch_tui.record import executions
from orch_tui.record.ledger import briefings, contents
from orch_tui.record.opening import open_record
from orch_tui.record.sessions import init_session
from orch_tui.record.upkeep import table_checks
from orch_tui.record.upkeep.doctor import examine_record, repair_record
from tests.conftest import FakeClock
from tests.record.examining import fill_record, find_troubles, meddle
from tests.record.reporting import report


@pytest.fixture
def filled(record: Record) -> Record:
    return fill_record(record)


def test_a_column_that_is_not_there_or_another(filled: Record) -> None:
    meddle(
        filled,
        "ALTER TABLE import_checkpoints DROP COLUMN note",
        "ALTER TABLE sessions ADD COLUMN mine TEXT",
        "PRAGMA writable_schema = ON",
        """UPDATE sqlite_schema SET sql = replace(sql, '"size" INTEGER', '"size" TEXT')
            WHERE name = 'import_checkpoints'""",
    )
    finding = find_troubles(filled)["schema"]
    assert finding.level == "problem"
    assert "import_checkpoints.note is not there" in finding.detail
    assert 'import_checkpoints.size is "size" TEXT NOT NULL' in finding.detail
    assert "mine" not in finding.detail


def test_tables_of_an_orch_between_releases_are_named_with_the_way_out(filled: Record) -> None:
    """No command ends in a traceback, doctor says what to do."""
    path = filled.path
    filled.execute("ALTER TABLE registers RENAME COLUMN redacted TO hashes")
    filled.execute("DROP TABLE log")
    filled.execute("CREATE TABLE log (origin_id INTEGER, seq INTEGER PRIMARY KEY)")
    (finding,) = (f for f in examine_record(path) if f.what == "schema" and "tables" in f.detail)
    assert finding.level == "problem"
    for named in ("registers.redacted is not there", "log.observation_id is not there"):
        assert named in finding.detail
    assert "orch import" in finding.remedy
    filled.execute("UPDATE sessions SET scope = 'other'")
    with pytest.raises(RecordError, match="no such column") as raised:
        open_record(path)
    assert "doctor" in raised.value.hint


def test_views_that_are_not_there_are_no_problem_and_are_made(filled: Record) -> None:
    meddle(filled, "DROP VIEW runs", "DROP VIEW given")
    assert "schema" not in find_troubles(filled)
    (told,) = [f.detail for f in examine_record(filled.path) if "datasette" in f.detail]
    assert told.startswith("without 2 views (runs, given)")
    repair_record(filled)
    assert filled.sql("SELECT count(*) FROM runs") == filled.sql(
        "SELECT count(*) FROM agent_executions"
    )
    meddle(filled, "DROP VIEW runs", "CREATE VIEW runs AS SELECT 'mine'")
    repair_record(filled)
    assert filled.sql("SELECT * FROM runs") == [("mine",)]


def test_indexes_and_triggers_that_were_dropped_are_made_again(filled: Record) -> None:
    meddle(filled, "DROP TRIGGER raw_execution_update", 'DROP INDEX "outputs_path"')
    assert "raw_execution_update" in find_troubles(filled)["schema"].detail
    (made,) = [said for said in repair_record(filled) if said.endswith(": made again")]
    assert made.startswith("2 parts (")
    assert find_troubles(filled) == {}


def test_rows_that_lost_what_they_point_to(filled: Record) -> None:
    meddle(
        filled,
        "INSERT INTO outputs (execution_id, output_type) VALUES ('nobody', 'insight')",
        "INSERT INTO context_allocations (execution_id) VALUES ('nobody')",
    )
    details = [f.detail for f in examine_record(filled.path) if f.what == "references"]
    assert sorted(details) == [
        "1 context_allocations without their agent_executions",
        "1 outputs without their agent_executions",
    ]


def test_contents_with_other_bytes(filled: Record) -> None:
    with filled.write():
        contents.store_content(filled, b"short")
    meddle(filled, "UPDATE contents SET data = x'00' WHERE encoding = 'raw'")
    assert "1 content (" in find_troubles(filled)["contents"].detail


def test_a_packed_content_that_cannot_be_unpacked(filled: Record) -> None:
    with filled.write():
        stored = contents.store_content(filled, b"long enough to be packed " * 20)
    meddle(filled, f"UPDATE contents SET data = x'00' WHERE content_id = {stored}")
    assert "1 content (" in find_troubles(filled)["contents"].detail


def test_a_briefing_that_is_not_as_it_was(filled: Record) -> None:
    meddle(filled, "UPDATE briefings SET sha256 = 'not its hash'")
    assert "briefings" in find_troubles(filled)


def test_texts_are_told_apart_from_the_deployments_they_went_to(record: Record) -> None:
    session = init_session(record, "scope", project="/p")
    with record.write():
        briefings.store_briefing(record, b"Do it", [])
        for label in ("exec-1", "exec-2"):
            deployed = {
                "session_id": session.session_id,
                "agent_type": "tester",
                "briefing": hashlib.sha256(b"Do it").hexdigest(),
            }
            report(record, "deployed", deployed, source="manual", keys=[f"id:{label}"])
    (told,) = (each for each in examine_record(record.path) if each.what == "briefings")
    assert told.detail.startswith("1 text for 2 deployments")


def test_an_execution_that_is_not_what_was_observed(filled: Record) -> None:
    meddle(
        filled, "UPDATE agent_executions SET tool_calls = 3, scope = 'x', revision = revision + 1"
    )
    assert "2 executions" in find_troubles(filled)["executions"].detail
    assert "2 executions: added up again" in repair_record(filled)
    assert find_troubles(filled) == {}
    assert executions.get_execution(filled, "exec-1").scope == "look"


def test_completions_that_are_gone_are_derived_again(filled: Record) -> None:
    meddle(filled, "DELETE FROM completions")
    assert "1 execution (exec-1)" in find_troubles(filled)["executions"].detail
    repair_record(filled)
    assert find_troubles(filled) == {}


def test_a_broken_statement_is_a_finding(filled: Record) -> None:
    meddle(filled, "UPDATE observations SET payload = '{\"scope\": ' WHERE kind = 'deployed'")
    assert find_troubles(filled)["statements"].level == "problem"


def test_executions_that_wait_for_long(filled: Record) -> None:
    """exec-2 never returned; the file itself has no clock, so the real one is asked."""
    meddle(filled, "UPDATE agent_executions SET deployed_at = '2020-01-01T00:00:00.000Z'")
    with open_record(filled.path, clock=FakeClock()) as record:
        repair_record(record)
    assert find_troubles(filled)["waiting"].detail.startswith("1 execution deployed")


def test_contents_nobody_uses_are_counted(filled: Record) -> None:
    with filled.write():
        contents.store_content(filled, b"of an edited bundle")
    details = {f.what: f.detail for f in examine_record(filled.path)}
    assert details["unused contents"].startswith("1 content of")


def test_a_check_that_asks_nobody_ends_with_ctrl_c(filled: Record) -> None:
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n"
    main = threading.main_thread().ident
    assert main is not None
    press = threading.Thread(target=signal.pthread_kill, args=(main, signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        press.start()
        table_checks._run_beside(filled, endless)
