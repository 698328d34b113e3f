"""Claude Code on this machine: which release is installed, how it names releases and folders."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

_PACKAGE = "@anthropic-ai/claude-code"
_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})")

Version = tuple[int, int, int]


def parse_release(text: str) -> Version | None:
    """Read the numbers that the name of a release begins with, ``2.1.332``; None: it has none."""
    found = _VERSION.match(text)
    return _numbers(found) if found else None


def _numbers(found: re.Match[str]) -> Version:
    return int(found[1]), int(found[2]), int(found[3])


def running_entrypoint() -> str | None:
    """Tell how the Claude Code was started within which this process runs: ``cli`` in a terminal,
    ``sdk-cli`` headless and others; None: it runs within none."""
    inside = os.environ.get("CLAUDECODE") == "1"
    return os.environ.get("CLAUDE_CODE_ENTRYPOINT") or None if inside else None


LONGEST_FOLDER_NAME = 200
"""Characters of a folder's name; of a longer one the rest is a hash."""


def transcripts_folder(root: str) -> str:
    """Name the folder below ``projects`` in which transcripts and memory of a project lie."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in root)


def client_version() -> Version | None:
    """Tell the release of the ``claude`` that is found on PATH; None: no file says it."""
    from shutil import which

    found = which("claude")
    return _version_of(found) if found and os.path.isabs(found) else None


def oldest_client() -> tuple[Version, str] | None:
    """Find the oldest Claude Code of this user, its release and program or folder; None: no file
    says one.

    There may be one on PATH behind the first, one that was installed into the home folder, and one
    in an extension of each editor, which keeps older ones until it is restarted.
    """
    home = os.path.expanduser("~")
    programs = [os.path.join(f, "claude") for f in os.environ.get("PATH", "").split(os.pathsep)]
    programs += [
        os.path.join(home, place) for place in (".local/bin/claude", ".claude/local/claude")
    ]
    clients = [
        (version, program)
        for program in programs
        if os.path.isabs(program) and os.access(program, os.X_OK) and not os.path.isdir(program)
        if (version := _version_of(program))
    ]
    for editor in (".vscode", ".vscode-server", ".cursor", ".cursor-server"):
        extensions = [
            (_numbers(named), str(folder))
            for folder in Path(home, editor, "extensions").glob("anthropic.claude-code-*")
            if (named := _VERSION.search(folder.name))
        ]
        clients += [max(extensions)] if extensions else []
    return min(clients, default=None)


def _version_of(program: str) -> Version | None:
    """Tell the release of a program.

    Its own installer names the program, other package managers a folder above it after the
    release; npm puts a package.json above it.
    """
    found = Path(os.path.realpath(program))
    for place in (found, *found.parents):
        if version := _VERSION.fullmatch(place.name) or _VERSION.fullmatch(_packed(place)):
            return _numbers(version)
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
