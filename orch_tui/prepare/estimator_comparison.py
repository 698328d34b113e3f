"""Texts by every estimator there is, to see what they differ by."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from orch_tui.assets import asset
from orch_tui.prepare.count import FAMILIES, ZERO, Count, Countable
from orch_tui.prepare.exact import is_available
from orch_tui.prepare.tokens import count_items
from orch_tui.prepare.vocabulary import VOCABULARIES, count_encoded

SCALED_FROM = "o200k_base"


def compare_estimators(items: Sequence[Countable], family: str) -> list[Count]:
    """What the items take together by each estimator: ctok where it is there (slow), orch's own
    estimate, tiktoken's o200k_base scaled by kind of content, its encodings as they are, and a
    token for every four characters."""
    ways = [False]
    if is_available() and family in FAMILIES:
        ways.insert(0, True)
    counts = [sum(count_items(items, family=family, exact=exact), ZERO) for exact in ways]
    texts = [item.text for item in items]
    for name in VOCABULARIES:
        raw = count_encoded(texts, name)
        if name == SCALED_FROM and family in FAMILIES:
            pairs = zip(raw, items, strict=True)
            counts.append(sum((scale_count(n, item.kind, family) for n, item in pairs), ZERO))
        counts.append(Count(sum(raw), name, sum(raw), sum(raw)))
    quarter = sum(map(len, texts)) // 4
    return [*counts, Count(quarter, "characters/4", quarter, quarter)]


def scale_count(raw: int, kind: str, family: str) -> Count:
    """What ``raw`` tokens of o200k_base are to a family, by the usual ratio for that kind of
    content, with the band of nine texts in ten; an unknown kind counts as ``other``."""
    ratios = _ratios()
    table = ratios[ratios["tables"][family]]
    low, ratio, high = table["kinds"].get(kind) or table["kinds"]["other"]
    tokens = round(raw * ratio)
    floor = min(raw, table["floor"])  # a short text strays further than its ratio does
    return Count(
        tokens,
        f"claude-{family}~o200k",
        max(min(round(raw * low), tokens - floor), 0),
        max(round(raw * high), tokens + floor),
    )


@cache
def _ratios() -> dict[str, Any]:
    import tomllib

    return tomllib.loads(asset("tokens/ratios.toml").read_text("utf-8"))
