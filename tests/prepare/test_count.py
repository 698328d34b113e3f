"""A number of tokens: how it adds up, and what it reads like."""

from __future__ import annotations

import pytest

from orch_tui.prepare.count import (
    FAMILIES,
    FRAMES,
    ZERO,
    Count,
    add_frame,
    estimate_name,
    exact_name,
    frame_tokens,
)


def test_counts_add_up_with_their_bands() -> None:
    a, b = Count(100, "e", 90, 120), Count(10, "e", 10, 10)
    assert a + b == Count(110, "e", 100, 130)
    assert sum([a, b], ZERO) == a + b
    assert (a + Count(1, "f", 1, 1)).estimator == "mixed"
    assert sum([], ZERO) == ZERO


def test_exact_and_estimated_together_are_an_estimate() -> None:
    exact, estimated = Count(10, "claude-v3", 10, 10), Count(10, "claude-v3~1", 9, 11)
    assert exact + estimated == estimated + exact == Count(20, "claude-v3~1", 19, 21)
    assert (exact + Count(1, "claude-v4.8~1", 1, 1)).estimator == "mixed"


@pytest.mark.parametrize(
    ("estimator", "frame"),
    [("claude-v3", 7), ("claude-v4.7~1", 11), ("claude-v4.8~1", 6), ("o200k_base", 0), ("", 0)],
)
def test_the_frame_of_a_message_is_added_once(estimator: str, frame: int) -> None:
    total = Count(100, estimator, 99, 101)
    assert add_frame(total) == Count(100 + frame, estimator, 99 + frame, 101 + frame)


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Count(84_137, "o200k_base", 84_137, 84_137), "84,137"),
        (Count(84_137, "x", 80_800, 87_500), "~84,100 ±4 %"),
        (Count(84_137, "x", 84_053, 84_221), "~84,140 ±0.1 %"),
        (Count(84_137, "x", 84_130, 84_144), "~84,140 ±0.1 %"),
        (Count(84_137, "x", 83_338, 84_936), "~84,140 ±0.9 %"),
        (Count(84_137, "x", 83_280, 84_994), "~84,100 ±1 %"),
        (Count(84, "x", 80, 100), "~84 ±19 %"),
        (Count(84, "x", 83, 85), "~84 ±1"),
        (Count(1_234_567, "x", 1_232_000, 1_235_000), "~1,235,000 ±0.2 %"),
        (ZERO, "0"),
    ],
)
def test_a_count_reads_as_what_it_is(figure: Count, text: str) -> None:
    assert str(figure) == text


def test_an_estimator_is_named_by_its_family_an_encoding_by_itself() -> None:
    assert exact_name("v4.8") == "claude-v4.8"
    assert estimate_name("v4.8") == "claude-v4.8~1"
    assert exact_name("o200k_base") == estimate_name("o200k_base") == "o200k_base"
    for family in FAMILIES:
        for name in (exact_name(family), estimate_name(family)):
            assert frame_tokens(Count(5, name, 5, 5)) == FRAMES[family]


def test_a_count_is_exact_when_its_band_is_a_point() -> None:
    assert Count(5, "e", 5, 5).exact and ZERO.exact
    assert not Count(5, "e", 4, 5).exact
    assert not Count(5, "e", 5, 6).exact
