"""Recording an end that somebody saw in the files of a run, where no hook told of it."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.record.claude_code import agent_key
from orch_tui.record.hooks.pending_transcripts import watch_transcript
from orch_tui.record.ledger.ingest import Report, ingest_statements
from orch_tui.record.ledger.statement import Returned


def expect_transcript(record: Record, transcript: str, at: str) -> None:
    """Have a transcript read that has reached its end ``at``, and what is written to it late."""
    with record.write():
        watch_transcript(record, transcript, at)


def presume_client_gone(record: Record, claude_session: str, agent_id: str, at: str) -> None:
    """Record that an agent's client ended before the agent returned.

    Counts only where nothing else tells of a return, and where the run is known.
    """
    gone = Returned(
        status="failed",
        error_message="its Claude Code client ended before it returned",
        presumed=True,
        ending="gone",
    )
    key = agent_key(claude_session, agent_id)
    ingest_statements(record, [Report([key], gone, source="import", at=at, only_known=True)])
