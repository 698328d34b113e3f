"""Patterns that are compiled when they are first used.

Final messages are read with some ninety of them, which take a thirtieth of a second to compile;
most messages need less than half.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, cast


def compile_lazily(
    text: str, flags: int = 0, *, where: re.Pattern[str] | None = None
) -> re.Pattern[str]:
    """As ``re.compile``, which is put off; a mistake in ``text`` shows only then.

    ``where`` is found in every text that this one is found in, and is quicker to compile: what it
    is not found in is not looked at.
    """
    return cast("re.Pattern[str]", _Uncompiled(text, flags, where))


class _Uncompiled:
    def __init__(self, text: str, flags: int, where: re.Pattern[str] | None) -> None:
        self._text = text
        self._flags = flags
        self._where = where

    def __getattr__(self, name: str) -> Any:
        """A method of the pattern, kept so that this is not asked again."""
        if self._where is not None and name in _OF_NOTHING:
            return partial(self._look_where, name, self._where)
        method = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, method)
        return method

    def _look_where(self, name: str, where: re.Pattern[str], *arguments: Any) -> Any:
        if not where.search(arguments[-1]):
            return _OF_NOTHING[name](*arguments)
        self._where = None
        return getattr(self, name)(*arguments)


_OF_NOTHING: dict[str, Callable[..., Any]] = {
    "search": lambda _: None,
    "match": lambda _: None,
    "fullmatch": lambda _: None,
    "finditer": lambda _: iter(()),
    "sub": lambda _, text: text,
}
"""What a pattern answers that is not in a text."""


FIRST_PERSON = compile_lazily(r"\b(?:I|we)\b", re.I)
LETTER = compile_lazily("[A-Za-z]")
