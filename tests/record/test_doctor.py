"""The doctor tells what is wrong with a record, and mends what can be derived."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from orch_tui.errors import RecordError
from orch_tui.models.database import Record
from orch_tui.models.values import SCHEMA_VERSION
from orch_tui.record import executions
from orch_tui.record.completion import record_completion
from orch_tui.record.ledger import briefings, contents
from orch_tui.record.opening import open_record
from orch_tui.record.sessions import init_session
from orch_tui.record.upkeep import doctor
from orch_tui.record.upkeep.doctor import Finding, examine_record, repair_record
from orch_tui.search.schema import INDEX_VERSION, TEXTS
from tests.conftest import FakeClock
from tests.record.reporting import report
from tests.search.older_index import make_version_1


@pytest.fixture
def filled(record: Record) -> Record:
    """Two executions with messages and a briefing."""
    session = init_session(record, "scope", project="/p")
    with record.write():
        for label in ("exec-1", "exec-2"):
            deployed = {"session_id": session.session_id, "agent_type": "tester", "scope": "look"}
            report(record, "deployed", deployed, source="manual", keys=[f"id:{label}"])
        briefings.store_briefing(
            record, b"# Task\n" + b"context " * 40 + b"\nGo.", [b"context " * 40]
        )
    record_completion(record, "exec-1", final_message="All green. " * 40)
    return record


def found(record: Record, root: Path | None = None) -> dict[str, Finding]:
    """What is not as it should be, as seen from outside."""
    return {f.what: f for f in examine_record(record.path, root) if f.level != "ok"}


def meddle(record: Record, *statements: str) -> None:
    with closing(sqlite3.connect(record.path)) as raw:
        for statement in statements:
            raw.execute(statement)
        raw.commit()


def test_a_sound_record_has_nothing_wrong(filled: Record) -> None:
    findings = examine_record(filled.path)
    assert [f for f in findings if f.level != "ok"] == []
    assert {"schema", "integrity", "references", "contents", "executions", "search index"} <= {
        f.what for f in findings
    }


def test_looking_changes_nothing(filled: Record) -> None:
    before = "\n".join(filled.connection.iterdump())
    examine_record(filled.path)
    assert "\n".join(filled.connection.iterdump()) == before


def test_a_missing_record(tmp_path: Path) -> None:
    (finding,) = examine_record(tmp_path / "no.db")
    assert (finding.level, finding.what) == ("problem", "file")
    assert not (tmp_path / "no.db").exists()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("these are my notes, not a database")
    assert "not an SQLite database" in examine_record(path)[-1].detail


def test_a_newer_record(filled: Record) -> None:
    meddle(filled, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    assert "newer orch" in found(filled)["file"].detail


def test_a_column_that_is_not_there_or_another(filled: Record) -> None:
    meddle(
        filled,
        "ALTER TABLE import_checkpoints DROP COLUMN note",
        "ALTER TABLE sessions ADD COLUMN mine TEXT",
        "PRAGMA writable_schema = ON",
        """UPDATE sqlite_schema SET sql = replace(sql, '"size" INTEGER', '"size" TEXT')
            WHERE name = 'import_checkpoints'""",
    )
    finding = found(filled)["schema"]
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
    assert "schema" not in found(filled)
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
    assert "raw_execution_update" in found(filled)["schema"].detail
    (made,) = [said for said in repair_record(filled) if said.endswith(": made again")]
    assert made.startswith("2 parts (")
    assert found(filled) == {}


def test_an_orch_of_another_version_is_named(
    filled: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "lib/python3.11/site-packages/orch_tui-0.0.1.dist-info").mkdir(
        parents=True
    )
    program = tmp_path / "venv" / "bin" / "orch"
    program.write_text(f"#!{tmp_path}/venv/bin/python\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    finding = found(filled, tmp_path)["orch"]
    assert str(program) in finding.detail
    assert "0.0.1" in finding.detail
    assert finding.remedy.endswith("pip install --upgrade orch-tui")


def test_a_file_that_was_cut_short(filled: Record) -> None:
    filled.close()
    os.truncate(filled.path, filled.path.stat().st_size - 5 * 4096)
    assert any(f.level == "problem" for f in examine_record(filled.path))


@pytest.mark.parametrize("part", range(8))
def test_overwritten_pages_are_found_and_raise_nothing(filled: Record, part: int) -> None:
    filled.close()
    data = bytearray(filled.path.read_bytes())
    pages = len(data) // 4096
    for page in range(1 + part, pages, 8):
        data[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
    filled.path.write_bytes(data)
    problems = [f for f in examine_record(filled.path) if f.level == "problem"]
    assert problems
    assert all(f.remedy for f in problems)


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
    assert "1 content (" in found(filled)["contents"].detail


def test_a_packed_content_that_cannot_be_unpacked(filled: Record) -> None:
    with filled.write():
        stored = contents.store_content(filled, b"long enough to be packed " * 20)
    meddle(filled, f"UPDATE contents SET data = x'00' WHERE content_id = {stored}")
    assert "1 content (" in found(filled)["contents"].detail


def test_a_briefing_that_is_not_as_it_was(filled: Record) -> None:
    meddle(filled, "UPDATE briefings SET sha256 = 'not its hash'")
    assert "briefings" in found(filled)


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
    assert "2 executions" in found(filled)["executions"].detail
    assert "2 executions: added up again" in repair_record(filled)
    assert found(filled) == {}
    assert executions.get_execution(filled, "exec-1").scope == "look"


def test_completions_that_are_gone_are_derived_again(filled: Record) -> None:
    meddle(filled, "DELETE FROM completions")
    assert "1 execution (exec-1)" in found(filled)["executions"].detail
    repair_record(filled)
    assert found(filled) == {}


def test_a_broken_statement_is_a_finding(filled: Record) -> None:
    meddle(filled, "UPDATE observations SET payload = '{\"scope\": ' WHERE kind = 'deployed'")
    assert found(filled)["statements"].level == "problem"


def test_an_index_that_lost_a_row_is_made_anew(filled: Record) -> None:
    with filled.write():
        filled.execute(f"INSERT INTO {TEXTS} ({TEXTS}) VALUES ('delete-all')")
    assert found(filled)["search index"].remedy == "orch doctor --repair"
    assert repair_record(filled) == ["search index: made anew"]
    assert found(filled) == {}


def test_an_older_index_is_told_and_repaired(filled: Record) -> None:
    runs = filled.value("SELECT count(*) FROM search_docs")
    make_version_1(filled)
    (wrong,) = found(filled).values()
    assert (wrong.what, wrong.level) == ("search index", "warning")
    assert wrong.detail.startswith(f"of version 1, this orch makes {INDEX_VERSION}: {runs} exec")
    assert wrong.remedy == "open orch, or orch doctor --repair"
    told: list[tuple[int, int]] = []
    assert repair_record(filled, lambda done, total: told.append((done, total))) == [
        f"search index: {runs} executions indexed anew, in version {INDEX_VERSION}"
    ]
    assert told == [(0, runs)]  # the index is one share
    assert found(filled) == {}


def test_permissions(filled: Record) -> None:
    filled.path.chmod(0o644)
    filled.path.parent.chmod(0o755)
    (filled.path.parent / ".gitignore").unlink()
    filled.path.with_name("execution.db.v0.bak").touch(0o644)
    wrong = found(filled)
    assert "execution.db 644" in wrong["permissions"].detail
    assert "orchestration 755" in wrong["permissions"].detail
    assert "git" in wrong
    repair_record(filled)
    assert found(filled) == {}
    assert repair_record(filled) == []


def test_a_folder_of_the_users_is_none_of_our_business(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with open_record(tmp_path / "my.db") as record:
        assert found(record) == {}


def test_backups_of_migrations_are_named(filled: Record) -> None:
    filled.path.with_name("execution.db.v0.2.bak").touch(0o600)
    details = {f.what: f.detail for f in examine_record(filled.path)}
    assert "execution.db.v0.2.bak" in details["backups"]
    filled.path.with_name("execution.db.before-restore.2.bak").touch(0o600)
    told = [f.detail for f in examine_record(filled.path) if f.what == "backups"]
    assert any(
        t.startswith("execution.db.before-restore.2.bak from before a restore") for t in told
    )
    assert not any("restore" in t and "schema" in t for t in told)


def test_payloads_in_the_inbox(filled: Record) -> None:
    root = filled.path.parents[2]
    aside = filled.path.parent / "inbox" / "unreadable"
    aside.mkdir(parents=True)
    (aside / "a.json").touch()
    for name in ("b.json", "c.json"):
        (aside.parent / name).touch()
    told = [f for f in examine_record(filled.path, root) if f.what == "inbox"]
    assert [(f.level, f.detail.split(" in ")[0]) for f in told] == [
        ("warning", "1 payload could not be read"),
        ("ok", "2 payloads"),
    ]


def test_executions_that_wait_for_long(filled: Record) -> None:
    """exec-2 never returned; the file itself has no clock, so the real one is asked."""
    meddle(filled, "UPDATE agent_executions SET deployed_at = '2020-01-01T00:00:00.000Z'")
    with open_record(filled.path, clock=FakeClock()) as record:
        repair_record(record)
    assert found(filled)["waiting"].detail.startswith("1 execution deployed")


def test_contents_nobody_uses_are_counted(filled: Record) -> None:
    with filled.write():
        contents.store_content(filled, b"of an edited bundle")
    details = {f.what: f.detail for f in examine_record(filled.path)}
    assert details["unused contents"].startswith("1 content of")


def test_repair_of_a_read_only_record_says_so(filled: Record) -> None:
    with Record(filled.path, writable=False) as record, pytest.raises(RecordError, match="written"):
        repair_record(record)


def test_a_link_in_place_of_the_record_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / ".claude" / "orchestration"
    folder.parent.mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    (finding,) = examine_record(folder / "execution.db")
    assert finding.level == "problem"
    assert finding.detail.startswith(f"{folder} is a symbolic link")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("budget = ", "is not TOML"),
        ("budget = 0", "budget: must be"),
        ("bugdet = 1", "bugdet: is not a setting"),
        ("warn_threshold = 0.95", "is above"),
    ],
)
def test_settings_that_are_wrong_are_a_finding(
    filled: Record, tmp_path: Path, settings: str, said: str
) -> None:
    folder = tmp_path / "sets" / ".claude" / "orchestration"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f"{settings}\n")
    finding = found(filled, tmp_path / "sets")["settings"]
    assert finding.level == "problem"
    assert said in finding.detail
    assert finding.remedy


def test_of_a_large_record_the_newest_runs_are_looked_at(
    filled: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "NEWEST", 1)
    meddle(
        filled,
        "UPDATE agent_executions SET scope = 'x', revision = revision + 1 "
        "WHERE execution_id = 'exec-1'",
    )
    partly = {f.what: f for f in examine_record(filled.path)}
    assert partly["not looked at"].detail.startswith("1 older runs ")
    assert partly["not looked at"].remedy == "orch doctor --full"
    assert partly["executions"].detail == "the newest 1 of 2 are what was observed"
    assert partly["statements"].detail == "1 can be read"
    assert "unused contents" not in partly
    told: list[tuple[int, int]] = []
    whole = {
        f.what: f
        for f in examine_record(
            filled.path, is_full=True, progress=lambda done, total: told.append((done, total))
        )
    }
    assert "exec-1" in whole["executions"].detail
    assert "not looked at" not in whole
    assert told == sorted(told) and told[-1][0] < told[-1][1]


def test_a_check_that_asks_nobody_ends_with_ctrl_c(filled: Record) -> None:
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n"
    main = threading.main_thread().ident
    assert main is not None
    press = threading.Thread(target=signal.pthread_kill, args=(main, signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        press.start()
        doctor._run_beside(filled, endless)
