"""Reading what an agent said at the end: its files, its checks, what it learned, what went wrong.

What is found here was found, not claimed by a person: it is offered, with the line it came from.
A message is text from anywhere and of any size; reading it is linear in its length and never
fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orch_tui.record.message_checks import FoundCheck, Result, find_checks
from orch_tui.record.message_lines import Line, Message, read_lines
from orch_tui.record.message_paths import FoundPath, find_paths


@dataclass(frozen=True, slots=True)
class FoundInsight:
    """Something the agent learned."""

    text: str
    line: int
    excerpt: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A sign that the message is not the report it should be."""

    kind: str
    """empty, error, cut off, missing file or contradiction."""
    line: int
    excerpt: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All that one message gave away, in the order of its lines."""

    paths: tuple[FoundPath, ...]
    checks: tuple[FoundCheck, ...]
    insights: tuple[FoundInsight, ...]
    troubles: tuple[Trouble, ...]

    @property
    def deliverables(self) -> tuple[FoundPath, ...]:
        """The files the message claims to have created or changed, that are there.

        A message must not make anyone read ``~/.ssh/id_rsa`` or ``.env``: files outside the
        project and those that secrets are kept in are left to a person to name.
        """
        from orch_tui.prepare.sources import looks_secret  # reading alone needs none of it

        made = [path for path in self.paths if path.claim in ("created", "modified")]
        return tuple(p for p in made if p.exists and p.inside and not looks_secret(p.path))

    @property
    def validation(self) -> dict[str, Result]:
        """The result of each check; where the message contradicts itself, its last word."""
        return {check.name: check.result for check in self.checks}


def read(text: str, root: Path) -> Findings:
    """Read a final message; paths are checked against the project at ``root``."""
    message = read_lines(text)
    paths = find_paths(message.lines, root)
    checks = find_checks(message.lines)
    troubles = [
        *_errors(message.lines),
        *_end(message),
        *_missing(paths),
        *_contradictions(checks),
    ]
    insights = _insights(message.lines)
    return Findings(tuple(paths), tuple(checks), tuple(insights), tuple(troubles))


# --- insights --------------------------------------------------------------------------------

_ABOUT_INSIGHTS = (
    r"(?:key\s+|important\s+|main\s+|additional\s+|technical\s+)?"
    r"(?:insights?|findings?|learnings?|lessons?(?: learned)?|take-?aways?|notes?|observations?"
    r"|discover(?:y|ies)|gotchas?|what (?:i|we) learned)"
)
_HEADING = re.compile(rf"[\W\d_]{{0,12}}{_ABOUT_INSIGHTS}\b[^\w]{{0,6}}\Z", re.I)
_INLINE = re.compile(
    rf"(?:^|[.!]\s)[*_\W]{{0,6}}{_ABOUT_INSIGHTS}[*_]{{0,3}}\s?[:—–]\s?[*_]{{0,3}}(.{{8,}})", re.I
)


def _insights(lines: Sequence[Line]) -> list[FoundInsight]:
    """The points under a heading such as *Key findings*, and lines such as ``Note: …``."""
    found: list[FoundInsight] = []
    margin = 0
    under = ""
    for line in lines:
        heading = next((each for each in reversed(line.headings) if _HEADING.match(each)), "")
        inline = _INLINE.search(line.content)
        if line.kind == "code" or line.kind == "heading":
            continue
        if inline and not _HEADING.match(line.content):
            found.append(FoundInsight(_plain(inline[1]), line.number, line.excerpt))
        elif heading and not _HEADING.match(line.content):
            if heading != under:
                margin = line.indent
            if found and heading == under and line.indent > margin:  # belongs to the one above
                last = found[-1]
                found[-1] = FoundInsight(
                    f"{last.text}\n{_plain(line.content)}", last.line, last.excerpt
                )
            else:
                found.append(FoundInsight(_plain(line.content), line.number, line.excerpt))
        under = heading
    return found


def _plain(text: str) -> str:
    return re.sub(r"\*\*|__", "", text).strip()


# --- signs of trouble ------------------------------------------------------------------------

_ERROR = re.compile(
    r"[\W_]{0,6}(?:API Error\b|(?:\w{1,20}\s+)?rate limit (?:reached|exceeded|error)"
    r"|Prompt is too long|\[?Request interrupted by user|Credit balance is too low"
    r"|Invalid API key|(?:Claude(?: AI)? )?usage limit reached|\d-hour limit reached"
    r"|You['’]ve hit your (?:\w{1,10} )?limit|overloaded_error|Context (?:low|limit reached)"
    r"|Conversation too long|Execution error\b|Internal server error|Connection error\b"
    r"|Request timed out|Agent terminated|Error: )",
    re.I,
)
_ANNOUNCES = re.compile(
    r"(?:^|[.!]\s+)(?:now,?\s+|next,?\s+|first,?\s+)?(?:let me|let['’]s|I['’]ll|I will|I need to"
    r"|I['’]m going to)\s(?!know)[^.!?]{0,300}[.:…]?$",
    re.I,
)
_OPEN_END = re.compile(
    r"(?:[,(—–]|\b(?:the|a|an|and|or|to|of|with|in|for|by|from|that|which|is|are|as|on|at|into))$"
)


def _errors(lines: Sequence[Line]) -> Iterator[Trouble]:
    if not lines:
        yield Trouble("empty", 1, "")
    for line in lines:
        if line.kind != "code" and _ERROR.match(line.content):
            if line.content.startswith("Error: ") and len(lines) > 3:
                continue  # an agent writing about some error
            yield Trouble("error", line.number, line.excerpt)


def _end(message: Message) -> Iterator[Trouble]:
    """A message that stops in the middle, or that ends by announcing what it will do next."""
    if message.unclosed:
        yield Trouble("cut off", message.unclosed.number, message.unclosed.excerpt)
    elif message.lines and (last := message.lines[-1]).kind != "code":
        ending = last.content.rstrip().rstrip("*_")
        stops = last.kind != "row" and (
            _OPEN_END.search(ending) or ending.endswith(":") or ending.count("`") % 2
        )
        if stops or _ANNOUNCES.search(ending) or last.kind == "heading":
            yield Trouble("cut off", last.number, last.excerpt)


def _missing(paths: Sequence[FoundPath]) -> Iterator[Trouble]:
    for path in paths:
        if path.claim in ("created", "modified") and not path.exists:
            yield Trouble("missing file", path.line, path.excerpt)


def _contradictions(checks: Sequence[FoundCheck]) -> Iterator[Trouble]:
    said: dict[str, Result] = {}
    for check in checks:
        if {said.get(check.name), check.result} == {"pass", "fail"}:
            yield Trouble("contradiction", check.line, check.excerpt)
        said[check.name] = check.result
