"""The tokens of filter values in the index.

A token is a private-use letter for the filter, then the value's UTF-8 bytes in hexadecimal, so
that the beginning of a value is the beginning of its token.
"""

from __future__ import annotations

import re
from functools import lru_cache

KINDS = {
    "agent": "a",
    "file": "f",
    "has": "h",
    "model": "m",
    "phase": "p",
    "project": "j",
    "session": "s",
    "source": "o",
    "status": "t",
    "type": "y",
}
"""The filters that ``tags`` answers, and the letter that begins their tokens."""

_EVERY = "z"
_LONGEST_VALUE = 400  # bytes
_DEEPEST = 12  # folders of a path that are told apart
_LINES_OR_SYMBOL = re.compile(r"(:\d+(-\d*)?|#.*)$")


@lru_cache(maxsize=4096)
def tag(kind: str, value: str) -> str:
    """The token of one filter value. A private-use letter keeps it apart from words of texts."""
    data = value.lower().encode("utf-8", "replace")[:_LONGEST_VALUE]
    return chr(0xE900 + ord(KINDS[kind])) + data.hex()


def tag_value(token: str) -> str:
    """The (lower-cased) value that `tag` made the token of."""
    return bytes.fromhex(token[1:]).decode("utf-8", "replace")


EVERY = chr(0xE900 + ord(_EVERY))
"""The token that every execution has."""


def path_of(source: str) -> str:
    """The path in a context source: without line range, symbol and leading ``./``."""
    return _LINES_OR_SYMBOL.sub("", source).removeprefix("./")


@lru_cache(maxsize=4096)  # the same files are given again and again
def path_tokens(path: str) -> tuple[str, ...]:
    """The tokens of a path and of what remains of it after each folder."""
    parts = path.split("/")
    starts = range(max(0, len(parts) - _DEEPEST), len(parts))
    endings = ["/".join(parts[start:]) for start in starts if parts[start]]
    return tuple(tag("file", ending) for ending in (*endings, path))
