"""The app leaves when it is told to, whatever it is doing.

It is told by a signal, or by its terminal that is gone. The event loop is asked first; where it
does not get there in time (a thread is at work, the terminal takes no more output), the drafts
are written all the same and the process ends. The record outlives that as it outlives a crash.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

GRACE = 1.2
"""Seconds for the event loop and its threads to come to an end by themselves."""

HUNG_UP = 128 + signal.SIGHUP
"""The exit code where the terminal is gone."""


class Departure:
    """Ends the process within two seconds of being asked."""

    def __init__(self, leave: Callable[[], object], keep: Callable[[], None]) -> None:
        """Take what asks the event loop to end, and what writes the drafts.

        Both are called in a thread; ``keep`` only where the event loop did not end.
        """
        self.exit_code = 0
        """What the process ends with; 0 while nobody asked."""
        self._leave = leave
        self._keep = keep
        # Not an Event: a signal's handler may interrupt its own thread inside one, for ever.
        self._asked: SimpleQueue[int] = SimpleQueue()

    def begin(self) -> None:
        """Wait for being asked, and be asked by signals."""
        # Not begun when it is needed: a signal's handler may not start threads.
        Thread(target=self._wait, name="departure", daemon=True).start()
        self.hear_signals()

    def hear_signals(self) -> None:
        """Leave on SIGTERM, and on SIGHUP unless whoever started the app said it is to be ignored.

        Called in the main thread; again where a library took the signals for itself.
        """
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda number, _: self.ask(128 + number))

    def ask(self, exit_code: int) -> None:
        """Leave with an exit code; the first one asked for counts. Returns at once."""
        self._asked.put(exit_code)

    def _wait(self) -> None:
        self.exit_code = self._asked.get()
        try:
            self._leave()
            time.sleep(GRACE)
            self._keep()
        finally:
            os._exit(self.exit_code)
