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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import peewee

from orch_tui.errors import OrchError, RecordError
from orch_tui.frozen import frozen
from orch_tui.models.base import JsonField
from orch_tui.models.content import Briefing, Content
from orch_tui.models.database import Record
from orch_tui.models.execution import Observation
from orch_tui.models.migrations.step import Progress
from orch_tui.models.schema import TABLES, TRIGGERS
from orch_tui.models.stored_bytes import STORED_BYTES, unpack_bytes
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
from orch_tui.search import maintenance
from orch_tui.search.schema import SEARCH_TRIGGERS

_TRIGGERS = {**TRIGGERS, **SEARCH_TRIGGERS}
_DIGESTS = ("sha256", "digest", "uid")
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
            found = _find(record, hidden, progress)
        copies = tuple(str(path) for path in find_hand_over_copies(record, hidden))
        return Redacted(found.places, tuple(find_holding_files(record, hidden, copies)), copies)
    with record.models(), record.write():
        found = _take_out(record, hidden, reason, progress)
    try:
        return _clean_around(record, hidden, found, progress)
    except BaseException as error:
        error.add_note(_CLEAN)
        raise


_CLEAN = (
    "the record no longer holds it, but free pages of its file may, and other files were not "
    "looked through; the same command does the rest"
)


def _clean_around(
    record: Record, hidden: HiddenSecret, found: _Found, progress: Progress
) -> Redacted:
    """Clean the file of the record and what orch left beside it, and name what else holds it."""
    progress(_STEPS - 2, _STEPS)
    record.squeeze()
    progress(_STEPS - 1, _STEPS)
    unclean = [str(path) for path in list_record_files(record) if holds_secret(path, hidden)]
    removed = tuple(remove_copies(find_hand_over_copies(record, hidden)))
    return Redacted(found.places, (*unclean, *find_holding_files(record, hidden)), removed)


def redact_again(record: Record, secret: str, reason: str) -> None:
    """Remove what came back of a secret, within the transaction; `Record.squeeze` must follow."""
    with record.models():
        _take_out(record, HiddenSecret.of(secret), reason)


# Finding


@dataclass(slots=True)
class _Found:
    rows: list[tuple[type[peewee.Model], dict[str, Any], dict[str, Any]]] = field(
        default_factory=list
    )
    """For each row: its table, its key, its columns without the secret."""
    contents: list[int] = field(default_factory=list)

    @property
    def places(self) -> dict[str, int]:
        counted: dict[str, int] = {"contents": len(self.contents)} if self.contents else {}
        for table, _, _ in self.rows:
            counted[table._meta.table_name] = counted.get(table._meta.table_name, 0) + 1
        return counted


def _find(record: Record, secret: HiddenSecret, progress: Progress = _tell_nobody) -> _Found:
    found = _Found()
    for content_id, encoding, data in record.execute(
        f"SELECT content_id, encoding, {STORED_BYTES} FROM contents"
    ):
        held = unpack_bytes(encoding, data)
        if held is not None and secret.out_of_bytes(held) != held:
            found.contents.append(content_id)
    for done, table in enumerate(TABLES):
        progress(done, _STEPS)
        words = _word_columns(table)
        keys = _key_columns(table)
        for row in record.execute(
            f"SELECT {', '.join((*keys, *words))} FROM {table._meta.table_name}"
        ):
            held_words = dict(zip(words, row[len(keys) :], strict=True))
            cleaned = {name: secret.out_of(value) for name, value in held_words.items()}
            changed = {name: v for name, v in cleaned.items() if v != held_words[name]}
            if changed:
                key = dict(zip(keys, row[: len(keys)], strict=True))
                found.rows.append((table, key, changed))
    return found


def _word_columns(table: type[peewee.Model]) -> list[str]:
    """List the columns that hold anybody's words."""
    return [
        column.column_name
        for column in table._meta.sorted_fields
        if isinstance(_stored_as(column), peewee.TextField | JsonField)
        and column.column_name not in _DIGESTS
    ]


def _stored_as(column: peewee.Field) -> peewee.Field:
    return column.rel_field if isinstance(column, peewee.ForeignKeyField) else column


def _key_columns(table: type[peewee.Model]) -> list[str]:
    key: Any = table._meta.primary_key
    if key is False:
        return ["rowid"]
    names = key.field_names if isinstance(key, peewee.CompositeKey) else [key.name]
    return [table._meta.fields[name].column_name for name in names]


# Removing


def _take_out(
    record: Record, secret: HiddenSecret, reason: str, progress: Progress = _tell_nobody
) -> _Found:
    found = _find(record, secret, progress)
    progress(len(TABLES), _STEPS)
    if found.places:
        _remove(record, secret, found)
        journal.log_action(
            record,
            "redact",
            subject=redaction_subject(secret.text, secret.sha256),
            after={
                "reason": secret.out_of_text(reason),
                "places": found.places,
                "known_by": keyed_hash(record, secret.text),
            },
        )
    return found


