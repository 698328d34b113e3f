"""What a source that is being typed may become: a path, or with ``#`` a heading or a symbol."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from orch_tui.errors import SourceError
from orch_tui.frozen import frozen
from orch_tui.prepare.composition import Choice, read_choice_text
from orch_tui.prepare.outline import SKELETON, may_have_parts, outline_file
from orch_tui.prepare.tree import ProjectTree, find_files
from orch_tui.source_name import NamedFile, format_source, is_free_text
from orch_tui.text_lines import split_lines

if TYPE_CHECKING:
    from orch_tui.prepare.count import Count, CountCache
    from orch_tui.prepare.sources import SourceReader

MOST_COMPLETIONS = 50
"""What is offered at once: further letters find the others."""


@frozen
class SourceCompletion:
    """One source that typed text may become."""

    source: str
    count: Count | None = None
    """Its tokens, where finding it told them."""


def complete_source(
    typed: str,
    tree: ProjectTree,
    reader: SourceReader,
    *,
    family: str,
    cache: CountCache | None = None,
) -> list[SourceCompletion]:
    """Complete what is typed to files of the project, the best first, or behind ``FILE#`` to the
    headings or symbols of that file in order; behind ``FILE:`` to all its lines."""
    if not typed.strip() or is_free_text(typed):
        return []
    paths = {node.path for node in tree.files}
    for mark in (at for at, sign in enumerate(typed) if sign == "#"):
        if typed[:mark] in paths:
            return _complete_part(typed[:mark], typed[mark + 1 :], reader, family, cache)
    path, colon, begun = typed.rpartition(":")
    if colon and path in paths:
        lines = 0 if begun else len(split_lines(_read(path, reader)))
        return [SourceCompletion(format_source(NamedFile(path, (1, lines))))] if lines else []
    found = find_files(tree, typed, MOST_COMPLETIONS).matches
    return [SourceCompletion(match.node.path) for match in found]


def _complete_part(
    path: str, letters: str, reader: SourceReader, family: str, cache: CountCache | None
) -> list[SourceCompletion]:
    """Complete to the parts whose names hold the letters, those that begin with them first."""
    if not may_have_parts(path):
        return []
    sought, text = letters.strip().lower(), _read(path, reader)
    parts = outline_file(text, path, family=family, cache=cache) if text else []
    named = [(part.name, part.count) for part in parts] + [(SKELETON, None)] * bool(parts)
    fitting = [each for each in named if sought in each[0].lower()]
    fitting.sort(key=lambda each: not each[0].lower().startswith(sought))
    return [
        SourceCompletion(format_source(NamedFile(path, part=name)), count)
        for name, count in fitting[:MOST_COMPLETIONS]
    ]


def _read(path: str, reader: SourceReader) -> str:
    """Read a file whose parts are only named; empty where it cannot be read."""
    with suppress(SourceError):
        return read_choice_text(Choice(path, allow_secret=True), reader)
    return ""
