"""Removing a secret from everywhere the record keeps it.

In readable columns it is replaced by ``[redacted]``. A content or briefing that holds it becomes a
tombstone, whose hash keeps it from being stored again, and whoever pointed to it points to a copy
with the secret replaced: losing a whole final message over one pasted key would help nobody. Hashes
stay.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import peewee

from orch_tui.errors import OrchError, RecordError, UsageError
from orch_tui.frozen import frozen
from orch_tui.models.base import JsonField
from orch_tui.models.content import Briefing, Content
from orch_tui.models.creation import schema_script
from orch_tui.models.database import Record, is_record_folder
from orch_tui.models.execution import Observation
from orch_tui.models.schema import TABLES, TRIGGERS
from orch_tui.models.stored_bytes import STORED_BYTES, inflate, unpack_bytes
from orch_tui.models.values import readable
from orch_tui.paths import drafts_folder, hand_over_folder, linked_part, safe_inboxes
from orch_tui.record import hand_over
from orch_tui.record.ledger import briefings, contents, journal, registers
from orch_tui.record.ledger.contents import GONE
from orch_tui.record.ledger.rebuild import rebuild_from_statements
from orch_tui.record.ledger.statement import KINDS, canonical_json, pack_fields, unpack_fields
from orch_tui.record.upkeep.redacted_before import keyed_hash, redaction_subject
from orch_tui.search import maintenance
from orch_tui.search.schema import SEARCH_TRIGGERS
from orch_tui.worktrees import find_named_tree

SHORTEST = 4
"""Characters; anything shorter would be found everywhere by chance."""

_TRIGGERS = {**TRIGGERS, **SEARCH_TRIGGERS}
_IN_PAYLOADS = ("now", "before", *(name for kind in KINDS.values() for name in kind.shape))
_DIGESTS = ("sha256", "digest", "uid")
_DIGEST = re.compile(r"[0-9a-f]{64}|sql:[0-9a-f]{32}")


@frozen
class Redacted:
    """Where a secret was found."""

    places: Mapping[str, int]
    """For each table, how many rows held it."""
    still_in: tuple[str, ...]
    """Files that hold it and are not orch's to change: backups, drafts, payloads, deliverables.

    The record's own file stands here only where another process kept it from being cleaned.
    """
    removed: tuple[str, ...] = ()
    """Copies of briefings, left to be handed over, that held it and are gone."""


def redact_secret(
    record: Record, secret: str | bytes, reason: str, *, dry_run: bool = False
) -> Redacted:
    """Remove ``secret`` from the record and its free pages; ``dry_run`` only looks.

    It is found as it is, in UTF-16, escaped as JSON does, and inside compressed contents. Copies of
    briefings that wait for the hand-over hook are removed where they hold it: their line names
    a SHA-256 that nothing else has, and `orch replay` gives the briefing without it. The
    journal tells that something was redacted and why, never what.

    Raises:
        UsageError: a secret too short, or part of a word that orch itself writes.
        RecordError: the file cannot be written.
    """
    hidden = _Secret.of(secret)
    if dry_run:
        with record.read():
            found = _find(record, hidden)
        copies = tuple(str(path) for path in _hand_over_copies(record, hidden))
        return Redacted(found.places, tuple(_files(record, hidden, copies)), copies)
    with record.models(), record.write():
        found = _take_out(record, hidden, reason)
    record.squeeze()
    unclean = [str(path) for path in _own_files(record) if _holds(path, hidden)]
    removed = tuple(_remove_copies(_hand_over_copies(record, hidden)))
    return Redacted(found.places, (*unclean, *_files(record, hidden)), removed)


def redact_again(record: Record, secret: str, reason: str) -> None:
    """Remove what came back of a secret, within the transaction; `Record.squeeze` must follow."""
    with record.models():
        _take_out(record, _Secret.of(secret), reason)


@frozen
class _Secret:
    text: str
    sha256: str
    in_text: tuple[str, ...]
    """Its forms in text, the longest first."""
    in_bytes: tuple[tuple[bytes, bytes], ...]
    """Its forms in bytes, each with what replaces it."""

    @classmethod
    def of(cls, secret: str | bytes) -> _Secret:
        data = contents.encode_given(secret)
        text = data.decode("utf-8", "replace")
        if len(text.strip().replace("\ufffd", "")) < SHORTEST:
            raise UsageError(
                f"a secret shorter than {SHORTEST} characters would be found everywhere",
                hint="give all of it",
            )
        for word in sorted({*re.findall(r"[a-z_]{4,}", schema_script()), *_IN_PAYLOADS}):
            if text in word:
                raise UsageError(
                    f"the record itself writes {word!r}", hint="give all of the secret"
                )
        escaped = {json.dumps(text, ensure_ascii=plain)[1:-1] for plain in (True, False)}
        forms = tuple(sorted({text, *escaped}, key=len, reverse=True))
        encoded = {form.encode(): GONE.encode() for form in forms}
        for encoding in ("utf-16-le", "utf-16-be"):
            encoded[text.encode(encoding)] = GONE.encode(encoding)
        encoded[data] = GONE.encode()
        return cls(text, hashlib.sha256(data).hexdigest(), forms, tuple(encoded.items()))

    def out_of_text(self, text: str) -> str:
        for form in self.in_text:
            text = text.replace(form, GONE)
        return text

    def out_of_bytes(self, data: bytes) -> bytes:
        for form, replacement in self.in_bytes:
            data = data.replace(form, replacement)
        return data

    def out_of(self, value: Any) -> Any:
        """A column's value without the secret; JSON is decoded, however it was escaped."""
        if isinstance(value, bytes):
            data = _unpacked(value)
            if data is value:
                return self.out_of_bytes(value)
            cleaned = self._out_of_unpacked(data)
            return value if cleaned == data else zlib.compress(cleaned, 6)
        if not isinstance(value, str):
            return value
        if value[:1] in ("{", "["):
            try:
                decoded = json.loads(value)
            except ValueError:
                return self.out_of_text(value)
            cleaned = self._out_of_json(decoded)
            return value if cleaned == decoded else _as_json(cleaned)
        return self.out_of_text(value)

    def _out_of_unpacked(self, data: bytes) -> bytes:
        """What was compressed, without the secret: a text as orch packs it, or any bytes."""
        try:
            text = data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return self.out_of_bytes(data)
        return str(self.out_of(text)).encode("utf-8", "surrogatepass")

    def _out_of_json(self, value: Any) -> Any:
        if isinstance(value, str):
            return value if _is_digest(value, self.text) else self.out_of_text(value)
        if isinstance(value, list):
            return [self._out_of_json(item) for item in value]
        if isinstance(value, dict):
            return {self.out_of_text(k): self._out_of_json(v) for k, v in value.items()}
        return value


