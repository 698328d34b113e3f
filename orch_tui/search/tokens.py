"""What the index compares: the tokens of texts and of filter values.

A text is cut as FTS5's ``unicode61`` does: runs of letters and digits, without case and, in Latin
letters, accents.

The token of a filter value is a private-use letter, then the value's UTF-8 bytes in hexadecimal:
the beginning of a value is the beginning of its token. Such letters are taken out of texts.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Texts

_RUN = re.compile(r"[^\W_]+")
_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")


def fold_text(text: str) -> str:
    """Lower the case and drop accents of Latin letters; each letter stays in its place."""
    if text.isascii():
        return text.lower()
    # One letter becomes two in lower case, and one depends on where it stands.
    lower = text.replace("\u0130", "i").lower().replace("\u03c2", "\u03c3")
    return _ACCENTED.sub(_drop_accent, lower)


def _drop_accent(letter: re.Match[str]) -> str:
    base = unicodedata.normalize("NFD", letter[0])[0]
    return base if base.isascii() else letter[0]


def compose_text(text: str) -> str:
    """Compose letters and the accents behind them, as far as Unicode has letters for that."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def split_tokens(text: str) -> tuple[str, ...]:
    """Split a text into its tokens, as far as Python's idea of a letter is SQLite's."""
    return tuple(_RUN.findall(fold_text(compose_text(text))))


# Values of filters

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

_LETTERS_OF_TOKENS = re.compile(f"[{chr(_FIRST_LETTER)}-{chr(_FIRST_LETTER + 0x7F)}]")


def without_filter_tokens(text: str) -> str:
    """Take out of a text what would be found as the value of a filter."""
    return text if text.isascii() else _LETTERS_OF_TOKENS.sub(" ", text)


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
