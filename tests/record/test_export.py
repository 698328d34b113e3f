"""The export holds everything: the same tables can be made from it again."""

from __future__ import annotations

import base64
import json
import sqlite3
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orch_tui.errors import RecordError
from orch_tui.models.database import Record
from orch_tui.models.values import SCHEMA_VERSION
from orch_tui.record.completion import record_completion
from orch_tui.record.ledger import contents
from orch_tui.record.sessions import init_session
from orch_tui.record.upkeep.export import export_record
from tests.record.test_redaction import fill


def lines(record: Record) -> list[dict[str, Any]]:
    """As they are written and read again."""
    return [json.loads(row) for row in export_record(record)]


def test_the_head_says_what_it_is(record: Record) -> None:
    head, origin = lines(record)
    assert head == {
        "format": "orch-export",
        "version": 2,
        "schema_version": SCHEMA_VERSION,
        "exported_at": head["exported_at"],
        "record": head["record"],
    }
    assert origin["exported_here"] is True


def test_what_is_named_comes_before_what_names_it(record: Record, tmp_path: Path) -> None:
    fill(record, "nothing secret", tmp_path)
    kinds = ["origin", "content", "briefing", "counted", "statement"]
    told = [next(kind for kind in kinds if kind in row) for row in lines(record)[1:]]
    assert told == sorted(told, key=kinds.index)
    said = [row["kind"] for row in lines(record) if "statement" in row]
    order = {"set": 0, "identified": 1, "journal": 3}
    assert said == sorted(said, key=lambda kind: order.get(kind, 2))
    assert {"set", "identified", "journal", "deployed", "returned", "delivered"} <= set(said)


def test_statements_are_numbered_without_a_gap(record: Record, tmp_path: Path) -> None:
    fill(record, "nothing secret", tmp_path)
    for _ in range(2):  # again, nothing is numbered anew
        entries = [entry for row in lines(record) for entry in row.get("log", ())]
        assert sorted(seq for _, seq in entries) == list(range(1, len(entries) + 1))
        init_session(record, "one more", project="/p")


def test_no_number_or_label_of_this_record_is_in_a_statement(
    record: Record, tmp_path: Path
) -> None:
    fill(record, "nothing secret", tmp_path)
    local = {"message_id", "briefing_id", "session_id", "planned_id", "bundle_version_id"}
    for row in lines(record):
        assert not local & row.get("said", {}).keys(), row


def test_all_rows_are_of_one_moment(record: Record) -> None:
    init_session(record, "before", project="/p", session_id="a")
    rows = map(json.loads, export_record(record))
    head = [next(rows), next(rows)]
    init_session(record, "meanwhile", project="/p", session_id="b")
    held = {row["said"]["values"]["label"] for row in [*head, *rows] if row.get("kind") == "set"}
    assert held == {"a"}


def test_what_sql_put_into_columns_is_stated_as_text(record: Record) -> None:
    with closing(sqlite3.connect(record.path)) as raw:
        raw.execute("INSERT INTO sessions (session_id, scope, metadata) VALUES ('t', '', x'00ff')")
        raw.execute("INSERT INTO sessions (session_id, scope, budget) VALUES ('u', '', 9e999)")
        raw.commit()
    by_label = {
        row["said"]["values"]["label"]: row["said"]["values"]
        for row in lines(record)
        if row.get("kind") == "set"
    }
    assert by_label["t"]["metadata"] == "\0\ufffd"
    assert by_label["u"]["budget"] == "inf"


@pytest.mark.slow
def test_memory_does_not_grow_with_the_record(record: Record) -> None:
    with record.write():
        for number in range(300):
            contents.store_content(record, number.to_bytes(4, "big") + b"x" * 100_000)
    tracemalloc.start()
    try:
        for _ in export_record(record):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000  # 30 MB went through


def test_an_export_given_up_leaves_nothing_open(record: Record) -> None:
    rows = export_record(record)
    next(rows)
    rows.close()  # type: ignore[attr-defined] # a generator
    assert record.sql("PRAGMA wal_checkpoint(TRUNCATE)")[0][0] == 0


def test_a_record_that_went_away_is_an_error(record: Record) -> None:
    record.close()
    record.path.unlink()
    with pytest.raises(RecordError, match="there is no record"):
        next(export_record(record))


def test_completions_keep_their_exact_bytes(record: Record) -> None:
    init_session(record, "x", project="/p", session_id="s")
    record.execute(
        "INSERT INTO agent_executions (execution_id, session_id, agent_type) VALUES ('e', 's', 'a')"
    )
    record_completion(record, "e", final_message=b"caf\xe9 \xff\xfe")
    stored = [row for row in lines(record) if "content" in row]
    assert base64.b64decode(stored[0]["data"]["base64"]) == b"caf\xe9 \xff\xfe"
