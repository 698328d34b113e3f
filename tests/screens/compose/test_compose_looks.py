"""How Compose looks."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from orch_tui.project import Project
from tests.conftest import FakeClock
from tests.screens.compose.driven import (
    Compose,
    Drive,
    app_of,
    press,
)
from tests.screens.looks import EVERY_SIZE, in_dialogs, in_looks, in_sizes
from tests.screens.quiet import settled
from tests.variants import vary

Snap = Callable[..., bool]


def after(*keys: str) -> Drive:
    async def run_before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await press(pilot, *keys)
        for line in pilot.app.screen.query(Input):
            line.cursor_blink = False
        await settled(pilot)

    return run_before


CHOSEN = ("»types", "enter", "»hnsw", "enter", "»README", "enter")


@in_looks(*EVERY_SIZE)
def test_how_it_looks(
    project: Project, clock: FakeClock, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    app = app_of(project.root, clock)
    app.theme = theme
    keys = (*CHOSEN, "escape", "p", "t", "escape", "ctrl+u", "escape", "right", "down")
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@in_looks((60, 16), (60, 40), always=0)
@pytest.mark.parametrize("turns", [1, 2], ids=["bundle", "item"])
def test_how_one_pane_looks(
    project: Project,
    clock: FakeClock,
    snap_compare: Snap,
    theme: str,
    size: tuple[int, int],
    turns: int,
) -> None:
    app = app_of(project.root, clock)
    app.theme = theme
    keys = (*CHOSEN, *["f6"] * turns)
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@in_dialogs
def test_how_limits_look(
    project: Project, clock: FakeClock, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    app = app_of(project.root, clock)
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=after("escape", "L"))


def test_how_nothing_looks(folder: Path, clock: FakeClock, snap_compare: Snap) -> None:
    assert snap_compare(app_of(folder, clock), terminal_size=(80, 24), run_before=after())


def test_how_too_much_looks(project: Project, clock: FakeClock, snap_compare: Snap) -> None:
    (project.root / "lib" / "big.ts").write_text(("export const a = 1;" * 20 + "\n") * 3_000)
    app = app_of(project.root, clock)
    keys = ("»big", "enter", "»types", "enter", "escape", "p", "p", "f6", "f6")
    assert snap_compare(app, terminal_size=(140, 45), run_before=after(*keys))


@in_sizes((80, 24), (140, 45))
def test_how_sharing_looks(
    project: Project, clock: FakeClock, snap_compare: Snap, size: tuple[int, int]
) -> None:
    (project.root / "CLAUDE.md").write_text("Be brief.\n\n@spec/requirements.md\n")
    app = app_of(project.root, clock)
    keys = (*CHOSEN, "»requirem", "enter", "escape", "f6", "f6", *["f6"] * (size[0] < 100))
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


DIALOG_SIZES = vary([pytest.param((80, 24), "orch-dark"), pytest.param((120, 36), "orch-light")])


@pytest.mark.parametrize(("size", "theme"), DIALOG_SIZES)
def test_how_foretold_sharing_looks(
    project: Project, clock: FakeClock, snap_compare: Snap, size: tuple[int, int], theme: str
) -> None:
    (project.root / "CLAUDE.md").write_text("Be brief.\n\n@spec/requirements.md\n")
    app = app_of(project.root, clock)
    app.theme = theme
    keys = (*CHOSEN, "»requirem", "enter", "escape", "d")
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@pytest.mark.parametrize(("size", "theme"), DIALOG_SIZES)
def test_how_earlier_runs_look(
    project: Project,
    runs: list[str],
    clock: FakeClock,
    snap_compare: Snap,
    size: tuple[int, int],
    theme: str,
) -> None:
    app = app_of(project.root, clock)
    app.theme = theme
    keys = ("»types", "enter", "escape", "r", "space")
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@pytest.mark.parametrize(("size", "theme"), DIALOG_SIZES)
def test_how_a_source_is_completed_looks(
    project: Project, clock: FakeClock, snap_compare: Snap, size: tuple[int, int], theme: str
) -> None:
    app = app_of(project.root, clock)
    app.theme = theme
    keys = ("escape", "a", "»spec/requirements.md#")
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@pytest.mark.parametrize(("size", "theme"), DIALOG_SIZES)
def test_how_bundles_to_open_look(
    project: Project, snap_compare: Snap, size: tuple[int, int], theme: str
) -> None:
    later = datetime(2026, 11, 25, 9, tzinfo=UTC)  # however often it is looked at
    app = Compose(Project(project.root, clock=lambda: later))
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=after("escape", "o"))


def test_how_what_would_fit_looks(much: Path, clock: FakeClock, snap_compare: Snap) -> None:
    keys = ("»types", "enter", "»big", "enter", "escape", "p", "p", "f")
    assert snap_compare(app_of(much, clock), terminal_size=(80, 24), run_before=after(*keys))


def test_how_what_cannot_be_taken_looks(
    project: Project, clock: FakeClock, snap_compare: Snap
) -> None:
    app = app_of(project.root, clock)
    keys = ("».env", "enter", "»types", "enter", "»logo", "enter", "tab", "tab")
    assert snap_compare(app, terminal_size=(80, 24), run_before=after(*keys))


def test_how_hostile_names_look(folder: Path, clock: FakeClock, snap_compare: Snap) -> None:
    names = ["[bold]x[bold].md", "a\x1b[31mred.md", "\u202egnp.md", "[unclosed", "w" * 200 + ".md"]
    for name in names:
        (folder / name).write_text("# [b]x\x1b[31m\n\n\u202etext\n")
    (folder / os.fsdecode(b"not-utf8-\xff.txt")).write_text("x")
    keys = ("»[bold", "enter", "escape", "right", "escape", "ctrl+u", "»red", "enter", "ctrl+u")
    app = app_of(folder, clock)
    assert snap_compare(app, terminal_size=(140, 45), run_before=after(*keys, "escape", "end"))
