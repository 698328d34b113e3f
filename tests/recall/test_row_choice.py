"""Of many rows the best and the worst are chosen, and the rest is counted."""

from __future__ import annotations

from typing import Any

from orch_tui.recall.insights.row_choice import choose_rows


def bundle(name: str, low: float | None, high: float | None) -> dict[str, Any]:
    return {"bundle_id": name, "share_low": low, "share_high": high}


BUNDLES = [
    bundle("once", 0.2, 1.0),
    bundle("never", 0.0, 0.2),
    bundle("waits", None, None),
    bundle("often", 0.8, 0.95),
    bundle("seldom", 0.05, 0.4),
    bundle("mostly", 0.6, 0.9),
]


def names(part: str, rows: list[dict[str, Any]], limit: int) -> tuple[list[Any], int]:
    chosen, rest = choose_rows(part, rows, limit)
    return [row["bundle_id"] for row in chosen], rest


def test_best_first_and_worst_last() -> None:
    assert names("by_bundle", BUNDLES, 4) == (["often", "mostly", "seldom", "never"], 2)
    assert names("by_bundle", BUNDLES, 3) == (["often", "mostly", "never"], 3)


def test_none_twice_and_those_of_which_nothing_is_known_last() -> None:
    known = [BUNDLES[0], BUNDLES[2], bundle("asked", None, None), bundle("later", None, None)]
    assert names("by_bundle", known, 3) == (["once", "waits", "asked"], 1)


def test_few_are_left_as_they_are() -> None:
    assert choose_rows("by_bundle", BUNDLES, 6) == (BUNDLES, 0)


def test_over_time_the_newest_and_else_the_first() -> None:
    assert names("over_time", BUNDLES, 2) == (["seldom", "mostly"], 4)
    assert names("costs", BUNDLES, 2) == (["once", "never"], 4)


def test_of_sharing_each_kind_of_group() -> None:
    rows = [{"of": of, "name": n} for of in ("all", "session", "day") for n in range(3)]
    chosen, rest = choose_rows("sharing", rows[:1] + rows[3:], 1)
    assert ([(row["of"], row["name"]) for row in chosen], rest) == (
        [("all", 0), ("session", 2), ("day", 2)],
        4,
    )
