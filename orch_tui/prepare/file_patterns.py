"""Which files a pattern such as ``lib/**/*.py`` fits."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from orch_tui.files import compose_letters, find_spelling, is_same_name
from orch_tui.prepare.file_places import ABSENT


class PatternMatches(NamedTuple):
    """What fits a pattern, and the folders in which it looks and that cannot be read."""

    paths: set[Path]
    unread: set[Path]


def match_pattern(base: Path, pattern: str) -> PatternMatches:
    """Find what fits a pattern below ``base``, each folder listed once.

    ``Path.glob`` passes over folders that cannot be read and does not say so. As there, ``*`` finds
    what is hidden, and ``**`` follows no links.
    """
    fixed = find_fixed_folders(pattern)
    parts = [part for part in pattern.removeprefix(fixed).split("/") if part not in ("", ".")]
    unread: set[Path] = set()

    @cache
    def listed(folder: Path) -> dict[str, bool]:
        """The names in a folder, and whether each is one of a folder that is no link."""
        with _noting(folder, unread), os.scandir(folder) as entries:
            return {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
        return {}

    found = {spell_path(base / fixed)}
    for part in parts:
        if part == "**":
            waiting = list(found)
            while waiting:
                folder = waiting.pop()
                inner = [folder / name for name, is_folder in listed(folder).items() if is_folder]
                waiting += [path for path in inner if path not in found]
                found.update(inner)
        elif _is_wild(part):
            found = {path / name for path in found for name in _filter(listed(path), part)}
        elif part.isascii():
            found = {path / part for path in found if _is_in(path, part, unread)}
        else:
            same = ((path, name) for path in found for name in listed(path))
            found = {path / name for path, name in same if is_same_name(name, part)}
    return PatternMatches(set() if pattern.endswith("/") else found, unread)


def spell_path(path: Path) -> Path:
    """Spell a path as it is on disk."""
    return Path(find_spelling(str(path)) or path)


def _filter(names: Iterable[str], pattern: str) -> list[str]:
    """The names that fit a pattern, whichever code points their letters are written with."""
    composed = {name: compose_letters(name) for name in names}
    pattern = compose_letters(pattern)
    return [name for name, letters in composed.items() if fnmatch.fnmatchcase(letters, pattern)]


def _is_in(folder: Path, name: str, unread: set[Path]) -> bool:
    with _noting(folder, unread):
        os.lstat(folder / name)
        return True
    return False


@contextmanager
def _noting(folder: Path, unread: set[Path]) -> Iterator[None]:
    """Pass over a folder that cannot be looked into, noted where that is not for want of one."""
    try:
        yield
    except OSError as error:
        if error.errno not in ABSENT:
            unread.add(folder)


def find_fixed_folders(pattern: str) -> str:
    """Find the folders that a pattern begins with, up to its first wildcard."""
    parts = pattern.split("/")
    wild = next((n for n, part in enumerate(parts) if _is_wild(part)), 0)
    return "/".join(parts[:wild])


def _is_wild(part: str) -> bool:
    return any(mark in part for mark in "*?[")


def is_hidden_below(path: Path, base: Path, named: Sequence[str] = ()) -> bool:
    """Find out whether a part of the path is hidden and matches none of those that were named."""
    return any(
        not any(fnmatch.fnmatchcase(part, name) for name in named)
        for part in path.relative_to(base).parts
        if is_hidden_name(part)
    )


def is_hidden_name(part: str) -> bool:
    """Decide whether a shell passes over a name unless it is asked for."""
    return part.startswith(".") and part not in (".", "..")
