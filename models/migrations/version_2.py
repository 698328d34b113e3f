"""Schema version 2, and the step that makes it of version 1: statements become portable.

What was stated names contents, briefings, sessions, plans and runs by what they are called in
every record, no longer by numbers and labels of this one. Rows that nobody stated, and that are
derived from statements now (outputs, what a run was given, what it used), get one statement each
run that says what they hold. What is derived is noted in ``changed_rows`` and made anew by the
engine. Numbers of rows stay, so the search index does.

Frozen once it is released: nothing of the ledger is imported, since that goes on.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from orch_tui.models.creation import split_statements
from orch_tui.models.migrations import version_1
from orch_tui.models.migrations.shapes import (
    Part,
    complete_indexes,
    complete_tables,
    named,
    parts_of,
    quoted,
    remake_table,
    set_aside,
    version_script,
    version_shape,
)
from orch_tui.models.migrations.step import Step
from orch_tui.models.values import as_time

_A_STRETCH = 500
"""Rows between two words of progress."""


def upgrade(database: sqlite3.Connection, step: Step) -> None:
    """Make version 2 of version 1, whichever of its shapes it has."""
    users = _set_users_parts_aside(database)
    version_1.complete(database)
    _change_tables(database)
    _Statements(database, step).convert()
    _change_journal(database)
    complete_indexes(database, version_shape(2), _names_of_version_1())
    _note_changes(database)
    for statement in split_statements(version_script(2)):
        if statement.lstrip().startswith(("CREATE TRIGGER", "CREATE VIEW", "INSERT")):
            database.execute(statement)
    _put_users_parts_back(database, step, users)


# Tables

_HASHED = ("contents", "briefings", "token_counts")
"""Tables whose ``sha256`` was text in hexadecimal."""


def _names_of_version_1() -> set[str]:
    """What parts of version 1 were called, in any of its shapes."""
    return {part.name for part in version_shape(1).parts} | {"agent_executions_deployed_at"}


def _digest_of_hex(value: Any) -> bytes:
    """A digest as bytes; of what is none, one of its own."""
    if isinstance(value, bytes):
        return value
    with suppress(ValueError):
        return bytes.fromhex(str(value))
    return hashlib.sha256(str(value).encode("utf-8", "surrogatepass")).digest()


def _change_tables(database: sqlite3.Connection) -> None:
    """Give every table but the observations its new columns, and digests as bytes."""
    database.create_function("digest_of", 1, _digest_of_hex, deterministic=True)
    database.create_function("packed", 1, _pack_text, deterministic=True)
    tables = named(version_shape(2).parts, "table")
    for name in _HASHED:
        columns = {column: quoted(column) for column in version_shape(2).columns[name]}
        values = columns | {"sha256": 'digest_of("sha256")'}
        if name == "briefings":
            values["parts"] = 'packed("parts")'
        remake_table(database, tables[name], values)
    database.execute("UPDATE import_checkpoints SET state = packed(state) WHERE state IS NOT NULL")
    _change_versions(database, tables["bundle_versions"])
    _change_search(database, tables["search_docs"])
    older = version_shape(2)._replace(
        parts=tuple(p for p in version_shape(2).parts if p.name != "observations")
    )
    complete_tables(database, older)
    database.execute("INSERT INTO record_facts (name, value) VALUES ('index_version', '1')")
    database.execute("INSERT INTO record_facts (name, value) VALUES ('reading_version', '1')")
    database.execute(
        "INSERT INTO inputs_set_aside (path, reason, size, mtime_ns) "
        "SELECT path, substr(note, 12), size, mtime_ns FROM import_checkpoints "
        "WHERE note GLOB 'set aside: *'"
    )
    database.execute(
        "UPDATE import_checkpoints SET note = 'set aside' WHERE note GLOB 'set aside: *'"
    )
    # whether a session of Claude Code goes on is worked out from when it ended and was heard of
    database.execute(
        "UPDATE sessions SET ended_at = completed_at "
        "WHERE claude_session IS NOT NULL AND status = 'completed'"
    )
    # rows of these without a revision are taken for plain SQL's
    database.execute("UPDATE outputs SET revision = 1")
    database.execute("UPDATE context_allocations SET revision = 1")


def _change_versions(database: sqlite3.Connection, part: Part) -> None:
    """Give the versions of bundles a uid: the same one in every copy of a record."""
    older = set_aside(database, part)
    columns = [*version_shape(1).columns["bundle_versions"]]
    listed = ", ".join(map(quoted, columns))
    rows = database.execute(
        f"SELECT coalesce(b.uid, v.bundle_id), {', '.join(f'v.{quoted(c)}' for c in columns)} "
        f"FROM {older} AS v LEFT JOIN bundles AS b USING (bundle_id) ORDER BY version_id"
    ).fetchall()
    for bundle, *values in rows:
        said = dict(zip(columns, values, strict=True))
        name = [bundle, *(said[c] for c in ("version", "created_at", "agent_type", "scope"))]
        uid = hashlib.sha256(_canonical(name).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        database.execute(
            f"INSERT INTO bundle_versions (uid, {listed}) VALUES (?{', ?' * len(columns)})",
            [uid, *values],
        )
    database.execute(f"DROP TABLE {older}")


def _change_search(database: sqlite3.Connection, part: Part) -> None:
    """Keep the search index as version 1 of it: it is asked until all is indexed anew."""
    values = {column: quoted(column) for column in version_shape(1).columns["search_docs"]}
    for column, older in (
        ("deployed_at", "at"),
        ("message_content_id", "said_id"),
        ("small_fields", "kept"),
    ):
        values[column] = values.pop(older)
    remake_table(database, part, values | {"index_version": "1"})
    database.execute("DROP TABLE search_terms")


def _change_journal(database: sqlite3.Connection) -> None:
    """Leave out entries that are derived; name collected outputs by their uid."""
    database.execute("DELETE FROM journal WHERE action IN ('execution', 'unite')")
    collected = database.execute("SELECT seq, after FROM journal WHERE action = 'collect'")
    for seq, text in collected.fetchall():
        after = _object(text)
        numbers = after.get("outputs")
        if not isinstance(numbers, list):
            continue
        uids = []
        for number in numbers:
            uid = _first(database, "SELECT uid FROM outputs WHERE output_id = ?", number)
            uids.append(number if uid is None else uid)
        database.execute(
            "UPDATE journal SET after = ? WHERE seq = ?",
            [json.dumps({**after, "outputs": uids}, ensure_ascii=False), seq],
        )


def _note_changes(database: sqlite3.Connection) -> None:
    """Note what must be stated or made anew, and which runs the search does not know."""
    for kind, table in (
        ("session", "sessions"),
        ("planned", "planned_agents"),
        ("bundle", "bundles"),
        ("version", "bundle_versions"),
    ):
        database.execute(f"INSERT INTO changed_rows (subject) SELECT '{kind}:' || uid FROM {table}")
    database.execute(
        "INSERT INTO changed_rows (subject) SELECT 'run:' || execution_id FROM agent_executions"
    )
    database.execute(
        "INSERT INTO search_pending (execution_id) SELECT execution_id FROM agent_executions "
        "WHERE retracted_at IS NULL "
        "AND execution_id NOT IN (SELECT execution_id FROM search_docs)"
    )


# What the user added


def _set_users_parts_aside(database: sqlite3.Connection) -> list[Part]:
    """Drop every trigger; gives the indexes and triggers that are not orch's."""
    ours = _names_of_version_1()
    parts = [part for part in parts_of(database) if part.kind in ("index", "trigger")]
    for part in parts:
        if part.kind == "trigger":
            database.execute(f"DROP TRIGGER {quoted(part.name)}")
    return [part for part in parts if part.name not in ours]


