"""Counting on all cores gives what counting alone gives."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from orch_tui.prepare import all_cores
from orch_tui.prepare.all_cores import count_on_all_cores

TEXTS = ["a" * n for n in (1, 300_000, 0, 7, 90_000, 12)]


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)


def test_every_text_is_counted_in_its_place() -> None:
    assert count_on_all_cores(len, TEXTS) == list(map(len, TEXTS))
    assert count_on_all_cores(len, []) == []


def test_another_process_counts_a_share() -> None:
    seen = set(count_on_all_cores(lambda _: os.getpid(), TEXTS))
    assert os.getpid() in seen and len(seen) == (1 if all_cores._hands() == 1 else 3)


def test_nothing_is_forked_where_threads_run_or_there_is_little() -> None:
    assert set(count_on_all_cores(lambda _: os.getpid(), ["a"] * 9)) == {os.getpid()}
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert set(count_on_all_cores(lambda _: os.getpid(), TEXTS)) == {os.getpid()}
    finally:
        done.set()
        thread.join()


def test_what_a_fork_could_not_count_is_counted_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parent = os.getpid()

    def count(text: str) -> int:
        if os.getpid() != parent:
            os._exit(3)
        return len(text)

    assert count_on_all_cores(count, TEXTS) == list(map(len, TEXTS))

    def refuse() -> int:
        raise OSError

    monkeypatch.setattr(os, "fork", refuse)
    assert count_on_all_cores(len, TEXTS) == list(map(len, TEXTS))


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError])
def test_where_it_is_interrupted_no_process_is_left(
    interruption: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = os.getpid()
    reading, writing = os.pipe()  # what every fork holds open, and nobody else at the end
    forked: list[int] = []
    fork = os.fork

    def note() -> int:
        forked.append(fork())
        return forked[-1]

    monkeypatch.setattr(os, "fork", note)

    def count(text: str) -> int:
        if os.getpid() == alone:
            raise interruption
        signal.pause()
        return 0

    with pytest.raises(interruption):
        count_on_all_cores(count, TEXTS)
    os.close(writing)
    with open(reading, "rb") as held:
        assert held.read() == b""  # comes to an end
    for child in forked:
        with pytest.raises(ChildProcessError):
            os.waitpid(child, os.WNOHANG)
