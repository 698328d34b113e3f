"""Parts of a text: sections of Markdown by heading, ranges of lines, and parts by name.

Everything is answered as spans of characters in the original text, so that what is cut out is
exact: no newline is normalised, nothing is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, Protocol

from orch_tui.errors import SourceError
from orch_tui.frozen import frozen
from orch_tui.source_name import split_part_number

if TYPE_CHECKING:
    from markdown_it.token import Token

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_NEWLINE = r"(?:\r\n|\r|\n)"
_FRONT_MATTER = re.compile(
    rf"\A---[ \t]*{_NEWLINE}(?=[\w\"'-]+[ \t]*:|---).*?(?<=[\r\n])---[ \t]*(?=[\r\n]|\Z)", re.S
)


class Span(NamedTuple):
    """Characters ``start`` to ``end`` (exclusive) of a text."""

    start: int
    end: int


@frozen
class Heading:
    """A heading and the span of its section: up to the next heading of its level or above."""

    name: str
    level: int
    span: Span


@lru_cache(maxsize=4)  # the same file is asked for part after part
def find_headings(text: str) -> tuple[Heading, ...]:
    """The headings of a Markdown text in order, ATX and setext (CommonMark 0.31).

    Front matter is skipped: CommonMark would read its last line as a setext heading. Headings in
    code, comments, quotes and lists are text of the section around them.
    """
    from markdown_it import MarkdownIt

    starts = [match.start() for match in _LINE.finditer(text)]
    tokens = _blocks(text)
    inline = MarkdownIt("commonmark")
    found: list[tuple[int, int, str]] = []
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open" and opening.level == 0 and opening.map is not None:
            children = inline.parseInline(content.content)[0].children or []
            title = "".join(" " if "break" in child.type else child.content for child in children)
            found.append((starts[opening.map[0]], int(opening.tag[1:]), title))
    result = []
    following = [len(text)] * 7  # where the next heading of each level is, from the end on
    for start, level, title in reversed(found):
        result.append(Heading(title, level, Span(start, min(following[: level + 1]))))
        following[level] = start
    return tuple(reversed(result))


def find_markdown_skeleton(text: str) -> list[Span]:
    """The headings of a Markdown text, each with the first paragraph under it."""
    starts = [*(match.start() for match in _LINE.finditer(text)), len(text)]
    tokens = _blocks(text)
    spans: list[Span] = []
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map is not None:
            following = tokens[place + 3 : place + 4]
            last = token.map
            if following and following[0].type == "paragraph_open" and following[0].map:
                last = following[0].map
            spans.append(Span(starts[token.map[0]], starts[min(last[1], len(starts) - 1)]))
    return spans


class Named(Protocol):
    """A part of a text that has a name, which others may have too."""

    @property
    def name(self) -> str: ...
    @property
    def span(self) -> Span: ...


def pick_parts(known: Sequence[Named], name: str, *, what: str, source: str) -> list[Span]:
    """The parts with that name: every one, or of several the one that ``name[2]`` counts to.

    A name that differs only in case or spacing counts where no other fits, and then the end of a
    qualified one (``parse`` for ``Parser.parse``) where there is but one. Raises SourceError,
    naming ``source`` and the nearest, where there is none.
    """
    qualify = what == "symbol"
    found = _called(known, name, source, qualify)
    plain, number = split_part_number(name)
    if not found and number is not None and (several := _called(known, plain, source, qualify)):
        if not 1 <= number <= len(several):
            count = f"{len(several)} {what}{'s' if len(several) > 1 else ''}"
            raise SourceError(source, f"has {count} {plain!r}, not {number}")
        return [several[number - 1]]
    if not found:
        raise SourceError(source, f"has no {what} {name!r}", hint=_nearest(known, name, what))
    return found


def join_spans(spans: Iterable[Span]) -> list[Span]:
    """The spans in the order of the text, what overlaps or adjoins as one."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def find_line_span(text: str, first: int, last: int, *, source: str) -> Span:
    """The span of lines ``first`` to ``last``, both included, counted from 1 as editors do.

    Raises SourceError, naming ``source``, for a range that the text does not have.
    """
    spans = [match.span() for match in _LINE.finditer(text)]
    if not 1 <= first <= last:
        raise SourceError(
            source, f"lines {first}-{last} are no range", hint="FIRST-LAST, counted from 1"
        )
    if last > len(spans):
        wanted = f"lines {first}-{last} wanted, it has {len(spans)}"
        hint = f"{first}-{len(spans)} is the rest of it" if first <= len(spans) else ""
        raise SourceError(source, wanted, hint=hint)
    return Span(spans[first - 1][0], spans[last - 1][1])


def _blocks(text: str) -> list[Token]:
    """The blocks of a text. They alone find headings; inline parsing is kept for the titles."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").disable("inline").parse(_without_front_matter(text))


def _without_front_matter(text: str) -> str:
    match = _FRONT_MATTER.match(text)
    if match is None:
        return text
    blank = re.sub(r"[^\r\n]", "", match[0])  # as many lines as before
    return blank + text[match.end() :]


def _called(known: Sequence[Named], name: str, source: str, qualify: bool) -> list[Span]:
    exact = [part.span for part in known if part.name == name]
    if exact:
        return exact
    wanted = _folded(name).replace("::", ".")
    if loose := [part.span for part in known if _folded(part.name) == wanted]:
        return loose
    qualified = f".{name.replace('::', '.')}"
    ending = [part for part in known if part.name.endswith(qualified)] if qualify else []
    if len({part.name for part in ending}) > 1:
        names = ", ".join(dict.fromkeys(part.name for part in ending))
        raise SourceError(source, f"has several of the name {name!r}", hint=f"one of {names}")
    return [part.span for part in ending]


def _nearest(known: Sequence[Named], name: str, what: str) -> str:
    from difflib import get_close_matches

    if not known:
        return f"it has no {what}s"
    by_fold = {_folded(part.name): part.name for part in known}
    short = {fold.rpartition(".")[2]: full for fold, full in by_fold.items()}
    wanted = _folded(name)
    near = [by_fold[fold] for fold in get_close_matches(wanted, by_fold, n=3, cutoff=0.5)]
    near += [short[last] for last in get_close_matches(wanted.rpartition(".")[2], short, n=2)]
    shown = list(dict.fromkeys(near))[:3] or list(by_fold.values())[:3]
    return f"nearest: {', '.join(shown)}"


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
