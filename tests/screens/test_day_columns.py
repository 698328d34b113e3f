"""Columns of days: drawn by eighths, the failed part on the base line."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.app import App, ComposeResult

from orch_tui.screens.insights.day_columns import DayColumn, DayColumns, round_up
from orch_tui.screens.theme import make_variables
from orch_tui.screens.widgets.named_styles import read_styles


class _Plot(App[None]):
    def __init__(self, columns: Sequence[DayColumn]) -> None:
        super().__init__()
        self._columns = columns

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return make_variables(dark=True)

    def compose(self) -> ComposeResult:
        yield DayColumns()

    def on_mount(self) -> None:
        self.query_one(DayColumns).show(self._columns)


async def _lines(columns: Sequence[DayColumn], width: int = 16, height: int = 6) -> list[str]:
    app = _Plot(columns)
    async with app.run_test(size=(width, height)) as pilot:
        await pilot.pause()
        plot = app.query_one(DayColumns)
        return ["".join(s.text for s in plot.render_line(y)).rstrip() for y in range(height)]


async def test_heights_are_told_in_eighths_of_a_cell() -> None:
    columns = [
        DayColumn("1", "1", 0, 4),
        DayColumn("2", "2", 0, 1.5),
        DayColumn("3", "3", 0, 0.01),
        DayColumn("4", "4", 0, 0),
    ]
    assert await _lines(columns) == [
        " 4 ██",
        "   ██",
        " 2 ██ ▄▄",
        "   ██ ██ ▁▁",
        " 0 ────────────",
        "   1  2  3  4",
    ]


async def test_a_cell_has_two_colours_at_most() -> None:
    app = _Plot([DayColumn("1", "1", 1, 7)])
    async with app.run_test(size=(12, 4)) as pilot:
        await pilot.pause()
        plot = app.query_one(DayColumns)
        (cell,) = [s for s in plot.render_line(1) if "▂" in s.text]
        styles = read_styles(plot, plot.STYLES)
        failed, done = styles["below"], styles["above"]
        assert cell.style is not None
        assert (cell.style.color, cell.style.bgcolor) == (failed.color, done.color)


async def test_the_newest_stay_where_there_is_little_room() -> None:
    columns = [DayColumn(f"{n}", f"{n}", 0, 1) for n in range(10, 24)]
    assert (await _lines(columns, width=14))[-1].split() == ["21", "22", "23"]


async def test_nothing_is_drawn_of_nothing() -> None:
    assert await _lines([]) == [""] * 6


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (7, 8), (11, 12), (31, 40), (96.5, 100), (0.043, 0.06)]
)
def test_a_scale_ends_at_few_digits(value: float, top: float) -> None:
    assert round_up(value) == pytest.approx(top)
