"""An index from words to the lines they stand in."""

from __future__ import annotations

import re

WORD = re.compile(r"[\w']+")


class WordIndex:
    """Lines by word; lines count from 1."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, list[int]] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            for word in set(WORD.findall(line.lower())):
                self._lines.setdefault(word, []).append(number)

    def search(self, *words: str) -> list[int]:
        """The lines that hold all the words."""
        if not words:
            return []
        found = [set(self._lines.get(word.lower(), ())) for word in words]
        return sorted(set.intersection(*found))
