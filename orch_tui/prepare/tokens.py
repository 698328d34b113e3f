"""How many tokens a text takes.

One interface over what can count: ctok's reconstruction of Claude's tokenizers (``exact``), their
pieces applied at once (``pieces``), and the encodings of tiktoken (``vocabulary``). Every count
names what produced it. Nothing here touches the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from orch_tui.errors import UsageError
from orch_tui.prepare.vocabulary import VOCABULARIES

FRAMES = {"v3": 7, "v4.7": 11, "v4.8": 6}
"""Claude's tokenizers by the model that brought them (3 to 4.6, Opus 4.7, Opus 4.8 and all 5), and
the tokens that a message takes besides its text; facts of ctok 1.3."""

FAMILIES = tuple(FRAMES)

REVISION = 1
"""Of the estimates. Part of their name, so that kept figures of another one are not taken."""

BANDS = {"nonlatin": 0.02, "cjk": 0.005, "european": 0.005}
"""By how much, at most, an estimate strays from ctok's count, by kind of content; of any other
kind by ``BAND``. ``tests/bench/calibrate.py`` measures it."""

BAND = 0.001


@dataclass(frozen=True, slots=True)
class Count:
    """A number of tokens, what produced it, and the band it lies in; exact when they are one."""

    tokens: int
    estimator: str
    low: int
    high: int

    @property
    def exact(self) -> bool:
        return self.low == self.tokens == self.high

    def __add__(self, other: Count) -> Count:
        """Both together, with their bands: when one text is over, no other need be under."""
        return Count(
            self.tokens + other.tokens,
            _both(self.estimator, other.estimator),
            self.low + other.low,
            self.high + other.high,
        )

    def __str__(self) -> str:
        """``84,137`` when exact, else ``~84,100 ±4 %``, ``~84,140 ±0.2 %`` or ``~84 ±1``."""
        if self.exact:
            return f"{self.tokens:,}"
        error = max(self.tokens - self.low, self.high - self.tokens)
        if error < 5:
            return f"~{self.tokens:,} ±{error}"
        share = 100 * error / max(self.tokens, 1)
        digits, band = (3, f"{share:.0f}") if share >= 0.95 else (4, f"{max(share, 0.1):.1f}")
        return f"~{_rounded(self.tokens, digits):,} ±{band} %"


ZERO = Count(0, "", 0, 0)
"""Where a sum of counts starts: ``sum(counts, ZERO)``."""


class CountCache(Protocol):
    """Where counts of contents are kept for ever, by SHA-256 and estimator."""

    def get_counts(self, sha256s: Sequence[str], estimator: str) -> dict[str, int]: ...

    def put_counts(self, estimator: str, counts: Mapping[str, int]) -> None: ...


class Countable(Protocol):
    """A text to be counted. ``text`` is only asked for when no cache knows its SHA-256."""

    @property
    def sha256(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def kind(self) -> str: ...


def exact_name(family: str) -> str:
    """The estimator of an exact count: ``claude-v4.8``; an encoding is one itself."""
    return f"claude-{family}" if family in FAMILIES else family


def estimate_name(family: str) -> str:
    """The estimator of an estimate: ``claude-v4.8~1``."""
    return f"claude-{family}~{REVISION}" if family in FAMILIES else family


def count(text: str, *, family: str, kind: str) -> Count:
    """The tokens of one text, estimated for a tokenizer family, or in an encoding of
    ``VOCABULARIES``. The frame of the message it will be part of is not counted."""
    return _labelled(_estimates([text], family)[0], kind=kind, family=family)


def count_many(
    items: Iterable[Countable],
    *,
    family: str,
    cache: CountCache | None = None,
    exact: bool | None = None,
) -> list[Count]:
    """The tokens of each item, in order: exact where the cache knows that, else estimated.

    ``exact=True`` has the others counted exactly too, ``exact=False`` takes estimates for all.
    What the cache knows is neither read nor counted again. Raises UsageError for a family that is
    not known, and when an exact count is asked for and cannot be had.
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


def framed(total: Count) -> Count:
    """What texts take together as one message: with its frame, where Claude's tokens are meant."""
    frame = frame_tokens(total)
    return total + Count(frame, total.estimator, frame, frame)


def frame_tokens(total: Count) -> int:
    """The tokens of a message besides its texts; 0 for an encoding and for no texts."""
    return FRAMES.get(total.estimator.removeprefix("claude-").partition("~")[0], 0)


def _estimates(texts: Sequence[str], family: str) -> list[int]:
    if family in VOCABULARIES:
        from orch_tui.prepare.vocabulary import encoded_counts

        return encoded_counts(texts, family)
    from orch_tui.prepare.pieces import pieces

    _check(family)
    return [pieces(family).tokens(text) for text in texts]


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


def _both(name: str, other: str) -> str:
    """The estimator of a sum; exact and estimated for one family are an estimate."""
    if not name or not other or name == other:
        return name or other
    if name.partition("~")[0] == other.partition("~")[0]:
        return max(name, other)
    return "mixed"


def _rounded(number: int, digits: int) -> int:
    return round(number, min(0, digits - len(str(number))))
