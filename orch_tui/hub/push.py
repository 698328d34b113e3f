"""Sending a hub what this record stated since it did so last.

Idempotent and resumable: the hub knows the last number it has of each origin, and a transaction
either brings the next statements with that number or nothing. Nothing local is locked meanwhile,
and rows go in the order of their keys: any number of pushers with the same texts wait for one
another and never in a circle.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from orch_tui import __version__
from orch_tui.errors import HubError
from orch_tui.frozen import frozen, mutable
from orch_tui.hub.cursors import note_cursors, read_cursor
from orch_tui.hub.held_texts import SecretsGate
from orch_tui.hub.sending import (
    EVERYTHING,
    FIGURES,
    SentStatement,
    recognise,
    select,
    storable_text,
)
from orch_tui.hub.watched_hub import WatchedHub
from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import pack_bytes
from orch_tui.record.exchange.outgoing import (
    LoggedStatement,
    PortableBriefing,
    PortableContent,
    find_named_texts,
    read_log,
)
from orch_tui.record.ledger.contents import UNSENT_BYTES
from orch_tui.record.ledger.origins import begin_origin, gather_statements, reassign_log
from orch_tui.record.ledger.raw_sql import ingest_noted_changes

STATEMENTS_AT_ONCE = 200
BYTES_AT_ONCE = 4 << 20
"""Of a transaction, at most."""

Progress = Callable[[str, int, int], object]
"""Is told what is done, how many of it, and of how many."""


@mutable
class Pushed:
    """What was sent."""

    statements: int = 0
    contents: int = 0
    briefings: int = 0


@frozen
class OwnOrigin:
    """An origin of this record, as the hub knows it."""

    origin_id: int
    """Its number here; ``hub_id`` is the one there."""
    hub_id: int
    uid: str
    hub_last: int
    """The last number that the hub has of it."""
    sends: int
    """At which level it told that, as the hub counts."""
    own_last: int


@frozen
class OriginFork:
    """From some number on the hub knows other statements of an origin than this record, or ones
    that it does not know: it is the copy of a record, or an older state of itself."""

    origin: OwnOrigin
    first: int


def gather_for_hub(record: Record) -> None:
    """Number what was stated since the last time, where anything was."""
    with record.write():
        ingest_noted_changes(record)
        gather_statements(record, only_new=True)


def push_statements(
    record: Record,
    hub: WatchedHub,
    declared: str | None,
    *,
    level: int = EVERYTHING,
    progress: Progress = lambda what, done, total: None,
) -> Pushed:
    """Send what the hub does not have of the origins of this record, oldest first.

    ``declared`` is who git says works here. What was numbered (`gather_for_hub`) is sent.

    Raises:
        HubError: the hub went away, refused it, or has another record's statements under these
            numbers (`find_fork`).
    """
    pushed = Pushed()
    sender = _Sender(record, hub, declared, level, pushed)
    origins = register_origins(record, hub, declared, level)
    total = sum(max(0, origin.own_last - origin.hub_last) for origin in origins)
    for origin in origins:
        if origin.sends < level or sender.has_news_of_held():
            sender.tell_more(origin)
        for _ in sender.send_origin(origin):
            progress("statements", pushed.statements, total)
    sender.finish()
    return pushed


def push_texts(
    record: Record, hub: WatchedHub, declared: str | None, level: int, named: set[str]
) -> None:
    """Send the contents and briefings of these hashes that may go and that the hub lacks."""
    _Sender(record, hub, declared, level, Pushed()).send_texts(named)


# Origins


def register_origins(
    record: Record, hub: WatchedHub, declared: str | None, level: int = EVERYTHING
) -> list[OwnOrigin]:
    """Make the origins of this record known to the hub, and learn what it has of each.

    Those that the hub knows as another person's are left out; where the present one is such, it
    goes on as a new one.
    """
    own = record.sql(
        "SELECT origin_id, uid, machine, name, closed_at IS NULL, "
        "(SELECT coalesce(max(seq), 0) FROM log WHERE log.origin_id = origins.origin_id) "
        "FROM origins WHERE mine ORDER BY origin_id"
    )
    known = _read_origins(hub, [uid for _, uid, *_ in own])
    registered = []
    for origin_id, uid, machine, name, is_open, own_last in own:
        if not own_last and not is_open:
            continue
        if uid not in known:
            known[uid] = _register_origin(hub, (uid, declared, machine, name, level))
        held = known[uid]
        if held.is_mine:
            _go_by_name(record, origin_id, name, held.name)
            registered.append(
                OwnOrigin(origin_id, held.hub_id, uid, held.last, held.sends, own_last)
            )
        elif is_open:
            with record.write():
                reassign_log(record, origin_id, 1, own_last, {})
            return register_origins(record, hub, declared, level)
    return registered


class _Known(NamedTuple):
    """An origin as the hub has it: its number there, its last statement, what is sent of it,
    whether it is this person's, and its name."""

    hub_id: int
    last: int
    sends: int
    is_mine: bool
    name: str


