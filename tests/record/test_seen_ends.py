"""An end that was seen in the files of a run is recorded where no hook told of it."""

from __future__ import annotations

from typing import Any

from orch_tui.models.database import Record
from orch_tui.models.values import WENT_WELL
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.statement import Noted, Returned
from orch_tui.record.seen_ends import expect_transcript, presume_client_gone

AT, LATER = "2026-11-22T10:00:00.000Z", "2026-11-22T11:00:00.000Z"


def tell(record: Record, statement: Any) -> None:
    report = Report(["agent:C/a1"], statement, source="hook", at=AT, claude_session="C")
    ingest_statement(record, report)


def status(record: Record) -> list[tuple[Any, ...]]:
    return record.sql("SELECT status, error_message FROM agent_executions")


def test_an_agent_whose_client_ended_is_gone(record: Record) -> None:
    tell(record, Noted(agent_type="Explore"))
    presume_client_gone(record, "C", "a2", LATER)
    presume_client_gone(record, "D", "a1", LATER)
    assert status(record) == [("deployed", None)], "other agents are none of this run"
    presume_client_gone(record, "C", "a1", LATER)
    reason = "its Claude Code client ended before it returned"
    assert status(record) == [("failed", reason)]
    ((doubt, went_well),) = record.sql(f"SELECT unverified, {WENT_WELL} FROM agent_executions")
    assert (doubt, went_well) == (reason, None), "it is no failure of the agent"


def test_who_saw_it_return_is_believed_before_and_after(record: Record) -> None:
    tell(record, Returned(status="completed", completed_at=AT))
    presume_client_gone(record, "C", "a1", LATER)
    assert status(record) == [("completed", None)]


def test_a_run_that_nobody_told_of_is_not_made(record: Record) -> None:
    presume_client_gone(record, "C", "a1", AT)
    assert status(record) == []


def test_a_transcript_that_reached_its_end_is_awaited(record: Record) -> None:
    expect_transcript(record, "/c/projects/-p/C.jsonl", AT)
    expect_transcript(record, "relative.jsonl", AT)
    awaited = record.sql("SELECT path, awaited_since FROM import_checkpoints")
    assert awaited == [("/c/projects/-p/C.jsonl", AT)]
