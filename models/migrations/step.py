"""What a migration step is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""


@dataclass(frozen=True, slots=True)
class Step:
    """The file a step brings up to date, and who does it when."""

    path: Path
    now: str
    actor: str
    progress: Progress
