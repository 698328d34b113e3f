"""What plain SQL changed in the row of a run, as statements."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from orch_tui.models.database import Record
from orch_tui.models.values import as_time, decoded_json, readable, whole_number
from orch_tui.record.ledger import contents, journal, portable
from orch_tui.record.ledger.merge import text_fingerprint
from orch_tui.record.ledger.statement import Edited, pack_statement
from orch_tui.record.ledger.store import ordered_digest


def read_edits(record: Record, execution_id: str) -> None:
    """Turn what the triggers noted of a row into statements.

    Each gets a digest that is greater than those before: a script changes a row several times
    within one millisecond, and the digests that triggers give are random.
    """
    for observation_id, text in record.sql(
        "SELECT observation_id, payload FROM observations WHERE pending AND execution_id = ? "
        "ORDER BY observation_id",
        [execution_id],
    ):
        columns = decoded_json(text)
        if not isinstance(columns, dict) or not isinstance(columns.get("now"), dict):
            record.execute(  # what the triggers noted was changed, or it was taken in long ago
                "UPDATE observations SET pending = 0 WHERE observation_id = ?", [observation_id]
            )
            continue
        edited = _read_columns(record, columns["now"])
        journal.log_action(
            record,
            "sql",
            execution_id=execution_id,
            before=columns.get("before"),
            after=columns["now"],
        )
        uid = record.value(
            "SELECT uid FROM agent_executions WHERE execution_id = ?", [execution_id]
        )
        record.execute(
            "UPDATE observations SET digest = ?, payload = ?, about = ?, pending = 0 "
            "WHERE observation_id = ?",
            [
                ordered_digest(observation_id),
                pack_statement(edited),
                json.dumps([f"uid:{uid}"], separators=(",", ":")),
                observation_id,
            ],
        )
        if uid is not None:
            record.execute(
                "INSERT INTO execution_keys (key, execution_id) VALUES (?, ?) "
                "ON CONFLICT (key) DO NOTHING",
                [f"uid:{uid}", execution_id],
            )


def _read_columns(record: Record, columns: Mapping[str, Any]) -> Edited:
    """Return the columns that an edit changed as a statement, of the types its fields have."""
    words = readable(columns.get("final_message"))
    session, success = columns.get("session_id"), columns.get("success")
    deployed_at, completed_at = columns.get("deployed_at"), columns.get("completed_at")
    return Edited(
        session=None if session is None else portable.session_ref(record, str(session)),
        agent_type=readable(columns.get("agent_type")),
        scope=readable(columns.get("scope")),
        model=readable(columns.get("model")),
        context_token_count=whole_number(columns.get("context_token_count")),
        deployed_at=None if deployed_at is None else str(as_time(deployed_at)),
        completed_at=None if completed_at is None else str(as_time(completed_at)),
        status=readable(columns.get("status")),
        success=None if success is None else bool(whole_number(success)),
        error_message=readable(columns.get("error_message")),
        message=None if words is None else _store_words(record, words),
        words=None if words is None else text_fingerprint(words),
    )


def _store_words(record: Record, words: str) -> str | None:
    """Store a final message; gives its SHA-256."""
    content_id = contents.store_content(record, contents.encode_given(words))
    return portable.sha256_of_content(record, content_id)
