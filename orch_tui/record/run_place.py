"""Where the files of a run are: the folders they are looked for in, and what they are named after.

A run works in a working tree of its project, its root or a linked worktree. A file that lies in
one is named relative to it, so that ``lib/new.py`` is ``lib/new.py`` in whichever tree it was
made, and the record says with it which tree that was.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from orch_tui.errors import PathError
from orch_tui.files import find_nearest_files
from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.paths import relative, resolve_path
from orch_tui.rows import ExecutionFacts
from orch_tui.worktrees import find_file_tree, find_named_tree, find_tree, name_tree


@frozen
class PlacedFile:
    """A file that was named, where it is and what it is called in the record."""

    file: Path
    """Where it is, or was expected."""
    name: str
    """Relative to its working tree where it lies in one of the project, else absolute."""
    worktree: str | None
    """Its tree as the record names it; None: the root, or none of the project."""


@frozen
class MissingFile:
    """A file that was named and is not there."""

    path: str
    """As it was named."""
    nearest: tuple[str, ...]
    """What is there of nearly that name."""

    def __str__(self) -> str:
        near = f" (nearest: {', '.join(self.nearest)})" if self.nearest else ""
        return f"{self.path} is missing{near}"


@frozen
class RunPlace:
    """The folders in which what is said of a run is looked for."""

    root: Path
    """Of the project."""
    tree: Path | None = None
    """The linked worktree that the run works in; None: the root."""
    is_gone: bool = False
    """It worked in a linked worktree that is no more: what it claims cannot be checked there."""
    cwd: Path | None = None
    """Where whoever names the files stands."""
    known: Callable[[], Iterable[str]] = tuple
    """Give the names of files that the run is known to have made: a message may name one from a
    folder in which only its agent stood."""

    @property
    def worktree(self) -> str | None:
        """The tree as the record names it; None: the root."""
        return name_tree(self.tree, self.root) if self.tree else None

    def place_path(self, path: str) -> PlacedFile:
        """Place what a person named: from where they stand, then in the tree, then in the root."""
        return self._place(path, self._standing)

    def find_missing(self, paths: Iterable[str]) -> list[MissingFile]:
        """Find which of the files that a person named are not there, each once."""
        return [
            MissingFile(path, tuple(find_nearest_files(path, self._standing)))
            for path in dict.fromkeys(paths)
            if not os.path.exists(self.place_path(path).file)
        ]

    @property
    def _standing(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(filter(None, (self.cwd, self.tree, self.root))))

    def place_claim(self, path: str) -> PlacedFile:
        """Place what a message names: in the tree of its agent first."""
        placed = self._place(path, (self.tree or self.root, self.cwd, self.root))
        if os.path.isabs(path) or os.path.lexists(placed.file):
            return placed
        ending = f"/{os.path.normpath(path)}"
        meant = [name for name in self.known() if name.endswith(ending)]
        return self.place_name(meant[0]) if len(meant) == 1 else placed

    def place_name(self, name: str) -> PlacedFile:
        """Place a file by the name that the record has for it."""
        return self._place(name, (self.tree, self.root))

    def _place(self, path: str, folders: Iterable[Path | None]) -> PlacedFile:
        places = [_full(path, folder) for folder in dict.fromkeys(filter(None, folders))]
        there = (place for place in places if os.path.lexists(place))
        beside = (place for place in places if os.path.isdir(os.path.dirname(place)))
        file = next(there, None) or next(beside, None) or places[0]
        tree = find_file_tree(file, self.root)
        worktree = tree and name_tree(tree, self.root)
        base = tree if tree and worktree else self.root
        return PlacedFile(Path(file), relative(file, base), worktree)


def find_run_place(
    record: Record, execution: ExecutionFacts, root: Path, cwd: Path | None = None
) -> RunPlace:
    """Find where the files of a run are looked for, by somebody who stands in ``cwd``.

    A run of which no worktree is known is taken to work where they stand.
    """
    tree = find_named_tree(execution.worktree, root)
    if tree is None and cwd is not None and execution.worktree is None:
        standing = find_tree(cwd, root)
        tree = standing if standing and name_tree(standing, root) else None

    def known() -> list[str]:
        return [
            str(path)
            for (path,) in record.sql(
                "SELECT path FROM outputs WHERE execution_id = ?1 AND path NOTNULL "
                "AND retracted_at IS NULL UNION SELECT path FROM execution_files "
                "WHERE execution_id = ?1 AND written_at NOTNULL",
                [execution.execution_id],
            )
        ]

    is_gone = tree is None and execution.worktree is not None
    return RunPlace(root, Path(tree) if tree else None, is_gone, cwd, known)


def note_worktree(
    record: Record, execution: ExecutionFacts, worktree: str | None, source: str
) -> None:
    """Record the linked worktree that a run works in, where none is known of it.

    Hooks and transcripts that tell of another one are believed instead.
    """
    if worktree is None or execution.worktree is not None:
        return
    from orch_tui.record.ledger.ingest import Report, ingest_statement
    from orch_tui.record.ledger.statement import Noted

    noted = Noted(worktree=worktree)
    ingest_statement(record, Report([f"id:{execution.execution_id}"], noted, source=source))


def _full(path: str, folder: Path) -> str:
    """Where a name leads from a folder; one that no file can have leads nowhere."""
    try:
        return resolve_path(path, folder)
    except PathError:
        return os.path.join(folder, path)
