"""Opening the screens from the shell; Textual is imported only here."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path

from orch_tui.project import Project


def are_possible() -> bool:
    """Whether there is a terminal to open them in."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def open_screens(arguments: Namespace) -> None:
    """What ``orch`` alone does."""
    open_on(Path.cwd(), database=arguments.db)


def open_on(folder: Path, *, database: str | None = None) -> None:
    """Open the screens on the project that a folder belongs to."""
    # At Textual's 60 frames a second, half of the wait for a key is for the next frame.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    from orch_tui.app import run

    run(Project(folder, database=database, face="screens"))