def _put_users_parts_back(database: sqlite3.Connection, step: Step, parts: list[Part]) -> None:
    """Make the user's indexes and triggers again; the journal keeps one that cannot be."""
    held = {part.name for part in parts_of(database)}
    for part in parts:
        if part.name in held:
            continue
        try:
            database.execute(part.sql)
        except sqlite3.Error:
            database.execute(
                "INSERT INTO journal (at, actor, action, subject, before) "
                "VALUES (?, ?, 'migrate', ?, ?)",
                [step.now, step.actor, f"{part.kind} {part.name}", json.dumps(part.sql)],
            )


# Statements


_Values = dict[str, Any]


class _Run(NamedTuple):
    uid: str | None
    """None: plain SQL deleted its row."""
    at: str
    """When it was deployed or, where nobody knows that, returned."""
    about: str | None
    """Its keys at Claude Code, as JSON; None: it has none."""


_STATED = ("observations", "outputs", "context_allocations", "usage_messages", "execution_files")
"""The tables whose rows are, or become, statements."""


class _Statements:
    """The observations of one record, and what becomes statements."""

    def __init__(self, database: sqlite3.Connection, step: Step) -> None:
        self._database = database
        self._step = step
        self._run = lru_cache(maxsize=20_000)(self._read_run)
        counts = (f"(SELECT count(*) FROM {table})" for table in _STATED)
        self._rows: int = database.execute(f"SELECT {' + '.join(counts)}").fetchone()[0]
        self._done = 0

    def _progress(self, rows: int) -> None:
        before = self._done // _A_STRETCH
        self._done += rows
        if self._done // _A_STRETCH > before:
            self._step.progress(self._done, self._rows)

    def convert(self) -> None:
        """Write the table of observations anew, and statements for what had none."""
        database = self._database
        part = named(version_shape(2).parts, "table")["observations"]
        older = set_aside(database, part)
        self._convert_observations(older)
        database.execute(f"DROP TABLE {older}")
        self._state_rows("delivered", "outputs", "output_id", _OUTPUT, _delivered)
        self._state_rows(
            "allocated", "context_allocations", "allocation_id", _ALLOCATION, _allocated
        )
        self._state_use()
        self._state_untold()
        database.execute(
            "INSERT INTO execution_keys (key, execution_id) "
            "SELECT 'uid:' || uid, execution_id FROM agent_executions WHERE true "
            "ON CONFLICT (key) DO NOTHING"
        )

    def _read_run(self, execution_id: str) -> _Run:
        rows = self._database.execute(
            "SELECT uid, coalesce(deployed_at, completed_at, ?) FROM agent_executions "
            "WHERE execution_id = ?",
            [self._step.now, execution_id],
        ).fetchall()
        keys = self._database.execute(
            "SELECT key FROM execution_keys WHERE execution_id = ? "
            "AND (key GLOB 'tool:*' OR key GLOB 'call:*' OR key GLOB 'agent:*') ORDER BY key",
            [execution_id],
        ).fetchall()
        uid, at = rows[0] if rows else (None, self._step.now)
        return _Run(uid, str(at), _canonical([key for (key,) in keys]) if keys else None)

    # What was observed

    def _convert_observations(self, older: str) -> None:
        database = self._database
        rows = database.execute(
            "SELECT observation_id, digest, execution_id, kind, source, "
            "coalesce(at, recorded_at, ?), recorded_at, actor, payload, pending "
            f"FROM {older} ORDER BY observation_id",
            [self._step.now],
        )
        for stretch in _stretches(rows):
            database.executemany(
                "INSERT INTO observations (observation_id, digest, execution_id, kind, source, at, "
                "recorded_at, actor, about, payload, pending) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [self._converted(older, *row) for row in stretch],
            )
            self._progress(len(stretch))

    def _converted(
        self,
        older: str,
        number: int,
        digest: Any,
        execution_id: str,
        kind: str,
        source: str,
        at: str,
        recorded_at: str,
        actor: str | None,
        payload: Any,
        pending: int,
    ) -> tuple[Any, ...]:
        run = self._run(execution_id)
        by_machine = source in _MACHINES
        about = run.about if by_machine and run.about else _about_of(run.uid)
        said = _object(payload)
        if pending:
            body: str | bytes = _canonical({"now": said})
        else:
            body = _pack(self._said(older, kind, said))
        return (
            *(number, _new_digest(digest, source, run.uid), execution_id, kind, source, at),
            *(recorded_at, actor, about, body, pending),
        )

    def _said(self, older: str, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The fields of a statement, for the payload of an observation."""
        said: dict[str, Any] = {}
        for name, value in payload.items():
            if value is None:
                continue
            if name == "supersedes" and isinstance(value, list):
                said[name] = [self._superseded(older, digest) for digest in value]
            elif name in _REFERENCES:
                field, query = _REFERENCES[name]
                found = _first(self._database, query, value)
                said[name if found is None else field] = value if found is None else found
            elif kind == "sql":
                said[name] = _EDITED.get(name, lambda kept: kept)(value)
            else:
                said[name] = value
        return {name: value for name, value in said.items() if value is not None}

    def _superseded(self, older: str, digest: Any) -> str:
        rows = self._database.execute(
            f"SELECT o.source, uid FROM {older} AS o "
            "LEFT JOIN agent_executions USING (execution_id) "
            "WHERE digest = ?",
            [digest],
        ).fetchall()
        return _new_digest(digest, *rows[0]).hex() if rows else str(digest)

    # What nobody had to state

    def _state(
        self, kind: str, execution_id: str, said: dict[str, Any], source: str, at: str | None
    ) -> None:
        """Store a statement that every copy of this record makes alike."""
        run = self._run(execution_id)
        if run.uid is None:
            return
        told = _canonical([kind, run.uid, said]).encode("utf-8", "surrogatepass")
        self._database.execute(
            "INSERT INTO observations (digest, execution_id, kind, source, at, recorded_at, actor, "
            "about, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                *(hashlib.sha256(told).digest(), execution_id, kind, source, at or run.at),
                *(self._step.now, self._step.actor, _about_of(run.uid), _pack(said)),
            ],
        )

    def _state_rows(
        self,
        kind: str,
        table: str,
        number: str,
        columns: Sequence[str],
        statement: Callable[[list[_Values]], tuple[dict[str, Any], str | None]],
    ) -> None:
        """State what the rows of a table say, those of each run together."""
        listed = ", ".join(f"t.{quoted(column)}" for column in columns)
        rows = self._database.execute(
            f"SELECT t.execution_id, lower(hex(c.sha256)), {listed} FROM {table} AS t "
            f"LEFT JOIN contents AS c USING (content_id) ORDER BY t.execution_id, t.{number}"
        )
        for execution_id, its in _by_run(rows):
            said, at = statement([dict(zip(("kept", *columns), row, strict=True)) for row in its])
            self._state(kind, execution_id, said, "sql", at)
            self._progress(len(its))

    def _state_use(self) -> None:
        """State what each run used of models and files."""
        listed = ", ".join(map(quoted, _USAGE))
        messages = _by_run(
            self._database.execute(
                f"SELECT execution_id, {listed} FROM usage_messages "
                "ORDER BY execution_id, message_id"
            )
        )
        files = _by_run(
            self._database.execute(
                "SELECT execution_id, path, read_at, written_at FROM execution_files "
                "ORDER BY execution_id, path"
            )
        )
        for execution_id, uses, touched in _side_by_side(messages, files):
            said = {
                "messages": [
                    _trimmed(read(value) for read, value in zip(_USAGE.values(), row, strict=True))
                    for row in uses
                ],
                "files": [_trimmed(map(_text, row)) for row in touched],
            }
            at = min((str(row[1]) for row in uses if row[1]), default=None)
            self._state(
                "used", execution_id, {n: parts for n, parts in said.items() if parts}, "import", at
            )
            self._progress(len(uses) + len(touched))

    def _state_untold(self) -> None:
        """Take the rows of runs about which there is no statement as plain SQL's word."""
        columns = version_1.ORIGINAL["agent_executions"][1:]
        listed = ", ".join(map(quoted, columns))
        rows = self._database.execute(
            f"SELECT execution_id, uid, {listed} FROM agent_executions WHERE execution_id NOT IN "
            "(SELECT execution_id FROM observations WHERE kind IN "
            "('deployed', 'noted', 'returned', 'retracted', 'sql'))"
        ).fetchall()
        for execution_id, uid, *values in rows:
            now = {c: _as_json(v) for c, v in zip(columns, values, strict=True)}
            told = f"untold {uid}".encode("utf-8", "surrogatepass")
            self._database.execute(
                "INSERT INTO observations (digest, execution_id, kind, source, at, payload, "
                "pending) VALUES (?, ?, 'sql', 'sql', ?, ?, 1) ON CONFLICT DO NOTHING",
                [
                    *(hashlib.sha256(told).digest(), execution_id, self._run(execution_id).at),
                    _canonical({"now": now}),
                ],
            )


_MACHINES = ("hook", "import")

_REFERENCES = {
    "message_id": (
        "message",
        "SELECT lower(hex(sha256)) FROM contents WHERE content_id = ?",
    ),
    "briefing_id": (
        "briefing",
        "SELECT lower(hex(sha256)) FROM briefings WHERE briefing_id = ?",
    ),
    "session_id": (
        "session",
        "SELECT coalesce('claude:' || claude_session, 'session:' || uid) FROM sessions "
        "WHERE session_id = ?",
    ),
    "planned_id": ("planned", "SELECT 'planned:' || uid FROM planned_agents WHERE planned_id = ?"),
    "bundle_version_id": (
        "bundle_version",
        "SELECT 'version:' || uid FROM bundle_versions WHERE version_id = ?",
    ),
}
"""Names of rows in a payload, with the field that takes their place and what is said there."""


def _new_digest(digest: Any, source: str, uid: str | None) -> bytes:
    """What a statement is recognised by: people's were known by the label of the run, which other
    records give to other runs."""
    if source in _MACHINES:
        return _digest_of_hex(digest)
    return hashlib.sha256(f"{digest}{uid or ''}".encode("utf-8", "surrogatepass")).digest()


_OUTPUT = (
    *("uid", "output_type", "content", "created_at", "metadata", "found", "path", "sha256"),
    *("size", "retracted_at"),
)


def _delivered(rows: list[_Values]) -> tuple[dict[str, Any], str | None]:
    outputs = [
        _trimmed(
            [
                *(_text(row["uid"]) or "", row["output_type"], _text(row["content"])),
                *(_text(row["created_at"]), _text(row["metadata"]), int(bool(row["found"]))),
                *(_text(row["path"]), _text(row["sha256"]), _number(row["size"]), row["kept"]),
                _text(row["retracted_at"]),
            ]
        )
        for row in rows
    ]
    times = [str(at) for row in rows if (at := row["created_at"]) and as_time(at) == at]
    return {"outputs": outputs}, max(times, default=None)


_ALLOCATION = (
    *("context_type", "context_source", "token_count", "included_in_deployment", "position"),
    *("priority", "sections", "estimator", "token_low", "token_high"),
)


def _allocated(rows: list[_Values]) -> tuple[dict[str, Any], str | None]:
    items = [
        _trimmed(
            [
                *(row["context_type"], _text(row["context_source"]), _number(row["token_count"])),
                *(_number(row["included_in_deployment"]), _number(row["position"])),
                *(row["priority"], _text(row["sections"]), _text(row["estimator"])),
                *(_number(row["token_low"]), _number(row["token_high"]), row["kept"]),
            ]
        )
        for row in rows
    ]
    return {"items": items, "whole": True}, None


# Values


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.encode("utf-8", "replace").decode()


def _number(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if -(1 << 63) <= number < 1 << 63 else None


def _real(value: Any) -> float | None:
    return value if isinstance(value, int | float) else None


def _as_json(value: Any) -> Any:
    """A column's value as JSON can say it."""
    return value if isinstance(value, int | float) else _text(value)


def _time(value: Any) -> str:
    return str(as_time(value))


_EDITED: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("agent_type", "status", "scope", "model", "error_message"), _text),
    "context_token_count": _number,
    "success": lambda value: bool(_number(value)),
    "deployed_at": _time,
    "completed_at": _time,
}
"""What a column that plain SQL changed is as a field."""


