"""Which screen comes up first."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.app import OrchApp
from orch_tui.project import Project
from orch_tui.record.sessions import complete_session
from orch_tui.screens.header import Header
from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.widgets.row_list import Rows
from tests.conftest import FakeClock
from tests.screens.quiet import settled
from tests.screens.test_file_names import folder

__all__ = ["folder"]


class UnseenApp(OrchApp):
    """The app in a project where nobody opened it before."""

    FIRST = ""
    FIRST_EVER = OrchApp.FIRST_EVER


@pytest.mark.parametrize("is_open", [True, False])
async def test_a_plan_comes_up_first_where_one_is_open(
    folder: Path, clock: FakeClock, is_open: bool
) -> None:
    project = Project(folder, clock=clock)
    if not is_open:
        (row,) = project.record.sql("SELECT session_id FROM sessions")
        complete_session(project.record, row[0])
    project.close()
    for key, expected in (("f4", "plan" if is_open else "insights"), ("", "history")):
        app = UnseenApp(Project(folder, clock=clock))
        async with app.run_test(size=(120, 36)) as pilot:
            await settled(pilot)
            assert app.current_mode == expected and isinstance(app.screen, OrchScreen)
            header = app.screen.query_one(Header).render_line(0).text
            assert not is_open or header.endswith(
                "● 1 waiting  spotter · Index the words · analyze · 0 % used "
            )
            if key:
                await pilot.press(key)
                await settled(pilot)
                await pilot.press("escape", "q")


async def test_where_nothing_is_recorded_the_plan_says_how_to_begin(
    tmp_path: Path, clock: FakeClock
) -> None:
    app = UnseenApp(Project(tmp_path, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert app.current_mode == "plan"
        sessions = app.screen.query_one("#sessions", Rows)
        strips = sessions.render_lines(sessions.outer_size.region)
        drawn = [strip.text.strip("│ ") for strip in strips]
        assert "Nothing is planned here yet, and nothing recorded." in drawn
        assert "n   opens a first session: say what is to be done" in drawn
