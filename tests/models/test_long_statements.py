"""While SQLite works, signals are answered, and what a foreign trigger keeps going is ended."""

from __future__ import annotations

import os
import signal
import sqlite3
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from orch_tui.cli import TERMINATED, main
from orch_tui.errors import RecordError
from orch_tui.models import long_statements
from orch_tui.models.database import Record, is_interrupt
from orch_tui.models.long_statements import list_foreign_parts

ENDLESS = (
    "SELECT count(*) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
    "SELECT x FROM n)"
)


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "execution.db")


def test_a_signal_ends_a_statement(record: Record) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            record.value(ENDLESS)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises((KeyboardInterrupt, sqlite3.OperationalError)) as ended:
            for _ in record.execute(f"SELECT 1 UNION ALL {ENDLESS}"):
                pass
        assert not isinstance(ended.value, sqlite3.Error) or is_interrupt(ended.value)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with record.write():  # and the record goes on
        record.execute("UPDATE sessions SET scope = scope")


def test_a_statement_is_ended_where_somebody_says_so(record: Record) -> None:
    asked = iter(range(10))
    with pytest.raises(RecordError, match="broken off"):
        in_thread(lambda: _break_off(record, asked))
    assert record.value("SELECT 1") == 1


def _break_off(record: Record, asked: Iterator[int]) -> None:
    with record.ending(lambda: next(asked, None) is None):
        record.value(ENDLESS)


def in_thread(work: Callable[[], None]) -> None:
    """Run in another thread, as the app does: signals are for the main one."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    thread = Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def plant(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(sql)


def test_foreign_parts_are_named_and_ours_that_were_changed(record: Record) -> None:
    assert list_foreign_parts(record.connection) == ()
    (name, sql) = record.sql(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name LIMIT 1"
    )[0]
    plant(
        record.path,
        "CREATE TRIGGER copycat AFTER INSERT ON briefings BEGIN SELECT 1; END;"
        "CREATE VIEW spy AS SELECT * FROM briefings;"
        f"DROP TRIGGER {name}; {sql.replace('BEGIN', 'BEGIN SELECT 2;')}",
    )
    assert list_foreign_parts(record.connection) == (
        "trigger copycat",
        "view spy",
        f"trigger {name}",
    )


def test_what_a_foreign_trigger_keeps_going_is_ended_and_named(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_statements, "PATIENCE", 0.05)
    plant(
        record.path,
        f"CREATE TRIGGER copycat AFTER UPDATE ON sessions BEGIN SELECT ({ENDLESS}); END;"
        "INSERT INTO sessions (session_id, uid, scope, created_at) VALUES ('s', 'u', 'x', 'now')",
    )
    with pytest.raises(RecordError, match=r"did not make: trigger copycat$"), record.write():
        record.execute("UPDATE sessions SET scope = 'y'")
    assert record.value("SELECT scope FROM sessions") == "x"


def test_a_command_that_is_terminated_within_a_statement_says_so(
    record: Record, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = Event()

    def end() -> None:
        begun.wait()
        os.kill(os.getpid(), signal.SIGTERM)

    def begin() -> int:
        begun.set()
        return 1

    def run(_: Namespace) -> None:
        record.connection.create_function("begin", 0, begin)
        Thread(target=end).start()
        record.value(f"SELECT begin() + ({ENDLESS})")

    monkeypatch.setattr("orch_tui.cli.parser.parse", lambda words: Namespace(run=run))
    assert main(["query"]) == TERMINATED
    assert "orch: terminated; nothing is half written" in capsys.readouterr().err
