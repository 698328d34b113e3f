"""Empty records for tests that need one per example: a copy takes less than making it."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from orch_tui.record.opening import open_record


@cache
def empty_record() -> bytes:
    """The file of a record in which nothing was ever recorded; it has no identity yet."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "execution.db"
        open_record(path).close()
        return path.read_bytes()


def write_empty_record(path: Path) -> Path:
    """Write one to a new file, and give its path."""
    path.write_bytes(empty_record())
    return path
