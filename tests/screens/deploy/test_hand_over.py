"""Handing agents over."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.paths import hand_over_folder
from orch_tui.record import executions
from orch_tui.record.ledger import journal
from orch_tui.screens.dialogs import Ask
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.row_list import Rows
from tests.screens.deploy.driven import (
    deploying,
    hand_over,
)


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
