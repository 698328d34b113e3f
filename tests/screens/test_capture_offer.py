"""Where Claude Code has worked before orch came: importing and the hooks are offered, once."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Static

from orch_tui.app import OrchApp
from orch_tui.install import hook_settings
from orch_tui.install.offers import Offer
from orch_tui.install.settings_file import apply, settings_file
from orch_tui.project import Project
from orch_tui.screens.app_messages import Offered
from orch_tui.screens.dialogs import Choose, Confirm
from orch_tui.screens.widgets.row_list import Rows
from tests.conftest import FakeClock
from tests.record import claude_home
from tests.screens.quiet import settled

Snap = Callable[..., bool]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which an agent of Claude Code ran, and orch never."""
    root = tmp_path / "spotter"
    (root / ".git").mkdir(parents=True)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    named = "".join(c if c.isalnum() else "-" for c in str(root))
    for transcript in claude_home.foreground():
        for line in transcript.lines:
            line["cwd"] = str(root)
        path = tmp_path / "claude" / "projects" / named / transcript.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(transcript.data)
    return root


async def answered(pilot: Pilot[None]) -> None:
    """Until dialogs that come up by themselves are up too."""
    for _ in range(3):
        await settled(pilot)


async def test_import_and_hooks_are_offered_and_done(folder: Path, clock: FakeClock) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await answered(pilot)
        assert isinstance(app.screen, Choose)
        await pilot.press("enter")  # both
        await answered(pilot)
        assert isinstance(app.screen, Confirm)
        await pilot.press("y")
        await answered(pilot)
        assert len(app.screen.query_one("#hits", Rows).rows) == 1
        await pilot.press("ctrl+q")
    settings = json.loads((folder / ".claude" / "settings.local.json").read_text())
    assert "SubagentStop" in settings["hooks"]


async def test_nothing_that_is_typed_answers_it(
    folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OrchApp, "_look_for_offer", lambda app: None)
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await answered(pilot)
        before = app.screen
        await pilot.press("x")
        app.post_message(Offered(Offer(transcripts=1, hooks=True)))
        await answered(pilot)
        assert app.screen is before
        (told,) = [each.message for each in app._notifications if "Ctrl+P" in each.message]
        assert told.startswith("Claude Code keeps 1 transcript of this project.")


async def test_it_is_offered_once(folder: Path, clock: FakeClock) -> None:
    for offered in (True, False):
        app = OrchApp(Project(folder, clock=clock))
        async with app.run_test() as pilot:
            await answered(pilot)
            assert isinstance(app.screen, Choose) == offered
            if offered:
                await pilot.press("escape")
            await pilot.press("ctrl+q")
    assert not (folder / ".claude" / "settings.local.json").exists()


async def test_nothing_is_offered_to_who_does_not_use_claude_code(
    tmp_path: Path, clock: FakeClock
) -> None:
    (tmp_path / "spotter" / ".git").mkdir(parents=True)
    app = OrchApp(Project(tmp_path / "spotter", clock=clock))
    async with app.run_test() as pilot:
        await answered(pilot)
        assert len(app.screen_stack) == 1


async def test_settings_that_are_no_json_are_left_as_they_are(
    folder: Path, clock: FakeClock
) -> None:
    settings = folder / ".claude" / "settings.local.json"
    settings.parent.mkdir()
    settings.write_text("{ no json")
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await answered(pilot)
        await pilot.press("escape")
        app.install_hooks()
        await answered(pilot)
        assert any("settings.local.json" in notice.message for notice in app._notifications)
    assert settings.read_text() == "{ no json"


def test_how_the_offer_looks(folder: Path, clock: FakeClock, snap_compare: Snap) -> None:
    app: App[None] = OrchApp(Project(folder, clock=clock))
    assert snap_compare(app, terminal_size=(80, 24), run_before=answered)


async def test_more_that_an_updated_client_tells_is_offered_once(
    folder: Path, clock: FakeClock
) -> None:
    """Also to who said no to the first offer, and in the file that has the hooks."""
    settings = settings_file(folder, shared=True)
    apply(hook_settings.installation(settings, hook_settings.command(sys.executable)))
    complete = settings.read_text()
    less = json.loads(complete)
    del less["hooks"]["StopFailure"]
    for text, offered in ((complete, True), (json.dumps(less), True), (json.dumps(less), False)):
        settings.write_text(text)
        app = OrchApp(Project(folder, clock=clock))
        async with app.run_test() as pilot:
            await answered(pilot)
            assert isinstance(app.screen, Choose) == offered
            if offered:
                said = " ".join(str(each.render()) for each in app.screen.query(Static))
                assert ("StopFailure" in said) == (text != complete)
                await pilot.press("escape")
            await pilot.press("ctrl+q")
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test() as pilot:
        await answered(pilot)
        app.install_hooks()
        await answered(pilot)
        assert isinstance(app.screen, Confirm)
        await pilot.press("y")
        await answered(pilot)
        await pilot.press("ctrl+q")
    assert json.loads(settings.read_text()) == json.loads(complete)
    assert not settings_file(folder).exists()
