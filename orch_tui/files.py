"""Writing files as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from orch_tui.errors import SourceError


@contextmanager
def whole_file(path: Path, *, named: str = "") -> Iterator[BinaryIO]:
    """A file to write that takes its name only when it is complete; folders are made.

    A file that was there keeps its mode. ``named`` is what an error calls it.

    Raises:
        SourceError: it cannot be written there.
    """
    # A name may be as long as the system lets it: the unfinished file has only its beginning.
    unfinished = path.with_name(f".{path.name[:40]}.{os.getpid()}.tmp")
    with refused(named or str(path)):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                yield file
            if path.exists():
                unfinished.chmod(path.stat().st_mode)
            os.replace(unfinished, path)
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)


@contextmanager
def refused(named: str) -> Iterator[None]:
    """What the system says no to, as a SourceError that names the file."""
    try:
        yield
    except FileExistsError as error:
        raise SourceError(named, f"cannot be written: {error.filename} is no folder") from error
    except OSError as error:
        raise SourceError(named, f"cannot be written: {error.strerror}") from error


def write(path: Path, data: bytes) -> None:
    """Write a file, replacing it as a whole.

    Raises:
        SourceError: it cannot be written there.
    """
    with whole_file(path) as file:
        file.write(data)
