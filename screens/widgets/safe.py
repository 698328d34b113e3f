"""Text from anywhere, made harmless for a terminal.

Agents, files and pasted messages may hold escape codes, direction overrides or markup. Nothing of
that is interpreted: control characters are shown as pictures or escapes, markup is never parsed
because only ``Text`` and ``Segment`` are drawn, never strings.
"""

from __future__ import annotations

import re
from functools import lru_cache

TAB = "    "

# C0 and C1 controls, DEL; marks that change direction or hide (bidi, zero width, BOM); line
# separators that a terminal may obey; lone surrogates, which no terminal can be sent.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def one_line(text: str, limit: int = 500) -> str:
    """The text on one line, at most ``limit`` characters of it; ``…`` at the end where it is
    longer."""
    line = plain(" ".join(text[: 4 * limit].split()))
    is_whole = len(line) <= limit and len(text) <= 4 * limit
    return line if is_whole else f"{line[: limit - 1]}…"


def flat(text: str) -> str:
    """One line of as many characters as the text has, so that positions in it stay true."""
    return _HARMFUL.sub(_shown_in_one, text)


def _shown_in_one(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in "\t\n\r":
        return " "
    return chr(0x2400 + code) if code < 0x20 else "·"


@lru_cache(maxsize=4096)
def plain(line: str) -> str:
    """One line with every harmful character shown instead of obeyed."""
    return _HARMFUL.sub(_shown, line)


def in_place(line: str) -> str:
    """As ``plain``, but one character for each, so that columns stay what they are; tabs stay."""
    return _HARMFUL.sub(_pictured, line)


def _pictured(match: re.Match[str]) -> str:
    picture = match[0] if match[0] == "\t" else _shown(match)
    return picture if len(picture) == 1 else "\ufffd"


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] == "\t":
        return TAB
    if code < 0x20:
        return chr(0x2400 + code)  # control pictures: ESC is ␛
    if code == 0x7F:
        return "␡"
    return f"<{code:04X}>"
