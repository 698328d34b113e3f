"""How many tokens a text takes.

One interface over what can count: ctok's reconstruction of Claude's tokenizers (``exact``), their
pieces applied at once (``pieces``), and the encodings of tiktoken (``vocabulary``). Every count
names what produced it. Nothing here touches the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orch_tui.errors import UsageError
from orch_tui.prepare.count import (
    BAND,
    FAMILIES,
    Count,
    Countable,
    CountCache,
    estimate_name,
    exact_name,
)
from orch_tui.prepare.vocabulary import VOCABULARIES

BANDS = {"nonlatin": 0.02, "cjk": 0.005, "european": 0.005}
"""By how much, at most, an estimate strays from ctok's count, by kind of content; of any other
kind by ``BAND``. ``tests/bench/calibrate.py`` measures it."""


def count_tokens(text: str, *, family: str, kind: str) -> Count:
    """Count the tokens of one text: estimated for a tokenizer family, exactly in an encoding.

    ``kind`` is of ``text_kinds`` and decides the band. The frame of the message that the text will
    be part of is not counted.

    Raises:
        UsageError: ``family`` is none of ``FAMILIES`` or ``VOCABULARIES``.
    """
    return _labelled(_estimates([text], family)[0], kind=kind, family=family)


def count_items(
    items: Iterable[Countable],
    *,
    family: str,
    cache: CountCache | None = None,
    exact: bool | None = None,
) -> list[Count]:
    """Count the tokens of each item, in order: exact where the cache knows that, else estimated.

    ``exact=True`` has the others counted exactly too, ``exact=False`` takes estimates for all.
    What the cache knows is neither read nor counted again.

    Raises:
        UsageError: the family is not known, or an exact count is asked for and cannot be had.
    """
    items = list(items)
    _check(family)
    by_sha256 = {item.sha256: item for item in items}
    sha256s = list(by_sha256)
    known: dict[str, int] = {}
    if exact:
        from orch_tui.prepare.exact import count_exactly

        known = dict(count_exactly(items, family=family, cache=cache))
    elif exact is None and cache is not None:
        known = cache.get_counts(sha256s, exact_name(family))
    rest = [sha256 for sha256 in sha256s if sha256 not in known]
    guessed = cache.get_counts(rest, estimate_name(family)) if cache is not None and rest else {}
    if missing := [sha256 for sha256 in rest if sha256 not in guessed]:
        figures = _estimates([by_sha256[sha256].text for sha256 in missing], family)
        fresh = dict(zip(missing, figures, strict=True))
        if cache is not None:
            cache.put_counts(estimate_name(family), fresh)
        guessed = guessed | fresh
    name = exact_name(family)
    return [
        Count(tokens, name, tokens, tokens)
        if (tokens := known.get(item.sha256, -1)) >= 0
        else _labelled(guessed[item.sha256], kind=item.kind, family=family)
        for item in items
    ]


def _estimates(texts: Sequence[str], family: str) -> list[int]:
    if family in VOCABULARIES:
        from orch_tui.prepare.vocabulary import count_encoded

        return count_encoded(texts, family)
    from orch_tui.prepare.all_cores import count_on_all_cores
    from orch_tui.prepare.pieces import compile_patterns, load_pieces

    _check(family)
    for is_ascii in {text.isascii() for text in texts}:
        compile_patterns(is_ascii)  # once, and not in each process that counts
    return count_on_all_cores(load_pieces(family).tokens, texts)


def _labelled(tokens: int, *, kind: str, family: str) -> Count:
    if family in VOCABULARIES:
        return Count(tokens, family, tokens, tokens)
    error = min(tokens, 1 + round(tokens * BANDS.get(kind, BAND)))
    return Count(tokens, estimate_name(family), tokens - error, tokens + error)


def _check(family: str) -> None:
    if family not in (*FAMILIES, *VOCABULARIES):
        raise UsageError(
            f"tokenizer family {family!r} is not known",
            hint=f"one of {', '.join([*FAMILIES, *VOCABULARIES])}",
        )
