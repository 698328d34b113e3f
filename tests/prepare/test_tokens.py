"""Counting tokens: one interface, caches, bands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import pytest
import tiktoken

from orch_tui.errors import UsageError
from orch_tui.prepare.count import FAMILIES, Count, estimate_name, exact_name
from orch_tui.prepare.tokens import BANDS, count_items, count_tokens
from orch_tui.prepare.vocabulary import load_encoding


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


def test_estimates_are_kept_by_family() -> None:
    cache, items = Cache(), [Item("some text"), Item("def f(): pass", "python"), Item("some text")]
    counts = count_items(items, family="v4.8", cache=cache)
    assert counts == [count_tokens(i.text, family="v4.8", kind=i.kind) for i in items]
    assert {estimator for _, estimator in cache.counts} == {estimate_name("v4.8")}
    assert len(cache.counts) == 2

    cache.counts = dict.fromkeys(cache.counts, 1000)  # what is known is not counted again
    assert {each.tokens for each in count_items(items, family="v4.8", cache=cache)} == {1000}
    assert count_items(items, family="v3", cache=cache)[0].tokens < 1000


def test_an_exact_count_that_is_known_is_taken_unless_an_estimate_is_asked_for() -> None:
    cache, item = Cache(), Item("some text")
    cache.put_counts(exact_name("v4.8"), {item.sha256: 77})
    known = Count(77, "claude-v4.8", 77, 77)
    assert count_items([item], family="v4.8", cache=cache) == [known]
    assert count_items([item], family="v4.8", cache=cache, exact=True) == [known]  # without ctok
    assert count_items([item], family="v4.8", cache=cache, exact=False) != [known]
    assert count_items([item], family="v4.7", cache=cache) != [known]


def test_nothing_is_read_or_loaded_when_every_count_is_known() -> None:
    script = """
import sys
from orch_tui.prepare.tokens import count_items
class Known:
    def get_counts(self, sha256s, estimator): return dict.fromkeys(sha256s, 7)
class Item:
    sha256, kind = "ab", "python"
    @property
    def text(self): raise AssertionError("read")
assert count_items([Item()], family="v3", cache=Known())[0].tokens == 7
assert not {"tiktoken", "ctok", "orch_tui.prepare.pieces"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_estimate_says_that_it_is_one(family: str) -> None:
    estimated = count_tokens("word " * 10_000, family=family, kind="english")
    assert estimated.estimator == f"claude-{family}~1" and not estimated.exact
    assert 0.99 * estimated.tokens < estimated.low < estimated.tokens < estimated.high
    for kind in BANDS:
        rare = count_tokens("word " * 10_000, family=family, kind=kind)
        assert rare.tokens == estimated.tokens and rare.high > estimated.high


def test_no_text_has_no_tokens_and_no_band() -> None:
    for family in FAMILIES:
        assert count_tokens("", family=family, kind="nonlatin") == Count(
            0, estimate_name(family), 0, 0
        )


def test_an_encoding_as_family_is_exact() -> None:
    text = "exactly this"
    expected = len(tiktoken.Encoding.encode_ordinary(load_encoding("cl100k_base"), text))
    exactly = Count(expected, "cl100k_base", expected, expected)
    assert count_tokens(text, family="cl100k_base", kind="english") == exactly
    for exact in (True, False, None):
        assert count_items([Item(text)], family="cl100k_base", exact=exact) == [exactly]


def test_an_unknown_family_is_named() -> None:
    for ask in (
        lambda: count_tokens("x", family="v9", kind="english"),
        lambda: count_items([], family="v9"),
    ):
        with pytest.raises(UsageError, match=r"v9.*not known") as error:
            ask()
        assert "v4.8" in error.value.hint
