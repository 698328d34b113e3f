"""The names an execution is known by: its labels, and what Claude Code calls it."""

from __future__ import annotations

from orch_tui.ids import not_found
from orch_tui.models.database import Record


def owner_of(record: Record, key: str) -> str | None:
    """Find the execution that a key names; None where nobody told of it."""
    found = record.value("SELECT execution_id FROM execution_keys WHERE key = ?", [key])
    return None if found is None else str(found)


def resolve_label(record: Record, label: str) -> str:
    """Resolve a label to the id of an execution, also a label that was merged into another.

    Raises:
        NotFoundError: with the nearest known labels.
    """
    found = owner_of(record, f"id:{label}")
    if found is None:
        raise not_found(record, "execution", label)
    return found
