"""Removing a secret from everywhere the record keeps it.

In readable columns it is replaced by ``[redacted]``. A content or briefing that holds it becomes a
tombstone, whose hash keeps it from being stored again, and whoever pointed to it points to a copy
with the secret replaced: losing a whole final message over one pasted key would help nobody. Hashes
stay.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping

import peewee

from orch_tui.errors import OrchError, RecordError
from orch_tui.frozen import frozen
from orch_tui.models.content import Briefing, Content
from orch_tui.models.database import Record
from orch_tui.models.execution import AgentExecution, Observation
from orch_tui.models.migrations.step import Progress
from orch_tui.models.schema import TABLES, TRIGGERS
from orch_tui.models.session import Session
from orch_tui.record.ledger import briefings, contents, journal, registers
from orch_tui.record.ledger.rebuild import rebuild_from_statements
from orch_tui.record.ledger.statement import canonical_json, pack_fields, unpack_fields
from orch_tui.record.upkeep.hidden_secret import HiddenSecret
from orch_tui.record.upkeep.holding_files import (
    find_hand_over_copies,
    find_holding_files,
    holds_secret,
    list_record_files,
    remove_copies,
)
from orch_tui.record.upkeep.redacted_before import keyed_hash, redaction_subject
from orch_tui.record.upkeep.secret_places import (
    SecretPlaces,
    find_secret_places,
    key_columns,
    read_hashes,
)
from orch_tui.search import maintenance
from orch_tui.search.index_merge import merge_index
from orch_tui.search.schema import SEARCH_TRIGGERS

_TRIGGERS = {**TRIGGERS, **SEARCH_TRIGGERS}
_STEPS = len(TABLES) + 3
"""Of a redaction: each table is looked through, then rows, file and other files are cleaned."""


def _tell_nobody(done: int, total: int) -> None:
    pass


@frozen
class Redacted:
    """Where a secret was found."""

    places: Mapping[str, int]
    """For each table, how many rows held it."""
    still_in: tuple[str, ...]
    """Files that hold it: backups, drafts, payloads, deliverables, what orch was told to write.

    The record's own file stands here only where another process kept it from being cleaned.
    """
    removed: tuple[str, ...] = ()
    """Copies of briefings, left to be handed over, that held it and are gone."""


def redact_secret(
    record: Record,
    secret: str | bytes,
    reason: str,
    *,
    dry_run: bool = False,
    progress: Progress = _tell_nobody,
) -> Redacted:
    """Remove ``secret`` from the record and its free pages; ``dry_run`` only looks.

    It is found as it is, in UTF-16, escaped as JSON does, and inside compressed contents. Copies of
    briefings that wait for the hand-over hook are removed where they hold it: their line names
    a SHA-256 that nothing else has, and `orch replay` gives the briefing without it. The
    journal tells that something was redacted and why, never what. ``progress`` is told how much is
    done; who breaks it off once the record is clean is told so by a note of the exception.

    Raises:
        UsageError: a secret too short, or part of a word that orch itself writes.
        RecordError: the file cannot be written.
    """
    hidden = HiddenSecret.of(secret)
    if dry_run:
        with record.read():
            found = find_secret_places(record, hidden, lambda done: progress(done, _STEPS))
        copies = tuple(str(path) for path in find_hand_over_copies(record, hidden))
        return Redacted(found.counts, tuple(find_holding_files(record, hidden, copies)), copies)
    with record.models(), record.write():
        places = _take_out(record, hidden, reason, progress)
        seen = _seen_writes(record)
    try:
        return _clean_around(record, hidden, places, seen, progress)
    except BaseException as error:
        error.add_note(_CLEAN)
        raise


_CLEAN = (
    "the record no longer holds it, but free pages of its file may, and other files were not "
    "looked through; the same command does the rest"
)


def _seen_writes(record: Record) -> int:
    """A number that is another one once somebody else has written."""
    return int(record.value("PRAGMA data_version"))


def _clean_around(
    record: Record, hidden: HiddenSecret, places: Mapping[str, int], seen: int, progress: Progress
) -> Redacted:
    """Clean the file of the record and what orch left beside it, and name what else holds it.

    ``seen`` is when all rows were looked through: nobody needs to do it again where the file was
    written anew since then, and by nobody else.
    """
    progress(_STEPS - 2, _STEPS)
    is_looked_through = record.squeeze() and _seen_writes(record) == seen
    progress(_STEPS - 1, _STEPS)
    unclean = [
        str(path)
        for path in list_record_files(record)
        if holds_secret(path, hidden, unpacked=not is_looked_through)
    ]
    removed = tuple(remove_copies(find_hand_over_copies(record, hidden)))
    return Redacted(places, (*unclean, *find_holding_files(record, hidden)), removed)


def redact_again(record: Record, secret: str, reason: str) -> None:
    """Remove what came back of a secret, within the transaction; `Record.squeeze` must follow."""
    with record.models():
        _take_out(record, HiddenSecret.of(secret), reason)


# Removing


def _take_out(
    record: Record, secret: HiddenSecret, reason: str, progress: Progress = _tell_nobody
) -> Mapping[str, int]:
    found = find_secret_places(record, secret, lambda done: progress(done, _STEPS))
    progress(len(TABLES), _STEPS)
    if found.counts:
        _remove(record, secret, found)
        journal.log_action(
            record,
            "redact",
            subject=redaction_subject(secret.text, secret.sha256),
            after={
                "reason": secret.out_of_text(reason),
                "places": found.counts,
                "known_by": keyed_hash(record, secret.text),
            },
        )
    return found.counts


def _remove(record: Record, secret: HiddenSecret, found: SecretPlaces) -> None:
    indexed = _take_out_of_index(record, secret, found)
    for name in _TRIGGERS:  # the journal is append-only, indexed contents are held
        record.execute(f"DROP TRIGGER {name}")
    _unshare_messages(record, found)
    record.execute("PRAGMA defer_foreign_keys = ON")  # a label and what names it
    for table, key, changed in found.rows:
        if table is Observation and "payload" in changed:
            _note_statement(record, key["observation_id"], changed["payload"])
        try:
            record.execute(
                f"UPDATE {table._meta.table_name} SET {_assignments(changed, ', ')} "
                f"WHERE {_assignments(key, ' AND ')}",
                [*changed.values(), *key.values()],
            )
        except RecordError as error:
            if not isinstance(error.__cause__, sqlite3.IntegrityError):
                raise
            raise OrchError(
                f"two rows of {table._meta.table_name} differ in nothing but the secret",
                hint="give a shorter part of the secret, so that their names stay different",
            ) from error
    concerned = {secret.out_of_text(label) for label in found.runs}
    concerned |= _move_texts(record, secret, found)
    for statement in _TRIGGERS.values():
        record.execute(statement)
    for subject in _list_stated(record, found):  # so that others hear of what was cleaned
        record.execute("INSERT INTO changed_rows (subject) VALUES (?)", [subject])
    rebuild_from_statements(record, _in_order(record, concerned))
    if indexed is None:
        maintenance.rebuild(record)
    else:
        maintenance.refresh(record, _in_order(record, map(secret.out_of_text, indexed)))
        merge_index(record)  # removed words leave the file


def _in_order(record: Record, labels: Iterable[str]) -> list[str]:
    """The executions of these that have a row, oldest first."""
    return [
        label
        for (label,) in record.sql(
            "SELECT execution_id FROM agent_executions "
            "WHERE execution_id IN (SELECT value FROM json_each(?)) ORDER BY rowid",
            [json.dumps(sorted(labels))],
        )
    ]


def _take_out_of_index(
    record: Record, secret: HiddenSecret, found: SecretPlaces
) -> list[str] | None:
    """Take out of the search index what will have other words, while those are still there; gives
    the executions that this was. None: the index must be made anew as a whole."""
    if maintenance.is_of_another_version(record):
        return None
    maintenance.refresh_pending(record)
    sessions = [key["session_id"] for table, key, _ in found.rows if table is Session]
    named = record.sql(
        "SELECT execution_id FROM agent_executions "
        "WHERE session_id IN (SELECT value FROM json_each(?))",
        [json.dumps(sessions)],
    )
    labels = sorted(
        {
            *(label for (label,) in named),
            *found.runs,
            *maintenance.find_indexed(record, found.contents, found.briefings),
            *maintenance.find_in_small_fields(
                record, lambda text: secret.out_of_text(text) != text
            ),
        }
    )
    maintenance.take_out(record, labels, found.contents)
    return labels


def _unshare_messages(record: Record, found: SecretPlaces) -> None:
    """Give contents their own bytes where the row that has them changes, or they are to go: what is
    cleaned in a row is not yet cleaned in its content."""
    held = record.sql(
        "SELECT CAST(data AS TEXT) FROM contents WHERE encoding = 'run' "
        "AND content_id IN (SELECT value FROM json_each(?))",
        [json.dumps(found.contents)],
    )
    changed = [key["execution_id"] for table, key, _ in found.rows if table is AgentExecution]
    for label in dict.fromkeys((*changed, *(label for (label,) in held))):
        contents.unshare_messages(record, label)


_STATED = {
    "sessions": ("session", "session_id"),
    "planned_agents": ("planned", "planned_id"),
    "bundles": ("bundle", "bundle_id"),
    "bundle_versions": ("version", "version_id"),
}
"""The tables whose fields are stated: what their subjects begin with, and the key."""


def _list_stated(record: Record, found: SecretPlaces) -> Iterator[str]:
    """List the subjects of which a row or a statement was cleaned, as triggers note them."""
    for table, (kind, key) in _STATED.items():
        ids = [row[key] for row in found.keys_of(table)]
        if table == "bundle_versions":
            ids += [row[key] for row in found.keys_of("bundle_items")]
        for (uid,) in record.sql(
            f"SELECT uid FROM {table} WHERE {key} IN (SELECT value FROM json_each(?))",
            [json.dumps(ids)],
        ):
            yield f"{kind}:{uid}"
    cleaned = [row["observation_id"] for row in found.keys_of("observations")]
    for (subject,) in record.sql(
        "SELECT DISTINCT iif(subject GLOB 'claude:*', (SELECT 'session:' || uid FROM sessions "
        "WHERE claude_session = substr(subject, 8)), subject) FROM registers "
        "WHERE observation_id IN (SELECT value FROM json_each(?))",
        [json.dumps([*cleaned, *found.statements])],
    ):
        if subject and subject.partition(":")[0] in registers.FIELDS:
            yield subject


# Texts that are gone, and what names them


def _move_texts(record: Record, secret: HiddenSecret, found: SecretPlaces) -> set[str]:
    """Put contents and briefings without the secret in the place of those that hold it, wherever
    these are named; gives the executions that have them."""
    before = {
        "contents": read_hashes(record, "contents", found.contents),
        "briefings": read_hashes(record, "briefings", found.briefings),
    }
    moved = {content_id: _replace(record, content_id, secret) for content_id in found.contents}
    concerned = _point_elsewhere(record, Content, moved)
    now = {"contents": moved, "briefings": _rehash_briefings(record, moved, found)}
    concerned |= _point_elsewhere(record, Briefing, now["briefings"])
    renamed: dict[str, str] = {}
    for table, hashes in before.items():
        after = read_hashes(record, table, now[table].values())
        renamed |= {sha256: after[now[table][number]] for number, sha256 in hashes.items()}
    for observation_id in found.statements:
        _move_in_statement(record, observation_id, renamed)
    return concerned


def _move_in_statement(record: Record, observation_id: int, renamed: Mapping[str, str]) -> None:
    """Have a statement name the contents and briefings that took the place of others."""
    said = unpack_fields(
        record.value("SELECT payload FROM observations WHERE observation_id = ?", [observation_id])
    )
    if said is None:
        return
    text = canonical_json(said)
    moved = _HASH.sub(lambda found: renamed.get(found[0], found[0]), text)
    if moved != text:
        cleaned = pack_fields(json.loads(moved))
        _note_statement(record, observation_id, cleaned)
        record.execute(
            "UPDATE observations SET payload = ? WHERE observation_id = ?",
            [cleaned, observation_id],
        )


_HASH = re.compile(r"(?<=\")[0-9a-f]{64}(?=\")")


def _note_statement(record: Record, observation_id: int, now: str | bytes) -> None:
    """Note what a statement is about to say instead of what it says."""
    was = record.value(
        "SELECT payload FROM observations WHERE observation_id = ?", [observation_id]
    )
    registers.note_redaction(record, observation_id, was, now)


def _point_elsewhere(
    record: Record, target: type[peewee.Model], moved: Mapping[int, int]
) -> set[str]:
    """Have all that points to rows of ``target`` point to others; gives the executions of that."""
    concerned: set[str] = set()
    for pointer, table in target._meta.backrefs.items():
        name, column, keys = table._meta.table_name, pointer.column_name, key_columns(table)
        run = "execution_id" if "execution_id" in table._meta.columns else "NULL"
        rows = record.sql(
            f"SELECT {run}, {column}, {', '.join(keys)} FROM {name} "
            f"WHERE {column} IN (SELECT value FROM json_each(?))",
            [json.dumps([*moved])],
        )
        record.executemany(
            f"UPDATE {name} SET {column} = ? WHERE {_assignments(keys, ' AND ')}",
            [(moved[old], *key) for _, old, *key in rows if moved[old] != old],
        )
        concerned |= {label for label, *_ in rows if isinstance(label, str)}
    return concerned


def _assignments(names: Iterable[str], between: str) -> str:
    return between.join(f"{name} = ?" for name in names)


def _replace(record: Record, content_id: int, secret: HiddenSecret) -> int:
    """Leave a tombstone and give the content that takes its place."""
    data = contents.get_content(record, content_id) or b""
    record.execute(
        "UPDATE contents SET encoding = 'gone', data = x'' WHERE content_id = ?", [content_id]
    )
    return contents.store_content(record, secret.out_of_bytes(data))


def _rehash_briefings(
    record: Record, moved: Mapping[int, int], found: SecretPlaces
) -> dict[int, int]:
    """Have briefings quote the new contents; gives which stands for each: those that have become
    equal become one."""
    united: dict[int, int] = {}
    for own in found.briefings:
        briefing = Briefing.get_by_id(own)
        briefing.parts = [
            [kind, moved.get(value, value) if kind == "content" else value]
            for kind, value in briefing.parts
        ]
        briefing.save()
        whole = briefings.get_briefing(record, own)
        size, before, sha256 = briefing.size, briefing.sha256, hashlib.sha256(whole).digest()
        if sha256 == before:
            continue
        same = briefings.find_briefing(record, sha256)
        if same is None or same == own:  # its own tombstone, where this text was gone before
            record.execute("DELETE FROM briefings WHERE sha256 = ?", [sha256])
            briefing.sha256, briefing.size = sha256, len(whole)
            briefing.save()
        else:
            united[own] = same
            briefings.change_replacement(record, own, same)
            briefing.delete_instance()
        briefings.bury_briefing(record, before, size, same or own)
    return {own: _last(united, own) for own in found.briefings}


def _last(united: Mapping[int, int], own: int) -> int:
    while own in united:
        own = united[own]
    return own
