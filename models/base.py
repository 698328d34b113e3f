"""The fields every table shares, and how Python sees what they hold.

The models define the schema (see `models.schema`), and are for whoever asks in Python. They are
bound to the record of the context (see `models.router`). What must start fast runs statements of
a `Record` instead, which need no Peewee.

Plain SQL may put anything anywhere, so reading never fails: what a column should not hold comes
back as it is.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import peewee
from peewee import SQL, Field, Model, Node

from orch_tui.models.router import database
from orch_tui.models.stored_bytes import pack_parts, pack_text, unpack_parts, unpack_text
from orch_tui.models.values import NOW, as_time, timestamp


class Table(Model):
    """Saving a row writes only the columns that were set: nothing else is written anew."""

    class Meta:
        database = database
        legacy_table_names = False
        only_save_dirty = True


class TextField(peewee.TextField):
    """``str``; bytes that are not UTF-8 are replaced by U+FFFD."""

    def python_value(self, value: Any) -> Any:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


class _AsStored(Field):
    """A number as SQLite gives it: Peewee would truncate 1.5, and fail at infinity."""

    def python_value(self, value: Any) -> Any:
        return value


class IntegerField(_AsStored, peewee.IntegerField):
    """``int``."""


class AutoField(_AsStored, peewee.AutoField):
    """The number SQLite gives a row."""


class FloatField(_AsStored, peewee.FloatField):
    """``float``."""


class TimeField(Field):
    """An aware ``datetime``, stored as ``YYYY-MM-DDTHH:MM:SS.sssZ``, which sorts as text.

    A naive one is local time, as everywhere in orch; milliseconds are kept. Text is stored as it
    is, so that a row can be asked for by the text of its time.
    """

    field_type = "TIMESTAMP"

    def db_value(self, value: Any) -> Any:
        return timestamp(value) if isinstance(value, datetime) else value

    def python_value(self, value: Any) -> Any:
        moment = as_time(value)
        try:
            return datetime.fromisoformat(moment)
        except (TypeError, ValueError):
            return value


class JsonField(Field):
    """What the JSON says: dicts, lists, text, numbers. Text that is no JSON comes back as it is."""

    field_type = "JSON"

    def db_value(self, value: Any) -> Any:
        if value is None or isinstance(value, bytes):
            return value
        text = json.dumps(value, ensure_ascii=False)
        # what stands for bytes that are not UTF-8 must stay escaped
        return text if _is_utf8(text) else json.dumps(value)

    def python_value(self, value: Any) -> Any:
        if not isinstance(value, str | bytes):
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class PackedJsonField(JsonField):
    """JSON that is stored compressed where it is long (see `models.stored_bytes`)."""

    def db_value(self, value: Any) -> Any:
        text = super().db_value(value)
        return pack_text(text) if isinstance(text, str) else text

    def python_value(self, value: Any) -> Any:
        if isinstance(value, bytes):
            try:
                return super().python_value(unpack_text(value))
            except ValueError:
                return value
        return super().python_value(value)


class PartsField(PackedJsonField):
    """The parts of a briefing: none where plain SQL put something else in their place."""

    def db_value(self, value: Any) -> Any:
        return pack_parts(value)

    def python_value(self, value: Any) -> list[list[Any]]:
        return unpack_parts(value)


def default(expression: str) -> list[Node]:
    """A column default that raw SQL gets too."""
    return [SQL(f"DEFAULT ({expression})")]


def created_at() -> TimeField:
    return TimeField(null=True, constraints=default(NOW))


def one_of(column: str, *values: str) -> SQL:
    """A CHECK that lets NULL pass, as SQL does."""
    listed = ", ".join(f"'{value}'" for value in values)
    return SQL(f"CHECK ({column} IN ({listed}))")


def uid() -> Field[str]:
    """What a row is called in every database it travels to; labels are only for people."""
    return TextField(unique=True, constraints=default("lower(hex(randomblob(16)))"))
