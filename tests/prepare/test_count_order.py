"""The order of counting, and the sums by folder."""

from __future__ import annotations

from pathlib import Path

from orch_tui.prepare.composition import Choice
from orch_tui.prepare.count_order import FIRST_AT_ONCE, LARGE, REST_FILES, Counting
from orch_tui.prepare.tree import Node, Tally, walk_project


def _files(count: int, size: int = 10) -> list[Node]:
    return [Node(f"f{n}", False, size) for n in range(count)]


def _keys(batch: list[Choice]) -> list[str]:
    return [choice.key for choice in batch]


def test_what_is_looked_at_comes_first_whenever_it_is_looked_at() -> None:
    counting = Counting([Choice("f7")], _files(REST_FILES + 5))
    batches = counting.batches()
    assert _keys(next(batches)) == ["f7"]
    assert len(next(batches)) == REST_FILES
    counting.first = [Choice("spec.md", ("A",)), Choice("f0")]
    assert _keys(next(batches)) == [Choice("spec.md", ("A",)).key]  # f0 was counted
    assert _keys(next(batches)) == [f"f{n}" for n in range(REST_FILES + 1, REST_FILES + 5)]
    assert list(batches) == []


def test_each_is_counted_once_and_what_is_known_is_not() -> None:
    first = [Choice(f"f{n}") for n in range(40)]
    batches = list(Counting(first, _files(60), {"f50"}).batches())
    assert [len(batch) for batch in batches[:3]] == [FIRST_AT_ONCE, FIRST_AT_ONCE, 8]
    keys = [key for batch in batches for key in _keys(batch)]
    assert sorted(keys) == sorted({f"f{n}" for n in range(60)} - {"f50"})


def test_batches_nobody_waits_for_are_bounded_and_leave_large_files_out() -> None:
    files = [*_files(10, 400_000), Node("huge", False, LARGE + 1)]
    batches = list(Counting([], files).batches())
    assert [len(batch) for batch in batches] == [3, 3, 3, 1]
    assert _keys(list(Counting([Choice("huge")], files).batches())[0]) == ["huge"]


def test_a_folder_is_the_sum_of_its_files(tmp_path: Path) -> None:
    for path in ("a/b/one", "a/b/two", "a/three", "four"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    tally = Tally(walk_project(tmp_path))
    tally.add("a/b/one", 10)
    tally.add("four", 1)
    assert (tally.of("a"), tally.of("a/b")) == ((10, False), (10, False))
    tally.add("a/b/two", 5)
    tally.add("a/b/two", 7)  # again, after it changed
    assert (tally.of("a"), tally.of("a/b")) == ((17, False), (17, True))
    tally.add("a/three", 3)
    assert tally.of("a") == (20, True)
    assert tally.emptied().of("a") == (0, False) and tally.of("a") == (20, True)
