"""The triggers that keep the index honest, whoever writes to the tables."""

from __future__ import annotations

import pytest

from orch_tui.models.database import Record
from orch_tui.search import maintenance
from orch_tui.search.query import search
from orch_tui.search.schema import INDEX_VERSION, texts_table
from tests.search.rows import give, put, put_briefing, put_content, put_output, rewrite


def pending(record: Record) -> set[str]:
    return {e for (e,) in record.sql("SELECT execution_id FROM search_pending")}


def test_the_table_of_texts_is_named_by_the_version_it_is_of() -> None:
    assert texts_table(1) == "search_index"
    assert texts_table() == f"search_index_{INDEX_VERSION}"


@pytest.mark.parametrize(
    ("statement", "marked"),
    [
        ("UPDATE agent_executions SET scope = 'x' WHERE execution_id = 'exec-000'", ["000"]),
        ("UPDATE agent_executions SET unverified = 'x' WHERE execution_id = 'exec-000'", ["000"]),
        ("UPDATE agent_executions SET cost_usd = 1", []),  # is not searched
        ("UPDATE outputs SET content = 'x'", ["000"]),
        ("UPDATE outputs SET execution_id = 'exec-001'", ["000", "001"]),
        ("DELETE FROM outputs", ["000"]),
        ("UPDATE context_allocations SET context_source = 'x'", ["001"]),
        ("UPDATE context_allocations SET token_count = 1", []),
        ("DELETE FROM context_allocations", ["001"]),
        ("DELETE FROM agent_executions WHERE execution_id = 'exec-002'", ["002"]),
        ("UPDATE sessions SET project = '/q'", ["000", "001", "002"]),
        ("UPDATE sessions SET archived_at = '2026-11-01T10:00:00.000Z'", ["000", "001", "002"]),
        ("UPDATE sessions SET scope = 'x'", ["000", "001", "002"]),
        ("UPDATE sessions SET title = 'x'", ["000", "001", "002"]),
        ("UPDATE sessions SET project = project, scope = scope, archived_at = NULL", []),
        ("UPDATE sessions SET status = 'completed', metadata = '{}'", []),
        ("UPDATE sessions SET archived_at = 'x' WHERE session_id = 'none'", []),
    ],
)
def test_raw_sql_marks_what_the_index_no_longer_tells_the_truth_about(
    record: Record, statement: str, marked: list[str]
) -> None:
    put(record, {}, {}, {})
    put_output(record, "exec-000", "insight", "words")
    give(record, "exec-001", "a.md")
    assert pending(record) == set()
    record.execute(statement)
    assert pending(record) == {f"exec-{number}" for number in marked}


def test_raw_sql_marks_what_is_stale_whatever_its_conflict_clause(record: Record) -> None:
    for clause in ("OR FAIL", "OR ABORT", "OR ROLLBACK", "OR REPLACE", "OR IGNORE"):
        record.execute(
            f"INSERT {clause} INTO agent_executions (execution_id, session_id, agent_type, scope) "
            "SELECT ?, session_id, 'explore', 'raw' FROM sessions",
            [clause],
        )
        record.execute(f"INSERT {clause} INTO outputs (execution_id) VALUES (?)", [clause])
    record.execute("PRAGMA foreign_keys = OFF")
    record.execute(
        "UPDATE agent_executions SET execution_id = 'new' WHERE execution_id = 'OR FAIL'"
    )
    with record.write():
        pass
    assert sorted(hit.execution_id for hit in search(record, "raw").hits) == [
        "OR ABORT",
        "OR IGNORE",
        "OR REPLACE",
        "OR ROLLBACK",
        "new",
    ]
    assert record.value("SELECT count(*) FROM search_pending") == 0


def test_what_is_indexed_cannot_be_erased_behind_the_index(record: Record) -> None:
    said = put_content(record, "said")
    told = put_briefing(record, ["text", "told"])
    put(record, {"final_message": "said", "briefing_id": told})
    give(record, "exec-000", "a.md", "read")
    read = put_content(record, "read")
    for statement in (
        f"UPDATE contents SET encoding = 'gone', data = x'' WHERE content_id = {said}",
        f"UPDATE contents SET encoding = 'gone', data = x'' WHERE content_id = {read}",
        f"DELETE FROM contents WHERE content_id = {read}",
        f"UPDATE briefings SET parts = '[]' WHERE briefing_id = {told}",
    ):
        with pytest.raises(Exception, match="what is indexed for search stays as it is"):
            rewrite(record, statement)
    assert maintenance.check(record) == []