def _read_origins(hub: WatchedHub, uids: list[str]) -> dict[str, _Known]:
    rows = hub.ask(
        "SELECT uid, origin_id, last_seq, sends, person = session_user, name "
        "FROM origins WHERE uid = ANY (%s)",
        [uids],
    )
    return {uid: _Known(*rest) for uid, *rest in rows}


def _go_by_name(record: Record, origin_id: int, name: str, hub_name: str) -> None:
    """Have an origin of this record go by the name that it has on the hub, where no other here has
    that: so nobody else's there has the name that this record has for itself."""
    if name == hub_name:
        return
    with record.write():
        record.execute(
            "UPDATE origins SET name = ?1 WHERE origin_id = ?2 "
            "AND NOT EXISTS (SELECT 1 FROM origins WHERE name = ?1)",
            [hub_name, origin_id],
        )


def _register_origin(hub: WatchedHub, told: tuple[str, str | None, str, str, int]) -> _Known:
    """Make an origin known; where another has its name, it gets one that tells them apart."""
    uid, declared, machine, name, level = told
    said = storable_text(declared) if declared else None
    for named in (name, f"{name}.{uid[:4]}", f"{name}.{uid}"):
        hub.tell(
            "INSERT INTO origins (uid, declared, machine, name, client, sends) "
            "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [uid, said, machine, named, __version__, level],
        )
        if found := _read_origins(hub, [uid]):
            return found[uid]
    return _Known(0, 0, 0, False, name)  # the hub has it as another's, whom this person cannot see


def find_fork(record: Record, hub: WatchedHub, origins: Iterable[OwnOrigin]) -> OriginFork | None:
    """Find an origin of which the hub knows other statements than this record, or later ones.

    What the hub took from here last time needs no looking at. Who may not read there sees no more
    than the last number.
    """
    for origin in origins:
        if origin.hub_last == read_cursor(record, hub, origin.uid):
            continue
        first = min(origin.hub_last, origin.own_last) + 1
        if hub.hub.may_read:
            first = _find_first_other(record, hub, origin, first)
        if first <= origin.hub_last:
            return OriginFork(origin, first)
        note_cursors(record, hub, {origin.uid: origin.hub_last})
    return None


def _find_first_other(record: Record, hub: WatchedHub, origin: OwnOrigin, beyond: int) -> int:
    """Find the first number below ``beyond`` under which the hub has something else: all before it
    is the same, since neither side ever changes a number."""
    same, other = 0, beyond
    at = beyond - 1  # mostly the last is the same
    while same + 1 < other:
        if _is_same(record, hub, origin, at):
            same = at
        else:
            other = at
        at = (same + other) // 2
    return other


def _is_same(record: Record, hub: WatchedHub, origin: OwnOrigin, seq: int) -> bool:
    theirs = hub.ask(
        "SELECT recognition FROM log WHERE origin_id = %s AND seq = %s", [origin.hub_id, seq]
    )
    mine = read_log(record, origin.origin_id, seq - 1, 1, until=seq)
    return bool(theirs and mine) and theirs[0][0] == recognise(hub.secret, mine[0].digest)


