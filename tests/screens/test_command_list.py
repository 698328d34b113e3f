"""All that can be done, found by its words; and what is chosen for the whole app."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input

from orch_tui.api import OrchestrationSession
from orch_tui.app import OrchApp
from orch_tui.project import Project
from orch_tui.screens.command_list import ScreenCommand, list_commands
from orch_tui.screens.dialogs import Ask, Pick
from orch_tui.screens.jump_marks import LETTERS, list_places
from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.pane_room import find_pane
from orch_tui.screens.widgets.row_list import Rows
from tests.conftest import FakeClock
from tests.screens.quiet import settled
from tests.screens.test_file_names import folder, pressed
from tests.variants import vary

__all__ = ["folder"]


def listed(pilot: Pilot[None]) -> dict[str, ScreenCommand]:
    app = pilot.app
    assert isinstance(app, OrchApp)
    return {command.words: command for command in list_commands(app, app.screen)}


def shown(pilot: Pilot[None]) -> list[tuple[str, ...]]:
    """The rows of the list in front, without the headings."""
    rows = pilot.app.screen.query_one(Rows).rows
    return [row.cells for row in rows if not row.section]


async def test_what_cannot_be_done_now_is_there_and_says_why(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        await pressed(pilot, "f2")
        commands = listed(pilot)
        assert commands["Make it fit"].not_now == "not now: it fits"
        assert commands["Unshare"].not_now == "not now: nothing is shared"
        assert not commands["Add"].not_now and commands["Add"].key == "a"
        assert not any("Down" in words or "Home" in words for words in commands)
        await pressed(pilot, "ctrl+p", *"make it fit")
        assert shown(pilot) == [("Make it fit", "not now: it fits", "f")]
        await pressed(pilot, "enter")
        assert isinstance(app.screen, Pick)  # it cannot be chosen
        await pressed(pilot, "escape")
        assert app.current_mode == "compose"


async def test_a_key_that_is_a_letter_in_the_text_field_is_done_by_its_name(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        await pressed(pilot, "f2", "a")
        assert not isinstance(app.screen, Ask)  # the box took the letter
        await pressed(pilot, "ctrl+p", *"agent and scope", "enter")
        assert app.screen.is_modal
        assert not app.is_choosing_command


async def test_the_screens_take_on_the_theme_under_the_cursor_and_escape_takes_it_back(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        before = app.theme
        await pressed(pilot, "ctrl+p", *"theme", "enter", *"gruvbox")
        assert app.theme == "gruvbox" != before
        await pressed(pilot, "escape")
        assert app.theme == before
        await pressed(pilot, "ctrl+p", *"theme", "enter", *"orch-light", "enter")
        assert app.theme == "orch-light"


async def test_another_session_is_one_key_away_on_every_screen(
    folder: Path, clock: FakeClock
) -> None:
    project = Project(folder, clock=clock)
    one = OrchestrationSession("Mend the tokenizer", project=project)
    other = OrchestrationSession("Write the manual", project=project)
    app = OrchApp(project)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert app.session and app.session.session_id == other.session_id
        for key in ("f3", "f5", "f2"):
            await pressed(pilot, key, "ctrl+o")
            assert {"Mend the tokenizer", "Write the manual"} <= {row[1] for row in shown(pilot)}
            await pressed(pilot, "escape")
        await pressed(pilot, "ctrl+o", *"tokenizer", "enter")
        await settled(pilot)
        assert app.session and app.session.session_id == one.session_id


@pytest.mark.parametrize("screen", vary(["f4", "f1", "f3", "f5"]))
async def test_a_pane_has_the_screen_for_itself_and_goes_back(
    folder: Path, clock: FakeClock, screen: str
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pressed(pilot, screen)
        pane = find_pane(app.focused)
        assert pane is not None
        before = pane.region
        await pressed(pilot, "f11")
        assert pane.region.size == (120, 34) and find_pane(app.focused) is pane
        await pressed(pilot, "f11")
        assert pane.region == before


async def test_a_setting_is_changed_where_it_is_read(folder: Path, clock: FakeClock) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pressed(pilot, "ctrl+p", *"settings", "enter")
        assert ("budget", "200,000", "orch") in {row[:3] for row in shown(pilot)}
        await pressed(pilot, *"budget", "enter")
        await pressed(pilot, *(["backspace"] * 10), *"much", "enter", "enter")
        await settled(pilot)
        assert app.project.config.budget == 200_000  # refused, and said why
        await pressed(pilot, *"budget", "enter")
        await pressed(pilot, *(["backspace"] * 10), *"3000", "enter", "enter")
        await settled(pilot)
        assert app.project.config.budget == 3000
        assert ("budget", "3,000", "this project") in {row[:3] for row in shown(pilot)}


@pytest.mark.parametrize("screen", vary(["f4", "f2", "f1", "f3", "f5"]))
async def test_every_pane_and_view_is_a_letter_away(
    folder: Path, clock: FakeClock, screen: str
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pressed(pilot, screen)
        focusable = [*app.screen.focus_chain]
        places = list_places(app.screen)
        assert places and len({place.at for place in places}) == len(places) <= len(LETTERS)
        reached: set[Widget | None] = set()
        for letter in LETTERS[: len(places)]:
            await pressed(pilot, "ctrl+t", letter)
            reached.add(app.focused)
        assert reached <= {*focusable, *app.screen.focus_chain} and len(reached) > 1
        await pressed(pilot, "ctrl+t", "escape")
        assert isinstance(app.screen, OrchScreen)


DIALOGS = {
    "commands found": ["ctrl+p", *"se"],
    "sessions": ["ctrl+o"],
    "settings": ["comma"],
    "commands": ["ctrl+p"],
    "theme": ["ctrl+p", *"theme", "enter"],
    "setting": ["comma", *"budget", "enter"],
    "jump": ["ctrl+t"],
    "runs of a bundle": ["escape", "down", "down", "down", "enter", "enter"],
}


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        pytest.param((80, 24), "orch-dark", id="dark"),
        pytest.param((120, 36), "orch-light", id="light", marks=pytest.mark.wide),
        pytest.param((60, 16), "orch-dark", id="small", marks=pytest.mark.wide),
    ],
)
@pytest.mark.parametrize("dialog", vary(DIALOGS, always=4))
def test_how_dialogs_look(
    folder: Path,
    clock: FakeClock,
    snap_compare: Callable[..., bool],
    dialog: str,
    size: tuple[int, int],
    theme: str,
) -> None:
    clock.now += timedelta(days=3)
    app = OrchApp(Project(folder, clock=clock))
    app.theme = theme

    async def asked(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pressed(pilot, "f5")
        await settled(pilot)
        for key in DIALOGS[dialog]:
            await pressed(pilot, key)
            await settled(pilot)
        for box in app.screen.query(Input):
            box.cursor_blink = False

    assert snap_compare(app, terminal_size=size, run_before=asked)
