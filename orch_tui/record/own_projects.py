"""Which sessions and runs of a record are of one project: that of the folder they work in.

A run is of the project of its session, but where it is known to have worked in another one.

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
from orch_tui.paths import project_root, record_folder
from orch_tui.record.ledger.project_keys import (
    configured_key,
    is_kept_key,
    is_known_folder,
    known_key,
    list_other_projects,
    remote_key,
)
from orch_tui.worktrees import is_within

OwnProjects = tuple[str, ...]
"""The root folders that sessions of one project name (empty text: none is named), and the keys by
which runs name it whose session is of another one."""

IN_PROJECT = "coalesce(project, '') IN (SELECT value FROM json_each(?))"
"""The condition on rows of ``sessions``; its parameter is the ``OwnProjects`` as JSON."""

RUN_IN_PROJECT = (
    "iif(run_project IS NULL, "
    f"session_id IN (SELECT session_id FROM sessions WHERE {IN_PROJECT}), "
    "run_project IN (SELECT value FROM json_each(?)))"
)
"""The condition on rows of ``agent_executions``; its two parameters are ``OwnProjects`` as JSON."""


_TOLD = "projects_of_sessions"
"""The fact that says where sessions up to a rowid say they are: not all are looked at each time."""

_A_SCAN = 200
"""Sessions after which that is noted."""


def list_own_projects(record: Record, root: Path, *, is_shared: bool) -> OwnProjects | None:
    """List what sessions and runs of the project at ``root`` say of where they are; None: all are
    of it.

    ``is_shared``: the record serves several projects by intention. Another one that was copied or
    moved here, from a project that is still there or not, keeps the sessions it had. Where nothing
    in it is of this project, only imports fill it: all of it is meant.
    """
    named = _list_told(record)
    own = {path for path, key in named if _is_own(path, key, str(root), is_shared)}
    if not is_shared:
        own |= {path for path, _ in named} & _list_homes(record, str(root))
    others = list_other_projects(record)
    own |= {key for key in others if _is_own_key(record, key, str(root), is_shared)}
    if not is_shared and (not own or own == others | {path for path, _ in named}):
        return None
    return tuple(sorted(own | {str(root)}))


_HOMES = "homes_of_record"
"""The fact that lists the projects whose record this file is, or was before it was copied."""


def _list_homes(record: Record, root: str) -> set[str]:
    """List the projects whose own record this has been, noting that it is the one of ``root``.

    Where that was never noted it began as the record of the project in which its first session
    was opened; what others told it of is no session opened in it.
    """
    if Path(record_folder(root)) != record.path.parent:
        return set()
    try:
        homes = {str(path) for path in json.loads(get_fact(record, _HOMES) or "[]")}
    except (ValueError, TypeError, RecursionError):  # plain SQL may have changed it
        homes = set()
    if root in homes:
        return homes
    if not homes:
        first = record.value(
            "SELECT project FROM sessions LEFT JOIN origins USING (origin_id) "
            "WHERE claude_session IS NULL AND coalesce(mine, 1) ORDER BY sessions.rowid LIMIT 1"
        )
        homes = {readable(first) or root}
    homes.add(root)
    if record.writable:
        with record.in_passing(), record.write():
            set_fact(record, _HOMES, json.dumps(sorted(homes)))
    return homes


def is_own_run(record: Record, label: str, own: OwnProjects) -> bool:
    """Tell whether an execution is of the project."""
    asked = [*[json.dumps(own)] * 2, label]
    return bool(
        record.value(f"SELECT {RUN_IN_PROJECT} FROM agent_executions WHERE execution_id = ?", asked)
    )


def name_run_project(record: Record, label: str) -> str:
    """Name the project of an execution: its root folder, or its key."""
    named = record.value(
        "SELECT coalesce(run_project, project) FROM agent_executions JOIN sessions "
        "USING (session_id) WHERE execution_id = ?",
        [label],
    )
    return readable(named) or ""


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
    if os.path.isabs(path) and (its_root := _root_of(path)) is not None:
        return its_root == root
    own_key = configured_key(root) or remote_key(root)
    if own_key and key and not is_kept_key(key):
        return key == own_key
    return not is_shared or os.path.isabs(path) and is_within(path, root)


def _is_own_key(record: Record, key: str, root: str, is_shared: bool) -> bool:
    """Tell whether runs that name a project by this key are of the one at ``root``.

    What another record called a folder without a remote tells nothing here: such runs stay with
    the record they are in, as sessions do.
    """
    return key == known_key(record, root) or (
        not is_shared and is_kept_key(key) and not is_known_folder(record, key)
    )


@lru_cache(1024)
def _root_of(folder: str) -> str | None:
    """The project that a folder belongs to; None: it is not there."""
    try:
        return project_root(folder) if os.path.isdir(folder) else None
    except (OSError, ValueError):
        return None
