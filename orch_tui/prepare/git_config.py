"""What git's configuration says, read from its files (git-config); git is not run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from orch_tui.paths import first_line
from orch_tui.prepare.ignore_patterns import BYTE_ORDER_MARK, translate_pattern
from orch_tui.prepare.plain_bytes import read_bytes

_MOST_BYTES = 1_000_000
_DEEPEST = 10
"""Files that include one another, as in git."""

_MOST_FILES = 200
"""Files read in all: a few that include one another several times would be read for ever."""

_HEADER = re.compile(rb'\[([A-Za-z0-9.-]+)(?:[ \t]+"((?:[^"\\\n]|\\[^\n])*)")?\]')
_MOST_IN_ALL = 2_000_000
"""Bytes read in all: reading takes a second for so many."""

_NUMBER = re.compile(r"[+-]?(?:0x([0-9a-f]+)|([0-9]+))[kmg]?")
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9-]*")
_ESCAPED = {ord("n"): b"\n", ord("t"): b"\t", ord("b"): b"\b", ord('"'): b'"', ord("\\"): b"\\"}


class ConfigFiles(NamedTuple):
    """Where the configuration of one repository is looked for."""

    folder: str = ""
    """The repository's own folder; empty: there is no repository."""
    common: str = ""
    """The folder it shares with its linked worktrees."""


def read_config(files: ConfigFiles) -> Mapping[str, str]:
    """Read all that counts for a repository: by section and name in small letters, the last value.

    Names with a subsection have it between the two as it is written. A name alone is ``true``.
    """
    found: dict[str, str] = {}
    left = _WhatIsLeft()
    for path in _list_users_files():
        found.update(_parse_file(path, files, left))
    if files.common:
        found.update(_parse_file(os.path.join(files.common, "config"), files, left))
    if files.folder and is_true(found.get("extensions.worktreeconfig", "")):
        found.update(_parse_file(os.path.join(files.folder, "config.worktree"), files, left))
    return found


class _WhatIsLeft:
    """How much may be read still: files can include one another, and themselves."""

    def __init__(self) -> None:
        self._files, self._bytes = _MOST_FILES, _MOST_IN_ALL

    def read(self, path: str) -> bytes:
        """Read a file; empty: there is nothing in it, or it is too much."""
        if not self._files:
            return b""
        data = read_bytes(path, min(_MOST_BYTES, self._bytes)) or b""
        self._files -= 1
        self._bytes -= len(data)
        return data


def is_true(value: str) -> bool:
    """Read a value as git reads yes and no."""
    low = value.lower()
    number = _NUMBER.fullmatch(low)
    return low in ("true", "yes", "on") or bool(number and (number[1] or number[2]).strip("0"))


def expand_path(value: str) -> str:
    """Expand ``~`` in a path of the configuration; empty: there is no such home."""
    if not value.startswith("~"):
        return value
    expanded = os.path.expanduser(value)
    return "" if expanded.startswith("~") else expanded


def user_config_folder() -> str:
    """Give the folder of the user's own files for git; empty: there is no home."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.path.join(base, "git") if os.path.isabs(base) else ""


def _list_users_files() -> Iterator[str]:
    """The files of the system and of the user: those that git's own variables name, if any."""
    if not is_true(os.environ.get("GIT_CONFIG_NOSYSTEM", "")):
        yield os.environ.get("GIT_CONFIG_SYSTEM") or "/etc/gitconfig"
    named = os.environ.get("GIT_CONFIG_GLOBAL")
    if named is not None:
        yield named
        return
    yield os.path.join(user_config_folder(), "config")
    yield os.path.expanduser("~/.gitconfig")


def _parse_file(
    path: str, files: ConfigFiles, left: _WhatIsLeft, depth: int = 0
) -> Iterator[tuple[str, str]]:
    if not os.path.isabs(path):
        return
    for section, name, value in _statements(left.read(path)):
        yield f"{section}.{name}" if section else name, value
        if name != "path" or depth >= _DEEPEST:
            continue
        kind, _, condition = section.partition(".")
        if kind == "include" or (kind == "includeif" and _holds(condition, path, files)):
            included = os.path.join(os.path.dirname(path), expand_path(value))
            yield from _parse_file(included, files, left, depth + 1)


def _statements(data: bytes) -> Iterator[tuple[str, str, str]]:
    """Each section, name and value, up to a NUL; what comes behind a line that git refuses is not
    read."""
    data = data.removeprefix(BYTE_ORDER_MARK).replace(b"\r\n", b"\n")
    at, section = 0, ""
    while at < len(data):
        sign = data[at : at + 1]
        if sign.isspace():
            at += 1
        elif sign in b"#;":
            at = _line_end(data, at)
        elif sign == b"[":
            header = _HEADER.match(data, at)
            if not header:
                return
            section = os.fsdecode(header[1].lower())
            if header[2] is not None:
                section += "." + _decode(re.sub(rb"\\(.)", rb"\1", header[2]))
            at = header.end()
        else:
            name = _NAME.match(data, at)
            if not name:
                return
            at = name.end()
            while data[at : at + 1] in (b" ", b"\t"):
                at += 1
            value: bytes | None = b"true"
            if data[at : at + 1] == b"=":
                value, at = _value(data, at + 1)
            elif data[at : at + 1] not in (b"\n", b""):
                return
            if value is None:
                return
            yield section, os.fsdecode(name[0].lower()), _decode(value)


def _decode(value: bytes) -> str:
    return os.fsdecode(value.partition(b"\0")[0])


def _value(data: bytes, at: int) -> tuple[bytes | None, int]:
    """A value and where it ends; None: git refuses it."""
    value, blanks, quoted = bytearray(), bytearray(), False
    while at < len(data) and data[at] != ord("\n"):
        sign = data[at : at + 1]
        at += 1
        if not quoted and sign.isspace():
            blanks += sign if value else b""
            continue
        if not quoted and sign in b"#;":
            at = _line_end(data, at)
            break
        value += blanks
        blanks.clear()
        if sign == b'"':
            quoted = not quoted
        elif sign == b"\\":
            if data[at : at + 1] != b"\n":
                escaped = _ESCAPED.get(data[at]) if at < len(data) else None
                if escaped is None:
                    return None, at
                value += escaped
            at += 1
        else:
            value += sign
    return (None if quoted else bytes(value)), at


def _line_end(data: bytes, at: int) -> int:
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end


def _holds(condition: str, file: str, files: ConfigFiles) -> bool:
    """Whether a condition of an ``includeIf`` in a file holds; those of remotes are not asked."""
    kind, _, pattern = condition.partition(":")
    if kind in ("gitdir", "gitdir/i") and files.folder:
        pattern = expand_path(pattern)
        if pattern.startswith("./"):
            pattern = os.path.join(os.path.realpath(os.path.dirname(file)), pattern[2:])
        elif not os.path.isabs(pattern):
            pattern = f"**/{pattern}"
        fold = kind == "gitdir/i"
        places = (os.path.realpath(files.folder), os.path.abspath(files.folder))
        return any(_meets(place, pattern, fold) for place in places)
    if kind == "onbranch" and files.folder:
        head = first_line(os.path.join(files.folder, "HEAD"))
        branch = head.removeprefix("ref: refs/heads/")
        return branch != head and _meets(branch, pattern, False)
    return False


def _meets(text: str, pattern: str, fold: bool) -> bool:
    pattern += "**" if pattern.endswith("/") else ""
    regex = translate_pattern(os.fsencode(pattern), ignore_case=fold)
    return bool(regex and re.fullmatch(rb"(?s:" + regex + rb")", os.fsencode(text)))
