"""The files a message speaks of, and whether it claims to have made, changed or removed them.

Two questions, answered apart: is it a path (``path_forms``), and is it claimed (``path_claims``)?
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest

from orch_tui.frozen import frozen
from orch_tui.record.messages.message_lines import MessageLine
from orch_tui.record.messages.path_claims import (
    Claim,
    begins_with_verb,
    is_about_future,
    read_claims,
    read_gaps,
    read_listed_claim,
    read_section_claim,
)
from orch_tui.record.messages.path_forms import (
    DECORATION,
    PathPlace,
    ProjectDisk,
    find_places,
    read_place,
)
from orch_tui.record.messages.patterns import compile_lazily
from orch_tui.record.messages.work_reports import is_news, tells_of_work
from orch_tui.record.run_place import PlacedFile, RunPlace


@frozen
class FoundPath:
    """A file the message names."""

    path: str
    """Relative to its working tree where that is of the project, else absolute."""
    claim: Claim
    """What the message says was done to it; empty: it is merely mentioned."""
    exists: bool
    inside: bool
    """Inside the project, links followed."""
    line: int
    excerpt: str
    placed: PlacedFile


def find_paths(lines: Iterable[MessageLine], place: RunPlace) -> list[FoundPath]:
    """Every file named, once, in the order of first mention, checked against the disk."""
    disk = ProjectDisk(place)
    lines = list(lines)
    mentions = list(_mentions(lines, disk))
    claims_any = any(mention.claim in ("created", "modified") for mention in mentions)
    if tells_of_work(lines, claims_any=claims_any):
        mentions = list(_as_reported(mentions, disk))
    mentions = [mention for mention in mentions if mention.is_certain or mention.claim]
    full_names = _full_names(mentions)
    found: dict[str, list[_Mention]] = {}
    for mention in mentions:
        found.setdefault(full_names.get(mention.path, mention.path), []).append(mention)
    return [_found(path, said, disk) for path, said in found.items()]


@frozen
class _Mention:
    path: str
    claim: Claim
    line: MessageLine
    is_certain: bool = True
    """A path by its form or by the disk; otherwise only where it is claimed."""
    places: tuple[PathPlace, ...] = ()
    """The paths of its line, of which it is that of ``index``."""
    index: int = 0
    below: MessageLine | None = None


def _as_reported(mentions: Sequence[_Mention], disk: ProjectDisk) -> Iterator[_Mention]:
    """Claim what a report of work has news of and is there, where no mention says that it"
    " stays."""
    news = [
        not mention.claim
        and bool(mention.places)
        and disk.is_file(mention.path)
        and is_news(mention.line, mention.places, mention.index, mention.below)
        for mention in mentions
    ]
    stand = {mention.path for mention, told in zip(mentions, news, strict=True) if told is None}
    for mention, told in zip(mentions, news, strict=True):
        if told and mention.path not in stand:
            is_new = read_section_claim(mention.line) == "created"
            yield _Mention(mention.path, "created" if is_new else "modified", mention.line)
        elif mention.claim and mention.line.kind == "code" and mention.path in stand:
            yield _Mention(mention.path, "", mention.line)  # git lists what others left there, too
        else:
            yield mention


def _found(path: str, said: Sequence[_Mention], disk: ProjectDisk) -> FoundPath:
    claims = [mention for mention in said if mention.claim]
    # What was made and then removed is gone; what was made and then changed is still new.
    lasting = [mention for mention in claims if mention.claim != "modified"]
    best = (lasting or claims or said)[-1 if lasting else 0]
    return FoundPath(
        path,
        best.claim,
        disk.is_file(path),
        disk.is_inside(path),
        best.line.number,
        best.line.excerpt,
        disk.placed(path),
    )


def _full_names(mentions: Iterable[_Mention]) -> dict[str, str]:
    """Short names (``index.ts``) of files that are also given by exactly one longer name."""
    paths = dict.fromkeys(mention.path for mention in mentions)
    longer: dict[str, list[str]] = {}
    for path in paths:
        longer.setdefault(os.path.basename(path), []).append(path)
    full: dict[str, str] = {}
    for name, candidates in longer.items():
        others = [path for path in candidates if path != name]
        if name in paths and len(others) == 1:
            full[name] = others[0]
    return full


def _is_alone(line: MessageLine, places: Sequence[PathPlace]) -> bool:
    """Tell whether a line is nothing but a path."""
    return len(places) == 1 and not any(gap.strip(DECORATION) for gap in read_gaps(line, places))


