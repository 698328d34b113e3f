"""Fields that change: of sessions, planned agents, bundles and their versions.

Such a row is edited in place, by orch and by plain SQL alike; triggers note which. Before a
transaction ends, the fields that changed become one statement, ``Registered``. Of all that was
said of one field the latest holds, by a clock that is never behind what it replaces, so that
records which exchange their statements in any order end with the same rows.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from orch_tui.models.database import Record
from orch_tui.models.values import as_bytes, as_time, decoded_json, readable
from orch_tui.record.ledger import portable
from orch_tui.record.ledger.statement import Registered, canonical_json
from orch_tui.record.ledger.store import StoredStatement, store_statement

EARLIEST = ("created_at",)
"""Fields of which the least value holds, whoever said it when."""

FIRST = ("label", "version")
"""Fields of which the first word holds."""

LATEST_VALUE = ("ended_at",)
"""Fields of which the greatest value holds."""

_COMPARED = (*EARLIEST, *LATEST_VALUE, "version")
"""Fields whose value is looked at again."""


def _session_fields(record: Record, uid: str) -> tuple[str, dict[str, Any]] | None:
    rows = record.rows("SELECT * FROM sessions WHERE uid = ?", [uid])
    if not rows:
        return None
    row = rows[0]
    ref = portable.session_ref(record, row["session_id"]) or ""
    values = {
        "created_at": row["created_at"],
        "scope": row["scope"],
        "title": row["title"],
        "metadata": row["metadata"],
        "project": row["project_key"],
        "archived_at": row["archived_at"],
        "phase": row["phase"],
        "budget": row["budget"],
        "thresholds": row["thresholds"],
        "reserve": row["reserve"],
    }
    if row["claude_session"] is None:
        values["label"] = _own_label(row["session_id"], row["origin_id"])
        values["state"] = [row["status"], row["completed_at"]]
    else:  # whether it goes on is worked out from what was heard of it
        values["ended_at"] = row["ended_at"]
    return ref, values


def _planned_fields(record: Record, uid: str) -> tuple[str, dict[str, Any]] | None:
    rows = record.rows("SELECT * FROM planned_agents WHERE uid = ?", [uid])
    if not rows:
        return None
    row = rows[0]
    waits = record.sql(
        "SELECT a.uid FROM planned_waits AS w JOIN planned_agents AS a ON a.planned_id = "
        "w.waits_for WHERE w.planned_id = ? ORDER BY a.uid",
        [row["planned_id"]],
    )
    return f"planned:{uid}", {
        "session": portable.session_ref(record, row["session_id"]),
        "position": row["position"],
        "agent_type": row["agent_type"],
        "scope": row["scope"],
        "model": row["model"],
        "bundle": portable.ref_of(record, "bundle", row["bundle_id"]),
        "created_at": row["created_at"],
        "removed_at": row["removed_at"],
        "waits": [other for (other,) in waits],
    }


def _bundle_fields(record: Record, uid: str) -> tuple[str, dict[str, Any]] | None:
    rows = record.rows("SELECT * FROM bundles WHERE uid = ?", [uid])
    if not rows:
        return None
    row = rows[0]
    return f"bundle:{uid}", {
        "label": _own_label(row["bundle_id"], row["origin_id"]),
        "session": portable.session_ref(record, row["session_id"]),
        "name": row["name"],
        "created_at": row["created_at"],
        "removed_at": row["removed_at"],
    }


ITEM = (
    *("position", "type", "source", "sections", "priority", "token_count", "token_low"),
    *("token_high", "estimator", "shared_with", "text_encoding", "content"),
)
"""A context item in the field ``items`` of a version: an array of these."""


def _version_fields(record: Record, uid: str) -> tuple[str, dict[str, Any]] | None:
    rows = record.rows("SELECT * FROM bundle_versions WHERE uid = ?", [uid])
    if not rows:
        return None
    row = rows[0]
    items = [
        [*item, content and bytes(content).hex()]
        for *item, content in record.sql(
            f"SELECT {', '.join(f'i.{column}' for column in ITEM[:-1])}, c.sha256 "
            "FROM bundle_items AS i LEFT JOIN contents AS c USING (content_id) "
            "WHERE version_id = ? ORDER BY position",
            [row["version_id"]],
        )
    ]
    return f"version:{uid}", {
        "bundle": portable.ref_of(record, "bundle", row["bundle_id"]),
        "version": row["version"],
        "agent_type": row["agent_type"],
        "scope": row["scope"],
        "model": row["model"],
        "briefing": portable.sha256_of_briefing(record, row["briefing_id"]),
        "created_at": row["created_at"],
        "tokens": [row["frame_tokens"], row["template_tokens"], row["shared_tokens"]],
        "items": items,
    }


FIELDS: dict[str, Callable[[Record, str], tuple[str, dict[str, Any]] | None]] = {
    "session": _session_fields,
    "bundle": _bundle_fields,
    "version": _version_fields,
    "planned": _planned_fields,
}
"""By the kind of subject that a trigger notes, with the row's uid: its reference and fields. What
others name comes first."""


def subject_order(subject: str) -> tuple[int, str]:
    """Sorts what triggers noted so that sessions and bundles are stated before what names them."""
    kind = subject.partition(":")[0]
    kinds = list(FIELDS)
    return kinds.index(kind) if kind in kinds else len(kinds), subject


def _own_label(label: str, origin_id: int | None) -> str | None:
    """Get the label that a row was given here; None for one of another origin."""
    return label if origin_id is None else None


def _statable(value: Any) -> Any:
    """Make a value one that a statement can hold; plain SQL may have put in anything."""
    if isinstance(value, list):
        return [_statable(each) for each in value]
    if isinstance(value, bytes) or (isinstance(value, float) and not math.isfinite(value)):
        return readable(value)
    return value


def state_changes(record: Record, subject: str) -> None:
    """Make a statement of the fields of a row that are not as they were last stated."""
    kind, _, uid = subject.partition(":")
    found = FIELDS[kind](record, uid)
    if found is None:
        return  # plain SQL deleted it; what was said of it stays
    ref = found[0]
    values = {
        name: readable(as_time(value)) if name.endswith("_at") else _statable(value)
        for name, value in found[1].items()
    }
    held = read_registers(record, ref)
    new = {name: value for name, value in values.items() if _is_news(name, value, held.get(name))}
    if not new:
        return
    at = _later_than(record.now(), max((held[name].at for name in new if name in held), default=""))
    statement = Registered(subject=ref, values=new)
    stored = store_statement(record, statement, (), source=None, at=at, execution_id=None)
    if stored.is_new:
        _hold(record, ref, new, at, stored)


def apply_registered(
    record: Record, statement: Registered, at: str, stored: StoredStatement
) -> dict[str, Any]:
    """Apply a statement of another record; gives the fields it decides, which the row must get."""
    held = read_registers(record, statement.subject)
    won = {
        name: value
        for name, value in statement.values.items()
        if _wins(name, value, (at, stored.digest), held.get(name))
    }
    _hold(record, statement.subject, won, at, stored)
    return won


def _is_news(name: str, value: Any, held: HeldRegister | None) -> bool:
    """Tell whether a field of a row has another value than was stated last."""
    if held is None:
        return value not in (None, [])
    if name in FIRST:
        return False
    if name in EARLIEST or name in LATEST_VALUE:
        return _is_beyond(name, value, held)
    return held.value_hash != _hash_of(value)


def _wins(name: str, value: Any, mine: tuple[str, bytes], held: HeldRegister | None) -> bool:
    if held is None:
        return True
    if name in EARLIEST or name in LATEST_VALUE:
        return _is_beyond(name, value, held)
    if name in FIRST:
        return mine < (held.at, held.digest)
    return mine > (held.at, held.digest)


def _is_beyond(name: str, value: Any, held: HeldRegister) -> bool:
    before = decoded_json(held.value) if held.value else None
    if value is None or before is None:
        return value is not None
    return bool(value < before if name in EARLIEST else value > before)


class HeldRegister(NamedTuple):
    """The last statement of one field."""

    at: str
    digest: bytes
    value_hash: bytes
    value: str | None
    """JSON, where values are compared."""


def read_registers(record: Record, subject: str) -> dict[str, HeldRegister]:
    """By whom and when each field of a subject was stated last."""
    rows = record.sql(
        "SELECT field, at, digest, value_hash, value FROM registers WHERE subject = ?", [subject]
    )
    return {
        field: HeldRegister(readable(at) or "", as_bytes(d), as_bytes(h), readable(value))
        for field, at, d, h, value in rows
    }


def _hold(
    record: Record, subject: str, values: Mapping[str, Any], at: str, stored: StoredStatement
) -> None:
    record.executemany(
        "INSERT INTO registers (subject, field, at, digest, value_hash, value) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (subject, field) DO UPDATE SET at = excluded.at, "
        "digest = excluded.digest, value_hash = excluded.value_hash, value = excluded.value",
        [
            (
                *(subject, name, at, stored.digest, _hash_of(value)),
                canonical_json(value) if name in _COMPARED else None,
            )
            for name, value in values.items()
        ],
    )


def _hash_of(value: Any) -> bytes:
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).digest()[:16]


def _later_than(now: str, held: str) -> str:
    """Choose the time of a change: now, or right after what it replaces if a clock was ahead.

    Counted on in four digits behind the time, always written, so that text sorts as time does
    (``...1231Z`` would come before ``...123Z``).
    """
    stamp = f"{now}0000"
    if stamp > held:
        return stamp
    moment, count = held[:-4], int(held[-4:]) + 1
    return f"{moment}{count:04}" if count < 10_000 else f"{moment[:-1]}~0000"


def number_versions(record: Record, version_id: int | str) -> None:
    """Give the versions of a bundle numbers by which every record calls them the same.

    Each keeps the number it was made with; where two machines made the same one, the later made
    takes the next that is free.
    """
    versions = record.sql(
        "SELECT v.version_id, v.version, coalesce(r.value, v.version), v.created_at, v.uid "
        "FROM bundle_versions AS v LEFT JOIN registers AS r "
        "ON r.subject = 'version:' || v.uid AND r.field = 'version' "
        "WHERE bundle_id = (SELECT bundle_id FROM bundle_versions WHERE version_id = ?)",
        [version_id],
    )
    taken: set[int] = set()
    numbers: dict[int, int] = {}
    for row, _, stated, _, _ in sorted(versions, key=lambda v: (int(v[2]), v[3] or "~", v[4])):
        number = int(stated)
        while number in taken:
            number += 1
        taken.add(number)
        numbers[row] = number
    changed = [(row, numbers[row]) for row, held, *_ in versions if held != numbers[row]]
    record.executemany(  # the numbers of a bundle are unique at every moment
        "UPDATE bundle_versions SET version = -version_id WHERE version_id = ?",
        [(row,) for row, _ in changed],
    )
    record.executemany(
        "UPDATE bundle_versions SET version = ? WHERE version_id = ?",
        [(number, row) for row, number in changed],
    )
