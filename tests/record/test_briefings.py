"""Briefings stand once: their own words, and references to the contents in them."""

from __future__ import annotations

import hashlib

import pytest

from orch_tui.errors import NotFoundError
from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import unpack_parts
from orch_tui.record.ledger import contents
from orch_tui.record.ledger.briefings import (
    bury_briefing,
    change_replacement,
    find_briefing,
    get_briefing,
    iterate_briefings,
    store_briefing,
)

FILE = b"def parse(text):\n    return text.split()\n" * 40
BRIEFING = b"# Briefing\n\n" + FILE + b"\nThe end \xff.\n"


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def parts(record: Record, briefing_id: int) -> list[list[object]]:
    stored = record.value("SELECT parts FROM briefings WHERE briefing_id = ?", [briefing_id])
    return unpack_parts(stored)


def test_what_was_given_stands_in_a_briefing_by_reference(record: Record) -> None:
    with record.write():
        briefing_id = store_briefing(record, BRIEFING, [FILE, b"not in it at all" * 9])
        content_id = contents.store_content(record, FILE)
    assert ["content", content_id] in parts(record, briefing_id)
    assert get_briefing(record, briefing_id) == BRIEFING
    assert record.value("SELECT count(*) FROM contents") == 1
    size = record.value("SELECT size FROM briefings WHERE briefing_id = ?", [briefing_id])
    assert size == len(BRIEFING)


def test_a_briefing_is_stored_once(record: Record) -> None:
    with record.write():
        first = store_briefing(record, BRIEFING, [FILE])
        assert store_briefing(record, BRIEFING, []) == first
        assert store_briefing(record, BRIEFING + b"!", []) != first
        assert store_briefing(record, b"", []) == store_briefing(record, b"", [])
    assert find_briefing(record, sha256(BRIEFING)) == first
    assert find_briefing(record, sha256(b"else")) is None
    assert record.value("SELECT count(*) FROM briefings") == 3


def test_one_that_is_not_there_is_said_so(record: Record) -> None:
    with pytest.raises(NotFoundError, match="7"):
        get_briefing(record, 7)


def test_a_buried_briefing_is_not_stored_again(record: Record) -> None:
    with record.write():
        one, two = store_briefing(record, b"clean", []), store_briefing(record, b"cleaner", [])
        bury_briefing(record, sha256(b"secret"), 6, one)
        assert store_briefing(record, b"secret", []) == one
        assert find_briefing(record, sha256(b"secret")) == one
        change_replacement(record, two, one)
        assert find_briefing(record, sha256(b"secret")) == one, "that tombstone names another"
        change_replacement(record, one, two)
        assert find_briefing(record, sha256(b"secret")) == two
    found = {each.sha256: each.is_gone for each in iterate_briefings(record)}
    assert found == {sha256(b"clean"): False, sha256(b"cleaner"): False, sha256(b"secret"): True}


def test_a_redacted_part_is_named_as_such(record: Record) -> None:
    with record.write():
        briefing_id = store_briefing(record, BRIEFING, [FILE])
        record.execute("UPDATE contents SET encoding = 'gone', data = x''")
    assert get_briefing(record, briefing_id) == BRIEFING.replace(FILE, b"[redacted]")


def test_a_briefing_that_plain_sql_broke_stops_no_other(record: Record) -> None:
    with record.write():
        broken, whole = store_briefing(record, b"one", []), store_briefing(record, b"two", [])
        record.execute("UPDATE briefings SET parts = x'00' WHERE briefing_id = ?", [broken])
    rendered = {each.briefing_id: each.rendered for each in iterate_briefings(record)}
    assert rendered == {broken: b"", whole: b"two"}
    condition = "WHERE briefing_id > ?"
    assert [b.briefing_id for b in iterate_briefings(record, condition, [broken])] == [whole]
