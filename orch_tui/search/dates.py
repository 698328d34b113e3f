"""Times as people write them: local days, times of day, so many days ago."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from orch_tui.errors import UsageError
from orch_tui.models.database import timestamp

_AGO = re.compile(r"([0-9]{1,6})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def parse_time(text: str, now: datetime, *, end: bool = False) -> str:
    """Parse the time that ``text`` names to the form the record writes.

    ``2026-11-22``, ``today`` and ``yesterday`` are whole local days: their first millisecond, or
    with ``end`` their last. ``7d``, ``12h`` and ``2w`` are so long before ``now``. A time such
    as ``2026-11-22T10:00`` is local unless it names its offset.

    Raises:
        UsageError: none of these.
    """
    word = text.strip().lower()
    try:
        if ago := _AGO.fullmatch(word):
            return timestamp(now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
        if day := _parse_day(word, now):
            start = datetime.combine(day, time())
            return timestamp(start + timedelta(days=1, milliseconds=-1) if end else start)
        return timestamp(datetime.fromisoformat(word.upper()))
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is no date or time",
            hint="for example 2026-11-22, 2026-11-22T10:00, yesterday or 7d",
        ) from None


def _parse_day(word: str, now: datetime) -> date | None:
    today = now.astimezone(UTC).astimezone().date()
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    if word in named:
        return named[word]
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None
