"""How Deploy looks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from orch_tui.app import OrchApp
from orch_tui.screens.widgets.paste import Editor
from tests.screens.deploy.driven import (
    HOSTILE,
    MESSAGE,
    Driven,
    hand_over,
    settled,
    shown,
)
from tests.screens.looks import EVERY_SIZE, in_dialogs, in_looks, in_sizes

Snap = Callable[..., bool]
SIZES = [(80, 24), (140, 45)]
Do = Callable[[Driven], Awaitable[None]]


def after(do: Do) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def run_before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("f3")
        await settled(pilot)
        assert isinstance(pilot.app, OrchApp)
        pilot.app.screen.query_one(Editor).cursor_blink = False
        await do(Driven(pilot.app, pilot))
        await settled(pilot)
        pilot.app.clear_notifications()
        await pilot.pause()

    return run_before


async def nothing(driven: Driven) -> None:
    pass


async def the_briefing(driven: Driven) -> None:
    await driven.keys("d", "enter")


async def the_line(driven: Driven) -> None:
    await driven.keys("d", "enter", "enter")


async def the_message(driven: Driven) -> None:
    await driven.keys("c")
    await driven.paste(MESSAGE)
    await driven.keys("tab", "down")


async def hostile_message(driven: Driven) -> None:
    await driven.keys("c")
    await driven.paste(f"- Created `{'x/' * 99}[b].py`\n{'漢' * 99}\n{HOSTILE}")


async def a_refusal(driven: Driven) -> None:
    await driven.keys("c", "f6")
    await driven.type("nothing.txt")


@in_looks(*EVERY_SIZE)
def test_how_the_lists_look(
    folder: Path, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    assert snap_compare(shown(folder, theme), terminal_size=size, run_before=after(nothing))


@in_looks(*EVERY_SIZE)
def test_how_a_completion_looks(
    folder: Path, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    assert snap_compare(shown(folder, theme), terminal_size=size, run_before=after(the_message))


async def what_came_back(driven: Driven) -> None:
    driven.go_to("exec-004")
    await driven.keys("c")


async def the_outcome(driven: Driven) -> None:
    await driven.keys("c")
    await driven.paste("I was not able to finish: the index is locked.")
    await driven.keys("f9")


async def another_attempt(driven: Driven) -> None:
    driven.go_to("exec-005")
    await driven.keys("d")


@in_dialogs
@pytest.mark.parametrize("do", [what_came_back, the_outcome, another_attempt])
def test_how_questions_look(
    folder: Path, snap_compare: Snap, theme: str, size: tuple[int, int], do: Do
) -> None:
    assert snap_compare(shown(folder, theme), terminal_size=size, run_before=after(do))


def test_how_a_briefing_looks(folder: Path, snap_compare: Snap) -> None:
    app = shown(folder)
    assert snap_compare(app, terminal_size=(140, 45), run_before=after(the_briefing))


@in_sizes((80, 24), (120, 36))
def test_how_a_line_to_hand_over_looks(
    folder: Path, snap_compare: Snap, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "[orch:8c1f 4b07 .claude/orchestration/briefings/8c1f.md]"  # others each time
    monkeypatch.setattr("orch_tui.record.hand_over.render_hand_over", lambda *said: line)
    hand_over(folder)
    assert snap_compare(shown(folder), terminal_size=size, run_before=after(the_line))


def test_how_a_briefing_over_budget_looks(folder: Path, snap_compare: Snap) -> None:
    (folder / ".claude" / "orchestration" / "config.toml").write_text("budget = 300\n")
    assert snap_compare(shown(folder), terminal_size=(80, 24), run_before=after(the_briefing))


def test_how_hostile_text_looks(folder: Path, snap_compare: Snap) -> None:
    assert snap_compare(shown(folder), terminal_size=(80, 24), run_before=after(hostile_message))


def test_how_a_refusal_looks(folder: Path, snap_compare: Snap) -> None:
    assert snap_compare(shown(folder), terminal_size=(80, 24), run_before=after(a_refusal))


def test_how_nothing_looks(tmp_path: Path, snap_compare: Snap) -> None:
    (tmp_path / "spotter" / ".claude").mkdir(parents=True)
    app = shown(tmp_path / "spotter")
    assert snap_compare(app, terminal_size=(80, 24), run_before=after(nothing))
