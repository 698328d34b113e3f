"""The same texts by every estimator there is."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import pytest

from orch_tui.prepare import estimator_comparison
from orch_tui.prepare.count import FAMILIES, Count
from orch_tui.prepare.estimator_comparison import compare_estimators, scale_count
from orch_tui.prepare.tokens import count_tokens
from orch_tui.prepare.vocabulary import VOCABULARIES, load_encoding


@dataclass
class Text:
    text: str
    kind: str = "python"

    @property
    def sha256(self) -> str:
        return sha256(self.text.encode()).hexdigest()


ITEMS = [Text("def f(a):\n    return a + 1\n" * 40), Text("Some words of prose.\n", "english")]


@pytest.fixture(autouse=True)
def without_ctok(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimator_comparison, "is_available", lambda: False)


def test_each_estimator_says_what_all_texts_take_together() -> None:
    found = {count.estimator: count for count in compare_estimators(ITEMS, "v4.8")}
    assert [*found] == [
        *("claude-v4.8~1", "claude-v4.8~o200k"),
        *("o200k_base", "cl100k_base", "characters/4"),
    ]
    for name in VOCABULARIES:
        tokens = sum(len(load_encoding(name).encode_ordinary(item.text)) for item in ITEMS)
        assert found[name] == Count(tokens, name, tokens, tokens)
    quarter = sum(len(item.text) for item in ITEMS) // 4
    assert found["characters/4"] == Count(quarter, "characters/4", quarter, quarter)
    assert found["claude-v4.8~1"].tokens == sum(
        count_tokens(item.text, family="v4.8", kind=item.kind).tokens for item in ITEMS
    )


def test_an_encoding_is_not_scaled_to_itself() -> None:
    assert [count.estimator for count in compare_estimators(ITEMS, "o200k_base")] == [
        *("o200k_base", "o200k_base", "cl100k_base", "characters/4")
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_scaled_count_lies_in_its_band_which_is_wide_for_short_texts(family: str) -> None:
    long, short, none = (scale_count(raw, "python", family) for raw in (10_000, 3, 0))
    assert long.estimator == f"claude-{family}~o200k"
    assert 0 < long.low < long.tokens < long.high < 2 * long.tokens
    assert short.low == max(0, short.tokens - 3) and short.high == short.tokens + 3
    assert (none.tokens, none.low, none.high) == (0, 0, 0)
    assert scale_count(100, "unheard of", family) == scale_count(100, "other", family)
