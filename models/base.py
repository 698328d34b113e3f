"""The column types every table shares.

The models define the schema (see `models.schema`). They are never bound to a database: rows are
read and written by the statements of a `Record`, which need no Peewee and so start faster.
"""

from __future__ import annotations

from peewee import SQL, Field, Model, Node, TextField

from orch_tui.models.values import NOW


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
