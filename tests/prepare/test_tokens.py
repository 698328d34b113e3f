"""Counting tokens: the shipped vocabulary, hostile texts, caches, estimates."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import pytest
import tiktoken
import tiktoken_ext.openai_public as published  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from orch_tui.assets import asset
from orch_tui.errors import UsageError
from orch_tui.prepare import tokens
from orch_tui.prepare.tokens import (
    FAMILIES,
    PIECE,
    ZERO,
    Count,
    count,
    count_many,
    estimate,
    kind_of,
    raw_counts,
)
from orch_tui.prepare.vocabulary import VOCABULARIES, encoding, ranks


@pytest.mark.parametrize("name", VOCABULARIES)
def test_the_shipped_table_expands_to_the_published_file(name: str) -> None:
    lines = (b"%s %d\n" % (b64encode(token), rank) for token, rank in ranks(name).items())
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
    expected = len(encoding("o200k_base").encode(text, disallowed_special=()))
    assert raw_counts([text]) == [expected]


@pytest.mark.parametrize(
    ("run", "name"),
    [(run, "o200k_base") for run in (" ", "\t", "\u3000", " \n", "a", "=", "\0")]
    + [(" ", "cl100k_base")],
)
def test_a_million_of_one_character_counts_like_its_pieces_times_their_number(
    run: str, name: str
) -> None:
    piece = run * (PIECE // len(run))
    once, sixteen, ends_in_a_word = raw_counts([piece, piece * 16, piece * 16 + "x"], name)
    assert sixteen == 16 * once
    assert ends_in_a_word in (sixteen + 1, sixteen + 2)


def test_lines_count_the_same_in_pieces_as_in_one() -> None:
    source = "".join(
        f"def f{i}(x):\n    if x:\n\n        return {i}; // {i}\n# é\n//!\n" for i in range(6000)
    )
    assert len(source) > 4 * PIECE
    for name in VOCABULARIES:
        assert raw_counts([source], name) == [len(encoding(name).encode_ordinary(source))]


@settings(max_examples=50)
@given(st.lists(st.text(st.sampled_from("a \n\t/;é0\r"), max_size=40), max_size=30))
def test_pieces_join_to_the_text_and_their_cuts_cost_next_to_nothing(parts: list[str]) -> None:
    text = "".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "PIECE", 32)
        pieces = list(tokens._pieces(text))
        assert "".join(pieces) == text
        assert all(len(piece) <= 32 for piece in pieces)
        whole = len(encoding("o200k_base").encode_ordinary(text))
        assert abs(raw_counts([text])[0] - whole) <= len(pieces) - 1


class PanicException(BaseException):  # noqa: N818 - the name that tiktoken's has
    pass


def test_a_panic_is_survived_by_halving_and_an_interrupt_is_not() -> None:
    def panics(text: str) -> list[int]:
        if len(text) > 10:
            raise PanicException
        return [0] * len(text)

    def interrupted(text: str) -> list[int]:
        raise KeyboardInterrupt

    assert tokens._tokens(panics, "x" * 100) == 100
    with pytest.raises(KeyboardInterrupt):
        tokens._tokens(interrupted, "x" * 100)


def test_threads_give_each_text_its_own_count() -> None:
    texts = [f"{word} " * 30_000 for word in ("one", "two three", "four five six", "")]
    assert sum(map(len, texts)) > 500_000
    assert raw_counts(texts) == [raw_counts([text])[0] for text in texts]


@dataclass
class Item:
    text: str
    kind: str = "english"

    @property
    def sha256(self) -> str:
        return sha256(self.text.encode()).hexdigest()


class Cache:
    """A record's token_counts, as a dict."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}

    def get_counts(self, sha256s: Sequence[str], estimator: str) -> dict[str, int]:
        return {s: self.counts[s, estimator] for s in sha256s if (s, estimator) in self.counts}

    def put_counts(self, estimator: str, counts: Mapping[str, int]) -> None:
        self.counts |= {(s, estimator): tokens for s, tokens in counts.items()}


def test_counts_are_kept_raw_and_serve_every_family() -> None:
    cache, items = Cache(), [Item("some text"), Item("def f(): pass", "python"), Item("some text")]
    counts = count_many(items, family="v4.8", cache=cache)
    assert counts == [count(i.text, family="v4.8", kind=i.kind) for i in items]
    assert {estimator for _, estimator in cache.counts} == {"o200k_base"}
    assert len(cache.counts) == 2

    cache.counts = dict.fromkeys(cache.counts, 1000)  # what is known is not counted again
    v3, *_ = count_many(items, family="v3", cache=cache)
    assert v3 == estimate(1000, kind="english", family="v3")


