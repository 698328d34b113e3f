"""How facts are worded on every screen."""

from __future__ import annotations

from datetime import datetime

_STATES = {
    "deployed": ("○ waiting", "warn"),
    "completed": ("● done", ""),
    "failed": ("✗ failed", "bad"),
}


def state_of(status: str | None) -> tuple[str, str]:
    """A state as a glyph with a word, readable without colour, and its row style."""
    return _STATES.get(status or "", ("? unknown", "dim"))


def local_time(value: str | None) -> str:
    """``2026-11-22 10:05``, local, 16 cells."""
    if not value:
        return "unknown"
    try:
        return f"{datetime.fromisoformat(value).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:  # raw SQL may have put anything there
        return value


def lasting(since: str | None, now: str) -> str:
    """How long it is from one stored time to another: ``3 min``, ``2 h 05 min``, ``4 days``."""
    try:
        passed = datetime.fromisoformat(now) - datetime.fromisoformat(since or "")
    except (ValueError, TypeError):  # raw SQL may have put anything there
        return "unknown"
    minutes = max(0, int(passed.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes // (24 * 60)} days"
