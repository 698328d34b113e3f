"""Leaving out of an import what was redacted here before, in whichever words it comes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import STORED_BYTES, unpack_bytes
from orch_tui.record.ledger.statement import unpack_fields
from orch_tui.record.upkeep.redacted_before import RedactedBefore


@contextmanager
def left_out_if_redacted(record: Record, remarks: list[str]) -> Iterator[None]:
    """Look through what is recorded meanwhile, and take out what was redacted here before.

    ``remarks`` is told of it. Where nothing was ever redacted nothing is looked through.
    """
    before = RedactedBefore(record)
    if not before:
        yield
        return
    statements, held = _newest(record)
    yield
    for value in _new_values(record, statements, held):
        before.look_at(value)
    if before.met:
        from orch_tui.record.upkeep.redaction import redact_again

        with record.write():
            for secret in sorted(before.met):
                redact_again(record, secret, "it came back with an import")
        record.squeeze()
        remarks.append("what was redacted here before was left out")


def _newest(record: Record) -> tuple[int, int]:
    """Give the newest statement and the newest content."""
    ((statements, held),) = record.sql(
        "SELECT (SELECT coalesce(max(observation_id), 0) FROM observations), "
        "(SELECT coalesce(max(content_id), 0) FROM contents)"
    )
    return int(statements), int(held)


def _new_values(record: Record, statements: int, held: int) -> Iterator[Any]:
    """Give what was stated and stored since."""
    for (payload,) in record.execute(
        "SELECT payload FROM observations WHERE observation_id > ?", [statements]
    ):
        yield unpack_fields(payload)
    for encoding, data in record.execute(
        f"SELECT encoding, {STORED_BYTES} FROM contents WHERE content_id > ?", [held]
    ):
        stored = unpack_bytes(encoding, data)
        yield None if stored is None else stored.decode("utf-8", "replace")
