"""Statements as tests write them: by the columns they end in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orch_tui.models.database import Record
from orch_tui.record.ledger import portable
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.statement import KINDS, Edited


def report(
    record: Record,
    kind: str,
    columns: Mapping[str, Any],
    *,
    source: str,
    keys: Sequence[str] = (),
    at: str | None = None,
    message: str | bytes | None = None,
) -> str:
    """Have a statement taken in; gives the execution it is about."""
    said = {name: value for name, value in columns.items() if value is not None}
    if "session_id" in said:
        said["session"] = portable.session_ref(record, said.pop("session_id"))
    if "planned_id" in said:
        said["planned"] = portable.ref_of(record, "planned", said.pop("planned_id"))
    if "bundle_version_id" in said:
        said["bundle_version"] = portable.ref_of(record, "version", said.pop("bundle_version_id"))
    if "briefing_id" in said:
        said["briefing"] = portable.sha256_of_briefing(record, said.pop("briefing_id"))
    if isinstance(said.get("supersedes"), list):
        said["supersedes"] = tuple(said["supersedes"])
    statement = KINDS[kind](**said)
    assert not isinstance(statement, Edited) or source == "sql"
    return ingest_statement(
        record, Report(list(keys), statement, source=source, at=at, message=message)
    )
