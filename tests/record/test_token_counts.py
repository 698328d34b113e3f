"""Token counts are kept in the record for ever."""

from __future__ import annotations

import hashlib

import pytest

from orch_tui.models.database import Record
from orch_tui.record import token_counts
from orch_tui.record.token_counts import RecordedCounts

A, B, C = (hashlib.sha256(name).hexdigest() for name in (b"a", b"b", b"c"))


def test_counts_are_kept_by_text_and_estimator(record: Record) -> None:
    counts = RecordedCounts(record)
    assert counts.get_counts([A, B], "one") == counts.get_counts([], "one") == {}
    counts.put_counts("one", {A: 0, B: 12})
    counts.put_counts("two", {A: 7})
    assert counts.get_counts([C, B, A], "one") == {A: 0, B: 12}
    assert counts.get_counts([A, B], "two") == {A: 7}


def test_the_first_count_of_a_text_stays(record: Record) -> None:
    counts = RecordedCounts(record)
    counts.put_counts("one", {A: 1})
    counts.put_counts("one", {A: 2, B: 3})
    assert counts.get_counts([A, B], "one") == {A: 1, B: 3}


def test_many_are_asked_for_in_several_statements(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_counts, "_AT_ONCE", 2)
    known = {hashlib.sha256(bytes([n])).hexdigest(): n for n in range(5)}
    counts = RecordedCounts(record)
    counts.put_counts("one", known)
    assert counts.get_counts([*known], "one") == known


def test_a_count_that_plain_sql_broke_is_none(record: Record) -> None:
    counts = RecordedCounts(record)
    counts.put_counts("one", {A: 1, B: 2, C: 3})
    for sha256, broken in ((A, -1), (B, "many")):
        with record.write():
            record.execute(
                "UPDATE token_counts SET tokens = ? WHERE sha256 = ?",
                [broken, bytes.fromhex(sha256)],
            )
    assert counts.get_counts([A, B, C], "one") == {C: 3}


def test_a_record_that_cannot_be_written_only_reads(record: Record) -> None:
    RecordedCounts(record).put_counts("one", {A: 1})
    record.close()
    with Record(record.path, writable=False, clock=record.clock) as reading:
        counts = RecordedCounts(reading)
        counts.put_counts("one", {B: 2})
        assert counts.get_counts([A, B], "one") == {A: 1}
