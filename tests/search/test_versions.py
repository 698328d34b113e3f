"""A record whose index is of another version is searched as it is, and indexed anew in shares."""

from __future__ import annotations

import gzip
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.record.opening import open_record
from orch_tui.search import maintenance
from orch_tui.search.query import complete_filter_values, search
from orch_tui.search.schema import GIVEN, INDEX_VERSION, TEXTS
from tests.search.older_index import make_version_1
from tests.search.rows import AT, give, put, put_content, put_output, rewrite

FIXTURES = Path(__file__).parents[1] / "fixtures" / "records"


@pytest.fixture
def older(record: Record) -> Record:
    """Seven runs, indexed by version 1."""
    put_content(record, "a stored message about vector search")
    put(
        record,
        *(
            {"scope": f"vector number {n}", "final_message": "the search of words"}
            for n in range(5)
        ),
        {"scope": "Schätzung", "final_message": "a stored message about vector search"},
        {"scope": "other", "status": "failed", "unverified": "no file"},
    )
    give(record, "exec-001", "lib/types.ts", "navigable small worlds")
    give(record, "exec-006", "lib/types.ts", "navigable small worlds")
    put_output(record, "exec-002", "insight", "sorted lists compress")
    make_version_1(record)
    return record


QUERIES = (
    *("", "vector", "ve", "vector search ", '"search of"', '"of search"', '-"search of"'),
    *("-vector", "schatz", "status:failed", "has:doubt", "-status:failed vector", "file:types"),
    *('given:"small worlds"', "given:na vector", "-given:navigable", "compress", '"sorted lists"'),
    *("since:2026-11-01T13:00", "vector until:2026-11-01T12:30", 'number "2"', "types-ts"),
)


def answers(record: Record) -> dict[str, list[tuple[str, str]]]:
    return {
        query: [(hit.execution_id, hit.snippet) for hit in search(record, query).hits]
        for query in QUERIES
    }


def tables(record: Record) -> set[str]:
    return {
        name
        for (name,) in record.sql(
            "SELECT name FROM sqlite_schema WHERE sql GLOB 'CREATE VIRTUAL TABLE *'"
        )
    }


def test_each_share_leaves_every_answer_as_it_was(older: Record) -> None:
    before = answers(older)
    assert [query for query, found in before.items() if not found] == ['"of search"']
    with older.write():
        maintenance.refresh(older, [])  # makes the new table, and that alone
    assert maintenance.count_other_versions(older) == 7
    assert maintenance.index_version(older) == "1"
    for remaining in (5, 3, 1):
        assert maintenance.index_older(older, 2) == remaining
        assert maintenance.index_version(older) == "1"
        assert answers(older) == before
        assert maintenance.check(older) == []
        newest = [v for (v,) in older.sql("SELECT index_version FROM search_docs ORDER BY docid")]
        assert newest == [1] * remaining + [INDEX_VERSION] * (7 - remaining)
    assert maintenance.index_older(older, 2) == 0
    assert maintenance.index_version(older) == str(INDEX_VERSION)
    assert answers(older) == before
    assert maintenance.check(older) == []
    assert tables(older) == {TEXTS, GIVEN, "search_terms"}
    assert maintenance.index_older(older) == 0


def test_the_triggers_of_another_version_are_made_anew_with_its_table(older: Record) -> None:
    rewrite(older, "DROP TRIGGER search_sessions_update")
    maintenance.index_older(older)
    rewrite(older, "UPDATE sessions SET scope = 'renamed'")
    assert len(search(older, "renamed").hits) == 7


def test_a_share_that_is_interrupted_is_as_if_it_had_not_begun(older: Record) -> None:
    before = answers(older)
    maintenance.index_older(older, 2)
    with pytest.raises(KeyboardInterrupt), older.write():
        assert maintenance.index_older(older, 2) == 3
        raise KeyboardInterrupt
    assert maintenance.count_other_versions(older) == 5
    assert answers(older) == before
    assert maintenance.check(older) == []
    with Record(older.path) as again:  # and goes on from there
        assert answers(again) == before
        assert maintenance.index_older(again, 3) == 2
        assert maintenance.index_older(again, 3) == 0
        assert answers(again) == before
        assert maintenance.check(again) == []
        assert not maintenance.is_of_another_version(again)


