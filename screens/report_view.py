"""The report of a session, rendered, with what is missing for it on top."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from orch_tui.project import Project
from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.widgets.key_line import HELP_KEY, KeyLine
from orch_tui.screens.widgets.lines import Lines


class ReportView(ModalScreen[None]):
    """A report over the whole screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "back", id="report-leave"),
        Binding("q", "app.pop_screen", "Back", show=False),
        HELP_KEY,
    ]

    def __init__(self, session_id: str, text: str) -> None:
        super().__init__()
        self._session_id = session_id
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(id="report", classes="pane") as pane:
            pane.border_title = f"Report of {self._session_id}"
            yield Lines(id="report-text")
        yield KeyLine()

    def on_mount(self) -> None:
        lines = self.query_one(Lines)
        lines.show(self._text, markdown=True)
        lines.focus()


def open_report(screen: OrchScreen) -> None:
    """Show the report of the session one is in."""
    session, project = screen.app.session, screen.app.project
    if session is None:
        screen.notify("no session is chosen: F1 lists them", markup=False)
        return
    session_id = session.session_id

    def show(text: str) -> None:
        screen.app.push_screen(ReportView(session_id, text))

    screen.run_in_thread(lambda: _write(project, session_id), show, group="report")


def _write(project: Project, session_id: str) -> str:
    """Write the report as Markdown, the gates that do not hold before all else."""
    from orch_tui.recall.report import gather_report, synthesize_report

    record, root, limits = project.existing_record, project.root, project.limits
    with record.read():
        gates = gather_report(record, session_id, root, limits)["gates"]
    missing = [gate for gate in gates if gate["result"] != "pass"]
    told = "".join(f"- {gate['gate']}: {gate['result']}\n" for gate in missing)
    head = f"## Missing: {len(missing)} of {len(gates)} gates\n\n{told}\n" if missing else ""
    return head + synthesize_report(record, session_id, root=root, limits=limits)
