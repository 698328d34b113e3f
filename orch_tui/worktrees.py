"""The working trees of a project: its root, and the linked worktrees of its repository.

Read from git's own files (gitrepository-layout); git is not run. A folder is taken for a linked
worktree only where the repository at the root names it and it names that repository: what a hook,
a transcript or a record from elsewhere says is no reason to look into a folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from orch_tui.paths import AnyPath, first_line, git_folder, working_tree

CLIENT_TREES = os.path.join(".claude", "worktrees")
"""Where Claude Code makes worktrees, in a project's root."""


_LONGEST = 4096
"""Characters of a path: no system opens a longer one, and going up from it would take long."""


def find_tree(folder: AnyPath, root: AnyPath) -> str | None:
    """Find the working tree of the project at ``root`` that a folder lies in.

    The root stands for all within it that is in no linked worktree. None: the folder is not there,
    or of no tree of the project.
    """
    try:
        here, base = os.path.realpath(folder), os.path.realpath(root)
        if not os.path.isdir(here):
            return None
        tree = working_tree(here)
        if tree and tree != base and _is_linked(tree, base):
            return tree
    except ValueError:  # a NUL, half of a surrogate pair: told by a file, never by the system
        return None
    return base if is_within(here, base) else None


def find_file_tree(file: AnyPath, root: AnyPath) -> str | None:
    """Find the working tree of the project that a file lies in, or would if it were there.

    Where Claude Code made a worktree that is gone, that one is given.
    """
    file = os.path.abspath(file)
    if len(file) > _LONGEST:
        return None
    try:
        if gone := _gone_tree(file, os.path.realpath(root)):
            return gone
    except ValueError:  # as in find_tree
        return None
    folder = os.path.dirname(file)
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return find_tree(folder, root)


def lies_in_project(file: AnyPath, root: AnyPath) -> bool:
    """Tell whether a file, where its links lead, lies in a working tree of the project."""
    try:
        return find_file_tree(os.path.realpath(file), root) is not None
    except ValueError:  # as in find_tree
        return False


def name_folder_tree(folder: str, root: AnyPath) -> str | None:
    """Name the linked worktree that a folder lies in, be it there or gone; None: it is in none."""
    if not os.path.isabs(folder):
        return None
    tree = find_file_tree(os.path.join(folder, "file"), root)
    return name_tree(tree, root) if tree else None


def list_linked_trees(root: AnyPath) -> Iterator[str]:
    """List the linked worktrees of the repository at ``root``, whether they are there or not."""
    try:
        folders = os.listdir(os.path.join(_common_folder(root), "worktrees"))
    except OSError:
        return
    for name in folders:
        pointer = _pointer(os.path.join(_common_folder(root), "worktrees", name))
        if pointer:
            yield os.path.dirname(pointer)


def name_tree(tree: AnyPath, root: AnyPath) -> str | None:
    """Name a tree as the record does: relative to the project's root. None: it is the root."""
    name = os.path.relpath(os.path.realpath(tree), os.path.realpath(root))
    return None if name == os.curdir else name


def find_named_tree(name: str | None, root: AnyPath) -> str | None:
    """Find a linked worktree by the name that the record has for it; None: it is none here."""
    if not name or "\0" in name:
        return None
    tree = os.path.realpath(os.path.join(root, name))
    return tree if find_tree(tree, root) == tree != os.path.realpath(root) else None


def is_within(path: str, folder: str) -> bool:
    """Tell whether an absolute path is a folder or lies in it, by their names."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _gone_tree(file: str, root: str) -> str | None:
    folder = os.path.join(root, CLIENT_TREES, "")
    if not file.startswith(folder):
        return None
    tree = os.path.join(folder, file[len(folder) :].partition(os.sep)[0])
    return None if tree == folder or os.path.lexists(tree) else tree


def _is_linked(tree: str, root: str) -> bool:
    """Tell whether a tree and the repository at ``root`` name each other."""
    git_file = os.path.join(tree, ".git")
    administered = git_folder(git_file) if os.path.isfile(git_file) else None
    if not administered:
        return False
    administered = os.path.realpath(administered)
    known = os.path.join(_common_folder(root), "worktrees")
    return os.path.dirname(administered) == known and _pointer(administered) == os.path.realpath(
        git_file
    )


def _common_folder(root: AnyPath) -> str:
    """The folder of the repository of a working tree, that of the main one for a linked one."""
    git = os.path.join(root, ".git")
    folder = (git_folder(git) if os.path.isfile(git) else None) or git
    common = first_line(os.path.join(folder, "commondir"))
    return os.path.realpath(os.path.join(folder, common))


def _pointer(administered: str) -> str | None:
    """The ``.git`` file of the worktree that a folder of the repository stands for."""
    told = first_line(os.path.join(administered, "gitdir"))
    return os.path.realpath(os.path.join(administered, told)) if told else None
