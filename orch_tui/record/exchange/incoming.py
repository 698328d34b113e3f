"""Taking in what other records state: origins, contents, briefings and statements.

From a file or from a hub, all come this way. What is known already changes nothing, whatever way
it came; what is new is taken in as if it had been said here. So records that exchange their
statements in any order, any number of times, end with the same sessions, plans, bundles, runs and
journal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import pack_parts
from orch_tui.record import claude_sessions
from orch_tui.record.exchange.awaited_references import AwaitedReferences, is_here
from orch_tui.record.exchange.outgoing import PortableStatement, read_statements
from orch_tui.record.ledger import briefings, contents, portable, registers
from orch_tui.record.ledger.contents import UNSENT_BYTES
from orch_tui.record.ledger.keys import owner_of
from orch_tui.record.ledger.origins import (
    reassign_log,
)
from orch_tui.record.ledger.raw_sql import ingest_noted_changes
from orch_tui.record.ledger.rebuild import rebuild_from_statements
from orch_tui.record.ledger.resolve import (
    create_execution,
    join_halves,
    learn_keys,
    resolve_execution,
)
from orch_tui.record.ledger.statement import (
    decode_statement,
    describe_problem,
    pack_fields,
    pack_statement,
)
from orch_tui.record.ledger.store import StoredStatement, find_statement, insert_statement
from orch_tui.record.upkeep.redacted_before import RedactedBefore

Row = dict[str, Any]

_UNTOLD = "(not recorded)"
"""The scope of a session that statements name and nobody described."""


_UNNAMED = "unknown"
"""The uid of what stands for a session or bundle of which nobody told which it is."""


@dataclass(slots=True)
class Restored:
    """What became of the executions of an export, and what a person should know of it."""

    executions: set[str] = field(default_factory=set)
    """All that it tells of, known before or not."""
    statements: int = 0
    """How many were new."""
    remarks: list[str] = field(default_factory=list)


class BrokenRowError(ValueError):
    """What was told is nothing that orch states, with the reason in words."""


@contextmanager
def incoming_statements(record: Record) -> Iterator[Incoming]:
    """Take in what is told meanwhile, all of it or nothing, in one transaction."""
    with record.write():
        ingest_noted_changes(record)
        work = Incoming(record)
        yield work
        work.finish()
    if work.redacted.met:
        record.squeeze()
        work.restored.remarks.append("what was redacted here before was left out")


_FEW_ENTRIES = 200
"""Of the journal, that are looked for one by one."""


class _Life(NamedTuple):
    """What is known of an origin."""

    mine: bool
    name: str


class Incoming:
    """What others tell a record, within one transaction of it; ``finish`` makes the rows.

    Contents come before the briefings that quote them, both before the statements that name them,
    and origins before what they stated. What a statement points to and nobody told of yet is made
    up for when it comes.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self.restored = Restored()
        self.redacted = RedactedBefore(record)
        self._touched: dict[str, None] = {}
        self._claude_sessions: set[str] = set()
        self._known: list[int] = []
        """Statements that were stored already."""
        self._versions: set[int | str] = set()
        """Of bundles, that were told of."""
        self._forks: dict[int, dict[int, int]] = {}
        """By origin what others know as its statements of some numbers, and this record not."""
        self._own_last: dict[int, int] = dict(
            record.sql(
                "SELECT origin_id, coalesce((SELECT max(seq) FROM log WHERE log.origin_id = "
                "origins.origin_id), 0) FROM origins WHERE mine"
            )
        )
        """The last number of each origin of this record, the present one and those before."""
        self._open_origin = record.value(
            "SELECT origin_id FROM origins WHERE mine AND closed_at IS NULL"
        )
        self._awaited = AwaitedReferences(record)
        self._lives: dict[int, _Life] = {}
        self._journaled = 0
        self._journal: set[int] | None = None

    def finish(self) -> None:
        """Make the rows of all that was told of."""
        record = self._record
        self._point_to_newcomers()
        living = [
            owner
            for label in self._touched
            if (owner := owner_of(record, f"id:{label}")) is not None
        ]
        for bundle_id in sorted({self._bundle_of(version_id) for version_id in self._versions}):
            registers.number_versions(record, bundle_id)
        rebuild_from_statements(record, living)
        if joined := join_halves(record, living):
            rebuild_from_statements(record, sorted(joined))
        for claude_session in sorted(self._claude_sessions):
            claude_sessions.refresh_session(record, claude_session)
        claude_sessions.end_silent_sessions(record)
        self._drop_made_up_rows()
        forgotten = "SELECT 1 FROM registers WHERE subject >= 'run:' AND subject < 'run;' LIMIT 1"
        if record.value(forgotten):
            from orch_tui.record.upkeep.forgetting import forget_texts  # hardly any record does

            forget_texts(record)
        registers.drop_stated_changes(record)
        ingest_noted_changes(record)
        known = record.sql(
            "SELECT DISTINCT execution_id FROM observations WHERE execution_id IS NOT NULL "
            "AND observation_id IN (SELECT value FROM json_each(?))",
            [json.dumps(self._known)],
        )
        told_of = {*living, *(label for (label,) in known)}
        self.restored.executions = {e for e in told_of if owner_of(record, f"id:{e}") == e}
        self._mend_forks()
        if self.redacted.met:
            from orch_tui.record.upkeep.redaction import redact_again  # hardly any exchange does

            for secret in sorted(self.redacted.met):
                redact_again(record, secret, "it came back from another record")

    def _drop_made_up_rows(self) -> None:
        """Delete what stood for a session or bundle that nobody named, once nothing is left in
        it."""
        self._record.execute(
            "DELETE FROM bundles WHERE uid = ? AND bundle_id NOT IN "
            "(SELECT bundle_id FROM bundle_versions)",
            [_UNNAMED],
        )
        self._record.execute(
            "DELETE FROM sessions WHERE uid = ? AND session_id NOT IN "
            "(SELECT session_id FROM agent_executions UNION SELECT session_id FROM planned_agents)",
            [_UNNAMED],
        )

    def _point_to_newcomers(self) -> None:
        """Have what was told of before point to what was told of now."""
        while arrived := self._awaited.take_arrived():
            for subject in sorted(arrived):
                self._look_again(subject)

    def _look_again(self, subject: str) -> None:
        kind, _, name = subject.partition(":")
        if kind == "planned":
            held = registers.read_registers(self._record, subject)
            won: Row = {n: held[n].value for n in ("bundle", "waits") if n in held}
            self._write_planned(name, {}, won)
        elif kind == "journal":
            self._write_held_back(bytes.fromhex(name))
        elif (owner := owner_of(self._record, subject)) is not None:
            self._touched[owner] = None

    # What statements point to

    def take_content(self, sha256: bytes, size: int, data: bytes | None, mark: bytes = b"") -> None:
        """Take in a content; None: it is gone, ``mark`` says why (default: it was redacted)."""
        held = self._record.sql(
            "SELECT iif(encoding = 'gone', data, NULL) FROM contents WHERE sha256 = ?", [sha256]
        )
        if held and held[0][0] != UNSENT_BYTES:
            return
        if data is None:
            contents.store_absent(self._record, sha256, size, mark)
            return
        self.redacted.look_at(data)
        content_id = contents.store_content(self._record, data)
        if held:
            self._touch_runs_of(content_id)

    def _touch_runs_of(self, content_id: int) -> None:
        """Have the rows made anew of the runs that name a content which has come only now."""
        for (label,) in self._record.sql(
            "SELECT execution_id FROM completions WHERE message_id = ?1 "
            "UNION SELECT execution_id FROM agent_executions WHERE message_id = ?1 "
            "UNION SELECT execution_id FROM told WHERE content_id = ?1 "
            "UNION SELECT execution_id FROM context_allocations WHERE content_id = ?1",
            [content_id],
        ):
            self._touched[label] = None

    def take_briefing(self, sha256: bytes, size: int, parts: Sequence[Sequence[Any]]) -> None:
        """Take in a briefing; its parts name contents by SHA-256, as `PortableBriefing` does.

        Raises:
            BrokenRowError: it names what is not here.
        """
        if self._record.value("SELECT 1 FROM briefings WHERE sha256 = ?", [sha256]):
            return
        self.redacted.look_at([list(part) for part in parts])
        name, own_parts = sha256.hex()[:8], []
        for kind, value in parts:
            if kind == "forgotten":
                briefings.bury_forgotten(self._record, sha256, size)
                return
            if kind == "gone":
                replacement = portable.briefing_id_of(self._record, value)
                if replacement is None or len(parts) > 1:
                    raise BrokenRowError(f"briefing {name} does not name what took its place")
                briefings.bury_briefing(self._record, sha256, size, replacement)
                return
            own = portable.content_id_of(self._record, value) if kind == "content" else value
            if own is None:
                raise BrokenRowError(f"briefing {name} quotes a content that is not here")
            own_parts.append([kind, own])
        self._record.execute(
            "INSERT INTO briefings (sha256, size, parts) VALUES (?, ?, ?)",
            [sha256, size, pack_parts(own_parts)],
        )

    # Statements

    def take_statement(
        self,
        told: PortableStatement,
        log: Sequence[tuple[int, int]] = (),
        reduced: bytes | None = None,
    ) -> None:
        """Take in a statement; ``log`` says which origins (their numbers here) stated it, and as
        which of their statements. It takes the place of the one with the digest ``reduced``, which
        told less of the same.

        Raises:
            BrokenRowError: it is none.
        """
        problem = describe_problem(told.kind, told.said)
        if problem:
            raise BrokenRowError(f"statement {told.digest.hex()[:8]}: {problem}")
        if reduced is not None:
            self._drop_reduced(reduced)
        if known := find_statement(self._record, told.digest):  # most are: exports come again
            self._log(log, known)
            self._known.append(known.observation_id)
            self._agree_on_time(known.observation_id, told)
            return
        about = list(told.about)
        self.redacted.look_at([told.said, about, told.actor])
        statement = decode_statement(told.kind, told.said)
        stored = insert_statement(
            self._record,
            told.digest,
            told.kind,
            pack_statement(statement) if statement is not None else pack_fields(told.said),
            about,
            source=told.source,
            at=told.at,
            recorded_at=told.recorded_at,
            actor=told.actor,
            execution_id=None,
        )
        origin_id = self._log(log, stored)
        self.restored.statements += 1
        if told.kind == "set":
            self._apply_registered(statement, told.at, stored, origin_id)
        elif told.kind == "journal":
            self._apply_journaled(statement, told, origin_id)
        elif told.kind == "identified":
            self._apply_identified(statement, about, stored, origin_id)
        elif about:
            self._apply_to_run(statement, about, stored, origin_id)

    def _drop_reduced(self, digest: bytes) -> None:
        """Drop a statement of which more is told now."""
        for observation_id, label in self._record.sql(
            "SELECT observation_id, execution_id FROM observations WHERE digest = ?", [digest]
        ):
            of_it = [observation_id]
            self._record.execute("DELETE FROM registers WHERE observation_id = ?", of_it)
            self._record.execute("DELETE FROM log WHERE observation_id = ?", of_it)
            self._record.execute("DELETE FROM observations WHERE observation_id = ?", of_it)
            if label is not None:
                self._touched[label] = None

    def _agree_on_time(self, observation_id: int, told: PortableStatement) -> None:
        """Have the earlier one where a record and its copy were told the same: what people say is
        recognised by the words, whenever they say it."""
        said = [told.at, told.recorded_at or "", told.actor or ""]
        told_of = self._record.value(
            "UPDATE observations SET at = ?2, recorded_at = ?3, actor = ?4 "
            "WHERE observation_id = ?1 AND execution_id IS NOT NULL AND (?2, ?3, ?4) < "
            "(at, coalesce(recorded_at, ''), coalesce(actor, '')) RETURNING execution_id",
            [observation_id, *said],
        )
        if told_of is not None:
            self._touched[told_of] = None

    def _log(self, entries: Sequence[tuple[int, int]], stored: StoredStatement) -> int | None:
        """Note who stated it as what number; gives the first of them."""
        for origin_id, seq in entries:
            is_new = self._record.value(
                "INSERT INTO log (origin_id, seq, observation_id) VALUES (?, ?, ?) "
                "ON CONFLICT DO NOTHING RETURNING 1",
                [origin_id, seq, stored.observation_id],
            )
            held = None if is_new else self._logged(origin_id, seq)
            if held != stored.observation_id and self._is_fork(origin_id, held):
                self._forks.setdefault(origin_id, {})[seq] = stored.observation_id
        return min((origin_id for origin_id, _ in entries), default=None)

    def _is_fork(self, origin_id: int, held: int | None) -> bool:
        """Tell whether what another record knows of an origin shows that this one, which is or was
        it, gives or gave numbers twice. One that it was may have gone on elsewhere."""
        if origin_id not in self._own_last:
            return False
        return held is not None or origin_id == self._open_origin

    def _logged(self, origin_id: int, seq: int) -> int | None:
        held: int | None = self._record.value(
            "SELECT observation_id FROM log WHERE origin_id = ? AND seq = ?", [origin_id, seq]
        )
        return held

    def _life_of(self, origin_id: int) -> _Life:
        """What is known of an origin, which nothing changes before all is taken in."""
        if origin_id not in self._lives:
            rows = self._record.sql(
                "SELECT mine, name FROM origins WHERE origin_id = ?", [origin_id]
            )
            self._lives[origin_id] = _Life(*rows[0]) if rows else _Life(False, "")
        return self._lives[origin_id]

    def _mend_forks(self) -> None:
        """A number of this record's own that another record knows otherwise, or that this one does
        not know any more, was given twice: number anew, as another origin."""
        for origin_id, theirs in self._forks.items():
            reassign_log(self._record, origin_id, min(theirs), self._own_last[origin_id], theirs)

    def _foreign(self, origin_id: int | None) -> int | None:
        """The origin as rows have it: None where it is this record."""
        return None if origin_id is None or self._life_of(origin_id).mine else origin_id

    def _label(self, table: str, column: str, label: str, origin_id: int | None) -> str:
        """What something of another origin is called here: ``exec-014@ann-laptop``."""
        foreign = self._foreign(origin_id)
        ours = label
        if foreign is not None:
            name = self._life_of(foreign).name
            ours = f"{label}@{name}"
            remark = f"labels of what came from {name} end in @{name} here"
            if remark not in self.restored.remarks:
                self.restored.remarks.append(remark)
        number = 1
        free = ours
        while self._record.value(f"SELECT 1 FROM {table} WHERE {column} = ?", [free]) or (
            table == "agent_executions" and owner_of(self._record, f"id:{free}")
        ):
            number += 1
            free = f"{ours}-{number}"
        if free != ours:
            self.restored.remarks.append(f"{label} is taken by another here: imported as {free}")
        return free

    # Sessions, plans, bundles

    def _apply_registered(
        self, statement: Any, at: str, stored: StoredStatement, origin_id: int | None
    ) -> None:
        won = registers.apply_registered(self._record, statement, at, stored)
        kind, _, name = statement.subject.partition(":")
        if kind in ("session", "claude"):
            self._write_session(kind, name, statement.values, won, origin_id)
        elif kind == "planned":
            self._write_planned(name, statement.values, won)
        elif kind == "bundle":
            self._write_bundle(name, statement.values, won, origin_id)
        elif kind == "version":
            self._write_version(name, statement.values, won)

    def _session(self, ref: str, origin_id: int | None, label: str | None = None) -> str:
        """The label here of a session, which is made where nobody has told of it yet."""
        known = portable.session_id_of(self._record, ref)
        if known is not None:
            return known
        kind, _, name = ref.partition(":")
        if kind == "claude":
            self._claude_sessions.add(name)
            return claude_sessions.ensure_claude_session(
                self._record, name, project="", started_at=None
            )
        made = self._label("sessions", "session_id", label or f"session-{name[:8]}", origin_id)
        self._record.execute(
            "INSERT INTO sessions (session_id, created_at, scope, uid, origin_id) "
            "VALUES (?, NULL, ?, ?, ?)",
            [made, _UNTOLD, name, self._foreign(origin_id)],
        )
        return made

    def _write_session(
        self, kind: str, name: str, said: Row, won: Row, origin_id: int | None
    ) -> None:
        session_id = self._session(f"{kind}:{name}", origin_id, said.get("label"))
        values = {k: v for k, v in won.items() if k in _SESSION_COLUMNS}
        if "state" in won:
            values["status"], values["completed_at"] = won["state"]
        if "project" in won:
            values["project_key"] = won["project"]
            values |= self._folder_of(won["project"])
        self._update("sessions", "session_id", session_id, values)
        if kind == "claude":
            self._claude_sessions.add(name)

    def _folder_of(self, project_key: str | None) -> Row:
        """The folder of a project on this machine, where a session of it was opened here."""
        folder = self._record.value(
            "SELECT project FROM sessions WHERE project_key = ? AND project IS NOT NULL "
            "AND project <> project_key LIMIT 1",
            [project_key],
        )
        return {"project": folder or project_key}

    def _write_planned(self, uid: str, said: Row, won: Row) -> None:
        planned_id = portable.row_of(self._record, f"planned:{uid}")
        if planned_id is None:
            session = self._session(str(said.get("session") or f"session:{_UNNAMED}"), None)
            planned_id = self._record.value(
                "INSERT INTO planned_agents (session_id, position, agent_type, uid, created_at) "
                "VALUES (?, ?, ?, ?, NULL) RETURNING planned_id",
                [session, said.get("position") or 1, said.get("agent_type") or "unknown", uid],
            )
        values = {k: v for k, v in won.items() if k in _PLANNED_COLUMNS}
        if "bundle" in won:
            self._awaited.note_naming(f"planned:{uid}", won["bundle"])
            values["bundle_id"] = portable.row_of(self._record, won["bundle"])
        if won.get("session"):
            values["session_id"] = self._session(won["session"], None)
        self._update("planned_agents", "planned_id", planned_id, values)
        if "waits" in won:
            self._record.execute("DELETE FROM planned_waits WHERE planned_id = ?", [planned_id])
            for other in won["waits"]:
                self._awaited.note_naming(f"planned:{uid}", f"planned:{other}")
                self._record.execute(
                    "INSERT INTO planned_waits (planned_id, waits_for) "
                    "SELECT ?, planned_id FROM planned_agents WHERE uid = ?",
                    [planned_id, other],
                )

    def _write_bundle(self, uid: str, said: Row, won: Row, origin_id: int | None) -> None:
        bundle_id = self._bundle(uid, origin_id, said.get("label"))
        values = {k: v for k, v in won.items() if k in ("name", "created_at", "removed_at")}
        if "session" in won:
            values["session_id"] = won["session"] and self._session(won["session"], None)
        self._update("bundles", "bundle_id", bundle_id, values)

    def _bundle(self, uid: str, origin_id: int | None, label: str | None = None) -> str:
        known = portable.row_of(self._record, f"bundle:{uid}")
        if known is not None:
            return str(known)
        made = self._label("bundles", "bundle_id", label or f"bundle-{uid[:8]}", origin_id)
        self._record.execute(
            "INSERT INTO bundles (bundle_id, uid, created_at, origin_id) VALUES (?, ?, NULL, ?)",
            [made, uid, self._foreign(origin_id)],
        )
        return made

    def _write_version(self, uid: str, said: Row, won: Row) -> None:
        version_id = portable.row_of(self._record, f"version:{uid}")
        if version_id is None and said.keys() == {"template"}:
            return  # no column holds it: the row comes with the statement of the rest
        if version_id is None:
            ref = str(said.get("bundle") or f"bundle:{_UNNAMED}")
            bundle_id = self._bundle(ref.removeprefix("bundle:"), None)
            version_id = self._record.value(
                "INSERT INTO bundle_versions (bundle_id, version, agent_type, scope, uid, "
                "created_at) VALUES (?, (SELECT coalesce(max(version), 0) + 1 FROM bundle_versions "
                "WHERE bundle_id = ?1), ?, ?, ?, NULL) RETURNING version_id",
                [bundle_id, said.get("agent_type") or "", said.get("scope") or "", uid],
            )
        values = {k: v for k, v in won.items() if k in ("agent_type", "scope", "model")}
        if won.get("bundle"):  # where it was changed before anybody told of it, it is of none
            bundle_id = self._bundle(str(won["bundle"]).removeprefix("bundle:"), None)
            if bundle_id != self._bundle_of(version_id):
                values |= {"bundle_id": bundle_id, "version": -int(version_id)}
        if "created_at" in won:
            values["created_at"] = won["created_at"]
        if "briefing" in won:
            values["briefing_id"] = portable.briefing_id_of(self._record, won["briefing"])
        if "tokens" in won:
            for column, tokens in zip(_TOKENS, won["tokens"], strict=True):
                values[column] = tokens
        self._update("bundle_versions", "version_id", version_id, values)
        if "items" in won:
            self._write_items(version_id, won["items"])
        self._versions.add(version_id)

    def _bundle_of(self, version_id: int | str) -> str:
        return str(
            self._record.value(
                "SELECT bundle_id FROM bundle_versions WHERE version_id = ?", [version_id]
            )
        )

    def _write_items(self, version_id: int | str, items: list[list[Any]]) -> None:
        self._record.execute("DELETE FROM bundle_items WHERE version_id = ?", [version_id])
        columns = ", ".join(registers.ITEM[:-1])
        ids = portable.content_ids_of(self._record, [content for *_, content in items])
        self._record.executemany(
            f"INSERT INTO bundle_items (version_id, {columns}, content_id) "
            f"VALUES (?{', ?' * len(registers.ITEM)})",
            [
                (version_id, *values, content_id)
                for (*values, _), content_id in zip(items, ids, strict=True)
            ],
        )

    def _update(self, table: str, key: str, row: Any, values: Row) -> None:
        if values:
            assigned = ", ".join(f"{column} = ?" for column in values)
            self._record.execute(
                f"UPDATE {table} SET {assigned} WHERE {key} = ?", [*values.values(), row]
            )

    # Runs and the journal

    def _apply_identified(
        self, statement: Any, about: list[str], stored: StoredStatement, origin_id: int | None
    ) -> None:
        record = self._record
        execution_id = resolve_execution(record, about)
        if execution_id is None:
            execution_id = self._create(about, statement.label, statement, None, origin_id)
        elif statement.label and (foreign := self._foreign(origin_id)) is not None:
            name = self._life_of(foreign).name
            learn_keys(record, [f"id:{statement.label}@{name}"], execution_id)
        self._belongs(stored, execution_id)

    def _apply_to_run(
        self,
        statement: Any,
        about: list[str],
        stored: StoredStatement,
        origin_id: int | None,
    ) -> None:
        execution_id = resolve_execution(self._record, about)
        if execution_id is None:
            agent_type = getattr(statement, "agent_type", None)
            execution_id = self._create(about, None, statement, agent_type, origin_id)
        self._belongs(stored, execution_id)
        for name in ("session", "planned", "bundle_version", "stated_in"):
            self._awaited.note_naming(about[0], getattr(statement, name, None))
        ran_in = getattr(statement, "ran_in", None) or getattr(statement, "told_in", None)
        if ran_in:
            self._session(f"claude:{ran_in}", None)
            self._claude_sessions.add(ran_in)

    def _create(
        self,
        about: list[str],
        label: str | None,
        statement: Any,
        agent_type: str | None,
        origin_id: int | None,
    ) -> str:
        """Make the row of a run that is new here."""
        record = self._record
        uids = sorted(key for key in about if key.startswith("uid:"))
        named = label or f"run-{(uids or about)[0].partition(':')[2][:6]}"
        ours = self._label("agent_executions", "execution_id", named, origin_id)
        session = getattr(statement, "session", None)
        ran_in = getattr(statement, "ran_in", None) or getattr(statement, "told_in", None)
        ref = session or (f"claude:{ran_in}" if ran_in else f"session:{_UNNAMED}")
        return create_execution(
            record,
            [f"id:{ours}", *about],
            session_id=self._session(ref, origin_id),
            agent_type=agent_type or "unknown",
            source="import",
            origin_id=self._foreign(origin_id),
        )

    def _belongs(self, stored: StoredStatement, execution_id: str) -> None:
        self._record.execute(
            "UPDATE observations SET execution_id = ? WHERE observation_id = ?",
            [execution_id, stored.observation_id],
        )
        self._touched[execution_id] = None

    def _write_held_back(self, digest: bytes) -> None:
        """Write an entry of the journal that waited for what it is about."""
        for number, told in read_statements(self._record, "digest = ?", [digest]):
            origin_id = self._record.value(
                "SELECT min(origin_id) FROM log WHERE observation_id = ?", [number]
            )
            self._apply_journaled(decode_statement(told.kind, told.said), told, origin_id)

    def _apply_journaled(
        self, statement: Any, told: PortableStatement, origin_id: int | None
    ) -> None:
        run = owner_of(self._record, statement.run) if statement.run else None
        session_id = portable.session_id_of(self._record, statement.session)
        about = ((statement.session, session_id), (statement.run, run))
        absent = [
            ref for ref, here in about if ref and here is None and not is_here(self._record, ref)
        ]
        for ref in absent:
            self._awaited.note_naming(f"journal:{told.digest.hex()}", ref)
        if absent:
            return  # what is written into the journal stays as it is
        entry = [
            *(told.at, told.actor or "unknown", statement.action, session_id, run),
            *(statement.subject, statement.before, statement.after, origin_id),
        ]
        # an older export may tell of entries that came in another way, too
        held = (
            "SELECT 1 FROM journal WHERE session_id IS ?4 AND execution_id IS ?5 "
            "AND (at, actor, action, subject, before, after) IS (?1, ?2, ?3, ?6, ?7, ?8)"
        )
        self._record.execute(
            "INSERT INTO journal (at, actor, action, session_id, execution_id, subject, before, "
            "after, origin_id) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9"
            + (f" WHERE NOT EXISTS ({held})" if self._may_be_in_journal(entry) else ""),
            entry,
        )

    def _may_be_in_journal(self, entry: list[Any]) -> bool:
        """Tell whether an entry may be there already. After some of them all that are there are
        known by a number each: thousands may be of one session, or of none."""
        self._journaled += 1
        if self._journaled < _FEW_ENTRIES:
            return True
        if self._journal is None:
            rows = self._record.execute(
                "SELECT at, action, subject, session_id, execution_id FROM journal"
            )
            self._journal = {*map(hash, rows)}
        at, _, action, session_id, run, subject, *_ = entry
        number = hash((at, action, subject, session_id, run))
        is_known = number in self._journal
        self._journal.add(number)
        return is_known


_SESSION_COLUMNS = (
    *("created_at", "scope", "title", "metadata", "archived_at", "phase", "budget"),
    *("thresholds", "reserve", "ended_at"),
)
_PLANNED_COLUMNS = ("position", "agent_type", "scope", "model", "created_at", "removed_at")
_TOKENS = ("frame_tokens", "template_tokens", "shared_tokens")
