"""Exact counts, and estimates against them: of ctok, or of what it answered once.

What only ctok itself can tell is skipped where it is not (it needs Python 3.12).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from string import printable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orch_tui.errors import OrchError, UsageError
from orch_tui.prepare import exact
from orch_tui.prepare.count import FAMILIES
from orch_tui.prepare.exact import count_exactly, slice_text, slice_tokens
from orch_tui.prepare.pieces import WAYS, load_pieces
from orch_tui.prepare.text_kinds import kind_of
from orch_tui.prepare.tokens import count_tokens
from tests.counts import COUNTS
from tests.generate.token_counts import (
    ANSWERS,
    DEALT,
    DEALT_SIZE,
    SLICE_SIZES,
    SLICED,
    SMALL,
    WRITTEN,
    ask_ctok,
)
from tests.prepare.conftest import HAS_CTOK

needs_ctok = pytest.mark.skipif(not HAS_CTOK, reason="ctok needs Python 3.12")
CtokTokens = Callable[[str, str], int]
ROOT = Path(__file__).parents[2]


@dataclass
class Item:
    text: str
    kind: str = "python"

    @property
    def sha256(self) -> str:
        return sha256(self.text.encode()).hexdigest()


class Kept:
    """A cache that remembers what it was asked to keep, in order."""

    def __init__(self) -> None:
        self.calls: list[Mapping[str, int]] = []

    def get_counts(self, sha256s: Sequence[str], estimator: str) -> dict[str, int]:
        return {s: n for call in self.calls for s, n in call.items() if s in sha256s}

    def put_counts(self, estimator: str, counts: Mapping[str, int]) -> None:
        assert estimator == "claude-v4.8"
        self.calls.append(dict(counts))


def project_files() -> list[tuple[str, str]]:
    """Some files of this repository, of each kind that it holds."""
    paths = [
        path
        for suffix in ("py", "md", "toml", "sql", "tcss")
        for folder in ("orch_tui", "assets")
        for path in ROOT.glob(f"{folder}/**/*.{suffix}")
        if 1000 < path.stat().st_size < 30_000
    ]
    chosen = random.Random(4).sample(sorted(paths), 14)
    return [(path.name, path.read_text("utf-8")) for path in chosen]


@needs_ctok
@pytest.mark.parametrize("family", ["v3", "v4.8"])
@pytest.mark.slow
def test_files_of_this_repository_count_as_ctok_counts_them(
    family: str, ctok_tokens: CtokTokens
) -> None:
    items = [Item(text, kind_of(name, text)) for name, text in project_files()]
    exactly = dict(count_exactly(items, family=family))
    for item in items:
        assert exactly[item.sha256] == ctok_tokens(item.text, family)
        estimated = count_tokens(item.text, family=family, kind=item.kind)
        assert estimated.low <= exactly[item.sha256] <= estimated.high


@needs_ctok
@settings(
    max_examples=COUNTS.fuzz_inputs, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(printable, max_size=30))
def test_text_in_ascii_is_estimated_to_the_token(ctok_tokens: CtokTokens, text: str) -> None:
    for family in WAYS if text else ():
        assert load_pieces(family).tokens(text) == ctok_tokens(text, family)


@pytest.mark.parametrize("text", [text for text in WRITTEN if not text.isascii()])
def test_other_scripts_are_estimated_within_their_band(text: str, ctok_tokens: CtokTokens) -> None:
    text *= 20
    for family in FAMILIES:
        estimated = count_tokens(text, family=family, kind=kind_of("-", text))
        assert estimated.low <= ctok_tokens(text, family) <= estimated.high


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("text", SLICED)
def test_slices_count_as_the_whole(
    family: str, text: str, monkeypatch: pytest.MonkeyPatch, ctok_tokens: CtokTokens
) -> None:
    whole = ctok_tokens(text * 9, family)
    slices = []
    for size in SLICE_SIZES:
        monkeypatch.setattr(exact, "SLICE", size)
        slices = slice_text(text * 9)
        assert "".join(one.text for one in slices) == text * 9
        assert sum(slice_tokens(one, family) for one in slices) == whole
    assert len(slices) > 1


@pytest.mark.usefixtures("ctok_tokens")
def test_counting_can_be_stopped_and_keeps_what_is_done() -> None:
    items, kept = [Item(text) for text in SMALL], Kept()
    counting = count_exactly(items, family="v4.8", cache=kept)
    done = [next(counting), next(counting)]
    counting.close()
    assert kept.calls == [dict([one]) for one in done]
    assert len(dict(count_exactly(items, family="v4.8", cache=kept))) == 9
    assert len(kept.calls) == 9


@pytest.mark.usefixtures("ctok_tokens")
def test_processes_count_what_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "SLICE", DEALT_SIZE)
    items = [Item(DEALT), Item("")]
    here = dict(count_exactly(items, family="v4.8", processes=0))
    assert dict(count_exactly(items, family="v4.8", processes=2)) == here
    assert here[items[1].sha256] == 0


def test_a_text_counts_as_all_of_its_slices(
    monkeypatch: pytest.MonkeyPatch, ctok_tokens: CtokTokens
) -> None:
    monkeypatch.setattr(exact, "SLICE", DEALT_SIZE)
    items = [Item(DEALT), Item(SMALL[3])]
    for family in FAMILIES:
        assert dict(count_exactly(items, family=family)) == {
            item.sha256: ctok_tokens(item.text, family) for item in items
        }


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that are started to count."""
    processes: list[subprocess.Popen[bytes]] = []

    class Started(subprocess.Popen[bytes]):
        def __init__(self, *words: Any, **options: Any) -> None:
            super().__init__(*words, **options)
            processes.append(self)

    monkeypatch.setattr("orch_tui.prepare.exact.subprocess.Popen", Started)
    monkeypatch.setattr(exact, "SLICE", DEALT_SIZE)
    return processes


