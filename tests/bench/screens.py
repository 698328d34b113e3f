"""What a person waits for, in the installed program in a pseudo-terminal.

    python -m tests.bench.run screens [--full]

First paint against a bare Textual app, a key in History to its painted result, a choice in Compose
to the moved gauge, a paste of 1 MB to its painted beginning. Wall time, since a person waits by the
wall; the machine should do nothing else.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from orch_tui.models.database import Record
from orch_tui.screens.history.screen import PAGE
from orch_tui.search.query import search
from orch_tui.times import local_time
from tests.bench import search as search_bench
from tests.bench.measure import percentile
from tests.bench.terminal import Terminal

STARTS = 7
"""Starts of each app, in turn, besides one that warms up."""

PHRASES = 12
CHOICES = 20
FILES = 20_000
ROWS = 20
PASTED = 1_000_000
PASTES = 5


class Waits(NamedTuple):
    """Seconds that a person waits."""

    median: float
    p95: float
    n: int


def waits(seconds: Sequence[float]) -> Waits:
    return Waits(median(seconds), percentile(list(seconds), 0.95), len(seconds))


class Starts(NamedTuple):
    """First paints of ours and of the bare app, in seconds of CPU and of wall."""

    ratio: float
    cpu: float
    bare_cpu: float
    wall: float
    bare_wall: float


def project(folder: Path, record: Path | None) -> Path:
    """A project, with a copy of a record."""
    home = folder / ".claude" / "orchestration"
    home.mkdir(parents=True)
    if record:
        shutil.copyfile(record, home / "execution.db")
    return folder


def first_paint(
    orch: Sequence[str], bare: Sequence[str], cwd: Path, env: Mapping[str, str]
) -> Starts:
    """From exec to the first row of History, and to the first row of the bare app."""
    ours, theirs = [], []
    for number in range(STARTS + 1):
        first = _start(orch, rb"\d runs", cwd, env), _start(bare, rb"row 0", cwd, env)
        if number:
            ours.append(first[0])
            theirs.append(first[1])
    ratios = [mine[0] / its[0] for mine, its in zip(ours, theirs, strict=True)]
    cpu, wall = (median(figures) for figures in zip(*ours, strict=True))
    bare_cpu, bare_wall = (median(figures) for figures in zip(*theirs, strict=True))
    return Starts(median(ratios), cpu, bare_cpu, wall, bare_wall)


def _start(
    command: Sequence[str], painted: bytes, cwd: Path, env: Mapping[str, str]
) -> tuple[float, float]:
    with Terminal(command, cwd=cwd, env=env) as terminal:
        seen = terminal.until(painted)
        return terminal.cpu, seen - terminal.started


def keys_to_result(orch: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Waits:
    """Each key of some phrases, to a time of deployment that the list did not show before."""
    with Record(cwd / ".claude/orchestration/execution.db", create=False) as record:
        phrases = search_bench.phrases(record, PHRASES)
        shown = {
            phrase[:end]: [
                local_time(hit.at) for hit in search(record, phrase[:end], limit=PAGE).hits[:ROWS]
            ]
            for phrase in phrases
            for end in range(len(phrase) + 1)
        }
    seconds = []
    with Terminal(orch, cwd=cwd, env=env) as terminal:
        terminal.until(rb"\d runs")
        terminal.settle()
        for phrase in phrases:
            for end, letter in enumerate(phrase, start=1):
                before, after = shown[phrase[: end - 1]], shown[phrase[:end]]
                pressed = terminal.press(letter.encode())
                news = [time for time in after if time not in before]
                if news:  # else nothing tells the new result from the old one
                    seconds.append(terminal.until(re.escape(news[0]).encode()) - pressed)
                terminal.settle(0.1)
            terminal.press(b"\x15")  # Ctrl+U empties the box
            terminal.settle()
    return waits(seconds)


def choices_to_gauge(orch: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Waits:
    """Files chosen one after the other in a tree of 20,000, to the gauge that moved."""
    seconds = []
    with Terminal(orch, cwd=cwd, env=env) as terminal:
        terminal.until(rb"History")
        terminal.settle()
        terminal.press(b"\x1bOQ")  # F2
        terminal.until(rb"package_000")
        terminal.settle(1)
        terminal.press(b"\x1b")  # from the box to the tree
        terminal.settle()
        terminal.press(b"\x1b[C")  # opens the first folder
        terminal.settle()
        for _ in range(CHOICES):
            terminal.press(b"\x1b[B")
            terminal.settle()
            pressed = terminal.press(b" ")
            seconds.append(terminal.until(rb"agent .{0,40}\xe2\x96\x95") - pressed)
            terminal.settle(0.4)
    return waits(seconds)


def tree(folder: Path, files: int = FILES) -> None:
    """So many files, a hundred to a folder."""
    for number in range(files):
        path = folder / f"package_{number // 100:03d}" / f"module_{number % 100:02d}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"def function_{number}(value):\n    return value + {number}\n" * 20)


def pastes(
    orch: Sequence[str], bare: Sequence[str], cwd: Path, env: Mapping[str, str]
) -> tuple[float, float]:
    """Seconds from the first byte of a paste of 1 MB to its painted beginning, in Deploy and in
    an app that only says how much it got: what Textual takes to parse it."""
    ours, theirs = [], []
    for _ in range(PASTES):
        with Terminal(bare, cwd=cwd, env=env) as terminal:
            terminal.until(rb"row 0")
            terminal.settle()
            theirs.append(_paste(terminal, rb"pasted \d"))
        with Terminal(orch, cwd=cwd, env=env) as terminal:
            terminal.until(rb"History")
            terminal.settle()
            terminal.press(b"\x1bOR")  # F3
            terminal.settle(1)
            terminal.press(b"c")
            terminal.settle(1)
            ours.append(_paste(terminal, rb"PASTED words"))
    return median(ours), median(theirs)


def _paste(terminal: Terminal, painted: bytes) -> float:
    text = b"PASTED " + b"words of an answer that goes on and on; " * (PASTED // 40)
    pressed = terminal.press(b"\x1b[200~" + text + b"\x1b[201~")
    return terminal.until(painted) - pressed
