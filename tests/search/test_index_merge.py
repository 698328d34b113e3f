"""What is no longer said leaves the file of the index, share by share, and every run is found."""

from __future__ import annotations

import pytest

from orch_tui.models import facts
from orch_tui.models.database import Record
from orch_tui.project import Project
from orch_tui.record.opening import open_record
from orch_tui.search import index_merge, maintenance
from orch_tui.search.query import search
from orch_tui.search.schema import GIVEN, TEXTS
from tests.search.rows import give, put, rewrite


@pytest.fixture(autouse=True)
def small_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_merge, "LEAST_GROWTH", 20)
    monkeypatch.setattr(index_merge, "PAGES", 1)


def count_pieces(record: Record, table: str = TEXTS) -> int:
    return int(record.value(f"SELECT count(DISTINCT segid) FROM {table}_idx"))


def count_bytes(record: Record) -> int:
    return int(record.value(f"SELECT sum(length(block)) FROM {TEXTS}_data"))


def fill(record: Record, runs: int) -> None:
    """Record runs one by one that say something else in the end."""
    for number in range(runs):
        words = " ".join(f"early{number}w{n}" for n in range(200))
        run = f"exec-{number:03d}"
        put(record, {"execution_id": run, "scope": words})
        if number % 4 == 0:
            give(record, run, f"{number}.md", f"Given number{number}x")
        final = words.replace("early", "late")
        rewrite(record, "UPDATE agent_executions SET scope = ? WHERE execution_id = ?", final, run)


def merge_all(record: Record) -> int:
    """Merge until nothing remains; gives the number of shares."""
    shares = 1
    while index_merge.merge_share(record):
        shares += 1
    return shares


def test_what_was_taken_back_leaves_the_index_and_all_is_found(record: Record) -> None:
    fill(record, 24)
    pieces, size = count_pieces(record), count_bytes(record)
    assert index_merge.is_merge_due(record)
    assert merge_all(record) > 3
    assert count_pieces(record) == 1 < pieces
    assert count_pieces(record, GIVEN) == 1
    assert count_bytes(record) < size
    assert maintenance.check(record) == []
    assert search(record, "late7w3").total == 1 and search(record, "early7w3").total == 0
    assert search(record, "given:number8x").total == 1


def test_it_is_due_again_when_there_are_a_quarter_more(record: Record) -> None:
    fill(record, 19)
    assert not index_merge.is_merge_due(record)
    assert merge_all(record) == 1 and count_pieces(record) > 1
    with record.write():
        index_merge.merge_index(record)
    assert count_pieces(record) == 1
    for merged, due in ((79, 99), (80, 100), (84, 105), (400, 500)):
        with record.write():
            facts.set_fact(record, "index_merged_to", str(merged))
        put(record, {"execution_id": f"before-{due}", "rowid": due - 1})
        assert not index_merge.is_merge_due(record)
        put(record, {"execution_id": f"at-{due}", "rowid": due})
        assert index_merge.is_merge_due(record)
        rewrite(record, "DELETE FROM agent_executions WHERE rowid = ?", due)


def test_a_merge_that_was_broken_off_goes_on_while_others_write(record: Record) -> None:
    fill(record, 24)
    assert index_merge.merge_share(record) and index_merge.merge_share(record)
    fill_more = open_record(record.path)
    put(fill_more, {"execution_id": "exec-900", "scope": "meanwhile"})
    fill_more.close()
    with open_record(record.path) as again:
        assert index_merge.is_merge_due(again)
        merge_all(again)
        assert not index_merge.is_merge_due(again)
        assert maintenance.check(again) == []
        assert search(again, "meanwhile").total == 1


def test_a_project_merges_the_index_of_the_record_it_has_opened(record: Record) -> None:
    fill(record, 20)
    project = Project(record.path.parent, database=str(record.path))
    assert not project.merge_index() and index_merge.is_merge_due(record)
    assert project.existing_record
    while project.merge_index():
        pass
    project.close()
    assert not index_merge.is_merge_due(record)


def test_an_index_of_another_version_is_left_alone(record: Record) -> None:
    fill(record, 21)
    with record.write():
        record.execute("DROP TABLE search_terms")
        record.execute(f"DROP TABLE {TEXTS}")
    assert not index_merge.merge_share(record)


@pytest.mark.parametrize("odd", ["", "many", "-3", "1e9", b"\xff"])
def test_odd_facts_mean_that_it_never_was(record: Record, odd: str | bytes) -> None:
    fill(record, 20)
    with record.write():
        record.execute(
            "INSERT INTO record_facts (name, value) VALUES ('index_merged_to', ?)", [odd]
        )
    assert index_merge.is_merge_due(record)
