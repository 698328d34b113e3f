"""Exact counts of Claude's tokens, by ctok: slow, so counted in slices that can be stopped.

ctok needs Python 3.12. It is an unofficial reconstruction, fitted to what Anthropic's
``count_tokens`` answers; it reproduces that on millions of texts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from itertools import cycle, islice
from typing import NamedTuple

from orch_tui.errors import OrchError, UsageError
from orch_tui.prepare.count import FRAMES, Countable, CountCache, exact_name
from orch_tui.prepare.pieces import cut_stretches
from orch_tui.prepare.vocabulary import VOCABULARIES, count_encoded
from orch_tui.processes import own_module

SLICE = 16_000
"""Characters counted at once: a twentieth of a second or so."""

WORTH_PROCESSES = 12 * SLICE
"""Characters from which on processes save time, though each takes a third of a second to start."""


def is_available() -> bool:
    """Whether ctok is there."""
    return find_spec("ctok") is not None


def count_exactly(
    items: Iterable[Countable],
    *,
    family: str,
    cache: CountCache | None = None,
    processes: int | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Generator[tuple[str, int], None, None]:
    """The SHA-256 and the tokens of each different item, as they become known.

    What the cache knows comes first; what is counted is kept there item by item. To stop, close
    the generator. Texts are counted in that many ``processes`` (0: in this one; None: as many as
    there are processors, if that is worth it). ``stopped`` is asked at every slice, and no more is
    counted once it says so.

    Raises:
        UsageError: ctok is not there, and something is left to count.
    """
    by_sha256 = {item.sha256: item for item in items}
    name = exact_name(family)
    known = cache.get_counts(list(by_sha256), name) if cache is not None else {}
    yield from known.items()
    texts = {s: item.text for s, item in by_sha256.items() if s not in known}
    for sha256, tokens in _counted(texts, family, processes, stopped) if texts else ():
        if cache is not None:
            cache.put_counts(name, {sha256: tokens})
        yield sha256, tokens


def _counted(
    texts: dict[str, str], family: str, processes: int | None, stopped: Callable[[], bool]
) -> Iterator[tuple[str, int]]:
    if family in VOCABULARIES:
        yield from zip(texts, count_encoded(list(texts.values()), family), strict=True)
        return
    if not is_available():
        raise UsageError(
            "exact counts need ctok, which is not installed",
            hint="run orch with Python 3.12 or newer, or do without --exact: estimates are close",
        )
    if processes is None:
        worth_it = sum(map(len, texts.values())) > WORTH_PROCESSES
        processes = (os.cpu_count() or 1) if worth_it else 0
    slices = {sha256: slice_text(text) for sha256, text in texts.items()}
    with _workers(processes) as counting:
        figures = counting(family, (one for some in slices.values() for one in some))
        for sha256, some in slices.items():
            tokens = 0
            for figure in islice(figures, len(some)):
                if stopped():
                    return
                tokens += figure
            yield sha256, tokens


class Slice(NamedTuple):
    """A stretch of a text that can be counted by itself."""

    text: str
    goes_on: bool
    """More of the text follows."""


def slice_text(text: str) -> list[Slice]:
    """A text in slices, whose tokens add up to those of the text."""
    *others, last = cut_stretches(text, SLICE)
    return [*(Slice(each, True) for each in others), Slice(last, False)]


def slice_tokens(one: Slice, family: str) -> int:
    """The tokens of a slice, without the frame of the message."""
    import ctok  # type: ignore[import-not-found, unused-ignore]

    if not one.text:
        return 0
    # The line ends that close a message are free; in the middle of a text they are not. A word of
    # one token keeps them in the middle.
    extra = "x" if one.goes_on else ""
    version = {"v3": "3.0"}.get(family, family.removeprefix("v"))
    return int(ctok.token_count(one.text + extra, version)) - FRAMES[family] - len(extra)


@contextmanager
def _workers(processes: int) -> Iterator[Callable[[str, Iterable[Slice]], Iterator[int]]]:
    """What counts slices for a family, in order, in that many processes (0: in this one). They
    are gone when it is left."""
    if not processes:
        yield lambda family, slices: (slice_tokens(one, family) for one in slices)
        return
    # Neither forked, since the app runs threads, nor spawned by multiprocessing, which would
    # import the main script again.
    command = own_module(__name__)
    with ExitStack() as stack:
        workers = []
        for _ in range(processes):
            worker = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
            stack.enter_context(worker)
            stack.callback(worker.kill)
            workers.append(worker)
        yield partial(_dealt, workers)


def _dealt(
    workers: Sequence[subprocess.Popen[bytes]], family: str, slices: Iterable[Slice]
) -> Iterator[int]:
    """Deal slices to the workers in turn, a few ahead of what is asked for."""
    busy: deque[subprocess.Popen[bytes]] = deque()
    for one, worker in zip(slices, cycle(workers), strict=False):
        _hand_over(worker, json.dumps([family, *one]).encode() + b"\n")
        busy.append(worker)
        if len(busy) > 2 * len(workers):
            yield _answer(busy.popleft())
    while busy:
        yield _answer(busy.popleft())


def _hand_over(worker: subprocess.Popen[bytes], line: bytes) -> None:
    assert worker.stdin
    try:
        worker.stdin.write(line)
        worker.stdin.flush()
    except BrokenPipeError:
        with suppress(BrokenPipeError):  # what was not taken is still in the buffer
            worker.stdin.close()
        raise _ended(worker) from None


def _answer(worker: subprocess.Popen[bytes]) -> int:
    assert worker.stdout
    if line := worker.stdout.readline():
        return int(line)
    raise _ended(worker)


def _ended(worker: subprocess.Popen[bytes]) -> OrchError:
    return OrchError(
        f"a process that counts ended by itself (exit {worker.wait()})",
        hint="count again; what was counted is kept",
    )


def _work() -> None:
    """A worker: count what comes on standard input, one slice a line."""
    os.nice(5)
    for line in sys.stdin.buffer:
        family, text, goes_on = json.loads(line)
        print(slice_tokens(Slice(text, goes_on), family), flush=True)


if __name__ == "__main__":
    _work()