KILLED = """
import os, signal, sys
from pathlib import Path
from orch_tui.models.database import Record
from orch_tui.search import maintenance
with Record(Path(sys.argv[1])) as record:
    assert maintenance.index_older(record, 3) == 4
    with record.write():
        assert maintenance.index_older(record, 3) == 1
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_indexed_anew_stays_so(older: Record) -> None:
    before = answers(older)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(older.path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert maintenance.count_other_versions(older) == 4
    assert answers(older) == before
    assert maintenance.check(older) == []
    assert maintenance.index_older(older) == 0
    assert answers(older) == before


def test_two_index_anew_at_once(older: Record) -> None:
    before = answers(older)

    def index(_: int) -> None:
        with Record(older.path) as record:
            while maintenance.index_older(record, 1):
                assert answers(record) == before

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(index, range(2)))
    assert answers(older) == before
    assert maintenance.check(older) == []
    assert tables(older) == {TEXTS, GIVEN, "search_terms"}


def test_the_fact_alone_is_put_right(record: Record) -> None:
    put(record, {"scope": "vector"})
    rewrite(record, "UPDATE record_facts SET value = '1' WHERE name = 'index_version'")
    assert maintenance.is_of_another_version(record)
    assert maintenance.index_older(record) == 0
    assert not maintenance.is_of_another_version(record)
    rewrite(record, "DELETE FROM record_facts WHERE name = 'index_version'")
    assert maintenance.is_of_another_version(record)
    with record.write():
        maintenance.rebuild(record)
    assert not maintenance.is_of_another_version(record)
    assert [hit.execution_id for hit in search(record, "vector").hits] == ["exec-000"]


def test_a_run_is_found_at_once_while_another_process_indexes_a_share(older: Record) -> None:
    before = answers(older)
    with Record(older.path) as reading, older.write():
        maintenance.index_older(older, 3)
        assert answers(reading) == before
        reading.execute("PRAGMA busy_timeout = 0")
        assert answers(reading) == before
    assert answers(older) == before


def test_who_only_reads_searches_the_older_tables(older: Record) -> None:
    before = answers(older)
    with Record(older.path, writable=False) as reading:
        assert answers(reading) == before
        assert maintenance.count_other_versions(reading) == 7


def test_what_changes_meanwhile_is_indexed_at_once(older: Record) -> None:
    rewrite(older, "UPDATE agent_executions SET scope = 'changed' WHERE execution_id = 'exec-003'")
    rewrite(
        older, "UPDATE agent_executions SET retracted_at = ? WHERE execution_id = 'exec-004'", AT
    )
    put(older, {"execution_id": "exec-100", "scope": "vector again", "deployed_at": AT})
    for _ in range(2):
        found = [hit.execution_id for hit in search(older, "vector ").hits]
        assert sorted(found) == ["exec-000", "exec-001", "exec-002", "exec-005", "exec-100"]
        assert [hit.execution_id for hit in search(older, "changed").hits] == ["exec-003"]
        assert [hit.execution_id for hit in search(older, "status:completed").hits] == [
            *("exec-005", "exec-003", "exec-002", "exec-001", "exec-100", "exec-000")
        ]
        assert complete_filter_values(older, "agent", "") == ("explore",)
        assert maintenance.check(older) == []
        maintenance.index_older(older)


def test_what_is_indexed_by_either_version_cannot_be_erased(older: Record) -> None:
    message = older.value("SELECT max(message_content_id) FROM search_docs")
    given = older.value("SELECT max(content_id) FROM search_given")
    for _ in range(2):
        for content_id in (message, given):
            with pytest.raises(Exception, match="stays as it is"):
                rewrite(older, "DELETE FROM contents WHERE content_id = ?", content_id)
        maintenance.index_older(older)


def test_a_rebuild_leaves_this_version_alone(older: Record) -> None:
    before = answers(older)
    with older.write():
        maintenance.rebuild(older)
    assert answers(older) == before
    assert tables(older) == {TEXTS, GIVEN, "search_terms"}
    assert maintenance.count_other_versions(older) == 0
    assert maintenance.check(older) == []


def test_a_newer_version_is_indexed_anew_too(record: Record) -> None:
    """Of what cannot be read: its runs are found by their words when they are indexed anew."""
    put(record, {"scope": "vector"}, {"scope": "vector"})
    newer = INDEX_VERSION + 1
    with record.write():
        record.execute(f"CREATE VIRTUAL TABLE search_index_{newer} USING fts5(x, y)")
        record.execute(f"DROP TABLE {TEXTS}")
        record.execute("UPDATE search_docs SET index_version = ?, small_fields = x'00'", [newer])
    assert search(record, "vector").hits == ()
    with record.write():
        maintenance.refresh(record, ["exec-001"])
    assert [hit.execution_id for hit in search(record, "").hits] == ["exec-001", "exec-000"]
    assert [hit.execution_id for hit in search(record, "vector").hits] == ["exec-001"]
    assert maintenance.index_older(record) == 0
    assert [hit.execution_id for hit in search(record, "vector").hits] == ["exec-001", "exec-000"]
    assert tables(record) == {TEXTS, GIVEN, "search_terms"}
    assert maintenance.check(record) == []


def test_a_record_of_schema_version_1_keeps_its_index_until_it_is_indexed_anew(
    tmp_path: Path,
) -> None:
    path = tmp_path / "execution.db"
    path.write_bytes(gzip.decompress((FIXTURES / "version_1.last.db.gz").read_bytes()))
    with open_record(path) as record:
        assert maintenance.is_of_another_version(record)
        assert record.value("SELECT count(*) FROM search_docs WHERE index_version = 1") > 0
        words = ("", "done", "status:completed", "-status:completed", "agent:task done")
        before = {word: search(record, word) for word in words}
        assert maintenance.check(record) == []
        assert maintenance.index_version(record) == "1"
        while maintenance.index_older(record, 5):
            assert maintenance.check(record) == []
        assert {word: search(record, word) for word in words} == before
        assert not maintenance.is_of_another_version(record)