_USAGE: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("message_id", "at", "model"), _text),
    **dict.fromkeys(
        (
            *("input_tokens", "cache_write_tokens", "cache_read_tokens", "output_tokens"),
            "tool_calls",
        ),
        lambda value: _number(value) or 0,
    ),
    **dict.fromkeys(("cost_usd", "output_price"), _real),
    **dict.fromkeys(("price_date", "price_tier"), _text),
}
"""What the columns of a message's usage are in a statement."""


def _object(text: Any) -> dict[str, Any]:
    """The object that JSON text holds; text that holds none is kept as it is."""
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"unread": _text(text)}


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _pack(said: dict[str, Any]) -> str | bytes:
    """A statement as it is stored: JSON text, or that compressed where it pays."""
    packed: str | bytes = _pack_text(_canonical(said))
    return packed


def _pack_text(text: Any) -> Any:
    """A text of 300 characters or more compressed; what is none as it is."""
    if not isinstance(text, str) or len(text) < 300:
        return text
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 6)


def _about_of(uid: str | None) -> str | None:
    return None if uid is None else _canonical([f"uid:{uid}"])


def _trimmed(values: Iterable[Any]) -> list[Any]:
    """An array that ends with the last thing it says."""
    said = list(values)
    while said and said[-1] is None:
        said.pop()
    return said


def _first(database: sqlite3.Connection, query: str, value: Any) -> Any:
    row = database.execute(query, [value]).fetchone()
    return row[0] if row else None


# Rows


def _stretches(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while stretch := [row for _, row in zip(range(_A_STRETCH), rows, strict=False)]:
        yield stretch


def _by_run(rows: Iterator[Any]) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Rows that come ordered by their first column, those of each run together."""
    for execution_id, its in groupby(rows, key=lambda row: row[0]):
        yield execution_id, [tuple(row[1:]) for row in its]


_Grouped = Iterator[tuple[str, list[tuple[Any, ...]]]]


def _side_by_side(
    messages: _Grouped, files: _Grouped
) -> Iterator[tuple[str, list[tuple[Any, ...]], list[tuple[Any, ...]]]]:
    """The groups of two ordered streams by run, an empty one where a stream has none."""
    left, right = next(messages, None), next(files, None)
    while left or right:
        name = min((group[0] for group in (left, right) if group), key=str)
        uses = left[1] if left and left[0] == name else []
        touched = right[1] if right and right[0] == name else []
        yield name, uses, touched
        if left and left[0] == name:
            left = next(messages, None)
        if right and right[0] == name:
            right = next(files, None)
