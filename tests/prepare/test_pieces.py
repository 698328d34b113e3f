"""Claude's tokens from the shipped pieces: figures of ctok, any text, hostile texts."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orch_tui.assets import asset
from orch_tui.prepare.count import FAMILIES
from orch_tui.prepare.pieces import LONGEST, WAYS, load_pieces
from tests.counts import COUNTS
from tests.generate.token_counts import Repeated, make_close_texts, make_precise_texts

CtokTokens = Callable[[str, str], int]


@pytest.mark.parametrize("family", FAMILIES)
def test_words_and_signs_are_counted_to_the_token(family: str, ctok_tokens: CtokTokens) -> None:
    counted = load_pieces(family).tokens
    wrong = [
        (text, counted(text), expected)
        for text in make_precise_texts()
        if counted(text) != (expected := ctok_tokens(text, family))
    ]
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("repeated", make_close_texts(), ids=lambda repeated: repeated.text[:9])
def test_a_cut_costs_a_token_at_most(
    repeated: Repeated, family: str, ctok_tokens: CtokTokens
) -> None:
    text = repeated.text * repeated.times
    expected, cuts = ctok_tokens(text, family), len(text) // LONGEST
    assert expected <= load_pieces(family).tokens(text) <= expected + 2 * cuts


@settings(max_examples=COUNTS.fuzz_inputs)
@given(st.text(st.characters()))
def test_any_text_can_be_counted(text: str) -> None:
    for family in WAYS:
        tokens = load_pieces(family).tokens(text)
        assert 0 <= tokens <= 8 * len(text) + 1


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_costs_nothing(family: str) -> None:
    assert load_pieces(family).tokens("") == 0


def test_half_a_character_counts_as_the_sign_for_one() -> None:
    for half in ("\ud800", "\udfff"):
        assert load_pieces("v4.8").tokens(f"a {half} b") == load_pieces("v4.8").tokens("a \ufffd b")


@pytest.mark.slow
def test_prices_do_not_grow_for_ever() -> None:
    for met, stay in ((500_000, True), (500_001, False)):
        prices = dict.fromkeys(map(str, range(met)), 1)
        assert replace(load_pieces("v4.8"), prices=prices).tokens("one more") == 2
        assert ("0" in prices) is stay


class CountedPieces(frozenset[str]):
    """Pieces that know how often they were looked at: what counting costs, on any machine."""

    lookups = 0

    def __contains__(self, piece: object) -> bool:
        self.lookups += 1
        return super().__contains__(piece)


def counted_lookups(text: str, family: str) -> int:
    """How often pieces are looked up to count a text."""
    known = CountedPieces(load_pieces(family).known)
    replace(load_pieces(family), known=known, prices={}).tokens(text)
    return known.lookups


MANY = 300_000


@pytest.mark.slow
@pytest.mark.parametrize("run", [*" \na👍\u0301"])
def test_many_of_one_character_cost_what_a_few_do(run: str) -> None:
    text = run * MANY + "x"
    tokens = load_pieces("v4.8").tokens(text)
    shorter = load_pieces("v4.8").tokens(run * (10 * LONGEST) + "x")
    assert tokens == pytest.approx(shorter * MANY / (10 * LONGEST), rel=0.01)
    assert counted_lookups(text, "v4.8") < 3 * counted_lookups(run * LONGEST + "x", "v4.8")


@pytest.mark.slow
@pytest.mark.parametrize("size", [7, 200_000])
def test_letters_without_sense_cost_a_few_lookups_each(size: int) -> None:
    letters = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=200_000))
    text = " ".join(letters[at : at + size] for at in range(0, len(letters), size))
    assert counted_lookups(text, "v3") < 10 * len(text)


SCRIPTS = {"European": "european", "Chinese": "cjk", "Cyrillic": "nonlatin"}


def test_the_documentation_says_what_was_measured() -> None:
    """Its table sums up accuracy.md, which the calibration writes."""

    def rows(text: str, first: str) -> list[list[str]]:
        lines = re.findall(rf"^\| ({first}.*) \|$", text, re.MULTILINE)
        return [[cell.strip() for cell in line.split("|")] for line in lines]

    def figure(cell: str) -> float:
        return float(re.sub(r"[ ,%]", "", cell))

    measured = rows(asset("tokens/accuracy.md").read_text("utf-8"), r"[a-z-]+, v")
    page = (Path(__file__).parents[2] / "docs" / "preparing.md").read_text("utf-8")
    said = rows(page, "(?:code, data|European|Chinese|Cyrillic)")
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
