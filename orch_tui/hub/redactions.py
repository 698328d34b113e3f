"""What was redacted or forgotten in one record goes from the hub and from the other records, too.

The hub keeps what held a secret by its hash (``gone``), never the secret. Whoever has the same
texts finds it in them, since the journal of who redacted it tells its length and how its hash
begins, and takes it out of all of its record before it sends anything more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from orch_tui.hub.cursors import note_cursors, read_cursor
from orch_tui.hub.derived_runs import derive_runs, list_runs_of
from orch_tui.hub.levels import find_sent_texts
from orch_tui.hub.push import (
    OwnOrigin,
    push_texts,
)
from orch_tui.hub.sending import FIGURES, canonical_body, recognise
from orch_tui.hub.settings import LEVELS
from orch_tui.hub.watched_hub import WatchedHub
from orch_tui.models.database import Record
from orch_tui.record.exchange.outgoing import PortableStatement, read_briefings, read_statements
from orch_tui.record.ledger.contents import FORGOTTEN_BYTES
from orch_tui.record.upkeep.redacted_elsewhere import redact_as_elsewhere

_FETCHED = "redactions of the hub"
_SENT = "redactions of this record"
_FORGOTTEN = "forgotten texts of this record"
"""Cursors: how many were dealt with."""

_AT_ONCE = 500


def fetch_redactions(record: Record, hub: WatchedHub) -> bool:
    """Redact here what members redacted since; tells whether this record held any of it."""
    ((count,),) = hub.ask("SELECT count(*) FROM gone")
    if count == read_cursor(record, hub, _FETCHED):
        return False
    texts: set[bytes] = set()
    recognitions: set[bytes] = set()
    for digest, kind in hub.ask("SELECT digest, kind FROM gone"):
        (recognitions if kind == "statement" else texts).add(bytes(digest))
    done = redact_as_elsewhere(
        record,
        texts,
        list(_find_statements(record, hub, recognitions)),
        _last_sent(record, hub),
        _read_subjects(hub),
    )
    note_cursors(record, hub, {_FETCHED: count})
    return done


def tell_redactions(hub: WatchedHub, origins: Sequence[OwnOrigin]) -> None:
    """Tell the hub that this record has redacted all that is to be, so that others see it."""
    hub.tell(
        "UPDATE origins SET redactions = gone.many "
        "FROM (SELECT count(*) AS many FROM gone) AS gone "
        "WHERE origin_id = ANY (%s) AND redactions <> gone.many",
        [[origin.hub_id for origin in origins]],
    )


def _find_statements(record: Record, hub: WatchedHub, recognitions: set[bytes]) -> Iterator[bytes]:
    """Find the digests here of statements that the hub recognises so."""
    if recognitions and hub.hub.may_push:  # else this person does not see the key
        for (digest,) in record.execute("SELECT digest FROM observations"):
            if recognise(hub.secret, bytes(digest)) in recognitions:
                yield bytes(digest)


def _last_sent(record: Record, hub: WatchedHub) -> int:
    """Give the statement before the first one that the hub has not got."""
    first = record.value(
        "SELECT min(observation_id) FROM observations WHERE observation_id NOT IN "
        "(SELECT observation_id FROM log JOIN origins USING (origin_id) "
        "LEFT JOIN hub_cursors AS c ON c.origin_uid = origins.uid AND c.hub_uid = ? "
        "WHERE NOT mine OR log.seq <= coalesce(c.seq, 0))",
        [hub.hub.uid],
    )
    if first is None:
        return int(record.value("SELECT coalesce(max(observation_id), 0) FROM observations"))
    return int(first) - 1


def _read_subjects(hub: WatchedHub) -> list[str]:
    """Read what the journals of all say of the secrets that were redacted."""
    subjects = []
    for (body,) in hub.ask(
        "SELECT body FROM statements WHERE kind = 'journal' AND level > %s "
        'AND position(\'"action":"redact"\' IN body) > 0',
        [FIGURES],
    ):
        with suppress(ValueError, KeyError, TypeError):
            subjects.append(str(json.loads(body)["said"]["subject"]))
    return subjects


def push_redactions(record: Record, hub: WatchedHub, level: int) -> int:
    """Redact on the hub what was redacted here since; gives how much changed there.

    ``level``: what is sent, as the hub counts it.
    """
    count = record.value("SELECT count(*) FROM journal WHERE action = 'redact'")
    if count == (read_cursor(record, hub, _SENT) or 0) or not hub.hub.may_read:
        return 0
    changed = 0
    known = {bytes(digest) for (digest,) in hub.ask("SELECT digest FROM gone")}
    for kind, sha256, replacement in _list_gone(record):
        if sha256 in known:
            continue
        changed += _call(hub, "SELECT redact_text(%b, %s, %b)", [sha256, kind, replacement])
    concerned: dict[str, None] = {}
    named: set[str] = set()
    for part in _in_parts(read_statements(record, "true")):
        for told, labels in _redact_statements(record, hub, part):
            concerned |= dict.fromkeys(labels)
            named.update(find_sent_texts(told.kind, told.said, LEVELS[level]))
    push_texts(record, hub, None, level, named)  # what took the place of others
    concerned |= dict.fromkeys(_list_runs(record))
    derive_runs(record, hub, list(concerned), level)
    note_cursors(record, hub, {_SENT: count})
    return changed + len(concerned)


def _list_gone(record: Record) -> Iterator[tuple[str, bytes, bytes | None]]:
    """List the contents and briefings that were redacted here, with what took their place."""
    for (sha256,) in record.sql(
        "SELECT sha256 FROM contents WHERE encoding = 'gone' AND length(data) = 0"
    ):
        yield "content", bytes(sha256), None
    for briefing in read_briefings(record, "WHERE parts LIKE '[[\"gone\"%'"):
        for kind, value in briefing.parts:
            if kind == "gone":
                yield "briefing", briefing.sha256, bytes.fromhex(str(value))


def _list_runs(record: Record) -> Iterator[str]:
    """List the runs of which the words or the briefing were redacted, whenever that was: a sync may
    have broken off before their rows were written anew."""
    for (label,) in record.sql(
        "SELECT execution_id FROM agent_executions WHERE final_message LIKE '%[redacted]%' "
        "OR scope LIKE '%[redacted]%' OR error_message LIKE '%[redacted]%' "
        "UNION SELECT execution_id FROM agent_executions AS e "
        "JOIN briefings AS buried ON buried.parts = '[[\"gone\", ' || e.briefing_id || ']]' "
        "AND buried.briefing_id <> e.briefing_id"
    ):
        yield str(label)


def _in_parts(
    statements: Iterator[tuple[int, PortableStatement]],
) -> Iterator[list[tuple[int, PortableStatement]]]:
    part: list[tuple[int, PortableStatement]] = []
    for each in statements:
        part.append(each)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _redact_statements(
    record: Record, hub: WatchedHub, part: Sequence[tuple[int, PortableStatement]]
) -> Iterator[tuple[PortableStatement, list[str]]]:
    """Redact those of which the hub has other words; gives each with the runs that it is about."""
    own = {recognise(hub.secret, told.digest): (number, told) for number, told in part}
    for recognition, digest, body in hub.ask(
        "SELECT recognition, digest, body FROM statements "
        "WHERE recognition = ANY (%b) AND level > %s AND body <> ''",
        [list(own), FIGURES],
    ):
        number, told = own[bytes(recognition)]
        cleaned = _cleaned(body, told)
        asked = "SELECT redact_statement(%b, %b, %s)"
        if cleaned is None or not _call(hub, asked, [recognition, digest, cleaned]):
            continue
        if told.kind == "set":
            yield told, list_runs_of(record, told.said)
        else:
            rows = record.sql(
                "SELECT execution_id FROM observations "
                "WHERE observation_id = ? AND execution_id NOTNULL",
                [number],
            )
            yield told, [label for (label,) in rows]


def _cleaned(body: str, told: PortableStatement) -> str | None:
    """Give a body of the hub with the words that this record has; None where they are the same."""
    try:
        held: Mapping[str, Any] = json.loads(body)
    except ValueError:
        return None
    now = {**held, "said": told.said, "about": list(told.about)}
    if now == held:
        return None
    return canonical_body(now)


def _call(hub: WatchedHub, query: str, parameters: Sequence[Any]) -> int:
    """Call a function of the hub; 0 where it does not allow that to this person, or sees more in it
    than a redaction."""
    from psycopg import errors

    try:
        with hub.transaction():
            ((changed,),) = hub.ask(query, parameters)
            return int(changed)
    except (errors.InsufficientPrivilege, errors.CheckViolation):
        return 0


def push_forgotten(record: Record, hub: WatchedHub, origins: Sequence[OwnOrigin]) -> int:
    """Have the hub forget the texts that were forgotten here and that nobody else names; gives how
    many went there."""
    forgotten = [
        bytes(sha256)
        for (sha256,) in record.sql(
            "SELECT sha256 FROM contents WHERE encoding = 'gone' AND data = ?", [FORGOTTEN_BYTES]
        )
    ]
    forgotten += [
        briefing.sha256
        for briefing in read_briefings(record, "WHERE parts LIKE '[[\"gone\"%'")
        if briefing.parts[0][0] == "forgotten"
    ]
    if len(forgotten) == (read_cursor(record, hub, _FORGOTTEN) or 0):
        return 0
    gone = sum(
        _call(hub, "SELECT forget_texts(%s, %b)", [origin.hub_id, forgotten]) for origin in origins
    )
    note_cursors(record, hub, {_FORGOTTEN: len(forgotten)})
    return gone
