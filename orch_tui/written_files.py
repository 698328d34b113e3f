"""Which files orch was told to write: reports, briefings, bundles, exports, backups.

Kept in the user's state folder, the newest last, so that `orch redact` can look into them: no
record names them all, and none is trusted to. Whether it can be kept decides nothing.
"""

from __future__ import annotations

import os
from contextlib import suppress

from orch_tui.errors import PathError
from orch_tui.paths import AnyPath, state_folder

MOST = 1_000
"""Paths that are kept."""
_LARGEST = 200_000
"""Bytes from which the list is made shorter."""


def note_written(path: AnyPath) -> None:
    """Note that a file was written."""
    with suppress(OSError, PathError):
        name = _list_file()
        os.makedirs(os.path.dirname(name), mode=0o700, exist_ok=True)
        with open(name, "ab", opener=_open_own) as file:
            file.write(os.fsencode(os.path.realpath(path)) + b"\0")
            is_long = file.tell() > _LARGEST
        if is_long:
            _shorten(name)


def list_written() -> list[str]:
    """List the files that were written and are still there, the newest last."""
    try:
        with open(_list_file(), "rb", opener=_open_own) as file:
            named = file.read(10 * _LARGEST).split(b"\0")
    except (OSError, PathError):
        return []
    newest = dict.fromkeys(reversed(list(filter(None, named))))
    return [os.fsdecode(path) for path in reversed(newest) if os.path.isfile(path)]


def _list_file() -> str:
    return os.path.join(state_folder(), "written-files")


def _open_own(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _shorten(name: str) -> None:
    """Keep the newest; a path that another process notes meanwhile may be lost."""
    kept = list_written()[-MOST // 2 :]
    unfinished = f"{name}.{os.urandom(4).hex()}"
    with open(unfinished, "xb", opener=_open_own) as file:
        file.writelines(os.fsencode(path) + b"\0" for path in kept)
    os.replace(unfinished, name)
