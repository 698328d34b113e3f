"""Runs beneath the ones that launched them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orch_tui.recall.run_tree import arrange_tree


def tree(*runs: tuple[str, str | None]) -> list[tuple[str, int]]:
    found = arrange_tree(runs, label=lambda run: run[0], parent=lambda run: run[1])
    return [(run[0], depth) for run, depth in found]


def test_children_stand_beneath_their_parent_in_their_order() -> None:
    runs = (("d", "b"), ("b", "a"), ("c", None), ("a", None), ("e", "a"))
    assert tree(*runs) == [("c", 0), ("a", 0), ("b", 1), ("d", 2), ("e", 1)]


def test_who_is_launched_by_none_of_them_stands_for_itself() -> None:
    assert tree(("b", "elsewhere"), ("c", "b")) == [("b", 0), ("c", 1)]


def test_circles_end() -> None:
    assert tree(("a", "a")) == [("a", 0)]
    assert tree(("a", "b"), ("b", "a")) == [("a", 0), ("b", 1)]


@given(st.dictionaries(st.integers(0, 9), st.none() | st.integers(0, 12)))
def test_each_run_stands_there_once(parents: dict[int, int | None]) -> None:
    runs = [(str(run), None if of is None else str(of)) for run, of in parents.items()]
    assert sorted(label for label, _ in tree(*runs)) == sorted(label for label, _ in runs)
