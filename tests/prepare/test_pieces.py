"""Claude's tokens from the shipped pieces: figures of ctok, any text, hostile texts."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orch_tui.assets import asset
from orch_tui.prepare.pieces import LONGEST, WAYS, pieces
from orch_tui.prepare.tokens import FAMILIES
from tests.counts import COUNTS

# What ctok 1.3.0 counts, less the frame of the message. test_exact.py compares where ctok is.
KNOWN = [
    ("hello, world", 3, 4, 4),
    ("NASA likes tokenizers", 4, 10, 10),
]


@pytest.mark.parametrize(("text", "v3", "v47", "v48"), KNOWN)
def test_known_figures(text: str, v3: int, v47: int, v48: int) -> None:
    assert [pieces(family).tokens(text) for family in FAMILIES] == [v3, v47, v48]


@settings(max_examples=COUNTS.fuzz_inputs)
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


SCRIPTS = {"European": "european", "Chinese": "cjk", "Cyrillic": "nonlatin"}


def test_the_readme_says_what_was_measured() -> None:
    """Its table sums up accuracy.md, which the calibration writes."""

    def rows(text: str, first: str) -> list[list[str]]:
        lines = re.findall(rf"^\| ({first}.*) \|$", text, re.MULTILINE)
        return [[cell.strip() for cell in line.split("|")] for line in lines]

    def figure(cell: str) -> float:
        return float(re.sub(r"[ ,%]", "", cell))

    measured = rows(asset("tokens/accuracy.md").read_text("utf-8"), r"[a-z-]+, v")
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    said = rows(readme, "(?:code, data|European|Chinese|Cyrillic)")
    assert len(said) == 4
    for name, files, equal, median, p95, largest, _ in said:
        kind = SCRIPTS.get(name.split()[0].strip(","))
        of = [
            row
            for row in measured
            if (row[0].split(",")[0] == kind)
            or (kind is None and row[0].split(",")[0] not in SCRIPTS.values())
        ]
        assert of and figure(files) == sum(int(row[1]) for row in of) / 2  # both families
        shares = []
        for family in ("v3", "v4.8"):  # the worse one is said
            rows_of = [row for row in of if row[0].endswith(f", {family}")]
            equals = sum(int(row[1]) * figure(row[2]) for row in rows_of)
            shares.append(equals / sum(int(row[1]) for row in rows_of))
        assert figure(equal) == pytest.approx(min(shares), abs=0.06)
        for cell, column in ((median, 3), (p95, 4), (largest, 5)):
            assert figure(cell) == max(figure(row[column]) for row in of)
