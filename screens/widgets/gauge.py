"""A limit in words: how much of it is taken, and how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orch_tui.prepare.budget import LimitGauge as Figures

_STATUSES = {"ok": "used", "warning": "warning", "critical": "critical", "over": "OVER"}


def words(figures: Figures) -> str:
    """``42 % used``, and how many are without a count."""
    share = f"{100 * figures.share:.0f} %" if figures.limit > 0 else "no room"
    unknown = figures.unknown
    return f"{share} {_STATUSES[figures.status]}{f', {unknown} unknown' if unknown else ''}"
