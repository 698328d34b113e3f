"""The list under all lists: it asks a source only for what is in view."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.strip import Strip

from orch_tui.screens.widgets.line_list import HERE, LineFrame, LineList

MANY = 100_000


class Numbers:
    """Numbered lines, of which the cursor passes over those that are given."""

    def __init__(self, count: int, passed: frozenset[int] = frozenset()) -> None:
        self.count = count
        self.passed = passed
        self.drawn: set[int] = set()

    def __len__(self) -> int:
        return self.count

    def can_hold_cursor(self, index: int) -> bool:
        return index not in self.passed

    def draw_line(self, index: int, frame: LineFrame, cursor: Style) -> Strip:
        self.drawn.add(index)
        line = Strip([Segment(f"line {index}", frame.styles[""] + cursor)])
        return line.adjust_cell_length(frame.width)


class Shown(App[None]):
    def __init__(self, numbers: Numbers, *, titled: bool = False) -> None:
        super().__init__()
        self.numbers = numbers
        self.titled = titled

    def compose(self) -> ComposeResult:
        def title(frame: LineFrame) -> Strip:
            return Strip([Segment("title")]).adjust_cell_length(frame.width)

        yield LineList(
            self.numbers, title=title if self.titled else None, empty="Nothing\n\nis here."
        )

    @property
    def line_list(self) -> LineList:
        return self.query_one(LineList)

    def text(self) -> list[str]:
        width, height = self.line_list.size
        strips = self.line_list.render_lines(self.line_list.size.region)
        assert len(strips) == height and all(strip.cell_length >= width for strip in strips)
        marked = {strip.text[0] for strip in strips} - {" "}
        assert marked == ({HERE} if self.line_list.in_view else set())
        return [strip.text[1:].rstrip() for strip in strips]


async def scrollable(pilot: Pilot[None]) -> None:
    """Until there is a scroll bar: only then a list can be scrolled."""
    while not pilot.app.query_one(LineList).show_vertical_scrollbar:
        await pilot.pause()


@pytest.mark.parametrize("titled", [False, True])
async def test_only_lines_in_view_are_drawn(titled: bool) -> None:
    numbers = Numbers(MANY)
    app = Shown(numbers, titled=titled)
    async with app.run_test(size=(30, 10)) as pilot:
        await scrollable(pilot)
        await pilot.press("end")
        assert app.line_list.cursor == MANY - 1 and app.text()[-1] == f"line {MANY - 1}"
        assert app.text()[0] == ("title" if titled else f"line {MANY - 10}")
        assert app.line_list.in_view == range(MANY - 10 + titled, MANY)
        await pilot.press("up", "pageup")
        assert app.line_list.cursor == MANY - 2 - (9 - titled)
        await pilot.press("home")
        assert app.line_list.cursor == 0 and "line 0" in app.text()
    assert len(numbers.drawn) < 100


async def test_the_cursor_passes_over_lines_that_cannot_hold_it() -> None:
    app = Shown(Numbers(6, passed=frozenset({1, 2, 5})))
    async with app.run_test() as pilot:
        await pilot.press("down")
        assert app.line_list.cursor == 3
        await pilot.press("end")
        assert app.line_list.cursor == 4
        await pilot.press("up", "up")
        assert app.line_list.cursor == 0
        await pilot.click(LineList, offset=(1, 2))
        assert app.line_list.cursor == 3


async def test_in_a_border_a_click_is_on_the_line_that_stands_there() -> None:
    app = Shown(Numbers(6), titled=True)
    async with app.run_test(size=(30, 12)) as pilot:
        app.line_list.styles.border = ("round", "white")
        await pilot.pause()
        left, top = app.line_list.content_region.offset
        for number in (4, 0):
            await pilot.click(offset=(left + 3, top + 1 + number))  # below the title
            assert app.line_list.cursor == number
        await pilot.click(offset=app.line_list.region.offset)  # on the border
        assert app.line_list.cursor == 0


async def test_the_cursor_stays_in_view_when_there_are_other_lines_or_less_room() -> None:
    numbers = Numbers(50)
    app = Shown(numbers, titled=True)
    async with app.run_test(size=(30, 40)) as pilot:
        await scrollable(pilot)
        app.line_list.move_to(30)
        await pilot.resize_terminal(30, 8)
        await pilot.pause()
        assert 30 in app.line_list.in_view
        numbers.count = 5
        app.line_list.update_lines(30)
        await pilot.pause()
        assert app.line_list.cursor == 4 and "line 4" in app.text()
        await pilot.click(LineList, offset=(1, 0))  # on the title
        assert app.line_list.cursor == 4


async def test_without_lines_there_is_a_text_and_keys_do_nothing() -> None:
    app = Shown(Numbers(0))
    async with app.run_test(size=(30, 6)) as pilot:
        await pilot.press("down", "end", "pageup")
        await pilot.click(LineList, offset=(1, 1))
        assert app.line_list.cursor == 0 and len(app.line_list.in_view) == 0
        assert app.text() == ["", " Nothing", "", " is here.", "", ""]
