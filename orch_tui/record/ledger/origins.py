"""Origins and their logs: who stated what, in which order.

An origin is one life of one record on one machine. Its log numbers its own statements without a
gap, so that whoever follows it needs to remember one number. A record that was copied, restored
or moved to another machine begins a new origin before it numbers its next statement: otherwise
numbers would be given twice. Numbers are given when statements leave the record, not when they
are made: nothing is added to the path of a command.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import Any

from orch_tui.models import facts
from orch_tui.models.database import Record, in_list
from orch_tui.models.values import listed_names
from orch_tui.record.ledger import portable
from orch_tui.record.ledger.resolve import GATHERED_TO, portable_keys
from orch_tui.record.ledger.statement import Identified, Journaled, canonical_json, unpack_fields
from orch_tui.record.ledger.store import store_statement


def machine_name() -> str:
    """Name this machine as labels do: the name begins with a letter (a number after ``@`` is
    a version) and holds letters, digits, ``.``, ``_`` and ``-``."""
    name = re.sub(r"[^a-z0-9._-]+", "-", socket.gethostname().split(".")[0].lower()).strip("-._")
    return name if name[:1].isalpha() else f"m-{name}".rstrip("-")


def _machine_id() -> str:
    """Get the id of this machine; its name where the system gives none."""
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        with suppress(OSError):
            held = Path(path).read_text(encoding="ascii", errors="replace").strip()
            if held:
                return hashlib.sha256(f"orch {held}".encode()).hexdigest()[:32]
    return machine_name()


def _place(record: Record) -> str:
    """Locate the file of the record: machine, device and inode."""
    status = os.stat(record.path)
    return f"{_machine_id()} {status.st_dev} {status.st_ino}"


def current_origin(record: Record) -> int:
    """Get the origin that this record states things as, begun where there is none yet, or where
    the file turns out to be a copy. Call it within a write."""
    rows = record.sql("SELECT origin_id, place FROM origins WHERE mine AND closed_at IS NULL")
    place = _place(record)
    if rows and rows[0][1] == place:
        return int(rows[0][0])
    if rows and rows[0][1].split()[0] != place.split()[0]:
        _leave_to(record, int(rows[0][0]))
    return begin_origin(record)


def begin_origin(record: Record) -> int:
    """Close the origin of this record, if it has one, and begin another."""
    record.execute(
        "UPDATE origins SET closed_at = ? WHERE mine AND closed_at IS NULL", [record.now()]
    )
    name = machine_name()
    lives = record.value("SELECT count(*) FROM origins WHERE machine = ?", [name])
    return int(
        record.value(
            "INSERT INTO origins (uid, machine, name, place, mine, began_at) "
            "VALUES (?, ?, ?, ?, 1, ?) RETURNING origin_id",
            [
                os.urandom(16).hex(),
                name,
                _free_name(record, (f"{name}-{n}" if n > 1 else name for n in count(lives + 1))),
                _place(record),
                record.now(),
            ],
        )
    )


def _free_name(record: Record, names: Iterable[str]) -> str:
    """Choose the first name that no origin has: a machine may be called as the second life of
    another one is."""
    taken = "SELECT 1 FROM origins WHERE name = ?"
    return next(name for name in names if not record.value(taken, [name]))


def _leave_to(record: Record, origin_id: int) -> None:
    """Leave what was done on the machine that the file came from to that machine."""
    for table in ("sessions", "bundles", "agent_executions"):
        columns = "revision = revision + 1, " if table == "agent_executions" else ""
        record.execute(
            f"UPDATE {table} SET {columns}origin_id = ? WHERE origin_id IS NULL", [origin_id]
        )


def learn_origin(record: Record, told: Mapping[str, Any]) -> int:
    """Find the origin that another record names, noted where it is new; gives its id."""
    uid = str(told["uid"])
    held = record.value("SELECT origin_id FROM origins WHERE uid = ?", [uid])
    if held is not None:
        return int(held)
    name = str(told.get("name") or told.get("machine") or "unknown")
    others = (f"{name}.{uid}-{number}" for number in count(1))
    return int(
        record.value(
            "INSERT INTO origins (uid, person, machine, name, mine, began_at) "
            "VALUES (?, ?, ?, ?, 0, ?) RETURNING origin_id",
            [
                uid,
                told.get("person"),
                str(told.get("machine") or "unknown"),
                _free_name(record, chain((name, f"{name}.{uid[:4]}"), others)),
                told.get("began_at"),
            ],
        )
    )


_JOURNAL_STAYS = ("execution", "unite", "migrate")
"""Entries of the journal that are derived, or about this file alone."""


TELLING_ORDER = ("set", "identified", "", "journal")
"""Kinds of statements in the order they are told: what others point to comes first; the empty one
stands for all kinds that are not named."""

_RANKS = " ".join(f"WHEN '{kind}' THEN {rank}" for rank, kind in enumerate(TELLING_ORDER))
_TELLING_RANK = f"CASE kind {_RANKS} ELSE {TELLING_ORDER.index('')} END"


def gather_statements(record: Record, *, only_new: bool = False) -> int:
    """Number what this record stated since it did so last; gives the origin. Call it in a write.

    ``only_new`` looks at nothing that was looked at so before, which a hub is spared every minute:
    all the same, unless plain SQL deleted statements.
    """
    origin_id = current_origin(record)
    looked_at = int(facts.get_fact(record, GATHERED_TO) or 0) if only_new else 0
    _identify_runs(record, looked_at)
    _state_journal(record)
    last = record.value("SELECT coalesce(max(seq), 0) FROM log WHERE origin_id = ?", [origin_id])
    record.execute(
        "INSERT INTO log (origin_id, seq, observation_id) "
        "SELECT ?1, ?2 + row_number() OVER "
        f"(ORDER BY {_TELLING_RANK}, observation_id), observation_id "
        "FROM observations WHERE observation_id > ?3 AND NOT pending AND NOT EXISTS "
        "(SELECT 1 FROM log WHERE log.observation_id = observations.observation_id)",
        [origin_id, last, looked_at],
    )
    if only_new:
        all_of_them = record.value(
            "SELECT coalesce((SELECT min(observation_id) - 1 FROM observations WHERE pending), "
            "(SELECT max(observation_id) FROM observations), 0)"
        )
        facts.set_fact(record, GATHERED_TO, str(all_of_them))
    return origin_id


def _identify_runs(record: Record, looked_at: int) -> None:
    """State the keys and the label of each run that has others than were stated; of those that
    nothing was stated of after the ``looked_at``-th statement nothing can be new."""
    for execution_id, keys, label, session_id in record.sql(
        "SELECT execution_id, json_group_array(key), iif(origin_id IS NULL, execution_id, NULL), "
        "session_id "
        "FROM (SELECT key, execution_id FROM execution_keys WHERE key NOT LIKE 'id:%' AND "
        "(?1 = 0 OR execution_id IN (SELECT execution_id FROM observations "
        "WHERE observation_id > ?1)) ORDER BY execution_id, key) "
        "JOIN agent_executions USING (execution_id) GROUP BY execution_id",
        [looked_at],
    ):
        about = json.loads(keys)
        if not record.value(
            "SELECT 1 FROM observations WHERE execution_id = ? AND kind = 'identified' "
            "AND about = ?",
            [execution_id, canonical_json(about)],
        ) and not _is_told_in_parts(record, execution_id, about, label):
            store_statement(
                record,
                Identified(label=label, session=portable.session_ref(record, session_id)),
                about,
                source=None,
                at=None,
                execution_id=execution_id,
            )


def _is_told_in_parts(
    record: Record, execution_id: str, keys: Collection[str], label: str | None
) -> bool:
    """Tell whether the label of a run was stated, and which keys it has follows from what was said
    of it: each statement has one in common with another, so every record joins them alike."""
    told: list[set[str]] = []
    labels: set[Any] = {None}
    for kind, about, payload in record.sql(
        "SELECT kind, about, payload FROM observations WHERE execution_id = ? AND NOT pending",
        [execution_id],
    ):
        told.append({*(listed_names(about) or ())})
        if kind == "identified":
            labels.add((unpack_fields(payload) or {}).get("label"))
    if label not in labels or len(labels) == 1:
        return False
    joined = told.pop()
    while connected := [each for each in told if each & joined]:
        told = [each for each in told if not each & joined]
        joined = joined.union(*connected)
    return joined.issuperset(keys)


def _state_journal(record: Record) -> None:
    """Make statements of the entries of the journal that were written here since the last time."""
    stated = int(facts.get_fact(record, "journal_stated") or 0)
    kept_here, names = in_list(_JOURNAL_STAYS)
    last = stated
    refs: dict[Any, str | None] = {}
    keys: tuple[Any, list[str]] = (None, [])
    for seq, at, actor, action, session_id, execution_id, *told in record.execute(
        "SELECT seq, at, actor, action, session_id, execution_id, subject, before, after "
        "FROM journal WHERE seq > ? AND origin_id IS NULL "
        f"AND action NOT IN {kept_here} ORDER BY seq",
        [stated, *names],
    ):
        if session_id not in refs:
            refs = {session_id: portable.session_ref(record, session_id)}
        if keys[0] != execution_id:  # entries of one run follow each other
            keys = execution_id, portable_keys(record, execution_id)
        subject, before, after = told
        statement = Journaled(
            number=seq,
            action=action,
            session=refs[session_id],
            run=next(iter(keys[1]), None),
            subject=subject,
            before=before,
            after=after,
        )
        store_statement(record, statement, (), source=None, at=at, execution_id=None, actor=actor)
        last = seq
    if last != stated:
        facts.set_fact(record, "journal_stated", str(last))


def reassign_log(
    record: Record, origin_id: int, first: int, last: int, theirs: Mapping[int, int]
) -> None:
    """Number under another origin what one stated here as ``first`` to ``last``: it stated other
    things under those numbers elsewhere, ``theirs`` (statements by number), and that stands.

    The present origin goes on as a new one where it is that. Call it within a write.
    """
    begun = current_origin(record)
    if begun == origin_id:
        begun = begin_origin(record)
    record.execute(
        "INSERT INTO log (origin_id, seq, observation_id) SELECT ?1, row_number() OVER "
        "(ORDER BY seq) + (SELECT coalesce(max(seq), 0) FROM log WHERE origin_id = ?1), "
        "observation_id FROM log WHERE origin_id = ?2 AND seq BETWEEN ?3 AND ?4 "
        "AND observation_id NOT IN (SELECT observation_id FROM log WHERE origin_id = ?1)",
        [begun, origin_id, first, last],
    )
    record.execute(
        "DELETE FROM log WHERE origin_id = ? AND seq BETWEEN ? AND ?", [origin_id, first, last]
    )
    record.executemany(
        "INSERT INTO log (origin_id, seq, observation_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(origin_id, seq, observation_id) for seq, observation_id in theirs.items()],
    )
