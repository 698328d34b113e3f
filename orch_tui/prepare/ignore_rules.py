"""Which files of a folder are taken: those that git lists, less what the project leaves out.

git's part is what ``git ls-files -co --exclude-standard`` lists: the tracked files, and the others
that no ``.gitignore``, ``info/exclude`` or ``core.excludesFile`` leaves out; a repository within is
a folder of its own. It is computed from git's files, since to run git would run what the folder's
own configuration names. ``.orchignore`` has the last word, for tracked files too.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from orch_tui.prepare.git_config import (
    ConfigFiles,
    expand_path,
    is_true,
    read_config,
    user_config_folder,
)
from orch_tui.prepare.git_index import NONE_TRACKED, TrackedFiles, read_index
from orch_tui.prepare.ignore_patterns import IgnorePattern, PatternList, parse_ignore_file
from orch_tui.prepare.plain_bytes import read_bytes
from orch_tui.prepare.repository import find_repository, read_repository
from orch_tui.worktrees import is_within

GIT_FILE = ".gitignore"
OWN_FILE = ".orchignore"

_MOST_BYTES = 4_000_000
"""A larger ignore file is passed over, as git passes over those of 100 MB."""


class _Scope(NamedTuple):
    """The patterns of one file, for what is under its folder."""

    skip: int
    """Bytes of an absolute path up to what the patterns speak of."""
    patterns: PatternList
    rank: int = 0
    """Of files of several names one of a lower rank is asked first, wherever it lies."""


class FolderRules(NamedTuple):
    """The patterns for what lies in one folder, those of the nearest files first."""

    path: bytes
    """The folder, absolute, links resolved, with a slash at its end."""
    git: tuple[_Scope, ...]
    own: tuple[_Scope, ...]
    tracked_only: bool = False
    """git ignores the folder: what is tracked in it stays in."""


class FileRules:
    """The rules for what is ``under`` one folder of a project.

    Patterns that leave out that folder itself do not count: it was named outright. ``ignore_files``
    are names of ignore files that count before ``.orchignore``, the later ones more.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        under: str = "",
        *,
        ignore_files: Sequence[str] = (),
    ) -> None:
        base = os.path.realpath(root)
        self.top = os.path.realpath(os.path.join(base, under))
        self._own_files = (*ignore_files, OWN_FILE)
        self._repository = find_repository(self.top)
        git_top = self._repository.top if self._repository else base
        own_top = base if is_within(self.top, base) else self.top
        self._git_top = git_top if is_within(self.top, git_top) else self.top
        self._own_top = own_top
        self._known: dict[str, FolderRules | None] = {}
        self.repositories_met: list[str] = []
        """Folders of their own in which ``leaves_out`` was asked for a file."""

    @cached_property
    def above(self) -> FolderRules:
        """The rules for the folder itself, without those of its own files."""
        git, own = self._rules_above
        if self.named_though_ignored:
            git = [_without_those_of(scope, self._named) for scope in git]
            own = [_without_those_of(scope, self._named) for scope in own]
        return FolderRules(_with_slash(self.top), tuple(git), tuple(own))

    @cached_property
    def named_though_ignored(self) -> bool:
        """Whether the folder, or one that it is in, is left out itself."""
        git, own = self._rules_above
        for path in self._named:
            above = ([scope for scope in each if scope.skip < len(path)] for each in (own, git))
            verdicts = (_find_verdict(scopes, path, is_folder=True) for scopes in above)
            if next((verdict for verdict in verdicts if verdict is not None), False):
                return True
        return False

    @cached_property
    def _rules_above(self) -> tuple[list[_Scope], list[_Scope]]:
        """What git's files above the folder say, and the project's, the nearest first."""
        git, own = [*self._git_scopes(self._git_top)], list[_Scope]()
        for folder in self._folders[:-1]:
            if is_within(folder, self._git_top):
                git[:0] = self._read_scopes(folder)
            if is_within(folder, self._own_top):
                own = self._with_own(own, folder, self._own_files)
        return git, own

    @cached_property
    def _folders(self) -> list[str]:
        """The folders whose rules count, from the outermost to the folder itself."""
        return list(_folders_between(min(self._git_top, self._own_top, key=len), self.top))

    @cached_property
    def _named(self) -> list[bytes]:
        return [os.fsencode(folder) for folder in self._folders[1:]]

    def enter(
        self, rules: FolderRules, name: str = "", names: Container[str] | None = None
    ) -> FolderRules:
        """The rules for what a folder holds, from those for the folder itself.

        ``name``: of the folder in that of ``rules``, empty: that one. ``names``: what it holds,
        where that is known.
        """
        path = rules.path + (os.fsencode(name) + b"/" if name else b"")
        folder = os.fsdecode(path[:-1]) or "/"
        git, own = rules.git, rules.own
        if names is None or GIT_FILE in names:
            git = (*self._read_scopes(folder), *git)
        held = [each for each in self._own_files if names is None or each in names]
        if held:
            own = tuple(self._with_own(own, folder, held))
        return FolderRules(path, git, own, rules.tracked_only)

    def judge(self, rules: FolderRules, name: str, *, is_folder: bool) -> FolderRules | None:
        """Judge what lies in a folder: None, it is left out; else the rules to ``enter`` it with.

        A link to a folder is no folder.
        """
        path = rules.path + os.fsencode(name)
        own = _find_verdict(rules.own, path, is_folder=is_folder) if rules.own else None
        if own:
            return None
        if not rules.tracked_only:
            git = _find_verdict(rules.git, path, is_folder=is_folder) if rules.git else None
            if not git or own is False:
                twin = self._ignore_case and not is_folder and self._is_twin(path)
                return None if twin else rules
        in_tree = path[self._tree_skip :]
        if is_folder:
            kept = self.tracked.holds_any_in(in_tree)
            return rules._replace(tracked_only=True) if kept else None
        return rules if in_tree in self.tracked.names else None

    def is_other_repository(self, rules: FolderRules, name: str, *, has_git: bool) -> bool:
        """Find out whether a folder is a repository of its own. ``has_git``: it holds ``.git``."""
        if self._repository is None:
            return False
        path = rules.path + os.fsencode(name)
        in_tree = path[self._tree_skip :]
        if in_tree in self.tracked.submodules:
            return True
        return (
            has_git
            and not self.tracked.holds_any_in(in_tree)
            and read_repository(os.fsdecode(path)) is not None
        )

    def leaves_out(self, path: str) -> bool:
        """Find out whether a file is left out, by its path from the folder on."""
        folder, _, name = path.rpartition("/")
        rules = self._rules_in(folder)
        return rules is None or self.judge(rules, name, is_folder=False) is None

    @cached_property
    def tracked(self) -> TrackedFiles:
        if self._repository is None:
            return NONE_TRACKED
        wide = self._config.get("extensions.objectformat", "") == "sha256"
        return read_index(self._repository.folder, hash_size=32 if wide else 20)

    @cached_property
    def _tree_skip(self) -> int:
        return len(_with_slash(self._git_top))

    @cached_property
    def _config(self) -> dict[str, str]:
        repository = self._repository
        files = ConfigFiles(repository.folder, repository.common) if repository else ConfigFiles()
        return dict(read_config(files))

    @cached_property
    def _ignore_case(self) -> bool:
        return is_true(self._config.get("core.ignorecase", ""))

    def _is_twin(self, path: bytes) -> bool:
        """Whether git takes a file for a tracked one of other case, which lies beside it."""
        in_tree = path[self._tree_skip :]
        tracked = self._folded.get(in_tree.lower(), in_tree)
        if tracked == in_tree or in_tree in self.tracked.names:
            return False
        try:
            return not os.path.samestat(
                os.lstat(path), os.lstat(_with_slash(self._git_top) + tracked)
            )
        except OSError:
            return False

    @cached_property
    def _folded(self) -> dict[bytes, bytes]:
        return {name.lower(): name for name in self.tracked.names}

    def _git_scopes(self, top: str) -> Iterator[_Scope]:
        """What counts in all of the repository: its own list, then the user's."""
        if self._repository is None:
            return
        files = [os.path.join(self._repository.common, "info", "exclude")]
        folder = user_config_folder()
        usual = os.path.join(folder, "ignore") if folder else ""
        if named := expand_path(self._config.get("core.excludesfile", usual)):
            files.append(os.path.join(top, named))
        for file in files:
            yield from self._read_scope(file, top, through_link=True)

    def _read_scopes(self, folder: str) -> Iterator[_Scope]:
        # git follows no link that a repository can bring.
        return self._read_scope(os.path.join(folder, GIT_FILE), folder, through_link=False)

    def _with_own(self, own: Sequence[_Scope], folder: str, names: Sequence[str]) -> list[_Scope]:
        """The project's own rules, with those of a folder."""
        found = list(own)
        for name in names:
            rank = -self._own_files.index(name)
            file = os.path.join(folder, name)
            found[:0] = self._read_scope(file, folder, through_link=True, rank=rank)
        return sorted(found, key=lambda scope: scope.rank)

    def _read_scope(
        self, file: str, folder: str, *, through_link: bool, rank: int = 0
    ) -> Iterator[_Scope]:
        data = read_bytes(file, _MOST_BYTES, through_link=through_link)
        patterns = parse_ignore_file(data) if data else []
        if patterns:
            skip = len(_with_slash(folder))
            yield _Scope(skip, PatternList(patterns, ignore_case=self._ignore_case), rank)

    def _rules_in(self, folder: str) -> FolderRules | None:
        """The rules for what is in a folder, None: the folder is left out."""
        if folder not in self._known:
            self._known[folder] = self._find_rules_in(folder)
        return self._known[folder]

    def _find_rules_in(self, folder: str) -> FolderRules | None:
        if not folder:
            return self.enter(self.above)
        above, _, name = folder.rpartition("/")
        rules = self._rules_in(above)
        judged = self.judge(rules, name, is_folder=True) if rules else None
        if rules is None or judged is None:
            return None
        has_git = os.path.lexists(rules.path + os.fsencode(name) + b"/.git")
        if self.is_other_repository(rules, name, has_git=has_git):
            self.repositories_met.append(folder)
            return None
        return self.enter(judged, name)


