"""The patterns of ignore files, read as git reads them: in bytes, quirks included.

The rules are those of gitignore(5) and of git's own wildcard matching (``wildmatch``). ``pathspec``
was used before: it works on text, so that ``?`` met letters of several bytes, and parted from git
where carriage returns, escapes, open brackets and ``**`` beside other signs are concerned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_SPECIAL = re.compile(rb"[*?\[\\]")
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_UPPER = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LOWER = _LETTERS - _UPPER
_DIGITS = frozenset(b"0123456789")
_PRINTED = frozenset(range(33, 127))
_CLASSES = {
    b"alnum": _LETTERS | _DIGITS,
    b"alpha": _LETTERS,
    b"blank": frozenset(b" \t"),
    b"cntrl": frozenset(range(32)) | {127},
    b"digit": _DIGITS,
    b"graph": _PRINTED,
    b"lower": _LOWER,
    b"print": _PRINTED | {32},
    b"punct": _PRINTED - _LETTERS - _DIGITS,
    b"space": frozenset(b" \t\n\r"),
    b"upper": _UPPER,
    b"xdigit": _DIGITS | frozenset(b"abcdefABCDEF"),
}
"""By name, the bytes of ASCII: git asks no locale, and counts no vertical tab as space."""

_LONGEST = 4096
"""Bytes of a path: no system has a longer one, so that a longer pattern meets none."""


_MOST_WILD, _MOST_COMPILED = 1_000, 64 << 10
"""Patterns with wildcards in one file, and bytes of their expressions, the last ones: more would
take long to compile and to ask, and only who means harm writes them."""
_ASKED_AT_ONCE = 64
"""Patterns: nothing else of this process goes on while an expression is asked."""


class IgnorePattern(NamedTuple):
    """One line of an ignore file."""

    text: bytes
    """Without ``!``, a slash at the end, and one at the beginning."""
    negated: bool
    """It takes back what patterns before it leave out."""
    folders_only: bool
    anywhere: bool
    """It is met by names in any folder, not by paths from the file's own."""


def parse_ignore_file(data: bytes) -> list[IgnorePattern]:
    """Parse an ignore file: its patterns in their order."""
    lines = data.removeprefix(BYTE_ORDER_MARK).split(b"\n")
    return [
        parse_pattern(_trim_blanks(line.removesuffix(b"\r").partition(b"\0")[0]))
        for line in lines
        if line and not line.startswith(b"#")
    ]


def parse_pattern(line: bytes) -> IgnorePattern:
    """Parse a line that is no comment, without its end."""
    negated = line.startswith(b"!")
    text = line[1:] if negated else line
    folders_only = text.endswith(b"/")
    text = text[:-1] if folders_only else text
    anywhere = b"/" not in text
    return IgnorePattern(text.removeprefix(b"/"), negated, folders_only, anywhere)


def _trim_blanks(line: bytes) -> bytes:
    """Take away the blanks at the end of a line that no backslash keeps."""
    end = len(line.rstrip(b" "))
    kept = line[:end]
    escapes = end - len(kept.rstrip(b"\\"))
    return line[: end + 1] if escapes % 2 and end < len(line) else kept


class PatternList:
    """The patterns of one ignore file; the last one that a path meets decides."""

    def __init__(self, patterns: Iterable[IgnorePattern], *, ignore_case: bool = False) -> None:
        self.patterns = tuple(patterns)
        self.ignore_case = ignore_case

    def find_verdict(self, path: bytes, *, is_folder: bool) -> bool | None:
        """Find whether a path, from the file's folder on, is left out; None: no pattern is met."""
        table = self._for_folders if is_folder else self._for_files
        number = table.find_last(path)
        return None if number < 0 else not self.patterns[number].negated

    @cached_property
    def _for_folders(self) -> _Table:
        return _Table(list(enumerate(self.patterns)), self.ignore_case)

    @cached_property
    def _for_files(self) -> _Table:
        numbered = [each for each in enumerate(self.patterns) if not each[1].folders_only]
        return _Table(numbered, self.ignore_case)


