"""What is chosen for the whole app: theme, settings, the session that all screens work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.worker import get_current_worker

from orch_tui.errors import OrchError
from orch_tui.screens.dialogs import Ask, Choose, Pick
from orch_tui.screens.plan.lists import SessionRows, session_row
from orch_tui.screens.widgets.row_list import Column, Row
from orch_tui.screens.widgets.safe import one_line

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


def show_settings(app: OrchApp, at: str = "") -> None:
    """Show every setting, what it is, and where that comes from; Enter changes it."""
    from orch_tui.setting_changes import ABOUT

    config = app.project.config
    rows = [
        Row(name, (name, _word_value(getattr(config, name)), _word_origin(app, name), about))
        for name, about in ABOUT.items()
    ]
    columns = (
        Column("setting", 18, bold=True, gives_way=-1),
        Column("is", 14, gives_way=-1),
        Column("from", 12, gives_way=1, own="dim"),
        Column("what it is", least=16),
    )

    def take(name: str | None) -> None:
        if name:
            _change_setting(app, name)

    asked = Pick("Settings", columns, rows, find_in=(0, 3), at=at, enter="changes it")
    app.push_screen(asked, take)


def _word_value(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{len(value)} of its own" if value else "none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value) or "none"


def _word_origin(app: OrchApp, name: str) -> str:
    origin = app.project.config.origins[name]
    if origin == "default":
        return "orch"
    return "this project" if origin.startswith(str(app.project.root)) else "yours"


def _change_setting(app: OrchApp, name: str) -> None:
    from orch_tui.setting_changes import ABOUT, TABLES, name_file

    if name in TABLES:
        files = [str(name_file(app.project.root, for_user=each)) for each in (False, True)]
        text = f"{name} is a table: change it in {files[0]}, or for all projects in {files[1]}"
        app.notify(text, markup=False, timeout=15)
        return
    value = getattr(app.project.config, name)
    shown = ", ".join(value) if isinstance(value, tuple) else str(value)

    def take(text: str | None) -> None:
        if text is not None and text != shown:
            where = [("project", "in this project"), ("user", "in all projects of mine")]
            choose = Choose(f"{name}: {one_line(text, 60) or 'as orch has it'}", where)
            app.push_screen(choose, partial(_write_setting, app, name, text))

    detail = f"{ABOUT[name]}. Without a value it is what orch has."
    app.push_screen(Ask(name, value=shown, detail=detail), take)


def _write_setting(app: OrchApp, name: str, text: str, where: str | None) -> None:
    """Write a setting in a thread, and have the screens follow it."""
    from orch_tui.setting_changes import change_setting

    if where is None:
        return
    project = app.project

    def work() -> None:
        try:
            change_setting(project.root, name, text or None, for_user=where == "user")
            project.load_settings()
        except OrchError as error:
            tell = partial(app.notify, f"{error.message}. {error.hint}", severity="error")
            app.call_later(partial(tell, markup=False))
        else:
            app.call_later(app.settings_changed)
        app.call_later(show_settings, app, name)

    app.run_worker(work, thread=True, group="settings", exit_on_error=True)
