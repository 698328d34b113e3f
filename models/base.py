"""The column types every table shares.

Models are never bound to a database: queries run with ``query.execute(record.db)``, so two
threads with two databases cannot mix.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from peewee import SQL, Field, Model, Node, TextField

APPLICATION_ID = 0x6F726368
"""``orch`` in ASCII: says whose file this is."""

SCHEMA_VERSION = 1

NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
"""UTC with milliseconds, as every time in the record is written."""

WHEN = "coalesce(deployed_at, completed_at)"
"""The time of an execution, also of one whose deployment nobody saw; as it is indexed."""


class Table(Model):
    class Meta:
        legacy_table_names = False


class TimeField(Field):
    """``YYYY-MM-DDTHH:MM:SS.sssZ``; sorts as text."""

    field_type = "TIMESTAMP"


class JsonField(Field):
    """JSON text; encoding and decoding are the caller's."""

    field_type = "JSON"


def default(expression: str) -> list[Node]:
    """A column default that raw SQL gets too."""
    return [SQL(f"DEFAULT ({expression})")]


def created_at() -> TimeField:
    return TimeField(null=True, constraints=default(NOW))


def one_of(column: str, *values: str) -> SQL:
    """A CHECK that lets NULL pass, as SQL does."""
    listed = ", ".join(f"'{value}'" for value in values)
    return SQL(f"CHECK ({column} IN ({listed}))")


def uid() -> TextField:
    """What a row is called in every database it travels to; labels are only for people."""
    return TextField(unique=True, constraints=default("lower(hex(randomblob(16)))"))


def timestamp(moment: datetime) -> str:
    """``2026-11-22T10:00:00.000Z``: how the record writes a time; naive ones are local."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_time(value: Any) -> Any:
    """The moment ``value`` names, as the record writes it; what names none is given back.

    Raw SQL and older scripts write SQLite's own form (UTC, as CURRENT_TIMESTAMP), ISO 8601, or
    seconds since 1970.
    """
    try:
        if isinstance(value, int | float):
            moment = datetime.fromtimestamp(value, UTC)
        else:
            moment = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError, OSError):
        return value
    return timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
