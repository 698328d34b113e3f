"""What keys do with the run under the cursor, and with those that are marked."""

from __future__ import annotations

import json
import shlex
from contextlib import ExitStack
from pathlib import Path

import pytest
from textual.containers import Vertical
from textual.widgets import Static

from orch_tui.api import OrchestrationSession
from orch_tui.cli import main
from orch_tui.project import Project
from orch_tui.record import bundles
from orch_tui.record.executions import get_execution
from orch_tui.record.opening import open_record
from orch_tui.record.sessions import complete_session
from orch_tui.screens.command_list import list_commands
from orch_tui.screens.dialogs import Confirm
from orch_tui.screens.history.compare_view import SideBySide
from orch_tui.screens.history.drift_view import Drifted
from orch_tui.screens.orch_screen import Problem
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.search_box import QueryInput
from tests.conftest import FakeClock
from tests.screens.history.driven import lines_of, list_keys, open_app
from tests.screens.quiet import settled
from tests.variants import vary


async def test_two_runs_are_marked_and_compared(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("down", "f7")
        await settled(pilot)
        await pilot.press("down", "f7")
        await settled(pilot)
        assert isinstance(app.screen, SideBySide)
        await pilot.press("f6", "f6")
        await settled(pilot)
        drawn = lines_of(app)
        assert "+ # Found it" in drawn
        assert drawn[0].startswith("− [bold]not markup[/] ␛[31mred")


async def test_marked_runs_are_written_to_a_file_and_none_is_replaced(
    folder: Path, clock: FakeClock
) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "space", "space", "u", "home", "space", "down", "space")
        await settled(pilot)
        hits = app.screen.query_one("#hits", Rows)
        assert [row.cells[0] for row in hits.rows] == ["■", "", "■"]
        assert "2 marked: F7 compare" in str(hits.border_subtitle)
        await pilot.press("f12", "enter")
        await settled(pilot)
        written = folder / "2-runs.jsonl"
        lines = [json.loads(line) for line in written.read_text().splitlines()]
        assert [line["facts"]["execution_id"] for line in lines] == ["exec-003", "exec-001"]
        written.write_text("mine")
        await pilot.press("f12", "enter")
        await settled(pilot)
        assert "is there already" in app.screen.query_one(Problem).text
    assert written.read_text() == "mine"


async def test_what_messages_of_earlier_runs_tell_of_is_kept_as_found(
    folder: Path, clock: FakeClock
) -> None:
    with ExitStack() as stack:
        project = Project(folder, clock=clock)
        stack.callback(project.close)
        session = OrchestrationSession("Before", project=project)
        run = session.init_deployment("scribe", "Write it down")
        run.record_completion("I wrote `spec.md`.\n\n- tests: pass")
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "o")
        await settled(pilot)
        told = [note.message for note in app._notifications]
        assert told == ["its message: 2 outputs kept as found, which nobody has verified"]
        await pilot.press("down", "o")  # one that is still waiting
        await settled(pilot)
        assert [note.message for note in app._notifications][1:] == [
            "its message: no output is told of"
        ]
    with open_record(Project(folder).database) as record:
        found = "SELECT output_type, path FROM outputs WHERE execution_id = 'exec-004' AND found"
        assert sorted(record.sql(found), key=str) == [
            ("deliverable", "spec.md"),
            ("validation_result", None),
        ]


async def test_sessions_of_marked_runs_are_archived_and_come_back(
    folder: Path, clock: FakeClock
) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "space", "space", "A")
        await settled(pilot)
        said = " ".join(str(each.content) for each in app.screen.query(Static))
        assert app.screen.query_one(Vertical).border_title == "Archive orch-2026-11-22-001?"
        assert "3 runs will be out of lists and search, 1 of them not marked." in said
        await pilot.press("n")
        await settled(pilot)
        assert len(list_keys(app)) == 3
        await pilot.press("A", "a")
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert list_keys(app) == []
        await pilot.press("ctrl+z")
        await settled(pilot)
        assert len(list_keys(app)) == 3
        assert "marked" not in str(app.screen.query_one("#hits").border_subtitle)


async def test_marked_runs_are_retracted_for_a_reason(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "space", "space", "R", "enter")
        await settled(pilot)
        assert len(list_keys(app)) == 3
        await pilot.press("R", *"twice", "enter")
        await settled(pilot)
        assert list_keys(app) == ["exec-001"]
        record = app.project.record
        complete_session(record, get_execution(record, "exec-001").session_id, "failed")
        await pilot.press("R")
        await settled(pilot)
        besides = app.screen.query_one("#besides", Static)
        assert besides.display and "The session is closed, as failed" in str(besides.content)
    with open_record(Project(folder).database) as record:
        reasons = record.rows("SELECT payload FROM observations WHERE kind = 'retracted'")
        assert len(reasons) == 2 and all("twice" in str(row["payload"]) for row in reasons)


