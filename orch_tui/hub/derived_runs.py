"""The rows of runs on a hub: what lists, searches and insights of a team read.

SQL cannot merge statements, so whoever pushes does. A run of which others spoke, too, is fetched
first, so that its row is made of all that the hub holds; ``made_of`` says of what. Which runs are
to be made anew follows from the log: a sync that breaks off goes on there the next time. What was
written by somebody who knew less is found and mended by whoever knows the run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from orch_tui.errors import HubError
from orch_tui.hub.cursors import note_cursors, read_cursor
from orch_tui.hub.held_texts import SecretsGate, find_held_runs
from orch_tui.hub.levels import DOUBTED
from orch_tui.hub.pull import pull_runs
from orch_tui.hub.push import OwnOrigin, register_origins
from orch_tui.hub.search_rows import SearchRow, make_content_words, make_search_rows
from orch_tui.hub.sending import EVERYTHING, recognise, storable_text, storable_time
from orch_tui.hub.settings import LEVELS
from orch_tui.hub.watched_hub import WatchedHub
from orch_tui.models.database import Record
from orch_tui.models.values import (
    MODEL,
    READING_VERSION,
    WENT_WELL,
    WHEN,
    readable,
    real_number,
    whole_number,
)
from orch_tui.record.ledger import contents
from orch_tui.record.ledger.keys import owner_of
from orch_tui.record.ledger.statement import unpack_fields

RUNS_AT_ONCE = 50
"""Of a transaction, and of those that one sync mends for others."""

_LOOKED_AT = 200
"""Runs of which one sync looks whether their rows are made of all that the hub holds."""

_LOG_AT_ONCE = 2_000
_MENDING = "runs looked at"
"""What the cursor is of that says which runs were looked at last."""

_TRIES = 3
"""Of a run of which others speak at the same time."""

Progress = Callable[[str, int, int], object]


def derive_pushed_runs(
    record: Record,
    hub: WatchedHub,
    origins: Iterable[OwnOrigin],
    *,
    level: int = EVERYTHING,
    progress: Progress = lambda what, done, total: None,
) -> int:
    """Write the rows of the runs of which something was pushed since that was done last; gives how
    many."""
    deriver = _Deriver(record, hub, level)
    done = 0
    for origin in origins:
        last = read_cursor(record, hub, f"runs of {origin.uid}") or 0
        while last < origin.own_last:
            until = min(last + _LOG_AT_ONCE, origin.own_last)
            labels = _list_concerned(record, origin.origin_id, last, until)
            for count in deriver.derive(labels):
                done += count
                progress("runs", done, done)
            last = until
            note_cursors(record, hub, {f"runs of {origin.uid}": last})
    return done


def derive_runs(record: Record, hub: WatchedHub, labels: Sequence[str], level: int) -> int:
    """Write the rows of some runs anew; gives how many."""
    return sum(_Deriver(record, hub, level).derive(labels)) if labels else 0


def mend_stale_runs(record: Record, hub: WatchedHub, *, level: int = EVERYTHING) -> int:
    """Look at some of the runs that this record knows, others each time, and write the rows of
    those anew that are not made of all that the hub holds; gives how many."""
    if not (hub.hub.may_read and hub.hub.may_push):
        return 0
    after = read_cursor(record, hub, _MENDING) or 0
    rows = record.sql(
        "SELECT rowid, execution_id FROM agent_executions WHERE rowid > ? ORDER BY rowid LIMIT ?",
        [after, _LOOKED_AT],
    )
    deriver = _Deriver(record, hub, level)
    stale = deriver.find_stale([label for _, label in rows])[:RUNS_AT_ONCE]
    done = sum(deriver.derive(stale))
    note_cursors(record, hub, {_MENDING: rows[-1][0] if len(rows) == _LOOKED_AT else 0})
    return done


def _list_concerned(record: Record, origin_id: int, after: int, until: int) -> list[str]:
    """List the executions whose rows may change by what an origin stated: those it is about, and
    those of a session that has another name or was archived."""
    labels: dict[str, None] = {}
    for label, kind, payload in record.sql(
        "SELECT execution_id, kind, iif(kind = 'set', payload, NULL) FROM log "
        "JOIN observations USING (observation_id) WHERE origin_id = ? AND seq > ? AND seq <= ? "
        "AND (execution_id NOTNULL OR kind = 'set') ORDER BY seq",
        [origin_id, after, until],
    ):
        if kind == "set":
            labels |= dict.fromkeys(list_runs_of(record, unpack_fields(payload) or {}))
        else:
            labels[label] = None
    return list(labels)


_OF_SESSION = {"archived_at", "project", "scope", "title", "label"}
"""Fields of a session that stand in the rows of its runs."""


def list_runs_of(record: Record, said: Mapping[str, Any]) -> list[str]:
    """List the executions whose rows may change by new values of fields."""
    kind, _, name = str(said.get("subject")).partition(":")
    values = said.get("values")
    if kind == "run":
        owner = owner_of(record, f"uid:{name}")
        return [owner] if owner else []
    if kind not in ("session", "claude") or not isinstance(values, dict):
        return []
    if _OF_SESSION.isdisjoint(values):
        return []
    column = "uid" if kind == "session" else "claude_session"
    return [
        label
        for (label,) in record.sql(
            "SELECT execution_id FROM agent_executions JOIN sessions USING (session_id) "
            f"WHERE sessions.{column} = ?",
            [name],
        )
    ]


class _Run(NamedTuple):
    """A run, by all its names, and what the hub says of it."""

    label: str
    uid: str
    """The least of its uids; ``former`` are the others, of runs that were found to be it."""
    former: tuple[str, ...]
    keys: tuple[str, ...]
    said: frozenset[bytes]
    """What statements about it are recognised by there."""

    @property
    def made_of(self) -> bytes:
        return hashlib.sha256(b"".join(sorted(self.said))).digest()


def _is_outdated(run: _Run, made_of: bytes, rules: int) -> bool:
    """Tell whether a row is made of other statements than the hub holds; one that was made by rules
    of a newer orch stays."""
    return made_of != run.made_of and rules <= READING_VERSION


class _Deriver:
    """Writes the rows of runs as one record has them."""

    def __init__(self, record: Record, hub: WatchedHub, level: int) -> None:
        self._record = record
        self._hub = hub
        self._level = level
        self._gate = SecretsGate(record) if level >= LEVELS.index("messages") else None
        self._texted: set[str] = set()
        """Executions of those at work of which texts may be written."""
        self._secret = hub.secret
        self._done: set[str] = set()
        self._searched: set[bytes] = set()
        """Contents of which the hub knows by which words they are found."""
        self._hub_ids: dict[str, int] = {}
        self._sends: dict[str, int] = {}
        """By the uid of an origin what is sent of it."""

    def derive(self, labels: Iterable[str]) -> Iterator[int]:
        """Write the rows of some executions, each once; yields how many after each part."""
        waiting = [label for label in dict.fromkeys(labels) if label not in self._done]
        for start in range(0, len(waiting), RUNS_AT_ONCE):
            part = waiting[start : start + RUNS_AT_ONCE]
            self._done.update(part)
            for _ in range(_TRIES):
                runs = self._know_all(part)
                part = self._write(runs)
                yield len(runs) - len(part)
                if not part:
                    break

    def find_stale(self, labels: Sequence[str]) -> list[str]:
        """Find the executions whose rows are not made of all that the hub holds, or not there."""
        runs = self._look_up(labels)
        held = {
            uid: (bytes(made_of), rules)
            for uid, made_of, rules in self._hub.ask(
                "SELECT uid, made_of, rules FROM runs WHERE uid = ANY (%s)",
                [[run.uid for run in runs]],
            )
        }
        return [
            run.label
            for run in runs
            if run.said and (run.uid not in held or _is_outdated(run, *held[run.uid]))
        ]

    def _know_all(self, labels: Sequence[str]) -> list[_Run]:
        """Look runs up, and fetch what others said of them and this record does not know."""
        runs = self._look_up(labels)
        if not self._hub.hub.may_read:
            return runs
        known = self._recognised([run.label for run in runs])
        lacking = [key for run in runs if run.said - known for key in run.keys[:1]]
        if not lacking:
            return runs
        pull_runs(self._record, self._hub, lacking)
        owners = (owner_of(self._record, f"id:{label}") for label in labels)
        return self._look_up(list(dict.fromkeys(owner for owner in owners if owner)))

    def _look_up(self, labels: Sequence[str]) -> list[_Run]:
        """Look up by which keys executions are known, and what the hub holds about those."""
        keys: dict[str, list[str]] = {}
        for label, key in self._record.sql(
            "SELECT execution_id, key FROM execution_keys WHERE key NOT LIKE 'id:%' "
            "AND execution_id IN (SELECT value FROM json_each(?)) ORDER BY key",
            [json.dumps(list(labels))],
        ):
            keys.setdefault(label, []).append(key)
        said = self._read_about(keys)
        runs = []
        for label in labels:
            uids = [k.removeprefix("uid:") for k in keys.get(label, ()) if k.startswith("uid:")]
            if uids:  # else its origin has not told yet what it is called
                of = frozenset(said.get(label, ()))
                runs.append(_Run(label, uids[0], tuple(uids[1:]), tuple(keys[label]), of))
        return runs

    def _read_about(self, keys: Mapping[str, Sequence[str]]) -> dict[str, set[bytes]]:
        """Read what statements about runs are recognised by; where this person may not look, what
        this record knows of."""
        if not self._hub.hub.may_read:
            return self._recognised_by_label(list(keys))
        pairs = [(label, storable_text(key)) for label, its in keys.items() for key in its]
        labels = list(keys)
        numbers = {label: number for number, label in enumerate(labels)}
        found: dict[str, set[bytes]] = {}
        for number, recognition in self._hub.ask(
            "WITH RECURSIVE known (number, key) AS (SELECT * FROM unnest(%s::int[], %b::text[]) "
            "UNION SELECT number, other.key FROM known JOIN about USING (key) "
            "JOIN about AS other ON other.recognition = about.recognition) "
            "SELECT DISTINCT number, recognition FROM about JOIN known USING (key)",
            [[numbers[label] for label, _ in pairs], [key for _, key in pairs]],
        ):
            found.setdefault(labels[number], set()).add(bytes(recognition))
        return found

    def _recognised(self, labels: Sequence[str]) -> set[bytes]:
        """What the statements that this record has about executions are recognised by there, and
        those about what they are: that they are forgotten."""
        by_label = self._recognised_by_label(labels)
        told = self._record.sql(
            "SELECT digest FROM observations "
            "WHERE execution_id IN (SELECT value FROM json_each(?))",
            [json.dumps(list(labels))],
        )
        # what was sent as figures alone is known here by what it is recognised by there
        return {bytes(digest) for (digest,) in told}.union(*by_label.values())

    def _recognised_by_label(self, labels: Sequence[str]) -> dict[str, set[bytes]]:
        found: dict[str, set[bytes]] = {}
        for label, digest in self._record.sql(
            "SELECT execution_id, digest FROM observations "
            "WHERE execution_id IN (SELECT value FROM json_each(?1)) "
            "UNION ALL SELECT k.execution_id, o.digest FROM execution_keys AS k "
            "JOIN registers AS r ON r.subject = 'run:' || substr(k.key, 5) "
            "JOIN observations AS o USING (observation_id) "
            "WHERE k.execution_id IN (SELECT value FROM json_each(?1)) AND k.key GLOB 'uid:*'",
            [json.dumps(list(labels))],
        ):
            found.setdefault(label, set()).add(recognise(self._secret, bytes(digest)))
        return found

    # Writing

    def _write(self, runs: Sequence[_Run]) -> list[str]:
        """Write the rows of some runs in one transaction; gives the labels of those of which
        somebody said more meanwhile."""
        runs = sorted(runs, key=lambda run: run.uid)
        labels = [run.label for run in runs]
        self._texted = self._find_texted(labels)
        found = {
            label: row
            for with_texts in (True, False)
            for label, row in make_search_rows(
                self._record,
                [label for label in labels if (label in self._texted) == with_texts],
                with_texts=with_texts,
            ).items()
        }
        rows = self._make_rows(runs, found)
        runs = [run for run in runs if run.label in rows]
        if not runs:
            return []
        if self._level >= EVERYTHING:
            self._write_content_words({sha256 for row in found.values() for sha256 in row.given})
        for attempt in self._hub.tries():
            try:
                with self._hub.transaction():
                    return self._write_rows(runs, rows, found)
            except Exception as error:
                if isinstance(error, HubError) or not self._hub.is_in_the_way(error, attempt):
                    raise
        raise AssertionError("the last try gives or raises")

    def _write_rows(
        self,
        runs: Sequence[_Run],
        rows: Mapping[str, _RunRow],
        found: Mapping[str, SearchRow],
    ) -> list[str]:
        uids = sorted({uid for run in runs for uid in (run.uid, *run.former)})
        held = {
            uid: (run_id, rules)
            for uid, run_id, rules in self._hub.ask(
                "SELECT uid, run_id, rules FROM runs WHERE uid = ANY (%s) ORDER BY uid FOR UPDATE",
                [uids],
            )
        }
        again = self._told_meanwhile(runs)
        runs = [run for run in runs if run.label not in again]
        known = [run for run in runs if run.uid in held and held[run.uid][1] <= READING_VERSION]
        self._remove_from_search(runs, known, found)
        numbers = self._insert([rows[run.label] for run in runs if run.uid not in held])
        self._update([rows[run.label] for run in known])
        numbers |= {run.uid: held[run.uid][0] for run in known}
        self._retire([uid for run in runs for uid in run.former if uid in held])
        written = [run for run in runs if run.uid in numbers]
        self._write_texts([(numbers[r.uid], rows[r.label], found.get(r.label)) for r in written])
        self._write_search([(numbers[r.uid], found[r.label]) for r in written if r.label in found])
        if self._hub.hub.may_read:  # else it is another's row, which this person does not see
            again |= {r.label for r in runs if r.uid not in numbers and r.uid not in held}
        return sorted(again)

    def _told_meanwhile(self, runs: Sequence[_Run]) -> set[str]:
        """Find the runs of which the hub holds other statements than a moment ago; their rows are
        locked, so whoever pushed those writes after this."""
        now = self._read_about({run.label: run.keys for run in runs})
        return {run.label for run in runs if now.get(run.label, set()) != run.said}

    def _remove_from_search(
        self, runs: Sequence[_Run], known: Sequence[_Run], found: Mapping[str, SearchRow]
    ) -> None:
        """Remove what runs were found by that are another's now, retracted, or of another time."""
        told: list[tuple[str, str | None]] = [(uid, None) for r in runs for uid in r.former]
        told += [(r.uid, found[r.label].at if r.label in found else None) for r in known]
        if told:
            self._hub.tell(
                "DELETE FROM search USING runs JOIN unnest(%b::text[], %s::timestamptz[]) "
                "AS told (uid, at) USING (uid) WHERE search.run_id = runs.run_id "
                "AND search.at = runs.at AND told.at IS DISTINCT FROM runs.at",
                [[uid for uid, _ in told], [at for _, at in told]],
            )

    def _insert(self, rows: Sequence[_RunRow]) -> dict[str, int]:
        """Insert rows; gives the numbers of those that nobody else inserted meanwhile."""
        if not rows:
            return {}
        columns = [*_FIXED, *_DERIVED]
        inserted = self._hub.ask(
            f"INSERT INTO runs ({', '.join(columns)}) SELECT * FROM unnest("
            f"{', '.join(f'{_marker(c)}::{({**_FIXED, **_DERIVED})[c]}[]' for c in columns)}) "
            "ON CONFLICT DO NOTHING RETURNING uid, run_id",
            [[row[column] for row in rows] for column in columns],
        )
        return dict(inserted)

    def _update(self, rows: Sequence[_RunRow]) -> None:
        """Update rows, but for whose a run is: that says who told of it first."""
        if not rows:
            return
        columns = {"uid": "text", **_DERIVED}
        told = ", ".join(f"{_marker(column)}::{kind}[]" for column, kind in columns.items())
        self._hub.tell(
            f"UPDATE runs SET {', '.join(f'{column} = told.{column}' for column in _DERIVED)} "
            f"FROM unnest({told}) AS told ({', '.join(columns)}) WHERE runs.uid = told.uid",
            [[row[column] for row in rows] for column in columns],
        )

    def _retire(self, uids: Sequence[str]) -> None:
        """Have rows be none that anybody lists, since their runs were found to be others."""
        if uids:
            self._hub.tell(
                "UPDATE runs SET retracted = true, made_of = '' WHERE uid = ANY (%s)",
                [sorted(uids)],
            )

    def _write_texts(self, rows: Sequence[tuple[int, _RunRow, SearchRow | None]]) -> None:
        if not rows or self._gate is None:
            return
        told = [
            (
                number,
                *(row[name] for name in ("scope", "message", "error")),
                storable_text(search.other) if search else None,
            )
            for number, row, search in rows
        ]
        columns = [list(column) for column in zip(*told, strict=True)]
        given = "unnest(%s::bigint[], %b::text[], %b::text[], %b::text[], %b::text[])"
        # not DO UPDATE, for which who only pushes would have to read the texts
        self._hub.tell(
            "UPDATE run_texts SET scope = told.scope, message = told.message, "
            f"error = told.error, other = told.other FROM {given} "
            "AS told (run_id, scope, message, error, other) WHERE run_texts.run_id = told.run_id",
            columns,
        )
        self._hub.tell(
            "INSERT INTO run_texts (run_id, scope, message, error, other) "
            f"SELECT * FROM {given} ON CONFLICT DO NOTHING",
            columns,
        )

    def _write_search(self, rows: Sequence[tuple[int, SearchRow]]) -> None:
        if not rows:
            return
        told = [(number, row.at, storable_text(row.words), row.archived) for number, row in rows]
        columns = [list(column) for column in zip(*told, strict=True)]
        given = (
            "(SELECT run_id, at, words::tsvector AS words, archived FROM unnest(%s::bigint[], "
            "%s::timestamptz[], %b::text[], %s::boolean[]) AS given (run_id, at, words, archived))"
        )
        self._hub.tell(
            "UPDATE search SET words = told.words, archived = told.archived "
            f"FROM {given} AS told WHERE (search.run_id, search.at) = (told.run_id, told.at)",
            columns,
        )
        self._hub.tell(
            "INSERT INTO search (run_id, at, words, archived) "
            f"SELECT * FROM {given} AS told ON CONFLICT DO NOTHING",
            columns,
        )

    def _write_content_words(self, digests: set[bytes]) -> None:
        """Write by which words contents are found that runs were given, each once."""
        wanted = sorted(digests - self._searched)
        self._searched |= digests
        if wanted and self._hub.hub.may_read:
            wanted = [
                bytes(sha256)
                for (sha256,) in self._hub.ask(
                    "SELECT sha256 FROM unnest(%b::bytea[]) AS wanted (sha256) WHERE NOT EXISTS "
                    "(SELECT 1 FROM content_search AS held WHERE held.sha256 = wanted.sha256)",
                    [wanted],
                )
            ]
        texts = {
            sha256: data.decode("utf-8", "replace")
            for sha256 in wanted
            if (data := contents.get_content_by_sha256(self._record, sha256.hex())) is not None
            and not (self._gate and self._gate.find_in_text(sha256, data))
        }
        if not texts:
            return
        words = [storable_text(each) for each in make_content_words(list(texts.values()))]
        for attempt in self._hub.tries():
            try:
                self._hub.tell(
                    "INSERT INTO content_search (sha256, words) SELECT sha256, words::tsvector "
                    "FROM unnest(%b::bytea[], %b::text[]) AS told (sha256, words) "
                    "ON CONFLICT DO NOTHING",
                    [list(texts), words],
                )
                return
            except Exception as error:
                if isinstance(error, HubError) or not self._hub.is_in_the_way(error, attempt):
                    raise

    def _make_rows(
        self, runs: Sequence[_Run], found: Mapping[str, SearchRow]
    ) -> dict[str, _RunRow]:
        """Make the rows of runs as the tables here have them."""
        by_label = {run.label: run for run in runs}
        own = self._record.rows(
            "SELECT uid, name, machine FROM origins WHERE mine AND closed_at IS NULL"
        )
        held = self._record.rows(
            "SELECT e.*, s.session_id AS session, s.origin_id AS session_origin, s.archived_at, "
            "coalesce(e.run_project, s.project_key, s.project) AS of_project, "
            "o.uid AS origin_uid, o.name AS origin_name, o.machine, v.uid AS version_uid, "
            f"c.sha256 AS said FROM (SELECT *, {WHEN} AS began, {MODEL} AS ran, "
            f"{WENT_WELL} AS went_well FROM agent_executions "
            "WHERE execution_id IN (SELECT value FROM json_each(?))) AS e "
            "LEFT JOIN sessions AS s USING (session_id) "
            "LEFT JOIN origins AS o ON o.origin_id = e.origin_id "
            "LEFT JOIN bundle_versions AS v ON v.version_id = e.bundle_version_id "
            "LEFT JOIN contents AS c ON c.content_id = e.message_id",
            [json.dumps(list(by_label))],
        )
        if own[0]["uid"] not in self._hub_ids:  # it may have begun just now
            register_origins(self._record, self._hub, None, self._level)
            self._read_origins()
        return {
            row["execution_id"]: self._make_row(
                by_label[row["execution_id"]], row, found.get(row["execution_id"]), own[0]
            )
            for row in held
        }

    def _read_origins(self) -> None:
        known = self._hub.ask("SELECT uid, origin_id, sends FROM origins")
        self._hub_ids = {uid: number for uid, number, _ in known}
        self._sends = {uid: sends for uid, _, sends in known}

    def _find_texted(self, labels: Sequence[str]) -> set[str]:
        """Find the executions of which texts may be written: whose origin sends texts, and of which
        nothing is held back."""
        if self._gate is None:
            return set()
        if not self._sends:
            self._read_origins()
        least = LEVELS.index("messages")
        rows = self._record.sql(
            "SELECT execution_id, o.uid FROM agent_executions AS e LEFT JOIN origins AS o "
            "ON o.origin_id = e.origin_id WHERE execution_id IN (SELECT value FROM json_each(?))",
            [json.dumps(list(labels))],
        )
        texted = {label for label, uid in rows if self._sends.get(uid or "", least) >= least}
        return texted - find_held_runs(self._record, self._gate, sorted(texted))

    def _make_row(
        self, run: _Run, row: Mapping[str, Any], found: SearchRow | None, own: Mapping[str, Any]
    ) -> _RunRow:
        is_foreign = row["origin_uid"] in self._hub_ids
        origin_name = row["origin_name"] or own["name"]
        session = _text(row["session"])
        if session and row["session_origin"] is None:
            session = f"{session}@{own['name']}"
        well = row["went_well"]
        texts = run.label in self._texted
        doubt = _text(row["unverified"])
        return {
            "uid": run.uid,
            "origin_id": self._hub_ids[row["origin_uid"] if is_foreign else own["uid"]],
            "machine": _text(row["machine"]) or own["machine"],
            "label": (_text(row["execution_id"]) or "").removesuffix(f"@{origin_name}"),
            "project": _text(row["of_project"]),
            "at": found.at if found else storable_time(readable(row["began"])) or _LONG_AGO,
            "completed_at": storable_time(readable(row["completed_at"])),
            "session": session,
            "agent": _text(row["agent_type"]) or "unknown",
            "status": _text(row["status"]),
            "ending": _text(row["ending"]),
            "went_well": None if well is None else bool(well),
            "unverified": doubt if texts or not doubt else DOUBTED,
            "source": _text(row["source"]),
            "phase": _number(row["phase"], 15),
            "depth": _number(row["depth"], 15),
            "model": _text(row["ran"]),
            "client_version": _text(row["client_version"]),
            "bundle_version": _text(row["version_uid"]),
            "given_tokens": _number(row["context_token_count"], 31),
            "cost_usd": real_number(row["cost_usd"]),
            **{name: _number(row[name], 31) for name in _SMALL},
            **{name: _number(row[name], 63) for name in _LARGE},
            "archived": row["archived_at"] is not None,
            "retracted": row["retracted_at"] is not None,
            "said": row["said"] if texts else None,
            "made_of": run.made_of,
            "rules": READING_VERSION,
            "scope": _text(row["scope"]) if texts else None,
            "message": _text(row["final_message"]) if texts else None,
            "error": _text(row["error_message"]) if texts else None,
        }


