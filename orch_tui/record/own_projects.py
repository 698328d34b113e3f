"""Which sessions of a record are of one project: runs belong to the project of their folder.

A record holds sessions of other projects where it serves several, and where transcripts or an
export of another project were imported. Those of a folder that is gone, or is called otherwise on
another machine, are told by the project's key; without one they stay with the record they are in.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path

from orch_tui.models.database import Record
from orch_tui.models.facts import get_fact, set_fact
from orch_tui.models.values import readable
from orch_tui.paths import project_root
from orch_tui.record.ledger.project_keys import configured_key, is_kept_key, remote_key
from orch_tui.worktrees import is_within

OwnProjects = tuple[str, ...]
"""The root folders that sessions of one project name; empty text: none is named."""

IN_PROJECT = "coalesce(project, '') IN (SELECT value FROM json_each(?))"
"""The condition on rows of ``sessions``; its parameter is the ``OwnProjects`` as JSON."""


_TOLD = "projects_of_sessions"
"""The fact that says where sessions up to a rowid say they are: not all are looked at each time."""

_A_SCAN = 200
"""Sessions after which that is noted."""


def list_own_projects(record: Record, root: Path, *, is_shared: bool) -> OwnProjects | None:
    """List what sessions of the project at ``root`` say of where they are; None: all are of it.

    ``is_shared``: the record serves several projects by intention. Where nothing in another one is
    of this project, it was copied or put here, or only imports fill it: all of it is meant.
    """
    named = _list_told(record)
    own = {path for path, key in named if _is_own(path, key, str(root), is_shared)}
    if not is_shared and (not own or own == {path for path, _ in named}):
        return None
    return tuple(sorted(own | {str(root)}))


def _list_told(record: Record) -> set[tuple[str, str]]:
    """List each root folder that sessions name, with the key of its project; empty for none."""
    until, told = _read_told(record)
    newest = record.value("SELECT max(rowid) FROM sessions") or 0
    if until > newest:  # the file was written anew
        until, told = 0, set()
    rows = record.sql("SELECT DISTINCT project, project_key FROM sessions WHERE rowid > ?", [until])
    told |= {(readable(path) or "", readable(key) or "") for path, key in rows}
    if newest - until > _A_SCAN and record.writable:
        with record.in_passing(), record.write():
            set_fact(record, _TOLD, json.dumps([newest, sorted(told)]))
    return told


def _read_told(record: Record) -> tuple[int, set[tuple[str, str]]]:
    try:
        until, told = json.loads(get_fact(record, _TOLD) or "[0, []]")
        return int(until), {(str(path), str(key)) for path, key in told}
    except (ValueError, TypeError, RecursionError):  # plain SQL may have changed it
        return 0, set()


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
