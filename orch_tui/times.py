"""Times of the record as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def moment_of(value: str | None) -> datetime | None:
    """A time of the record, in UTC where it names no offset; None where it is no time.

    Raw SQL may have put anything there.
    """
    try:
        moment = datetime.fromisoformat(value or "")
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError):
        return None


def local_time(value: str | None, *, seconds: bool = False) -> str:
    """``2026-11-22 10:05`` where the user is; what is no time comes back as it is."""
    if not value:
        return "unknown"
    moment = moment_of(value)
    try:
        local = moment and moment.astimezone()
    except OverflowError:  # the first or last day there is
        local = None
    if local is None:
        return str(value)
    return f"{local:%Y-%m-%d %H:%M:%S}" if seconds else f"{local:%Y-%m-%d %H:%M}"


def between(start: str | None, end: str | None) -> timedelta | None:
    """From one time of the record to another; None where one is no time."""
    begun, ended = moment_of(start), moment_of(end)
    return ended - begun if begun and ended else None


def lasting(passed: timedelta | float | None) -> str:
    """``22s``, ``4m05s``, ``2h10m``, ``4d06h``, of seconds where it is a number; ``unknown``."""
    if passed is None:
        return "unknown"
    seconds = passed.total_seconds() if isinstance(passed, timedelta) else passed
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 172_800:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02}h"


def ago(value: str | None, now: str) -> str:
    """How long ago, in at most six cells: ``41 s``, ``26 min``, ``3 h``, ``yest.``, ``4 d``,
    then the day ``Nov 21``, of another year the month ``2025-11``; empty for no time."""
    moment, here = moment_of(value), moment_of(now)
    if moment is None or here is None:
        return ""
    try:
        local, today = moment.astimezone(), here.astimezone()
    except OverflowError:  # the first or last day there is
        return ""
    seconds = (here - moment).total_seconds()
    days = (today.date() - local.date()).days
    if days <= 0 or seconds < 6 * 3600:
        if seconds < 90:
            return f"{max(0, round(seconds))} s"
        return f"{seconds // 60:.0f} min" if seconds < 5400 else f"{seconds // 3600:.0f} h"
    if days == 1:
        return "yest."
    if days < 7:
        return f"{days} d"
    return f"{local:%b} {local.day}" if local.year == today.year else f"{local:%Y-%m}"
