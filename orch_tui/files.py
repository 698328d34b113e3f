"""Writing files as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from orch_tui.errors import SourceError


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes its name only when it is complete; folders are made.

    Raises:
        SourceError: it cannot be written there.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            yield file
        os.replace(unfinished, path)
    except OSError as error:
        raise SourceError(str(path), f"cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def write(path: Path, data: bytes) -> None:
    """Write a file, replacing it as a whole.

    Raises:
        SourceError: it cannot be written there.
    """
    with whole_file(path) as file:
        file.write(data)
