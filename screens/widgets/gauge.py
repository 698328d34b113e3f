"""A limit in words: how much of it is taken, and how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orch_tui.prepare.count import describe_known

if TYPE_CHECKING:
    from orch_tui.prepare.budget import LimitGauge as Figures

_SHORT = {"ok": "ok", "warning": "warning", "critical": "critical", "over": "OVER"}


def words(figures: Figures, *, short: bool = False) -> str:
    """``~84,100 ±4 % of 200,000, ok``, and how many are without a count."""
    share = f"{100 * figures.share:.0f} %" if figures.limit > 0 else "no room"
    unknown = figures.unknown
    if short:
        return f"{share} {_SHORT[figures.status]}{f', {unknown} unknown' if unknown else ''}"
    said = f"{figures.used} of {figures.limit:,} · {share} · {_SHORT[figures.status]}"
    return f"{said} · {describe_known(figures.known, unknown)}" if unknown else said
