"""What is chosen for the whole app: its theme, and the session that all screens work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.worker import get_current_worker

from orch_tui.screens.dialogs import Pick
from orch_tui.screens.plan.lists import SessionRows, session_row
from orch_tui.screens.widgets.row_list import Column, Row

if TYPE_CHECKING:
    from orch_tui.app import OrchApp
    from orch_tui.recall.overview import SessionLine


def choose_theme(app: OrchApp) -> None:
    """Show the themes; the screens take on the one under the cursor, Escape takes it back."""
    before = app.theme
    themes = sorted(
        app.available_themes.items(), key=lambda each: (not each[0].startswith("orch-"), each[0])
    )
    rows = [
        Row(name, (name, "dark" if theme.dark else "light", "now" * (name == before)))
        for name, theme in themes
        if name != "textual-ansi"
    ]

    def preview(name: str) -> None:
        app.theme = name

    def take(name: str | None) -> None:
        app.theme = name or before

    columns = (Column("theme"), Column("for a ground that is", 22, own="dim"), Column("", 4))
    asked = Pick(
        "Theme", columns, rows, find_in=(0, 1), at=before, enter="keeps it", preview=preview
    )
    app.push_screen(asked, take)


def choose_session(app: OrchApp) -> None:
    """Show the sessions, those that are open first; the screens go to the one that is chosen."""
    from orch_tui.errors import OrchError
    from orch_tui.recall.overview import list_session_lines

    def read() -> None:
        worker, project = get_current_worker(), app.project
        try:
            lines = list_session_lines(
                project.existing_record, limits=project.limits, project=project.project_filter
            )
        except OrchError as error:
            tell = partial(app.notify, error.message, severity="error", markup=False)
            app.call_later(tell)
            return
        if not worker.is_cancelled:
            app.call_later(_show_sessions, app, lines)

    app.run_worker(read, thread=True, exclusive=True, group="sessions")


def _show_sessions(app: OrchApp, lines: Sequence[SessionLine]) -> None:
    current = app.session.session_id if app.session else ""
    ended = [line for line in lines if line.session.completed_at]
    now = app.project.now()
    rows: list[Row] = []
    for title, some in (("Open", [line for line in lines if line not in ended]), ("Ended", ended)):
        if some:
            rows.append(Row(f"section {title}", (title, str(len(some))), section=True))
        for line in some:
            row = session_row(line, line.session.session_id == current, now)
            rows.append(replace(row, cells=(*row.cells, line.session.session_id)))
    columns = (*SessionRows.COLUMNS, Column("id", 24, own="dim", gives_way=1))

    def take(session_id: str | None) -> None:
        if session_id:
            app.use_session(session_id)

    title = "The session that all screens work on"
    asked = Pick(title, columns, rows, find_in=(1, 4), at=current, enter="goes to it")
    app.push_screen(asked, take)