def renumber_fork(record: Record, fork: OriginFork) -> None:
    """Number anew what the hub has other statements for, without fetching those: for who may not
    read there."""
    origin = fork.origin
    with record.write():
        reassign_log(record, origin.origin_id, fork.first, origin.own_last, {})
        if origin.own_last < fork.first:  # nothing was numbered twice yet
            begin_origin(record)


_ALLOWED = "allowed"
"""The cursor of how many texts that were held back were let go."""


# Sending


class _Sender:
    """Sends the statements of one record to one hub."""

    def __init__(
        self,
        record: Record,
        hub: WatchedHub,
        declared: str | None,
        level: int,
        pushed: Pushed,
    ) -> None:
        self._record = record
        self._hub = hub
        self._declared = storable_text(declared) if declared else None
        self._level = level
        self._pushed = pushed
        self._secret = hub.secret
        self._sent_texts: set[str] = set()
        self._files: set[bytes] | None = None
        self._gate = SecretsGate(record) if level > FIGURES else None

    def send_origin(self, origin: OwnOrigin) -> Iterator[int]:
        """Send what the hub lacks of an origin; yields the last number it has after each part."""
        last = origin.hub_last
        while some := read_log(self._record, origin.origin_id, last, STATEMENTS_AT_ONCE):
            some, sent = self._select(some)
            self.send_texts({sha256 for each in sent for sha256 in each.texts})
            last = self._send_statements(origin, last, some, sent)
            note_cursors(self._record, self._hub, {origin.uid: last})
            yield last

    def has_news_of_held(self) -> bool:
        """Tell whether somebody said since that what was held back may go."""
        if self._gate is None:
            return False
        told = read_cursor(self._record, self._hub, _ALLOWED) or 0
        return self._gate.count_allowed() > told

    def tell_more(self, origin: OwnOrigin) -> None:
        """Tell what the hub has of an origin as fully as this record tells it now."""
        last, told = 0, 0
        texts = self._pushed.contents + self._pushed.briefings
        while last < origin.hub_last and (
            some := read_log(
                self._record, origin.origin_id, last, STATEMENTS_AT_ONCE, until=origin.hub_last
            )
        ):
            some, sent = self._select(some)
            self.send_texts({sha256 for each in sent for sha256 in each.texts})
            told += self._in_turn(_insert_statements, sent)
            last = some[-1].seq
        more = told or self._pushed.contents + self._pushed.briefings > texts
        self._hub.tell(
            "UPDATE origins SET retold = retold + %s, sends = %s WHERE origin_id = %s",
            [int(bool(more)), self._level, origin.hub_id],
        )
        self._pushed.statements += told

    def finish(self) -> None:
        """Note what was let go and looked into, so that it is not done again."""
        if self._gate is None:
            return
        if self.has_news_of_held():
            note_cursors(self._record, self._hub, {_ALLOWED: self._gate.count_allowed()})
        self._gate.keep_verdicts()

    def _select(
        self, some: Sequence[LoggedStatement]
    ) -> tuple[list[LoggedStatement], list[SentStatement]]:
        """Take as many of the next statements as a transaction may hold."""
        taken: list[LoggedStatement] = []
        sent: list[SentStatement] = []
        room = BYTES_AT_ONCE
        for each in some:
            if each.statement is not None:
                is_held = self._gate is not None and self._gate.find_in_statement(each.statement)
                level = FIGURES if is_held else self._level
                chosen = select(each.statement, self._secret, level)
                room -= len(chosen.body)
                if room < 0 and taken:
                    break
                sent.append(chosen)
            taken.append(each)
        return taken, sent

    def send_texts(self, named: set[str]) -> None:
        """Send the contents and briefings of these hashes that the hub lacks."""
        hashes = named - self._sent_texts
        if not hashes:
            return
        texts = find_named_texts(self._record, hashes)
        contents = [
            each
            for each in texts.contents
            if not (each.encoding == "gone" and each.stored == UNSENT_BYTES)
        ]
        if self._level < EVERYTHING:  # briefings quote the files that were given
            files = self._list_files()
            contents = [
                each for each in contents if each.sha256.hex() in hashes or each.sha256 not in files
            ]
        lacking = self._lacking("contents", [each.sha256 for each in contents])
        chosen = sorted(
            (each for each in contents if each.sha256 in lacking and self._may_go(each)),
            key=_by_sha256,
        )
        for part in _parts(chosen, lambda each: len(each.stored or b"")):
            self._pushed.contents += self._in_turn(_insert_contents, part)
        lacking = self._lacking("briefings", [each.sha256 for each in texts.briefings])
        quoting = sorted(
            (each for each in texts.briefings if each.sha256 in lacking and self._may_go(each)),
            key=_by_sha256,
        )
        for some in _parts(quoting, lambda each: each.size):
            self._pushed.briefings += self._in_turn(_insert_briefings, some)
        self._sent_texts |= hashes

    def _may_go(self, text: PortableContent | PortableBriefing) -> bool:
        """Tell whether nothing in a text looks like a secret, or somebody said that it may go."""
        if self._gate is None:
            return True
        if isinstance(text, PortableBriefing):
            return not self._gate.find_in_briefing(text)
        return not self._gate.find_in_content(text)

    def _list_files(self) -> set[bytes]:
        """List the contents that are files which were given, or kept of what was delivered."""
        if self._files is None:
            self._files = {
                bytes(sha256)
                for (sha256,) in self._record.sql(
                    "SELECT sha256 FROM contents WHERE content_id IN ("
                    "SELECT content_id FROM context_allocations UNION "
                    "SELECT content_id FROM bundle_items UNION SELECT content_id FROM outputs)"
                )
            }
        return self._files

    def _lacking(self, table: str, digests: Collection[bytes]) -> set[bytes]:
        """Find which of these the hub does not hold; all where this person may not look."""
        if not digests or not self._hub.hub.may_read:
            return set(digests)
        rows = self._hub.ask(
            "SELECT sha256 FROM unnest(%b::bytea[]) AS wanted (sha256) "
            f"WHERE NOT EXISTS (SELECT 1 FROM {table} AS held WHERE held.sha256 = wanted.sha256)",
            [sorted(digests)],
        )
        return {bytes(sha256) for (sha256,) in rows}

    def _send_statements(
        self,
        origin: OwnOrigin,
        last: int,
        some: Sequence[LoggedStatement],
        sent: Sequence[SentStatement],
    ) -> int:
        """Send the statements after ``last`` in one transaction; gives the last number the hub has
        then, which is another one where somebody else was at it."""

        def insert(hub: WatchedHub, _: object) -> int:
            ((held,),) = hub.ask(
                "SELECT last_seq FROM origins WHERE origin_id = %s FOR UPDATE", [origin.hub_id]
            )
            if held != last:
                return int(held)
            _insert_statements(hub, sent)
            _insert_log(hub, origin, [(s.seq, recognise(self._secret, s.digest)) for s in some])
            hub.tell(
                "UPDATE origins SET last_seq = %s, seen_at = now(), client = %s, sends = %s, "
                "declared = coalesce(%s, declared) WHERE origin_id = %s",
                [some[-1].seq, __version__, self._level, self._declared, origin.hub_id],
            )
            hub.ask("SELECT pg_notify(%s, %s)", [channel_of(hub.hub.schema), origin.uid])
            return some[-1].seq

        now = self._in_turn(insert, None)
        if now == some[-1].seq:
            self._pushed.statements += len(some)
        return now

    def _in_turn(self, work: Callable[[WatchedHub, Any], int], rows: Any) -> int:
        """Do something in one transaction, again where another one was in the way."""
        for attempt in self._hub.tries():
            try:
                with self._hub.transaction():
                    return work(self._hub, rows)
            except Exception as error:
                if isinstance(error, HubError) or not self._hub.is_in_the_way(error, attempt):
                    raise
        raise AssertionError("the last try gives or raises")


