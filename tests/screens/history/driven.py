"""The app in History, as a person has it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from orch_tui.app import OrchApp
from orch_tui.project import Project
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.row_list import Rows
from tests.conftest import FakeClock

HOSTILE = "[bold]not markup[/] \x1b[31mred\x1b[0m \u202ereversed\u202c\x07 [unclosed"


def open_app(folder: Path, clock: FakeClock) -> OrchApp:
    return OrchApp(Project(folder, clock=clock))


def list_keys(app: OrchApp) -> list[str]:
    return [row.key for row in app.screen.query_one("#hits", Rows).rows]


def lines_of(app: OrchApp) -> list[str]:
    """The difference that is shown, line by line."""
    lines = app.screen.query_one("#difference", Lines)
    return [lines.render_line(y).text.strip() for y in range(lines.virtual_size.height)]


def open_app_later(folder: Path, clock: FakeClock) -> OrchApp:
    """Open the app with a clock that stands: how often it is looked at does not show."""
    later = clock() + timedelta(hours=3)
    return OrchApp(Project(folder, clock=lambda: later))


def shown_text(app: OrchApp) -> str:
    """What the list says, where it lists nothing."""
    rows = app.screen.query_one("#hits", Rows)
    return "\n".join(
        "".join(segment.text for segment in rows.render_line(y)) for y in range(rows.size.height)
    )
