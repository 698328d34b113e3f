"""Which of the runs that were found come first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.models.values import timestamp
from orch_tui.search.query import search
from tests.search.rows import START, put, put_briefing


def ids(record: Record, query: str, **options: Any) -> list[str]:
    """What is found, by number."""
    return [hit.execution_id.removeprefix("exec-") for hit in search(record, query, **options).hits]


def test_a_word_in_the_scope_counts_most_then_how_often_it_was_said(record: Record) -> None:
    put(
        record,
        {"scope": "vector search"},
        {"scope": "other", "final_message": "vector and vector and vector"},
        {"scope": "other", "final_message": "a vector"},
        {"scope": "other", "error_message": "vector"},
        {"scope": "vectors"},
    )
    assert ids(record, "vector ") == ["000", "001", "002", "003"]


def test_of_equal_matches_the_recent_one_comes_first(record: Record) -> None:
    put(record, *({"scope": "vector"} for _ in range(3)))
    assert ids(record, "vector") == ["002", "001", "000"]


def test_an_old_match_in_the_scope_beats_a_new_mention(record: Record) -> None:
    put(
        record,
        {"scope": "vector", "deployed_at": timestamp(START - timedelta(days=300))},
        {"scope": "other", "final_message": "about the vector"},
    )
    assert ids(record, "vector") == ["000", "001"]


@pytest.mark.parametrize(
    ("days", "mentions", "found"),
    [
        # a match in the scope counts 7, and a new one up to half more than an old one
        (3000, (0, 10), ["000", "001"]),
        (3000, (0, 40), ["001", "000"]),
        # after 30 days half of what recency gives is gone: 1.25 where a new one has 1.5
        (30, (17, 4), ["001", "000"]),
        (30, (18, 4), ["000", "001"]),
    ],
)
def test_how_often_how_recent_and_where_weigh_against_each_other(
    record: Record, days: int, mentions: tuple[int, int], found: list[str]
) -> None:
    old, new = mentions
    put(
        record,
        {
            "scope": "other" if old else "vector",
            "final_message": "vector " * old,
            "deployed_at": timestamp(START - timedelta(days=days)),
        },
        {"scope": "other", "final_message": "vector " * new, "deployed_at": timestamp(START)},
    )
    assert ids(record, "vector ") == found


def test_words_are_weighed_together(record: Record) -> None:
    put(record, {"scope": "vector index"}, {"scope": "vector", "final_message": "index"})
    assert ids(record, "vector index ") == ["000", "001"]


@pytest.mark.parametrize(("start", "found"), [(998, ["001", "000"]), (999, ["000", "001"])])
def test_a_message_is_ranked_by_its_first_thousand_characters(
    record: Record, start: int, found: list[str]
) -> None:
    put(
        record,
        {"final_message": "ab"},
        {"final_message": "." * start + "ab"},
    )
    assert ids(record, "ab ") == found


def test_a_whole_word_ranks_above_a_part_and_that_above_a_briefing(record: Record) -> None:
    boilerplate = put_briefing(record, ["text", "Mind the search. " * 20])
    filler = "nothing of it. " * 200
    put(
        record,
        {"final_message": filler + "the search"},
        {"scope": "vectorSearch"},
        {"final_message": filler + "vectorSearch"},
        {"briefing_id": boilerplate},
        {"briefing_id": boilerplate},
    )
    assert [hit.execution_id[-1] for hit in search(record, "search ").hits] == [*"02143"]
    ordered = search(record, "search ", order="newest").hits
    assert [hit.execution_id[-1] for hit in ordered] == [*"43210"]


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_pages_of_what_is_ranked_are_the_whole_in_order(record: Record, limit: int) -> None:
    filler = "nothing of it. " * 100
    kinds = ("{}vector", "vector {}", "vector vector {}", "{}aVector", "{}VECTOR", "vectors {}")
    put(record, *({"final_message": kinds[n % 6].format(filler)} for n in range(24)))
    whole = ids(record, "vector ", limit=100)
    assert [int(number) % 6 for number in whole] == [2] * 4 + [1] * 4 + [4, 0] * 4 + [3] * 4
    pages: list[str] = []
    before = None
    while True:
        page = search(record, "vector ", limit=limit, before=before)
        pages += [hit.execution_id.removeprefix("exec-") for hit in page.hits]
        before = page.next_before
        if before is None:
            break
    assert pages == whole
