"""What a file is made of: sections of Markdown, symbols of code; and parts of it, cut out.

Everything that has a name is asked for in one way: ``FILE#NAME``, with ``NAME[2]`` for the second
of that name, and ``FILE#(skeleton)`` for what a file says of itself: the heads of what is in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from orch_tui.errors import SourceError
from orch_tui.frozen import frozen
from orch_tui.prepare import sections, symbols
from orch_tui.prepare.sections import Span, join_spans
from orch_tui.source_name import path_of

if TYPE_CHECKING:
    from orch_tui.prepare.count import Count, CountCache

SKELETON = "(skeleton)"
"""Names the skeleton of a file: headings with their first paragraphs, or signatures."""

_MARKDOWN = {".md", ".markdown", ".mdown", ".mkd", ".mdx", ".mdc", ".txt", ""}


@frozen
class FilePart:
    """A section or symbol of a file."""

    name: str
    """What names this one alone: with ``[2]`` where it is the second of several."""
    level: int
    """How deep it is, from 1."""
    span: Span
    count: Count


def may_have_parts(name: str) -> bool:
    """Whether a file of that name is read as Markdown or code, whose parts can be named."""
    return is_markdown(name) or symbols.may_have_symbols(name)


def outline_file(
    text: str, name: str, *, family: str, cache: CountCache | None = None
) -> list[FilePart]:
    """The sections or symbols of a file of that name, in order, with their tokens."""
    from orch_tui.prepare.count import PlainText
    from orch_tui.prepare.text_kinds import kind_of
    from orch_tui.prepare.tokens import count_items

    known = [part for part in _known(text, name) if part.name]
    kind = kind_of(name, text)
    texts = [text[part.span.start : part.span.end] for part in known]
    counts = count_items([PlainText(each, kind) for each in texts], family=family, cache=cache)
    total = Counter(part.name for part in known)
    seen: Counter[str] = Counter()
    parts = []
    for part, count in zip(known, counts, strict=True):
        seen[part.name] += 1
        unique = part.name if total[part.name] == 1 else f"{part.name}[{seen[part.name]}]"
        parts.append(FilePart(unique, part.level, part.span, count))
    return parts


def find_part_spans(text: str, name: str, names: Sequence[str], *, source: str) -> list[Span]:
    """The spans of the named parts of a file called ``name``, in the order of the text, overlaps
    joined. ``(skeleton)`` among other names is that of those parts.

    Raises SourceError, naming ``source``, for a part that is not there.
    """
    if not may_have_parts(name):
        hint = f"name lines: {path_of(source)}:FIRST-LAST"
        if language := symbols.find_missing_grammar(name):
            raise SourceError(
                source,
                f"names a part, and the grammar of {language} is not installed",
                hint=f"pip install 'orch-tui[languages]', or {hint}",
            )
        raise SourceError(source, "only Markdown and code have parts by name", hint=hint)
    what = "heading" if is_markdown(name) else "symbol"
    wanted = [each for each in names if each != SKELETON]
    known = _known(text, name) if wanted else ()
    spans = join_spans(
        span
        for each in wanted
        for span in sections.pick_parts(known, each, what=what, source=source)
    )
    if len(wanted) == len(names):
        return spans
    lines = _skeleton(text, name)
    if not lines:
        raise SourceError(source, f"has no {what}s to make a skeleton of")
    kept = [line for line in lines if not wanted or any(_within(line, span) for span in spans)]
    return join_spans(kept)


def is_markdown(name: str) -> bool:
    """Whether a file of that name is read as Markdown, so that its sections can be named."""
    return PurePosixPath(name).suffix.lower() in _MARKDOWN


def _known(text: str, name: str) -> Sequence[sections.Heading | symbols.Symbol]:
    return sections.find_headings(text) if is_markdown(name) else symbols.find_symbols(text, name)


def _skeleton(text: str, name: str) -> list[Span]:
    return (
        sections.find_markdown_skeleton(text)
        if is_markdown(name)
        else symbols.find_code_skeleton(text, name)
    )


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end
