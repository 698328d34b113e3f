"""The files of a project as a person looks for them, without what ``ignore_rules`` leaves out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from typing import NamedTuple

from orch_tui.files import compose_letters
from orch_tui.frozen import frozen
from orch_tui.prepare.ignore_rules import FileRules

MOST_FILES = 200_000
"""More are not listed; sources can still be named."""

_REPOSITORIES = {".git", ".hg", ".svn", ".jj"}


class Node(NamedTuple):
    """A file or folder of the project."""

    path: str
    """From the root, with ``/``."""
    is_folder: bool
    size: int = 0
    """Bytes, when it was listed."""
    changed: int = 0
    """Nanoseconds: with the size it tells whether the file is another one since."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@frozen
class ProjectTree:
    """What a project holds."""

    children: Mapping[str, tuple[Node, ...]]
    """By folder (the root is ``""``): folders first, then files, by name."""
    files: tuple[Node, ...]
    """All of them, in the order in which an open tree shows them."""
    cut: bool = False
    """There are more than ``MOST_FILES``."""
    unreadable: frozenset[str] = frozenset()
    """Folders that may not be listed."""
    folder_links: tuple[str, ...] = ()
    """Links to folders: they are not followed."""
    repositories: tuple[str, ...] = ()
    """Folders that are repositories of their own: what they hold is listed where they are named."""
    lowered: tuple[tuple[str, int], ...] = ()
    """For ``find_files``: each path in small letters (NFC), and where its name begins."""

    def under(self, folder: str) -> Iterator[Node]:
        """The files in a folder and in the folders under it."""
        waiting = list(reversed(self.children.get(folder, ())))
        while waiting:
            node = waiting.pop()
            if node.is_folder:
                waiting += reversed(self.children.get(node.path, ()))
            else:
                yield node


NO_FILES = ProjectTree({}, ())
"""What is known before anyone looked."""


class Tally:
    """Tokens by folder, while its files are being counted one after the other."""

    def __init__(self, tree: ProjectTree) -> None:
        self._files: dict[str, int] = {}
        for node in tree.files:
            for folder in _above(node.path):
                self._files[folder] = self._files.get(folder, 0) + 1
        self._counted: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._tokens: dict[str, int] = {}

    def add(self, path: str, tokens: int) -> None:
        """One file was counted, for the first time or again."""
        before = self._counted.get(path)
        self._counted[path] = tokens
        for folder in _above(path):
            self._done[folder] = self._done.get(folder, 0) + (before is None)
            self._tokens[folder] = self._tokens.get(folder, 0) + tokens - (before or 0)

    def of(self, folder: str) -> tuple[int, bool]:
        """The tokens counted in a folder, and whether these are all."""
        done = self._done.get(folder, 0) >= self._files.get(folder, 0)
        return self._tokens.get(folder, 0), done

    def emptied(self) -> Tally:
        """Of the same project, nothing counted."""
        other = copy(self)
        other._counted, other._done, other._tokens = {}, {}, {}
        return other


def _above(path: str) -> Iterator[str]:
    end = path.rfind("/")
    while end >= 0:
        yield path[:end]
        end = path.rfind("/", 0, end)


class FileMatch(NamedTuple):
    """A file that was looked for, and the characters of its path that say so."""

    node: Node
    spans: tuple[tuple[int, int], ...]


class FileMatches(NamedTuple):
    """The best matches, and how many there are."""

    matches: tuple[FileMatch, ...]
    total: int


def walk_project(
    root: str | os.PathLike[str],
    *,
    under: str = "",
    cancelled: Callable[[], bool] | None = None,
    ignore_files: Sequence[str] = (),
) -> ProjectTree:
    """List a project, or what is ``under`` one folder of it, even where that is ignored. Links to
    folders are not followed; what is no file or folder is left out.

    ``cancelled`` is asked now and then whether to stop; ``ignore_files`` count besides git's and
    ``.orchignore``. Never raises for what is on disk: a folder that cannot be listed is named in
    ``unreadable``.
    """
    top = os.fspath(root)
    rules = FileRules(top, under, ignore_files=ignore_files)
    waiting = [(under, rules.above, "")]
    children: dict[str, list[Node]] = {}
    unreadable, folder_links, repositories, files, cut = set(), [], [], 0, False
    while waiting and not (cancelled and cancelled()):
        folder, above, name = waiting.pop()
        children[folder] = nodes = []
        try:
            with os.scandir(os.path.join(top, folder)) as entries:
                found = {entry.name: entry for entry in entries}
        except OSError:
            unreadable.add(folder)
            continue
        if folder != under and rules.is_other_repository(above, name, has_git=".git" in found):
            repositories.append(folder)
            continue
        here = rules.enter(above, name, found)
        prefix = f"{folder}/" if folder else ""
        here_found: list[tuple[bool, str, str, Node]] = []  # in the order of their first three
        for name, entry in found.items():
            if name in _REPOSITORIES:
                continue
            is_folder = entry.is_dir(follow_symlinks=False)
            judged = rules.judge(here, name, is_folder=is_folder)
            if judged is None or (node := _node(entry, prefix + name, is_folder)) is None:
                continue
            if is_folder:
                waiting.append((node.path, judged, name))
            elif node.is_folder:
                folder_links.append(node.path)
                continue
            here_found.append((not is_folder, name.lower(), name, node))
        here_found.sort()
        nodes += [each[3] for each in here_found]
        files += sum(not node.is_folder for node in nodes)
        if files > MOST_FILES:
            cut = True
            break
    links, others = tuple(folder_links), tuple(repositories)
    return _tree(children, cut, frozenset(unreadable), links, others, under)


