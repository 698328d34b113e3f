"""Who was sent and waits, and what came back."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from orch_tui.project import Project
from orch_tui.record import executions
from orch_tui.record.completion import record_completion
from orch_tui.screens.history.run_view import Run
from orch_tui.screens.terminal import write_notice
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.preview import Preview
from orch_tui.screens.widgets.row_list import Rows
from tests.screens.deploy.driven import (
    WAITING,
    deploying,
    noon,
    settled,
)


async def test_all_stand_in_one_list_of_sections(folder: Path) -> None:
    async with deploying(folder, size=(120, 36)) as driven:
        assert driven.sections == {
            "Waiting": WAITING,
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
        assert driven.sections["Waiting"] == ["exec-001", *WAITING]


async def test_enter_hands_a_planned_agent_over(folder: Path) -> None:
    async with deploying(folder) as driven:
        driven.go_to("planned:2")
        await driven.keys("enter")
        assert driven.view == "deploying-view"
        assert "which it waits for" in driven.text("#deploying-told")


async def test_of_a_planned_agent_it_is_told_what_it_is_given_and_what_enter_does(
    folder: Path,
) -> None:
    async with deploying(folder) as driven:
        driven.go_to("planned:1")
        await driven.keys("down", "up")
        told = driven.text("#ready")
        assert "Index the words" in told or "bundle-001" in told
        assert [line for line in told.splitlines() if line.startswith("█ ") and "~" in line]
        assert "Enter shows what is handed over, before anything is recorded" in told
        assert "hand over another" in driven.footer and "next view" not in driven.footer
        driven.go_to("exec-005")
        await driven.keys("up", "down")
        assert "hand over again" in driven.footer


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
        await driven.keys("down", "x", "escape", "x", "enter")
        assert "a failure needs a reason" in driven.dialog
        assert executions.get_execution(driven.record, "exec-002").status == "deployed"
        await driven.keys(
            *"the terminal was closed", "tab", "down", "down", "down", "enter", "enter"
        )
        execution = executions.get_execution(driven.record, "exec-002")
        assert (execution.status, execution.error_message, execution.error_code) == (
            "failed",
            "the terminal was closed",
            "ORG-003",
        )
        assert driven.waiting == ["exec-003"]


async def test_why_a_run_cannot_be_closed_is_told_among_the_commands(folder: Path) -> None:
    async with deploying(folder) as driven:
        driven.go_to("exec-005")
        await driven.keys("up", "down", "ctrl+p", *"close as")
        (found,) = [row for row in driven.app.screen.query_one(Rows).rows if not row.section]
        assert found.cells[:2] == ("Close as failed", "not now: the run does not wait")
