"""Counting many texts on all cores, in a process that runs no threads.

What counts Claude's tokens is Python, which lets no other thread run. A fork has its tables at once
and gives back no more than numbers; a new process would first have to start Python and load them.
"""

from __future__ import annotations

import os
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
    shares = _deal(texts, hands)
    pipes = [(share, _fork(count, texts, share)) for share in shares[1:]]
    figures = [0] * len(texts)
    for place in shares[0]:
        figures[place] = count(texts[place])
    for share, pipe in pipes:
        for place, figure in zip(share, _collect(pipe, len(share)), strict=False):
            figures[place] = figure
    rest = [place for share, _ in pipes for place in share if figures[place] < 0]
    for place in rest:
        figures[place] = count(texts[place])
    return figures


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


def _fork(
    count: Callable[[str], int], texts: Sequence[str], share: Sequence[int]
) -> tuple[int, int]:
    """A process that counts a share, and where to read what it found; no process: it is 0."""
    reading, writing = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(writing)
        return 0, reading
    if child:
        os.close(writing)
        return child, reading
    code = 1
    try:  # nothing of the parent's may run here: no handler, no buffer, no connection
        figures = array("q", (count(texts[place]) for place in share))
        with open(writing, "wb") as pipe:
            pipe.write(figures.tobytes())
        code = 0
    finally:  # also where it was interrupted: what it did not count is counted by the parent
        os._exit(code)


def _collect(process: tuple[int, int], expected: int) -> list[int]:
    """What a fork counted; -1 for what it did not."""
    child, reading = process
    with open(reading, "rb") as pipe:
        data = pipe.read()
    if child:
        with suppress(ChildProcessError):
            os.waitpid(child, 0)
    figures = array("q")
    if len(data) != expected * figures.itemsize:
        return [-1] * expected
    figures.frombytes(data)
    return list(figures)