def _remove(record: Record, secret: HiddenSecret, found: _Found) -> None:
    for name in _TRIGGERS:  # the journal is append-only, indexed contents are held
        record.execute(f"DROP TRIGGER {name}")
    contents.unshare_messages(record)  # what is cleaned in a row is not yet cleaned in its content
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
    hashes = _hashes()
    moved = {content_id: _replace(record, content_id, secret) for content_id in found.contents}
    for old, new in moved.items():
        _point_elsewhere(Content, old, new)
    cleaned_briefings = {
        key["briefing_id"] for t, key, _ in found.rows if t._meta.table_name == "briefings"
    }
    united = _rehash_briefings(record, moved, cleaned_briefings)
    _move_in_statements(record, hashes, _hashes(), moved, united)
    for statement in _TRIGGERS.values():
        record.execute(statement)
    for kind, name in _STATED.items():  # what was cleaned is stated, so that others hear of it
        record.execute(f"INSERT INTO changed_rows (subject) SELECT '{kind}:' || uid FROM {name}")
    labels = record.sql("SELECT execution_id FROM agent_executions ORDER BY rowid")
    rebuild_from_statements(record, [label for (label,) in labels])
    maintenance.rebuild(record)


_STATED = {
    "session": "sessions",
    "planned": "planned_agents",
    "bundle": "bundles",
    "version": "bundle_versions",
}


def _hashes() -> dict[tuple[str, int], str]:
    """Read the SHA-256 of every content and briefing, by what it is and its number."""
    stored: dict[str, peewee.ModelSelect[Any]] = {
        "content": Content.select(Content.content_id, Content.sha256),
        "briefing": Briefing.select(Briefing.briefing_id, Briefing.sha256),
    }
    return {
        (kind, number): sha256.hex()
        for kind, query in stored.items()
        for number, sha256 in query.tuples().iterator()
    }


def _move_in_statements(
    record: Record,
    before: Mapping[tuple[str, int], str],
    after: Mapping[tuple[str, int], str],
    moved: Mapping[int, int],
    united: Mapping[int, int],
) -> None:
    """Have statements name the contents and briefings that took the place of others."""
    renamed = {before["content", old]: after["content", new] for old, new in moved.items()}
    for (kind, number), sha256 in before.items():
        if kind == "briefing":
            now = after["briefing", united.get(number, number)]
            if now != sha256:
                renamed[sha256] = now
    for observation_id, stored in _iterate_statements(record) if renamed else ():
        said = unpack_fields(stored)
        if said is None:
            continue
        text = canonical_json(said)
        if renamed.keys().isdisjoint(_HASH.findall(text)):
            continue
        for old, new in renamed.items():
            text = text.replace(f'"{old}"', f'"{new}"')
        if text != canonical_json(said):
            cleaned = pack_fields(json.loads(text))
            _note_statement(record, observation_id, cleaned)
            record.execute(
                "UPDATE observations SET payload = ? WHERE observation_id = ?",
                [cleaned, observation_id],
            )


_HASH = re.compile(r"(?<=\")[0-9a-f]{64}(?=\")")


def _iterate_statements(record: Record) -> Iterator[tuple[int, str | bytes]]:
    """Iterate over the statements, some in memory at once; they may be changed meanwhile."""
    last = 0
    while rows := record.sql(
        "SELECT observation_id, payload FROM observations WHERE observation_id > ? "
        "ORDER BY observation_id LIMIT 5000",
        [last],
    ):
        yield from rows
        last = rows[-1][0]


def _note_statement(record: Record, observation_id: int, now: str | bytes) -> None:
    """Note what a statement is about to say instead of what it says."""
    was = record.value(
        "SELECT payload FROM observations WHERE observation_id = ?", [observation_id]
    )
    registers.note_redaction(record, observation_id, was, now)


def _point_elsewhere(target: type[peewee.Model], old: int, new: int) -> None:
    """Have all that points to a row of ``target`` point to another."""
    for pointer, table in target._meta.backrefs.items():
        table.update({pointer: new}).where(pointer == old).execute()


def _assignments(values: Mapping[str, Any], between: str) -> str:
    return between.join(f"{name} = ?" for name in values)


def _replace(record: Record, content_id: int, secret: HiddenSecret) -> int:
    """Leave a tombstone and give the content that takes its place."""
    data = contents.get_content(record, content_id) or b""
    record.execute(
        "UPDATE contents SET encoding = 'gone', data = x'' WHERE content_id = ?", [content_id]
    )
    return contents.store_content(record, secret.out_of_bytes(data))


def _rehash_briefings(
    record: Record, moved: Mapping[int, int], cleaned: set[int]
) -> dict[int, int]:
    """Point briefings to the new contents; those that have become equal become one."""
    united = {}
    for briefing in list(Briefing.select()):
        parts = [
            [kind, moved.get(value, value) if kind == "content" else value]
            for kind, value in briefing.parts
        ]
        if parts == briefing.parts and briefing.briefing_id not in cleaned:
            continue
        briefing.parts = parts
        briefing.save()
        whole = briefings.get_briefing(record, briefing.briefing_id)
        own, size = briefing.briefing_id, briefing.size
        before, sha256 = briefing.sha256, hashlib.sha256(whole).digest()
        if sha256 == before:
            continue
        same = briefings.find_briefing(record, sha256)
        if same is None or same == own:  # its own tombstone, where this text was gone before
            record.execute("DELETE FROM briefings WHERE sha256 = ?", [sha256])
            briefing.sha256, briefing.size = sha256, len(whole)
            briefing.save()
        else:
            united[own] = same
            _point_elsewhere(Briefing, own, same)
            briefings.change_replacement(record, own, same)
            briefing.delete_instance()
        briefings.bury_briefing(record, before, size, same or own)
    return united
