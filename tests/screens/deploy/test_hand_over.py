"""Handing agents over."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from orch_tui.paths import hand_over_folder
from orch_tui.record import executions, plan
from orch_tui.record.completion import record_completion
from orch_tui.record.deployment import record_deployment
from orch_tui.record.ledger import journal
from orch_tui.screens.dialogs import Ask
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.row_list import Rows
from tests.screens.deploy.driven import (
    deploying,
    hand_over,
    save,
)
from tests.screens.quiet import settled


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


async def test_a_second_enter_while_it_is_recorded_deploys_nothing_more(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("d", "enter")
        with closing(sqlite3.connect(driven.record.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # it has to wait
            await driven.pilot.press("enter", "enter", "escape", "enter")
            other.execute("ROLLBACK")
        await settled(driven.pilot)
        assert len(executions.select_executions(driven.record)) == 6
        assert driven.view != "lists"
        await driven.keys("enter")
        assert driven.view == "lists"


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
        assert "which it waits for" in driven.text("#deploying-told")
        assert "no briefing" in driven.app.screen.query_one(Lines).text


async def test_an_agent_without_a_plan_is_deployed_by_its_name(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("d", "end", "enter", *"helper", "tab", *"fetch the log", "enter")
        await driven.keys("f8", "f8")
        execution = executions.get_execution(driven.record, "exec-006")
        assert (execution.agent_type, execution.scope) == ("helper", "fetch the log")
        assert driven.app.clipboard == ""


async def test_enter_takes_the_agent_that_was_chosen_for_the_line(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("d", "end", "enter", *"expl", "down", "enter", *"look around", "enter")
        head = driven.app.screen.query_one("#deploying-head")
        assert str(head.border_title) == "Hand over to Explore"
        assert "look around" in driven.text("#deploying-what")


async def test_a_run_that_failed_is_what_is_handed_over_again(folder: Path) -> None:
    async with deploying(folder) as driven:
        project = driven.app.project
        (session,) = {run.session_id for run in executions.select_executions(driven.record)[:1]}
        bundle = save(project, session, "reviewer", "Look it over")
        position = plan.add_planned_agent(
            driven.record, session, "reviewer", scope="Look it over", bundle_id=bundle
        ).position
        run = record_deployment(
            driven.record,
            session,
            catalogue=project.catalogue,
            limits=project.limits,
            planned=position,
        ).execution.execution_id
        record_completion(driven.record, run, status="failed", error_message="the disk was full")
        await driven.keys("f1", "f3")
        await driven.look_for_returns()
        driven.go_to(run)
        await driven.keys("d")
        rows = driven.app.screen.query_one(Rows)
        assert rows.rows[rows.cursor].cells[:3] == ("reviewer", "Look it over", "another attempt")
        await driven.keys("enter", "enter")
        again = executions.select_executions(driven.record)
        planned = {each.planned_id for each in again if each.agent_type == "reviewer"}
        assert len(planned) == 1 and len(again) == 7


async def test_a_run_without_plan_and_bundle_is_handed_over_again_by_its_name(folder: Path) -> None:
    async with deploying(folder) as driven:
        driven.go_to("exec-005")
        await driven.keys("d", "enter", "enter")
        run = executions.get_execution(driven.record, "exec-006")
        assert (run.agent_type, run.scope) == ("tester", "Test the trie")


async def test_a_planned_agent_under_the_cursor_is_the_one_that_is_meant(folder: Path) -> None:
    async with deploying(folder) as driven:
        driven.go_to("planned:2")
        await driven.keys("d", "enter")
        assert "which it waits for" in driven.text("#deploying-told")


async def test_the_line_comes_first_where_the_hook_is_installed(folder: Path) -> None:
    hand_over(folder)
    async with deploying(folder) as driven:
        await driven.keys("d", "enter")
        assert "copies one line" in driven.text("#deploying-next")
        assert "copy the line" in driven.footer
        await driven.keys("enter")
        said = driven.text("#deploying-next")
        assert "Say in Claude Code:" in said and driven.app.clipboard[:60] in said


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
