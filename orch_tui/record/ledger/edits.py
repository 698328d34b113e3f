"""What plain SQL changed in the row of a run, as statements."""

from __future__ import annotations

import json
from typing import Any

from orch_tui.models.database import Record
from orch_tui.models.values import as_time, readable, whole_number
from orch_tui.record.ledger import contents, journal, portable
from orch_tui.record.ledger.merge import text_fingerprint
from orch_tui.record.ledger.statement import Edited, pack


def read_edits(record: Record, execution_id: str) -> None:
    """Turn what the triggers noted of a row into statements."""
    for observation_id, text in record.sql(
        "SELECT observation_id, payload FROM observations WHERE pending AND execution_id = ? "
        "ORDER BY observation_id",
        [execution_id],
    ):
        columns = json.loads(text)
        edited = Edited(**_edited_fields(record, columns["now"]))
        journal.log(
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
            "UPDATE observations SET payload = ?, about = ?, pending = 0 WHERE observation_id = ?",
            [pack(edited), json.dumps([f"uid:{uid}"], separators=(",", ":")), observation_id],
        )
        if uid is not None:
            record.execute(
                "INSERT INTO execution_keys (key, execution_id) VALUES (?, ?) "
                "ON CONFLICT (key) DO NOTHING",
                [f"uid:{uid}", execution_id],
            )


def _edited_fields(record: Record, columns: dict[str, Any]) -> dict[str, Any]:
    """The columns that an edit changed, as fields of a statement and of the types they have."""
    fields: dict[str, Any] = {}
    for name, value in columns.items():
        if value is None:
            continue
        if name == "final_message":
            text = readable(value) or ""
            content_id = contents.put(record, contents.exact(text))
            fields["message"] = portable.sha256_of_content(record, content_id)
            fields["words"] = text_fingerprint(text)
        elif name == "session_id":
            fields["session"] = portable.session_ref(record, str(value))
        elif name in ("deployed_at", "completed_at"):
            fields[name] = str(as_time(value))
        elif name == "context_token_count":
            fields[name] = whole_number(value)
        elif name == "success":
            fields[name] = bool(whole_number(value))
        else:
            fields[name] = readable(value)
    return fields
