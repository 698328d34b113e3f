"""What goes on while SQLite works on a statement: signals are answered, and nothing runs for ever.

Python answers signals between its own instructions only, so Ctrl-C would wait for the statement.
A record may come from anybody, with a trigger or view that does not end.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

ASKED_AFTER = 20_000
"""Instructions of SQLite between two looks: a few milliseconds; looking takes a thousandth."""
PATIENCE = 5.0
"""Seconds of uninterrupted work after which the parts of a record are looked at."""

_PAUSE = 0.5
"""Seconds without a look: by then another statement runs."""

_ended: dict[Path, tuple[str, ...]] = {}


class StatementWatch:
    """Looks after the statements of one connection."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._began = self._last = 0.0
        self._foreign: tuple[str, ...] | None = None
        self.resume()

    def resume(self) -> None:
        """Look after the statements, again."""
        self._connection.set_progress_handler(self._must_end, ASKED_AFTER)

    def ask(self, must_end: Callable[[], bool], after: int = ASKED_AFTER) -> None:
        """Let somebody else say when statements end, until this resumes."""

        def ask() -> bool:
            if must_end():
                _ended[self._path] = ()
                return True
            return False

        self._connection.set_progress_handler(ask, after)

    def _must_end(self) -> bool:
        """Tell whether the statement is to end. That Python runs at all is what lets it answer
        signals: what their handlers raise here ends the statement, too."""
        now = time.monotonic()
        if now - self._last > _PAUSE:
            self._began = now
        self._last = now
        if self._foreign is None and now - self._began > PATIENCE:
            self._foreign = _look_for_foreign_parts(self._path)
        if self._foreign:
            _ended[self._path] = self._foreign
        return bool(self._foreign)


def take_ended(path: Path) -> tuple[str, ...] | None:
    """Name the foreign parts for which a statement of this record was ended just now; none where
    somebody asked for its end, None where a signal ended it."""
    return _ended.pop(path, None)


def list_foreign_parts(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Name the triggers and views of a record that orch does not make, or not so."""
    from orch_tui.models.migrations.shapes import parts_of, version_shape
    from orch_tui.models.values import SCHEMA_VERSION

    known = {part.sql for part in version_shape(SCHEMA_VERSION).parts}
    return tuple(
        f"{part.kind} {part.name}"
        for part in parts_of(connection)
        if part.kind in ("trigger", "view") and part.sql not in known
    )


def _look_for_foreign_parts(path: Path) -> tuple[str, ...]:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as other:
            return list_foreign_parts(other)
    except sqlite3.Error:
        return ()
