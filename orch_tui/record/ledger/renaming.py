"""Labels that plain SQL changed: what names a row by its label follows."""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.models.values import decoded_json
from orch_tui.record.ledger.resolve import DERIVED

_NAMING = {
    "agent_executions": (
        *((table, "execution_id") for table in ("execution_keys", "observations", *DERIVED)),
        ("agent_executions", "parent_execution_id"),
    ),
    "sessions": (
        *((table, "session_id") for table in ("agent_executions", "planned_agents", "bundles")),
    ),
    "bundles": (("bundle_versions", "bundle_id"), ("planned_agents", "bundle_id")),
}
"""The columns that hold the label of a row of each table. The journal is left as it was written."""

_LABELS = {"agent_executions": "execution_id", "sessions": "session_id", "bundles": "bundle_id"}
_COUNTED = ("agent_executions", "outputs", "context_allocations")
"""Tables whose triggers take a change without a new revision for one of plain SQL."""


def follow_renamed(record: Record) -> set[str]:
    """Take in the labels that triggers noted as changed; gives the executions concerned.

    The old label goes on naming an execution. Call it within a write.
    """
    noted = record.sql(
        "SELECT subject FROM changed_rows WHERE subject GLOB 'renamed:*' ORDER BY rowid"
    )
    record.execute("DELETE FROM changed_rows WHERE subject GLOB 'renamed:*'")
    concerned = set()
    for (subject,) in noted:
        match decoded_json(subject.removeprefix("renamed:")):
            case [str(table), str(old), str(new)] if table in _NAMING:
                pass
            case _:
                continue
        if record.value(f"SELECT 1 FROM {table} WHERE {_LABELS[table]} = ?", [old]):
            continue  # another row has the name by now
        record.execute("PRAGMA defer_foreign_keys = ON")  # it may have been changed once more
        for naming, column in _NAMING[table]:
            counted = ", revision = revision + 1" if naming in _COUNTED else ""
            record.execute(
                f"UPDATE {naming} SET {column} = ?{counted} WHERE {column} = ?", [new, old]
            )
        if table == "agent_executions":
            record.execute(
                "INSERT INTO execution_keys (key, execution_id) VALUES (?, ?) "
                "ON CONFLICT (key) DO NOTHING",
                [f"id:{new}", new],
            )
            record.executemany(
                "INSERT INTO search_pending (execution_id) VALUES (?)", [(old,), (new,)]
            )
            concerned |= {new}
    return concerned
