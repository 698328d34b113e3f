"""Counting many texts on all cores, in a process that runs no threads.

What counts Claude's tokens is Python, which lets no other thread run. A fork has its tables at once
and gives back no more than numbers; a new process would first have to start Python and load them.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress

LEAST = 200_000
"""Characters, below which a fork takes longer than it saves."""

_MOST = 8


def count_on_all_cores(count: Callable[[str], int], texts: Sequence[str]) -> list[int]:
    """Count each text, in order; alone where threads run, or there is little to count.

    What a fork could not count, for want of memory say, is counted here.
    """
    hands = _hands() if sum(map(len, texts)) > LEAST else 1
    if hands == 1:
        return list(map(count, texts))
    first, *others = _deal(texts, hands)
    figures = [-1] * len(texts)
    forks: list[Fork] = []
    try:
        for share in others:
            forks.append(Fork())
            forks[-1].start(count, texts, share)
        for place in first:
            figures[place] = count(texts[place])
        for share, fork in zip(others, forks, strict=True):
            for place, figure in zip(share, fork.collect(len(share)), strict=False):
                figures[place] = figure
    finally:
        for fork in forks:
            fork.end()
    return [figure if figure >= 0 else count(texts[n]) for n, figure in enumerate(figures)]


def _hands() -> int:
    if not hasattr(os, "fork") or threading.active_count() > 1 or sys.platform == "darwin":
        return 1  # the libraries of macOS may run threads of their own
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, _MOST)


def _deal(texts: Sequence[str], hands: int) -> list[list[int]]:
    """The places of the texts in shares of about the same length."""
    shares: list[list[int]] = [[] for _ in range(hands)]
    weights = [0] * hands
    for place in sorted(range(len(texts)), key=lambda place: -len(texts[place])):
        lightest = weights.index(min(weights))
        shares[lightest].append(place)
        weights[lightest] += len(texts[place])
    return shares


class Fork:
    """A process that counts a share of the texts, and the pipe that it tells the figures by."""

    def __init__(self) -> None:
        self._child = 0
        self._reading: int | None = None

    def start(
        self, count: Callable[[str], int], texts: Sequence[str], share: Sequence[int]
    ) -> None:
        """Start it; where the system has no process left, nothing is counted."""
        self._reading, writing = os.pipe()
        try:
            self._child = os.fork()
        except OSError:
            os.close(writing)
            return
        if self._child:
            os.close(writing)
            return
        code = 1
        try:  # nothing of the parent's may run here: no handler, no buffer, no connection
            figures = array("q", (count(texts[place]) for place in share))
            with open(writing, "wb") as pipe:
                pipe.write(figures.tobytes())
            code = 0
        finally:  # also where it was interrupted: what it did not count is counted by the parent
            os._exit(code)

    def collect(self, expected: int) -> list[int]:
        """Wait for what it counted; -1 for what it did not."""
        data = b""
        if self._reading is not None:
            with open(self._reading, "rb", closefd=False) as pipe:
                data = pipe.read()
        figures = array("q")
        if len(data) != expected * figures.itemsize:
            return [-1] * expected
        figures.frombytes(data)
        return list(figures)

    def end(self) -> None:
        """End it, whatever it does, and leave nothing of it."""
        if self._reading is not None:
            os.close(self._reading)
        if self._child:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(self._child, signal.SIGKILL)
                os.waitpid(self._child, 0)
