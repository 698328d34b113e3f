from __future__ import annotations

from orch_tui.wording import plural


def test_a_count_is_worded() -> None:
    assert [plural(count, "run") for count in (0, 1, 2, 1200)] == [
        *("0 runs", "1 run", "2 runs", "1,200 runs")
    ]
