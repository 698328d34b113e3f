"""Paths and texts as callers from Python give them: one, or several."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike, fspath

from orch_tui.errors import UsageError

Paths = str | PathLike[str] | Iterable[str | PathLike[str]]
"""One path, or several. A string is one, whatever stands in it."""

Texts = str | Iterable[str]
"""One text, or several."""


def listed(given: Paths | Texts) -> list[str]:
    """List what was given, as text.

    Raises:
        UsageError: something of it is neither text nor a path.
    """
    if isinstance(given, str | PathLike):
        given = [given]
    found = []
    for each in given:
        if not isinstance(each, str | PathLike) or not isinstance(text := fspath(each), str):
            raise UsageError(f"{each!r} is neither text nor a path", hint="give str or Path")
        found.append(text)
    return found
