"""tiktoken's encodings: the shipped vocabularies, hostile texts."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest
import tiktoken_ext.openai_public as published  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.prepare import vocabulary
from orch_tui.prepare.vocabulary import (
    PIECE,
    VOCABULARIES,
    count_encoded,
    load_encoding,
    load_ranks,
)


@pytest.mark.parametrize("name", VOCABULARIES)
def test_the_shipped_table_expands_to_the_published_file(name: str) -> None:
    lines = (b"%s %d\n" % (b64encode(token), rank) for token, rank in load_ranks(name).items())
    assert sha256(b"".join(lines)).hexdigest() == VOCABULARIES[name].sha256


@pytest.mark.parametrize("name", VOCABULARIES)
def test_an_encoding_is_what_tiktoken_makes_of_the_same_file(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = []

    def loaded(_url: str, expected_hash: str) -> dict[bytes, int]:
        hashes.append(expected_hash)
        return {}

    monkeypatch.setattr(published, "load_tiktoken_bpe", loaded)
    theirs = published.ENCODING_CONSTRUCTORS[name]()
    ours = VOCABULARIES[name]
    assert hashes == [ours.sha256]
    assert (theirs["name"], theirs["special_tokens"]) == (name, ours.special_tokens)
    assert theirs["pat_str"] == ours.pattern


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello world",
        "<|endoftext|> is only text here",
        "nul \0 byte",
        "\ud800 alone",
        "日本 🎉",
    ],
)
def test_any_text_counts_as_its_plain_tokens(text: str) -> None:
    expected = len(load_encoding("o200k_base").encode(text, disallowed_special=()))
    assert count_encoded([text], "o200k_base") == [expected]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "name"),
    [(run, "o200k_base") for run in (" ", "\t", "\u3000", " \n", "a", "=", "\0")]
    + [(" ", "cl100k_base")],
)
def test_many_of_one_character_count_like_their_pieces_times_their_number(
    run: str, name: str
) -> None:
    piece = run * (PIECE // len(run))
    once, four_times, ends_in_a_word = count_encoded([piece, piece * 4, piece * 4 + "x"], name)
    assert four_times == 4 * once
    assert ends_in_a_word in (four_times + 1, four_times + 2)


@pytest.mark.slow
def test_lines_count_the_same_in_pieces_as_in_one() -> None:
    source = "".join(
        f"def f{i}(x):\n    if x:\n\n        return {i}; // {i}\n# é\n//!\n" for i in range(6000)
    )
    assert len(source) > 4 * PIECE
    for name in VOCABULARIES:
        assert count_encoded([source], name) == [len(load_encoding(name).encode_ordinary(source))]


@given(st.lists(st.text(st.sampled_from("a \n\t/;é0\r"), max_size=40), max_size=30))
def test_pieces_join_to_the_text_and_their_cuts_cost_next_to_nothing(parts: list[str]) -> None:
    text = "".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "PIECE", 32)
        pieces = list(vocabulary._pieces(text))
        assert "".join(pieces) == text
        assert all(len(piece) <= 32 for piece in pieces)
        whole = len(load_encoding("o200k_base").encode_ordinary(text))
        assert abs(count_encoded([text], "o200k_base")[0] - whole) <= 2 * (len(pieces) - 1)


class PanicException(BaseException):  # noqa: N818 - the name that tiktoken's has
    pass


def test_a_panic_is_survived_by_halving_and_an_interrupt_is_not() -> None:
    def panics(text: str) -> list[int]:
        if len(text) > 10:
            raise PanicException
        return [0] * len(text)

    def interrupted(text: str) -> list[int]:
        raise KeyboardInterrupt

    assert vocabulary._tokens(panics, "x" * 100) == 100
    with pytest.raises(KeyboardInterrupt):
        vocabulary._tokens(interrupted, "x" * 100)


def test_threads_give_each_text_its_own_count() -> None:
    texts = [f"{word} " * 30_000 for word in ("one", "two three", "four five six", "")]
    assert sum(map(len, texts)) > 500_000
    each = [count_encoded([text], "o200k_base") for text in texts]
    assert [count_encoded(texts, "o200k_base")] == [[count for [count] in each]]
