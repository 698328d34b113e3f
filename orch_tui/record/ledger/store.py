"""Statements in the database: what one is recognised by, and storing it once."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from orch_tui.models import facts
from orch_tui.models.database import Record
from orch_tui.record.ledger.statement import (
    KIND_OF,
    canonical_json,
    encode_statement,
    pack_statement,
)

MACHINES = ("hook", "import")
"""Sources that say the same of the same thing, wherever it is read."""


class StoredStatement(NamedTuple):
    """A statement in the database."""

    observation_id: int
    digest: bytes
    is_new: bool


def store_statement(
    record: Record,
    statement: Any,
    about: Sequence[str],
    *,
    source: str | None,
    at: str | None,
    execution_id: str | None,
    actor: str | None = None,
) -> StoredStatement:
    """Store what is said here; what is stored already changes nothing. Call it within a write.

    ``about`` are the portable keys of the run; ``source`` is None for what is no run's, ``at``
    (default: now) when it happened, ``actor`` (default: the record's) who says it.
    """
    now = record.now()
    return insert_statement(
        record,
        recognition_digest(record, statement, about, source, at),
        KIND_OF[type(statement)],
        pack_statement(statement),
        about,
        source=source,
        at=at or now,
        recorded_at=None if (at or now).startswith(now) else now,
        actor=actor or record.actor,
        execution_id=execution_id,
    )


def insert_statement(
    record: Record,
    digest: bytes,
    kind: str,
    body: str | bytes,
    about: Sequence[str],
    *,
    source: str | None,
    at: str,
    recorded_at: str | None,
    actor: str | None,
    execution_id: str | None,
) -> StoredStatement:
    """Store a statement with all that it came with; what is stored already changes nothing."""
    observation_id = record.value(
        "INSERT INTO observations (digest, kind, source, at, recorded_at, actor, about, payload, "
        "execution_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (digest) DO NOTHING RETURNING observation_id",
        [
            *(digest, kind, source, at, recorded_at, actor),
            *(canonical_json(list(about)) if about else None, body, execution_id),
        ],
    )
    if observation_id is not None:
        return StoredStatement(int(observation_id), digest, True)
    known = find_statement(record, digest)
    assert known is not None
    return known


def find_statement(record: Record, digest: bytes) -> StoredStatement | None:
    """Find a statement that is stored already."""
    held = record.value("SELECT observation_id FROM observations WHERE digest = ?", [digest])
    return None if held is None else StoredStatement(int(held), digest, False)


def recognition_digest(
    record: Record, statement: Any, about: Sequence[str], source: str | None, at: str | None
) -> bytes:
    """Hash what a statement is recognised by when it is made again.

    Two machines that read one transcript make the same statement. What people say is known by the
    run and the words, whenever they say it, and keyed with a secret of the record: nobody who sees
    the digest can try texts against it. What plain SQL did is never the same.
    """
    if source == "sql":
        last = record.value("SELECT coalesce(max(observation_id), 0) FROM observations")
        return ordered_digest(last + 1)
    said = [KIND_OF[type(statement)], sorted(about), encode_statement(statement)]
    if source in MACHINES:
        text = canonical_json([*said, source, at]).encode("utf-8", "surrogatepass")
        return hashlib.sha256(text).digest()
    text = canonical_json([*said, at if source is None else None]).encode("utf-8", "surrogatepass")
    return hmac.digest(facts.ensure_secret(record), text, "sha256")


def ordered_digest(observation_id: int) -> bytes:
    """A digest nothing else has, greater than those of what plain SQL did here before: of changes
    within one millisecond the last one counts."""
    return observation_id.to_bytes(8, "big") + os.urandom(24)
