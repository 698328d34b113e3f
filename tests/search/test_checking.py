"""What is looked for in the texts themselves, and how far back."""

from __future__ import annotations

from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.search import checking
from orch_tui.search.query import search
from tests.search.rows import put


def ids(record: Record, query: str, **options: Any) -> list[str]:
    """What is found, by number."""
    return [hit.execution_id.removeprefix("exec-") for hit in search(record, query, **options).hits]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("part:alru", ["001", "000"]),
        ("part:ALRU", ["001", "000"]),
        ('part:"rus w"', ["000"]),
        ("part:torSea", ["002"]),
        ("part:100%", ["003"]),
        ("part:0_%", []),
        (r"part:a\b", ["003"]),
        ("part:größe", ["004"]),
        ("part:GRÖSS", []),
        ("part:登录页", ["005"]),
        ("part:alru,torsea", ["002", "001", "000"]),
        ("-part:alru", ["006", "005", "004", "003", "002"]),
        ("-part:größe", ["006", "005", "003", "002", "001", "000"]),
        ("part:alru was", ["000"]),
        ("part:alru -was", ["001"]),
        ("part:alru part:tic", ["001"]),
        ("part:ran", ["006"]),
        ("part:alru since:2026-11-01T10:30", ["001"]),
    ],
)
def test_any_part_of_a_text_is_found(record: Record, query: str, expected: list[str]) -> None:
    put(
        record,
        {"final_message": "The walrus was slow"},
        {"scope": "Walruses, arctic"},
        {"final_message": "vectorSearch"},
        {"final_message": r"100% of a\b"},
        {"final_message": "die GRÖßE"},
        {"scope": "修复登录页面"},
        {"error_message": "it ran out of turns", "scope": "grease"},
    )
    page = search(record, query)
    assert [hit.execution_id.removeprefix("exec-") for hit in page.hits] == expected
    assert (page.total, page.more, page.looked_back_to) == (len(expected), False, None)


def test_two_letters_are_no_part_yet(record: Record) -> None:
    put(record, {"scope": "walrus"}, {})
    assert ids(record, "part:al") == ["001", "000"]


@pytest.mark.parametrize("query", ["part:needle", "needle+", "part:need needle"])
def test_a_search_that_stops_says_how_far_back_it_looked_and_goes_on_from_there(
    record: Record, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "SURELY_LOOKED", 10)
    monkeypatch.setattr(checking, "_FIRST_WINDOW", 4)
    monkeypatch.setattr(checking, "_BATCH", 3)
    put(record, *({"final_message": "a needle+" if n % 5 == 0 else "hay"} for n in range(60)))
    found: list[str] = []
    before, times = None, []
    for _ in range(60):
        page = search(record, query, before=before, patience=0)
        found += [hit.execution_id.removeprefix("exec-") for hit in page.hits]
        before = page.next_before
        if page.looked_back_to is None:
            break
        assert page.count_text == f"{len(page.hits)} so far"
        times.append(page.looked_back_to)
    assert before is None
    assert times == sorted(times, reverse=True) and len(times) > 1
    assert found == [f"{n:03d}" for n in range(59, -1, -1) if n % 5 == 0]
    assert ids(record, query, patience=60) == found


def test_many_are_found_in_pages(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orch_tui.search.query.MAX_COUNTED", 10)
    put(record, *({"final_message": "a needle+"} for _ in range(25)))
    for query in ("part:needle", "needle+"):
        found: list[str] = []
        before = None
        while True:
            page = search(record, query, before=before, limit=4)
            assert page.looked_back_to is None
            found += [hit.execution_id.removeprefix("exec-") for hit in page.hits]
            before = page.next_before
            if before is None:
                break
        assert found == [f"{n:03d}" for n in range(24, -1, -1)], query


def test_the_least_number_of_runs_is_looked_through_however_long_it_takes(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_FIRST_WINDOW", 4)
    put(record, *({"final_message": "needle" if n == 0 else "hay"} for n in range(30)))
    assert ids(record, "part:needle", patience=0) == ["000"]
