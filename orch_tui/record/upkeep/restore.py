"""Taking the export of a record into another one, or back into the same.

Rows that travel have a uid: one that is known is the same thing and is left as it is. An
execution that both records know by a key of Claude Code is the same run, and what was observed of
it is added up. A label that is taken by something else is changed, and that is said.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orch_tui.errors import FormatError
from orch_tui.files import refused
from orch_tui.models.database import Record, Row
from orch_tui.models.schema import TABLES
from orch_tui.models.values import SCHEMA_VERSION
from orch_tui.record.ledger import contents, file_use, usage
from orch_tui.record.ledger.keys import owner_of
from orch_tui.record.ledger.observations import canonical, join, settle
from orch_tui.record.upkeep.export import FORMAT, VERSION

_COLUMNS = {
    table._meta.table_name: [field.column_name for field in table._meta.sorted_fields]
    for table in TABLES
}

_ENTRY = ("at", "actor", "action", "session_id", "execution_id", "subject", "before", "after")
"""What makes two entries of the journal the same."""


@dataclass(slots=True)
class Restored:
    """What became of the executions of an export, and what was changed on the way."""

    executions: set[str] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)


def is_export(first_line: bytes) -> bool:
    """Whether a file that begins so is the export of a record."""
    try:
        head = json.loads(first_line)
    except (ValueError, RecursionError):
        return False
    return isinstance(head, dict) and head.get("format") == FORMAT


def restore(record: Record, path: Path) -> Restored:
    """Take in an export, all of it or nothing; the same one again changes nothing.

    Raises:
        SourceError: the file cannot be read.
        FormatError: it is no export, of a newer orch, or broken; with the line.
    """
    with refused(str(path)), record.write():
        work = _Restore(record, _keys(path))
        for number, row in _rows(path):
            table = str(row.pop("table", ""))
            try:
                work.take(table, row)
            except (KeyError, TypeError, ValueError) as error:
                raise FormatError(f"{path}, line {number}: {table}: {error!r}") from error
        work.finish()
    return work.restored


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    """The rows after the head line, with the number of their line."""
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError("no object")
            except ValueError as error:
                raise FormatError(
                    f"{path}, line {number}: {error}", hint="export it again: it is not whole"
                ) from error
            if number > 1:
                yield number, {name: _value(value) for name, value in row.items()}
            elif row.get("version", 0) > VERSION or row.get("schema_version", 0) > SCHEMA_VERSION:
                raise FormatError(
                    f"{path} was written by a newer orch",
                    hint="upgrade orch: pip install --upgrade orch-tui",
                )


def _value(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"base64"}:
        return base64.b64decode(value["base64"])
    return value


def _keys(path: Path) -> dict[str, list[str]]:
    """What Claude Code calls each execution of the export; labels are no such names."""
    keys: dict[str, list[str]] = {}
    for _, row in _rows(path):
        if row.get("table") == "execution_keys" and not row["key"].startswith("id:"):
            keys.setdefault(row["execution_id"], []).append(row["key"])
    return keys


class _Restore:
    """The rows of one export on their way in; old names and numbers lead to ours."""

    def __init__(self, record: Record, keys: Mapping[str, list[str]]) -> None:
        self.restored = Restored()
        self._record = record
        self._keys = keys
        self._ids: dict[str, dict[Any, Any]] = {
            name: {}
            for name in (
                *("content_id", "briefing_id", "bundle_id", "version_id", "session_id"),
                *("planned_id", "execution_id"),
            )
        }
        self._fresh: set[str] = set()
        """Bundles, versions and executions (by our name) that are new here, so take all theirs."""
        self._parents: dict[str, str] = {}
        self._entries: list[Row] = []

    def take(self, table: str, row: Row) -> None:
        """One row; tables that are derived or of the other machine alone are left out."""
        take = getattr(self, f"_{table}", None)
        if take is not None:
            take(row)

    def finish(self) -> None:
        for child, parent in self._parents.items():
            self._record.execute(
                "UPDATE agent_executions SET parent_execution_id = ?, revision = revision + 1 "
                "WHERE execution_id = ? AND parent_execution_id IS NULL",
                [self._ids["execution_id"].get(parent), child],
            )
        self._keep_journal()
        self.restored.executions = {
            owner
            for label in self._ids["execution_id"].values()
            if (owner := owner_of(self._record, f"id:{label}"))
        }
        for label in self.restored.executions:
            usage.correct(self._record, label)
        settle(self._record, sorted(self.restored.executions))

    # Contents and what points to them

    def _contents(self, row: Row) -> None:
        data = row["data"]
        known = self._value("SELECT content_id FROM contents WHERE sha256 = ?", row["sha256"])
        if known is None and data is None:
            known = self._insert("contents", {**row, "encoding": "gone", "data": b""})
        elif known is None:
            known = contents.put(self._record, data)
        self._ids["content_id"][row["content_id"]] = known

    def _token_counts(self, row: Row) -> None:
        self._record.execute(
            "INSERT INTO token_counts (sha256, estimator, tokens) VALUES (?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            [row["sha256"], row["estimator"], row["tokens"]],
        )

    def _briefings(self, row: Row) -> None:
        known = self._value("SELECT briefing_id FROM briefings WHERE sha256 = ?", row["sha256"])
        if known is None:
            parts = [
                [kind, self._ids["content_id"][part] if kind == "content" else part]
                for kind, part in json.loads(row["parts"])
            ]
            known = self._insert("briefings", {**row, "parts": json.dumps(parts)})
        self._ids["briefing_id"][row["briefing_id"]] = known

    # What people named

    def _bundles(self, row: Row) -> None:
        label = self._named("bundles", "bundle_id", row)
        if label is None:
            return
        session = row["session_id"]
        self._insert(
            "bundles", {**row, "bundle_id": label, "session_id": self._of("session_id", session)}
        )
        self._fresh.add(f"bundle {label}")

    def _bundle_versions(self, row: Row) -> None:
        bundle_id = self._of("bundle_id", row["bundle_id"])
        same = self._record.sql(
            "SELECT version_id FROM bundle_versions "
            "WHERE bundle_id = ? AND version = ? AND created_at IS ? AND scope = ?",
            [bundle_id, row["version"], row["created_at"], row["scope"]],
        )
        if same:
            self._ids["version_id"][row["version_id"]] = same[0][0]
            return
        version = row["version"]
        if f"bundle {bundle_id}" not in self._fresh:
            taken = self._value(
                "SELECT max(version) FROM bundle_versions WHERE bundle_id = ?", bundle_id
            )
            if version <= (taken or 0):
                version = taken + 1
                self._remark(f"{bundle_id} version {row['version']}", f"version {version}")
        values = {
            "bundle_id": bundle_id,
            "version": version,
            "briefing_id": self._of("briefing_id", row["briefing_id"]),
        }
        known = self._insert("bundle_versions", {**row, **values})
        self._ids["version_id"][row["version_id"]] = known
        self._fresh.add(f"version {known}")

    def _bundle_items(self, row: Row) -> None:
        version_id = self._ids["version_id"][row["version_id"]]
        if f"version {version_id}" in self._fresh:
            content_id = self._of("content_id", row["content_id"])
            self._insert(
                "bundle_items", {**row, "version_id": version_id, "content_id": content_id}
            )

    def _sessions(self, row: Row) -> None:
        held = row.get("claude_session") and self._value(
            "SELECT session_id FROM sessions WHERE claude_session = ?", row["claude_session"]
        )
        if held:
            self._ids["session_id"][row["session_id"]] = held
            return
        label = self._named("sessions", "session_id", row)
        if label is not None:
            self._insert("sessions", {**row, "session_id": label})

    def _planned_agents(self, row: Row) -> None:
        known = self._value("SELECT planned_id FROM planned_agents WHERE uid = ?", row["uid"])
        if known is None:
            values = {
                "session_id": self._of("session_id", row["session_id"]),
                "bundle_id": self._of("bundle_id", row["bundle_id"]),
            }
            known = self._insert("planned_agents", {**row, **values})
        self._ids["planned_id"][row["planned_id"]] = known

    def _planned_waits(self, row: Row) -> None:
        ids = self._ids["planned_id"]
        self._record.execute(
            "INSERT INTO planned_waits (planned_id, waits_for) VALUES (?, ?) "
            "ON CONFLICT DO NOTHING",
            [ids[row["planned_id"]], ids[row["waits_for"]]],
        )

    # Executions and what is known of them

    def _agent_executions(self, row: Row) -> None:
        label = row["execution_id"]
        keys = self._keys.get(label, [])
        known = self._value("SELECT execution_id FROM agent_executions WHERE uid = ?", row["uid"])
        known = join(self._record, [*([f"id:{known}"] if known else []), *keys])
        if known is not None:
            self._ids["execution_id"][label] = known
            return
        ours = self._free("agent_executions", "execution_id", label)
        self._ids["execution_id"][label] = ours
        if row["parent_execution_id"]:
            self._parents[ours] = row["parent_execution_id"]
        self._insert(
            "agent_executions",
            {
                **row,
                "execution_id": ours,
                "session_id": self._of("session_id", row["session_id"]),
                "planned_id": self._of("planned_id", row["planned_id"]),
                "bundle_version_id": self._of("version_id", row["bundle_version_id"]),
                "briefing_id": self._of("briefing_id", row["briefing_id"]),
                "parent_execution_id": None,
                "revision": max(1, row["revision"]),  # none is raw SQL's
            },
        )
        self._fresh.add(f"execution {ours}")
        for key in (f"id:{ours}", *keys):
            self._record.execute(
                "INSERT INTO execution_keys (key, execution_id) VALUES (?, ?)", [key, ours]
            )

    def _execution_keys(self, row: Row) -> None:
        """Labels an execution was known by before it was united with another."""
        key, label = row["key"], row["execution_id"]
        if key.startswith("id:") and key != f"id:{label}" and owner_of(self._record, key) is None:
            join(self._record, [f"id:{self._ids['execution_id'][label]}", key])

    def _observations(self, row: Row) -> None:
        ours = self._owner(row["execution_id"])
        payload = json.loads(row["payload"])
        for name, kind in (
            *(("message_id", "content_id"), ("briefing_id", "briefing_id")),
            *(("planned_id", "planned_id"), ("bundle_version_id", "version_id")),
            ("session_id", "session_id"),
        ):
            if payload.get(name) is not None:
                payload[name] = self._of(kind, payload[name])
        digest = row["digest"]
        if ours != row["execution_id"] and row["source"] in ("manual", "api"):
            # what people say is known by the label of the execution, which is another's here
            digest = hashlib.sha256(f"{digest} {ours}".encode()).hexdigest()
        values = [digest, ours, *(row[c] for c in ("kind", "source", "at", "recorded_at", "actor"))]
        self._record.execute(
            "INSERT INTO observations (digest, execution_id, kind, source, at, recorded_at, actor, "
            "payload, pending) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
            [*values, canonical(payload), row["pending"]],
        )

    def _context_allocations(self, row: Row) -> None:
        ours = self._owner(row["execution_id"])
        if f"execution {ours}" in self._fresh:
            content_id = self._of("content_id", row["content_id"])
            self._insert(
                "context_allocations", {**row, "execution_id": ours, "content_id": content_id}
            )

    def _outputs(self, row: Row) -> None:
        if self._value("SELECT 1 FROM outputs WHERE uid = ?", row["uid"]) is None:
            values = {
                "execution_id": self._owner(row["execution_id"]),
                "content_id": self._of("content_id", row["content_id"]),
            }
            self._insert("outputs", {**row, **values})

    def _usage_messages(self, row: Row) -> None:
        values = {**row, "execution_id": self._owner(row["execution_id"])}
        columns = _COLUMNS["usage_messages"]
        self._record.execute(
            f"INSERT INTO usage_messages ({', '.join(columns)}) "
            f"VALUES ({', '.join('?' * len(columns))}) {usage.GROWS}",
            [values.get(column) for column in columns],
        )

    def _execution_files(self, row: Row) -> None:
        ours = self._owner(row["execution_id"])
        for action in ("read", "written"):
            if row[f"{action}_at"]:
                touched = file_use.Touched(row["path"], action, row[f"{action}_at"])
                file_use.put(self._record, ours, [touched])

    def _journal(self, row: Row) -> None:
        """Kept until the executions are known, to whose labels it refers."""
        self._entries.append(row)

    def _keep_journal(self) -> None:
        held = {
            tuple(entry) for entry in self._record.sql(f"SELECT {', '.join(_ENTRY)} FROM journal")
        }
        for row in self._entries:
            row["session_id"] = self._of("session_id", row["session_id"])
            row["execution_id"] = self._of("execution_id", row["execution_id"])
            if tuple(row[column] for column in _ENTRY) not in held:
                self._insert("journal", row)

    # Names and numbers

    def _owner(self, label: str) -> str:
        """The execution a label of the export leads to, also after a later row united it."""
        ours = self._ids["execution_id"][label]
        return owner_of(self._record, f"id:{ours}") or str(ours)

    def _of(self, kind: str, old: Any) -> Any:
        """Our id for one of the export; one that is not in the export stays as it is."""
        return self._ids[kind].get(old, old)

    def _named(self, table: str, column: str, row: Row) -> str | None:
        """The label for a row that is new here; None: it is known."""
        known = self._value(f"SELECT {column} FROM {table} WHERE uid = ?", row["uid"])
        label = known or self._free(table, column, row[column])
        self._ids[column][row[column]] = label
        return None if known else str(label)

    def _free(self, table: str, column: str, label: str) -> str:
        """The label itself or, where something else has it, one made from it."""
        ours, number = label, 1
        while self._value(f"SELECT 1 FROM {table} WHERE {column} = ?", ours) or (
            table == "agent_executions" and owner_of(self._record, f"id:{ours}")
        ):
            number += 1
            ours = f"{label}-{number}"
        if ours != label:
            self._remark(label, ours)
        return ours

    def _remark(self, theirs: str, ours: str) -> None:
        self.restored.remarks.append(f"{theirs} is taken by another here: imported as {ours}")

    def _value(self, statement: str, parameter: Any) -> Any:
        return self._record.value(statement, [parameter])

    def _insert(self, table: str, row: Row) -> int:
        """Insert a row; a number of its own that counts rows is given anew."""
        own = {"contents": "content_id", "briefings": "briefing_id", "outputs": "output_id"}
        own |= {"bundle_versions": "version_id", "bundle_items": "item_id"}
        own |= {"journal": "seq"}
        own |= {"planned_agents": "planned_id", "context_allocations": "allocation_id"}
        columns = [c for c in _COLUMNS[table] if c in row and c != own.get(table)]
        cursor = self._record.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
            [row[column] for column in columns],
        )
        return int(cursor.lastrowid or 0)
