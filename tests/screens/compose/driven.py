"""The Compose screen, driven as a person drives it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Input, Static

from orch_tui.app import OrchApp
from orch_tui.prepare.composition import Choice
from orch_tui.project import Project
from orch_tui.screens.compose.screen import ComposeScreen
from orch_tui.screens.widgets.filetree import FileTree
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.stack import Stack
from tests.conftest import FakeClock
from tests.screens.quiet import settled

SPEC = """\
# Requirements

The index must be fast.

## Vector search

Nearest neighbours under 10 ms.

## Storage

Everything in one file.
"""
AGENT = "---\nname: task-implementor\ndescription: does it\n---\n"
SESSION = "orch-2026-11-22-001"


class Compose(OrchApp):
    FIRST = FIRST_EVER = "compose"


def app_of(folder: Path, clock: FakeClock) -> OrchApp:
    return Compose(Project(folder, clock=clock))


def screen_of(pilot: Pilot[None]) -> ComposeScreen:
    (screen,) = (s for s in pilot.app.screen_stack if isinstance(s, ComposeScreen))
    return screen


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one after the other; ``»text`` is put into the line that has the focus."""
    for key in keys:
        if key.startswith("»"):
            assert isinstance(pilot.app.focused, Input)
            pilot.app.focused.post_message(Paste(key[1:]))
            await pilot.pause()
        else:
            await pilot.press(key)
        await settled(pilot)


def sources(pilot: Pilot[None]) -> list[str]:
    choices = screen_of(pilot).state.composition.choices
    return ["#".join((choice.source, *choice.sections)) for choice in choices]


def choices(pilot: Pilot[None]) -> tuple[Choice, ...]:
    return screen_of(pilot).state.composition.choices


def lines(pilot: Pilot[None]) -> list[str]:
    files = screen_of(pilot).query_one(FileTree)
    return [line.title or line.node.path for line in files.lines]


def used(pilot: Pilot[None], gauge: str = "agent-gauge") -> int:
    figures = screen_of(pilot).query_one(f"#{gauge}", Stack)._figures
    assert figures is not None
    return figures.used.tokens


def head(pilot: Pilot[None]) -> str:
    """What the pane on top says: its title, its first line and its lower edge."""
    screen = screen_of(pilot)
    top = screen.query_one("#top")
    line = str(screen.query_one("#head", Static).render())
    return f"{top.border_title} · {line} · {top.border_subtitle}"


def cells(pilot: Pilot[None], title: str) -> list[str]:
    """A column of the bundle's list."""
    rows = screen_of(pilot).list.rows
    at = [column.title for column in rows._table.columns].index(title)
    return [row.cells[at] for row in rows.rows]


def view(pilot: Pilot[None]) -> str:
    return screen_of(pilot).query_one("#view", Lines).text


Drive = Callable[[Pilot[None]], Awaitable[None]]


def effects(pilot: Pilot[None]) -> str:
    """What the dialog in front says of each agent."""
    return str(pilot.app.screen.query_one("#effects", Static).render())


def picked(pilot: Pilot[None]) -> list[tuple[str, ...]]:
    """The rows of the dialog in front, cell by cell."""
    rows = pilot.app.screen.query_one(Rows)
    return [row.cells for row in rows.rows]


def foretold(pilot: Pilot[None]) -> str:
    """What the dialog in front says of its keys."""
    return str(pilot.app.screen.query_one(".keys", Static).render())


def ambient(pilot: Pilot[None]) -> int:
    figures = screen_of(pilot).query_one("#agent-gauge", Stack)._figures
    assert figures is not None
    return figures.ambient.tokens


def told(pilot: Pilot[None]) -> str:
    """What the dialog in front says of what was typed."""
    return str(pilot.app.screen.query_one("#says", Static).render())


def dialog_words(pilot: Pilot[None]) -> str:
    """The words of the dialog in front."""
    return "\n".join(str(each.render()) for each in pilot.app.screen.query(Static))
