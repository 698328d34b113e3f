from __future__ import annotations

from orch_tui.wording import plural, word_size


def test_a_count_is_worded() -> None:
    assert [plural(count, "run") for count in (0, 1, 2, 1200)] == [
        *("0 runs", "1 run", "2 runs", "1,200 runs")
    ]


def test_a_size_is_worded() -> None:
    assert [word_size(size) for size in (1, 999, 3_400, 12_000_000)] == [
        *("1 byte", "999 bytes", "3.4 kB", "12.0 MB")
    ]
