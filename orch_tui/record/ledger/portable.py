"""References that mean the same in every record, and what they stand for in this one.

A session is ``claude:<its id at Claude Code>`` or ``session:<uid>``, a bundle ``bundle:<uid>``, a
version of one ``version:<uid>``, a planned agent ``planned:<uid>``; contents and briefings are
named by their SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterable

from orch_tui.models.database import Record, in_list
from orch_tui.record.ledger.briefings import find_briefing


def session_ref(record: Record, session_id: str | None) -> str | None:
    """Get the reference of a session; None for none, and for one that is not there."""
    found = record.value(
        "SELECT coalesce('claude:' || claude_session, 'session:' || uid) FROM sessions "
        "WHERE session_id = ?",
        [session_id],
    )
    return None if found is None else str(found)


def session_id_of(record: Record, ref: str | None) -> str | None:
    """Find the session that a reference names; gives its label here, or None."""
    kind, _, name = (ref or "").partition(":")
    column = {"claude": "claude_session", "session": "uid"}.get(kind)
    if column is None:
        return None
    found = record.value(f"SELECT session_id FROM sessions WHERE {column} = ?", [name])
    return None if found is None else str(found)


_ROWS = {
    "planned": ("planned_agents", "planned_id"),
    "version": ("bundle_versions", "version_id"),
    "bundle": ("bundles", "bundle_id"),
}


def ref_of(record: Record, kind: str, row: int | str | None) -> str | None:
    """Get the reference of a ``planned`` agent, a ``version`` or a ``bundle`` by its row here."""
    if row is None:
        return None
    table, column = _ROWS[kind]
    uid = record.value(f"SELECT uid FROM {table} WHERE {column} = ?", [row])
    return None if uid is None else f"{kind}:{uid}"


def row_of(record: Record, ref: str | None) -> int | str | None:
    """Find what a reference names; gives its number here (of a bundle the label), or None."""
    kind, _, uid = (ref or "").partition(":")
    if kind not in _ROWS:
        return None
    table, column = _ROWS[kind]
    found: int | str | None = record.value(f"SELECT {column} FROM {table} WHERE uid = ?", [uid])
    return found


def content_id_of(record: Record, sha256: str | None) -> int | None:
    """Find the content with this SHA-256 (hexadecimal); gives its number here, or None."""
    digest = digest_of(sha256)
    found = record.value("SELECT content_id FROM contents WHERE sha256 = ?", [digest])
    return None if found is None else int(found)


def content_ids_of(record: Record, sha256s: Iterable[str | None]) -> list[int | None]:
    """Find the contents with these SHA-256s (hexadecimal); gives the number of each here, or
    None."""
    digests = [digest_of(sha256) for sha256 in sha256s]
    wanted = [*{digest for digest in digests if digest is not None}]
    found: dict[bytes | None, int] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        listed, some = in_list(wanted[start : start + _AT_ONCE])
        found |= dict(
            record.sql(f"SELECT sha256, content_id FROM contents WHERE sha256 IN {listed}", some)
        )
    return [found.get(digest) for digest in digests]


_AT_ONCE = 500
"""Parameters of one statement; older releases of SQLite take 999."""


def briefing_id_of(record: Record, sha256: str | None) -> int | None:
    """Find the briefing with this SHA-256 (hexadecimal), or what took its place when it was
    redacted; gives its number here, or None."""
    digest = digest_of(sha256)
    return None if digest is None else find_briefing(record, digest)


def digest_of(sha256: str | None) -> bytes | None:
    """Decode a SHA-256 (hexadecimal); None for none, and for what is none."""
    try:
        return None if sha256 is None else bytes.fromhex(sha256)
    except ValueError:
        return None


def sha256_of_content(record: Record, content_id: int | None) -> str | None:
    """Get the SHA-256 (hexadecimal) of a content by its number here."""
    found = record.value("SELECT sha256 FROM contents WHERE content_id = ?", [content_id])
    return None if found is None else bytes(found).hex()


def sha256_of_briefing(record: Record, briefing_id: int | None) -> str | None:
    """Get the SHA-256 (hexadecimal) of a briefing by its number here."""
    found = record.value("SELECT sha256 FROM briefings WHERE briefing_id = ?", [briefing_id])
    return None if found is None else bytes(found).hex()
