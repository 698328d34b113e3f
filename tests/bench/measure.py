"""What a process costs, and how that compares to another measured at the same moments.

CPU time, not wall time, is the primary figure: it hardly depends on what else the machine does.
What remains of its neighbours (caches, clock speed) is the same for two processes run in turn, so
a ratio is the median over such pairs.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

NOTHING = ["-c", "pass"]
"""The arguments of the least a Python process can do: the unit of the ratios."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One process and the children it waited for."""

    cpu: float
    """Seconds, user and system."""
    wall: float
    """Seconds."""
    peak: float
    """MiB resident at most. Never below what this process holds: the kernel counts from exec."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """A process against another, run in turn ``n`` times."""

    n: int
    ratio: float
    cpu: float
    wall: float
    peak: float


class FailedError(Exception):
    """A measured command did not do what it is measured for; its figures would mean nothing."""


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    exit_codes: Sequence[int] = (0,),
) -> Usage:
    """Run a command to its end.

    Raises:
        FailedError: an exit code that is none of ``exit_codes``, with what it said.
    """
    with (cwd / ".stderr").open("w+b") as stderr:
        start = time.perf_counter()
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in exit_codes:
            stderr.seek(0)
            said = stderr.read().decode(errors="replace").strip().splitlines()
            complaint = [line for line in said if line.startswith("orch: ")] or said[-1:]
            raise FailedError(f"exit code {process.returncode}: {' '.join(complaint)}")
    return Usage(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def pairs(n: int, measured: Callable[[int], Usage], against: Callable[[], Usage]) -> Pairs:
    """``n`` pairs, after one of each that is not counted; ``measured`` is told its number."""
    against()
    measured(0)
    both = [(against().cpu, measured(number)) for number in range(1, n + 1)]
    return Pairs(
        n,
        median(usage.cpu / unit for unit, usage in both),
        median(usage.cpu for _, usage in both),
        median(usage.wall for _, usage in both),
        max(usage.peak for _, usage in both),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