def _find_verdict(scopes: Sequence[_Scope], path: bytes, *, is_folder: bool) -> bool | None:
    for scope in scopes:
        verdict = scope.patterns.find_verdict(path[scope.skip :], is_folder=is_folder)
        if verdict is not None:
            return verdict
    return None


def _without_those_of(scope: _Scope, folders: Sequence[bytes]) -> _Scope:
    """The patterns but for those that leave out one of these folders."""

    below = [path[scope.skip :] for path in folders if scope.skip < len(path)]

    def leaves_out(pattern: IgnorePattern) -> bool:
        alone = PatternList([pattern], ignore_case=scope.patterns.ignore_case)
        return any(alone.find_verdict(path, is_folder=True) for path in below)

    kept = [pattern for pattern in scope.patterns.patterns if not leaves_out(pattern)]
    return scope._replace(patterns=PatternList(kept, ignore_case=scope.patterns.ignore_case))


def _folders_between(top: str, folder: str) -> Iterator[str]:
    """The folders from one down to one within it, both with them."""
    yield top
    if folder != top:
        path = top
        for name in os.path.relpath(folder, top).split(os.sep):
            path = os.path.join(path, name)
            yield path


def _with_slash(folder: str) -> bytes:
    return os.fsencode(folder).rstrip(b"/") + b"/"