def channel_of(schema: str) -> str:
    """Name the channel on which a hub tells that something was pushed."""
    return f"{schema}_pushed"


def _by_sha256(each: PortableContent | PortableBriefing) -> bytes:
    return each.sha256


def _parts(rows: Iterable[Any], size: Callable[[Any], int]) -> Iterator[list[Any]]:
    """Cut rows into parts that a transaction may hold."""
    part: list[Any] = []
    room = BYTES_AT_ONCE
    for row in rows:
        room -= size(row)
        if part and (room < 0 or len(part) >= STATEMENTS_AT_ONCE):
            yield part
            part, room = [], BYTES_AT_ONCE - size(row)
        part.append(row)
    if part:
        yield part


def _insert_contents(hub: WatchedHub, rows: Sequence[PortableContent]) -> int:
    packed = [
        (each.sha256, each.size, "gone", None)
        if each.encoding == "gone"
        else (each.sha256, each.size, each.encoding, each.stored)
        if each.encoding in ("raw", "zlib")
        else (each.sha256, each.size, *pack_bytes(each.stored or b""))
        for each in rows
    ]
    return hub.tell(
        "INSERT INTO contents (sha256, size, encoding, data) "
        "SELECT * FROM unnest(%b::bytea[], %s::int[], %b::text[], %b::bytea[]) "
        "ON CONFLICT DO NOTHING",
        [list(column) for column in zip(*packed, strict=True)],
    )


