"""Which of the planned items stand in the text an agent was handed."""

from __future__ import annotations

import hashlib

import pytest

from orch_tui.models.database import Record
from orch_tui.record.ledger.arrival import mark_arrived, squeeze_text
from orch_tui.record.ledger.briefing_files import log_briefing_file
from orch_tui.record.ledger.briefings import store_briefing
from orch_tui.record.ledger.contents import store_content
from orch_tui.record.ledger.statement import ItemFact

WORDS = (b"the words of the first\nfile\n", b"the words of the second file\n")


@pytest.fixture
def items(record: Record) -> list[ItemFact]:
    """Two that were planned with their contents."""
    with record.write():
        for words in WORDS:
            store_content(record, words)
    return [
        ItemFact(included_in_deployment=1, content=hashlib.sha256(words).hexdigest())
        for words in WORDS
    ]


def arrived(record: Record, items: list[ItemFact], text: bytes | None) -> list[int | None]:
    with record.write():
        handed = None if text is None else store_briefing(record, text, [])
        return [item.arrived for item in mark_arrived(record, "exec-001", items, handed)]


def test_what_stands_in_the_text_arrived_however_it_is_wrapped(
    record: Record, items: list[ItemFact]
) -> None:
    assert arrived(record, items, b"Do it.\nthe words  of the\nfirst file") == [1, 0]
    assert arrived(record, items, WORDS[1] + WORDS[0]) == [1, 1]


def test_the_planned_text_itself_brings_all_of_it(record: Record, items: list[ItemFact]) -> None:
    assert arrived(record, items, None) == [1, 1]
    assert arrived(record, [], None) == []


def test_what_is_known_or_was_left_out_stays(record: Record, items: list[ItemFact]) -> None:
    first, second = items
    known = [first.replaced(arrived=0), second.replaced(included_in_deployment=0)]
    assert arrived(record, known, None) == [0, None]
    assert arrived(record, known, WORDS[0] + WORDS[1]) == [0, None]


def test_an_item_whose_content_is_not_kept_is_not_known(
    record: Record, items: list[ItemFact]
) -> None:
    others = [
        ItemFact(included_in_deployment=1),
        ItemFact(included_in_deployment=1, content="00" * 32),
        items[0],
    ]
    assert arrived(record, others, WORDS[0]) == [None, None, 1]


def test_of_a_text_that_only_says_what_to_read_nothing_is_known(
    record: Record, items: list[ItemFact]
) -> None:
    log_briefing_file(record, "exec-001", "/p/one.md")
    assert arrived(record, items, b"Read /p/one.md") == [None, None]
    assert arrived(record, items, b"Read /p/two.md") == [0, 0]
    assert arrived(record, items, b"Read /p/one.md: " + WORDS[0]) == [1, 0]


def test_white_space_is_left_out() -> None:
    assert squeeze_text(b" a\t b\r\n\nc ") == b"abc"
    assert squeeze_text(b" \n") == b""
