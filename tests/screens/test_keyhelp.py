"""The help for keys, as somebody who does not know them reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Input, Static

from orch_tui.api import OrchestrationSession
from orch_tui.app import OrchApp
from orch_tui.project import Project
from orch_tui.record import plan
from orch_tui.screens.compose.screen import ComposeScreen
from orch_tui.screens.dialogs import Ask
from orch_tui.screens.history.run_view import Run
from orch_tui.screens.keyhelp import KeyHelp, group_keys
from orch_tui.screens.widgets.key_line import KeyLine
from orch_tui.screens.widgets.row_list import Rows
from tests.conftest import FakeClock
from tests.screens.looks import in_looks, in_sizes
from tests.screens.quiet import settled
from tests.screens.test_file_names import folder, pressed

__all__ = ["folder"]

SCREENS = {"f1": "Plan", "f2": "Compose", "f3": "Deploy", "f4": "History", "f5": "Insights"}


def footer(pilot: Pilot[None]) -> str:
    line = pilot.app.screen.query_one(KeyLine)
    return line.render_line(0).text


def groups(pilot: Pilot[None]) -> dict[str, dict[str, str]]:
    """The keys that would be shown, by heading, each by what it does."""
    return {
        group.title: {words: keys for keys, words in group.keys}
        for group in group_keys(pilot.app.screen)
    }


@in_sizes((80, 24), (140, 45))
async def test_every_key_can_be_read_and_escape_goes_back(
    folder: Path, clock: FakeClock, size: tuple[int, int]
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        for key, title in SCREENS.items():
            await pressed(pilot, key)
            beneath, focused = app.screen, app.focused
            assert "help" in footer(pilot)
            await pressed(pilot, "ctrl+g")
            assert isinstance(app.screen, KeyHelp)
            window = app.screen.query_one(VerticalScroll)
            assert window.border_title == f"Keys in {title}"
            first, *_, last = app.screen.query(Static)
            assert first.region.y < size[1] / 4 and first.region.height > 2
            await pressed(pilot, "space", "j", "k", "g", "G")
            assert last.region.bottom <= window.region.bottom
            assert window.scroll_y > 0 or size == (140, 45)
            await pressed(pilot, "escape")
            assert app.screen is beneath and app.focused is focused


async def test_what_the_screen_does_comes_first_and_moving_about_last(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        await pressed(pilot, "escape")
        found = groups(pilot)
        assert [*found][0] == "Here" and [*found][-1] == "Moving about"
        assert found["Here"]["to the search"] == "esc"
        assert found["Here"]["Write to file"] == "f12"  # which the footer has no room for
        assert found["Everywhere"]["Compose"] == "f2  2"
        assert found["Everywhere"]["help"] == "?  ^g"
        assert "Up" in found["Moving about"]


async def test_in_a_text_field_a_letter_is_a_letter_and_ctrl_g_the_key(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        await pressed(pilot, "f2")
        assert isinstance(app.focused, Input)
        assert "^g help" in footer(pilot)
        await pressed(pilot, "question_mark")
        assert app.focused.value == "?"
        found = groups(pilot)
        assert found["Here"]["take or leave"] == "⏎"
        assert found["Here, outside the text field"]["add"] == "a"
        await pressed(pilot, "ctrl+g", "ctrl+g", "ctrl+g", "question_mark")
        assert isinstance(app.screen, ComposeScreen)
        await pressed(pilot, "backspace", "escape")
        assert "? help" in footer(pilot)


async def test_a_dialog_and_an_opened_run_have_their_own_keys(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        await pressed(pilot, "f12", "ctrl+g")
        assert isinstance(app.screen, KeyHelp)
        await pressed(pilot, "escape")
        assert isinstance(app.screen, Ask)
        assert groups(pilot)["Here"] == {"Leave": "esc"}
        await pressed(pilot, "escape", "enter", "question_mark", "q")
        assert isinstance(app.screen, Run)
        assert groups(pilot)["Here"]["back to the list"] == "esc"


async def test_a_key_of_ones_own_opens_it(folder: Path, clock: FakeClock) -> None:
    config = folder / ".claude" / "orchestration" / "config.toml"
    config.write_text('[keymap]\nhelp-anywhere = "f11"\n')
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        assert "f11 help" in footer(pilot)
        await pressed(pilot, "f11")
        assert isinstance(app.screen, KeyHelp)


async def test_f2_goes_on_with_the_agent_under_the_cursor(folder: Path, clock: FakeClock) -> None:
    project = Project(folder, clock=clock)
    with OrchestrationSession("Two agents", project=project) as session:
        for agent in ("first", "second"):
            plan.add_planned_agent(
                project.record, session.session_id, agent, scope=f"What {agent} does"
            )
    project.close()
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pressed(pilot, "f1")
        agents = app.screen.query_one("#agents", Rows)
        agents.focus()
        await pressed(pilot, "down", "f2")
        compose = app.screen
        assert isinstance(compose, ComposeScreen)
        assert compose.state.composition.agent_type == "second"
        await pressed(pilot, *"spec", "enter", "f1", "f2")  # what was begun for it is still there
        assert isinstance(app.screen, ComposeScreen)
        assert [choice.source for choice in compose.state.composition.choices] == ["spec.md"]
        await pressed(pilot, "f1")
        agents.focus()
        await pressed(pilot, "up", "2", "y")
        assert compose.state.composition.agent_type == "first"


@in_looks((80, 24), (140, 45))
def test_how_the_keys_look(
    folder: Path,
    clock: FakeClock,
    snap_compare: Callable[..., bool],
    theme: str,
    size: tuple[int, int],
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    app.theme = theme

    async def asked(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pressed(pilot, "f2", "ctrl+g")

    assert snap_compare(app, terminal_size=size, run_before=asked)
