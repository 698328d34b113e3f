"""The number of tokens a text takes: what produced it, the band it lies in, how it adds up.

Apart from the counting itself (``prepare.tokens``, ``prepare.exact``), since whoever reads figures
that were recorded, judges them or prints them counts nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from orch_tui.frozen import frozen
from orch_tui.models.values import readable, whole_number

FRAMES = {"v3": 7, "v4.7": 11, "v4.8": 6}
"""Claude's tokenizers by the model that brought them (3 to 4.6, Opus 4.7, Opus 4.8 and all 5), and
the tokens that a message takes besides its text; facts of ctok 1.3."""

FAMILIES = tuple(FRAMES)

BAND = 0.001
"""By how much, at most, an estimate strays from ctok's count, but for a few kinds of content."""

REVISION = 1
"""Of the estimates. Part of their name, so that kept figures of another one are not taken."""


@frozen
class Count:
    """A number of tokens, what produced it, and the band it lies in; exact when they are one."""

    tokens: int
    estimator: str
    low: int
    high: int

    @property
    def exact(self) -> bool:
        """Whether the band is a point."""
        return self.low == self.tokens == self.high

    def __add__(self, other: Count) -> Count:
        """Add counts with their bands: when one text is over, no other need be under."""
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


def stored_count(tokens: Any, estimator: Any, low: Any = None, high: Any = None) -> Count:
    """Make a count of columns of the record, into which plain SQL may have put anything."""
    number = whole_number(tokens) or 0
    least, most = whole_number(low), whole_number(high)
    return Count(
        number,
        readable(estimator) or "",
        number if least is None else least,
        number if most is None else most,
    )


def describe_known(known: int, unknown: int) -> str:
    """Say how many figures a sum is of, where some are missing: ``3 known, 1 without a count``;
    empty where none is."""
    return f"{known:,} known, {unknown:,} without a count" if unknown else ""


ZERO = Count(0, "", 0, 0)
"""Where a sum of counts starts: ``sum(counts, ZERO)``."""


class CountCache(Protocol):
    """Where counts of contents are kept for ever, by SHA-256 and estimator."""

    def get_counts(self, sha256s: Sequence[str], estimator: str) -> dict[str, int]:
        """Look up the tokens that an estimator counted, by SHA-256, as far as they are kept."""
        ...

    def put_counts(self, estimator: str, counts: Mapping[str, int]) -> None:
        """Keep what an estimator counted, by SHA-256."""
        ...


class UnsavedCounts:
    """A ``CountCache`` in memory, until there is a record that keeps what it holds."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, int]] = {}

    def get_counts(self, sha256s: Sequence[str], estimator: str) -> dict[str, int]:
        known = self._counts.get(estimator, {})
        return {sha256: known[sha256] for sha256 in sha256s if sha256 in known}

    def put_counts(self, estimator: str, counts: Mapping[str, int]) -> None:
        self._counts.setdefault(estimator, {}).update(counts)

    def save_to(self, cache: CountCache) -> None:
        """Hand all over to another cache, and hold nothing more."""
        counts, self._counts = self._counts, {}
        for estimator, figures in counts.items():
            cache.put_counts(estimator, figures)


class Countable(Protocol):
    """A text to be counted. ``text`` is only asked for when no cache knows its SHA-256."""

    @property
    def sha256(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def kind(self) -> str: ...


class PlainText(NamedTuple):
    """A text to be counted that nobody else holds."""

    text: str
    kind: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


def exact_name(family: str) -> str:
    """Name the estimator of an exact count: ``claude-v4.8``; an encoding is one itself."""
    return f"claude-{family}" if family in FAMILIES else family


def estimate_name(family: str) -> str:
    """Name the estimator of an estimate: ``claude-v4.8~1``; an encoding is exact, and itself."""
    return f"claude-{family}~{REVISION}" if family in FAMILIES else family


def add_frame(total: Count) -> Count:
    """Add the frame of the one message that texts make up, where Claude's tokens are meant."""
    frame = frame_tokens(total)
    return total + Count(frame, total.estimator, frame, frame)


def frame_tokens(total: Count) -> int:
    """Count the tokens of a message besides its texts; 0 for an encoding and for no texts."""
    return FRAMES.get(family_of(total.estimator), 0)


def family_of(estimator: str) -> str:
    """Give the tokenizer family that an estimator counts for; an encoding is one itself."""
    return estimator.removeprefix("claude-").partition("~")[0]


def make_template_count(tokens: int, family: str, *, exact: bool = False) -> Count:
    """Make the count of what a template says around the items: an estimate, or an exact one."""
    if exact:
        return Count(tokens, exact_name(family), tokens, tokens)
    error = 1 + round(abs(tokens) * BAND) if family in FAMILIES else 0
    return Count(tokens, estimate_name(family), tokens - error, tokens + error)


def restore_template_count(
    tokens: Any, frame: Any, estimator: str, *, exact: bool = False
) -> Count | None:
    """Make the count of a template of columns of the record; None where it was never counted.

    The frame tells for which of Claude's tokenizers it was counted; without one it was in the
    encoding that the items were counted in, by ``estimator``.
    """
    number = whole_number(tokens)
    if number is None:
        return None
    family = next((name for name, size in FRAMES.items() if size == frame), family_of(estimator))
    return make_template_count(number, family, exact=exact and family in FAMILIES)


def _both(name: str, other: str) -> str:
    """The estimator of a sum; exact and estimated for one family are an estimate."""
    if not name or not other or name == other:
        return name or other
    if name.partition("~")[0] == other.partition("~")[0]:
        return max(name, other)
    return "mixed"


def _rounded(number: int, digits: int) -> int:
    return round(number, min(0, digits - len(str(number))))
