"""The lines of a text, as ``grep``, ``diff`` and editors count them."""

from __future__ import annotations


def split_lines(text: str) -> list[str]:
    r"""Split a text at each ``\n`` and ``\r\n``, and nowhere else; an end of a line begins none.

    ``str.splitlines`` splits at form feeds and seven other characters as well, behind which every
    number of a line would be another than elsewhere.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]
