"""Recording returns: repeated, different, failed, superseded, in any bytes."""

from __future__ import annotations

from typing import Any

import pytest

from orch_tui.errors import ConflictError, NotFoundError, UsageError
from orch_tui.models.database import Record
from orch_tui.record import executions
from orch_tui.record.completion import record_completion
from orch_tui.record.executions import list_completions
from orch_tui.record.ledger import contents, journal
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.sessions import init_session
from orch_tui.rows import ERROR_CODES
from tests.record.reporting import report


@pytest.fixture
def label(record: Record) -> str:
    init_session(record, "x", project="/p", session_id="s")
    with record.write():
        made = report(
            record,
            "deployed",
            {"session_id": "s", "agent_type": "debugger", "deployed_at": record.now()},
            source="manual",
            keys=["tool:toolu_1"],
        )
    return made


def hear(record: Record, source: str, text: str | None, at: str, **payload: Any) -> None:
    """What a hook or a transcript says of the run."""
    with record.write():
        report(
            record,
            "returned",
            payload,
            source=source,
            keys=["tool:toolu_1"],
            at=at,
            message=text,
        )


def everything(record: Record) -> str:
    return "\n".join(record.connection.iterdump())


def test_a_return_completes_the_execution(record: Record, label: str) -> None:
    done = record_completion(record, label, final_message="All green.")
    assert done.is_new
    assert (done.execution.status, done.execution.success) == ("completed", True)
    assert done.execution.final_message == "All green."
    assert done.execution.completed_at == done.completion.completed_at
    assert (done.completion.position, done.completion.source) == (1, "manual")


def test_the_same_call_again_changes_nothing(record: Record, label: str) -> None:
    record_completion(record, label, final_message="All green.")
    before = everything(record)
    assert not record_completion(record, label, final_message="All green.").is_new
    assert everything(record) == before


def test_another_message_is_another_completion(record: Record, label: str) -> None:
    record_completion(record, label, final_message="first")
    done = record_completion(record, label, final_message="second", status="failed")
    assert done.is_new
    assert [
        contents.get_content_text(record, c.message_id) for c in list_completions(record, label)
    ] == [
        "first",
        "second",
    ]
    assert (done.execution.final_message, done.execution.status) == ("second", "failed")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("completed", True)),
        ({"status": "failed"}, ("failed", False)),
        ({"success": False}, ("failed", False)),
        ({"success": True}, ("completed", True)),
        ({"status": "completed", "success": False}, ("completed", False)),
    ],
)
def test_success_and_status_follow_each_other(
    record: Record, label: str, given: dict[str, Any], expected: tuple[str, bool]
) -> None:
    done = record_completion(record, label, final_message="x", **given).execution
    assert (done.status, done.success) == expected


def test_a_failure_keeps_its_code_and_words(record: Record, label: str) -> None:
    done = record_completion(
        record, label, status="failed", error_message="lost it", error_code="ORG-004"
    )
    assert (done.execution.error_message, done.execution.error_code) == ("lost it", "ORG-004")
    assert done.execution.final_message is None
    again = record_completion(
        record, label, status="failed", error_message="lost it", error_code="ORG-004"
    )
    assert not again.is_new


def test_bad_words_are_refused(record: Record, label: str) -> None:
    before = everything(record)
    with pytest.raises(UsageError, match="'running'"):
        record_completion(record, label, status="running")
    with pytest.raises(UsageError) as caught:
        record_completion(record, label, error_code="ORG-009")
    assert all(code in caught.value.hint for code in ERROR_CODES)
    assert everything(record) == before


def test_what_was_never_deployed_cannot_return(record: Record, label: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        record_completion(record, "exec-0001", final_message="x")
    assert label in caught.value.hint
    assert record.value("SELECT count(*) FROM agent_executions") == 1


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (b"caf\xc3\xa9", "café"),
        (b"caf\xe9 \xff", "caf\ufffd \ufffd"),
        (b"nul\x00inside", "nul\x00inside"),
        (b"", ""),
        ("smuggled \udcff", "smuggled \ufffd"),
        ("\x1b[31mred[/red]", "\x1b[31mred[/red]"),
        ("x" * 3_000_000, "x" * 3_000_000),
    ],
    ids=["utf-8", "latin-1", "nul", "empty", "surrogate", "escapes", "three megabytes"],
)
def test_any_bytes_are_kept_and_shown(
    record: Record, label: str, message: str | bytes, shown: str
) -> None:
    done = record_completion(record, label, final_message=message)
    assert done.execution.final_message == shown
    assert done.completion.message_id is not None
    assert contents.get_content(record, done.completion.message_id) == contents.encode_given(
        message
    )
    assert not record_completion(record, label, final_message=message).is_new


