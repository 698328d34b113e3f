"""What a record knows of itself: small values by name."""

from __future__ import annotations

import os

from orch_tui.models.database import Record


def get_fact(record: Record, name: str) -> str | None:
    """A value by its name; None where it was never set."""
    found = record.value("SELECT value FROM record_facts WHERE name = ?", [name])
    return None if found is None else str(found)


def set_fact(record: Record, name: str, value: str) -> None:
    """Set a value, inside the caller's transaction."""
    record.execute(
        "INSERT INTO record_facts (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [name, value],
    )


def secret(record: Record) -> bytes:
    """A key that never leaves the record, made when it is first asked for."""
    held = get_fact(record, "secret")
    if held is None:
        held = os.urandom(32).hex()
        set_fact(record, "secret", held)
    return bytes.fromhex(held)
