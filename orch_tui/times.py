"""Times of the record as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta


def local_time(value: str | None, *, seconds: bool = False) -> str:
    """``2026-11-22 10:05`` where the user is; what is no time comes back as it is."""
    if not value:
        return "unknown"
    try:
        moment = datetime.fromisoformat(value).astimezone()
    except (ValueError, OverflowError):  # raw SQL may have put anything there
        return value
    return f"{moment:%Y-%m-%d %H:%M:%S}" if seconds else f"{moment:%Y-%m-%d %H:%M}"


def between(start: str | None, end: str | None) -> timedelta | None:
    """From one time of the record to another; None where one is no time."""
    try:
        return datetime.fromisoformat(end or "") - datetime.fromisoformat(start or "")
    except (ValueError, TypeError):
        return None


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
