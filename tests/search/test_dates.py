"""Times as people write them."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.errors import UsageError
from orch_tui.search.dates import parse_time

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11-20", "2026-11-20T00:00:00.000Z", "2026-11-20T23:59:59.999Z"),
        ("yesterday", "2026-11-21T00:00:00.000Z", "2026-11-21T23:59:59.999Z"),
        ("Today", "2026-11-22T00:00:00.000Z", "2026-11-22T23:59:59.999Z"),
        ("7d", "2026-11-15T12:00:00.000Z", "2026-11-15T12:00:00.000Z"),
        ("12h", "2026-11-22T00:00:00.000Z", "2026-11-22T00:00:00.000Z"),
        ("30m", "2026-11-22T11:30:00.000Z", "2026-11-22T11:30:00.000Z"),
        ("2 days ago", "2026-11-20T12:00:00.000Z", "2026-11-20T12:00:00.000Z"),
        ("3-Hours-ago", "2026-11-22T09:00:00.000Z", "2026-11-22T09:00:00.000Z"),
        ("1 week", "2026-11-15T12:00:00.000Z", "2026-11-15T12:00:00.000Z"),
        ("monday", "2026-11-16T00:00:00.000Z", "2026-11-16T23:59:59.999Z"),
        ("Sat", "2026-11-21T00:00:00.000Z", "2026-11-21T23:59:59.999Z"),
        ("sunday", "2026-11-22T00:00:00.000Z", "2026-11-22T23:59:59.999Z"),  # it is one
        ("2w", "2026-11-08T12:00:00.000Z", "2026-11-08T12:00:00.000Z"),
        ("2026-11-22T10:30", "2026-11-22T10:30:00.000Z", "2026-11-22T10:30:00.000Z"),
        ("2026-11-22 10:30+02:00", "2026-11-22T08:30:00.000Z", "2026-11-22T08:30:00.000Z"),
    ],
)
def test_times_as_people_write_them(text: str, start: str, end: str) -> None:
    assert parse_time(text, NOW) == start
    assert parse_time(text, NOW, end=True) == end


def test_days_are_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        late = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)  # the 23rd in Tokyo
        assert parse_time("today", late) == "2026-11-22T15:00:00.000Z"
        assert parse_time("2026-11-22T09:00", late) == "2026-11-22T00:00:00.000Z"
    finally:
        monkeypatch.undo()
        time.tzset()


@given(
    st.text(max_size=12)
    | st.from_regex(r"[0-9]{1,7}[mhdw]|[0-9-]{8,10}|[0-9]{1,7} (hour|week)s? ago", fullmatch=True)
)
def test_no_text_breaks_a_date(text: str) -> None:
    try:
        found = parse_time(text, NOW)
    except UsageError:
        return
    assert datetime.fromisoformat(found).tzinfo is not None


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "7y", "d", "mo", "5 days hence", "1234567d", "999999w"]
)
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match="is no date or time") as refused:
        parse_time(text, NOW)
    assert refused.value.hint.startswith("for example 2026-11-22")
