"""What a project is called in every record: folders are called otherwise on every machine."""

from __future__ import annotations

import json
import os
import re
from functools import cache, lru_cache

from orch_tui.models.database import Record
from orch_tui.paths import project_root
from orch_tui.worktrees import CLIENT_TREES


def project_key(record: Record, root: str | None) -> str | None:
    """Get the key of a project by its root folder: its remote 'origin' as ``host/path``.

    Where there is none (no git, no remote) it is a uid kept in the record, one for each folder.
    """
    if not root:
        return None
    return configured_key(root) or remote_key(root) or _kept_key(record, root)


def known_key(record: Record, root: str) -> str | None:
    """Get the key of a project by its root folder, where it has one: none is made."""
    from orch_tui.models import facts

    return configured_key(root) or remote_key(root) or facts.get_fact(record, _fact_of(root))


def key_of_other_project(record: Record, execution_id: str, folder: str) -> str | None:
    """Get the key of the project that a run works in, where its session is of another one.

    ``folder`` is where it works. None: it is of the same, or nobody can tell. Call it within a
    write.
    """
    root = _marked_root(folder)
    if root is None:
        return None
    ((path, key),) = record.sql(
        "SELECT project, project_key FROM agent_executions LEFT JOIN sessions USING (session_id) "
        "WHERE execution_id = ?",
        [execution_id],
    )
    if path is None or root == path:
        return None
    own = project_key(record, root)
    return None if own == (key or project_key(record, path)) else own


@lru_cache(1024)
def _marked_root(folder: str) -> str | None:
    """Find the root of the project that a folder lies in; None: it is not there, or in none.

    A worktree of Claude Code that is gone is of the project that it was made in.
    """
    if not os.path.isabs(folder) or "\0" in folder:
        return None
    made_in, mark, _ = folder.partition(f"/{CLIENT_TREES}/")
    start = made_in if mark and not os.path.isdir(folder) else folder
    if not os.path.isdir(start):
        return None
    root = project_root(start)
    marks = (os.path.join(root, mark) for mark in (".git", ".claude"))
    return root if any(map(os.path.exists, marks)) else None


def configured_key(root: str) -> str | None:
    """``[project] key`` of the project's own configuration."""
    path = os.path.join(root, ".claude", "orchestration", "config.toml")
    if not os.path.isfile(path) or os.path.islink(path):
        return None
    import tomllib

    try:
        with open(path, "rb") as file:
            settings = tomllib.load(file)
    except (OSError, ValueError):
        return None
    table = settings.get("project")
    key = table.get("key") if isinstance(table, dict) else None
    return key if isinstance(key, str) and key.strip() else None


@cache
def remote_key(root: str) -> str | None:
    """Read the remote 'origin' of a repository as ``host/path``; None without one.

    Read from git's configuration file, of the main working tree for a linked one: running git
    would cost a command more than all else.
    """
    folder = os.path.join(root, ".git")
    try:
        if os.path.isfile(folder):
            with open(folder, encoding="utf-8", errors="replace") as file:
                folder = os.path.join(root, file.read(4096).removeprefix("gitdir:").strip())
            common = os.path.join(folder, "commondir")
            if os.path.isfile(common):
                with open(common, encoding="utf-8", errors="replace") as file:
                    folder = os.path.normpath(os.path.join(folder, file.read(4096).strip()))
        config = os.path.join(folder, "config")
        if not os.path.isfile(config):  # a pipe would be waited for
            return None
        with open(config, encoding="utf-8", errors="replace") as file:
            text = file.read(1_000_000)
    except (OSError, ValueError):
        return None
    from configparser import ConfigParser, Error  # most commands ask for no key

    parser = ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    try:
        parser.read_string("\n".join(line.strip() for line in text.splitlines()))
        url = parser.get('remote "origin"', "url", fallback=None)
    except Error:
        return None
    return normalized_url(url) if url else None


_OTHERS = "projects_of_runs"
"""The fact that lists the keys of projects that runs are of whose session is of another."""


def list_other_projects(record: Record) -> set[str]:
    """List the keys of the projects that runs are of whose session is of another one."""
    from orch_tui.models import facts

    try:
        return {str(key) for key in json.loads(facts.get_fact(record, _OTHERS) or "[]")}
    except (ValueError, TypeError, RecursionError):  # plain SQL may have changed it
        return set()


def note_other_project(record: Record, key: str) -> None:
    """Note that there is a run of the project with this key. Call it within a write."""
    from orch_tui.models import facts

    known = list_other_projects(record)
    if key not in known:
        facts.set_fact(record, _OTHERS, json.dumps(sorted({*known, key})))


_URL = re.compile(r"(?:\w[\w+.-]*://)?(?:[^@/]*@)?(\[[^\]]*\]|[^:/]+)(?::\d+(?=/))?[:/]+(.+)")


def normalized_url(url: str) -> str | None:
    """``host/path`` of a remote, the same for every way to reach it; None for a local folder."""
    url = url.strip()
    if url.startswith(("/", ".", "~", "file:")):
        return None
    found = _URL.fullmatch(url)
    if found is None:
        return None
    path = found[2].strip("/").removesuffix(".git").strip("/")
    return f"{found[1].lower()}/{path}" if path else None


_KEPT = "project:"


def is_kept_key(key: str) -> bool:
    """Tell whether a key is one of a record's own, that no other record knows."""
    return key.startswith(_KEPT)


def _fact_of(root: str) -> str:
    return f"project {root}"


def is_known_folder(record: Record, key: str) -> bool:
    """Tell whether a folder is known by a key of this record's own."""
    return bool(
        record.value("SELECT 1 FROM record_facts WHERE name GLOB 'project *' AND value = ?", [key])
    )


def _kept_key(record: Record, root: str) -> str:
    from orch_tui.models import facts

    name = _fact_of(root)
    held = facts.get_fact(record, name)
    if held is None:
        held = f"{_KEPT}{os.urandom(16).hex()}"
        facts.set_fact(record, name, held)
    return held
