"""A folder in memory for what tests write: thousands of records, none of which waits for a disk.

It goes with the run that made it. What a killed run left is taken away by the next one, or it would
fill the memory of the machine in a day.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

MEMORY, ROOM = Path("/dev/shm"), 4 << 30
_PREFIX = "orch-tests-"


class MemoryFolder:
    """Held by a lock for as long as the run lives, however it ends."""

    def __init__(self, memory: Path) -> None:
        _remove_left_over(memory)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=memory))
        self._lock = os.open(self.path, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Take it away with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def has_room(memory: Path = MEMORY) -> bool:
    """Say whether files may be kept in memory: what is free in it, and of the memory itself."""
    return os.access(memory, os.W_OK) and min(shutil.disk_usage(memory).free, _available()) > ROOM


def _available() -> int:
    for line in Path("/proc/meminfo").read_text("ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0


def _remove_left_over(memory: Path) -> None:
    for folder in memory.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # of another user, or another run is about to remove it
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)
