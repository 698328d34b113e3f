"""Reading what an agent said at the end: its files, its checks, what it learned, what went wrong.

What is found here was found, not claimed by a person: it is offered, with the line it came from.
A message is text from anywhere and of any size; reading it is linear in its length and never
fails.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from orch_tui.frozen import frozen
from orch_tui.models.values import OutputType
from orch_tui.record.ledger.doubt import ERROR
from orch_tui.record.messages.message_checks import FoundCheck, Result, find_checks
from orch_tui.record.messages.message_insights import FoundInsight, find_insights
from orch_tui.record.messages.message_lines import MessageLine, MessageLines, read_lines
from orch_tui.record.messages.message_paths import FoundPath, find_paths
from orch_tui.record.messages.patterns import compile_lazily
from orch_tui.record.run_place import RunPlace


@frozen
class Trouble:
    """A sign that the message is not the report it should be."""

    kind: str
    """empty, error, cut off, missing file, contradiction or secret."""
    line: int
    excerpt: str
    """Of a secret its kind: it is not shown once more."""
    file: str = ""
    """The file that is missing."""

    @property
    def subject(self) -> str:
        """What is wrong: the file, or else the line."""
        return self.file or self.excerpt


@frozen
class Findings:
    """All that one message gave away, in the order of its lines."""

    paths: tuple[FoundPath, ...]
    checks: tuple[FoundCheck, ...]
    insights: tuple[FoundInsight, ...]
    troubles: tuple[Trouble, ...]
    text_digest: str = ""
    """What the message is known by."""

    @property
    def deliverables(self) -> tuple[FoundPath, ...]:
        """The files the message claims to have created or changed, that are there.

        A message must not make anyone read ``~/.ssh/id_rsa`` or ``.env``: files outside the
        project and those that secrets are kept in are left to a person to name.
        """
        from orch_tui.prepare.secrets import named_like_one  # reading alone needs none of it

        made = [path for path in self.paths if path.claim in ("created", "modified")]
        return tuple(p for p in made if p.exists and p.inside and not named_like_one(p.path))

    @property
    def outputs(self) -> tuple[tuple[OutputType, str], ...]:
        """What would be recorded of it, in words: a path, ``name:result``, an insight."""
        return (
            *(("deliverable", path.path) for path in self.deliverables),
            *(
                ("validation_result", f"{name}:{result}")
                for name, result in self.validation.items()
            ),
            *(("insight", insight.text) for insight in self.insights),
        )

    @property
    def validation(self) -> dict[str, Result]:
        """The result of each check; where the message contradicts itself, its last word."""
        return {check.name: check.result for check in self.checks}


def read_findings(text: str, place: RunPlace) -> Findings:
    """Read a final message; the files it names are looked for in ``place``."""
    message = read_lines(text)
    paths = tuple(find_paths(message.lines, place))
    checks = tuple(find_checks(message.lines))
    insights = tuple(find_insights(message.lines))
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
    troubles = _find_troubles(text, message, paths, checks, place)
    return Findings(paths, checks, insights, troubles, digest)


def read_troubles(text: str, place: RunPlace) -> tuple[Trouble, ...]:
    """Read only the signs of trouble of a final message, in half the time."""
    message = read_lines(text)
    paths = find_paths(message.lines, place)
    return _find_troubles(text, message, paths, find_checks(message.lines), place)


def _find_troubles(
    text: str,
    message: MessageLines,
    paths: Sequence[FoundPath],
    checks: Sequence[FoundCheck],
    place: RunPlace,
) -> tuple[Trouble, ...]:
    return (
        *_errors(message.lines),
        *_end(message),
        *(() if place.is_gone else _missing(paths)),
        *_contradictions(checks),
        *_secrets(text),
    )


# --- signs of trouble ------------------------------------------------------------------------

_ANNOUNCES = compile_lazily(
    r"(?:^|[.!]\s+)(?:now,?\s+|next,?\s+|first,?\s+)?(?:let me|let['’]s|I['’]ll|I will|I need to"
    r"|I['’]m going to)\s(?!know)[^.!?]{0,300}[.:…]?$",
    re.I,
)
_OPEN_END = compile_lazily(
    r"(?:[,(—–]|(?<![\w/])(?:the|a|an|and|or|to|of|with|in|for|by|from|that|which|is|are|as|on|at|into))$"
)


_SUBJECT_ONLY = compile_lazily(
    r"\b(?:where|because|while|when|if|that|which|whose) (?:the|an?|its?|their) \w{1,30}$", re.I
)
"""A clause without a verb: "where the func"."""
_SENTENCE_END = compile_lazily(r"[.!?…][\"'”’)\]*_`]{0,4}\s+")
_PLAIN_WORD = compile_lazily(r"(?:^|[\s(\"'“‘*_])[a-zà-ÿ]+(?:[-'’][a-z]+)*$")
_COMPLETE = compile_lazily(
    r"^\W*(?:let me know|happy to|feel free|ready|hope|thanks?|please)\b"
    r"|^\W*\w[\w ]{0,30}\W{0,3}:"  # a label
    r"|\b(?:pass\w*|fail\w*|done|completed?|green|clean|fine|ready|well|now|too|etc|questions?"
    r"|review|expected)$",
    re.I,
)
"""Sentences that end here though nobody put a full stop."""


def _errors(lines: Sequence[MessageLine]) -> Iterator[Trouble]:
    if not lines:
        yield Trouble("empty", 1, "")
    for line in lines:
        if line.kind != "code" and ERROR.match(line.content):
            if line.content.startswith("Error: ") and len(lines) > 3:
                continue  # an agent writing about some error
            yield Trouble("error", line.number, line.excerpt)


def _end(message: MessageLines) -> Iterator[Trouble]:
    """A message that stops in the middle, or that ends by announcing what it will do next."""
    if message.unclosed:
        yield Trouble("cut off", message.unclosed.number, message.unclosed.excerpt)
    elif message.lines and (last := message.lines[-1]).kind != "code":
        ending = last.content.rstrip().rstrip("*_")
        stops = last.kind != "row" and (
            _OPEN_END.search(ending) or ending.endswith(":") or ending.count("`") % 2
        )
        if (
            stops
            or _stops_in_prose(message.lines)
            or _ANNOUNCES.search(ending)
            or last.kind == "heading"
        ):
            yield Trouble("cut off", last.number, last.excerpt)


def _stops_in_prose(lines: Sequence[MessageLine]) -> bool:
    """The last paragraph, of more than a line, breaks off; others end as sentences do."""
    last = _paragraph(lines)
    text = " ".join(line.content for line in last)
    sentence = _SENTENCE_END.split(text)[-1]
    if not last or not _PLAIN_WORD.search(text) or _COMPLETE.search(sentence):
        return False
    if _SUBJECT_ONLY.search(text):
        return True
    is_long = len(last) > 1 or len(text) > 80
    return (
        is_long and len(sentence.split()) >= 5 and not _leaves_open(lines[: 1 - len(last) or None])
    )


def _paragraph(lines: Sequence[MessageLine]) -> list[MessageLine]:
    """The last lines, where they are prose, and none where they belong to a list or table."""
    paragraph: list[MessageLine] = []
    for line in reversed(lines):
        if paragraph and paragraph[-1].number - line.number > 1:
            break
        if line.kind in ("item", "row") or line.indent:
            return []
        if line.kind != "text":
            break
        paragraph.append(line)
    return paragraph[::-1]


def _leaves_open(lines: Sequence[MessageLine]) -> bool:
    """Whether the writer ends paragraphs without a full stop."""
    return any(
        line.kind == "text" and line.content[-1:].isalpha() and below.number - line.number > 1
        for line, below in pairwise(lines)
    )


def _missing(paths: Sequence[FoundPath]) -> Iterator[Trouble]:
    for path in paths:
        if path.claim in ("created", "modified") and not path.exists:
            yield Trouble("missing file", path.line, path.excerpt, path.path)


def _secrets(text: str) -> Iterator[Trouble]:
    """What an agent should not have said; it stays as it is, and `orch redact` takes it out."""
    from orch_tui.prepare.secrets import find_secrets

    for found in find_secrets(text):
        yield Trouble("secret", found.line, f"{found.kind}, line {found.line}")


def _contradictions(checks: Sequence[FoundCheck]) -> Iterator[Trouble]:
    said: dict[str, Result] = {}
    for check in checks:
        if {said.get(check.name), check.result} == {"pass", "fail"}:
            yield Trouble("contradiction", check.line, check.excerpt)
        said[check.name] = check.result
