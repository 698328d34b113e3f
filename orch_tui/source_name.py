"""The grammar of a source's name: ``lib/a.py``, ``lib/a.py:10-80``, ``docs/a.md#Heading[2]``.

A name alone does not tell a part from a file or folder whose name holds ``#``. Where files can be
looked at, what exists under the longest name wins; else a part begins behind a file name with a
suffix, so that folders may be called ``c#`` and files ``notes#1.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LINES = re.compile(r"(?P<path>.+):(?P<first>\d+)(?:-(?P<last>\d+))?", re.S)
_LINES_AT_END = re.compile(r":\d+(-\d*)?$")  # also while they are being typed
_NUMBERED = re.compile(r"(?P<name>.+)\[(?P<number>\d+)\]", re.S)

LARGEST = 10**18
"""What a number with more digits than it is taken for: no file has that many lines."""


def split_lines(source: str) -> tuple[str, int, int] | None:
    """Split ``path:first-last`` or ``path:first``; None where no lines are named."""
    found = _LINES.fullmatch(source)
    if not found:
        return None
    first = read_number(found["first"])
    return found["path"], first, read_number(found["last"]) if found["last"] else first


def split_number(part: str) -> tuple[str, int] | None:
    """Split ``name[number]``; None where a part has no number."""
    found = _NUMBERED.fullmatch(part)
    return (found["name"], read_number(found["number"])) if found else None


def read_number(digits: str) -> int:
    """Read decimal digits, however many: Python refuses 4,301, SQLite some of 19."""
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= 18 else LARGEST


def possible_paths(source: str) -> Iterator[tuple[str, str]]:
    """Yield each path that a name may begin with, longest first, and the part behind it."""
    yield source, ""
    for position in reversed([match.start() for match in re.finditer("#", source)]):
        yield source[:position], source[position + 1 :].strip()


def source_path(source: str) -> str:
    """Give the path in a name: without lines, part and leading ``./``."""
    path = _LINES_AT_END.sub("", source)
    for shorter, _ in [*possible_paths(path)][::-1]:
        if "." in shorter.rpartition("/")[2][1:]:
            path = shorter
            break
    return path.removeprefix("./")
