"""Words that commands and screens share."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """Word a count: ``1 item``, ``2,000 items``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def word_size(size: int) -> str:
    """Word bytes: ``850 bytes``, ``3.4 kB``, ``12.0 MB``."""
    if size < 1_000:
        return plural(size, "byte")
    return f"{size / 1e3:,.1f} kB" if size < 1_000_000 else f"{size / 1e6:,.1f} MB"
