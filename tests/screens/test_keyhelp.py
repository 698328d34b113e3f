"""The help for keys, as somebody who does not know them reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.containers import Vertical
from textual.pilot import Pilot
from textual.widgets import Input

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
from tests.variants import vary

__all__ = ["folder"]

SCREENS = {"f1": "Plan", "f2": "Compose", "f3": "Deploy", "f4": "History", "f5": "Insights"}


def footer(pilot: Pilot[None]) -> str:
    line = pilot.app.screen.query_one(KeyLine)
    return line.render_line(0).text


def groups(pilot: Pilot[None]) -> dict[str, dict[str, str]]:
    """The keys that would be shown, by heading, each by what it does."""
    return {
        group.title: {key.words: key.names for key in group.keys}
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
            window = app.screen.query_one(Vertical)
            assert window.border_title == f"Keys in {title}"
            rows = app.screen.query_one(Rows)
            assert rows.in_view[0] == 0  # the heading of the first keys, too
            await pressed(pilot, "space", "j", "k", "g", "G")
            assert rows.in_view[-1] == len(rows.rows) - 1  # what stands below the last key, too
            await pressed(pilot, "g")
            assert rows.in_view[0] == 0
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
        titles = [*found]
        assert titles[:2] == ["Runs", "On History"] and titles[-1] == "Moving about"
        assert found["Runs"] == {"open": "Enter"}
        assert found["On History"]["to the search"] == "Esc"
        assert found["On History"]["Write to file"] == "F12"  # which the footer has no room for
        everywhere = found["On every screen"]
        assert everywhere["Plan, Compose, Deploy, History, Insights"] == "F1 … F5"
        assert everywhere["help"] == "?  ^G" and everywhere["quit"] == "q  ^Q"
        assert found["Moving about"]["a line up, a line down"] == "↑ ↓  k j"


async def test_what_a_key_does_is_found_by_its_words_and_done_by_enter(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        await pressed(pilot, "escape", "question_mark", "slash", *"write fi")
        rows = app.screen.query_one(Rows).rows
        assert [row.cells for row in rows if not row.section] == [("F12", "Write to file")]
        await pressed(pilot, "escape")
        assert isinstance(app.screen, KeyHelp)  # all keys again
        await pressed(pilot, "slash", *"write fi", "enter")
        assert isinstance(app.screen, Ask)
        await pressed(pilot, "escape", "question_mark", "escape")
        assert app.current_mode == "history" and not app.screen.is_modal


@pytest.mark.parametrize("screen", vary(SCREENS))
async def test_how_to_leave_stands_in_every_footer_and_the_letter_leaves(
    folder: Path, clock: FakeClock, screen: str
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(60, 16)) as pilot:
        await settled(pilot)
        await pressed(pilot, screen)
        is_typing = isinstance(app.focused, Input)
        assert ("^Q quit" if is_typing else "q quit") in footer(pilot)
        assert "help" in footer(pilot)
        if is_typing:
            await pressed(pilot, "q")
            assert app.is_running and app.focused is not None
            await pressed(pilot, "backspace", "escape")
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0
    assert app.drafts.load("state")


async def test_a_letter_leaves_what_was_opened_and_not_the_app(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        await pressed(pilot, "escape", "enter")
        assert isinstance(app.screen, Run)
        await pressed(pilot, "q")
        assert app.current_mode == "history" and not isinstance(app.screen, Run)
        await pressed(pilot, "ctrl+p", "escape", "ctrl+o", "q", "escape")
        assert app.is_running


@pytest.mark.parametrize("width", vary([60, 120, 72, 80]))
async def test_keys_that_a_screen_needs_are_never_lost_from_its_footer(
    folder: Path, clock: FakeClock, width: int
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(width, 24)) as pilot:
        await settled(pilot)
        for screen in SCREENS:
            await pressed(pilot, screen)
            for binding in (b.binding for b in app.screen.active_bindings.values() if b.enabled):
                if binding.show and binding.key in ("enter", "escape"):
                    told = f"{app.get_key_display(binding)} {binding.description}"
                    assert told in footer(pilot), screen


async def test_in_a_text_field_a_letter_is_a_letter_and_ctrl_g_the_key(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        await pressed(pilot, "f2")
        assert isinstance(app.focused, Input)
        assert "^G help" in footer(pilot)
        await pressed(pilot, "question_mark")
        assert app.focused.value == "?"
        found = groups(pilot)
        assert any(keys.get("take or leave") == "Enter" for keys in found.values())
        adding = "add lines, a heading, a symbol, a pattern, words of your own"
        assert found["Outside the text field"][adding] == "a"
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
        assert groups(pilot)["Here"] == {"Leave": "Esc"}
        await pressed(pilot, "escape", "enter", "question_mark", "q")
        assert isinstance(app.screen, Run)
        assert groups(pilot)["Here"]["back to the list"] == "Esc"


async def test_a_key_of_ones_own_opens_it(folder: Path, clock: FakeClock) -> None:
    config = folder / ".claude" / "orchestration" / "config.toml"
    config.write_text('[keymap]\nhelp-anywhere = "f11"\n')
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        assert "F11 help" in footer(pilot)
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