@pytest.mark.parametrize(
    "given", [{}, {"status": "completed"}, {"success": True}, {"supersede": "it was"}], ids=str
)
def test_nothing_said_makes_no_return(record: Record, label: str, given: dict[str, Any]) -> None:
    before = everything(record)
    with pytest.raises(UsageError, match=f"{label} has not returned") as caught:
        record_completion(record, label, **given)
    assert "--status failed" in caught.value.hint
    assert everything(record) == before


def test_without_a_message_the_latest_return_is_meant(record: Record, label: str) -> None:
    record_completion(record, label, final_message="first")
    record_completion(
        record, label, final_message="it broke", status="failed", error_message="boom"
    )
    before = everything(record)
    known: list[dict[str, Any]] = [{}, {"status": "failed"}, {"success": False}]
    known.append({"error_message": "boom"})
    for given in known:
        same = record_completion(record, label, **given)
        assert (same.is_new, same.completion.position) == (False, 2)
    assert everything(record) == before
    done = record_completion(record, label, error_code="ORG-003")
    assert done.is_new
    assert (done.execution.status, done.execution.final_message) == ("failed", "it broke")
    assert (done.execution.error_message, done.execution.error_code) == ("boom", "ORG-003")
    assert len(list_completions(record, label)) == 2


def test_another_outcome_needs_a_reason(record: Record, label: str) -> None:
    record_completion(record, label, final_message="All green.")
    before = everything(record)
    with pytest.raises(ConflictError, match="status is 'completed', not 'failed'") as caught:
        record_completion(record, label, status="failed", error_message="tests broke")
    assert "--supersede REASON" in caught.value.hint
    assert everything(record) == before
    failed = record_completion(
        record, label, status="failed", error_message="tests broke", supersede="ran them again"
    )
    assert (failed.execution.status, failed.execution.success) == ("failed", False)
    assert failed.execution.final_message == "All green."
    assert failed.execution.error_message == "tests broke"
    again = record_completion(record, label, status="completed", supersede="they were flaky")
    assert (again.execution.status, again.execution.success) == ("completed", True)
    assert (again.execution.final_message, again.execution.error_message) == ("All green.", None)
    (only,) = list_completions(record, label)
    assert only.completed_at == failed.completion.completed_at
    assert list(find_stale_executions(record)) == []


@pytest.mark.parametrize("source", ["hook", "import"])
def test_what_a_machine_heard_can_be_amended(record: Record, label: str, source: str) -> None:
    hear(record, source, "All green.", "2026-11-22T10:30:00.000Z", status="completed")
    for status, error in (("failed", "it lied"), ("completed", None), ("failed", "it did lie")):
        done = record_completion(
            record, label, status=status, error_message=error, supersede=f"now {status}"
        )
        assert (done.execution.status, done.execution.error_message) == (status, error)
        (only,) = list_completions(record, label)
        assert contents.get_content_text(record, only.message_id) == "All green."
    hear(record, "hook", "Another.", "2026-11-22T11:30:00.000Z", status="completed")
    assert [c.status for c in list_completions(record, label)] == ["failed", "completed"]


def test_what_was_taken_back_twice_stays_so(record: Record, label: str) -> None:
    for number, message in enumerate(("first", "second", "third")):
        record_completion(
            record, label, final_message=message, supersede=f"{number}" if number else None
        )
    (only,) = list_completions(record, label)
    assert contents.get_content_text(record, only.message_id) == "third"


