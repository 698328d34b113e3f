"""A record that the doctor looks at, and what it says of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from orch_tui.models.database import Record
from orch_tui.record.completion import record_completion
from orch_tui.record.ledger import briefings
from orch_tui.record.sessions import init_session
from orch_tui.record.upkeep.doctor import examine_record
from orch_tui.record.upkeep.finding import Finding
from tests.record.reporting import report


def fill_record(record: Record) -> Record:
    """Put two executions with messages and a briefing into a record."""
    session = init_session(record, "scope", project="/p")
    with record.write():
        for label in ("exec-1", "exec-2"):
            deployed = {"session_id": session.session_id, "agent_type": "tester", "scope": "look"}
            report(record, "deployed", deployed, source="manual", keys=[f"id:{label}"])
        briefings.store_briefing(
            record, b"# Task\n" + b"context " * 40 + b"\nGo.", [b"context " * 40]
        )
    record_completion(record, "exec-1", final_message="All green. " * 40)
    return record


def find_troubles(record: Record, root: Path | None = None) -> dict[str, Finding]:
    """Tell what is not as it should be, as seen from outside."""
    return {f.what: f for f in examine_record(record.path, root) if f.level != "ok"}


def meddle(record: Record, *statements: str) -> None:
    """Change a record with plain SQL, as somebody else would."""
    with closing(sqlite3.connect(record.path)) as raw:
        for statement in statements:
            raw.execute(statement)
        raw.commit()