def _insert_briefings(hub: WatchedHub, rows: Sequence[PortableBriefing]) -> int:
    return hub.tell(
        "INSERT INTO briefings (sha256, size, level, parts) "
        "SELECT sha256, size, %s, parts "
        "FROM unnest(%b::bytea[], %s::int[], %b::text[]) AS told (sha256, size, parts) "
        "ON CONFLICT DO NOTHING",
        [
            EVERYTHING,
            [each.sha256 for each in rows],
            [each.size for each in rows],
            [json.dumps(each.parts) for each in rows],
        ],
    )


def _insert_statements(hub: WatchedHub, sent: Sequence[SentStatement]) -> int:
    """Insert statements, and what they are about, but for those that were redacted there; gives how
    many the hub did not have."""
    if not sent:
        return 0
    rows = sorted(sent, key=lambda each: (each.recognition, each.digest))
    new = hub.tell(
        "INSERT INTO statements (recognition, level, digest, kind, at, body) "
        "SELECT told.* FROM unnest(%b::bytea[], %s::smallint[], %b::bytea[], %b::text[], "
        "%s::timestamptz[], %b::text[]) AS told (recognition, level, digest, kind, at, body) "
        "WHERE NOT EXISTS (SELECT 1 FROM gone WHERE gone.digest = told.recognition) "
        "ON CONFLICT DO NOTHING",
        [
            [each.recognition for each in rows],
            [each.level for each in rows],
            [each.digest for each in rows],
            [each.kind for each in rows],
            [each.at for each in rows],
            [each.body for each in rows],
        ],
    )
    about = sorted({(key, each.recognition) for each in rows for key in each.keys})
    if about:
        hub.tell(
            "INSERT INTO about (key, recognition) "
            "SELECT * FROM unnest(%b::text[], %b::bytea[]) ON CONFLICT DO NOTHING",
            [[key for key, _ in about], [recognition for _, recognition in about]],
        )
    return new


def _insert_log(hub: WatchedHub, origin: OwnOrigin, entries: Iterable[tuple[int, bytes]]) -> None:
    rows = sorted(entries)
    hub.tell(
        "INSERT INTO log (origin_id, seq, recognition) "
        "SELECT %s, * FROM unnest(%s::bigint[], %b::bytea[]) ON CONFLICT DO NOTHING",
        [origin.hub_id, [seq for seq, _ in rows], [recognition for _, recognition in rows]],
    )
