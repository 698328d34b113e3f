"""Times as people write them: local days, weekdays, times of day, so many days ago."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from orch_tui.errors import UsageError
from orch_tui.models.database import timestamp

_AGO = re.compile(r"([0-9]{1,6})(?:([mhdw])|[ _-]?(minute|hour|day|week)s?(?:[ _-]ago)?)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EXAMPLES = "2026-11-22, 2026-11-22T10:00, yesterday, monday, 30m, 7d or '2 days ago'"


def parse_time(text: str, now: datetime, *, end: bool = False) -> str:
    """Parse the time that ``text`` names to the form the record writes.

    ``2026-11-22``, ``today``, ``yesterday`` and ``monday`` (``mon``: the last one, today included)
    are whole local days: their first millisecond, or with ``end`` their last. ``30m``, ``12h``,
    ``7d``, ``2w`` and ``2 days ago`` (in a query ``2-days-ago``) are so long before ``now``. A time
    such as ``2026-11-22T10:00`` is local unless it names its offset.

    Raises:
        UsageError: none of these.
    """
    word = text.strip().lower()
    try:
        if ago := _AGO.fullmatch(word):
            unit = _UNITS[ago[2] or ago[3][0]]
            return timestamp(now - timedelta(**{unit: int(ago[1])}))
        if day := _parse_day(word, now):
            start = datetime.combine(day, time())
            return timestamp(start + timedelta(days=1, milliseconds=-1) if end else start)
        return timestamp(datetime.fromisoformat(word.upper()))
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is no date or time",
            hint=f"for example {_EXAMPLES}",
        ) from None


def _parse_day(word: str, now: datetime) -> date | None:
    today = now.astimezone(UTC).astimezone().date()
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    if word in named:
        return named[word]
    if len(word) >= 3:
        for number, weekday in enumerate(_WEEKDAYS):
            if weekday.startswith(word):
                return today - timedelta(days=(today.weekday() - number) % 7)
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None
