"""The tokens of filter values in the index.

A token is a private-use letter for the filter, which keeps it apart from words of texts, then
the value's UTF-8 bytes in hexadecimal, so that the beginning of a value is the beginning of its
token.
"""

from __future__ import annotations

from functools import lru_cache

TOKEN_LETTERS = {
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
"""The filters that tokens answer, and the letter that begins the tokens of each."""

_FIRST_LETTER = 0xE900
_MAX_VALUE_BYTES = 400
_MAX_FOLDERS = 12  # of a path, that are told apart

COMMON_TOKEN = chr(_FIRST_LETTER + ord("z"))
"""The token that every execution has."""


@lru_cache(maxsize=4096)
def filter_token(name: str, value: str) -> str:
    """Make the token of one value of filter ``name``; case does not count."""
    data = value.lower().encode("utf-8", "replace")[:_MAX_VALUE_BYTES]
    return chr(_FIRST_LETTER + ord(TOKEN_LETTERS[name])) + data.hex()


def token_value(token: str) -> str:
    """Decode the (lower-cased) value that `filter_token` made the token of."""
    return bytes.fromhex(token[1:]).decode("utf-8", "replace")


@lru_cache(maxsize=4096)  # the same files are given again and again
def path_suffix_tokens(path: str) -> tuple[str, ...]:
    """Make the tokens of a path and of what remains of it after each folder."""
    parts = path.split("/")
    starts = range(max(0, len(parts) - _MAX_FOLDERS), len(parts))
    endings = ["/".join(parts[start:]) for start in starts if parts[start]]
    return tuple(filter_token("file", ending) for ending in (*endings, path))
