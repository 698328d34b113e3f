"""Deploy as a person uses it: sending agents off, and recording what they brought back."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import ContentSwitcher, Input, Static

from orch_tui.app import OrchApp
from orch_tui.install import hook_settings
from orch_tui.install.settings_file import apply, settings_file
from orch_tui.models.database import Record
from orch_tui.paths import hand_over_folder
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.count import Count
from orch_tui.project import Project
from orch_tui.record import bundles, executions, outputs, plan, sessions
from orch_tui.record.completion import record_completion
from orch_tui.record.deployment import record_deployment
from orch_tui.record.executions import list_completions
from orch_tui.record.ledger import contents, journal
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.statement import Returned
from orch_tui.screens.deploy.return_form import ReturnForm
from orch_tui.screens.dialogs import Ask
from orch_tui.screens.history.run_view import Run
from orch_tui.screens.orch_screen import Header, Problem
from orch_tui.screens.terminal import write_notice
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.paste import Editor, PasteArea
from orch_tui.screens.widgets.preview import Preview
from orch_tui.screens.widgets.row_list import Row, Rows
from tests.screens import quiet
from tests.screens.looks import THEMES, in_looks, in_sizes

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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A session with two planned agents and four executions, and another session."""
    root = tmp_path / "spotter"
    (root / ".claude").mkdir(parents=True)
    (root / "lib").mkdir()
    for name, hour in (("postings", 11), ("index", 8)):
        path = root / "lib" / f"{name}.py"
        path.write_text("x = 1\n")
        written = datetime(2026, 11, 22, hour, tzinfo=UTC).timestamp()
        os.utime(path, (written, written))
    project = Project(root, clock=noon)
    record = project.record
    other = sessions.init_session(record, "Something else", project=str(root)).session_id
    send(project, other, "Explore", "Look around", "2026-11-22T11:00:00.000Z")
    session = sessions.init_session(record, "Make the index fast", project=str(root)).session_id
    made = save(project, session, "implementor", "Implement the postings list")
    plan.add_planned_agent(
        record, session, "implementor", scope="Implement the postings list", bundle_id=made
    )
    plan.add_planned_agent(
        record, session, "reviewer", scope="Review what was implemented", waits_for=[1]
    )
    send(project, session, "implementor", "Implement the hash", "2026-11-18T09:00:00.000Z")
    send(project, session, "implementor", "Implement the trie", "2026-11-22T09:55:00.000Z")
    done = send(project, session, "Explore", "Find the slow part", "2026-11-22T08:00:00.000Z")
    record_completion(record, done, final_message="# Found\n\nThe **walrus** is slow.")
    failed = send(project, session, "tester", "Test the trie", "2026-11-22T08:30:00.000Z")
    record_completion(record, failed, status="failed", error_message="it was cut off")
    project.close()
    return root


