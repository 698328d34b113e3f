"""Recording what agents brought back."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from itertools import starmap
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
from tests.variants import vary


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
            ("■", "lib/index.py", "older"),
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


@pytest.mark.parametrize(
    "at", vary(["soon", "", "0001-01-01T00:00:00", "9999-12-31 23:59:59-14:00"])
)
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


@pytest.mark.parametrize(
    "text",
    vary([pytest.param(HOSTILE, id="hostile"), pytest.param("x\r\n" * 100_000, id="large")]),
)
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
        await driven.keys("c", *"Done.", "f9", *"the service was down", "tab", *"perf", "tab")
        await driven.keys("enter")
        assert "✗ failed" in driven.text("#completing-state")
        assert "--status failed --error-message 'the service was down'" in driven.command
        await driven.keys("f8")
        execution = executions.get_execution(driven.record, "exec-003")
        assert (execution.status, execution.error_message, execution.error_code) == (
            "failed",
            "the service was down",
            "ORG-008",
        )
        assert execution.final_message == "Done."


async def test_a_run_that_came_back_can_come_back_again(folder: Path) -> None:
    async with deploying(folder) as driven:
        driven.go_to("exec-004")
        await driven.keys("c", "down", "enter")
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
        await driven.keys("f9", *"it hung", "enter", "f8", "n")
        assert executions.get_execution(driven.record, "exec-003").status == "deployed"
        await driven.keys("f8", "y")
        closed = executions.get_execution(driven.record, "exec-003")
        assert (closed.status, closed.error_message) == ("failed", "it hung")
        assert outputs.list_execution_outputs(driven.record, "exec-003") == []


async def test_without_a_message_the_latest_return_is_amended(folder: Path) -> None:
    async with deploying(folder) as driven:
        driven.go_to("exec-004")
        await driven.keys("c", "down", "enter")
        assert "✓ done is recorded" in driven.text("#completing-state")
        await driven.keys("f9", *"tests broke, as was seen later", "enter")
        assert "--supersede 'tests broke, as was seen later'" in driven.command
        await driven.keys("f8", "y")
        said = executions.list_completions(driven.record, "exec-004")
        assert [each.status for each in said] == ["failed"]
        amended = executions.get_execution(driven.record, "exec-004")
        assert amended.error_message == "tests broke, as was seen later" and amended.final_message


async def test_of_a_run_that_came_back_it_is_said_and_asked_what_is_meant(folder: Path) -> None:
    async with deploying(folder) as driven:
        driven.go_to("exec-004")
        await driven.keys("c")
        asked = driven.dialog
        assert "Explore · came back · ✓ done" in asked and "The walrus is slow." in asked
        assert "change how it ended" in asked and "as another attempt" in asked
        await driven.keys("enter", "shift+tab", *["backspace"] * 4, *"fail", "tab")
        await driven.keys(*"it was another walrus", "enter")
        amended = executions.get_execution(driven.record, "exec-004")
        assert (amended.status, amended.error_message) == ("failed", "it was another walrus")
        assert driven.view == "lists"


async def test_the_outcome_follows_what_was_read(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("c")
        assert "follows from its message" in driven.text("#completing-state")
        await driven.paste("I was not able to finish: the index is locked.\n\n- tests: pass\n")
        said = driven.text("#completing-state")
        assert "✗ failed  I was not able to finish: the index is locked." in said
        assert "its message says so; F9 changes it" in said
        await driven.keys("f8")
        execution = executions.get_execution(driven.record, "exec-003")
        assert (execution.status, execution.error_message) == (
            "failed",
            "I was not able to finish: the index is locked.",
        )


@pytest.mark.parametrize(
    ("text", "outcome", "because"),
    vary(
        starmap(
            pytest.param,
            [
                ("Done.\n\n- tests: fail\n", "✗ failed  check failed: tests", "by its checks"),
                ("Done.", "✓ done", "nothing in it says otherwise"),
                ("Done.\n\n- tests: pass\n", "✓ done", "its checks pass"),
                ("API Error: 529 overloaded", "✗ failed", "an error stands in place of its words"),
                (
                    "NOTE: this agent stopped at its 25-turn limit\n\nPart",
                    "25 turns",
                    "Claude Code notes it",
                ),
                ("I can't help with that.", "✗ failed", "its message says so"),
            ],
        ),
        always=2,
    ),
)
async def test_what_the_outcome_follows_from_is_said(
    folder: Path, text: str, outcome: str, because: str
) -> None:
    async with deploying(folder) as driven:
        await driven.keys("c")
        await driven.paste(text)
        said = driven.text("#completing-state")
        assert outcome in said and because in said


async def test_another_outcome_than_is_recorded_takes_a_reason(folder: Path) -> None:
    message = "# Found\n\nThe **walrus** is slow."
    async with deploying(folder) as driven:
        driven.go_to("exec-004")
        await driven.keys("c", "down", "enter")
        await driven.paste(message)
        await driven.keys("f9", "enter")
        assert "a failure needs a reason" in driven.dialog
        await driven.keys(*"on second thoughts", "enter", "f8")
        (said,) = executions.list_completions(driven.record, "exec-004")
        assert (said.status, said.error_message) == ("failed", "on second thoughts")


async def test_what_is_refused_stays_on_the_screen(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orch_tui.models.database.BUSY_SECONDS", 0.05)
    async with deploying(folder) as driven:
        await driven.keys("c")
        await driven.paste("It is found.")
        with closing(sqlite3.connect(driven.app.project.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await driven.keys("f8")
            assert driven.problem and driven.view == "completing-view"
            other.execute("ROLLBACK")
        assert driven.area.text == "It is found."
        assert driven.app.drafts.load("final-message exec-003") == driven.area.text


async def test_one_pane_at_a_time_where_there_is_little_room(folder: Path) -> None:
    async with deploying(folder, size=(60, 16)) as driven:
        await driven.keys("c")
        await driven.paste(MESSAGE)
        message, reading = (driven.app.screen.query_one(each) for each in ("#message", "#reading"))
        assert (message.display, reading.display) == (True, False)
        assert "F9" in driven.footer.upper() and "Tab what was read" in str(message.border_subtitle)
        await driven.keys("tab")
        assert (message.display, reading.display) == (False, True)
        await driven.keys("tab")
        assert (message.display, reading.display) == (True, False)


async def test_the_line_that_is_told_of_is_marked_in_the_message(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("c")
        await driven.paste(MESSAGE)
        await driven.keys("tab")
        driven.under_cursor("#found", "lib/index.py")
        await driven.keys("down", "up")
        editor = driven.area.editor
        assert editor.marked == editor.cursor_location[0]
        assert "lib/index.py" in editor.document.get_line(editor.cursor_location[0])
        await driven.keys("shift+tab")
        assert editor.marked is None and editor.has_focus


async def test_the_same_can_be_said_to_the_shell(folder: Path) -> None:
    async with deploying(folder) as driven:
        assert driven.command.startswith("orch query --status deployed --session-id orch-")
        await driven.keys("c")
        await driven.paste(MESSAGE)
        assert driven.command == (
            "orch record-completion --execution-id exec-003 --status failed "
            "--error-message 'check failed: lint' --final-message-file FILE --collect auto"
        )
        await driven.keys("tab", "end", "up", "space")
        assert driven.command == (
            "orch record-completion --execution-id exec-003 --status failed "
            "--error-message 'check failed: lint' --final-message-file FILE && "
            "orch collect --execution-id exec-003 --deliverables lib/postings.py "
            "--deliverables lib/index.py --validation-results tests:pass,lint:fail"
        )


async def test_a_message_that_could_not_be_read_is_read_with_the_next_change(folder: Path) -> None:
    async with deploying(folder) as driven:
        await driven.keys("c")
        with closing(sqlite3.connect(driven.record.path)) as other:
            other.execute("ALTER TABLE completions RENAME TO elsewhere")
            await driven.paste(MESSAGE)
            assert "completions" in driven.problem
            reading = driven.app.screen.query_one("#reading")
            assert "could not be read" in str(reading.border_subtitle)
            other.execute("ALTER TABLE elsewhere RENAME TO completions")
        await driven.look_for_returns()  # the lists, too, could not be read
        await driven.keys("space")
        assert driven.problem == "" and "lib/postings.py" in driven.found
