"""What a migration step is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orch_tui.frozen import frozen

Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""


@frozen
class Step:
    """The file a step brings up to date, and who does it when."""

    path: Path
    now: str
    actor: str
    progress: Progress
