"""Normal forms of Unicode, in time by the length of a text, not by the marks on one letter."""

from __future__ import annotations

import re
from typing import Literal
from unicodedata import normalize

MOST_MARKS = 30
"""On one letter, that are ordered and composed together: no more do in any language
(UAX #15, Stream-Safe Text Format)."""

_MARK = r"[^\w\x00-\u02ff]"  # and other signs, which nothing is composed with
_MANY_MARKS = re.compile(f"{_MARK}{{{MOST_MARKS + 1}}}")
_LETTERS = re.compile(rf"(?:\w|[\x00-\u02ff])*{_MARK}{{0,{MOST_MARKS}}}")


def normalize_letters(form: Literal["NFC", "NFKC"], text: str) -> str:
    """Give the normal form of a text; of more than `MOST_MARKS` marks on a letter, each so many
    are ordered by themselves.

    ``unicodedata`` alone takes time by the square of their number.
    """
    if len(text) <= MOST_MARKS or text.isascii() or not _MANY_MARKS.search(text):
        return normalize(form, text)
    return "".join(normalize(form, letters) for letters in _LETTERS.findall(text))
