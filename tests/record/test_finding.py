"""The doctor words what it found: how many, and the first of them."""

from __future__ import annotations

import pytest

from orch_tui.record.upkeep.finding import count_and_name


@pytest.mark.parametrize(
    ("names", "kinds", "said"),
    [
        (["a"], "", "1 part (a)"),
        (["a", "b", "c"], "", "3 parts (a, b, c)"),
        (["a", "b", "c", "d"], "", "4 parts (a, b, c, ...)"),
        (["a"], "parts and pieces", "1 part (a)"),
        (["a", "b"], "parts and pieces", "2 parts and pieces (a, b)"),
    ],
)
def test_the_first_three_are_named(names: list[str], kinds: str, said: str) -> None:
    assert count_and_name(names, "part", kinds) == said
