"""Words that commands and screens share."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """Word a count: ``1 item``, ``2,000 items``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