class _Table:
    """Patterns by how they can be looked up: a tree of 100,000 files meets each of them."""

    def __init__(self, patterns: Sequence[tuple[int, IgnorePattern]], ignore_case: bool) -> None:
        self._fold = ignore_case
        self._names: dict[bytes, int] = {}
        self._paths: dict[bytes, int] = {}
        endings: dict[int, dict[bytes, int]] = {}
        wild_names: list[tuple[int, bytes]] = []
        wild_paths: list[tuple[int, bytes]] = []
        for number, pattern in patterns:
            text = pattern.text
            folded = text.lower() if ignore_case else text
            special = _SPECIAL.search(text)
            if not text:
                continue  # git keeps such lines, and no name is empty
            if special is None:
                (self._names if pattern.anywhere else self._paths)[folded] = number
            elif pattern.anywhere and text[:1] == b"*" and not _SPECIAL.search(text, 1):
                endings.setdefault(len(text) - 1, {})[folded[1:]] = number
            else:
                (wild_names if pattern.anywhere else wild_paths).append((number, text))
        self._endings = list(endings.items())
        self._wild_names = _Alternatives(wild_names, ignore_case)
        self._wild_paths = _Alternatives(wild_paths, ignore_case)

    def find_last(self, path: bytes) -> int:
        """Find the number of the last pattern that a path meets, -1: of none."""
        name = path[path.rfind(b"/") + 1 :]
        folded = name.lower() if self._fold else name
        last = self._names.get(folded, -1)
        size = len(folded)
        for length, numbers in self._endings:
            if length <= size and (number := numbers.get(folded[size - length :], -1)) > last:
                last = number
        if self._paths:
            last = max(last, self._paths.get(path.lower() if self._fold else path, -1))
        return max(last, self._wild_names.find_last(name), self._wild_paths.find_last(path))


class _Alternatives:
    """Many patterns with wildcards asked as few expressions, the last of them first."""

    def __init__(self, numbered: Sequence[tuple[int, bytes]], ignore_case: bool) -> None:
        size = 0
        kept: list[tuple[int, bytes]] = []
        for number, text in reversed(numbered[-_MOST_WILD:]):
            regex = translate_pattern(text, ignore_case=ignore_case)
            if regex is None:
                continue
            size += len(regex)
            if size > _MOST_COMPILED:
                break
            kept.append((number, b"(" + regex + b")"))
        groups = (kept[at : at + _ASKED_AT_ONCE] for at in range(0, len(kept), _ASKED_AT_ONCE))
        self._groups = [
            (
                [number for number, _ in group],
                re.compile(rb"(?s:" + b"|".join(regex for _, regex in group) + rb")\Z").match,
            )
            for group in groups
        ]

    def find_last(self, text: bytes) -> int:
        for numbers, match in self._groups:
            if (found := match(text)) and found.lastindex:
                return numbers[found.lastindex - 1]
        return -1


def translate_pattern(pattern: bytes, *, ignore_case: bool = False) -> bytes | None:
    """Translate a pattern with wildcards to a regular expression; None: nothing can meet it.

    It has no groups of its own, and looks at no more ways than a hostile pattern is long: what
    stands between two stars is met as early as it can be (atomic groups), which loses nothing.
    """
    # What comes before the first wildcard is compared by itself, so that `a**/b` begins with `**`.
    special = _SPECIAL.search(pattern)
    at = special.start() if special else len(pattern)
    head = b"".join(_set_of(_cases(byte, ignore_case)) for byte in pattern[:at])
    tokens = _tokens(pattern, at, ignore_case)
    if tokens is None or at + len(tokens) > 2 * _LONGEST:
        return None
    return head + _atomic(tokens)


class _Star(NamedTuple):
    """A run of stars."""

    over_folders: bool
    then_slash: bool
    """The slash behind it is part of it: both may stand for nothing."""


def _tokens(pattern: bytes, at: int, ignore_case: bool) -> list[_Star | bytes] | None:
    """Each star, and for all else the expression of one byte; None: nothing can meet it."""
    tokens: list[_Star | bytes] = []
    start, end = at, len(pattern)
    while at < end:
        sign = pattern[at]
        if sign == ord("*"):
            behind = at
            while behind < end and pattern[behind] == ord("*"):
                behind += 1
            rest = pattern[behind : behind + 2]
            alone = at == start or pattern[at - 1] == ord("/")
            over = behind - at > 1 and alone and (not rest or rest[:1] == b"/" or rest == b"\\/")
            slash = over and rest[:1] == b"/"
            tokens.append(_Star(over, slash))
            at = behind + slash
        elif sign == ord("?"):
            tokens.append(rb"[^/]")
            at += 1
        elif sign == ord("["):
            found = _bracket(pattern, at + 1, ignore_case)
            if found is None:
                return None
            members, at = found
            tokens.append(_set_of(members - {ord("/")}))
        elif sign == ord("\\"):
            if at + 1 == end:
                return None
            # git folds the name's letters and not one behind a backslash: no name meets it.
            escaped = pattern[at + 1]
            unmet = ignore_case and escaped in _UPPER
            tokens.append(_set_of(frozenset() if unmet else _cases(escaped, ignore_case)))
            at += 2
        else:
            tokens.append(_set_of(_cases(sign, ignore_case)))
            at += 1
    return tokens


