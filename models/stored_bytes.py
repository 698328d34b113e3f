"""How bytes stand in ``contents``: raw, compressed, as the message of a run, or no more; and how
long JSON stands in columns that nobody filters by.

The exact bytes of a final message stand once: in ``agent_executions.final_message``, for plain SQL
to read, and the content points there. Whatever takes them away from there, triggers give them
back to the content first.
"""

from __future__ import annotations

import zlib
from typing import Literal

Encoding = Literal["raw", "zlib", "run", "gone"]
"""``run``: ``data`` is the id of the execution whose final message these bytes are, and they are
that message for as long; ``gone`` is the tombstone that redaction leaves."""

STORED_BYTES = (
    "iif(encoding = 'run', (SELECT CAST(final_message AS BLOB) FROM agent_executions "
    "WHERE execution_id = CAST(data AS TEXT)), data)"
)
"""The bytes of a row of ``contents`` as `unpack_bytes` takes them, in SQL."""

_WORTH_TRYING = 128
"""Below this many bytes zlib's own header eats what it saves."""


def pack_bytes(data: bytes) -> tuple[Encoding, bytes]:
    """Compress where it pays; gives the encoding and what is stored."""
    if len(data) >= _WORTH_TRYING:
        packed = zlib.compress(data, 6)
        if len(packed) < 0.9 * len(data):
            return "zlib", packed
    return "raw", data


def unpack_bytes(encoding: str, stored: bytes | None) -> bytes | None:
    """Bytes as they were given; None where they were redacted, or a message was lost."""
    if encoding == "gone" or stored is None:
        return None
    return zlib.decompress(stored) if encoding == "zlib" else bytes(stored)


_PACKED_FROM = 300
"""Characters from which on packing a text saves more than its reading costs."""


def pack_text(text: str) -> str | bytes:
    """A text as columns of packed JSON hold it: as it is where it is short, else compressed."""
    if len(text) < _PACKED_FROM:
        return text
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 6)


def unpack_text(stored: str | bytes) -> str:
    """The text that `pack_text` made this of.

    Raises:
        ValueError: bytes that are no such text, as plain SQL may have put there.
    """
    if isinstance(stored, str):
        return stored
    try:
        return zlib.decompress(stored).decode("utf-8", "surrogatepass")
    except zlib.error as error:
        raise ValueError(str(error)) from error


def _give_back(event: str, when: str, runs: str) -> tuple[str, str]:
    name = f"contents_outlive_{event.split()[0].lower()}"
    return (
        name,
        f"""CREATE TRIGGER {name} BEFORE {event} ON agent_executions{when}
BEGIN
  UPDATE contents SET encoding = 'raw', data = {STORED_BYTES}
  WHERE encoding = 'run' AND data IN (
    SELECT CAST(execution_id AS BLOB) FROM agent_executions WHERE {runs});
END""",
    )


_REPLACED = "execution_id = NEW.execution_id OR uid = NEW.uid"

MESSAGE_TRIGGERS = dict(
    (
        # a row that REPLACE takes the place of is deleted without a trigger
        _give_back("INSERT", "", _REPLACED),
        _give_back(
            "UPDATE OF execution_id, uid, final_message",
            "\nWHEN NEW.final_message IS NOT OLD.final_message "
            "OR NEW.execution_id IS NOT OLD.execution_id OR NEW.uid IS NOT OLD.uid",
            f"execution_id = OLD.execution_id OR {_REPLACED}",
        ),
        _give_back("DELETE", "", "execution_id = OLD.execution_id"),
    )
)
"""A final message that is changed or deleted, by whomever, gives its bytes back first."""
