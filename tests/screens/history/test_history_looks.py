"""What History looks like."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from orch_tui.project import Project
from orch_tui.record.opening import open_record
from orch_tui.screens.small_list import SmallList
from orch_tui.screens.widgets.preview import Preview
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.search_box import QueryInput
from tests.conftest import FakeClock
from tests.screens.history.driven import list_keys, open_app, open_app_later
from tests.screens.looks import in_looks
from tests.screens.quiet import settled
from tests.variants import vary

Snap = Callable[..., bool]


@in_looks((80, 24), (140, 45), always=2)
def test_how_it_looks(
    folder: Path, clock: FakeClock, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    app = open_app_later(folder, clock)
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=type_text("slow"))


def test_how_hostile_text_looks(folder: Path, clock: FakeClock, snap_compare: Snap) -> None:
    app = open_app_later(folder, clock)
    assert snap_compare(app, terminal_size=(80, 24), run_before=type_text("status:failed"))


def test_how_nothing_looks(tmp_path: Path, clock: FakeClock, snap_compare: Snap) -> None:
    empty = tmp_path / "spotter"
    (empty / ".git").mkdir(parents=True)
    assert snap_compare(open_app(empty, clock), terminal_size=(80, 24), run_before=type_text(""))


def test_how_a_mistake_looks(folder: Path, clock: FakeClock, snap_compare: Snap) -> None:
    app = open_app_later(folder, clock)
    assert snap_compare(app, terminal_size=(80, 24), run_before=type_text("since:nevre agnet:x"))


def type_text(text: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def run_before(pilot: Pilot[None]) -> None:
        pilot.app.screen.query_one(QueryInput).cursor_blink = False
        await pilot.press(*text)
        await settled(pilot)

    return run_before


@pytest.mark.parametrize("size", vary([(59, 16), (60, 15)]))
async def test_a_terminal_that_is_too_small_shows_what_waits_and_loses_nothing(
    folder: Path, clock: FakeClock, size: tuple[int, int]
) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        told = app.screen.query_one(SmallList)
        assert not told.display
        await pilot.resize_terminal(*size)
        await settled(pilot)
        assert told.display
        assert any("exec-" in row.key for row in told.query_one(Rows).rows)  # what waits
        await pilot.press(*"walr")
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        assert not told.display
        assert list_keys(app) == ["exec-001"]


def test_how_too_small_looks(folder: Path, clock: FakeClock, snap_compare: Snap) -> None:
    app = open_app_later(folder, clock)
    assert snap_compare(app, terminal_size=(50, 12), run_before=settled)


async def test_a_low_terminal_shows_the_list_or_the_run(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(60, 16)) as pilot:
        await pilot.press(*"walrus", "escape")
        await settled(pilot)
        hits, preview = app.screen.query_one("#hits"), app.screen.query_one(Preview)
        assert hits.display and not preview.display
        await pilot.press("f6")
        await settled(pilot)
        assert preview.display and not hits.display
        await pilot.press("f6", "f6", "f6", "f6", "f6")
        await settled(pilot)
        assert hits.display and hits.has_focus and preview.tab == "said"


LOOKS = {
    "marked": ["escape", "space", "space"],
    "retract": ["escape", "R"],
    "tree": ["escape", "t", "f6"],
    "opened": ["escape", "end", "enter", "slash", *"walrus"],
    "chips": ["escape"],
    "archive": ["escape", "space", "space", "A"],
}
"""The keys to what is looked at."""


@pytest.mark.parametrize(
    ("size", "theme"),
    vary(
        [
            pytest.param((80, 24), "orch-dark", id="dark"),
            pytest.param((120, 36), "orch-light", id="light"),
        ]
    ),
)
@pytest.mark.parametrize("look", vary(LOOKS, always=4))
def test_how_what_keys_bring_looks(
    folder: Path,
    clock: FakeClock,
    snap_compare: Snap,
    look: str,
    size: tuple[int, int],
    theme: str,
) -> None:
    with open_record(Project(folder).database) as record, record.write():
        record.execute(
            "UPDATE agent_executions SET parent_execution_id = 'exec-001' "
            "WHERE execution_id <> 'exec-001'"
        )

    async def run_before(pilot: Pilot[None]) -> None:
        box = pilot.app.screen.query_one(QueryInput)
        if look == "chips":
            box.value = "walrus agent:debugger -status:failed since:30d has:fins"
        await settled(pilot)
        for key in LOOKS[look]:
            await pilot.press(key)
            await settled(pilot)
        for each in pilot.app.screen.query(Input):
            each.cursor_blink = False
        await settled(pilot)

    app = open_app_later(folder, clock)
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=run_before)
