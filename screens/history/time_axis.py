"""Times as places on a line of cells, to an eighth of one; long times in which nothing ran are cut
out of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

EIGHTHS = " ▏▎▍▌▋▊▉█"
CUT = 3
"""Cells that stand for a time that was cut out."""
CUT_FROM = 8
"""The part of all busy time that an idle time has to be longer than, to be cut out."""
MOST_CUTS = 6
LEAST_BAR = 2
"""Eighths of a cell that a bar has at least."""
BETWEEN_TICKS = 3
"""Cells between two times that are written."""
STEPS = (
    *(1, 5, 10, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800),
)
"""Seconds between two times on the axis."""


class AxisPart(NamedTuple):
    """Seconds from and to, and the cells they have."""

    start: float
    end: float
    at: int
    width: int


class TimeAxis:
    """Where times stand; all are seconds since the epoch."""

    def __init__(self, spans: Iterable[tuple[float, float]], width: int) -> None:
        """``spans`` are the times in which something ran, and ``width`` the cells for all."""
        self.width = width
        busy = _merge(spans)
        idle = sorted(
            ((after[0] - before[1], before[1], after[0]) for before, after in pairwise(busy)),
            reverse=True,
        )
        total = sum(end - start for start, end in busy)
        most = min(MOST_CUTS, width // (4 * CUT))
        cuts = sorted((a, b) for length, a, b in idle[:most] if length > max(60, total / CUT_FROM))
        self.parts = tuple(_lay_out(busy, cuts, width)) if busy else ()

    def place(self, moment: float) -> int:
        """Return where a time stands, in eighths of a cell from the left."""
        for part in self.parts:
            if moment <= part.end:
                whole = part.end - part.start
                share = (moment - part.start) / whole if whole else 0.0
                return part.at * 8 + round(max(0.0, share) * part.width * 8)
        return self.width * 8

    @property
    def cuts(self) -> list[int]:
        """The first cells of what was cut out."""
        return [part.at - CUT for part in self.parts[1:]]

    def draw_times(self) -> str:
        """Write as many times as there is room for, each where it stands: first those at which the
        parts begin, with the day where it is another."""
        line = " " * self.width
        day = ""
        for part in self.parts:
            moment = datetime.fromtimestamp(part.start).astimezone()
            today = f"{moment:%b} {moment.day}"
            clock = _write_clock(part.start, _choose_step(part))
            if day not in ("", today):
                line = self._write(line, part.start, f"{today} {clock}")
            line = self._write(line, part.start, clock)
            day = today
        for part in self.parts:
            step = _choose_step(part)
            for tick in _ticks(part, step):
                line = self._write(line, tick, _write_clock(tick, step))
        for cut in self.cuts:
            if not line[cut : cut + CUT].strip():
                line = f"{line[: cut + 1]}⋯{line[cut + 2 :]}"
        return line

    def _write(self, line: str, moment: float, words: str) -> str:
        """Write words at a time; where they would meet others, or the end, the line stays."""
        at = self.place(moment) // 8
        around = line[max(0, at - BETWEEN_TICKS) : at + len(words) + BETWEEN_TICKS]
        if around.strip() or at + len(words) > self.width:
            return line
        return line[:at] + words + line[at + len(words) :]


def _write_clock(moment: float, step: int) -> str:
    """Write a time where the user is, with seconds where those are told apart."""
    local = datetime.fromtimestamp(moment).astimezone()
    return f"{local:%H:%M}" if step >= 60 else f"{local:%H:%M:%S}"


def _merge(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for start, end in sorted((start, max(start, end)) for start, end in spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _lay_out(
    busy: Sequence[tuple[float, float]], cuts: Sequence[tuple[float, float]], width: int
) -> Iterator[AxisPart]:
    """Share the cells among the parts between what is cut out, each at least one."""
    starts = [busy[0][0], *(end for _, end in cuts)]
    ends = [*(start for start, _ in cuts), busy[-1][1]]
    room = width - CUT * len(cuts)
    total = sum(end - start for start, end in zip(starts, ends, strict=True)) or 1.0
    spare = room - len(starts)
    at = 0
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1):
        cells = 1 + int(spare * (end - start) / total)
        if number == len(starts):
            cells = max(1, width - at)
        yield AxisPart(start, end, at, cells)
        at += cells + CUT


def _choose_step(part: AxisPart) -> int:
    """Choose the seconds between two times so that they have room beside each other."""
    seconds = part.end - part.start
    return next((step for step in STEPS if seconds / step * 9 <= part.width), STEPS[-1])


def _ticks(part: AxisPart, step: int) -> Iterator[float]:
    """Yield the round times of a part, where the user is."""
    offset = datetime.fromtimestamp(part.start).astimezone().utcoffset()
    shift = offset.total_seconds() if offset else 0.0
    tick = ((part.start + shift) // step + 1) * step - shift
    while tick <= part.end:
        yield tick
        tick += step


def draw_bar(start: int, end: int, width: int) -> list[tuple[str, bool]]:
    """Draw a bar from and to so many eighths of a cell: a letter for each cell, and whether it is
    to be drawn reversed."""
    end = max(end, start + LEAST_BAR)
    if end > width * 8:
        start, end = min(start, width * 8 - LEAST_BAR), width * 8
    drawn = []
    for cell in range(width):
        left, right = max(start, cell * 8) - cell * 8, min(end, cell * 8 + 8) - cell * 8
        if right <= left:
            drawn.append((" ", False))
        elif right == 8 and left:
            drawn.append((EIGHTHS[left], True))
        else:
            drawn.append((EIGHTHS[right - left], False))
    return drawn
