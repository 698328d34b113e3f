"""Items without some of their lines, where these stand elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from orch_tui.prepare.bundle import ContextItem
from orch_tui.prepare.count import ZERO
from orch_tui.prepare.sources import make_text_source
from orch_tui.source_name import LineRange, NamedFile, PastResult, format_source, parse_source

_LINE = rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z"
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def can_be_trimmed(item: ContextItem) -> bool:
    """Whether what is left of an item can be named: ranges of lines of a file, or text. Of what a
    past execution gave back there are no ranges, nor of sections."""
    name = parse_source(item.source)
    if item.data is None or item.sections or isinstance(name, PastResult):
        return False
    if isinstance(name, NamedFile) and name.part:
        return False
    return not item.data.startswith(_MARKS)


def trim_item(item: ContextItem, without: Sequence[LineRange]) -> list[ContextItem]:
    """An item without some lines: one item for each range that is left, none for blank ones.

    A part of a file is named ``FILE:10-80``, as if it had been chosen; so it can be read again
    and compared with what the file holds then. The parts are not counted yet.
    """
    lines = re.findall(_LINE, item.data or b"")
    kept = [
        (first, last)
        for first, last in _between(sorted(without), len(lines))
        if b"".join(lines[first - 1 : last]).strip()
    ]
    if item.is_inline:
        text = b"\n".join(b"".join(lines[first - 1 : last]).rstrip(b"\r\n") for first, last in kept)
        source = make_text_source(text.decode("utf-8", "surrogateescape")) if kept else None
        return (
            [replace(item, source=source.name, data=source.data, count=ZERO, sha256="")]
            if source
            else []
        )
    name = parse_source(item.source)
    if not isinstance(name, NamedFile) or format_source(name) != item.source:
        name = NamedFile(item.source)  # called like lines, but not as orch writes them
    offset = name.lines[0] - 1 if name.lines else 0
    return [
        replace(
            item,
            source=format_source(replace(name, lines=(first + offset, last + offset))),
            data=b"".join(lines[first - 1 : last]),
            count=ZERO,
            sha256="",
        )
        for first, last in kept
    ]


def _between(without: Sequence[LineRange], last: int) -> list[LineRange]:
    """The lines up to ``last`` that are in none of the ranges."""
    kept, start = [], 1
    for first, end in without:
        if first > start:
            kept.append((start, first - 1))
        start = max(start, end + 1)
    return [*kept, (start, last)] if start <= last else kept
