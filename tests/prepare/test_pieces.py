"""Claude's tokens from the shipped pieces: figures of ctok, any text, hostile texts."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.prepare.pieces import LONGEST, WAYS, pieces
from orch_tui.prepare.tokens import FAMILIES

# What ctok 1.3.0 counts, less the frame of the message. test_exact.py compares where ctok is.
KNOWN = [
    ("hello, world", 3, 4, 4),
    ("NASA likes tokenizers", 4, 10, 10),
]


@pytest.mark.parametrize(("text", "v3", "v47", "v48"), KNOWN)
def test_known_figures(text: str, v3: int, v47: int, v48: int) -> None:
    assert [pieces(family).tokens(text) for family in FAMILIES] == [v3, v47, v48]


@given(st.text(st.characters()))
def test_any_text_can_be_counted(text: str) -> None:
    for family in WAYS:
        tokens = pieces(family).tokens(text)
        assert 0 <= tokens <= 8 * len(text) + 1


@pytest.mark.parametrize("run", [*" \na👍\u0301"])
def test_a_million_of_one_character_take_less_than_a_second(run: str) -> None:
    text = run * 1_000_000 + "x"
    started = time.thread_time()
    tokens = pieces("v4.8").tokens(text)
    assert time.thread_time() - started < 1
    shorter = pieces("v4.8").tokens(run * (10 * LONGEST) + "x")
    assert tokens == pytest.approx(shorter * 1_000_000 / (10 * LONGEST), rel=0.01)


def test_letters_without_sense_take_less_than_two_seconds_a_megabyte() -> None:
    letters = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=200_000))
    for size in (7, len(letters)):
        text = " ".join(letters[at : at + size] for at in range(0, len(letters), size))
        started = time.thread_time()
        pieces("v3").tokens(text)
        assert time.thread_time() - started < 0.4
