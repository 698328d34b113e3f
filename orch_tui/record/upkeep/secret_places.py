"""Where a record holds a secret: rows, contents, and the statements that name what will move."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee

from orch_tui.models.base import JsonField, PackedJsonField
from orch_tui.models.content import Briefing
from orch_tui.models.database import Record
from orch_tui.models.execution import Observation
from orch_tui.models.schema import TABLES
from orch_tui.models.stored_bytes import STORED_BYTES, unpack_bytes, unpack_parts
from orch_tui.models.values import as_bytes
from orch_tui.record.upkeep.hidden_secret import HiddenSecret, unpack_value

_DIGESTS = ("sha256", "digest", "uid")
_NAMED = 66
"""Characters of a hash in JSON."""
_HASH = re.compile(rb'"([0-9a-f]{64})"')

Row = dict[str, Any]


@dataclass(slots=True)
class SecretPlaces:
    """Where a secret was found in a record."""

    rows: list[tuple[type[peewee.Model], Row, Row]] = field(default_factory=list)
    """For each row: its table, its key, its columns without the secret."""
    contents: list[int] = field(default_factory=list)
    briefings: list[int] = field(default_factory=list)
    """Those that hold it, and those that quote a content that does."""
    statements: list[int] = field(default_factory=list)
    """Those that name one of these contents or briefings, by its hash."""
    runs: set[str] = field(default_factory=set)
    """The executions that such rows and statements are of, as they are called with the secret."""

    @property
    def counts(self) -> dict[str, int]:
        """For each table, how many rows hold it."""
        counted: dict[str, int] = {"contents": len(self.contents)} if self.contents else {}
        for table, _, _ in self.rows:
            counted[table._meta.table_name] = counted.get(table._meta.table_name, 0) + 1
        return counted

    def keys_of(self, table: str) -> list[Row]:
        """The keys of the rows of a table, without the secret."""
        return [
            {name: changed.get(name, value) for name, value in key.items()}
            for each, key, changed in self.rows
            if each._meta.table_name == table
        ]


def find_secret_places(
    record: Record, secret: HiddenSecret, progress: Callable[[int], object]
) -> SecretPlaces:
    """Find a secret in every table; ``progress`` is told how many of ``TABLES`` are done.

    Each row is looked at once, and all but the few that may hold it only for its forms.
    """
    found = SecretPlaces()
    signs = _Signs(secret)
    for content_id, encoding, data in record.execute(
        f"SELECT content_id, encoding, {STORED_BYTES} FROM contents"
    ):
        held = unpack_bytes(encoding, data)
        if held is not None and secret.out_of_bytes(held) != held:
            found.contents.append(content_id)
    for done, table in enumerate(TABLES):
        progress(done)
        _look_through(record, table, secret, signs, found)
        if table is Briefing:
            found.briefings = _find_moving_briefings(record, found)
            signs.names = _hashes_that_move(record, found)
    return found


def _look_through(
    record: Record,
    table: type[peewee.Model],
    secret: HiddenSecret,
    signs: _Signs,
    found: SecretPlaces,
) -> None:
    words, keys = _word_columns(table), key_columns(table)
    for row in _rows_that_may_hold(record, table, signs):
        held = dict(zip(words, row[len(keys) :], strict=True))
        cleaned = {name: secret.out_of(value) for name, value in held.items()}
        changed = {name: v for name, v in cleaned.items() if v != held[name]}
        key = dict(zip(keys, row[: len(keys)], strict=True))
        if changed:
            found.rows.append((table, key, changed))
        names = table is Observation and signs.is_named_in(_unpacked(held["payload"]))
        if names:
            found.statements.append(key["observation_id"])
        if (changed or names) and isinstance(held.get("execution_id"), str):
            found.runs.add(held["execution_id"])


def _rows_that_may_hold(
    record: Record, table: type[peewee.Model], signs: _Signs
) -> Iterator[tuple[Any, ...]]:
    """Give the rows of a table, key and words, that may hold the secret or name what will move.

    SQLite itself passes over all that hold no sign of it: a tenth of what Python would take.
    """
    words, keys = _word_columns(table), key_columns(table)
    if not words:
        return
    packed = [c.column_name for c in table._meta.sorted_fields if isinstance(c, PackedJsonField)]
    rows = f"SELECT {', '.join((*keys, *words))} FROM {table._meta.table_name}"
    texts = " || char(0) || ".join(
        f"iif(typeof({word}) = 'blob', '', ifnull({word}, ''))" for word in words
    )
    has_sign = " OR ".join("instr(held, ?)" for _ in signs.of_texts)
    is_blob = " OR ".join(f"typeof({word}) = 'blob'" for word in words if word not in packed)
    seen: set[tuple[Any, ...]] = set()
    # with a limit, the texts are put together once a row and not once a sign
    for row in record.execute(
        f"SELECT {', '.join((*keys, *words))} FROM (SELECT {', '.join((*keys, *words))}, "
        f"CAST({texts} AS BLOB) AS held FROM {table._meta.table_name} LIMIT -1) "
        f"WHERE {has_sign} OR {is_blob or 0}",
        signs.of_texts,
    ):
        seen.add(row[: len(keys)])
        yield row
    for column in packed:
        candidates = [
            tuple(key)
            for *key, value in record.execute(
                f"SELECT {', '.join(keys)}, {column} FROM {table._meta.table_name} "
                f"WHERE typeof({column}) = 'blob' OR ? AND length({column}) >= {_NAMED}",
                [bool(signs.names)],
            )
            if signs.stand_in(_unpacked(value))
        ]
        for key in candidates:
            if key not in seen:
                seen.add(key)
                yield from record.sql(f"{rows} WHERE {_equal(keys)}", key)


def _equal(keys: Sequence[str]) -> str:
    return " AND ".join(f"{key} = ?" for key in keys)


def _unpacked(value: Any) -> bytes:
    """The bytes of a column that may be packed."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    data = unpack_value(value)
    return data if isinstance(data, bytes) else b""


