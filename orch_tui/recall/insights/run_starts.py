"""What each run began with, beside what was estimated for it and what was learned from others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from orch_tui.frozen import frozen
from orch_tui.models.database import Row
from orch_tui.recall.estimate_corrections import Correction, Start
from orch_tui.recall.insights.group_outcomes import find_median

FAR = 0.15
"""The share of what was expected by which a run that is far off differs from it."""


@frozen
class RunStart:
    """The first request of one run, in tokens: estimated, learned, and what it really held."""

    execution_id: str
    agent_type: str
    scope: str
    model: str
    estimated: int
    used: int
    learned: int | None
    """What runs of the model begin with that have such an estimate; None: too few are known."""

    @property
    def off_estimate(self) -> float:
        """By which share of the estimate more was used."""
        return self.used / self.estimated - 1

    @property
    def off_learned(self) -> float | None:
        """By which share of what was learned more was used."""
        return self.used / self.learned - 1 if self.learned else None

    @property
    def off(self) -> float:
        """By which share of what was to be expected: of what was learned, where anything was."""
        return self.off_estimate if self.off_learned is None else self.off_learned

    @property
    def is_far(self) -> bool:
        return abs(self.off) > FAR

    def row(self) -> Row:
        return asdict(self) | {
            "off_estimate": self.off_estimate,
            "off_learned": self.off_learned,
            "is_far": self.is_far,
        }


@frozen
class Deviation:
    """How far runs were from what was said of them, as shares of it."""

    n: int
    median: float
    within: float
    """Nine in ten are no farther from it than this, up or down."""


@frozen
class RunStarts:
    """Runs whose first request is known, the farthest off first."""

    runs: tuple[RunStart, ...]
    n: int
    """All runs there are, of which most tell no usage or were given more than was counted."""
    corrections: tuple[Correction, ...]
    """What was learned by model; it is in no estimate."""

    @property
    def off_estimate(self) -> Deviation | None:
        return _deviation([run.off_estimate for run in self.runs])

    @property
    def off_learned(self) -> Deviation | None:
        return _deviation([off for run in self.runs if (off := run.off_learned) is not None])


def judge_starts(starts: Iterable[Start], corrections: Sequence[Correction], n: int) -> RunStarts:
    """Set what runs began with against what was estimated and what was learned."""
    by_model = {correction.model: correction for correction in corrections}
    runs = [
        RunStart(
            start.execution_id,
            start.agent_type,
            start.scope,
            start.model,
            start.estimated,
            start.real,
            learned.of(start.estimated) if (learned := by_model.get(start.model)) else None,
        )
        for start in starts
        if start.estimated > 0
    ]
    runs.sort(key=lambda run: -abs(run.off))
    return RunStarts(tuple(runs), n, tuple(corrections))


def _deviation(shares: Sequence[float]) -> Deviation | None:
    if not shares:
        return None
    farthest = sorted(map(abs, shares))
    return Deviation(len(shares), find_median(shares), farthest[(9 * len(shares) - 1) // 10])