def _atomic(tokens: Sequence[_Star | bytes]) -> bytes:
    """Join tokens: those up to the next star that reaches as far are met once and kept."""
    outer: list[list[_Star | bytes]] = [[]]
    for token in tokens:
        if isinstance(token, _Star) and token.over_folders:
            outer.append([])
        outer[-1].append(token)
    *kept, last = [_within_folders(part) for part in outer]
    return b"".join(b"(?>" + part + b")" for part in kept if part) + last


def _within_folders(tokens: Sequence[_Star | bytes]) -> bytes:
    """The expression of what holds at most one star over folders, at its beginning."""
    runs: list[list[bytes]] = [[]]
    for token in tokens:
        if not isinstance(token, _Star):
            runs[-1].append(token)
        elif not token.over_folders:
            runs.append([rb"[^/]*?"])
        elif token.then_slash:
            runs[-1].append(rb"(?:.*?/)??")
        else:
            runs[-1].append(rb".*?")
    first, *starred = [b"".join(run) for run in runs]
    if not starred:
        return first
    *kept, last = starred
    return first + b"".join(b"(?>" + run + b")" for run in kept) + last


def _bracket(pattern: bytes, at: int, ignore_case: bool) -> tuple[frozenset[int], int] | None:
    """The bytes between brackets, and where these end; None: they do not, or name no class."""
    end = len(pattern)
    negated = pattern[at : at + 1] in (b"!", b"^")
    at += negated
    members: set[int] = set()
    before = 0
    first = True
    while first or pattern[at] != ord("]"):
        first = False
        if at >= end:
            return None
        sign = pattern[at]
        if sign == ord("\\"):
            at += 1
            if at >= end:
                return None
            members.add(sign := pattern[at])
        elif sign == ord("-") and before and at + 1 < end and pattern[at + 1] != ord("]"):
            at += 1
            if pattern[at] == ord("\\"):
                at += 1
                if at >= end:
                    return None
            span = frozenset(range(before, pattern[at] + 1))
            members |= span
            if ignore_case:
                members |= {byte + 32 for byte in span & _UPPER}
            sign = 0
        elif sign == ord("[") and pattern[at + 1 : at + 2] == b":":
            close = pattern.find(b"]", at + 2)
            if close < 0:
                return None
            if close == at + 2 or pattern[close - 1] != ord(":"):
                members.add(sign)
            else:
                named = _CLASSES.get(pattern[at + 2 : close - 1])
                if named is None:
                    return None
                members |= named
                if ignore_case and named is _UPPER:
                    members |= _LOWER
                at, sign = close, 0
        else:
            members.add(sign)
        before = sign
        at += 1
        if at >= end:
            return None
    found = frozenset(range(1, 256)) - members if negated else frozenset(members)
    if ignore_case:  # names are compared in lower case
        found = found - _UPPER | {byte - 32 for byte in found & _LOWER}
    return found, at + 1


def _cases(byte: int, ignore_case: bool) -> frozenset[int]:
    if not ignore_case or byte not in _LETTERS:
        return frozenset((byte,))
    return frozenset((byte | 32, byte & ~32))


def _set_of(members: frozenset[int] | set[int]) -> bytes:
    """The expression of one byte out of some."""
    if not members:
        return rb"(?!)"
    spans: list[list[int]] = []
    for byte in sorted(members):
        if spans and byte == spans[-1][1] + 1:
            spans[-1][1] = byte
        else:
            spans.append([byte, byte])
    ((start, end), *more) = spans
    if start == end and not more:
        return re.escape(bytes((start,)))
    return b"[" + b"".join(b"\\x%02x-\\x%02x" % (first, last) for first, last in spans) + b"]"