class _Signs:
    """What tells at once of most rows that they hold nothing of it."""

    def __init__(self, secret: HiddenSecret) -> None:
        # JSON that escapes what it need not hides a secret from its forms
        texts = ("\\u", "\\/", *secret.in_text)
        as_bytes = {text.encode("utf-8", "surrogatepass") for text in texts}
        self._all = as_bytes | {form for form, _ in secret.in_bytes}
        self.of_texts = [*as_bytes | {secret.given}]
        """Those of columns that are text, in the bytes that SQLite has of it."""
        self.names: frozenset[bytes] = frozenset()
        """Hashes, in hexadecimal, of what will have another."""

    def stand_in(self, data: bytes) -> bool:
        """Tell whether one of them, or of the names, stands in bytes as they are unpacked."""
        for sign in self._all:
            if sign in data:
                return True
        return self.is_named_in(data)

    def is_named_in(self, data: bytes) -> bool:
        """Tell whether one of the names stands in bytes."""
        return bool(self.names) and not self.names.isdisjoint(_HASH.findall(data))


def _find_moving_briefings(record: Record, found: SecretPlaces) -> list[int]:
    """Find the briefings that will have another text: those that hold it, and what quotes it."""
    moving = {key["briefing_id"] for key in found.keys_of("briefings")}
    if quoted := set(found.contents):
        moving |= {
            briefing_id
            for briefing_id, parts in record.execute("SELECT briefing_id, parts FROM briefings")
            if any(kind == "content" and value in quoted for kind, value in unpack_parts(parts))
        }
    return sorted(moving)


def _hashes_that_move(record: Record, found: SecretPlaces) -> frozenset[bytes]:
    contents = read_hashes(record, "contents", found.contents)
    briefings = read_hashes(record, "briefings", found.briefings)
    return frozenset(sha256.encode() for sha256 in (*contents.values(), *briefings.values()))


def read_hashes(record: Record, table: str, ids: Collection[int]) -> dict[int, str]:
    """Read the SHA-256 of some contents or briefings, in hexadecimal."""
    key = {"contents": "content_id", "briefings": "briefing_id"}[table]
    return {
        number: as_bytes(sha256).hex()
        for number, sha256 in record.execute(
            f"SELECT {key}, sha256 FROM {table} WHERE {key} IN (SELECT value FROM json_each(?))",
            [json.dumps(sorted(ids))],
        )
    }


def _word_columns(table: type[peewee.Model]) -> list[str]:
    """List the columns that hold anybody's words."""
    return [
        column.column_name
        for column in table._meta.sorted_fields
        if isinstance(_stored_as(column), peewee.TextField | JsonField)
        and column.column_name not in _DIGESTS
    ]


def _stored_as(column: peewee.Field) -> peewee.Field:
    return column.rel_field if isinstance(column, peewee.ForeignKeyField) else column


def key_columns(table: type[peewee.Model]) -> list[str]:
    """List the columns of the key of a table."""
    key: Any = table._meta.primary_key
    if key is False:
        return ["rowid"]
    names = key.field_names if isinstance(key, peewee.CompositeKey) else [key.name]
    return [table._meta.fields[name].column_name for name in names]
