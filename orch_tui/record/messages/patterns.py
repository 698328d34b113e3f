"""Patterns that are compiled when they are first used.

Final messages are read with some fifty of them, which take a hundredth of a second to compile;
most messages need less than a third.
"""

from __future__ import annotations

import re
from typing import Any, cast


def compile_lazily(text: str, flags: int = 0) -> re.Pattern[str]:
    """As ``re.compile``, which is put off; a mistake in ``text`` shows only then."""
    return cast("re.Pattern[str]", _Uncompiled(text, flags))


class _Uncompiled:
    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        """A method of the pattern, kept so that this is not asked again."""
        method = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, method)
        return method