def test_a_run_closed_as_failed_can_be_opened_again(record: Record, label: str) -> None:
    record_completion(record, label, status="failed", error_message="lost it")
    done = record_completion(record, label, status="completed", supersede="found it")
    assert (done.execution.status, done.execution.error_message) == ("completed", None)
    assert done.execution.unverified == "nobody heard its final message"
    assert len(list_completions(record, label)) == 1


def test_the_time_can_be_given(record: Record, label: str) -> None:
    early, late = "2026-11-22T11:00:00.000Z", "2026-11-22T12:00:00.000Z"
    record_completion(record, label, final_message="late", completed_at=late)
    done = record_completion(record, label, final_message="early", completed_at=early)
    assert done.is_new
    assert done.execution.final_message == "late"
    assert [c.completed_at for c in list_completions(record, label)] == [early, late]


def test_a_paste_a_hook_and_a_transcript_of_one_return_are_one(record: Record, label: str) -> None:
    record_completion(record, label, final_message="  All\n green.  ")
    hear(record, "hook", "All green.", "2026-11-22T10:30:00.000Z")
    hear(record, "import", "All green.\n", "2026-11-22T10:31:00.000Z", status="completed")
    (only,) = list_completions(record, label)
    assert only.source == "import"
    assert contents.get_content_text(record, only.message_id) == "All green.\n"
    assert list(find_stale_executions(record)) == []


def test_a_machine_says_when_and_a_person_whether(record: Record, label: str) -> None:
    hear(record, "import", "I could not do it.", "2026-11-22T10:30:00.000Z", status="completed")
    done = record_completion(record, label, final_message="I could not do it.", success=False)
    assert (done.execution.status, done.execution.success) == ("failed", False)
    assert done.execution.completed_at == "2026-11-22T10:30:00.000Z"
    assert len(list_completions(record, label)) == 1


def test_an_agent_that_is_resumed_returns_again(record: Record, label: str) -> None:
    hear(record, "hook", "Half done.", "2026-11-22T10:30:00.000Z")
    hear(record, "hook", "All done.", "2026-11-22T11:30:00.000Z")
    assert executions.get_execution(record, label).final_message == "All done."
    assert len(list_completions(record, label)) == 2


def test_superseding_takes_back_what_people_said(record: Record, label: str) -> None:
    record_completion(record, label, final_message="wrong paste")
    done = record_completion(record, label, final_message="right one", supersede="pasted wrong")
    assert done.is_new
    assert [
        contents.get_content_text(record, c.message_id) for c in list_completions(record, label)
    ] == ["right one"]
    assert journal.list_journal(record, execution_id=label)[-1].after["reason"] == "pasted wrong"
    assert record.value("SELECT count(*) FROM observations WHERE kind = 'returned'") == 2
    again = record_completion(record, label, final_message="right one", supersede="pasted wrong")
    assert not again.is_new


def test_superseding_leaves_what_machines_saw(record: Record, label: str) -> None:
    hear(record, "hook", "from the hook", "2026-11-22T10:30:00.000Z")
    record_completion(record, label, final_message="wrong paste")
    record_completion(record, label, final_message="from the hook", supersede="pasted wrong")
    (only,) = list_completions(record, label)
    assert only.source == "hook"


def test_a_retracted_execution_is_hidden_and_kept(record: Record, label: str) -> None:
    executions.retract_execution(record, label, "a test run")
    assert executions.get_execution(record, label).retracted_at is not None
    assert executions.select_executions(record) == []


def test_a_return_is_in_the_journal_with_its_session(record: Record, label: str) -> None:
    record_completion(record, label, final_message="x")
    entry = journal.list_journal(record, execution_id=label)[-1]
    assert (entry.action, entry.session_id) == ("record-completion", "s")
    assert (entry.after["status"], entry.after["completions"]) == ("completed", 1)


def test_an_empty_message_does_not_take_the_place_of_words(record: Record, label: str) -> None:
    record_completion(record, label, final_message="All is done.")
    for empty in ("", " \n", b""):
        with pytest.raises(UsageError, match="the message is empty"):
            record_completion(record, label, final_message=empty)
    assert executions.get_execution(record, label).final_message == "All is done."
    record_completion(record, label, final_message="", supersede="it was another's")
    assert not executions.get_execution(record, label).final_message
