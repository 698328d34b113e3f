"""Two texts line by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.recall import line_changes
from orch_tui.recall.line_changes import LineBlock, align_lines, count_changes

LINES = st.lists(st.sampled_from("abc"), max_size=12)


def test_what_is_the_same_and_what_is_not() -> None:
    assert align_lines("abcde", "abXde") == [
        LineBlock(True, (0, 2), (0, 2)),
        LineBlock(False, (2, 3), (2, 3)),
        LineBlock(True, (3, 5), (3, 5)),
    ]
    assert align_lines("", "") == []
    assert count_changes("a\nb\nc", "a\nc\nd\ne") == (1, 2)


@given(LINES, LINES)
def test_the_blocks_are_both_texts_in_order(left: list[str], right: list[str]) -> None:
    blocks = align_lines(left, right)
    assert [line for b in blocks for line in left[slice(*b.left)]] == left
    assert [line for b in blocks for line in right[slice(*b.right)]] == right
    for block in blocks:
        if block.same:
            assert left[slice(*block.left)] == right[slice(*block.right)]


def test_what_is_too_long_is_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_changes, "LONGEST_ALIGNED", 3)
    assert align_lines("=abcd=", "=bcda=") == [
        LineBlock(True, (0, 1), (0, 1)),
        LineBlock(False, (1, 5), (1, 5)),
        LineBlock(True, (5, 6), (5, 6)),
    ]
