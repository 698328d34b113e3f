"""Where times stand on a line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orch_tui.screens.history.time_axis import LEAST_BAR, TimeAxis, draw_bar

START = 1_795_000_000.0
HOUR = 3600.0
MOMENTS = st.floats(0, 4e9, allow_nan=False)


def test_times_are_placed_to_an_eighth_of_a_cell() -> None:
    axis = TimeAxis([(START, START + HOUR)], 60)
    assert axis.place(START) == 0
    assert axis.place(START + HOUR / 480) == 1
    assert axis.place(START + HOUR) == 480
    assert axis.cuts == []


def test_a_long_idle_time_is_cut_out() -> None:
    axis = TimeAxis([(START, START + HOUR), (START + 90 * HOUR, START + 91 * HOUR)], 63)
    (cut,) = axis.cuts
    assert [(part.at, part.width) for part in axis.parts] == [(0, 30), (33, 30)]
    assert axis.place(START + 90.5 * HOUR) == (33 + 15) * 8
    assert cut == 30


def test_bars_begin_and_end_within_a_cell() -> None:
    assert draw_bar(4, 20, 4) == [("▌", True), ("█", False), ("▌", False), (" ", False)]
    assert draw_bar(0, 0, 1) == [("▎", False)]


@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 40))
def test_every_bar_is_there_and_as_wide_as_its_room(start: int, end: int, width: int) -> None:
    drawn = draw_bar(start, max(start, end), width)
    assert len(drawn) == width
    assert any(letter != " " for letter, _ in drawn)


@given(st.lists(st.tuples(MOMENTS, MOMENTS), max_size=12), st.integers(1, 120))
def test_later_is_never_further_left(spans: list[tuple[float, float]], width: int) -> None:
    axis = TimeAxis(spans, width)
    moments = sorted(moment for span in spans for moment in span)
    places = [axis.place(moment) for moment in moments]
    assert places == sorted(places)
    assert len(axis.draw_times()) == width
    assert all(0 <= place <= (width + 30) * 8 + LEAST_BAR for place in places)
