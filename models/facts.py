"""What a record knows of itself: small values by name."""

from __future__ import annotations

import os
from contextlib import suppress

from orch_tui.models.database import Record
from orch_tui.models.values import readable


def get_fact(record: Record, name: str) -> str | None:
    """A value by its name; None where it was never set."""
    return readable(record.value("SELECT value FROM record_facts WHERE name = ?", [name]))


def set_fact(record: Record, name: str, value: str) -> None:
    """Set a value, inside the caller's transaction."""
    record.execute(
        "INSERT INTO record_facts (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [name, value],
    )


def ensure_secret(record: Record) -> bytes:
    """A key that never leaves the record, made when it is first asked for."""
    held = get_fact(record, "secret")
    with suppress(ValueError):
        if held and (key := bytes.fromhex(held)):
            return key
    key = os.urandom(32)
    set_fact(record, "secret", key.hex())
    return key


def ensure_uid(record: Record) -> str:
    """What the record is called everywhere, made when it is first asked for."""
    held = get_fact(record, "uid")
    if not held:
        held = os.urandom(16).hex()
        set_fact(record, "uid", held)
    return held
