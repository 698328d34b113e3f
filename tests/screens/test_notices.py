"""Notices, and what they may not cover."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.containers import Vertical
from textual.notifications import Notification
from textual.pilot import Pilot
from textual.widgets import Input
from textual.widgets._toast import Toast, ToastRack

from orch_tui.app import OrchApp
from orch_tui.project import Project
from orch_tui.screens.dialogs import Ask
from orch_tui.screens.notices import LOW, _draw
from orch_tui.screens.widgets.key_line import KeyLine
from tests.conftest import FakeClock
from tests.screens.quiet import settled, wait_for_loop
from tests.screens.test_file_names import folder, pressed
from tests.variants import vary

__all__ = ["folder"]


async def laid_out(pilot: Pilot[None]) -> list[Toast]:
    """The notices, once they have their places."""
    await settled(pilot)
    while not (toasts := [*pilot.app.screen.query(Toast)]) or not all(t.region for t in toasts):
        await wait_for_loop()
    return toasts


LONG = "bundle-003 v2 is made anew: 12 items changed, 3 gone, 2 unchanged; F2, o opens it; " * 2


@pytest.mark.parametrize("size", vary([(60, 16), (80, 24), (140, 45)]))
async def test_a_notice_stands_in_the_footer_and_leaves_the_keys_their_room(
    folder: Path, clock: FakeClock, size: tuple[int, int]
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        for screen in ("f1", "f2", "f3", "f4", "f5"):
            await pressed(pilot, screen)
            footer = app.screen.query_one(KeyLine)
            assert footer.region.height == 1
            for text in ("It is kept.", LONG):
                app.notify(text, markup=False)
                (toast,) = await laid_out(pilot)
                assert footer.region.contains_region(toast.region), (screen, text)
                drawn = "".join(line.text for line in toast.render_lines(toast.outer_size.region))
                assert text.split()[-1] in drawn
                if text != LONG or size[1] >= LOW:
                    keys = footer.render_line(footer.region.height - 1).text
                    assert "help" in keys[toast.region.width if text != LONG else 0 :]
                app.clear_notifications()
                await settled(pilot)
            assert footer.region.height == 1 and not app.screen.query(Toast)


async def test_a_notice_whose_time_is_over_before_it_is_drawn_goes_away(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(notifications=True) as pilot:
        await settled(pilot)
        late = Notification("late", timeout=0)
        await _draw(app.screen.get_child_by_type(ToastRack), [late], 0, 0)
        (toast,) = app.screen.query(Toast)
        assert toast._timeout > 0  # with less, its timer would never give the loop back


async def test_a_new_notice_takes_the_place_of_what_was_said_before(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(notifications=True) as pilot:
        await settled(pilot)
        app.notify("first")
        await settled(pilot)
        (first,) = app._notifications
        first.raised_at -= 2
        app.notify("second")
        app.notify("of the same act")
        told = [toast._notification.message for toast in await laid_out(pilot)]
        assert told == ["second", "of the same act"]


async def test_a_notice_does_not_lie_over_what_a_dialog_asks(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(60, 16), notifications=True) as pilot:
        await settled(pilot)
        await pressed(pilot, "escape", "f12")
        assert isinstance(app.screen, Ask)
        app.notify("It is kept.")
        (toast,) = await laid_out(pilot)
        box = app.screen.query_one(Vertical)
        assert not toast.region.overlaps(box.region)
        assert app.focused is app.screen.query_one(Input)
