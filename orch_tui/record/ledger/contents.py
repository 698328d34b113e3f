"""Storing bytes once: by SHA-256, compressed where it pays."""

from __future__ import annotations

import hashlib
import zlib

from orch_tui.models.database import Record

_WORTH_TRYING = 128
"""Below this many bytes zlib's own header eats what it saves."""

GONE = "[redacted]"
"""What is shown where a content was redacted."""


def put(record: Record, data: bytes) -> int:
    """Store ``data`` (once) and give its content_id."""
    digest = hashlib.sha256(data).digest()
    known = record.value("SELECT content_id FROM contents WHERE sha256 = ?", [digest])
    if known is not None:
        return int(known)
    encoding, stored = "raw", data
    if len(data) >= _WORTH_TRYING:
        packed = zlib.compress(data, 6)
        if len(packed) < 0.9 * len(data):
            encoding, stored = "zlib", packed
    return int(
        record.value(
            "INSERT INTO contents (sha256, size, encoding, data) VALUES (?, ?, ?, ?) "
            "RETURNING content_id",
            [digest, len(data), encoding, stored],
        )
    )


def get(record: Record, content_id: int) -> bytes | None:
    """The bytes, or None where they were redacted."""
    ((encoding, data),) = record.sql(
        "SELECT encoding, data FROM contents WHERE content_id = ?", [content_id]
    )
    return unpacked(encoding, data)


def by_sha256(record: Record, sha256: str) -> bytes | None:
    """The bytes with this hash, or None where the record does not hold them."""
    rows = record.sql(
        "SELECT encoding, data FROM contents WHERE sha256 = ?", [bytes.fromhex(sha256)]
    )
    return unpacked(*rows[0]) if rows else None


def unpacked(encoding: str, data: bytes) -> bytes | None:
    """Stored bytes as they were given."""
    if encoding == "gone":
        return None
    return zlib.decompress(data) if encoding == "zlib" else bytes(data)


def text(record: Record, content_id: int | None) -> str | None:
    """The content as readable text: invalid UTF-8 replaced, a redacted one named as such."""
    if content_id is None:
        return None
    data = get(record, content_id)
    return GONE if data is None else data.decode("utf-8", "replace")


def exact(value: str | bytes) -> bytes:
    """The bytes somebody gave, also where a command line smuggled in invalid UTF-8."""
    if isinstance(value, bytes):
        return value
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # lone surrogates from JSON
        return value.encode("utf-8", "surrogatepass")
