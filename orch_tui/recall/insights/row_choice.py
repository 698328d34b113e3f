"""Which rows of a part are shown where there are many: the best and the worst, or the newest."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from orch_tui.models.database import Row

MOST_ROWS = 20
"""Of each part, where several parts are shown."""

_ENDS = {
    "by_bundle": ("share_low", "share_high"),
    "by_context_source": ("share_low", "share_high"),
    "context": ("difference_low", "difference_high"),
}
"""The ends of the interval of parts that have a best and a worst: what is surely good has a high
lower end, what is surely bad a low upper one, and what is hardly known neither."""

_OVER_TIME = {"over_time"}
"""Parts in the order of time."""


def choose_rows(part: str, rows: Sequence[Row], limit: int) -> tuple[list[Row], int]:
    """Choose at most ``limit`` rows of a part, and count the rest.

    The best half first, then the worst; of a part over time the newest; of any other the first,
    which is ordered by what counts there.
    """
    if len(rows) <= limit:
        return list(rows), 0
    if part == "sharing":
        return _choose_groups(rows, limit)
    left_out = len(rows) - limit
    if part in _OVER_TIME:
        return list(rows[-limit:]), left_out
    if part not in _ENDS:
        return list(rows[:limit]), left_out
    low, high = _ENDS[part]
    known = [row for row in rows if row[low] is not None]
    best = sorted(known, key=itemgetter(low), reverse=True)[: (limit + 1) // 2]
    taken = {*map(id, best)}
    rest = [row for row in known if id(row) not in taken]
    worst = sorted(rest, key=itemgetter(high))[: limit // 2]
    taken |= {*map(id, worst)}
    unknown = [row for row in rows if id(row) not in taken][: limit - len(best) - len(worst)]
    return [*best, *reversed(worst), *unknown], left_out


def _choose_groups(rows: Sequence[Row], limit: int) -> tuple[list[Row], int]:
    """Of what sharing came to: all runs, the newest sessions and the newest days."""
    by_kind: dict[Any, list[Row]] = {}
    for row in rows:
        by_kind.setdefault(row["of"], []).append(row)
    chosen = [row for kind in by_kind.values() for row in kind[-limit:]]
    return chosen, len(rows) - len(chosen)
