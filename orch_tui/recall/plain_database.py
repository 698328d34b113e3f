"""A copy of the record for other tools: an SQLite file with plain text in every cell.

The record keeps texts packed and once; here each run has its own, so that datasette, sqlite-utils,
duckdb or the shell of SQLite read and search it without orch. Nothing is ever read back from it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from orch_tui.errors import ConflictError, SourceError
from orch_tui.files import refuse_link, refused_writing
from orch_tui.models.database import Record
from orch_tui.record import executions, outputs
from orch_tui.record.ledger import briefings, contents
from orch_tui.rows import Allocation, Completion, ExecutionFacts, Output, Session, columns

_TABLES = {
    "sessions": (Session, ()),
    "runs": (ExecutionFacts, ("briefing", "handed_over")),
    "given": (Allocation, ("text",)),
    "said": (Completion, ("text",)),
    "outputs": (Output, ()),
}
"""The tables of the copy: the rows that orch hands out, and the texts that stand beside them. The
first column names a row."""

_KINDS = {"int": "INTEGER", "bool": "INTEGER", "float": "REAL"}
"""The type of a column by that of its field; all others are text. A column without one is bytes
to duckdb."""
_TARGETS = {"session_id": "sessions", "execution_id": "runs"}
"""The tables that columns point to, for tools that follow them."""

_SEARCH = """
CREATE INDEX given_by_run ON given (execution_id);
CREATE INDEX said_by_run ON said (execution_id);
CREATE INDEX outputs_by_run ON outputs (execution_id);
CREATE INDEX runs_by_session ON runs (session_id);
CREATE VIRTUAL TABLE texts USING fts5(execution_id UNINDEXED, scope, briefing, final_message);
INSERT INTO texts SELECT execution_id, scope, briefing, final_message FROM runs;
"""


def write_plain_database(record: Record, target: Path) -> Generator[str, None, None]:
    """Write the copy to a file that is not there yet; gives the label of each run as it is done.

    The tables are ``sessions``, ``runs``, ``given``, ``said`` and ``outputs``, and ``texts`` for
    full-text search (FTS5). Retracted runs are left out. What is not finished is not there.

    Raises:
        ConflictError: the file is there already.
        SourceError: it cannot be written there.
    """
    refuse_link(target, str(target))
    if os.path.lexists(target):
        raise ConflictError(f"{target} is there already", hint="name a file that is not there yet")
    unfinished = target.with_name(f".{target.name[:40]}.{os.urandom(4).hex()}.tmp")
    with refused_writing(str(target)):
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        # a connection of its own: all rows are of one moment, though the caller writes meanwhile
        with (
            Record(record.path, create=False, writable=False) as view,
            view.read(),
            closing(sqlite3.connect(unfinished)) as copy,
        ):
            yield from _copy_rows(view, copy)
        with refused_writing(str(target)):
            os.replace(unfinished, target)
    except sqlite3.Error as error:
        raise SourceError(str(target), f"cannot be written: {error}") from error
    finally:
        if os.path.lexists(unfinished):
            unfinished.unlink()


def _copy_rows(record: Record, copy: sqlite3.Connection) -> Iterator[str]:
    copy.execute("PRAGMA synchronous = OFF")  # the file has no name until all of it is written
    for table, (fact, texts) in _TABLES.items():
        defined = [_define_column(table, field.name, str(field.type)) for field in fields(fact)]
        defined[0] += " PRIMARY KEY"
        defined += [f"{name} TEXT" for name in texts]
        copy.execute(f"CREATE TABLE {table} ({', '.join(defined)})")
    sessions = record.rows(f"SELECT {columns(Session)} FROM sessions ORDER BY created_at, rowid")
    _insert(copy, "sessions", (asdict(Session.of(row)) for row in sessions))
    # Plain SQL may have put anything where the label stands: a run is read by its number.
    runs = "SELECT rowid, execution_id FROM agent_executions WHERE retracted_at IS NULL"
    for number, label in record.sql(f"{runs} ORDER BY rowid"):
        for execution in executions.select_executions(record, "rowid = ?", [number]):
            _copy_run(record, copy, label, execution)
            yield execution.execution_id
    copy.executescript(_SEARCH)
    copy.commit()


def _define_column(table: str, name: str, kind: str) -> str:
    target = _TARGETS.get(name, table)
    points = f" REFERENCES {target} ({name})" if target != table else ""
    return f"{name} {_KINDS.get(kind.partition(' ')[0], 'TEXT')}{points}"


def _copy_run(
    record: Record, copy: sqlite3.Connection, label: Any, execution: ExecutionFacts
) -> None:
    briefing = _read_briefing(record, execution.briefing_id)
    handed_over = _read_briefing(record, execution.handed_over_id)
    row = {**asdict(execution), "briefing": briefing, "handed_over": handed_over or briefing}
    _insert(copy, "runs", [row])
    given = executions.list_allocations(record, label)
    _insert(
        copy,
        "given",
        ({**asdict(a), "text": contents.get_content_text(record, a.content_id)} for a in given),
    )
    said = executions.list_completions(record, label)
    _insert(
        copy,
        "said",
        ({**asdict(c), "text": contents.get_content_text(record, c.message_id)} for c in said),
    )
    found = outputs.list_execution_outputs(record, label)
    _insert(copy, "outputs", map(asdict, found))


def _read_briefing(record: Record, briefing_id: int | None) -> str | None:
    if briefing_id is None:
        return None
    return briefings.get_briefing(record, briefing_id).decode("utf-8", "replace")


def _insert(copy: sqlite3.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        places = ", ".join("?" * len(row))
        statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})"
        name, *values = map(_plain, row.values())
        try:
            copy.execute(statement, [name, *values])
        except sqlite3.IntegrityError:  # plain SQL can name two rows by the same bytes and text
            number = copy.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            copy.execute(statement, [f"{name} ({number + 1})", *values])


def _plain(value: Any) -> Any:
    """Give what SQLite keeps: what is no text or number as JSON."""
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text.encode("utf-8", "replace").decode()  # JSON may name half a letter
