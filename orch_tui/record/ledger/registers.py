"""Fields that change: of sessions, planned agents, bundles and their versions.

Such a row is edited in place, by orch and by plain SQL alike; triggers note which. Before a
transaction ends, the fields that changed become one statement, ``Registered``. Of all that was
said of one field the latest holds, by a clock that is never behind what it replaces, so that
records which exchange their statements in any order end with the same rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from orch_tui.models.database import Record
from orch_tui.models.values import as_bytes, as_time, listed_names, readable, whole_number
from orch_tui.record.ledger import portable
from orch_tui.record.ledger.statement import ItemFact, Registered, unpack_fields
from orch_tui.record.ledger.store import StoredStatement, store_statement

EARLIEST = ("created_at",)
"""Fields of which the least value holds, whoever said it when."""

FIRST = ("label", "version")
"""Fields of which the first word holds."""

LATEST_VALUE = ("ended_at",)
"""Fields of which the greatest value holds."""


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


def items_given(listed: Any) -> tuple[ItemFact, ...]:
    """Make the items that a run is given of those of a version, as ``ITEM`` lists them; what is no
    such list, as another program may have written it, gives none."""
    if not isinstance(listed, list) or not all(map(_is_item, listed)):
        return ()
    named = (dict(zip(ITEM, item, strict=True)) for item in listed)
    return tuple(
        ItemFact(
            context_type=item["type"],
            context_source=item["source"],
            included_in_deployment=1,
            **{name: item[name] for name in ITEM if name in ItemFact.shape},
        )
        for item in named
    )


def _is_item(item: Any) -> bool:
    return (
        isinstance(item, list)
        and len(item) == len(ITEM)
        and all(value is None or isinstance(value, str | int) for value in item)
    )


def find_stated_items(record: Record, digest: str) -> tuple[ItemFact, ...]:
    """Find the items that a statement about a version lists, by its digest (hexadecimal)."""
    stored = record.value(
        "SELECT payload FROM observations WHERE digest = ?", [portable.digest_of(digest)]
    )
    values = (unpack_fields(stored) or {}).get("values")
    return items_given(values.get("items")) if isinstance(values, dict) else ()


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
    for name, each in held.items():
        if name in values:
            values[name] = _with_what_is_awaited(record, name, values[name], each.value)
    new = {name: value for name, value in values.items() if _is_news(name, value, held.get(name))}
    if not new:
        return
    at = _later_than(record.now(), max((held[name].at for name in new if name in held), default=""))
    statement = Registered(subject=ref, values=new)
    stored = store_statement(record, statement, (), source=None, at=at, execution_id=None)
    if stored.is_new:
        _hold(record, statement, new.keys(), held, stored.observation_id)


def _with_what_is_awaited(record: Record, name: str, value: Any, stated: Any) -> Any:
    """Keep of a reference what was stated where a row shows none only because what it names is not
    here: another record told of the one and not yet of the other."""
    if name == "waits" and isinstance(stated, list):
        named = {str(uid) for uid in stated}
        return sorted({*value, *(u for u in named if not portable.row_of(record, f"planned:{u}"))})
    if value is None and isinstance(stated, str):
        if name == "bundle" and portable.row_of(record, stated) is None:
            return stated
        if name == "briefing" and portable.briefing_id_of(record, stated) is None:
            return stated
    return value


def drop_stated_changes(record: Record) -> None:
    """Forget which rows changed, where they were only written as others stated, or made up for what
    nobody described yet. Call it before the transaction ends."""
    kinds = " OR ".join(f"subject GLOB '{kind}:*'" for kind in FIELDS)
    record.execute(f"DELETE FROM changed_rows WHERE {kinds}")


def state_value(record: Record, ref: str, name: str, value: Any) -> None:
    """State a field that no column holds, where it is not stated so already; call it within a
    write, after the row that ``ref`` names is stated."""
    held = read_registers(record, ref)
    if not _is_news(name, value, held.get(name)):
        return
    at = _later_than(record.now(), held[name].at if name in held else "")
    statement = Registered(subject=ref, values={name: value})
    stored = store_statement(record, statement, (), source=None, at=at, execution_id=None)
    if stored.is_new:
        _hold(record, statement, (name,), held, stored.observation_id)


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
    _hold(record, statement, won.keys(), held, stored.observation_id)
    return won


def _is_news(name: str, value: Any, held: HeldRegister | None) -> bool:
    """Tell whether a field of a row has another value than was stated last."""
    if held is None:
        return value not in (None, [])
    if name in FIRST:
        return False
    if name in EARLIEST or name in LATEST_VALUE:
        return _is_beyond(name, value, held)
    return held.is_redacted or held.value != value


def _wins(name: str, value: Any, mine: tuple[str, bytes], held: HeldRegister | None) -> bool:
    if held is None:
        return True
    if name in EARLIEST or name in LATEST_VALUE:
        return _is_beyond(name, value, held)
    if name in FIRST:
        return mine < (held.at, held.digest)
    return mine > (held.at, held.digest)


def _is_beyond(name: str, value: Any, held: HeldRegister) -> bool:
    before = held.value
    if value is None or before is None:
        return value is not None
    return bool(value < before if name in EARLIEST else value > before)


class HeldRegister(NamedTuple):
    """The last statement of one field."""

    at: str
    digest: bytes
    value: Any
    is_redacted: bool
    """Something else was stated: what stands there now is news to others."""
    observation_id: int


def read_registers(record: Record, subject: str) -> dict[str, HeldRegister]:
    """By whom and when each field of a subject was stated last."""
    held = {}
    for observation_id, names, redacted, at, digest, payload in record.sql(
        "SELECT observation_id, names, redacted, at, digest, payload FROM registers "
        "JOIN observations USING (observation_id) WHERE subject = ?",
        [subject],
    ):
        stated = (unpack_fields(payload) or {}).get("values")
        stated = stated if isinstance(stated, dict) else {}
        changed = listed_names(redacted) or []
        for name in stated if names is None else listed_names(names) or []:
            held[name] = HeldRegister(
                readable(at) or "",
                as_bytes(digest),
                stated.get(name),
                name in changed,
                observation_id,
            )
    return held


def _hold(
    record: Record,
    statement: Registered,
    names: Collection[str],
    held: Mapping[str, HeldRegister],
    observation_id: int,
) -> None:
    """Note that a statement is the last of some of its fields."""
    for other in {held[name].observation_id for name in names if name in held}:
        left = {n: h for n, h in held.items() if h.observation_id == other and n not in names}
        redacted = [name for name, each in left.items() if each.is_redacted]
        _write_register(record, statement.subject, other, left, redacted)
    is_all = len(names) == len(statement.values)
    _write_register(record, statement.subject, observation_id, names, is_all=is_all)


def _write_register(
    record: Record,
    subject: str,
    observation_id: int,
    names: Collection[str],
    redacted: Iterable[str] = (),
    *,
    is_all: bool = False,
) -> None:
    if names:
        record.execute(
            "INSERT OR REPLACE INTO registers (subject, observation_id, names, redacted) "
            "VALUES (?, ?, ?, ?)",
            [
                *(subject, observation_id),
                *(None if is_all else _listed(names), _listed(redacted)),
            ],
        )
    else:
        its = [subject, observation_id]
        record.execute("DELETE FROM registers WHERE subject = ? AND observation_id = ?", its)


def _listed(names: Iterable[str]) -> str | None:
    """Names as the tables have them; None for none."""
    return json.dumps(sorted(names)) if names else None


def note_redaction(record: Record, observation_id: int, was: Any, now: Any) -> None:
    """Note which values of a statement redaction has changed, so that they are stated anew.

    ``was`` and ``now`` are its fields, as they are stored; it may be a statement of any kind.
    """
    before, after = ((unpack_fields(each) or {}).get("values") for each in (was, now))
    if not isinstance(before, dict) or not isinstance(after, dict):
        return
    changed = {name for name, value in after.items() if before.get(name) != value}
    for subject, noted in record.sql(
        "SELECT subject, redacted FROM registers WHERE observation_id = ?", [observation_id]
    ):
        record.execute(
            "UPDATE registers SET redacted = ? WHERE subject = ? AND observation_id = ?",
            [_listed(changed | {*(listed_names(noted) or ())}), subject, observation_id],
        )


def _later_than(now: str, held: str) -> str:
    """Choose the time of a change: now, or right after what it replaces if a clock was ahead.

    Counted on in four digits behind the time, always written, so that text sorts as time does
    (``...1231Z`` would come before ``...123Z``).
    """
    stamp = f"{now}0000"
    if stamp > held:
        return stamp
    moment, count = held[:-4], whole_number(held[-4:])
    if count is None:  # no time of ours, but later than all of them
        return f"{held}0000"
    return f"{moment}{count + 1:04}" if count < 9_999 else f"{moment[:-1]}~0000"


def number_versions(record: Record, bundle_id: str) -> None:
    """Give the versions of a bundle numbers by which every record calls them the same.

    Each keeps the number it was made with; where two machines made the same one, the later made
    takes the next that is free.
    """
    versions = record.sql(
        "SELECT version_id, version, created_at, uid FROM bundle_versions WHERE bundle_id = ?",
        [bundle_id],
    )
    stated = []
    for row, version, created_at, uid in versions:
        held = read_registers(record, f"version:{uid}").get("version")
        number = whole_number(held.value) if held else None
        number = int(version) if number is None else number
        stated.append((number, str(created_at or "~"), uid, row))
    taken: set[int] = set()
    numbers: dict[int, int] = {}
    for number, _, _, row in sorted(stated):
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
