"""Deploy as a person uses it: the app on a project, and what a test asks of it."""

from __future__ import annotations

import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from textual import events
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import ContentSwitcher, Input, OptionList, Static

from orch_tui.app import OrchApp
from orch_tui.install import hook_settings
from orch_tui.install.settings_file import apply, settings_file
from orch_tui.models.database import Record
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.count import Count
from orch_tui.project import Project
from orch_tui.record import bundles
from orch_tui.record.completion import record_completion
from orch_tui.record.deployment import record_deployment
from orch_tui.record.executions import list_completions
from orch_tui.record.ledger import contents
from orch_tui.screens.deploy.return_form import ReturnForm
from orch_tui.screens.header import Header
from orch_tui.screens.orch_screen import Problem
from orch_tui.screens.widgets.key_line import KeyLine
from orch_tui.screens.widgets.paste import PasteArea
from orch_tui.screens.widgets.row_list import Row, Rows
from tests.screens import quiet

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MESSAGE = """\
The postings list is implemented.

## Deliverables
- Created `lib/postings.py`
- Modified `lib/index.py`
- Created `lib/gone.py`

## Validation
- tests: pass
- lint: fail

## Insights
- Postings lists compress well as gaps
"""
HOSTILE = "[bold]no markup[/] \x1b[31mred\x1b[0m \u202ereversed\u202c\r\n\x00end"


_TICKS = itertools.count()


def noon() -> datetime:
    """About noon: a millisecond later each time it is asked, as clocks are."""
    return NOW + timedelta(milliseconds=next(_TICKS))


WAITING = ["exec-003", "exec-002"]


def save(project: Project, session_id: str, agent_type: str, scope: str) -> str:
    text = b"The index maps words to lines.\n"
    count = Count(12_300, "o200k_base", 11_800, 12_800)
    item = ContextItem("file", "spec.md", "required", (), text, count)
    bundle = Bundle("", agent_type, scope, (item,), "sonnet", project.now())
    return bundles.save_bundle(project.record, bundle, session_id).bundle.bundle_id


def send(project: Project, session_id: str, agent_type: str, scope: str, at: str) -> str:
    return record_deployment(
        project.record,
        session_id,
        catalogue=project.catalogue,
        limits=project.limits,
        agent_type=agent_type,
        scope=scope,
        deployed_at=at,
    ).execution.execution_id


class Driven:
    """The app on a project, at its Deploy screen, and what a test asks of it."""

    def __init__(self, app: OrchApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def keys(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await settled(self.pilot)

    async def type(self, text: str) -> None:
        """Answer the question in front."""
        self.app.screen.query_one(Input).value = text
        await self.keys("enter")

    async def paste(self, text: str) -> None:
        self.app.post_message(events.Paste(text))
        await settled(self.pilot)

    @property
    def record(self) -> Record:
        return self.app.project.existing_record

    @property
    def view(self) -> str | None:
        return self.app.screen.query_one(ContentSwitcher).current

    @property
    def rows(self) -> list[Row]:
        return list(self.app.screen.query_one("#runs", Rows).rows)

    @property
    def sections(self) -> dict[str, list[str]]:
        """The keys of the rows, by the sections they stand in."""
        sections: dict[str, list[str]] = {}
        for row in self.rows:
            if row.section:
                sections[row.cells[0]] = []
            else:
                sections[list(sections)[-1]].append(row.key)
        return sections

    @property
    def waiting(self) -> list[str]:
        return self.sections.get("Waiting", [])

    def go_to(self, key: str) -> None:
        assert self.app.screen.query_one("#runs", Rows).move_to_key(key)

    @property
    def header(self) -> str:
        return self.app.screen.query_one(Header).render_line(0).text

    @property
    def toasts(self) -> list[str]:
        return [toast.message for toast in self.app._notifications]

    async def look_for_returns(self) -> None:
        self.app.on_record_changed()
        await settled(self.pilot)

    async def others_record(self, label: str, **said: str) -> None:
        """Another process records a return."""
        told = len(self.toasts)
        record_completion(self.record, label, **said)  # type: ignore[arg-type]
        await self.look_for_returns()
        while len(self.toasts) == told:  # a thread reads what came back
            await self.pilot.pause(0.01)

    @property
    def found(self) -> dict[str, str]:
        """What was read from the message: its text and whether it is taken."""
        items = self.app.screen.query_one(ReturnForm)._items
        return {item.text: "[x]" if item.wanted else "[ ]" for item in items}

    @property
    def area(self) -> PasteArea:
        return self.app.screen.query_one(PasteArea)

    @property
    def problem(self) -> str:
        problem = self.app.screen.query_one(Problem)
        return problem.text if problem.has_class("-shown") else ""

    def text(self, query: str) -> str:
        return str(self.app.screen.query_one(query, Static).content)

    @property
    def command(self) -> str:
        """The shell command that does the same."""
        return str(self.app.screen.command())  # type: ignore[attr-defined]

    @property
    def dialog(self) -> str:
        """The words of the dialog in front."""
        screen = self.app.screen
        assert isinstance(screen, ModalScreen)
        said = [str(each.border_title or "") for each in screen.query("*")]
        said += [str(each.content) for each in screen.query(Static)]
        for choices in screen.query(OptionList):
            said += [
                str(choices.get_option_at_index(n).prompt) for n in range(choices.option_count)
            ]
        return "\n".join(said)

    @property
    def footer(self) -> str:
        return self.app.screen.query_one(KeyLine).render_line(0).text

    def under_cursor(self, query: str, text: str) -> None:
        """Put the cursor of a list on the row that says this."""
        rows = self.app.screen.query_one(query, Rows)
        rows.move_to(next(n for n, row in enumerate(rows.rows) if text in row.cells))


async def settled(pilot: Pilot[None]) -> None:
    """Until the engine has answered and what was typed is kept and read."""
    await quiet.settled(pilot)
    while asking := [f for f in pilot.app.screen.query(ReturnForm) if not f.is_settled]:
        for form in asking:
            form.settle()
        await quiet.settled(pilot)


def shown(root: Path, theme: str = "orch-dark") -> OrchApp:
    app = OrchApp(Project(root, clock=noon))
    app.theme = theme
    return app


@asynccontextmanager
async def deploying(root: Path, *, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Driven]:
    app = shown(root)
    async with app.run_test(size=size) as pilot:
        driven = Driven(app, pilot)
        await settled(pilot)
        await driven.keys("f3")
        yield driven


def hand_over(folder: Path) -> None:
    """Register the hooks, with the one that puts briefings into prompts."""
    run = hook_settings.command(sys.executable)
    settings = settings_file(folder)
    apply(hook_settings.installation(settings, run, hand_over=True))


def exact(record: Record, execution_id: str) -> bytes | None:
    """The bytes of the latest final message."""
    message_id = list_completions(record, execution_id)[-1].message_id
    return None if message_id is None else contents.get_content(record, message_id)
