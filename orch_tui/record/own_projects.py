"""Which sessions of a record are of one project: runs belong to the project of their folder.

A record holds sessions of other projects where it serves several, and where transcripts or an
export of another project were imported. Those of a folder that is gone, or is called otherwise on
another machine, are told by the project's key; without one they stay with the record they are in.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from orch_tui.models.database import Record
from orch_tui.models.values import readable
from orch_tui.paths import project_root
from orch_tui.record.ledger.project_keys import configured_key, is_kept_key, remote_key
from orch_tui.worktrees import is_within

OwnProjects = tuple[str, ...]
"""The root folders that sessions of one project name; empty text: none is named."""

IN_PROJECT = "coalesce(project, '') IN (SELECT value FROM json_each(?))"
"""The condition on rows of ``sessions``; its parameter is the ``OwnProjects`` as JSON."""


def list_own_projects(record: Record, root: Path, *, is_shared: bool) -> OwnProjects | None:
    """List what sessions of the project at ``root`` say of where they are; None: all are of it.

    ``is_shared``: the record serves several projects by intention.
    """
    told = record.sql("SELECT DISTINCT project, project_key FROM sessions")
    named = {(readable(path) or "", readable(key) or "") for path, key in told}
    own = {path for path, key in named if _is_own(path, key, str(root), is_shared)}
    if own == {path for path, _ in named} and not is_shared:
        return None
    return tuple(sorted(own | {str(root)}))


def _is_own(path: str, key: str, root: str, is_shared: bool) -> bool:
    if path == root:
        return True
    if not os.path.isabs(path):
        return not is_shared
    if (its_root := _root_of(path)) is not None:
        return its_root == root
    own_key = configured_key(root) or remote_key(root)
    if own_key and key and not is_kept_key(key):
        return key == own_key
    return is_within(path, root) or not is_shared


@lru_cache(1024)
def _root_of(folder: str) -> str | None:
    """The project that a folder belongs to; None: it is not there."""
    try:
        return project_root(folder) if os.path.isdir(folder) else None
    except (OSError, ValueError):
        return None
