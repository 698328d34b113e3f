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


def lasting(passed: timedelta | None) -> str:
    """``58 s``, ``3 min``, ``2 h 05 min``, ``4 days``."""
    if passed is None:
        return "unknown"
    seconds = max(0, round(passed.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02} min"
    return f"{hours // 24} days"
