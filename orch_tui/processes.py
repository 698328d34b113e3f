"""Starting processes of orch's own."""

from __future__ import annotations

import sys


def own_module(name: str, *arguments: str) -> list[str]:
    """Give the command that runs a module of orch under this Python.

    ``-P``: with ``-m`` alone Python looks for modules in the working folder first, and that is a
    project, maybe one that somebody cloned to look at; its code is not ours to run.
    """
    return [sys.executable, "-P", "-m", name, *arguments]
