"""Everything the record holds, row by row, in a form any program can read."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from orch_tui.models.content import Content
from orch_tui.models.database import Record, Row
from orch_tui.models.schema import TABLES
from orch_tui.models.values import SCHEMA_VERSION
from orch_tui.record.ledger import contents

FORMAT = "orch-export"
VERSION = 1


def export(record: Record) -> Iterator[dict[str, Any]]:
    """A head line, then every row as ``{"table": ..., column: value, ...}``.

    All rows are of one moment, though others write meanwhile, and only one is in memory at a
    time. A row comes after those it points to, but for ``parent_execution_id``. Values are as
    they are stored: JSON columns are text, bytes are ``{"base64": ...}``, and text that is not
    UTF-8 holds its bytes as lone surrogates (PEP 383). Of a content, ``data`` is the original
    bytes, or null where it was redacted. The search index is left out: it is derived.

    Raises:
        RecordError: the file cannot be read.
    """
    # a connection of its own: the caller may write while it takes the rows
    with Record(record.path, create=False, writable=False) as view, view.read():
        view.connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        yield {
            "format": FORMAT,
            "version": VERSION,
            "schema_version": SCHEMA_VERSION,
            "exported_at": record.now(),
        }
        for table in TABLES:
            name = table._meta.table_name
            order = "" if table._meta.without_rowid else " ORDER BY rowid"
            cursor = view.execute(f"SELECT * FROM {name}{order}")
            columns = [column[0] for column in cursor.description]
            for values in cursor:
                row = dict(zip(columns, values, strict=True))
                if table is Content:
                    row["data"] = contents.unpacked(row.pop("encoding"), row["data"])
                yield {"table": name, **_printable(row)}


def _printable(row: Row) -> Row:
    return {
        column: {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        for column, value in row.items()
    }
