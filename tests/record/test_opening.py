"""Who opens the record of a project has its writes indexed; any other leaves marks behind."""

from __future__ import annotations

from pathlib import Path

from orch_tui.models.database import Record
from orch_tui.record.opening import open_record
from orch_tui.search import maintenance
from orch_tui.search.query import search


def write_run(record: Record, execution_id: str) -> None:
    with record.write():
        record.execute(
            "INSERT INTO sessions (session_id, scope) VALUES ('s', '') ON CONFLICT DO NOTHING"
        )
        record.execute(
            "INSERT INTO agent_executions (execution_id, session_id, agent_type, scope) "
            "VALUES (?, 's', 'a', 'vector')",
            [execution_id],
        )


def marked(record: Record) -> int:
    return int(record.value("SELECT count(DISTINCT execution_id) FROM search_pending"))


def test_a_write_through_an_opened_record_is_indexed(tmp_path: Path) -> None:
    with open_record(tmp_path / "execution.db") as record:
        write_run(record, "e1")
        assert marked(record) == 0 and maintenance.check(record) == []


def test_a_write_of_a_bare_record_is_indexed_by_the_next_that_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "execution.db"
    with Record(path) as bare:
        write_run(bare, "e1")
        assert marked(bare) == 1
    with open_record(path) as record:
        write_run(record, "e2")
        assert marked(record) == 0 and maintenance.check(record) == []


def test_a_write_of_a_bare_record_is_found_by_a_search(tmp_path: Path) -> None:
    with Record(tmp_path / "execution.db") as bare:
        write_run(bare, "e1")
        assert [hit.execution_id for hit in search(bare, "vector").hits] == ["e1"]