_RunRow = dict[str, Any]

_LONG_AGO = "0001-01-01T00:00:00Z"
"""When a run began of which nobody knows it."""

_SMALL = ("ambient_tokens", "context_end_tokens", "tool_calls")
_LARGE = (
    *("input_tokens", "cache_write_tokens", "cache_read_tokens", "output_tokens"),
    "duration_ms",
)
_FIXED = {"uid": "text", "origin_id": "bigint", "machine": "text", "label": "text"}
"""Columns that say whose a run is, with their types: they stay as they were written first."""
_DERIVED = {
    **dict.fromkeys(("project", "session", "agent", "status", "ending", "unverified"), "text"),
    **dict.fromkeys(("source", "model", "client_version", "bundle_version"), "text"),
    **dict.fromkeys(("at", "completed_at"), "timestamptz"),
    **dict.fromkeys(("went_well", "archived", "retracted"), "boolean"),
    **dict.fromkeys(("phase", "depth", "rules"), "smallint"),
    **dict.fromkeys(("given_tokens", *_SMALL), "int"),
    **dict.fromkeys(_LARGE, "bigint"),
    "cost_usd": "float8",
    **dict.fromkeys(("said", "made_of"), "bytea"),
}


def _marker(column: str) -> str:
    """Give the mark of a column's values; as binaries texts take a hundredth of the time."""
    kinds = {**_FIXED, **_DERIVED}
    return "%b" if kinds.get(column) in ("bytea", "text") else "%s"


def _text(value: Any) -> str | None:
    text = readable(value)
    return None if text is None else storable_text(text)


def _number(value: Any, bits: int) -> int | None:
    """Read a whole number that a column of so many bits holds; None for what is none."""
    number = whole_number(value)
    return number if number is not None and -(1 << bits) <= number < 1 << bits else None
