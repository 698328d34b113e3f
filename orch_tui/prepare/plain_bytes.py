"""Reading small files that somebody else may have put there."""

from __future__ import annotations

import os
import stat


def read_bytes(path: str, most: int, *, through_link: bool = True) -> bytes | None:
    """Read a regular file of at most so many bytes; None: there is none, or it cannot be read.

    A pipe or device is not waited for. ``through_link`` False: a symbolic link is no file either.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags if through_link else flags | os.O_NOFOLLOW)
    except (OSError, ValueError):
        return None
    try:
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > most:
                return None
            return file.read(most)
    except OSError:
        return None
