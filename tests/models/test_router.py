"""The models ask the record that the context names, and no other."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import peewee
import pytest

from orch_tui.errors import RecordError
from orch_tui.models.content import Content
from orch_tui.models.database import Record
from orch_tui.models.execution import AgentExecution, Observation
from orch_tui.models.router import database
from orch_tui.models.session import Session
from orch_tui.record.opening import open_record
from tests.counts import HANGS_AFTER


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Record]:
    with open_record(tmp_path / "other.db") as opened:
        yield opened


def add_session(record: Record, name: str) -> None:
    with record.write():
        record.execute("INSERT INTO sessions (session_id, scope) VALUES (?, 's')", [name])


def names() -> list[str]:
    return [session.session_id for session in Session.select()]


def test_outside_of_a_record_a_query_fails(record: Record) -> None:
    with pytest.raises(RecordError, match="without a record") as failed:
        names()
    assert "record.models()" in (failed.value.hint or "")
    with record.models():
        assert names() == []
    for query in (names, database.connect, lambda: Session.create(session_id="s", scope="s")):
        with pytest.raises(RecordError, match="without a record"):
            query()


def test_the_inner_record_is_asked_and_then_the_outer_again(record: Record, other: Record) -> None:
    add_session(record, "outer")
    add_session(other, "inner")
    with record.models():
        with other.models():
            assert names() == ["inner"]
            with record.models():
                assert names() == ["outer"]
            assert names() == ["inner"]
        assert names() == ["outer"]


def test_a_query_keeps_the_record_it_was_begun_with(record: Record, other: Record) -> None:
    for name in ("a", "b"):
        add_session(record, name)
    with record.models():
        rows = Session.select().iterator()
    with other.models():
        assert [row.session_id for row in rows] == ["a", "b"]


def test_threads_do_not_read_each_others_record(record: Record, other: Record) -> None:
    add_session(record, "first")
    add_session(other, "second")
    both = Barrier(2, timeout=HANGS_AFTER)
    seen: dict[Record, list[list[str]]] = {record: [], other: []}

    def ask(mine: Record) -> None:
        with mine.models():
            for _ in range(20):
                both.wait()
                seen[mine].append(names())
            with database.atomic():
                Session.update(scope=mine.path.name).execute()
                both.wait()
        mine.close()

    threads = [Thread(target=ask, args=[mine]) for mine in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANGS_AFTER)
    assert seen == {record: [["first"]] * 20, other: [["second"]] * 20}
    for mine in seen:
        assert mine.value("SELECT scope FROM sessions") == mine.path.name


def test_a_thread_does_not_inherit_the_record(record: Record) -> None:
    failed: list[RecordError] = []

    def ask() -> None:
        try:
            names()
        except RecordError as error:
            failed.append(error)

    with record.models():
        thread = Thread(target=ask)
        if sys.version_info < (3, 14):  # later ones may have threads inherit the context
            thread.start()
            thread.join(HANGS_AFTER)
            assert len(failed) == 1


def test_asyncio_tasks_keep_their_record(record: Record, other: Record) -> None:
    add_session(record, "first")
    add_session(other, "second")

    async def ask(mine: Record) -> list[list[str]]:
        seen = []
        with mine.models():
            for _ in range(5):
                seen.append(names())
                await asyncio.sleep(0)
        return seen

    async def both() -> list[list[list[str]]]:
        return list(await asyncio.gather(ask(record), ask(other)))

    assert asyncio.run(both()) == [[["first"]] * 5, [["second"]] * 5]


# Transactions


def test_what_is_written_is_taken_in_as_a_statement(record: Record) -> None:
    """As what plain SQL writes, but at once: before the transaction ends."""
    with record.models():
        session = Session.create(session_id="s", scope="s")
        AgentExecution.create(execution_id="exec-1", session=session, agent_type="a", scope="find")
        statements = list(session.executions.get().observations)
    assert statements and not any(statement.pending for statement in statements)
    assert record.value("SELECT count(*) FROM changed_rows") == 0
    assert record.value("SELECT count(*) FROM search_pending") == 0


def test_atomic_is_a_savepoint_within_a_transaction(record: Record) -> None:
    with record.models(), record.write():
        Session.create(session_id="kept", scope="s")
        with pytest.raises(ZeroDivisionError), database.atomic():
            Session.create(session_id="gone", scope="s")
            raise ZeroDivisionError
        with database.atomic() as savepoint:
            Session.create(session_id="gone, too", scope="s")
            savepoint.rollback()
            Session.create(session_id="kept, too", scope="s")
        assert names() == ["kept", "kept, too"]
    assert record.sql("SELECT session_id FROM sessions") == [("kept",), ("kept, too",)]


def test_atomic_is_a_transaction_elsewhere(record: Record) -> None:
    with record.models():
        with pytest.raises(ZeroDivisionError), database.atomic():
            assert record.connection.in_transaction
            Session.create(session_id="gone", scope="s")
            raise ZeroDivisionError
        assert not database.in_transaction()

        @database.atomic()
        def create() -> None:
            with database.transaction():
                Session.create(session_id="s", scope="s")

        create()
        with database:
            Session.create(session_id="t", scope="s")
    assert record.sql("SELECT session_id FROM sessions") == [("s",), ("t",)]
    assert record.value("SELECT count(*) FROM changed_rows") == 0


def test_atomic_on_two_records_at_once(record: Record, other: Record) -> None:
    with record.models(), database.atomic():
        Session.create(session_id="outer", scope="s")
        with other.models(), pytest.raises(ZeroDivisionError), database.atomic():
            Session.create(session_id="inner", scope="s")
            raise ZeroDivisionError
    assert record.sql("SELECT session_id FROM sessions") == [("outer",)]
    assert other.sql("SELECT session_id FROM sessions") == []


def test_returning_gives_its_rows_after_the_transaction(record: Record) -> None:
    for name in ("a", "b", "c"):
        add_session(record, name)
    with record.models():
        changed = Session.update(scope="t").returning(Session.session_id).tuples()
        assert [name for (name,) in changed.execute()] == ["a", "b", "c"]
    with open_record(record.path) as again:
        assert again.sql("SELECT DISTINCT scope FROM sessions") == [("t",)]


def test_transactions_are_not_ended_behind_the_records_back(record: Record) -> None:
    with record.models(), record.write():
        for act in (database.begin, database.commit, database.rollback):
            with pytest.raises(RecordError, match="those of their record"):
                act()
        with pytest.raises(RecordError, match="those of their record"):
            database.after_commit(print)
        assert database.close() is False
        Session.create(session_id="s", scope="s")
    assert record.sql("SELECT session_id FROM sessions") == [("s",)]


# Errors


def test_what_a_constraint_refuses_is_an_error_of_peewee(record: Record) -> None:
    get_or_create: Any = Session.get_or_create
    with record.models():
        with pytest.raises(peewee.IntegrityError):
            Session.create(session_id="s", scope="s", status="unheard of")
        assert get_or_create(session_id="s", defaults={"scope": "s"})[1]
        assert not get_or_create(session_id="s", defaults={"scope": "t"})[1]


def test_a_locked_record_is_named(record: Record) -> None:
    with closing(sqlite3.connect(record.path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with record.models(), record.not_waiting(), pytest.raises(RecordError) as failed:
            Session.create(session_id="s", scope="s")
    assert failed.value.is_locked


def test_a_record_that_is_only_read_is_named(record: Record) -> None:
    with (
        Record(record.path, create=False, writable=False) as view,
        view.models(),
        pytest.raises(RecordError, match="cannot be written"),
    ):
        Session.create(session_id="s", scope="s")


def test_a_table_that_is_not_there_is_an_error_of_the_record(record: Record) -> None:
    with record.models():
        record.execute("ALTER TABLE contents RENAME TO elsewhere")
        with pytest.raises(RecordError, match="contents"):
            Content.select().count()


def test_what_fails_while_rows_are_fetched_is_named(record: Record) -> None:
    for name in ("a", "b"):
        add_session(record, name)
    broken = "SELECT json(CASE session_id WHEN 'a' THEN 1 ELSE '{' END) FROM sessions"
    with record.models():
        rows = Session.raw(broken).tuples().iterator()
    with pytest.raises(RecordError, match="JSON"):
        list(rows)


def test_an_open_record_loads_no_peewee(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom orch_tui.models.database import Record\n"
        f"record = Record(Path({str(tmp_path / 'r.db')!r}))\nassert 'peewee' not in sys.modules\n"
        "with record.models():\n    assert 'peewee' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=HANGS_AFTER, check=False)
    assert done.returncode == 0


def test_backrefs_lead_from_row_to_row(record: Record) -> None:
    with record.models():
        session = Session.create(session_id="s", scope="s")
        parent = AgentExecution.create(execution_id="exec-1", session=session, agent_type="a")
        AgentExecution.create(execution_id="exec-2", session="s", agent_type="b", parent=parent)
        assert [run.execution_id for run in session.executions] == ["exec-1", "exec-2"]
        (child,) = AgentExecution.get_by_id("exec-1").children
        assert (child.session_id, child.session.scope, child.parent_execution_id) == (
            "s",
            "s",
            "exec-1",
        )
        joined = Observation.select(Observation, AgentExecution).join(AgentExecution)
        assert {row.execution.scope for row in joined if row.execution} == {None}