def test_tiktoken_is_not_loaded_when_every_count_is_known() -> None:
    script = """
import sys
from types import SimpleNamespace
from orch_tui.prepare.tokens import count_many
class Known:
    def get_counts(self, sha256s, estimator): return dict.fromkeys(sha256s, 7)
class Item:
    sha256, kind = "ab", "python"
    @property
    def text(self): raise AssertionError("read")
assert count_many([Item()], family="v3", cache=Known())[0].tokens > 7
assert "tiktoken" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_family_has_its_ratios_and_every_band_holds_its_ratio() -> None:
    data = tomllib.loads(asset("tokens/ratios.toml").read_text("utf-8"))
    assert tuple(data["tables"]) == FAMILIES
    kinds = {kind for name in data["tables"].values() for kind in data[name]["kinds"]}
    assert kinds >= {*tokens._KIND_OF_SUFFIX.values(), "english", "other", "cjk", "json-compact"}
    for name in data["tables"].values():
        assert set(data[name]["kinds"]) == kinds
        for low, ratio, high in data[name]["kinds"].values():
            assert 0.9 < low <= ratio <= high < 2.5


def test_an_estimate_is_scaled_and_says_so() -> None:
    old = estimate(100_000, kind="python", family="v3")
    new = estimate(100_000, kind="python", family="v4.8")
    assert 115_000 < old.tokens < 135_000 < 145_000 < new.tokens < 175_000
    assert new.estimator == "claude-v4.8~o200k" and not new.exact
    assert new.low < new.tokens < new.high
    assert estimate(100_000, kind="cobol", family="v3") == estimate(
        100_000, kind="other", family="v3"
    )


def test_the_band_of_a_short_text_is_wider_and_of_none_is_none() -> None:
    def width(raw: int) -> float:
        short = estimate(raw, kind="markdown", family="v4.8")
        return (short.high - short.low) / short.tokens

    assert width(10) > width(100) > width(10_000)
    assert estimate(0, kind="markdown", family="v4.8") == Count(0, "claude-v4.8~o200k", 0, 0)


def test_an_encoding_as_family_is_exact() -> None:
    text = "exactly this"
    expected = len(tiktoken.Encoding.encode_ordinary(encoding("cl100k_base"), text))
    assert count(text, family="cl100k_base", kind="english") == Count(
        expected, "cl100k_base", expected, expected
    )


def test_an_unknown_family_is_named() -> None:
    with pytest.raises(UsageError, match=r"v9.*not known") as error:
        count("x", family="v9", kind="english")
    assert "v4.8" in error.value.hint


def test_counts_add_up_with_their_bands() -> None:
    a, b = Count(100, "e", 90, 120), Count(10, "e", 10, 10)
    assert a + b == Count(110, "e", 100, 130)
    assert sum([a, b], ZERO) == a + b
    assert (a + Count(1, "f", 1, 1)).estimator == "mixed"
    assert sum([], ZERO) == ZERO


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Count(84_137, "o200k_base", 84_137, 84_137), "84,137"),
        (Count(84_137, "x", 80_800, 87_500), "~84,100 ±4 %"),
        (Count(84, "x", 80, 100), "~84 ±19 %"),
        (Count(1_234_567, "x", 1_234_000, 1_235_000), "~1,230,000 ±1 %"),
        (ZERO, "0"),
    ],
)
def test_a_count_reads_as_what_it_is(figure: Count, text: str) -> None:
    assert str(figure) == text


@pytest.mark.parametrize(
    ("source", "text", "kind"),
    [
        ("lib/a.py", "x = 1", "python"),
        ("lib/a.py:10-80", "x = 1", "python"),
        ("lib/a.py#Parser.parse", "x = 1", "python"),
        ("C.TSX", "let a", "typescript"),
        ("a.json", '{\n  "a": 1\n}', "json"),
        ("a.json", '{"a":1}', "json-compact"),
        ("conf.yml", "a: 1", "yaml"),
        ("no_suffix", "#!/usr/bin/env bash\nls", "shell"),
        ("no_suffix", "#!/usr/bin/python3\nx", "python"),
        ("-", "# Title\n\nText", "markdown"),
        ("-", '[{"a": 1}]', "json-compact"),
        ("text:read lib/a.py and say why", "read the parser and say why it fails.", "english"),
        ("notes.txt", "The parser fails when it is given nothing at all.", "english"),
        ("a.bin", "0x00 0x01 0x02 0x03 {} [] == != ", "other"),
        ("README.md", "これは日本語の文章です。" * 20, "cjk"),
        ("-", "Это обычный русский текст. " * 20, "nonlatin"),
        ("-", "Größere Änderungen müssen geprüft werden. " * 20, "european"),
        ("", "", "other"),
    ],
)
def test_the_kind_of_content_is_told_from_name_then_looks(
    source: str, text: str, kind: str
) -> None:
    assert kind_of(source, text) == kind


@given(st.text(), st.text())
def test_any_content_has_a_kind_with_a_ratio(source: str, text: str) -> None:
    assert estimate(10, kind=kind_of(source, text), family="v3").tokens > 0
