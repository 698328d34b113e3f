"""Labels that plain SQL changed: what names a row by its label follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orch_tui.models.database import Record
from orch_tui.models.values import decoded_json
from orch_tui.record.ledger.resolve import DERIVED, note_new_keys

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


RENAMED = "renamed:"
"""Begins what the triggers note of a label: the table, the label before and after, as JSON."""


def follow_renamed(record: Record, noted: Sequence[str]) -> set[str]:
    """Take in labels that triggers noted as changed, oldest first; gives the executions concerned.

    The old label goes on naming an execution, unless another one has it now. Call it within a
    write.
    """
    if not noted:
        return set()
    first: dict[str, dict[str, str]] = {table: {} for table in _NAMING}
    """By table and label: the label before anybody changed it."""
    for subject in noted:
        match decoded_json(subject.removeprefix(RENAMED)):
            case [str(table), str(old), str(new)] if table in _NAMING:
                first[table][new] = first[table].pop(old, old)
    record.execute("PRAGMA defer_foreign_keys = ON")
    concerned = set()
    for table, labels in first.items():
        moves = {
            old: new
            for new, old in labels.items()
            if old != new and (old in labels or not _is_held(record, table, old))
        }
        between = {old: f"renamed from {old}" for old in moves}  # two may have changed places
        _move(record, table, between)
        _move(record, table, {between[old]: new for old, new in moves.items()})
        if table == "agent_executions":
            concerned = set(moves.values())
            record.executemany(
                "INSERT INTO execution_keys (key, execution_id) VALUES ('id:' || ?1, ?1) "
                "ON CONFLICT (key) DO UPDATE SET execution_id = excluded.execution_id",
                [(new,) for new in concerned],
            )
            for label in concerned:
                note_new_keys(record, label)
            record.executemany(
                "INSERT INTO search_pending (execution_id) VALUES (?)",
                [(label,) for label in {*moves, *concerned}],
            )
    return concerned


def _is_held(record: Record, table: str, label: str) -> bool:
    return bool(record.value(f"SELECT 1 FROM {table} WHERE {_LABELS[table]} = ?", [label]))


def _move(record: Record, table: str, labels: Mapping[str, str]) -> None:
    """Have what names rows by one label name them by another."""
    for naming, column in _NAMING[table]:
        counted = ", revision = revision + 1" if naming in _COUNTED else ""
        record.executemany(
            f"UPDATE {naming} SET {column} = ?{counted} WHERE {column} = ?",
            [(new, old) for old, new in labels.items()],
        )