@pytest.fixture(autouse=True)
def deploy_first(history_first: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other screen is built on the way, where there is a record."""
    monkeypatch.setattr("orch_tui.app.OrchApp.FIRST", "deploy")


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
        return self.sections.get("Waited for, not seen here", [])

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


# The lists


async def test_all_stand_in_one_list_of_sections(folder: Path) -> None:
    async with deploying(folder, size=(120, 36)) as driven:
        assert driven.sections == {
            "Waited for, not seen here": WAITING,
            "Can be handed over": ["planned:1", "planned:2"],
            "Earlier": ["exec-005", "exec-004"],
        }
        rows = {row.key: row.cells for row in driven.rows}
        assert rows["exec-003"][4] == "2 h" and rows["exec-002"][4] == "4 d"
        assert rows["exec-002"][0] == "!"
        assert rows["planned:1"][3].startswith("ready") and "12,300 tokens" in rows["planned:1"][3]
        assert rows["planned:2"][3] == "after implementor"
        assert rows["exec-005"][:4] == ("✗", "tester", "Test the trie", "it was cut off")
        assert rows["exec-004"][3] == "“The walrus is slow.”"
        await driven.keys("ctrl+f")
        assert driven.sections["Waited for, not seen here"] == ["exec-001", *WAITING]


async def test_enter_hands_a_planned_agent_over(folder: Path) -> None:
    async with deploying(folder) as driven:
        driven.go_to("planned:2")
        await driven.keys("enter")
        assert driven.view == "deploying-view"
        assert "waits for 1" in driven.text("#deploying-told")


async def test_what_comes_back_is_announced_on_any_screen_until_it_is_looked_at(
    folder: Path,
) -> None:
    async with deploying(folder, size=(120, 36)) as driven:
        await driven.keys("f5")
        await driven.others_record("exec-003", final_message="# Done\n\nTries are slower.")
        assert driven.toasts == ["implementor came back · g shows it"]
        assert "✓ 1 back" in driven.header
        await driven.others_record("exec-002", status="failed", error_message="the disk is full")
        assert driven.toasts[1:] == ["implementor failed: the disk is full · g shows it"]
        assert "✗ 1 failed  ✓ 1 back" in driven.header
        await driven.keys("g")
        assert driven.app.current_mode == "deploy"
        assert driven.app.screen.query_one("#runs", Rows).key == "exec-002"
        assert driven.sections["Came back, not looked at"] == ["exec-002", "exec-003"]
        assert "failed" not in driven.header and "✓ 1 back" in driven.header
        await driven.keys("g")
        assert driven.app.screen.query_one("#runs", Rows).key == "exec-003"
        assert "back" not in driven.header
        assert driven.sections["Came back"] == ["exec-002", "exec-003"]
        await driven.keys("f1", "f3")
        assert "Came back" not in driven.sections
        assert driven.sections["Earlier"] == ["exec-003", "exec-005", "exec-004", "exec-002"]


async def test_what_came_back_while_orch_was_closed_is_counted(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("ctrl+q")
    project = Project(folder, clock=noon)
    record_completion(project.record, "exec-003", final_message="Done.")
    project.close()
    for _ in range(2):
        async with deploying(folder) as driven:
            assert "✓ 1" in driven.header and driven.toasts == []
            assert driven.sections["Came back, not looked at"] == ["exec-003"]
            await driven.keys("ctrl+q")
    async with deploying(folder) as driven:
        driven.go_to("exec-003")
        await driven.keys("down", "ctrl+q")
    async with deploying(folder) as driven:
        assert "✓" not in driven.header and "Came back" not in driven.sections


async def test_what_is_recorded_here_is_no_news(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("c")
        await driven.paste("Done.")
        await driven.keys("f8")
        await driven.look_for_returns()
        assert "✓" not in driven.header
        assert driven.sections["Earlier"][0] == "exec-003"


async def test_one_pane_at_a_time_where_there_is_little_room(folder: Path) -> None:
    async with deploying(folder, size=(60, 16)) as driven:
        lists, preview = (driven.app.screen.query_one(each) for each in ("#runs", "#run"))
        assert lists.display and not preview.display
        assert "F6 what there is of implementor" in str(lists.border_subtitle)
        await driven.keys("f6")
        assert preview.display and not lists.display
        await driven.keys("f6")
        assert lists.display and lists.has_focus


async def test_g_is_a_letter_where_one_types(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("f4")
        await driven.others_record("exec-003", final_message="Done.")
        driven.app.screen.query_one("#query").focus()
        await driven.keys("g")
        assert driven.app.current_mode == "history"
        assert driven.app.screen.query_one("#query", Input).value.endswith("g")


@pytest.mark.parametrize(
    ("how", "written"),
    [
        ("off", []),
        ("bell", ["\a"]),
        ("osc9", ["\x1b]9;␛]52;c;eA==␇\u241b failed: no␛[2J\a"]),
    ],
)
def test_the_terminal_is_told_as_the_setting_says(
    how: str, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    said: list[str] = []
    write_notice(said.append, how, "\x1b]52;c;eA==\a\x1b failed: no\x1b[2J")
    assert said == written


async def test_a_run_that_came_back_opens_and_is_found_in_history(folder: Path) -> None:
    async with deploying(folder) as driven:
        driven.go_to("exec-004")
        await settled(driven.pilot)
        await driven.keys("enter")
        assert isinstance(driven.app.screen, Run)
        assert "walrus" in driven.app.screen.query_one(Lines).text
        await driven.keys("escape", "h")
        assert driven.app.current_mode == "history"
        hits = {row.key for row in driven.app.screen.query_one("#hits", Rows).rows}
        assert hits == {"exec-002", "exec-003", "exec-004", "exec-005"}


async def test_what_is_shown_of_a_run_changes_from_the_list(folder: Path) -> None:
    async with deploying(folder) as driven:
        preview = driven.app.screen.query_one("#run", Preview)
        assert preview.tab == "briefing"
        await driven.keys("f6")
        assert preview.tab == "delivered"


async def test_what_is_shown_of_a_run_follows_its_return(folder: Path) -> None:
    async with deploying(folder) as driven:
        driven.go_to("exec-003")
        await settled(driven.pilot)
        preview = driven.app.screen.query_one("#run", Preview)
        assert preview.tab == "briefing"
        record_completion(driven.record, "exec-003", final_message="Done.")
        driven.app.screen.load()  # type: ignore[attr-defined]
        await settled(driven.pilot)
        assert preview.shown is not None and preview.shown.execution.status == "completed"
        assert preview.tab == "said"


async def test_in_an_empty_list_there_is_nothing_to_open(folder: Path) -> None:
    async with deploying(folder) as driven:
        assert "enter" in driven.app.screen.active_bindings
        driven.app.screen.query_one("#runs", Rows).show(())
        assert "enter" not in driven.app.screen.active_bindings


async def test_what_came_while_the_lists_were_hidden_is_drawn(folder: Path) -> None:
    async with deploying(folder) as driven:
        text = driven.app.screen.query_one("#run Lines", Lines)
        await driven.keys("enter")
        text.show("came meanwhile")
        await driven.keys("escape")
        assert "came meanwhile" in text.render_line(0).text


async def test_another_process_records_and_the_place_is_kept(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("down")
        record_completion(driven.record, "exec-003", final_message="Done.")
        driven.app.screen.load()  # type: ignore[attr-defined]
        await settled(driven.pilot)
        assert driven.app.screen.query_one("#runs", Rows).key == "exec-002"
        assert driven.waiting == ["exec-002"]


async def test_an_old_one_is_closed_as_failed_with_its_reason(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("down", "x", "escape", "x")
        await driven.type("  ")
        assert "needs a reason" in driven.problem
        assert executions.get_execution(driven.record, "exec-002").status == "deployed"
        await driven.keys("x")
        await driven.type("the terminal was closed")
        await driven.keys("down", "down", "down", "enter")
        execution = executions.get_execution(driven.record, "exec-002")
        assert (execution.status, execution.error_message, execution.error_code) == (
            "failed",
            "the terminal was closed",
            "ORG-003",
        )
        assert driven.waiting == ["exec-003"]


# Deploying


async def test_a_planned_agent_is_recorded_before_its_briefing_is_copied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deploying(folder) as driven:
        at_the_copy: list[str] = []
        copy = driven.app.copy

        def spy(text: str, what: str) -> None:
            at_the_copy.append(executions.get_execution(driven.record, "exec-006").source)
            copy(text, what)

        monkeypatch.setattr(driven.app, "copy", spy)
        await driven.keys("d", "enter", "escape")
        assert driven.view == "lists"
        await driven.keys("d", "enter")
        assert "The index maps words to lines." in driven.app.screen.query_one(Lines).text
        assert len(executions.select_executions(driven.record)) == 5
        assert "init-deployment" in driven.app.screen.command()  # type: ignore[attr-defined]
        await driven.keys("enter")
        assert at_the_copy == ["manual"]
        execution = executions.get_execution(driven.record, "exec-006")
        assert execution.planned_id is not None and execution.bundle_version_id is not None
        assert "The index maps words to lines." in driven.app.clipboard
        assert driven.app.clipboard.endswith(f"<!-- orch {execution.uid} -->\n")
        await driven.keys("enter")
        assert driven.view == "lists" and driven.waiting[0] == "exec-006"
        assert driven.app.screen.query_one("#runs", Rows).key == "exec-006"


def hand_over(folder: Path) -> None:
    """Register the hooks, with the one that puts briefings into prompts."""
    run = hook_settings.command(sys.executable)
    settings = settings_file(folder)
    apply(hook_settings.installation(settings, run, hand_over=True))


async def test_with_the_hook_the_line_is_copied_first_and_the_briefing_is_there(
    folder: Path,
) -> None:
    hand_over(folder)
    async with deploying(folder) as driven:
        await driven.keys("d", "enter", "enter")
        line = driven.app.clipboard
        assert line.endswith("]") and "\n" not in line
        uid = executions.get_execution(driven.record, "exec-006").uid
        briefing = Path(hand_over_folder(), uid).read_text()
        assert uid in line and "The index maps words to lines." in briefing
        assert "The index maps words to lines." in driven.app.screen.query_one(Lines).text
        await driven.keys("b")
        assert driven.app.clipboard == briefing
        await driven.keys("l")
        assert driven.app.clipboard == line


async def test_over_budget_it_takes_a_reason_which_is_recorded(folder: Path) -> None:
    config = folder / ".claude" / "orchestration" / "config.toml"
    config.write_text("budget = 300\n")
    async with deploying(folder) as driven:
        await driven.keys("d", "enter")
        assert "Over budget" in driven.text("#deploying-told")
        await driven.keys("enter")
        assert isinstance(driven.app.screen, Ask)
        await driven.type(" ")
        assert "no reason" in driven.problem
        assert len(executions.select_executions(driven.record)) == 5
        await driven.keys("enter")
        await driven.type("the last one today")
        assert executions.get_execution(driven.record, "exec-006").status == "deployed"
        (entry,) = [
            entry
            for entry in journal.list_journal(driven.record, execution_id="exec-006")
            if entry.action == "overflow"
        ]
        assert entry.after["reason"] == "the last one today"


async def test_what_it_waits_for_is_said(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("d", "down", "enter")
        assert "waits for 1" in driven.text("#deploying-told")
        assert "no briefing" in driven.app.screen.query_one(Lines).text


async def test_an_agent_without_a_plan_is_deployed_by_its_name(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("d", "end", "enter")
        await driven.type("helper")
        await driven.type("fetch the log")
        await driven.keys("f8", "f8")
        execution = executions.get_execution(driven.record, "exec-006")
        assert (execution.agent_type, execution.scope) == ("helper", "fetch the log")
        assert driven.app.clipboard == ""


async def test_the_briefing_is_copied_again_and_written_to_a_new_file(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("b")
        assert driven.app.clipboard == ""
        await driven.keys("d", "enter", "enter", "w", "enter")
        path = folder / ".claude" / "orchestration" / "briefings" / "exec-006.md"
        assert path.read_text() == driven.app.clipboard
        await driven.keys("w")
        await driven.type("lib/index.py")
        assert "exists already" in driven.problem
        assert (folder / "lib" / "index.py").read_text() == "x = 1\n"
        driven.app.copy_to_clipboard("")
        await driven.keys("enter", "b")
        assert driven.app.clipboard == path.read_text()


async def test_without_a_record_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "spotter" / ".claude").mkdir(parents=True)
    async with deploying(tmp_path / "spotter") as driven:
        await driven.keys("d")
        assert "no open session" in driven.problem
        assert not driven.app.project.database.exists()


# Completing


async def test_a_pasted_message_is_read_corrected_and_recorded(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("c")
        await driven.paste(MESSAGE)
        assert driven.found == {
            "missing file: lib/gone.py": "[ ]",
            "lib/postings.py": "[x]",
            "lib/index.py": "[x]",
            "lib/gone.py": "[ ]",
            "tests:pass": "[x]",
            "lint:fail": "[x]",
            "Postings lists compress well as gaps": "[x]",
        }
        rows = driven.app.screen.query_one("#found", Rows).rows
        assert [row.cells for row in rows] == [
            ("Files", "3"),
            ("■", "lib/postings.py", "changed"),
            ("■", "lib/index.py", "unchanged"),
            ("□", "lib/gone.py", "not there"),
            ("Checks", "2"),
            ("■", "tests", "pass"),
            ("■", "lint", "fail"),
            ("Insights", "1"),
            ("■", "Postings lists compress well as gaps", ""),
            ("Errors and signs of trouble", "1"),
            ("□", "missing file: lib/gone.py", "! trouble"),
        ]
        await driven.keys("tab")
        driven.under_cursor("#found", "lib/index.py")
        await driven.keys("space")
        driven.under_cursor("#found", "lint")
        await driven.keys("e")
        await driven.type("fine")
        assert "name:result" in driven.problem and "lint:fail" in driven.found
        await driven.keys("e")
        await driven.type("lint:pass")
        assert driven.problem == ""
        await driven.keys("a", "end", "enter", *"it forgot a file", "enter")
        await driven.keys("f8")
        assert driven.view == "lists" and driven.waiting == ["exec-002"]
        kept = {
            (o.output_type, o.path or o.text, o.found)
            for o in outputs.list_execution_outputs(driven.record, "exec-003")
        }
        assert kept == {
            ("deliverable", "lib/postings.py", True),
            ("validation_result", '{"tests": "pass"}', True),
            ("validation_result", '{"lint": "pass"}', False),
            ("insight", "Postings lists compress well as gaps", True),
            ("error", "it forgot a file", False),
        }
        assert driven.app.drafts.names() == set()


@pytest.mark.parametrize("at", ["soon", "", "0001-01-01T00:00:00", "9999-12-31 23:59:59-14:00"])
async def test_a_run_of_an_odd_time_is_completed_as_others(folder: Path, at: str) -> None:
    with closing(sqlite3.connect(Project(folder).database)) as raw, raw:
        raw.execute(
            "UPDATE agent_executions SET deployed_at = ? WHERE execution_id = 'exec-003'", [at]
        )
    async with deploying(folder) as driven:
        driven.under_cursor("#runs", "Implement the trie")
        await driven.keys("c")
        await driven.paste(MESSAGE)
        assert driven.found["lib/postings.py"] in ("[x]", "[ ]")
        await driven.keys("f8")
        assert exact(driven.record, "exec-003") == MESSAGE.encode()


@pytest.mark.parametrize("text", [HOSTILE, "x\r\n" * 100_000], ids=["hostile", "large"])
async def test_a_message_is_recorded_exactly_as_it_was_pasted(folder: Path, text: str) -> None:
    async with deploying(folder) as driven:
        await driven.keys("c")
        await driven.paste(text)
        await driven.keys("f8")
        assert exact(driven.record, "exec-003") == text.encode()


async def test_a_message_pasted_on_a_waiting_run_is_its_message(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("down")
        await driven.paste("Done.\rAll of it.")
        assert driven.view == "completing-view"
        assert driven.area.text == "Done.\nAll of it."
        await driven.keys("f8")
        assert exact(driven.record, "exec-002") == b"Done.\nAll of it."


async def test_what_was_read_is_corrected_not_typed_anew(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("enter")
        await driven.paste(MESSAGE)
        await driven.keys("tab", "end", "up", "e", "!", "enter")
        assert "Postings lists compress well as gaps!" in driven.found


async def test_a_file_and_an_editor_give_their_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"\xef\xbb\xbfDone.\r\nNot UTF-8: \xff\xfe\r"
    (folder / "answer.txt").write_bytes(data)
    async with deploying(folder) as driven:
        await driven.keys("c", "f6")
        await driven.type("nothing.txt")
        assert "nothing.txt" in driven.problem
        await driven.keys("f6")
        await driven.type("answer.txt")
        assert driven.area.text == data.decode("utf-8", "surrogateescape")
        monkeypatch.setattr(driven.app, "edit", lambda text, name: f"{text}{name}\r\n")
        await driven.keys("f7", "f8")
        assert exact(driven.record, "exec-003") == data + b"exec-003.md\r\n"


async def test_a_draft_is_there_again_after_a_crash(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("c")
        await driven.paste(MESSAGE)
        await driven.keys("tab", "end", "up", "space")
    async with deploying(folder) as driven:
        first = next(row for row in driven.rows if row.key == "exec-003")
        assert "draft" in first.cells[2]
        await driven.keys("enter")
        assert driven.area.text == MESSAGE
        assert driven.found["Postings lists compress well as gaps"] == "[ ]"
        await driven.keys("escape")
        assert driven.view == "lists" and executions.get_execution(driven.record, "exec-003").status


async def test_a_draft_that_cannot_be_kept_is_said_and_the_text_stays(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("c")
        drafts = driven.app.drafts.folder
        shutil.rmtree(drafts, ignore_errors=True)
        drafts.write_text("no folder any more, as on a full disk")
        await driven.paste(MESSAGE)
        assert "cannot be kept" in driven.problem
        drafts.unlink()
        await driven.keys("f8")
        assert exact(driven.record, "exec-003") == MESSAGE.encode()


async def test_a_terminal_that_is_resized_keeps_what_is_pasted(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("c")
        await driven.pilot.resize_terminal(60, 10)  # too small to show anything of it
        await driven.paste(MESSAGE)
        await driven.pilot.resize_terminal(140, 45)
        await settled(driven.pilot)
        assert driven.area.text == MESSAGE


async def test_quitting_while_completing_comes_back_to_it(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("c", *"half a mess", "ctrl+q")
    async with deploying(folder) as driven:
        assert driven.view == "completing-view" and driven.area.text == "half a mess"
        await driven.keys(*"age")
        assert driven.area.text == "half a message"


async def test_it_failed_with_a_reason_and_a_code(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("c", *"API Error", "f9", "down", "enter")
        await driven.type("the service was down")
        await driven.keys("end", "enter")
        assert "✗ failed" in driven.text("#completing-state")
        command = driven.app.screen.command()  # type: ignore[attr-defined]
        assert "--status failed" in command and "'the service was down'" in command
        await driven.keys("f8")
        execution = executions.get_execution(driven.record, "exec-003")
        assert (execution.status, execution.error_message, execution.error_code) == (
            "failed",
            "the service was down",
            "ORG-008",
        )
        assert execution.final_message == "API Error"


async def test_a_run_that_came_back_can_come_back_again(folder: Path) -> None:
    async with deploying(folder) as driven:
        driven.go_to("exec-004")
        await driven.keys("c")
        assert "another return" in driven.text("#completing-what")
        await driven.keys(*"More.", "f8")
        returned = list_completions(driven.record, "exec-004")
        assert [c.position for c in returned] == [1, 2]
        assert executions.get_execution(driven.record, "exec-004").final_message == "More."


async def test_a_copy_of_what_hooks_recorded_is_named_before_it_is_recorded(folder: Path) -> None:
    said = "Wrote the index.\n\n- index.md has all of it"
    async with deploying(folder) as driven:
        heard = Returned(status="completed")
        ingest_statement(driven.record, Report(["id:exec-003"], heard, source="hook", message=said))
        driven.go_to("exec-003")
        await driven.keys("c")
        await driven.paste("⏺ Wrote the index.   \n\n  - index.md has\n  all of it   ")
        state = driven.text("#completing-state")
        assert "this is return 1, recorded by hooks already: F8 makes no other" in state
        await driven.keys("f8")
        assert [c.source for c in list_completions(driven.record, "exec-003")] == ["hook"]
        assert executions.get_execution(driven.record, "exec-003").final_message == said


async def test_no_message_is_recorded_only_when_that_is_meant(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("c", "f8")
        assert "exec-003 has not returned" in driven.problem
        assert executions.get_execution(driven.record, "exec-003").status == "deployed"
        await driven.keys("f9", "down", "enter")
        await driven.type("it hung")
        await driven.keys("enter", "f8", "n")
        assert executions.get_execution(driven.record, "exec-003").status == "deployed"
        await driven.keys("f8", "y")
        closed = executions.get_execution(driven.record, "exec-003")
        assert (closed.status, closed.error_message) == ("failed", "it hung")
        assert outputs.list_execution_outputs(driven.record, "exec-003") == []


async def test_without_a_message_the_latest_return_is_amended(folder: Path) -> None:
    async with deploying(folder) as driven:
        driven.go_to("exec-004")
        await driven.keys("c")
        await driven.keys("f9", "down", "enter")
        await driven.type("tests broke")
        await driven.keys("enter")
        await driven.type("as was seen later")
        assert "--supersede 'as was seen later'" in str(
            driven.app.screen.command()  # type: ignore[attr-defined]
        )
        await driven.keys("f8", "y")
        said = executions.list_completions(driven.record, "exec-004")
        assert [each.status for each in said] == ["failed"]
        amended = executions.get_execution(driven.record, "exec-004")
        assert amended.error_message == "tests broke" and amended.final_message


async def test_what_is_refused_stays_on_the_screen(folder: Path) -> None:
    async with deploying(folder) as driven:
        driven.go_to("exec-004")
        await driven.keys("c")
        await driven.paste("# Found\n\nThe **walrus** is slow.")
        await driven.keys("f9", "down", "enter")
        await driven.type("on second thoughts")
        await driven.keys("enter", "f8")
        assert "recorded already" in driven.problem
        assert driven.area.text == "# Found\n\nThe **walrus** is slow."
        assert driven.app.drafts.load("final-message exec-004") == driven.area.text


async def test_the_same_can_be_said_to_the_shell(folder: Path) -> None:
    async with deploying(folder) as driven:

        def command() -> str:
            return str(driven.app.screen.command())  # type: ignore[attr-defined]

        assert command().startswith("orch query --status deployed --session-id orch-")
        await driven.keys("c")
        await driven.paste(MESSAGE)
        assert command() == (
            "orch record-completion --execution-id exec-003 --final-message-file FILE "
            "--collect auto"
        )
        await driven.keys("tab", "end", "up", "space")
        assert command() == (
            "orch record-completion --execution-id exec-003 --final-message-file FILE && "
            "orch collect --execution-id exec-003 --deliverables lib/postings.py "
            "--deliverables lib/index.py --validation-results tests:pass,lint:fail"
        )


def exact(record: Record, execution_id: str) -> bytes | None:
    """The bytes of the latest final message."""
    message_id = list_completions(record, execution_id)[-1].message_id
    return None if message_id is None else contents.get_content(record, message_id)


# How it looks

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


@in_looks(*SIZES)
def test_how_the_lists_look(
    folder: Path, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    assert snap_compare(shown(folder, theme), terminal_size=size, run_before=after(nothing))


@pytest.mark.parametrize(("size", "theme"), zip(SIZES, THEMES, strict=True))
def test_how_a_completion_looks(
    folder: Path, snap_compare: Snap, theme: str, size: tuple[int, int]
) -> None:
    assert snap_compare(shown(folder, theme), terminal_size=size, run_before=after(the_message))


def test_how_a_briefing_looks(folder: Path, snap_compare: Snap) -> None:
    app = shown(folder)
    assert snap_compare(app, terminal_size=(140, 45), run_before=after(the_briefing))


@in_sizes((80, 24), (120, 36))
def test_how_a_line_to_hand_over_looks(
    folder: Path, snap_compare: Snap, size: tuple[int, int]
) -> None:
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
