"""Whose runs are found: by who ran them, and on which machine."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.models.values import timestamp
from orch_tui.search.query import complete_filter_values, search
from tests.search.rows import START, put, rewrite


def ids(record: Record, query: str) -> list[str]:
    return [hit.execution_id.removeprefix("exec-") for hit in search(record, query).hits]


def test_runs_are_found_by_who_ran_them_and_where(record: Record) -> None:
    origins = {
        7: ("ann", "ann-laptop", 0, None),
        8: ("Bob", "bob-desk", 0, None),
        9: ("ann", "old-box", 1, timestamp(START)),
        10: ("ann", "ann-desk", 1, None),
    }
    for origin_id, (person, machine, mine, closed_at) in origins.items():
        rewrite(
            record,
            "INSERT INTO origins (origin_id, uid, person, machine, name, mine, closed_at) "
            "VALUES (?1, ?1, ?2, ?3, ?3, ?4, ?5)",
            *(origin_id, person, machine, mine, closed_at),
        )
    put(record, {}, {"origin_id": 7}, {"origin_id": 8}, {"origin_id": 9})
    assert ids(record, "person:ann") == ["003", "001", "000"]
    assert ids(record, "person:bo") == ["002"]
    assert ids(record, "-person:ann") == ["002"]
    assert ids(record, 'person:"b"') == ids(record, "person:nobody") == []
    assert ids(record, "person:mine") == ["003", "001", "000"]  # of a machine of hers, too
    assert ids(record, "machine:mine") == ids(record, "machine:ann-desk") == ["000"]
    assert ids(record, "machine:ann") == ["001", "000"]
    assert ids(record, "machine:mine,bob-desk agent:explore") == ["002", "000"]
    assert ids(record, "-person:nobody -machine:ann") == ["003", "002"]
    hits = search(record, "").hits
    assert [(hit.person, hit.machine, hit.is_own) for hit in hits] == [
        ("ann", "old-box", False),
        ("Bob", "bob-desk", False),
        ("ann", "ann-laptop", False),
        ("ann", "ann-desk", True),
    ]
    assert complete_filter_values(record, "person", "") == ("mine", "ann", "bob")
    assert complete_filter_values(record, "machine", "an") == ("ann-desk", "ann-laptop")


def test_in_a_record_that_knows_no_other_all_runs_are_mine(record: Record) -> None:
    put(record, {}, {})
    assert ids(record, "person:mine") == ids(record, "-machine:other") == ["001", "000"]
    assert ids(record, "-person:mine") == ids(record, "machine:other") == []
