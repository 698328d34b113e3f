"""A message as lines that know where they stand: under which headings, in which list or fence.

Not a Markdown parser: agents write Markdown loosely (a list without the blank line before it, a
title without marks, a drawn box), and what is wanted is only enough of its shape to tell a list of
created files from a sentence. markdown-it-py, which counts sections, would read each message a
second time, at several times the cost, to answer less. Every line is cut into pieces of bounded
length, so that whatever reads them with a pattern takes time linear in the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from orch_tui.frozen import frozen
from orch_tui.record.messages.other_languages import put_into_english
from orch_tui.record.messages.patterns import compile_lazily
from orch_tui.record.messages.structured_reports import read_report

LONGEST = 2000
"""Characters of one piece; longer lines are cut at a space, or anywhere when there is none."""

Kind = Literal["heading", "item", "row", "text", "code", "quote"]

_ESCAPES = compile_lazily(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_FENCE = compile_lazily(r"(`{3,}|~{3,})\s{0,8}([\w+#.-]{0,30})")
_ATX = compile_lazily(r"(#{1,6})\s+(.*)")
_ITEM = compile_lazily(
    r"(?:[-*+•~–▪◦‣·]|[├└│][─-]{1,4}|\d{1,3}[.)]"
    r"|\d{1,2}(?:\.\d{1,2}){1,3}[.)]?)\s+(?:\[[ xX]\]\s+)?"
)
_BOX = compile_lazily(r"\s*\S{1,4}\s+\[([ xX])\]\s")
_BOLD = compile_lazily(r"(?:[^\w\s*`]{1,4}\s)?(?:\*\*|__)([^*]{1,120})(?:\*\*|__)\s?:?")
_QUOTE = compile_lazily(r"(?:>\s?){1,9}")
_RULE = compile_lazily(r"[\s|:*_=`+─━═—–-]{3,}")
"""A thematic break, the line below the head of a table, the edge of a drawn box."""
_LABELS_PATH = compile_lazily(r"\*\*[^*]{1,80}\*\*:? ?\([`*]*\S*[./]")
"""``**Middleware** (`x.ts`)`` heads a list as others do."""
_UNDERLINE = compile_lazily(r"={3,}|-{3,}")
_EDGE = compile_lazily(
    r"[`*_]{0,3}(\W{0,4}\w[\w &'’-]{1,60}?)[\s:]{0,3}[─━═]{3,}[`*_]{0,3}",
    where=compile_lazily("[─━═]"),
)
"""The upper edge of a drawn box, with its title."""
_ASIDE = compile_lazily(r"\b(?:notes?|issues?|problems?|findings?|details?)\b", re.I)
"""Columns beside those that say what a table is of."""
_LAST_SENTENCE = compile_lazily(r"(?<=[.!?])\s+(?=[A-Z])")
_TITLE = compile_lazily(
    r"\W{0,4}[^\W\d_][^.!?;|`]{1,58}[^\W_)]"
    r"(?:\s{0,2}(?:[✅✔☑❌⏳🔜🚧⬜]\ufe0f?|\([^()]{1,30}\))){0,2}"
)

_BOLD_LEVEL, _INTRO_LEVEL = 7, 8  # below the six levels of headings
_TABLE_LEVEL = _INTRO_LEVEL + LONGEST + 2  # below those of items, which depend on indentation


@frozen
class MessageLine:
    """One line, or a piece of a very long one."""

    number: int
    """From 1, of the line in the message."""
    text: str
    kind: Kind
    indent: int = 0
    content: str = ""
    """The text without heading marks, list marker and indentation."""
    headings: tuple[str, ...] = ()
    """What it stands under, outermost first: headings, bold lines, lines ending in a colon.

    Words of reports in other languages are put into English.
    """
    language: str = ""
    """Of the fence the line of code is in."""

    @property
    def unticked(self) -> bool:
        """A box of a list of things to do that is still empty."""
        return self._box == " "

    @property
    def ticked(self) -> bool:
        """A box that is filled in."""
        return self._box in ("x", "X")

    @property
    def _box(self) -> str:
        box = _BOX.match(self.text) if self.kind == "item" else None
        return box[1] if box else ""

    @property
    def excerpt(self) -> str:
        """The line as it is shown to people, without the marker of a list."""
        shown = self.content if self.kind == "item" else self.text.strip()
        return shown if len(shown) <= 200 else f"{shown[:199]}…"


@frozen
class MessageLines:
    """The lines that are not blank, and the opening of a fence that was never closed."""

    lines: tuple[MessageLine, ...]
    unclosed: MessageLine | None


def read_lines(text: str) -> MessageLines:
    """Cut a message of any size into lines."""
    lines: list[MessageLine] = []
    headings = _Headings()
    fence, opening, quoted_markdown = "", None, False
    fenced_from = 0
    if report := read_report(text):
        return MessageLines(tuple(_report_lines(report, 1)), None)
    for number, piece in _pieces(_unwrapped(text)):
        stripped = piece.strip()
        if not stripped:
            continue
        indent = len(piece) - len(piece.lstrip())
        if fence:
            if stripped.startswith(fence) and not stripped.strip(fence[0]):
                if opening and opening.language in ("json", ""):
                    data = "\n".join(line.text for line in lines[fenced_from:])
                    if report := read_report(data):
                        lines[fenced_from:] = _report_lines(report, opening.number + 1)
                fence, opening = "", None
            else:
                language = opening.language if opening else ""
                place = tuple(headings)
                lines.append(MessageLine(number, piece, "code", indent, stripped, place, language))
            continue
        mark = _FENCE.match(stripped)
        if mark and "`" not in stripped[mark.end() :]:
            fence, language = mark[1], mark[2].lower()
            opening = MessageLine(number, piece, "code", indent, stripped, language=language)
            fenced_from = len(lines)
            if language in ("md", "markdown"):
                quoted_markdown = True
            continue
        above = lines[-1] if lines else None
        if above and above.number == number - 1 and _is_underline(stripped, above):
            lines[-1] = headings.underline(above, 1 if stripped[0] == "=" else 2)
        elif _RULE.fullmatch(stripped):
            headings.rule(stripped, above)
        else:
            lines.append(headings.place(number, piece, indent, stripped, above))
    # A fence inside a quoted Markdown file closes that one early: the last then seems open.
    nested = opening and not opening.language and quoted_markdown
    return MessageLines(tuple(lines), None if nested else opening)


_WRAPPED = compile_lazily(r"\s*(`{3,}|~{3,})(?:md|markdown|ya?ml)\s*\n(?P<inside>.*)\n\1\s*", re.S)


def _unwrapped(text: str) -> str:
    """A message that is put into a fence as a whole is what stands in it, on the same lines."""
    wrapped = _WRAPPED.fullmatch(text)
    if not wrapped:
        return text
    return "\n" * text.count("\n", 0, wrapped.start("inside")) + wrapped["inside"]


def _report_lines(
    report: Iterable[tuple[tuple[str, ...], str]], number: int
) -> Iterator[MessageLine]:
    for headings, content in report:
        yield MessageLine(
            number, content, "item", 0, content[:LONGEST], tuple(map(put_into_english, headings))
        )


def _is_underline(text: str, above: MessageLine) -> bool:
    is_title = above.kind == "text" and not above.indent and _TITLE.fullmatch(above.content)
    return bool(is_title and _UNDERLINE.fullmatch(text))


class _Headings:
    """The headings in force, each with its level; deeper ones end where a higher begins."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []
        self._items_seen = False
        self._boxed = False

    def __iter__(self) -> Iterator[str]:
        return (heading for _, heading in self._open)

    def place(
        self, number: int, text: str, indent: int, stripped: str, above: MessageLine | None
    ) -> MessageLine:
        """Say what a line is and what it stands under; ``above`` is the one before it."""
        if quote := _QUOTE.match(stripped):
            return MessageLine(number, text, "quote", indent, stripped[quote.end() :], tuple(self))
        marker = _ITEM.match(stripped)
        content = stripped[marker.end() :] if marker else stripped
        if atx := _ATX.match(stripped):
            return self._begin(len(atx[1]), MessageLine(number, text, "heading", indent, atx[2]))
        if not marker and (edge := _EDGE.fullmatch(stripped)):
            self._boxed = True
            return self._begin(_BOLD_LEVEL, MessageLine(number, text, "heading", indent, edge[1]))
        if not marker and (bold := _BOLD.fullmatch(stripped)):
            return self._begin(_BOLD_LEVEL, MessageLine(number, text, "heading", indent, bold[1]))
        if marker or indent > 1 or stripped.startswith("|"):
            self._title(above, number, indent)
        if not stripped.startswith("|"):
            self._end(_TABLE_LEVEL)
        if marker:
            self._end(_INTRO_LEVEL + 1 + indent)
            kind: Kind = "item"
        elif stripped.startswith("|"):
            kind = "row"
        else:
            kind = "text"
        # A paragraph behind a list no longer belongs to what introduced the list.
        closing = (
            kind == "text" and self._items_seen and not indent and not _LABELS_PATH.match(content)
        )
        if closing:
            self._end(_INTRO_LEVEL)
        self._items_seen = self._items_seen or kind != "text"
        line = MessageLine(number, text, kind, indent, content, () if closing else tuple(self))
        introduction = _LAST_SENTENCE.split(content)[-1]
        if content.rstrip("*_ ").endswith((":", "：")) and len(introduction) <= 120:
            level = _INTRO_LEVEL + (1 + indent if marker else 0)
            self._end(level)
            self._open.append((level, put_into_english(introduction)))
            self._items_seen = False
        return line

    def _title(self, above: MessageLine | None, number: int, indent: int) -> None:
        """A short line without a full stop above a list is its heading, whatever its marks.

        So is an item of few words that has items of its own.
        """
        if above is None or not _TITLE.fullmatch(above.content):
            return
        if above.kind == "item" and indent > above.indent and above.content.count(" ") < 3:
            level = _INTRO_LEVEL + 1 + above.indent
        elif above.kind == "text" and not above.indent and number - above.number <= 2:
            level = _INTRO_LEVEL
        else:
            return
        heading = put_into_english(above.content)
        if not self._open or self._open[-1][1] != heading:
            self._end(level)
            self._open.append((level, heading))
            self._items_seen = False

    def underline(self, line: MessageLine, level: int) -> MessageLine:
        """Make a heading of a line that turns out to be underlined."""
        return self._begin(
            level, MessageLine(line.number, line.text, "heading", line.indent, line.content)
        )

    def rule(self, text: str, above: MessageLine | None) -> None:
        """The lower edge of a box ends what its upper edge began; a table begins with its"
        " head."""
        if above and above.kind == "row" and "|" in text:
            head = _ASIDE.sub("", put_into_english(above.content))
            self._open.append((_TABLE_LEVEL, head))
        if self._boxed and any(mark in text for mark in "─━═"):
            self._end(_BOLD_LEVEL)
            self._boxed = False

    def _begin(self, level: int, line: MessageLine) -> MessageLine:
        if level == _BOLD_LEVEL and not self._items_seen and self._open:
            last, introduction = self._open[-1]
            if last == _INTRO_LEVEL:  # "What I did:" above bold lines introduces them all
                self._open[-1] = (_BOLD_LEVEL - 1, introduction)
        self._end(level)
        placed = MessageLine(
            line.number, line.text, line.kind, line.indent, line.content, tuple(self)
        )
        self._open.append((level, put_into_english(line.content)))
        self._items_seen = False
        return placed

    def _end(self, level: int) -> None:
        while self._open and self._open[-1][0] >= level:
            self._open.pop()


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.rstrip("\r")
        if "\x1b" in line:
            line = _ESCAPES.sub("", line)
        start = 0
        while len(line) - start > LONGEST:
            cut = line.rfind(" ", start, start + LONGEST)
            cut = cut if cut > start else start + LONGEST
            yield number, line[start:cut]
            start = cut
        yield number, line[start:]
