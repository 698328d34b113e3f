"""Patterns that are compiled when they are first used.

Final messages are read with some ninety of them, which take a thirtieth of a second to compile;
most messages need less than half.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, cast

Where = re.Pattern[str] | Callable[[str], bool]


def compile_lazily(text: str, flags: int = 0, *, where: Where | None = None) -> re.Pattern[str]:
    """As ``re.compile``, which is put off; a mistake in ``text`` shows only then.

    ``where`` is found in every text that this one is found in, and is quicker to compile, or tells
    whether it may be found there: what it is not found in is not looked at.
    """
    return cast("re.Pattern[str]", _Uncompiled(text, flags, where))


def holds_any(*parts: str) -> Callable[[str], bool]:
    """Make a ``where`` of texts, in small letters, one of which stands in all that is found."""

    def is_held(text: str) -> bool:
        text = text.casefold()
        return any(part in text for part in parts)

    return is_held


class _Uncompiled:
    def __init__(self, text: str, flags: int, where: Where | None) -> None:
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

    def _look_where(self, name: str, where: Where, *arguments: Any) -> Any:
        text = arguments[-1]
        if not (where(text) if callable(where) else where.search(text)):
            return _OF_NOTHING[name](*arguments)
        for each in _OF_NOTHING:
            setattr(self, each, getattr(re.compile(self._text, self._flags), each))
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
