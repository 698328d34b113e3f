"""Looking again and again at what other processes write: the record, the inbox, running agents."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from textual.worker import get_current_worker

from orch_tui.errors import OrchError
from orch_tui.screens.app_messages import AgentsSeen, LastSteps, RecordChanged, Reindexed

if TYPE_CHECKING:
    from orch_tui.app import OrchApp
    from orch_tui.live.live_view import LiveView

LOOK_EVERY = 0.5
"""Seconds between two looks for changes by other processes."""

INDEXED_AT_ONCE = 50
"""Runs of an older search index that are indexed anew in one go: 30 milliseconds."""

REST = 0.05
"""Seconds between two goes, for the event loop and other writers."""


class RecordWatch:
    """Looks for changes by other processes in a thread of the app, and tells it of them."""

    def __init__(self, app: OrchApp, shown: tuple[int, ...], end: Event) -> None:
        """Watch for ``app``, whose first screen read the record of the stamp ``shown``, until
        ``end`` is set."""
        self._app = app
        self._project = app.project
        self._shown = shown
        self._end = end

    def watch(self) -> None:
        """Look whether the record changed, or hooks left something, until the worker ends."""
        worker = get_current_worker()
        view = self._begin_view()
        seen = self._look()
        if stamp_record(self._project.database) != self._shown:  # after the first screen read it
            self._app.post_message(RecordChanged())
        while not worker.is_cancelled:
            taken = (self._look_at_agents(view) if view else 0) + self._take_in()
            if (now := self._look()) != seen or taken:
                seen = now
                self._app.post_message(RecordChanged())
            is_busy = self._index_older() or self._read_again() or self._merge_index()
            if self._end.wait(REST if is_busy else LOOK_EVERY):
                return

    def _begin_view(self) -> LiveView | None:
        """Begin to follow the agents; None where the settings of the models are broken."""
        try:
            return self._project.live_view()
        except OrchError as error:
            self._app.warn_later(error.message)
            return None

    def _look_at_agents(self, view: LiveView) -> int:
        """Look what agents do; tell how much was recorded of those that ended."""
        live = view.look(self._project.seconds_now())
        if live.agents or self._app.live is not None:
            of = self._app.followed
            steps = LastSteps(of, view.steps(*of)) if of else None
            self._app.post_message(AgentsSeen(live, steps))
        try:
            return self._project.record_ends(view.take_ends())
        except OrchError:  # the screens say what is wrong with the record
            return 0

    def _index_older(self) -> bool:
        """Index anew a little of what another version of orch indexed; tell whether more waits."""
        try:
            remaining = self._project.index_older(INDEXED_AT_ONCE)
        except OrchError:  # somebody else writes
            return False
        if remaining or self._app.to_index:
            self._app.post_message(Reindexed(remaining))
        return bool(remaining)

    def _read_again(self) -> bool:
        """Read again a little of what an earlier orch recorded; tell whether more waits."""
        try:
            return bool(self._project.read_again())
        except OrchError:  # somebody else writes
            return False

    def _merge_index(self) -> bool:
        """Merge a little of the search index; tell whether more waits."""
        try:
            return self._project.merge_index()
        except OrchError:  # somebody else writes
            return False

    def _take_in(self) -> int:
        """Record what hooks have left since, unless the app is over."""
        if self._end.is_set():
            return 0
        try:
            return self._project.drain_inbox()
        except OrchError:  # the screens say what is wrong with the record
            return 0

    def _look(self) -> tuple[int, ...]:
        try:
            status = os.stat(self._project.database)
        except OSError:
            return ()
        try:
            seen = self._project.existing_record.value("PRAGMA data_version")
        except OrchError:
            return (status.st_ino, status.st_mtime_ns)
        return (status.st_ino, int(seen))


def stamp_record(database: Path) -> tuple[int, ...]:
    """Tell which file a record is, and how much was written to it."""
    try:
        status = database.stat()
    except OSError:
        return ()
    try:
        log = database.with_name(f"{database.name}-wal").stat()
    except OSError:
        return status.st_ino, status.st_mtime_ns
    return status.st_ino, status.st_mtime_ns, log.st_size, log.st_mtime_ns
