"""Where a record comes from: made here by this user, or brought by a repository or an archive.

A record may come from anybody and is never refused for it: CI, containers and sandboxes open such
records all day. It is named once, so that whoever did not expect one can look.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from orch_tui.errors import PathError
from orch_tui.paths import state_folder


def remember_record(record: Path) -> None:
    """Keep in the user's state folder that this record is known here; where that can be written."""
    with suppress(OSError, PathError):
        path = _mark(record)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600))


def is_known(record: Path) -> bool:
    """Tell whether this user made the record here, or was told of it."""
    with suppress(OSError, PathError):
        return os.path.lexists(_mark(record))
    return True  # nothing can be told of a file that is gone, or where nothing can be kept


def list_remarks(record: Path) -> Iterator[tuple[str, str]]:
    """List what tells that a record may be somebody else's: each a sentence, and what to do."""
    if is_tracked(record):
        yield (
            f"{record} is tracked by git: who clones the repository gets what is recorded here",
            f"git rm --cached {record.name} in its folder takes it out of git and leaves it here",
        )
    if not is_known(record):
        yield (
            f"{record} is new to this user: another user, machine or an earlier orch made it",
            "look at it before you rely on it, if you did not expect one; this is said once",
        )


def is_tracked(path: Path) -> bool:
    """Tell whether git tracks a file; git is not run."""
    from orch_tui.prepare.git_index import read_index
    from orch_tui.prepare.repository import find_repository

    real = os.path.realpath(path)
    repository = find_repository(os.path.dirname(real))
    if repository is None:
        return False
    name = os.fsencode(os.path.relpath(real, repository.top))
    return name in read_index(repository.folder).names


def _mark(record: Path) -> str:
    """Name the file that stands for a record at its place; another one put there has another."""
    real = os.path.realpath(record)
    what = f"{real}\n{os.stat(real).st_ino}"
    name = hashlib.sha256(what.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return os.path.join(state_folder(), "known-records", name)
