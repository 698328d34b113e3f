"""Briefings in the database: literal text and references to contents, not copies of files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from orch_tui.errors import NotFoundError
from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import pack_parts, unpack_parts
from orch_tui.models.values import whole_number
from orch_tui.record.ledger import contents


def store_briefing(record: Record, rendered: bytes, given: Iterable[bytes]) -> int:
    """Store a briefing (once) and give its id. ``given`` are the contents that may stand in it."""
    sha256 = hashlib.sha256(rendered).digest()
    known = find_briefing(record, sha256)
    if known is not None:
        return known
    from orch_tui.prepare import briefing  # who only reads does without

    by_sha256 = {
        hashlib.sha256(data).hexdigest(): data for data in (*given, *briefing.render_fixed_parts())
    }
    parts = [
        ["text", part.decode("utf-8", "surrogateescape")]
        if isinstance(part, bytes)
        else ["content", contents.store_content(record, by_sha256[part])]
        for part in briefing.split_briefing(rendered, by_sha256.items())
    ]
    return int(
        record.value(
            "INSERT INTO briefings (sha256, size, parts) VALUES (?, ?, ?) RETURNING briefing_id",
            [sha256, len(rendered), pack_parts(parts)],
        )
    )


def find_briefing(record: Record, sha256: bytes) -> int | None:
    """Find the briefing with this SHA-256, or what took its place when it was redacted."""
    for briefing_id, parts in record.sql(
        "SELECT briefing_id, parts FROM briefings WHERE sha256 = ?", [sha256]
    ):
        replacement = _replacement_in(parts)
        return int(briefing_id) if replacement is None else replacement
    return None


def bury_briefing(record: Record, sha256: bytes, size: int, replacement: int) -> None:
    """Leave a tombstone, which keeps a briefing from being stored again."""
    record.execute(
        "INSERT INTO briefings (sha256, size, parts) VALUES (?, ?, ?)",
        [sha256, size, _tombstone(replacement)],
    )


def forget_briefing(record: Record, briefing_id: int) -> None:
    """Leave of a briefing its hash and size: it is its own tombstone, and is not stored again."""
    record.execute(
        "UPDATE briefings SET parts = ? WHERE briefing_id = ?",
        [_tombstone(briefing_id), briefing_id],
    )


def bury_forgotten(record: Record, sha256: bytes, size: int) -> None:
    """Leave the tombstone of a briefing that another record has forgotten."""
    record.execute("INSERT INTO briefings (sha256, size, parts) VALUES (?, ?, '')", [sha256, size])
    forget_briefing(record, int(record.value("SELECT last_insert_rowid()")))


def change_replacement(record: Record, old: int, new: int) -> None:
    """Have the tombstones that name one briefing name another."""
    record.execute(
        "UPDATE briefings SET parts = ? WHERE parts = ?", [_tombstone(new), _tombstone(old)]
    )


_TOMBSTONE = '[["gone", '


def _tombstone(replacement: int) -> str:
    return f"{_TOMBSTONE}{replacement}]]"


def _replacement_in(parts: str | bytes) -> int | None:
    """What took the place of a briefing; None where these are the parts of one that is there."""
    if isinstance(parts, bytes) or not parts.startswith(_TOMBSTONE):
        return None
    return next((whole_number(value) for _, value in unpack_parts(parts)), None)


def get_briefing(record: Record, briefing_id: int) -> bytes:
    """Get the text of a briefing as it was rendered, a redacted part named as such.

    Raises:
        NotFoundError: there is none.
    """
    for found in iterate_briefings(record, "WHERE briefing_id = ?", [briefing_id]):
        return found.rendered
    raise NotFoundError("briefing", str(briefing_id), [])


class StoredBriefing(NamedTuple):
    """A stored briefing; ``sha256`` is of what was rendered when it was stored."""

    briefing_id: int
    sha256: bytes
    rendered: bytes
    is_gone: bool
    """Whether this is the tombstone of one."""


_HELD_BYTES = 16 << 20
"""Of contents that may be needed again: many briefings quote the same."""


def iterate_briefings(
    record: Record, condition: str = "", parameters: Sequence[Any] = ()
) -> Iterator[StoredBriefing]:
    """Iterate over the briefings that meet an SQL condition; shared contents are read once."""
    held: dict[int, bytes | None] = {}
    room = _HELD_BYTES

    def content(content_id: int) -> bytes | None:
        nonlocal room
        if content_id in held:
            return held[content_id]
        data = contents.get_content(record, content_id)
        if room < 0:
            held.clear()
            room = _HELD_BYTES
        held[content_id] = data
        room -= len(data or b"")
        return data

    def part(kind: str, value: str | int) -> bytes:
        if kind == "text":
            return str(value).encode("utf-8", "surrogateescape")
        if kind == "gone":
            return contents.GONE.encode()
        data = content(whole_number(value) or 0)
        gone = data is None and contents.name_gone(record, whole_number(value))
        return gone.encode() if gone else data or b""

    for briefing_id, sha256, parts in record.execute(
        f"SELECT briefing_id, sha256, parts FROM briefings {condition}", parameters
    ):
        rendered = b"".join(part(kind, value) for kind, value in unpack_parts(parts))
        yield StoredBriefing(briefing_id, sha256, rendered, _replacement_in(parts) is not None)