def _mentions(lines: Sequence[MessageLine], disk: ProjectDisk) -> Iterator[_Mention]:
    subject: _Mention | None = None  # the file that the lines below speak of
    tree = _Tree()
    for line, below in zip_longest(lines, islice(lines, 1, None)):
        if line.kind == "code":
            yield from _in_code(line, tree, disk)
            continue
        tree = _Tree()
        if line.kind == "quote" or _RAN.fullmatch(line.text):
            continue
        places = tuple(find_places(line.content, disk))
        if not places:
            if line.kind == "heading":
                subject = None
            elif subject and not subject.claim and _describes(line, subject.line):
                subject = _Mention(subject.path, "modified", line)
                yield subject
            continue
        claims = read_claims(line, places)
        mentions = [
            _Mention(place.path, claim, line, place.certain, places, index, below)
            for index, (place, claim) in enumerate(zip(places, claims, strict=True))
        ]
        yield from mentions
        leads = not line.content[: places[0].start].strip(DECORATION)
        first = mentions[0]
        if (leads or line.kind == "heading") and (first.is_certain or first.claim):
            subject = first
        elif line.kind == "heading" or not subject or line.indent <= subject.line.indent:
            subject = None


def _describes(line: MessageLine, subject: MessageLine) -> bool:
    """A line below its subject that begins by saying what was done."""
    below = line.indent > subject.indent or subject.kind == "heading"
    says = begins_with_verb(line.content.lstrip("*_ "))
    return below and says and not is_about_future(line)


_RAN = compile_lazily(
    r"\s*(?:PASS|FAIL|ok|[✓✔✗✘×❯√])\s+\S{1,400}\s+(?:\(\d{1,6}(?: tests?)?\)"
    r"|\(?\d{1,6}(?:\.\d+)? ?m?s\)?)"
    r"(?: \d{1,6} ?ms)?\s*|\s*(?:PASS|FAIL)\s+\S{1,400}\s*"
)
"""What a runner of tests prints of a file: ``✓ src/App.test.tsx (4)``."""
_PLAIN_LANGUAGES = ("", "text", "txt", "plaintext", "console", "tree")
_MARKED = compile_lazily(
    r"(?:(?P<git>[AMD?+~-]{1,2})\s{1,4}"
    r"|(?P<verb>new file|modified|deleted|create mode \d{6}):?\s+)?"
    r"(?P<path>\S{1,400})(?:\s+(?P<rest>\S.{0,200}))?"
)
_MARKS: dict[str, Claim] = {
    **dict.fromkeys(("A", "??", "+", "new file", "create mode"), "created"),
    **dict.fromkeys(("M", "MM", "AM", "~", "modified"), "modified"),
    **dict.fromkeys(("D", "-", "deleted"), "deleted"),
}


def _in_code(line: MessageLine, tree: _Tree, disk: ProjectDisk) -> Iterator[_Mention]:
    """A listing of files: bare, as git prints it, or drawn as a tree."""
    if line.language in ("diff", "patch"):
        yield from _in_diff(line, disk)
    if line.language not in _PLAIN_LANGUAGES:
        return
    text = tree.whole(line.text)
    marked = _MARKED.fullmatch(text)
    if not marked or len(text) > 500:
        return
    rest = marked["rest"] or ""
    if rest and rest[0] not in "#(<[←-–—|+":  # a sentence or a command, not a listing
        return
    start = max(line.content.find(marked["path"]), 0)
    place = read_place(marked["path"], start, start + len(marked["path"]), disk, quoted=True)
    if place and place.certain:
        mark = marked["git"] or re.sub(r" \d+", "", marked["verb"] or "")
        claim = _MARKS.get(mark) or read_listed_claim(line, rest)
        yield _Mention(place.path, claim, line, places=(place,))


def _in_diff(line: MessageLine, disk: ProjectDisk) -> Iterator[_Mention]:
    """The file that a change goes to, unless it is one that is still to be made."""
    changed = _CHANGED.fullmatch(line.content)
    place = read_place(changed["path"], 0, 0, disk, quoted=True) if changed else None
    if place and place.certain and not is_about_future(line):
        yield _Mention(place.path, "modified", line)


_CHANGED = compile_lazily(r"\+\+\+ (?:b/)?(?P<path>\S{1,400})(?:\t.{0,100})?")


_DRAWN = compile_lazily(r"[\s|]{0,80}[|`+\\]-{1,3} ")
"""A branch of a tree that is drawn without box characters."""


class _Tree:
    """Puts the names of a drawn folder tree under their folders."""

    def __init__(self) -> None:
        self._folders: list[tuple[int, str]] = []

    def whole(self, text: str) -> str:
        """The line with the full path in place of a tree's name; other lines as they are."""
        name = text.lstrip(" \t│├└─|`+\\-\xa0")
        drawn = any(mark in text for mark in "├└│") or bool(_DRAWN.match(text))
        if not drawn:
            self._folders = [(-1, name.split()[0])] if name.split()[:1] and "/" in name else []
            if self._folders and not self._folders[0][1].endswith("/"):
                self._folders = []
            return text.strip()
        column = len(text) - len(name)
        while self._folders and self._folders[-1][0] >= column:
            self._folders.pop()
        parents = "".join(folder for _, folder in self._folders)
        first = name.split()[0] if name.split() else ""
        if first.endswith("/"):
            self._folders.append((column, first))
        return parents.removeprefix("./") + name.strip()
