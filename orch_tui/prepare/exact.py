"""Exact counts of Claude's tokens, by ctok: slow, so counted in slices that can be stopped.

ctok needs Python 3.12. It is an unofficial reconstruction, fitted to what Anthropic's
``count_tokens`` answers; it reproduces that on millions of texts.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from itertools import islice
from typing import Any, NamedTuple

from orch_tui.errors import UsageError
from orch_tui.prepare.pieces import stretches
from orch_tui.prepare.tokens import FRAMES, Countable, CountCache, exact_name
from orch_tui.prepare.vocabulary import VOCABULARIES, encoded_counts

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
) -> Generator[tuple[str, int], None, None]:
    """The SHA-256 and the tokens of each different item, as they become known.

    What the cache knows comes first; what is counted is kept there item by item. To stop, close
    the generator. Texts are counted in that many ``processes`` (0: in this one; None: as many as
    there are processors, if that is worth it).

    Raises:
        UsageError: ctok is not there, and something is left to count.
    """
    by_sha256 = {item.sha256: item for item in items}
    name = exact_name(family)
    known = cache.get_counts(list(by_sha256), name) if cache is not None else {}
    yield from known.items()
    texts = {s: item.text for s, item in by_sha256.items() if s not in known}
    for sha256, tokens in _counted(texts, family, processes) if texts else ():
        if cache is not None:
            cache.put_counts(name, {sha256: tokens})
        yield sha256, tokens


def _counted(
    texts: dict[str, str], family: str, processes: int | None
) -> Iterator[tuple[str, int]]:
    if family in VOCABULARIES:
        yield from zip(texts, encoded_counts(list(texts.values()), family), strict=True)
        return
    if not is_available():
        raise UsageError(
            "exact counts need ctok, which is not installed",
            hint="run orch with Python 3.12 or newer, or do without --exact: estimates are close",
        )
    if processes is None:
        worth_it = sum(map(len, texts.values())) > WORTH_PROCESSES
        processes = (os.cpu_count() or 1) if worth_it else 0
    slices = {sha256: sliced(text) for sha256, text in texts.items()}
    with _workers(processes) as each:
        count = partial(slice_tokens, family=family)
        figures = each(count, [one for some in slices.values() for one in some])
        for sha256, some in slices.items():
            yield sha256, sum(islice(figures, len(some)))


class Slice(NamedTuple):
    """A stretch of a text that can be counted by itself."""

    text: str
    goes_on: bool
    """More of the text follows."""


def sliced(text: str) -> list[Slice]:
    """A text in slices, whose tokens add up to those of the text."""
    *others, last = stretches(text, SLICE)
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
def _workers(processes: int) -> Iterator[Any]:
    """A ``map`` over that many processes, which stop when it is left."""
    if not processes:
        yield map
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Not forked: the app runs threads.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _be_humble)
    try:
        yield pool.map
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _be_humble() -> None:
    """In a worker: leave the processor to whoever waits, and Ctrl-C to the one who started it."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(5)
