"""What an agent left on disk: read when it is collected, told apart from what is there later."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Literal

from orch_tui.errors import UsageError
from orch_tui.frozen import frozen
from orch_tui.git import run_git
from orch_tui.paths import working_tree
from orch_tui.record.run_place import PlacedFile, RunPlace
from orch_tui.rows import Output
from orch_tui.worktrees import find_named_tree, lies_in_project

KEPT_BYTES = 1_000_000
"""Text up to this size is kept with the record, so that its versions can be told apart later."""

State = Literal["unchanged", "changed since", "missing", "not known"]
"""What became of a deliverable; ``not known`` where it is there but what was delivered is known by
its path alone, as a folder is, or it lies outside of the project."""


@frozen
class Deliverable:
    """One path as it was found; what could not be established is None."""

    path: str
    """Relative to its working tree where that is of the project, else absolute."""
    exists: bool
    sha256: str | None = None
    size: int | None = None
    """Bytes."""
    is_text: bool = False
    data: bytes | None = None
    """The exact bytes of a text of at most ``KEPT_BYTES``."""
    lines_added: int | None = None
    lines_modified: int | None = None
    """Lines that replaced others. ``lines_added`` holds only those that replaced nothing."""
    problem: str = ""
    """Why a path that exists could not be read: a folder, no permission."""
    worktree: str | None = None
    """The linked worktree it lies in, relative to the project; None: in none."""


def read_deliverables(files: Iterable[PlacedFile]) -> list[Deliverable]:
    """Read the deliverables, each once, in order.

    Lines come from git, where the file lies in a repository: all of them for a file that HEAD
    does not have, otherwise its difference to HEAD. A file equal to HEAD has unknown lines: the
    agent may have committed it or never touched it, and git cannot tell which. They are unknown
    too for binary files and links, without git, when it is slow, and where it would have to run
    a configured filter such as LFS.
    """
    placed = {(each.worktree, each.name): each for each in files}
    found = {key: _read(each.name, each.file) for key, each in placed.items()}
    changes = _changes(each.file for key, each in placed.items() if found[key][0].is_text)
    collected = []
    for key, each in placed.items():
        deliverable, lines = found[key]
        deliverable = replace(deliverable, worktree=each.worktree)
        if each.file in changes:
            added, deleted = changes[each.file] or (lines, 0)
            replaced = min(added, deleted)
            deliverable = replace(
                deliverable, lines_added=added - replaced, lines_modified=replaced
            )
        collected.append(deliverable)
    return collected


def check_output(output: Output, root: Path) -> State | None:
    """Tell what became of a deliverable of the project at ``root``; None: it is no file.

    It is looked for in the working tree it was seen in, while that is there, then in the root.
    """
    path = output.file_path
    if not path:
        return None
    worktree = output.content.get("worktree")
    tree = find_named_tree(worktree, root) if isinstance(worktree, str) else None
    state = check_deliverable(path, output.sha256, RunPlace(root, Path(tree) if tree else None))
    is_known = output.sha256 is not None or output.content.get("missing")
    return state if is_known or state == "missing" else "not known"


def check_deliverable(path: str, sha256: str | None, place: RunPlace) -> State:
    """Tell what became of a file since it was collected with this hash; None: it was missing.

    One outside of the project is not opened for what a record says. Raises nothing: what can no
    longer be read has changed since.
    """
    file = place.place_name(path).file
    if not lies_in_project(file, place.root):
        return "not known" if _is_there(file) else "missing"
    now, _ = _read(path, file)
    if not now.exists:
        return "missing"
    return "unchanged" if sha256 and now.sha256 == sha256 else "changed since"


def _is_there(file: Path) -> bool:
    try:
        return os.path.lexists(file)
    except ValueError:  # a NUL is in no path on disk
        return False


def parse_validation(text: str) -> dict[str, str | int | float]:
    """``format:pass,lint:fail,coverage:85`` as a mapping; numbers become numbers.

    Raises UsageError naming the part that is not ``name:result``.
    """
    results: dict[str, str | int | float] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, colon, given = map(str.strip, part.partition(":"))
        if not (name and colon and given):
            raise UsageError(
                f"validation result {part!r} is not name:result",
                hint="for example format:pass,lint:fail,coverage:85",
            )
        result = _result(part, given)
        if results.setdefault(name, result) != result:
            raise UsageError(f"validation result {part!r}: {name} was {results[name]!r} before")
    return results


_RESULTS = {
    word: result
    for result, words in {
        "pass": "pass passed ok",
        "fail": "fail failed",
        "skip": "skip skipped",
    }.items()
    for word in words.split()
}


def _result(part: str, given: str) -> str | int | float:
    word = _RESULTS.get(given.lower())
    if word:
        return word
    digits = given.removesuffix("%").rstrip()
    if digits.isascii() and digits.replace(".", "", 1).isdigit() and len(digits) <= 15:
        return float(digits) if "." in digits else int(digits)
    raise UsageError(
        f"validation result {part!r}: {given!r} is no result",
        hint="a result is pass, fail, skip or a number such as 85",
    )


def _read(name: str, path: Path) -> tuple[Deliverable, int]:
    """The file as it is, and its number of lines; never blocks on a pipe or device."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a folder" if path.is_dir() else "not a regular file"
            return Deliverable(name, exists=True, problem=f"is {kind}"), 0
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            return _digested(name, file)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # a NUL is in no path on disk
        return Deliverable(name, exists=False), 0
    except OSError as error:
        reason = error.strerror or "cannot be read"
        return Deliverable(name, exists=os.path.lexists(path), problem=reason.lower()), 0


