"""Names that no file can have, typed into the screens: the app says it and stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from orch_tui.api import OrchestrationSession, show
from orch_tui.app import OrchApp
from orch_tui.paths import state_folder
from orch_tui.project import Project
from orch_tui.screens.compose.add_source import AddSource
from orch_tui.screens.deploy.return_form import ReturnForm
from orch_tui.screens.dialogs import Ask
from orch_tui.screens.orch_screen import OrchScreen, Problem
from tests.cli.test_file_names import NAMES
from tests.conftest import FakeClock
from tests.screens.quiet import settled
from tests.variants import vary


@pytest.fixture
def folder(tmp_path: Path, clock: FakeClock) -> Path:
    """A project with one run that waits."""
    root = tmp_path / "spotter"
    (root / ".claude").mkdir(parents=True)
    (root / "spec.md").write_text("# Walrus\nThe walrus indexes words.\n")
    project = Project(root, clock=clock)
    session = OrchestrationSession("Index the words", project=project)
    bundle = session.prepare_context("debugger", scope="Find the slow query", files=["spec.md"])
    session.init_deployment(context_bundle=bundle, model="sonnet")
    project.close()
    return root


async def pressed(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def answered(pilot: Pilot[None], text: str) -> str:
    """Answer the question in front; what the screen then says no to."""
    assert isinstance(pilot.app.screen, Ask)
    pilot.app.screen.query_one(Input).value = text
    await pressed(pilot, "enter")
    assert isinstance(pilot.app.screen, OrchScreen)
    problem = pilot.app.screen.query_one(Problem)
    return problem.text if problem.has_class("-shown") else ""


TRIED = ("long", "half a pair")
"""Of the names, these always: no text of a record may hold the second."""

PLACES = {
    "the text of a run": ("f4", "escape", "f6", "f12"),
    "a briefing": ("f3", "enter", "escape", "w"),
    "a final message": ("f3", "c", "f6"),
}


@pytest.mark.parametrize(
    "keys", vary(pytest.param(keys, id=place) for place, keys in PLACES.items())
)
async def test_a_name_no_file_can_have_is_said_in_place(
    folder: Path, clock: FakeClock, keys: tuple[str, ...]
) -> None:
    before = sorted(folder.rglob("*"))
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        await pressed(pilot, *keys[:-1])
        for name, said in NAMES.values():
            await pressed(pilot, keys[-1])
            assert said in await answered(pilot, name)
            assert app.is_running
    written = {*folder.rglob("*")} - {*before}
    assert all("orchestration" in path.parts for path in written), written


async def test_a_source_that_no_file_can_be_is_said_where_it_is_typed(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        await pressed(pilot, "f2", "escape", "a")
        for name, said in NAMES.values():
            app.screen.query_one(Input).value = name
            await settled(pilot)
            await pressed(pilot, "enter")
            assert isinstance(app.screen, AddSource)
            assert said in str(app.screen.query_one("#says", Static).render())


async def test_the_home_folder_is_meant_and_a_long_name_is_written(
    folder: Path, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        for name in ("~/given.md", "~/" + "n" * 255):
            await pressed(pilot, *PLACES["the text of a run"])
            assert await answered(pilot, name) == ""
            assert "walrus" in (tmp_path / "home" / name[2:]).read_text()


async def test_what_cannot_be_copied_is_said(folder: Path, clock: FakeClock) -> None:
    Path(state_folder(), "clipboard.txt").mkdir(parents=True)  # in the way
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        await pressed(pilot, "escape", "ctrl+y")
        assert any("cannot be written" in note.message for note in app._notifications)
        assert app.is_running


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param(*named, id=key, marks=() if key in TRIED else pytest.mark.wide)
        for key, named in NAMES.items()
    ],
)
async def test_a_deliverable_that_can_be_no_file_is_missing(
    folder: Path, clock: FakeClock, name: str, said: str
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await settled(pilot)
        await pressed(pilot, "f3", "c", "D", "o", "n", "e", "tab", "a", "enter")
        await answered(pilot, name)
        for completing in app.screen.query(ReturnForm):
            completing.settle()
        await settled(pilot)
        await pressed(pilot, "f8")
        assert app.is_running
        refused = app.screen.query_one(Problem)
        delivered = show("exec-001", project=folder).delivered
        if "\ud800" in name:  # no text of the record may hold it
            assert refused.has_class("-shown") and not delivered
        else:
            assert [one.state for one in delivered] == ["missing"]
