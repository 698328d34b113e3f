"""A program in a pseudo-terminal: keys in, painted bytes out, and when they came."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

SIZE = (120, 36)


class NeverPaintedError(Exception):
    """What should have been painted did not come; with the end of what did."""


class Terminal:
    """One program, started at once and killed at the end."""

    def __init__(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        self.started = time.perf_counter()
        self.painted = b""
        self.pid, self._screen = pty.fork()
        if not self.pid:
            os.chdir(cwd)
            environment = {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execvpe(command[0], list(command), environment)
        size = struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0)
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._screen)

    def until(self, pattern: bytes, *, within: float = 60) -> float:
        """Read until ``pattern`` was painted since the last key; gives when, and what it matched
        is ``found``.

        Raises:
            NeverPaintedError: it did not come within so many seconds.
        """
        sought = re.compile(pattern)
        end = time.perf_counter() + within
        while not (match := sought.search(self.painted)):
            if not self._read(end - time.perf_counter()):
                raise NeverPaintedError(f"{pattern!r}, but {self.painted[-2000:]!r}")
        self.found = match
        return time.perf_counter()

    def settle(self, quiet: float = 0.25, *, most: float = 3) -> None:
        """Read until nothing is painted any more but a blinking cursor, or for ``most`` seconds."""
        last = start = time.perf_counter()
        while time.perf_counter() - last < quiet and time.perf_counter() - start < most:
            before = len(self.painted)
            self._read(quiet)
            if len(self.painted) - before > 100:
                last = time.perf_counter()

    def press(self, keys: bytes) -> float:
        """Send keys and forget what was painted before; gives when."""
        self.painted = b""
        now = time.perf_counter()
        view = memoryview(keys)
        while view:
            ready, writable, _ = select.select([self._screen], [self._screen], [])
            if writable:
                view = view[os.write(self._screen, view[:4096]) :]
            if ready:
                self._read(0)
        return now

    @property
    def cpu(self) -> float:
        """Seconds of CPU the program took so far, all its threads (clock_getcpuclockid(3))."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def _read(self, wait: float) -> bool:
        if not select.select([self._screen], [], [], max(wait, 0))[0]:
            return False
        try:
            self.painted += os.read(self._screen, 1 << 16)
        except OSError:  # the program ended
            return False
        return True
