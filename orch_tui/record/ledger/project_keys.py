"""What a project is called in every record: folders are called otherwise on every machine."""

from __future__ import annotations

import os
import re
from functools import cache

from orch_tui.models.database import Record


def project_key(record: Record, root: str | None) -> str | None:
    """Get the key of a project by its root folder: its remote 'origin' as ``host/path``.

    Where there is none (no git, no remote) it is a uid kept in the record, one for each folder.
    """
    if not root:
        return None
    return configured_key(root) or remote_key(root) or _kept_key(record, root)


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


def _kept_key(record: Record, root: str) -> str:
    from orch_tui.models import facts

    name = f"project {root}"
    held = facts.get_fact(record, name)
    if held is None:
        held = f"{_KEPT}{os.urandom(16).hex()}"
        facts.set_fact(record, name, held)
    return held
