"""The grammar of a context source: how people, bundles and the record name what is given.

============================  =====================================================================
``lib/a.py``                  a file, a folder or a pattern
``lib/a.py:10-80``            lines of a file, from 1, both included; ``lib/a.py:10`` is one line
``docs/a.md#Heading``         a part of a file: a heading, a symbol (``Parser.parse``) or
                              ``(skeleton)``; ``#Heading[2]`` is the second of that name;
                              of a notebook ``(cells)`` or ``(outputs)``
``exec-003:message``          what a past execution gave back: its ``message`` or its ``outputs``;
                              one of another machine is called ``exec-014@ann-laptop``
``text:Be brief.``            the text itself
``-``                         standard input
============================  =====================================================================

The grammar cannot tell everything apart by itself: a file may be called ``notes#1.md`` or ``a:10``.
Where files can be looked up, what exists under the longest name wins; where they cannot (in what
was recorded, in a query), ``#`` begins a part only behind what is written like a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

from orch_tui.frozen import frozen

TEXT = "text:"
STANDARD_INPUT = "-"

Result = Literal["message", "outputs"]
LineRange = tuple[int, int]
"""First and last line, from 1, both included."""

# Text until they are needed: compiling them would be a tenth of a bare start-up.
_LINES = r"(?s)(.+):([0-9]+)(?:-([0-9]+))?"
_RESULT = r"(?![./~])([^:#]+):(message|outputs)"
_NUMBERED = r"(?s)(.+)\[([0-9]+)\]"
_SUFFIX = r"[^/]\.[A-Za-z][A-Za-z0-9_+-]*\Z"

_LONGEST_PATH = 4096
"""Bytes that the system takes for a path (PATH_MAX of Linux, the most there is)."""

_MOST_DIGITS = 9
"""Of a number: no text has so many lines, and Python refuses to read thousands of digits."""


@frozen
class NamedFile:
    """A file, folder or pattern, or some of a file."""

    path: str
    """As it was written: relative to whatever its reader stands in, or absolute."""
    lines: LineRange | None = None
    part: str = ""
    """A heading, a symbol or the skeleton; empty: all of it."""


@frozen
class PastResult:
    """What an execution gave back."""

    execution_id: str
    what: Result


@frozen
class FreeText:
    """A text that stands in the source itself; in a bundle only its beginning does."""

    text: str


@frozen
class StandardInput:
    """What is piped into the command."""


SourceName = NamedFile | PastResult | FreeText | StandardInput


def parse_source(written: str, *, exists: Callable[[str], bool] | None = None) -> SourceName:
    """Parse the name of a context source; every text is one.

    ``exists`` says whether a path leads to something. With it, the longest path that does wins
    over every other reading: the whole, then the whole without lines, then without a part. A line
    number of more digits than any file has lines is the greatest that can be written.
    """
    if written == STANDARD_INPUT:
        return StandardInput()
    if exists is not None and (found := _parse_existing(written, exists)):
        return found
    if written.startswith(TEXT):
        return FreeText(written.removeprefix(TEXT))
    return _parse_alone(written)


@lru_cache(maxsize=4096)  # one bundle asks for each of its names again and again
def _parse_alone(written: str) -> SourceName:
    if result := re.fullmatch(_RESULT, written):
        return PastResult(result[1], "message" if result[2] == "message" else "outputs")
    return _parse_part(written) or _parse_lines(written) or NamedFile(written)


def format_source(name: SourceName) -> str:
    """Format what ``parse_source`` reads back as the same.

    A path that alone would read as something else than a file gets ``./`` before it; one that
    itself ends like lines or a part is told from those only where files can be looked up.
    """
    match name:
        case StandardInput():
            return STANDARD_INPUT
        case FreeText(text):
            return f"{TEXT}{text}"
        case PastResult(execution_id, what):
            return f"{execution_id}:{what}"
        case NamedFile(path, lines, part):
            if not isinstance(parse_source(path), NamedFile):
                path = f"./{path}"
            if lines is not None:
                return f"{path}:{lines[0]}-{lines[1]}"
            return f"{path}#{part}" if part else path


def is_file(source: str) -> bool:
    """Decide whether a recorded source is a file, and no text, input or past result."""
    return isinstance(parse_source(source), NamedFile)


def is_free_text(source: str) -> bool:
    """Decide whether a recorded source is a text that stands in the source itself."""
    return isinstance(parse_source(source), FreeText)


def is_past_result(source: str) -> bool:
    """Decide whether a recorded source is what an execution gave back."""
    return isinstance(parse_source(source), PastResult)


def path_of(source: str) -> str:
    """Give the path of the file a recorded source is of, without lines, part and leading ``./``.

    Empty where it is no file.
    """
    name = parse_source(source)
    return name.path.removeprefix("./") if isinstance(name, NamedFile) else ""


def split_part_number(part: str) -> tuple[str, int | None]:
    """Split ``Name[2]`` into the name and which of that name is meant; None: no number is given."""
    numbered = re.fullmatch(_NUMBERED, part)
    return (numbered[1], _number(numbered[2])) if numbered else (part, None)


def _parse_existing(written: str, exists: Callable[[str], bool]) -> NamedFile | None:
    if exists(written):
        return NamedFile(written)
    lines = _parse_lines(written)
    if lines and exists(lines.path):
        return lines
    for mark in reversed(_marks(written)):
        if exists(written[:mark]):
            return NamedFile(written[:mark], part=written[mark + 1 :].strip())
    return None


def _parse_lines(written: str) -> NamedFile | None:
    found = re.fullmatch(_LINES, written)
    if not found:
        return None
    first = _number(found[2])
    return NamedFile(found[1], lines=(first, _number(found[3]) if found[3] else first))


def _parse_part(written: str) -> NamedFile | None:
    """Split at the first ``#`` that can begin a part: ``c#/a.py`` and ``notes#1.md`` have none."""
    for mark in _marks(written):
        path, part = written[:mark], written[mark + 1 :].strip()
        if not part or not path or path.endswith("/"):
            continue
        if not _is_more_of_path(path, part):
            return NamedFile(path, part=part)
    return None


def _is_more_of_path(path: str, rest: str) -> bool:
    """Decide by the look of both whether ``path#rest`` is the path of one file."""
    ends_like_file = re.search(_SUFFIX, rest) is not None
    if re.search(_SUFFIX, path):
        return rest.startswith("/") and ends_like_file
    return "/" in rest or ends_like_file


def _marks(written: str) -> list[int]:
    """Where a part can begin, from left to right: behind what can be a path at all."""
    return [found.start() for found in re.finditer("#", written[:_LONGEST_PATH])]


def _number(digits: str) -> int:
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS - 1