def _digested(name: str, file: BinaryIO) -> tuple[Deliverable, int]:
    digest, size, lines, kept, last = hashlib.sha256(), 0, 0, b"", b""
    is_text = True
    while block := file.read(1 << 20):
        if not size:
            is_text = b"\0" not in block[:8000]  # as git decides, whose line counts we show
        digest.update(block)
        size += len(block)
        lines += block.count(b"\n")
        last = block[-1:]
        if is_text and size <= KEPT_BYTES:
            kept += block
    lines += last not in (b"", b"\n")
    data = kept if is_text and size <= KEPT_BYTES else None
    deliverable = Deliverable(
        name, exists=True, sha256=digest.hexdigest(), size=size, is_text=is_text, data=data
    )
    return deliverable, lines


def _changes(files: Iterable[Path]) -> dict[Path, tuple[int, int] | None]:
    """Lines added to and deleted from HEAD's version; None: HEAD has none. Unknown: left out."""
    repositories: dict[Path, dict[str, Path]] = {}
    for file in files:
        folder = Path(os.path.realpath(file.parent))
        tree = working_tree(folder)
        if tree and not file.is_symlink():
            inside = (folder / file.name).relative_to(tree).as_posix()
            repositories.setdefault(Path(tree), {})[inside] = file
    changes: dict[Path, tuple[int, int] | None] = {}
    for repository, named in repositories.items():
        changes |= {named[name]: change for name, change in _against_head(repository, [*named])}
    return changes


def _against_head(
    repository: Path, names: Sequence[str]
) -> Iterator[tuple[str, tuple[int, int] | None]]:
    head = run_git(repository, "rev-parse", "--quiet", "--verify", "HEAD")
    if head == "":  # a repository without a commit
        yield from ((name, None) for name in names)
    listed = head and run_git(repository, "ls-tree", "-z", "--name-only", "HEAD", "--", *names)
    if not head or listed is None:
        return
    tracked = set(listed.split("\0"))
    yield from ((name, None) for name in names if name not in tracked)
    plain = _unfiltered(repository, [name for name in names if name in tracked])
    if plain:
        numstat = run_git(repository, *_NUMSTAT, "HEAD", "--", *plain) or ""
        for line in filter(None, numstat.split("\0")):
            added, deleted, name = line.split("\t", 2)
            if added != "-":
                yield name, (int(added), int(deleted))


def _unfiltered(repository: Path, names: Sequence[str]) -> list[str]:
    """The files that git can compare without running somebody's filter."""
    if not names:
        return []
    fields = (run_git(repository, "check-attr", "-z", "filter", "--", *names) or "").split("\0")
    values = zip(fields[::3], fields[2::3], strict=False)  # path, attribute, value; repeated
    return [name for name, value in values if value in ("unspecified", "unset")]


_NUMSTAT = ("diff", "--numstat", "-z", "--no-ext-diff", "--no-textconv", "--no-renames")
