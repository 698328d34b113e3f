"""Words of agents and names of files, made safe to show on one line."""

from __future__ import annotations


def clean_line(text: str, most: int = 200) -> str:
    """Put a text on one line of at most ``most`` characters, without what is not printable.

    Escape codes, marks that change direction and lone surrogates go before anybody counts widths.
    """
    shown = text[: 4 * most]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else " " for c in shown)
    return " ".join(shown.split())[:most]
