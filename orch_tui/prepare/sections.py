"""Parts of a text: sections of Markdown by heading, and ranges of lines.

Everything is answered as spans of characters in the original text, so that what is cut out is
exact: no newline is normalised, nothing is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from orch_tui.errors import SourceError

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_NEWLINE = r"(?:\r\n|\r|\n)"
_FRONT_MATTER = re.compile(
    rf"\A---[ \t]*{_NEWLINE}(?=[\w\"'-]+[ \t]*:|---).*?(?<=[\r\n])---[ \t]*(?=[\r\n]|\Z)", re.S
)


class Span(NamedTuple):
    """Characters ``start`` to ``end`` (exclusive) of a text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading and the span of its section: up to the next heading of its level or above."""

    title: str
    level: int
    span: Span


def headings(text: str) -> list[Heading]:
    """The headings of a Markdown text in order, ATX and setext (CommonMark 0.31).

    Front matter is skipped: CommonMark would read its last line as a setext heading. Headings in
    code, comments, quotes and lists are text of the section around them.
    """
    from markdown_it import MarkdownIt

    starts = [match.start() for match in _LINE.finditer(text)]
    # The block rules alone find headings; inline parsing is kept for the titles, which are few.
    tokens = MarkdownIt("commonmark").disable("inline").parse(_without_front_matter(text))
    inline = MarkdownIt("commonmark")
    found: list[tuple[int, int, str]] = []
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open" and opening.level == 0 and opening.map is not None:
            children = inline.parseInline(content.content)[0].children or []
            title = "".join(" " if "break" in child.type else child.content for child in children)
            found.append((starts[opening.map[0]], int(opening.tag[1:]), title))
    result = []
    for position, (start, level, title) in enumerate(found):
        following = (other for other, depth, _ in found[position + 1 :] if depth <= level)
        result.append(Heading(title, level, Span(start, next(following, len(text)))))
    return result


def sections(text: str, titles: Sequence[str], *, source: str) -> list[Span]:
    """The spans of the sections with these titles, in the order of the text, overlaps joined.

    Every heading with a title counts; one that differs only in case or spacing counts where no
    other fits. Raises SourceError, naming ``source``, for a title that no heading has.
    """
    known = headings(text)
    wanted = [heading.span for title in titles for heading in _matching(known, title, source)]
    joined: list[Span] = []
    for span in sorted(wanted):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def lines(text: str, first: int, last: int, *, source: str) -> Span:
    """The span of lines ``first`` to ``last``, both included, counted from 1 as editors do.

    Raises SourceError, naming ``source``, for a range that the text does not have.
    """
    spans = [match.span() for match in _LINE.finditer(text)]
    if not 1 <= first <= last:
        raise SourceError(
            source, f"lines {first}-{last} are no range", hint="FIRST-LAST, counted from 1"
        )
    if last > len(spans):
        raise SourceError(source, f"lines {first}-{last} wanted, it has {len(spans)}")
    return Span(spans[first - 1][0], spans[last - 1][1])


def _without_front_matter(text: str) -> str:
    match = _FRONT_MATTER.match(text)
    if match is None:
        return text
    blank = re.sub(r"[^\r\n]", "", match[0])  # as many lines as before
    return blank + text[match.end() :]


def _matching(known: Sequence[Heading], title: str, source: str) -> list[Heading]:
    exact = [heading for heading in known if heading.title == title]
    loose = [heading for heading in known if _folded(heading.title) == _folded(title)]
    if exact or loose:
        return exact or loose
    raise SourceError(source, f"has no heading {title!r}", hint=_nearest(known, title))


def _nearest(known: Sequence[Heading], title: str) -> str:
    from difflib import get_close_matches

    if not known:
        return "it has no headings"
    by_fold = {_folded(heading.title): heading.title for heading in known}
    near = get_close_matches(_folded(title), by_fold, n=3, cutoff=0.5)
    shown = [by_fold[fold] for fold in near] or list(by_fold.values())[:3]
    return f"nearest: {', '.join(shown)}"


def _folded(title: str) -> str:
    return " ".join(title.split()).casefold()