def _as_json(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:  # what stands for bytes that are not UTF-8 must stay escaped
        text = json.dumps(value)
    return text


def _is_digest(value: str, secret: str) -> bool:
    """A few letters of a secret may stand in a hash by chance."""
    return value != secret and _DIGEST.fullmatch(value) is not None


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


def _find(record: Record, secret: _Secret) -> _Found:
    found = _Found()
    for content_id, encoding, data in record.execute(
        f"SELECT content_id, encoding, {STORED_BYTES} FROM contents"
    ):
        held = unpack_bytes(encoding, data)
        if held is not None and secret.out_of_bytes(held) != held:
            found.contents.append(content_id)
    for table in TABLES:
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
    """The columns that hold anybody's words."""
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


def _take_out(record: Record, secret: _Secret, reason: str) -> _Found:
    found = _find(record, secret)
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


def _remove(record: Record, secret: _Secret, found: _Found) -> None:
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
    """The SHA-256 of every content and briefing, by what it is and its number."""
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
    for observation_id, stored in record.sql("SELECT observation_id, payload FROM observations"):
        said = unpack_fields(stored)
        if said is None:
            continue
        text = canonical_json(said)
        for old, new in renamed.items():
            text = text.replace(f'"{old}"', f'"{new}"')
        if text != canonical_json(said):
            cleaned = pack_fields(json.loads(text))
            _note_statement(record, observation_id, cleaned)
            record.execute(
                "UPDATE observations SET payload = ? WHERE observation_id = ?",
                [cleaned, observation_id],
            )


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


def _replace(record: Record, content_id: int, secret: _Secret) -> int:
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


# Other files


def _files(record: Record, secret: _Secret, removable: Sequence[str] = ()) -> Iterator[str]:
    own = _own_files(record)
    for path in dict.fromkeys(_around(record)):
        if path not in own and str(path) not in removable and _is_plain_and_holds(path, secret):
            yield str(path)


def _is_plain_and_holds(path: Path, secret: _Secret) -> bool:
    return not linked_part(path.absolute()) and path.is_file() and _holds(path, secret)


def _hand_over_copies(record: Record, secret: _Secret) -> list[Path]:
    """List what was left to hand over for deployments of this record and holds the secret.

    The folder of the user's has those of other projects, too: their records still hold it.
    """
    named = record.sql("SELECT substr(key, 5) FROM execution_keys WHERE key LIKE 'uid:%'")
    uids = {uid for (uid,) in named}
    copies = [
        *sorted(Path(hand_over_folder()).glob("*")),
        *sorted((record.path.parent / hand_over.FOLDER).glob("*.md")),
    ]
    return [p for p in copies if p.stem in uids and _is_plain_and_holds(p, secret)]


def _remove_copies(copies: Iterable[Path]) -> Iterator[str]:
    """Remove files and yield their names; one that stays is named by `_files`."""
    for path in copies:
        with suppress(OSError):
            path.unlink()
            yield str(path)


def _own_files(record: Record) -> tuple[Path, Path]:
    """Where the words of the record stand: its file and the write-ahead log."""
    return record.path, record.path.with_name(f"{record.path.name}-wal")


def _around(record: Record) -> Iterator[Path]:
    """What may hold what the record held: copies of it, drafts, payloads, deliverables."""
    folder = record.path.parent
    own_root = None
    if is_record_folder(folder):
        own_root = str(folder.parents[1])
        yield from sorted(folder.rglob("*"))
    else:
        yield from sorted(folder.glob(f"{record.path.name}*"))
        yield from sorted(Path(drafts_folder(record.path)).rglob("*"))
        yield from sorted((folder / hand_over.FOLDER).rglob("*"))
    yield from sorted(Path(hand_over_folder()).glob("*"))
    roots = [own_root]
    roots += [readable(root) for (root,) in record.sql("SELECT DISTINCT project FROM sessions")]
    for root in dict.fromkeys(roots):
        if not root or "\0" in root:  # no folder has such a name
            continue
        for inbox in safe_inboxes(root):
            yield from sorted(Path(inbox).rglob("*"))
    for root, path, worktree in record.sql(
        "SELECT DISTINCT coalesce(project, ?), path, "
        "iif(json_valid(content), json_extract(content, '$.worktree'), NULL) FROM outputs "
        "JOIN agent_executions USING (execution_id) JOIN sessions USING (session_id) "
        "WHERE path IS NOT NULL ORDER BY 1, 2",
        [own_root],
    ):
        root, path = readable(root) or "", readable(path) or ""
        if (root or os.path.isabs(path)) and "\0" not in root + path:
            yield Path(root, path)
            if tree := find_named_tree(readable(worktree), root):
                yield Path(tree, path)


def _holds(path: Path, secret: _Secret) -> bool:
    longest = max(len(form) for form, _ in secret.in_bytes)
    try:
        with path.open("rb") as file:
            is_database = file.read(16) == b"SQLite format 3\0"
            file.seek(0)
            window = b""
            while chunk := file.read(1 << 20):
                window = window[-longest:] + chunk
                if any(form in window for form, _ in secret.in_bytes):
                    return True
    except OSError:
        return False
    return is_database and _copy_holds(path, secret)


def _copy_holds(path: Path, secret: _Secret) -> bool:
    """Whether an SQLite file holds it where its bytes do not show: compressed, or over pages."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as copy:
        tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"
        try:
            names = [name for (name,) in copy.execute(tables)]
            copy.text_factory = bytes
            return any(
                secret.out_of_bytes(shown) != shown
                for name in names
                for row in copy.execute(f'SELECT * FROM "{name}"')
                for shown in map(_unpacked, row)
                if isinstance(shown, bytes)
            )
        except sqlite3.DatabaseError:
            return False


def _unpacked(value: Any) -> Any:
    try:
        return inflate(value)
    except (ValueError, TypeError):
        return value
