"""What the models make of what the tables hold, and of what they should not hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peewee import ForeignKeyField

from orch_tui.models.base import JsonField, PackedJsonField, TimeField
from orch_tui.models.content import Briefing
from orch_tui.models.database import Record
from orch_tui.models.execution import AgentExecution, Observation
from orch_tui.models.output import Output
from orch_tui.models.schema import TABLES
from orch_tui.models.session import PlannedAgent, PlannedWait, Session
from orch_tui.record.ledger.statement import pack_fields

ODD = [
    *(0, -1, 1.5, float("inf"), float("-inf"), 2**63 - 1, b"", b"\xff\xfe", b"x\x9cbroken", ""),
    *("\x00", "no time", "{", "[" * 100_000, "9999-99-99T99:99", "2026-11-22", "NaN", "1e999"),
]


def fill_with(record: Record, value: Any) -> None:
    """Put a value where plain SQL can: into every column but the keys, whatever the CHECKs say."""
    record.execute("PRAGMA ignore_check_constraints = ON")
    for (trigger,) in record.sql("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
        record.execute(f"DROP TRIGGER {trigger}")  # those refuse some of it
    for table, given_columns in {
        "sessions": {"session_id": "s", "scope": value, "uid": "u"},
        "agent_executions": {"execution_id": "e", "session_id": "s", "agent_type": value},
        "outputs": {"execution_id": "e"},
        "context_allocations": {"execution_id": "e"},
    }.items():
        columns = [
            row["name"]
            for row in record.rows(f"PRAGMA table_info({table})")
            if not row["name"].endswith("_id") and row["name"] not in ("uid", "revision")
        ]
        values = {name: value for name in columns} | given_columns
        record.execute(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
            list(values.values()),
        )


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:12])
def test_no_odd_value_fails_to_be_read(record: Record, value: Any) -> None:
    record.execute("PRAGMA foreign_keys = OFF")
    fill_with(record, value)
    with record.models():
        rows = [list(table.select()) for table in TABLES]
        (run,) = Session.get_by_id("s").executions
        assert len(run.outputs) == len(run.allocations) == 1
    assert sum(map(len, rows)) >= 4


@pytest.mark.slow
@given(value=st.one_of(st.none(), st.text(), st.binary(), st.floats(), st.integers()))
def test_no_field_fails_at_what_sqlite_may_give(value: Any) -> None:
    for table in TABLES:
        for field in table._meta.sorted_fields:
            field.python_value(value)


def test_saving_writes_what_was_set_and_nothing_else(record: Record) -> None:
    """So that an odd time or text that somebody stored stays as it is."""
    odd = ("2026-11-22 10:00:00", "{ 'no': json", 7)
    record.execute(
        "INSERT INTO sessions (session_id, scope, created_at, metadata, budget) "
        "VALUES ('s', 's', ?, ?, ?)",
        odd,
    )
    with record.models():
        session = Session.get_by_id("s")
        assert session.metadata == odd[1]
        session.title = "named"
        session.save()
    assert record.sql("SELECT created_at, metadata, budget, title FROM sessions") == [
        (*odd, "named")
    ]


@pytest.mark.parametrize("text", ["2026-11-22T10:00:00.123Z", "2026-11-22T12:00:00.123+02:00"])
def test_times_are_aware(text: str) -> None:
    moment = TimeField().python_value(text)
    assert moment == datetime(2026, 11, 22, 10, 0, 0, 123000, tzinfo=UTC)
    assert TimeField().db_value(moment) == "2026-11-22T10:00:00.123Z"


def test_times_of_sqlite_are_utc() -> None:
    assert TimeField().python_value("2026-11-22 10:00:00") == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert TimeField().python_value(0) == datetime(1970, 1, 1, tzinfo=UTC)


def test_rows_are_found_by_time(record: Record) -> None:
    moment = datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=2)))
    with record.models():
        Session.create(session_id="s", scope="s", created_at=moment)
        assert record.value("SELECT created_at FROM sessions") == "2026-11-22T10:00:00.000Z"
        assert Session.select().where(Session.created_at <= moment).count() == 1
        assert Session.select().where(Session.created_at < moment).count() == 0
        assert Session.get(Session.created_at == "2026-11-22T10:00:00.000Z").created_at == moment


@pytest.mark.parametrize(
    "value", [{"a": [1, None, "ä"]}, [], "text", 'a "quoted" one', 0, False, {}]
)
def test_json_comes_back_as_it_was_given(value: Any) -> None:
    assert JsonField().python_value(JsonField().db_value(value)) == value


def test_what_stands_for_bytes_is_kept_in_json(record: Record) -> None:
    parts = [["text", b"\xff and more".decode("utf-8", "surrogateescape")]]
    with record.models():
        Briefing.create(sha256=b"0" * 32, size=10, parts=parts)
        assert Briefing.get().parts == parts


def test_metadata_is_json(record: Record) -> None:
    with record.models():
        Session.create(session_id="s", scope="s", metadata={"client": "2.1"})
        assert record.value("SELECT metadata ->> 'client' FROM sessions") == "2.1"
        assert Session.get_by_id("s").metadata == {"client": "2.1"}
        Session.update(metadata=None).execute()
        assert record.value("SELECT metadata FROM sessions") is None


def test_statements_are_read_however_they_are_packed(record: Record) -> None:
    said = {"scope": "long " * 100}
    assert isinstance(pack_fields(said), bytes)
    assert PackedJsonField().python_value(pack_fields(said)) == said
    assert PackedJsonField().python_value(b"no zlib") == b"no zlib"
    with record.models():
        session = Session.create(session_id="s", scope="s")
        AgentExecution.create(execution_id="e", session=session, agent_type="a", scope="find it")
        (statement,) = Observation.select().where(Observation.kind == "sql")
        assert statement.payload["scope"] == "find it"


def test_what_foreign_keys_add_is_declared() -> None:
    """So that type checkers and readers know the columns' values and the backrefs."""
    added = set()
    for table in TABLES:
        for field in table._meta.sorted_fields:
            if isinstance(field, ForeignKeyField):
                kind = "str" if field.field_type == "TEXT" else "int"
                kind += " | None" if field.null else ""
                added.add((table, field.object_id_name, kind))
                added.add((field.rel_model, field.backref, f"ModelSelect[{table.__name__}]"))
    declared = {
        (table, name, kind)
        for table in TABLES
        for name, kind in table.__dict__.get("__annotations__", {}).items()
    }
    assert declared == added


def test_keys_of_several_columns(record: Record) -> None:
    with record.models():
        session = Session.create(session_id="s", scope="s")
        one, two = (
            PlannedAgent.create(session=session, position=position, agent_type="a")
            for position in (1, 2)
        )
        PlannedWait.create(planned_agent=two, awaited=one)
        (wait,) = two.waits
        assert (wait.planned_id, wait.waits_for, wait.awaited) == (2, 1, one)
        assert list(one.awaited_by) == [wait]


def test_the_content_of_an_output_is_its_text(record: Record) -> None:
    """``content`` is what the column of that name holds, ``stored`` the bytes it points to."""
    with record.models():
        session = Session.create(session_id="s", scope="s")
        run = AgentExecution.create(execution_id="e", session=session, agent_type="a")
        Output.create(execution=run, output_type="insight", content="it works")
        (output,) = run.outputs
        assert (output.content, output.content_id, output.stored) == ("it works", None, None)
