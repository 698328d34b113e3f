"""Where files really are, whatever links lead to them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from orch_tui.paths import AnyPath
from orch_tui.worktrees import find_file_tree

ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}


class FilePlaces:
    """Where files really are, each folder looked up once: a bundle asks of hundreds of files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._resolved: dict[str, str] = {}
        self._real: dict[str, str] = {}
        self._trees: dict[str, str | None] = {}

    def resolve(self, path: AnyPath) -> str:
        """Resolve the links of a path."""
        written = os.fspath(path)
        if written not in self._resolved:
            self._resolved[written] = self._look_up(written)
        return self._resolved[written]

    def _look_up(self, path: str) -> str:
        folder, name = os.path.split(path)
        if name in ("", os.curdir, os.pardir) or os.path.islink(path):
            return os.path.realpath(path)
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        return os.path.join(self._real[folder], name)

    def find_tree(self, real: str) -> str | None:
        """Find the working tree of the project that a file lies in."""
        folder = os.path.dirname(real)
        if folder not in self._trees:
            self._trees[folder] = find_file_tree(real, self._root)
        return self._trees[folder]


def may_be_there(path: AnyPath, look: Callable[[AnyPath], os.stat_result]) -> bool:
    """Find out whether something is there, or may be in a folder that lets nobody look."""
    try:
        look(path)
    except OSError as error:
        return error.errno not in ABSENT
    except ValueError:
        return False
    return True


def leads_out(path: Path, within: Iterable[Path]) -> bool:
    """Find out whether links lead from a path to outside of these folders."""
    real = Path(os.path.realpath(path))  # a circle of links does not bar its folder
    return not any(real.is_relative_to(base) for base in within)


def may_be_file(path: Path) -> bool:
    """Find out whether a path is a file, or nobody can tell."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError as error:  # refused where it is read, as a link to nothing is left out
        return error.errno not in ABSENT or path.is_symlink()