async def test_texts_of_marked_runs_are_forgotten_for_good(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "space", "space", "space", "F")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        await pilot.press("escape")
        assert (
            app.project.record.value("SELECT count(*) FROM contents WHERE encoding = 'gone'") == 0
        )
        await pilot.press("F")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        said = app.project.record.sql(
            "SELECT DISTINCT final_message FROM agent_executions WHERE status = 'completed'"
        )
        assert said == [("[forgotten]",)]
        await pilot.press("F")
        await settled(pilot)
        assert not isinstance(app.screen, Confirm)


async def test_a_replay_is_deployed_again(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await pilot.press(*"walr")
        await settled(pilot)
        await pilot.press("f8")
        await pilot.pause()
        await pilot.press("down", "enter")
        await settled(pilot)
        assert app.project.record.value("SELECT count(*) FROM agent_executions") == 4
        assert "Find the slow query" in app.clipboard


async def test_what_changed_since_is_shown_and_taken(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    spec = folder / "spec.md"
    spec.write_text(spec.read_text() + "A line more.\n")
    async with app.run_test() as pilot:
        await pilot.press(*"walr")
        await settled(pilot)
        await pilot.press("f8", "down", "down", "enter")
        await settled(pilot)
        assert isinstance(app.screen, Drifted)
        assert app.screen.query_one("#pairs", Rows).rows[0].cells == (
            *("≠", "spec.md", "319", "324", "changed"),
        )
        assert "+ A line more." in lines_of(app)
        await pilot.press("escape", "f8", "up", "enter")
        await settled(pilot)
    project = Project(folder, clock=clock)
    made = bundles.load_bundle(project.existing_record, "bundle-001").bundle
    assert made.version == 2 and made.items[0].text.endswith("A line more.\n")
    project.close()


async def test_the_command_that_does_the_same(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press(*"walr", "ctrl+y")
        await settled(pilot)
        assert app.clipboard == "orch history walr"
        await pilot.press("escape", "ctrl+y")
        await settled(pilot)
        assert app.clipboard == "orch show exec-001 --part said"


async def test_the_palette_holds_what_the_keys_do(folder: Path, clock: FakeClock) -> None:
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        commands = {each.words for each in list_commands(app, app.screen)}
        assert {
            "Compare two",
            "Given then, and now",
            "Copy command",
            "Plan",
            "Insights",
        } <= commands
        await pilot.press("down")
        await settled(pilot)
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"compare two", "enter")
        await settled(pilot)
        assert "1 marked" in str(app.screen.query_one("#hits").border_subtitle)


@pytest.mark.parametrize(
    "typed", vary(["$(date) `x` *", "it's", 'given:"the walrus"', "-draft --all"])
)
async def test_a_copied_command_does_the_same_in_a_shell(
    folder: Path,
    clock: FakeClock,
    typed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Quoted, and within what was searched: a session, the project, or all with the archived."""
    project = Project(folder, clock=clock)
    OrchestrationSession("Another", session_id="it's $mine", project=project)
    project.close()
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        app.use_session("it's $mine")
        app.screen.query_one(QueryInput).value = typed
        copied = []
        for _ in range(3):
            await settled(pilot)
            await pilot.press("ctrl+y")
            await settled(pilot)
            copied.append(app.clipboard)
            await pilot.press("ctrl+f")
    found = [shlex.split(command) for command in copied]
    assert found[0][:2] == ["orch", "history"] and found[0][-1] == typed
    assert found[1][-1] == f'session:"it\'s $mine" {typed}'
    assert found[2][2:4] == ["--all-projects", "--archived"] and found[2][-1] == typed
    monkeypatch.chdir(folder)
    for words in found:
        assert main(words[1:]) == 0, capsys.readouterr()


async def test_a_run_with_any_id_is_shown_by_its_copied_command(
    folder: Path, clock: FakeClock
) -> None:
    project = Project(folder, clock=clock)
    session = OrchestrationSession("Index the words", project=project)
    session.init_deployment("a", "b", execution_id="it's; rm -rf $HOME")
    project.close()
    app = open_app(folder, clock)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("escape", "home", "ctrl+y")
        await settled(pilot)
        assert shlex.split(app.clipboard) == [
            *("orch", "show", "it's; rm -rf $HOME", "--part", "said"),
        ]


async def test_a_failed_run_is_compared_with_the_last_success_of_its_kind(
    folder: Path, clock: FakeClock
) -> None:
    project = Project(folder, clock=clock)
    session = OrchestrationSession("Index the words", project=project)
    failed = session.init_deployment("debugger", "Find the slow query again")
    failed.record_completion("It stayed slow.", status="failed")
    project.close()
    app = open_app(folder, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("escape", "home", "d")
        await settled(pilot)
        assert isinstance(app.screen, SideBySide)
        rows = app.screen.query_one("#figures", Rows).rows
        assert rows[0].cells == ("outcome", "✓ done", "✗ failed", "")
        await pilot.press("f6", "f6")
        await settled(pilot)
        assert "+ It stayed slow." in "\n".join(lines_of(app))
        await pilot.press("escape", "home", "down", "d")
        await settled(pilot)
        assert not isinstance(app.screen, SideBySide)
        problem = app.screen.query_one(Problem)
        assert problem.has_class("-shown") and "succeeded before" in problem.text
        await pilot.press("up")
        await settled(pilot)
        assert not problem.has_class("-shown")
