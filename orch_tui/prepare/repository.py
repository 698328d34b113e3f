"""The repository that a folder lies in, found by git's own files; git is not run."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from orch_tui.paths import first_line
from orch_tui.prepare.plain_bytes import read_bytes

_OBJECT_NAME = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Repository(NamedTuple):
    """A working tree and where its repository keeps its files."""

    top: str
    """The working tree."""
    folder: str
    """What is this tree's own: the index, HEAD."""
    common: str
    """What it shares with its linked worktrees: the configuration, ``info/exclude``."""


def find_repository(folder: str) -> Repository | None:
    """Find the repository that an absolute folder lies in; None: it lies in none."""
    while True:
        if found := read_repository(folder):
            return found
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def read_repository(top: str) -> Repository | None:
    """Read which repository a folder is the working tree of; None: it is none.

    As in git a folder ``.git`` without HEAD, objects and references is no repository.
    """
    git = os.path.join(top, ".git")
    if not os.path.lexists(git):
        return None
    folder = git if os.path.isdir(git) else _named_folder(git)
    if not folder or not _is_head(os.path.join(folder, "HEAD")):
        return None
    told = first_line(os.path.join(folder, "commondir"))
    common = os.path.join(folder, told) if told else folder
    parts = (os.path.join(common, name) for name in ("objects", "refs"))
    if not all(os.access(part, os.X_OK) for part in parts):
        return None
    return Repository(top, folder, common)


def _named_folder(file: str) -> str | None:
    data = read_bytes(file, 1 << 20)
    if not data or not data.startswith(b"gitdir: "):
        return None
    name = os.fsdecode(data[8:].rstrip(b"\r\n"))
    return os.path.join(os.path.dirname(file), name) if name and "\0" not in name else None


def _is_head(file: str) -> bool:
    if os.path.islink(file):
        try:
            return os.readlink(file).startswith("refs/")
        except OSError:
            return False
    head = first_line(file)
    if head.startswith("ref:"):
        return head[4:].strip().startswith("refs/")
    return bool(_OBJECT_NAME.match(head))
