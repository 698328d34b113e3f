"""Reading the export of another record, or of this one, and taking in what it tells.

The same export again changes nothing. One of an older orch is brought up to date in a record of
its own first.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from orch_tui import __version__
from orch_tui.errors import FormatError, OrchError
from orch_tui.files import refused_reading
from orch_tui.models.database import Record
from orch_tui.models.values import SCHEMA_VERSION, whole_number
from orch_tui.prepare.secret_verdicts import is_verdict
from orch_tui.processes import own_program, upgrade_command
from orch_tui.record.exchange.incoming import (
    BrokenRowError,
    Incoming,
    Restored,
    incoming_statements,
)
from orch_tui.record.exchange.outgoing import PortableStatement
from orch_tui.record.ledger.origins import gather_statements, learn_origin
from orch_tui.record.ledger.raw_sql import ingest_noted_changes
from orch_tui.record.upkeep.export_format import FORMAT, MARKS, VERSION

Row = dict[str, Any]


def is_export(first_line: bytes) -> bool:
    """Tell whether a file that begins so is the export of a record."""
    try:
        head = json.loads(first_line)
    except (ValueError, RecursionError):
        return False
    return isinstance(head, dict) and head.get("format") == FORMAT


def restore_export(record: Record, path: Path) -> Restored:
    """Take in an export, all of it or nothing; the same one again changes nothing.

    Raises:
        SourceError: the file cannot be read.
        FormatError: it is no export, of a newer orch, or broken; with the line.
    """
    head = next(_lines(path))[1]
    if (whole_number(head.get("version")) or 0) < VERSION:
        from orch_tui.record.upkeep.older_exports import restore_older_export

        return restore_older_export(record, path, head, _rows(path))
    with record.write():
        ingest_noted_changes(record)
        gather_statements(record)
    with incoming_statements(record) as work:
        reading = _Reading(record, work)
        for number, row in _rows(path):
            try:
                reading.take(row)
            except (OrchError, *_DEFECTS) as error:
                if isinstance(error, OrchError) and not isinstance(error.__cause__, _REFUSALS):
                    raise  # of the record, not of the line
                raise FormatError(
                    f"{path}, line {number}: {_describe_defect(error)}",
                    hint="export it again: this line is not as orch writes it",
                ) from error
    return work.restored


def _lines(path: Path) -> Iterator[tuple[int, Row]]:
    with (
        refused_reading(str(path)),
        path.open(encoding="utf-8", errors="surrogateescape") as file,
    ):
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError("no object")
            except (ValueError, RecursionError) as error:
                raise FormatError(
                    f"{path}, line {number}: {error}", hint="export it again: it is not whole"
                ) from error
            yield number, row


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    """The rows after the head line, with the number of their line."""
    for number, row in _lines(path):
        if number > 1:
            yield number, row
        elif (whole_number(row.get("version")) or 0) > VERSION or (
            whole_number(row.get("schema_version")) or 0
        ) > SCHEMA_VERSION:
            raise FormatError(
                f"{path} was written by a newer orch: its format is {row.get('version')}, and "
                f"{own_program()} (orch {__version__}) knows {VERSION}",
                hint=f"upgrade it: {upgrade_command()}",
            )


_DEFECTS = (
    *(KeyError, TypeError, ValueError, IndexError, AttributeError),
    *(sqlite3.ProgrammingError, sqlite3.InterfaceError),
)
"""What comes of a value of another kind than stands there in an export."""
_REFUSALS = (sqlite3.IntegrityError, OverflowError)
"""What the record says to a value that it does not take."""


def _describe_defect(error: Exception) -> str:
    if isinstance(error, BrokenRowError):
        return str(error)
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]}"
    return "a value in it is not of the kind that stands there in an export"


class _Reading:
    """The lines of one export, each by its kind."""

    def __init__(self, record: Record, work: Incoming) -> None:
        self._record = record
        self._work = work
        self._origins: dict[str, int] = {}
        self._takes: dict[str, Callable[[Row], None]] = {
            "origin": self._origin,
            "content": self._content,
            "briefing": self._briefing,
            "counted": self._count,
            "statement": self._statement,
        }

    def take(self, row: Row) -> None:
        """Take in one line; one of a kind that a newer orch writes is left out, and said."""
        for kind, take in self._takes.items():
            if kind in row:
                take(row)
                return
        kind = str(next(iter(row), "(empty)"))
        remark = f"lines of a kind this orch does not know were left out: {kind[:40]}"
        if remark not in self._work.restored.remarks:
            self._work.restored.remarks.append(remark)

    def _origin(self, row: Row) -> None:
        uid = str(row["origin"])
        self._origins[uid] = learn_origin(self._record, {**row, "uid": uid})

    def _content(self, row: Row) -> None:
        told = row["data"]
        mark = next((mark for mark, name in MARKS.items() if row.get(name)), None) or b""
        data = base64.b64decode(told["base64"]) if isinstance(told, dict) else told
        self._work.take_content(
            bytes.fromhex(row["content"]),
            int(row["size"]),
            str(data).encode() if data is not None and not isinstance(data, bytes) else data,
            mark,
        )

    def _briefing(self, row: Row) -> None:
        sha256 = bytes.fromhex(row["briefing"])
        self._work.take_briefing(sha256, int(row["size"]), row["parts"])

    def _count(self, row: Row) -> None:
        if is_verdict(str(row["estimator"])):
            return
        self._record.execute(
            "INSERT INTO token_counts (sha256, estimator, tokens) VALUES (?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            [bytes.fromhex(row["counted"]), str(row["estimator"]), int(row["tokens"])],
        )

    def _statement(self, row: Row) -> None:
        log = []
        for uid, seq in row["log"]:
            if str(uid) not in self._origins:
                raise BrokenRowError(f"no line before it tells of its origin {str(uid)[:8]}")
            log.append((self._origins[str(uid)], int(seq)))
        told = PortableStatement.of(bytes.fromhex(row["statement"]), row)
        self._work.take_statement(told, log)
