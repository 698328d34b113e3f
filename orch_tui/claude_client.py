"""Claude Code on this machine: which release is installed, and how it names its folders."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

_PACKAGE = "@anthropic-ai/claude-code"
_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})")

Version = tuple[int, int, int]


LONGEST_FOLDER_NAME = 200
"""Characters of a folder's name; of a longer one the rest is a hash."""


def transcripts_folder(root: str) -> str:
    """Name the folder below ``projects`` in which transcripts and memory of a project lie."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in root)


def client_version() -> Version | None:
    """Tell the release of the ``claude`` that is found on PATH; None: no file says it.

    Its own installer names the program, other package managers a folder above it after the
    release; npm puts a package.json above it.
    """
    from shutil import which

    found = which("claude")
    if found is None or not os.path.isabs(found):
        return None
    program = Path(os.path.realpath(found))
    for place in (program, *program.parents):
        if version := _VERSION.fullmatch(place.name) or _VERSION.fullmatch(_packed(place)):
            return int(version[1]), int(version[2]), int(version[3])
    return None


def _packed(folder: Path) -> str:
    """The release that the package in or below a folder says it is."""
    for path in (folder / "package.json", folder / "node_modules" / _PACKAGE / "package.json"):
        try:
            package = json.loads(path.read_bytes()) if path.is_file() else None
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(package, dict) and package.get("name") == _PACKAGE:
            return str(package.get("version"))
    return ""
