"""Starting processes of orch's own."""

from __future__ import annotations

import os
import sys


def own_module(name: str, *arguments: str) -> list[str]:
    """Give the command that runs a module of orch under this Python.

    ``-P``: with ``-m`` alone Python looks for modules in the working folder first, and that is a
    project, maybe one that somebody cloned to look at; its code is not ours to run.
    """
    return [sys.executable, "-P", "-m", name, *arguments]


def own_program() -> str:
    """Give the path of the orch that runs: its command, else the Python of who imported it."""
    program = sys.argv[0] if sys.argv else ""
    if os.path.basename(program) == "orch":
        return os.path.abspath(program)
    return sys.executable


def upgrade_command(prefix: str = sys.prefix, python: str = sys.executable) -> str:
    """Give the command that upgrades the orch installed under a prefix."""
    folders = prefix.split(os.sep)
    if "pipx" in folders:
        return "pipx upgrade orch-tui"
    if "uv" in folders and "tools" in folders:
        return "uv tool upgrade orch-tui"
    return f"{python} -m pip install --upgrade orch-tui"


def name_editor() -> list[str]:
    """Name the editor of text as the words of a command: that of $VISUAL, $EDITOR, else ``vi``.

    Raises:
        ValueError: the variable is no command, as with a quote that does not end.
    """
    import shlex

    return shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
