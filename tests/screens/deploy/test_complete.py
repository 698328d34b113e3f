"""Recording what agents brought back."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from orch_tui.project import Project
from orch_tui.record import executions, outputs
from orch_tui.record.executions import list_completions
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.statement import Returned
from orch_tui.screens.widgets.row_list import Rows
from tests.screens.deploy.driven import (
    HOSTILE,
    MESSAGE,
    deploying,
    exact,
    settled,
)


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