@pytest.mark.usefixtures("ctok_tokens")
@pytest.mark.slow
def test_processes_are_started_where_there_is_much_to_count(
    monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(exact, "WORTH_PROCESSES", len(DEALT))
    list(count_exactly([Item(DEALT)], family="v3"))
    assert started == []
    monkeypatch.setattr(exact, "WORTH_PROCESSES", len(DEALT) - 1)
    list(count_exactly([Item(DEALT)], family="v3"))
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


@pytest.mark.usefixtures("ctok_tokens")
def test_processes_are_gone_when_counting_is_stopped(
    started: list[subprocess.Popen[bytes]],
) -> None:
    counting = count_exactly([Item(SMALL[0]), Item(DEALT)], family="v3", processes=1)
    next(counting)
    (process,) = started
    assert os.getsid(process.pid) == process.pid  # Ctrl+C is for the one who asked
    counting.close()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.usefixtures("ctok_tokens")
def test_a_process_that_ends_by_itself_is_named(
    started: list[subprocess.Popen[bytes]],
) -> None:
    counting = count_exactly([Item(SMALL[0]), Item(DEALT)], family="v3", processes=1)
    next(counting)
    started[0].kill()
    started[0].wait()
    with pytest.raises(OrchError, match=r"ended by itself \(exit -9\)") as error:
        list(counting)
    assert "again" in error.value.hint


@pytest.mark.usefixtures("ctok_tokens")
def test_no_more_is_counted_once_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "SLICE", DEALT_SIZE)
    answers = iter([False, False, True])
    items = [Item(SMALL[0]), Item(SMALL[1]), Item(SMALL[2])]
    counted = count_exactly(items, family="v3", stopped=lambda: next(answers))
    assert [sha256 for sha256, _ in counted] == [item.sha256 for item in items[:2]]


def test_without_ctok_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "is_available", lambda: False)
    assert list(count_exactly([], family="v4.8")) == []
    with pytest.raises(UsageError, match="need ctok") as error:
        list(count_exactly([Item("x")], family="v4.8"))
    assert "3.12" in error.value.hint
    assert len(list(count_exactly([Item("x")], family="o200k_base"))) == 1


@needs_ctok
@pytest.mark.slow
def test_what_ctok_answered_is_what_it_answers() -> None:
    assert ask_ctok() == ANSWERS.read_text("ascii").splitlines(keepends=True)


@needs_ctok
def test_the_shipped_pieces_are_those_of_ctok() -> None:
    from tests.bench.calibrate import VERSIONS, joined

    for name in VERSIONS:
        shipped = ROOT / "assets" / "tokens" / f"claude-{name}.bin"
        import zlib

        assert zlib.decompress(shipped.read_bytes()) == zlib.decompress(joined(name))
