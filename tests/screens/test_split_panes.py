"""The border between two panes is moved by mouse and keys, and stays where it was put."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.pilot import Pilot

from orch_tui.api import OrchestrationSession
from orch_tui.app import OrchApp
from orch_tui.project import Project
from orch_tui.screens.split_panes import LEAST, STEP, SplitPanes
from tests.conftest import FakeClock
from tests.screens.quiet import settled
from tests.variants import vary

SCREENS = {"f1": "upper", "f2": "compose", "f4": "history", "f5": "below"}
"""The key of each screen with panes side by side, and what holds them."""


@pytest.fixture
def folder(tmp_path: Path, clock: FakeClock) -> Path:
    root = tmp_path / "spotter"
    (root / ".claude").mkdir(parents=True)
    (root / "spec.md").write_text("# Walrus\n" * 20)
    project = Project(root, clock=clock)
    session = OrchestrationSession("Index the words", project=project)
    bundle = session.prepare_context("debugger", files=["spec.md"])
    session.init_deployment("debugger", context_bundle=bundle).record_completion("It is over.")
    project.close()
    return root


async def find_panes(pilot: Pilot[None], key: str) -> SplitPanes:
    await pilot.press(key)
    await settled(pilot)
    return pilot.app.screen.query_one(f"#{SCREENS[key]}", SplitPanes)


def border_of(panes: SplitPanes) -> int:
    """The column in which the pane to the right begins."""
    left, right = panes.children
    assert left.region.right == right.region.x
    assert left.region.width + right.region.width == panes.region.width
    return right.region.x


@pytest.mark.parametrize("key", vary(SCREENS))
async def test_keys_move_the_border_and_the_app_remembers_it(
    folder: Path, clock: FakeClock, key: str
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        panes = await find_panes(pilot, key)
        before = border_of(panes)
        await pilot.press("alt+left", "alt+left")
        await settled(pilot)
        assert border_of(panes) == pytest.approx(before - 2 * STEP, abs=1)
        await pilot.press("alt+right")
        await settled(pilot)
        moved = border_of(panes)
        assert moved == pytest.approx(before - STEP, abs=1)
        await pilot.press("ctrl+q")
    again = OrchApp(Project(folder, clock=clock))
    async with again.run_test(size=(120, 36)) as pilot:
        assert border_of(await find_panes(pilot, key)) == moved


@pytest.mark.parametrize("key", vary(SCREENS))
@pytest.mark.parametrize("side", vary([-1, 0]))
async def test_the_mouse_drags_the_border(
    folder: Path, clock: FakeClock, key: str, side: int
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        panes = await find_panes(pilot, key)
        before, y = border_of(panes), panes.region.y + 2
        await pilot.mouse_down(offset=(before + side, y))
        await pilot.hover(offset=(before - 7, y))
        await pilot.mouse_up(offset=(before - 7, y))
        await settled(pilot)
        assert border_of(panes) == pytest.approx(before - 7, abs=1)
        await pilot.hover(offset=(before - 20, y))  # it was let go
        await settled(pilot)
        assert border_of(panes) == pytest.approx(before - 7, abs=1)


async def test_each_pane_keeps_some_room(folder: Path, clock: FakeClock) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        panes = await find_panes(pilot, "f4")
        await pilot.press(*["alt+left"] * 40)
        await settled(pilot)
        assert border_of(panes) == panes.region.x + LEAST
        await pilot.press(*["alt+right"] * 40)
        await settled(pilot)
        assert border_of(panes) == panes.region.right - LEAST


async def test_panes_one_above_the_other_are_as_wide_as_the_screen(
    folder: Path, clock: FakeClock
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        panes = await find_panes(pilot, "f4")
        await pilot.press("alt+left")
        await settled(pilot)
        moved = border_of(panes)
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        assert [pane.region.width for pane in panes.children] == [80, 80]
        await pilot.press("alt+left")
        await pilot.resize_terminal(120, 36)
        await settled(pilot)
        assert border_of(panes) == moved


@pytest.mark.parametrize(
    "kept", vary([{"history": "wide"}, None, [], {"history": 7}, {"history": True}])
)
async def test_a_state_that_says_nothing_of_borders_leaves_them_where_they_are(
    folder: Path, clock: FakeClock, kept: object
) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        usual = border_of(await find_panes(pilot, "f4"))
    app = OrchApp(Project(folder, clock=clock))
    app.drafts.save("state", json.dumps({"shares": kept}))
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        assert border_of(await find_panes(pilot, "f4")) == usual