def find_files(tree: ProjectTree, query: str, limit: int = 500) -> FileMatches:
    """The files whose paths hold every word of ``query``, at least as letters in this order.

    The best come first: the name begins with the word, holds it, a folder does, and then those
    that only have its letters; among equals the shorter path. Case does not matter.
    """
    words = compose_letters(query.lower()).split()
    letters = [_letters(word).match for word in words]
    ranked = []
    for index, (path, name_at) in enumerate(tree.lowered):
        rank = 0
        for word, fits in zip(words, letters, strict=True):
            at = path.rfind(word)
            if at >= name_at:
                rank += 0 if at == name_at else 1
            elif at >= 0:
                rank += 2 if not at or path[at - 1] == "/" else 3
            elif fits(path):
                rank += 4 if fits(path, name_at) else 5
            else:
                break
        else:
            ranked.append((rank, len(path), index))
    ranked.sort()
    return FileMatches(
        tuple(
            FileMatch(tree.files[index], _spans(path, name_at, words, tree.files[index].path))
            for _, _, index in ranked[:limit]
            for path, name_at in [tree.lowered[index]]
        ),
        len(ranked),
    )


def _node(entry: os.DirEntry[str], path: str, is_folder: bool) -> Node | None:
    if is_folder:
        return Node(path, True)
    try:
        if entry.is_dir():  # links to folders too: they are told apart where it matters
            return Node(path, True)
        if not (entry.is_file() or entry.is_symlink()):
            return None
        status = entry.stat()
    except OSError:  # a link to nothing: reading it says so
        return Node(path, False)
    return Node(path, False, status.st_size, status.st_mtime_ns)


def _tree(
    children: dict[str, list[Node]],
    cut: bool,
    unreadable: frozenset[str],
    folder_links: tuple[str, ...],
    repositories: tuple[str, ...],
    top: str,
) -> ProjectTree:
    """The tree without folders in which nothing is left."""
    kept: dict[str, tuple[Node, ...]] = {}
    for folder in reversed(children):  # what is deeper comes later
        kept[folder] = tuple(
            node
            for node in children[folder]
            if not node.is_folder or kept.get(node.path) or node.path in unreadable
        )
    files = tuple(ProjectTree(kept, ()).under(top))
    return ProjectTree(
        {folder: nodes for folder, nodes in kept.items() if nodes},
        files,
        cut,
        unreadable,
        folder_links,
        repositories,
        tuple((low := compose_letters(file.path.lower()), low.rfind("/") + 1) for file in files),
    )


def _letters(word: str) -> re.Pattern[str]:
    return re.compile("".join(f"[^{re.escape(char)}]*{re.escape(char)}" for char in word))


def _spans(path: str, name_at: int, words: list[str], shown: str) -> tuple[tuple[int, int], ...]:
    """Where each word stands, or its letters, as nearer to the end as they do."""
    if len(path) != len(shown):  # a letter that lower case writes as two
        return ()
    places: set[int] = set()
    for word in words:
        at = path.rfind(word)
        if at >= 0:
            places.update(range(at, at + len(word)))
            continue
        begin = name_at if _letters(word).match(path, name_at) else 0
        for char in word:
            begin = path.index(char, begin) + 1
            places.add(begin - 1)
    return tuple(_runs(sorted(places)))


def _runs(places: list[int]) -> Iterator[tuple[int, int]]:
    start = end = -1
    for place in places:
        if place != end:
            if end > start:
                yield start, end
            start = place
        end = place + 1
    if end > start:
        yield start, end
