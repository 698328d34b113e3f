"""Normal forms: those of Unicode, but for letters with more marks than any language sets on one."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui import files, normal_forms
from orch_tui.normal_forms import MOST_MARKS, normalize_letters
from orch_tui.prepare.count import FAMILIES
from orch_tui.prepare.pieces import load_pieces
from orch_tui.search.tokens import FoldedText

MARKS = "\u0345\u0315\u0301\u0316\u0321"  # each goes before the one that it is written behind


@given(st.text(st.sampled_from(f"ae\u1100\u1161\u11a8\u304b\u3099{MARKS}\ufb01 \u0b47\u0b3e-\n")))
def test_an_ordinary_text_has_its_normal_form(text: str) -> None:
    for form in ("NFC", "NFKC"):
        assert normalize_letters(form, text) == unicodedata.normalize(form, text)
    many = "─" * 100 + text  # signs are no marks
    assert normalize_letters("NFC", many) == unicodedata.normalize("NFC", many)


def test_every_mark_is_told_from_letters() -> None:
    for mark in filter(unicodedata.combining, map(chr, range(sys.maxunicode + 1))):
        text = f"-{mark * MOST_MARKS}\u0334"  # which goes before nearly all others
        assert normalize_letters("NFC", text).endswith("\u0334"), mark


@pytest.mark.parametrize(
    "read",
    [FoldedText, lambda text: load_pieces(FAMILIES[0]).tokens(text), files.compose_letters],
    ids=["found", "counted", "a name"],
)
def test_time_is_by_the_length_of_a_text_not_by_the_marks_on_one_letter(
    read: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    read("e\u0301")
    sizes: list[int] = []

    def normalize(form: str, text: str) -> str:
        sizes.append(len(text))
        return unicodedata.normalize(form, text)  # type: ignore[arg-type]

    monkeypatch.setattr(normal_forms, "normalize", normalize)
    read(f"ab{MARKS * 400}c d")
    assert sum(sizes) <= 2005 and max(sizes) <= MOST_MARKS + 2


def test_many_marks_on_a_letter_are_folded_with_it_and_stand_where_it_does() -> None:
    text = f"x a{MARKS * 400}b"
    folded = FoldedText(text)
    assert folded.folded == "x ab"
    assert folded.place(2, 3) == (2, len(text) - 1)
    assert folded.place(3, 4) == (len(text) - 1, len(text))
