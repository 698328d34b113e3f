"""Texts are cut into the same tokens when they are indexed and when they are asked for."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.search.tokens import (
    COMMON_TOKEN,
    TOKEN_LETTERS,
    FoldedText,
    filter_token,
    fold_text,
    path_suffix_tokens,
    split_tokens,
    token_value,
    without_filter_tokens,
)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Vector-search, v2.0", "vector search v2 0"),
        ("snake_case lib/Types.ts", "snake case lib types ts"),
        ("Schätzung ÉTÉ Ångström", "schatzung ete angstrom"),
        ("e\u0301te\u0301 été", "ete ete"),
        ("Файл ИЗМЕНЁН ΟΔΟΣ İstanbul", "файл изменен οδοσ istanbul"),
        ("搜索 引擎", "搜索 引擎"),
        ("步2 重跑gen-itgc后50条", "步 2 重跑 gen itgc 后 50 条"),
        ("ก็ข้อผิดพลาด error", "ก็ข้อผิดพลาด error"),
        ("Ｃ＋＋ ﬁle ｶﾞｲﾄﾞ straße Łódź søren ёлка Æ", "c file ガイド strasse lodz soren елка ae"),
        ("и\u0306 й ❤\ufe0f™", "й й"),
        ("\ue961\ue962 10² a\x00b", "10² a b"),
        ("", ""),
    ],
)
def test_texts_are_runs_of_letters_and_digits(text: str, tokens: str) -> None:
    assert split_tokens(text) == tuple(tokens.split())


@given(st.text())
def test_a_text_holds_no_token_of_a_filter(text: str) -> None:
    every = "".join(filter_token(name, "x") for name in TOKEN_LETTERS) + COMMON_TOKEN
    left = without_filter_tokens(text + every)
    assert len(left) == len(text + every)
    assert not set(left) & {filter_token(name, "")[0] for name in TOKEN_LETTERS}
    assert COMMON_TOKEN not in left
    assert without_filter_tokens(left) == left


@pytest.mark.slow
def test_where_a_word_stands_in_a_folded_text_tells_where_it_stands_in_the_text() -> None:
    every = [chr(n) for n in range(sys.maxunicode + 1) if not 0xD800 <= n < 0xE000]
    alike = [letter for letter in every if unicodedata.category(letter) in ("Cn", "Co")]
    for letter in (*{*every}.difference(alike), *alike[::1000]):  # most are nobody's letters
        text = FoldedText(f"-{letter}-y")
        assert len(text.folded) == len(text.plain)
        at = len(text.folded) - 1
        assert (text.folded[at], text.place(at, at + 1)) == ("y", (3, 4)), letter


def test_what_is_shorter_or_longer_when_folded_is_placed_as_a_whole() -> None:
    text = "a\ufb01b \u2764\ufe0fc stra\u00dfe e\u0301x"
    folded = FoldedText(text)
    assert folded.folded == "afib \u2764c strasse ex"
    for word, whole in (
        *(("fi", "\ufb01"), ("i", "\ufb01"), ("b", "b"), ("c", "c"), ("ex", "e\u0301x")),
        *(("strasse", "stra\u00dfe"), ("s", "\u00df"), ("\u2764", "\u2764"), ("e", "e")),
    ):
        start = folded.folded.rindex(word)
        if word in ("s", "i"):
            assert text[slice(*folded.place(start, start + 1))] == whole
        elif word != "e":
            assert text[slice(*folded.place(start, start + len(word)))] == whole


def test_folding_again_changes_nothing_and_leaves_no_accent_on_latin_letters() -> None:
    for number in range(0x20, 0x2000):
        folded = fold_text(f"{chr(number)}é")
        assert fold_text(folded) == folded
        base, *accents = list(unicodedata.normalize("NFD", folded[0]))
        assert not (base.isalnum() and base.isascii() and accents)


@given(st.text())
def test_accents_are_composed_however_they_were_written(text: str) -> None:
    assert split_tokens(unicodedata.normalize("NFD", text)) == split_tokens(text)


@pytest.mark.parametrize("name", sorted(TOKEN_LETTERS))
@pytest.mark.parametrize("value", ["task-implementor", "Ärger 1", "a/b.py", "x" * 200])
def test_the_token_of_a_value_tells_it_again_and_begins_like_its_beginning(
    name: str, value: str
) -> None:
    token = filter_token(name, value)
    assert token_value(token) == value.lower()
    assert token.startswith(filter_token(name, value[:3].upper()))
    assert without_filter_tokens(token) == " " + token[1:]


def test_values_of_different_filters_have_different_tokens() -> None:
    tokens = {filter_token(name, "3") for name in TOKEN_LETTERS} | {COMMON_TOKEN}
    assert len(tokens) == len(TOKEN_LETTERS) + 1


def test_a_long_value_is_known_by_its_first_four_hundred_bytes() -> None:
    assert filter_token("agent", "x" * 401) == (filter_token("agent", "x" * 400))
    assert filter_token("agent", "x" * 399) != filter_token("agent", "x" * 400)


def test_a_path_is_found_from_each_of_its_folders_on() -> None:
    assert [token_value(token) for token in path_suffix_tokens("lib/Vector/types.ts")] == [
        *("lib/vector/types.ts", "vector/types.ts", "types.ts", "lib/vector/types.ts")
    ]
    assert [token_value(token) for token in path_suffix_tokens("/a//b")] == ["a//b", "b", "/a//b"]
    deep = "/".join(str(number) for number in range(20))
    endings = [token_value(token) for token in path_suffix_tokens(deep)]
    assert len(endings) == 13  # twelve folders deep, and the whole path
    assert endings[0].startswith("8/") and endings[-1] == deep
