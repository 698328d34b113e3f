"""The export holds everything: the same tables can be made from it again."""

from __future__ import annotations

import base64
import itertools
import json
import sqlite3
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import RecordError
from orch_tui.models.database import Record
from orch_tui.models.schema import TABLES, TRIGGERS
from orch_tui.models.values import SCHEMA_VERSION
from orch_tui.record.completion import record_completion
from orch_tui.record.ledger import contents
from orch_tui.record.opening import open_record
from orch_tui.record.sessions import init_session
from orch_tui.record.upkeep.export import export
from orch_tui.record.upkeep.redaction import redact
from orch_tui.search import maintenance
from tests.record.test_redaction import fill


def lines(record: Record) -> list[dict[str, Any]]:
    """As they are written and read again."""
    return [json.loads(json.dumps(row)) for row in export(record)]


def rebuilt(path: Path, rows: list[dict[str, Any]]) -> Record:
    """The simplest reader there can be."""
    record = open_record(path)
    with record.write():
        for name in TRIGGERS:
            record.execute(f"DROP TRIGGER {name}")
        for row in rows[1:]:
            table = row.pop("table")
            for column, value in row.items():
                if isinstance(value, dict):
                    row[column] = base64.b64decode(value["base64"])
            if table == "contents":
                row["encoding"] = "gone" if row["data"] is None else "raw"
                row["data"] = row["data"] or b""
            record.execute(
                f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
                list(row.values()),
            )
        for statement in TRIGGERS.values():
            record.execute(statement)
        maintenance.rebuild(record)
    return record


def tables(record: Record) -> dict[str, list[Any]]:
    held = {t._meta.table_name: record.sql(f"SELECT * FROM {t._meta.table_name}") for t in TABLES}
    held["contents"] = [
        (number, sha256, size, contents.unpacked(encoding, data))
        for number, sha256, size, encoding, data in held["contents"]
    ]
    return held


def test_the_same_tables_can_be_made_again(record: Record, tmp_path: Path) -> None:
    fill(record, "some-key-to-redact", tmp_path)
    redact(record, "some-key-to-redact", "so that there is a tombstone")
    init_session(record, "has the first label of the day", project="/p")
    with record.write():
        contents.put(record, bytes(range(256)) * 10)
        record.execute(
            "INSERT INTO import_checkpoints (path, size, mtime_ns, position) VALUES ('p', 1, 2, 3)"
        )
        record.execute(
            "INSERT INTO usage_messages (message_id, execution_id, input_tokens, "
            "cache_write_tokens, cache_read_tokens, output_tokens) "
            "VALUES ('m', 'exec-1', 1, 2, 3, 4)"
        )
        record.execute(
            "INSERT INTO execution_files (execution_id, path) VALUES ('exec-1', 'lib/a.py')"
        )
        record.execute("INSERT INTO token_counts VALUES ('00', 'o200k_base', 7)")
        record.execute("INSERT INTO planned_waits VALUES (1, 1)")
    with rebuilt(tmp_path / "again.db", lines(record)) as again:
        expected = tables(record)
        assert all(expected.values()), "a table without a row proves nothing"
        assert tables(again) == expected
        assert again.sql("PRAGMA foreign_key_check") == []
        assert maintenance.check(again) == []


def test_the_head_says_what_it_is(record: Record) -> None:
    assert lines(record) == [
        {
            "format": "orch-export",
            "version": 1,
            "schema_version": SCHEMA_VERSION,
            "exported_at": "2026-11-22T10:00:01.000Z",
        }
    ]


def test_every_row_that_can_travel_has_its_uid(record: Record, tmp_path: Path) -> None:
    fill(record, "nothing secret", tmp_path)
    for row in lines(record)[1:]:
        if row["table"] in ("sessions", "planned_agents", "bundles", "agent_executions", "outputs"):
            assert len(row["uid"]) == 32


def test_a_row_comes_after_what_it_points_to(record: Record, tmp_path: Path) -> None:
    fill(record, "nothing secret", tmp_path)
    names = [name for name, _ in itertools.groupby(row["table"] for row in lines(record)[1:])]
    pairs = {
        (column.rel_model._meta.table_name, table._meta.table_name)
        for table in TABLES
        for column in table._meta.refs
    }
    compared = [(one, two) for one, two in pairs if one != two and {one, two} <= set(names)]
    assert len(compared) > 10
    assert all(names.index(one) < names.index(two) for one, two in compared)


def test_all_rows_are_of_one_moment(record: Record) -> None:
    init_session(record, "before", project="/p", session_id="a")
    rows = export(record)
    head = [next(rows), next(rows)]
    init_session(record, "meanwhile", project="/p", session_id="b")
    held = {row.get("session_id") for row in [*head, *rows]}
    assert "a" in held
    assert "b" not in held


def test_bytes_and_broken_text_survive(record: Record) -> None:
    with closing(sqlite3.connect(record.path)) as raw:
        raw.execute(
            "INSERT INTO sessions (session_id, scope) VALUES ('s', CAST(x'68ff69' AS TEXT))"
        )
        raw.execute("INSERT INTO sessions (session_id, scope, metadata) VALUES ('t', '', x'00ff')")
        raw.commit()
    by_id = {row["session_id"]: row for row in lines(record)[1:]}
    assert by_id["s"]["scope"].encode("utf-8", "surrogateescape") == b"h\xffi"
    assert base64.b64decode(by_id["t"]["metadata"]["base64"]) == b"\x00\xff"


def test_memory_does_not_grow_with_the_record(record: Record) -> None:
    with record.write():
        for number in range(300):
            contents.put(record, number.to_bytes(4, "big") + b"x" * 100_000)
    tracemalloc.start()
    try:
        for _ in export(record):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000  # 30 MB went through


def test_an_export_given_up_leaves_nothing_open(record: Record) -> None:
    rows = export(record)
    next(rows)
    rows.close()  # type: ignore[attr-defined] # a generator
    assert record.sql("PRAGMA wal_checkpoint(TRUNCATE)")[0][0] == 0


def test_a_record_that_went_away_is_an_error(record: Record) -> None:
    record.close()
    record.path.unlink()
    with pytest.raises(RecordError, match="there is no record"):
        next(export(record))


def test_completions_keep_their_exact_bytes(record: Record) -> None:
    init_session(record, "x", project="/p", session_id="s")
    record.execute(
        "INSERT INTO agent_executions (execution_id, session_id, agent_type) VALUES ('e', 's', 'a')"
    )
    record_completion(record, "e", final_message=b"caf\xe9 \xff\xfe")
    stored = [row for row in lines(record) if row.get("table") == "contents"]
    assert base64.b64decode(stored[0]["data"]["base64"]) == b"caf\xe9 \xff\xfe"
