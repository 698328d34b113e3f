"""Fetching from a hub what other records stated, and taking it in.

Of each origin that is followed the record keeps one number; what comes after it is fetched in
portions, each read there as of one moment and taken in here in one transaction with the number it
ends at. Nothing here is locked while the hub is asked. What a portion points to and this record
does not know (the session, plan or bundle of a run, what a run is called by its origin) is fetched
along, whoever stated it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, NamedTuple

from orch_tui.errors import OrchError
from orch_tui.frozen import frozen, mutable
from orch_tui.hub.cursors import note_cursors, read_cursor
from orch_tui.hub.levels import find_contents
from orch_tui.hub.sending import recognise, run_key, storable_text
from orch_tui.hub.watched_hub import WatchedHub
from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import unpack_bytes
from orch_tui.record.exchange.awaited_references import is_here
from orch_tui.record.exchange.incoming import BrokenRowError, Incoming, incoming_statements
from orch_tui.record.exchange.outgoing import PortableStatement, find_held_texts, named_hashes
from orch_tui.record.ledger.contents import FORGOTTEN_BYTES, UNSENT_BYTES
from orch_tui.record.ledger.keys import owner_of
from orch_tui.record.ledger.origins import TELLING_ORDER, learn_origin

STATEMENTS_AT_ONCE = 500
BYTES_AT_ONCE = 8 << 20
"""Of a portion, at most."""

_ROUNDS = 4
"""In which what a portion points to is fetched: a run points to its session, that to nothing."""

Progress = Callable[[str, int, int], object]


@frozen
class Followed:
    """Whose statements are fetched."""

    everybody: bool = False
    persons: tuple[str, ...] = ()
    """Besides oneself: who PostgreSQL says they are, or who git does."""


@mutable
class Pulled:
    """What was fetched."""

    statements: int = 0
    """How many were new here."""
    contents: int = 0
    origins: int = 0
    """Of how many something was fetched."""
    executions: set[str] = field(default_factory=set)
    """The runs that were told of, known before or not."""
    remarks: list[str] = field(default_factory=list)


class HubOrigin(NamedTuple):
    """An origin as the hub knows it."""

    hub_id: int
    uid: str
    person: str
    declared: str | None
    machine: str
    name: str
    last: int
    retold: int
    """How many times what it had stated was told more fully."""

    def told(self) -> dict[str, Any]:
        """Give what is learned of it here."""
        person = self.declared or self.person
        return {"uid": self.uid, "person": person, "machine": self.machine, "name": self.name}


class _Told(NamedTuple):
    """A statement on the hub, and which origins stated it."""

    statement: PortableStatement
    recognition: bytes
    log: list[tuple[int, int]]


class _Portion(NamedTuple):
    """What is taken in at once."""

    told: list[_Told]
    contents: list[tuple[bytes, int, bytes | None, bytes]]
    briefings: list[tuple[bytes, int, list[list[Any]]]]


def pull_statements(
    record: Record,
    hub: WatchedHub,
    followed: Followed = Followed(),  # noqa: B008  it is frozen
    *,
    progress: Progress = lambda what, done, total: None,
) -> Pulled:
    """Fetch what those who are followed stated since this record last fetched it.

    Those are this person's own other records, if nothing else is said.

    Raises:
        HubError: the hub went away. What was taken in by then stays, and the next time goes on.
    """
    reader = _Reader(record, hub)
    origins = [each for each in reader.origins.values() if reader.is_followed(each, followed)]
    cursors = {each.uid: reader.read_cursor(each) for each in origins}
    total = sum(max(0, each.last - cursors[each.uid]) for each in origins)
    done = 0
    for origin in origins:
        before, last = reader.pulled.statements, cursors[origin.uid]
        while last < origin.last:
            portion, now = reader.read_portion(origin, last)
            reader.take_in(portion, {origin.uid: now})
            done += now - last
            last = now
            progress("statements", done, total)
        reader.note_heard(origin)
        reader.pulled.origins += reader.pulled.statements > before
    return reader.pulled


def pull_runs(
    record: Record,
    hub: WatchedHub,
    keys: Iterable[str],
    *,
    progress: Progress = lambda what, done, total: None,
) -> Pulled:
    """Fetch all that is said of some runs by whomever, by keys of theirs (``uid:...``)."""
    reader = _Reader(record, hub)
    wanted = list(dict.fromkeys(keys))
    for start in range(0, len(wanted), _RUNS_AT_ONCE):
        reader.take_in(reader.read_runs(wanted[start : start + _RUNS_AT_ONCE]), {})
        progress("runs", min(start + _RUNS_AT_ONCE, len(wanted)), len(wanted))
    return reader.pulled


_RUNS_AT_ONCE = 50


def pull_runs_since(
    record: Record,
    hub: WatchedHub,
    since: str,
    followed: Followed,
    *,
    progress: Progress = lambda what, done, total: None,
) -> Pulled:
    """Fetch the runs that were deployed at or after a time by those who are followed."""
    reader = _Reader(record, hub)
    own = reader.own_uids
    wanted = [
        each.hub_id
        for each in reader.origins.values()
        if each.uid not in own and reader.is_followed(each, followed)
    ]
    rows = hub.ask(
        "SELECT 'uid:' || uid FROM runs WHERE at >= %s AND origin_id = ANY (%s) ORDER BY at",
        [since, wanted],
    )
    return pull_runs(record, hub, [key for (key,) in rows], progress=progress)


def pull_own_origin(record: Record, hub: WatchedHub, uid: str, first: int) -> Pulled:
    """Fetch what an origin of this record stated elsewhere from a number on: what this record
    stated under those numbers is numbered anew."""
    reader = _Reader(record, hub)
    origin = reader.origins[uid]
    last = first - 1
    while last < origin.last:
        portion, last = reader.read_portion(origin, last)
        reader.take_in(portion, {uid: last})
    return reader.pulled


def _call(take: Callable[..., None], *told: Any) -> None:
    take(*told)


class _Reader:
    """Reads a hub for one record."""

    def __init__(self, record: Record, hub: WatchedHub) -> None:
        self._record = record
        self._hub = hub
        self.pulled = Pulled()
        self.origins = {
            row[1]: HubOrigin(*row)
            for row in hub.ask(
                "SELECT origin_id, uid, person, declared, machine, name, last_seq, retold "
                "FROM origins ORDER BY origin_id"
            )
        }
        self._whole: set[bytes] | None = None
        """What the statements that this record had are recognised by there."""
        self._by_id = {each.hub_id: each for each in self.origins.values()}
        own = record.sql("SELECT uid, closed_at IS NULL FROM origins WHERE mine")
        self.own_uids = {uid for uid, _ in own}
        self._open_uid = next((uid for uid, is_open in own if is_open), None)
        self._note_persons()

    def _note_persons(self) -> None:
        """Learn who the origins are of that this record knows."""
        held = dict(self._record.sql("SELECT uid, person FROM origins"))
        new = [
            (each.told()["person"], uid)
            for uid, each in self.origins.items()
            if uid in held and held[uid] != each.told()["person"]
        ]
        if new:
            with self._record.write():
                self._record.executemany("UPDATE origins SET person = ? WHERE uid = ?", new)

    def is_followed(self, origin: HubOrigin, followed: Followed) -> bool:
        """Tell whether the statements of an origin are fetched; never what this record is itself,
        also as what it was, if the record went on elsewhere."""
        if origin.uid == self._open_uid:
            return False
        if followed.everybody or origin.uid in self.own_uids:
            return True
        if not {origin.person, origin.declared}.isdisjoint(followed.persons):
            return True
        mine = self.origins.get(self._open_uid or "")
        declared = mine.declared if mine else None
        return origin.person == self._hub.hub.person and (
            None in (declared, origin.declared) or declared == origin.declared
        )

    def read_cursor(self, origin: HubOrigin) -> int:
        """Give up to which number an origin was fetched; of one that came by a file, or is this
        record's own, how many of its first statements are here. What was told more fully since is
        fetched again."""
        held = read_cursor(self._record, self._hub, origin.uid)
        if held is not None:
            heard = read_cursor(self._record, self._hub, _heard_of(origin)) or 0
            return held if origin.retold <= heard else 0
        ((count, last),) = self._record.sql(
            "SELECT count(*), coalesce(max(seq), 0) FROM log JOIN origins USING (origin_id) "
            "WHERE uid = ?",
            [origin.uid],
        )
        return int(last) if last and count == last and self._is_same(origin, last) else 0

    def note_heard(self, origin: HubOrigin) -> None:
        """Note that all that an origin told more fully is here."""
        if origin.retold:
            note_cursors(self._record, self._hub, {_heard_of(origin): origin.retold})

    def _is_same(self, origin: HubOrigin, seq: int) -> bool:
        """Tell whether the hub knows an origin's statement of a number as this record does: a
        record that was restored from a backup may have told others otherwise before."""
        if not self._hub.hub.may_push:
            return False  # nor may this person read by what it is recognised there
        digest = self._record.value(
            "SELECT digest FROM log JOIN origins USING (origin_id) "
            "JOIN observations USING (observation_id) WHERE uid = ? AND seq = ?",
            [origin.uid, seq],
        )
        rows = self._hub.ask(
            "SELECT recognition FROM log WHERE origin_id = %s AND seq = %s", [origin.hub_id, seq]
        )
        return bool(rows) and bytes(rows[0][0]) == recognise(self._hub.secret, bytes(digest))

    # Reading there

    def read_portion(self, origin: HubOrigin, after: int) -> tuple[_Portion, int]:
        """Read the next statements of an origin, with what they point to; gives the number of the
        last."""
        with self._hub.snapshot():
            rows = self._hub.ask(
                "SELECT seq, recognition FROM log WHERE origin_id = %s AND seq > %s AND seq <= %s "
                "ORDER BY seq LIMIT %s",
                [origin.hub_id, after, origin.last, STATEMENTS_AT_ONCE],
            )
            if not rows:
                return _Portion([], [], []), origin.last
            bodies = self._read_bodies([bytes(recognition) for _, recognition in rows])
            sizes = self._read_sizes(each for its in bodies.values() for each, _ in its)
            told: list[_Told] = []
            last, room = after, BYTES_AT_ONCE
            for seq, recognition in rows:
                statements = bodies.get(bytes(recognition), [])
                named = named_hashes(statement for statement, _ in statements)
                room -= sum(size for _, size in statements)
                room -= sum(sizes.pop(each, 0) for each in named)
                if room < 0 and told:
                    break
                told += [
                    _Told(statement, bytes(recognition), [(origin.hub_id, seq)])
                    for statement, _ in statements
                ]
                last = seq
            if last == rows[-1][0] and len(rows) < STATEMENTS_AT_ONCE:
                last = origin.last
            return self._complete(told), last

    def _read_sizes(self, statements: Iterable[PortableStatement]) -> dict[str, int]:
        """Read how much of contents that are not here statements name, by SHA-256."""
        wanted = self._not_here(named_hashes(statements))
        if not wanted:
            return {}
        rows = self._hub.ask(
            "SELECT sha256, length(data) FROM contents WHERE sha256 = ANY (%b) AND data NOTNULL",
            [[bytes.fromhex(each) for each in sorted(wanted)]],
        )
        return {bytes(sha256).hex(): size for sha256, size in rows}

    def read_runs(self, keys: Sequence[str]) -> _Portion:
        """Read all that is said of some runs, with what it points to."""
        with self._hub.snapshot():
            rows = self._hub.ask(
                "WITH RECURSIVE known (key) AS (SELECT unnest(%b::text[]) UNION "
                "SELECT other.key FROM known JOIN about USING (key) "
                "JOIN about AS other ON other.recognition = about.recognition) "
                "SELECT DISTINCT recognition FROM about JOIN known USING (key)",
                [list(map(storable_text, keys))],
            )
            return self._complete(self._read_told([bytes(each) for (each,) in rows]))

    def _read_bodies(
        self, recognitions: Collection[bytes]
    ) -> dict[bytes, list[tuple[PortableStatement, int]]]:
        """Read statements at the greatest level that the hub has of each, with their sizes; a body
        that is no statement is left out."""
        found: dict[bytes, list[tuple[PortableStatement, int]]] = {}
        levels: dict[bytes, int] = {}
        for recognition, level, body in self._hub.ask(
            "SELECT recognition, level, body FROM statements WHERE recognition = ANY (%b) "
            "AND body <> '' ORDER BY recognition, level DESC, digest",
            [sorted(recognitions)],
        ):
            key = bytes(recognition)
            if levels.setdefault(key, level) == level:
                statement = _read_statement(key, body)
                if statement is None:
                    self._remark("statements that are not as orch writes them were left out")
                else:
                    found.setdefault(key, []).append((statement, len(body)))
        return found

    def _read_told(self, recognitions: Collection[bytes]) -> list[_Told]:
        """Read statements with the first origin that stated each."""
        if not recognitions:
            return []
        log: dict[bytes, tuple[int, int]] = {}
        for recognition, hub_id, seq in self._hub.ask(
            "SELECT recognition, origin_id, seq FROM log WHERE recognition = ANY (%b) "
            "ORDER BY origin_id DESC",
            [sorted(recognitions)],
        ):
            log[bytes(recognition)] = (hub_id, seq)
        return [
            _Told(statement, recognition, [log[recognition]] if recognition in log else [])
            for recognition, statements in self._read_bodies(recognitions).items()
            for statement, _ in statements
        ]

    def _complete(self, told: list[_Told]) -> _Portion:
        """Read along what statements point to and this record does not know, and their texts."""
        have = {each.recognition for each in told}
        asked: set[str] = set()
        fresh = told
        for _ in range(_ROUNDS):
            wanted = self._absent_references(fresh) - asked
            asked |= wanted
            if not wanted:
                break
            rows = self._hub.ask(
                "SELECT DISTINCT recognition FROM about JOIN statements USING (recognition) "
                "WHERE key = ANY (%s) AND kind IN ('set', 'identified')",
                [sorted(map(storable_text, wanted))],
            )
            fresh = self._read_told({bytes(each) for (each,) in rows} - have)
            if not fresh:
                break
            have |= {each.recognition for each in fresh}
            told = told + fresh
        return self._with_texts(sorted(told, key=_telling_rank))

    def _absent_references(self, told: Iterable[_Told]) -> set[str]:
        """Collect what statements name that is not here: sessions, plans, bundles, and the runs of
        which nobody told here what they are called."""
        wanted: set[str] = set()
        for statement in (each.statement for each in told):
            wanted.update(ref for ref in _references(statement) if not is_here(self._record, ref))
            if statement.kind not in ("identified", "set", "journal"):
                unknown = [key for key in statement.about if owner_of(self._record, key) is None]
                wanted.update(unknown if len(unknown) == len(statement.about) else ())
        return wanted

    def _with_texts(self, told: list[_Told]) -> _Portion:
        """Read the contents and briefings that statements name and that are not here."""
        hashes = self._not_here(named_hashes(each.statement for each in told))
        briefings: list[tuple[bytes, int, list[list[Any]]]] = []
        wanted = hashes
        for _ in range(_ROUNDS):
            found = self._read_briefings(wanted)
            briefings = found + briefings
            named = {str(value) for *_, parts in found for kind, value in parts if kind != "text"}
            wanted = self._not_here(named - hashes)
            hashes |= wanted
            if not wanted:
                break
        contents = self._read_contents(hashes)
        return _Portion(told, contents + self._unsent(told, contents, briefings), briefings)

    def _unsent(
        self,
        told: Iterable[_Told],
        contents: Iterable[tuple[bytes, int, bytes | None, bytes]],
        briefings: Iterable[tuple[bytes, int, list[list[Any]]]],
    ) -> list[tuple[bytes, int, bytes | None, bytes]]:
        """Name the texts that were said, given or quoted and that their machine keeps to itself."""
        named = {str(v) for *_, parts in briefings for kind, v in parts if kind == "content"}
        for statement in (each.statement for each in told):
            named.update(find_contents(statement.kind, statement.said))
        sent = {sha256.hex() for sha256, *_ in contents}
        absent = sorted(filter(_SHA256.fullmatch, named - sent))
        return [
            (bytes.fromhex(each), 0, None, UNSENT_BYTES) for each in sorted(self._not_here(absent))
        ]

    def _not_here(self, hashes: Collection[str]) -> set[str]:
        """Tell which contents and briefings are not here, by SHA-256 (hexadecimal)."""
        return set(hashes) - find_held_texts(self._record, hashes)

    def _read_briefings(self, hashes: Collection[str]) -> list[tuple[bytes, int, list[list[Any]]]]:
        if not hashes:
            return []
        rows = self._hub.ask(
            "SELECT sha256, size, parts FROM briefings WHERE sha256 = ANY (%b)",
            [[bytes.fromhex(each) for each in sorted(hashes)]],
        )
        read = ((bytes(sha256), size, _read_parts(parts)) for sha256, size, parts in rows)
        return [each for each in read if each[2]]

    def _read_contents(
        self, hashes: Collection[str]
    ) -> list[tuple[bytes, int, bytes | None, bytes]]:
        if not hashes:
            return []
        found: list[tuple[bytes, int, bytes | None, bytes]] = []
        for sha256, size, encoding, stored, is_redacted in self._hub.ask(
            "SELECT sha256, size, encoding, data, "
            "EXISTS (SELECT 1 FROM gone WHERE digest = sha256) "
            "FROM contents WHERE sha256 = ANY (%b)",
            [[bytes.fromhex(each) for each in sorted(hashes)]],
        ):
            data = None if stored is None else unpack_bytes(encoding, bytes(stored))
            if encoding != "gone" and hashlib.sha256(data or b"").digest() != bytes(sha256):
                self._remark("contents that are not what their hash says were left out")
                continue
            mark = b"" if is_redacted else FORGOTTEN_BYTES
            found.append((bytes(sha256), size, data, mark))
        return found

    # Taking in here

    def take_in(self, portion: _Portion, cursors: Mapping[str, int]) -> None:
        """Take in what was read, and note up to which numbers it goes, in one transaction."""
        if not portion.told:
            note_cursors(self._record, self._hub, cursors)
            return
        try:
            self._take_all(portion, cursors, _call)
        except (OrchError, ValueError, TypeError, KeyError, sqlite3.Error) as error:
            if isinstance(error, OrchError) and not isinstance(
                error.__cause__, sqlite3.IntegrityError
            ):
                raise  # of the record, not of what was told
            self._take_all(portion, cursors, self._take_apart)
        self.pulled.contents += len(portion.contents)

    def _take_all(
        self, portion: _Portion, cursors: Mapping[str, int], take: Callable[..., None]
    ) -> None:
        with incoming_statements(self._record) as work:
            for content in portion.contents:
                take(work.take_content, *content)
            for briefing in portion.briefings:
                take(work.take_briefing, *briefing)
            known_as = {
                hub_id: learn_origin(self._record, self._by_id[hub_id].told())
                for hub_id in sorted({hub_id for each in portion.told for hub_id, _ in each.log})
                if hub_id in self._by_id
            }
            for each in portion.told:
                log = [(known_as[hub_id], seq) for hub_id, seq in each.log if hub_id in known_as]
                is_whole = each.statement.digest != each.recognition
                if is_whole or not self._is_here_whole(each.recognition):
                    reduced = each.recognition if is_whole else None
                    take(work.take_statement, each.statement, log, reduced)
                    if is_whole and self._whole is not None:
                        self._whole.add(each.recognition)
            note_cursors(self._record, self._hub, cursors)
        self._add_up(work)

    def _is_here_whole(self, recognition: bytes) -> bool:
        """Tell whether all of a statement is here of which the hub holds only figures."""
        if self._whole is None:
            self._whole = set()
            if self._hub.hub.may_push:  # else this person does not see the key
                self._whole.update(
                    recognise(self._hub.secret, bytes(digest))
                    for (digest,) in self._record.execute("SELECT digest FROM observations")
                )
        return recognition in self._whole

    def _take_apart(self, take: Callable[..., None], *told: Any) -> None:
        """Take in what others told; what is broken is left out, and said: a hub holds what any
        member sent, and nobody else's is to wait for that."""
        self._record.execute("SAVEPOINT told")
        try:
            take(*told)
        except (OrchError, ValueError, TypeError, KeyError, sqlite3.Error) as error:
            self._record.execute("ROLLBACK TO told")
            why = f": {error}" if isinstance(error, BrokenRowError) else ""
            self._remark(f"what is not as orch writes it was left out{why}")
        self._record.execute("RELEASE told")

    def _add_up(self, work: Incoming) -> None:
        self.pulled.statements += work.restored.statements
        self.pulled.executions |= work.restored.executions
        for remark in work.restored.remarks:
            self._remark(remark)

    def _remark(self, remark: str) -> None:
        if remark not in self.pulled.remarks:
            self.pulled.remarks.append(remark)


