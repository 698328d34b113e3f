"""The append-only log of what changed: who, what, before and after."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orch_tui.models.database import Record
from orch_tui.models.values import readable

if TYPE_CHECKING:
    from orch_tui.rows import JournalEntry


NOT_HANDED_OVER = "not-handed-over"
"""The action of a call that named a briefing and went through as it was."""


def log_action(
    record: Record,
    action: str,
    *,
    session_id: str | None = None,
    execution_id: str | None = None,
    subject: str | None = None,
    before: Any = None,
    after: Any = None,
) -> None:
    """Write one entry, inside the caller's transaction."""
    record.execute(
        "INSERT INTO journal (at, actor, action, session_id, execution_id, subject, before, after)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            record.now(),
            record.actor,
            action,
            session_id,
            execution_id,
            subject,
            None if before is None else json.dumps(before, ensure_ascii=False, default=readable),
            None if after is None else json.dumps(after, ensure_ascii=False, default=readable),
        ],
    )


def list_journal(
    record: Record, *, session_id: str | None = None, execution_id: str | None = None
) -> list[JournalEntry]:
    """List the entries of one session or execution (or all), oldest first.

    They stay as they were written: those of an execution also name it by labels it had before.
    """
    from orch_tui.rows import JournalEntry, columns  # writing entries needs no facts

    conditions = {"session_id = ?": session_id, _BY_ANY_LABEL: execution_id}
    wanted = {test: value for test, value in conditions.items() if value is not None}
    rows = record.rows(
        f"SELECT {columns(JournalEntry)} FROM journal WHERE {' AND '.join(wanted) or '1'} "
        "ORDER BY seq",
        list(wanted.values()),
    )
    return [JournalEntry.of(row) for row in rows]


_BY_ANY_LABEL = (
    "execution_id IN (SELECT substr(key, 4) FROM execution_keys "
    "WHERE execution_id = ? AND key GLOB 'id:*')"
)
