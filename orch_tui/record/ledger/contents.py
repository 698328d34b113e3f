"""Storing bytes once: by SHA-256, compressed where it pays."""

from __future__ import annotations

import hashlib
from typing import Any

from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import STORED_BYTES, pack_bytes, unpack_bytes

GONE = "[redacted]"
"""What is shown where a content was redacted."""
FORGOTTEN = "[forgotten]"
FORGOTTEN_BYTES = b"forgotten"
"""What stands in place of the bytes of a content that was forgotten, not redacted."""
UNSENT = "[not sent]"
UNSENT_BYTES = b"not sent"
"""Likewise of one that another machine keeps to itself: it is stored when it comes."""


def store_content(record: Record, data: bytes) -> int:
    """Store ``data`` (once) and give its content_id."""
    digest = hashlib.sha256(data).digest()
    for known, held in record.sql(
        "SELECT content_id, iif(encoding = 'gone', data, NULL) FROM contents WHERE sha256 = ?",
        [digest],
    ):
        if held == UNSENT_BYTES:
            record.execute(
                "UPDATE contents SET encoding = ?, data = ? WHERE content_id = ?",
                [*pack_bytes(data), known],
            )
        return int(known)
    return int(
        record.value(
            "INSERT INTO contents (sha256, size, encoding, data) VALUES (?, ?, ?, ?) "
            "RETURNING content_id",
            [digest, len(data), *pack_bytes(data)],
        )
    )


def get_content(record: Record, content_id: int) -> bytes | None:
    """Get the bytes of a content by its id; None where they are not there, or are broken."""
    return _unpack_first(
        record.sql(
            f"SELECT encoding, {STORED_BYTES} FROM contents WHERE content_id = ?", [content_id]
        )
    )


def get_content_by_sha256(record: Record, sha256: str) -> bytes | None:
    """Get the bytes with this hash; None where the record does not hold them, or it is no hash."""
    try:
        digest = bytes.fromhex(sha256)
    except ValueError:  # a bundle's file may name anything
        return None
    return _unpack_first(
        record.sql(f"SELECT encoding, {STORED_BYTES} FROM contents WHERE sha256 = ?", [digest])
    )


def _unpack_first(rows: list[tuple[Any, ...]]) -> bytes | None:
    """Unpack what a row holds; None where there is none."""
    return unpack_bytes(*rows[0]) if rows else None


def share_message(record: Record, content_id: int, execution_id: str, message: str) -> None:
    """Keep the bytes of a content where they stand once more: in the final message of a run.

    Nothing happens where another run's message holds them already, or where they are no text.
    """
    record.execute(
        "UPDATE contents SET encoding = 'run', data = CAST(? AS BLOB) "
        "WHERE content_id = ? AND encoding IN ('raw', 'zlib') AND sha256 = ?",
        [execution_id, content_id, hashlib.sha256(encode_given(message)).digest()],
    )


def unshare_messages(record: Record, execution_id: str | None = None) -> None:
    """Give contents their own bytes again: those of the final message of a run, or of every run."""
    condition = "" if execution_id is None else "AND data = CAST(? AS BLOB)"
    parameters = [] if execution_id is None else [execution_id]
    shared = record.sql(
        f"SELECT content_id FROM contents WHERE encoding = 'run' {condition}", parameters
    )
    for (content_id,) in shared:
        data = get_content(record, content_id)
        if data is not None:
            record.execute(
                "UPDATE contents SET encoding = ?, data = ? WHERE content_id = ?",
                [*pack_bytes(data), content_id],
            )


def get_content_text(record: Record, content_id: int | None) -> str | None:
    """Get a content as readable text: invalid UTF-8 replaced, one that is gone named as such."""
    if content_id is None:
        return None
    data = get_content(record, content_id)
    return name_gone(record, content_id) if data is None else data.decode("utf-8", "replace")


def name_gone(record: Record, content_id: int | None) -> str:
    """Name what stands for a content that is not there: redacted, forgotten, or not sent."""
    stored = record.value("SELECT data FROM contents WHERE content_id = ?", [content_id])
    return {FORGOTTEN_BYTES: FORGOTTEN, UNSENT_BYTES: UNSENT}.get(stored, GONE)


def store_absent(record: Record, sha256: bytes, size: int, mark: bytes = b"") -> None:
    """Store of a content its hash and size alone; ``mark`` says why (default: it was redacted)."""
    record.execute(
        "INSERT INTO contents (sha256, size, encoding, data) VALUES (?, ?, 'gone', ?) "
        "ON CONFLICT (sha256) DO UPDATE SET data = excluded.data",
        [sha256, size, mark],
    )


def forget_content(record: Record, content_id: int) -> None:
    """Leave of a content its hash and size, which keep it from being stored again."""
    record.execute(
        "UPDATE contents SET encoding = 'gone', data = ? WHERE content_id = ?",
        [FORGOTTEN_BYTES, content_id],
    )


def is_tombstone(encoding: str, stored: bytes | None) -> bool:
    """Tell whether this is all that is to be there of a content that is gone."""
    return encoding == "gone" and stored in (b"", FORGOTTEN_BYTES, UNSENT_BYTES, None)


def encode_given(value: str | bytes) -> bytes:
    """Encode what somebody gave, also where a command line smuggled in invalid UTF-8."""
    if isinstance(value, bytes):
        return value
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # lone surrogates from JSON
        return value.encode("utf-8", "surrogatepass")
