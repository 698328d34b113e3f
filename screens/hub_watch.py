"""Syncing with the hub of a team while the app is open: in a process of its own, which ends with
the app, whatever becomes of it."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING

from orch_tui.errors import OrchError
from orch_tui.paths import hubs_folder
from orch_tui.processes import own_module
from orch_tui.screens.app_messages import HubLagSeen

if TYPE_CHECKING:
    from orch_tui.app import OrchApp
    from orch_tui.hub.background_sync import HubLag

LOOK_EVERY = 5.0
"""Seconds between two looks at how far behind the record is, and whether it is joined."""

AGAIN_AFTER = 6
"""Looks after which a process that ended is begun again."""


_WATCH = ("hub", "sync", "--watch", "--until-closed")


class HubWatch:
    """Keeps the syncing process of the app going, and tells the app how far behind it is."""

    def __init__(self, app: OrchApp, end: Event) -> None:
        """Watch for ``app`` until ``end`` is set."""
        self._app = app
        self._end = end
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = 0

    def watch(self) -> None:
        """Look again and again, until the app ends."""
        try:
            shown: str | None = None
            while not self._end.is_set():
                told = self._word(self._look())
                if told != shown:
                    shown = told
                    self._app.post_message(HubLagSeen(told))
                self._end.wait(LOOK_EVERY)
        finally:
            self._stop()

    def _look(self) -> HubLag | None:
        """Read how far behind the record is, with the process begun where it is to sync."""
        if not os.path.isdir(hubs_folder()):
            return None
        from orch_tui.hub.background_sync import read_lag  # hardly anybody has a hub

        lag = None
        with suppress(OrchError):  # the screens say what is wrong with the record
            lag = read_lag(self._app.project.existing_record)
        if lag is None:
            self._stop()
        elif self._app.project.config.sync_every:
            self._keep_going()
        return lag

    def _keep_going(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._rest -= 1
        if self._rest >= 0:
            return
        self._rest = AGAIN_AFTER
        database = str(self._app.project.database)
        with suppress(OSError):
            self._process = subprocess.Popen(
                own_module(
                    "orch_tui", "--db", database, "hub", "sync", "--watch", "--until-closed"
                ),
                cwd=self._app.project.root,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C at the terminal is the app's
            )

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        with suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _word(self, lag: HubLag | None) -> str:
        """Word that the record is behind, in a word or two; empty where it is not."""
        if lag is None or not lag.is_behind:
            return ""
        from orch_tui.hub.background_sync import word_lag

        return word_lag(lag, self._app.project.now())