def _heard_of(origin: HubOrigin) -> str:
    """Name the cursor of what an origin told more fully."""
    return f"told more fully by {origin.uid}"


_SHA256 = re.compile("[0-9a-f]{64}")


def _read_statement(recognition: bytes, body: str) -> PortableStatement | None:
    """Read a statement; None for what is none. One that was sent without its digest is known by
    what it is recognised by."""
    try:
        told = json.loads(body)
        digest = bytes.fromhex(told["digest"]) if told.get("digest") else recognition
        statement = PortableStatement.of(digest, told)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return statement if isinstance(statement.said, dict) else None


def _read_parts(text: str) -> list[list[Any]]:
    """Read the parts of a briefing; none for what is broken, or was taken away."""
    try:
        return [[str(kind), value] for kind, value in json.loads(text)]
    except (ValueError, TypeError, RecursionError):
        return []


def _telling_rank(told: _Told) -> tuple[int, int]:
    """Sort statements so that what others point to comes first, and sets as they were stated."""
    kind = told.statement.kind
    others = TELLING_ORDER.index("")
    rank = TELLING_ORDER.index(kind) if kind and kind in TELLING_ORDER else others
    subject = str(told.statement.said.get("subject"))
    return rank, _SUBJECTS.get(subject.partition(":")[0], 0) if kind == "set" else 0


_SUBJECTS = {"session": 0, "claude": 0, "bundle": 1, "version": 2, "planned": 3}
"""In which order sets are taken in: what others name comes first."""


def _references(statement: PortableStatement) -> set[str]:
    """Collect the sessions, plans and bundles that a statement names, and runs by their key."""
    said = statement.said
    values = said.get("values") if statement.kind == "set" else None
    named = [said.get(name) for name in ("session", "planned", "bundle_version", "run")]
    if isinstance(values, dict):
        waits = values.get("waits")
        named += [values.get(name) for name in ("session", "bundle")]
        named += [f"planned:{uid}" for uid in waits] if isinstance(waits, list) else []
        subject = said.get("subject")
        named.append(subject if isinstance(subject, str) else None)
    for name in ("ran_in", "told_in"):
        if isinstance(said.get(name), str):
            named.append(f"claude:{said[name]}")
    return {run_key(ref) for ref in named if isinstance(ref, str) and ":" in ref}
