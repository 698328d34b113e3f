"""Bundles in the database: saved in versions, with the exact bytes of every item."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from orch_tui.errors import ConflictError, NotFoundError
from orch_tui.frozen import frozen
from orch_tui.ids import check_label, new_label, not_found, split_version
from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import STORED_BYTES, unpack_bytes
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.count import FAMILIES, exact_name
from orch_tui.prepare.templates import Template
from orch_tui.record.bundle_outlines import FIGURES, build_outlines, make_item, size_key
from orch_tui.record.ledger import briefings, contents, journal, portable, registers
from orch_tui.record.token_counts import RecordedCounts


@frozen
class SavedBundle:
    """A bundle as it is stored."""

    bundle: Bundle
    version_id: int
    frozen: bool
    """An execution was deployed with this version; a change makes the next."""


def save_bundle(
    record: Record, bundle: Bundle, session_id: str | None = None, *, keep_latest: bool = False
) -> SavedBundle:
    """Store a bundle; the same content again changes nothing, but for how its tokens are counted
    while nothing was deployed of it.

    A bundle without an id gets one. A changed bundle replaces its latest version, or becomes the
    next where that one was deployed or ``keep_latest`` says so. ``session_id`` ties it to a
    session.

    Raises:
        UsageError: the id is new, and nobody could type it.
        ConflictError: the id is that of a bundle of another session.
    """
    with record.write():
        bundle_id = bundle.bundle_id or new_label(record, "bundle")
        held_by = record.rows("SELECT session_id FROM bundles WHERE bundle_id = ?", [bundle_id])
        if not held_by:
            check_label("bundle", bundle_id)
        elif session_id and (
            told := tell_other_session(bundle_id, held_by[0]["session_id"] or "", session_id)
        ):
            raise ConflictError(
                told,
                hint="name that session, or choose another id; orch bundles ID --copy makes one",
            )
        record.execute(
            "INSERT INTO bundles (bundle_id, session_id, name, created_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (bundle_id) DO UPDATE SET name = coalesce(excluded.name, name), "
            "session_id = coalesce(excluded.session_id, session_id), removed_at = NULL",
            [bundle_id, session_id, bundle.name or None, bundle.created_at or record.now()],
        )
        latest = _latest(record, bundle_id)
        held = find_same_version(record, replace(bundle, bundle_id=bundle_id))
        same_template = held is not None and held.bundle.template == bundle.template
        if held and latest and held.version_id == latest[0] and (same_template or not held.frozen):
            figures = (bundle.items, bundle.template_count)
            known = (held.bundle.items, held.bundle.template_count)
            if held.frozen or (same_template and known == figures):
                return held
            _recount(record, held.version_id, bundle.items)
            _write_size(record, held.version_id, bundle)
            if not same_template:
                _forget_briefing(record, held.version_id)
                _state_template(record, held.version_id, bundle.template)
            return load_bundle_version(record, held.version_id)
        version_id = _open_version(record, bundle_id, latest, _head(bundle), keep_latest)
        record.executemany(
            f"INSERT INTO bundle_items (version_id, position, content_id, {FIGURES}) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    version_id,
                    position,
                    None if item.data is None else contents.store_content(record, item.data),
                    *_figures(item),
                )
                for position, item in enumerate(bundle.items, start=1)
            ],
        )
        _write_size(record, version_id, bundle)
        _state_template(record, version_id, bundle.template)
        saved = _saved(record, version_id, _stored_items(record, version_id, bundle.items))
        journal.log_action(
            record,
            "save-bundle",
            session_id=session_id,
            subject=f"{bundle_id} v{saved.bundle.version}",
            after={"tokens": bundle.total.tokens, "estimator": bundle.total.estimator},
        )
        return saved


def find_same_version(record: Record, bundle: Bundle) -> SavedBundle | None:
    """The stored version that is this very bundle, the latest where several are."""
    versions = record.sql(
        "SELECT version_id FROM bundle_versions WHERE bundle_id = ? AND agent_type = ? "
        "AND scope = ? AND model IS ? ORDER BY version DESC",
        [bundle.bundle_id, *_head(bundle)],
    )
    return _same_items(record, versions, bundle)


def find_equal_bundle(record: Record, bundle: Bundle, session_id: str | None) -> SavedBundle | None:
    """A bundle that now holds exactly this, under whatever id, in the session or in none.

    Preparing the same again is then the same bundle, as every repeated call is.
    """
    latest = record.sql(
        "SELECT version_id FROM bundles AS b JOIN bundle_versions USING (bundle_id) "
        "WHERE (?1 IS NULL OR session_id IS NULL OR session_id = ?1) AND name IS ?2 "
        "AND agent_type = ?3 AND scope = ?4 AND model IS ?5 AND removed_at IS NULL AND version = "
        "(SELECT max(version) FROM bundle_versions AS v WHERE v.bundle_id = b.bundle_id)",
        [session_id, bundle.name or None, *_head(bundle)],
    )
    return _same_items(record, latest, bundle)


def keep_briefing(
    record: Record, saved: SavedBundle, rendered: bytes, measured: Bundle | None = None
) -> None:
    """Remember the briefing generated from a bundle: a deployment hands over that one.

    ``measured`` is the bundle with the template that it was rendered from, which is its own from
    now on, and with the tokens that this takes; None: both are as they were.
    """
    with record.write():
        if measured is not None:
            _write_size(record, saved.version_id, measured)
            if measured.template != saved.bundle.template:
                _state_template(record, saved.version_id, measured.template)
        given = [item.data for item in saved.bundle.items if item.data is not None]
        briefing_id = briefings.store_briefing(record, rendered, given)
        record.execute(
            "UPDATE bundle_versions SET briefing_id = ? WHERE version_id = ?",
            [briefing_id, saved.version_id],
        )


def get_generated_briefing(record: Record, saved: SavedBundle) -> bytes | None:
    """The briefing last generated from a bundle."""
    briefing_id = record.value(
        "SELECT briefing_id FROM bundle_versions WHERE version_id = ?", [saved.version_id]
    )
    return None if briefing_id is None else briefings.get_briefing(record, briefing_id)


def load_bundle(record: Record, bundle_id: str, version: int | None = None) -> SavedBundle:
    """A stored bundle with its bytes, the latest version unless one is named.

    Raises:
        NotFoundError: no such bundle or version.
    """
    rows = record.sql(
        "SELECT version_id, version FROM bundle_versions WHERE bundle_id = ? ORDER BY version DESC",
        [bundle_id],
    )
    if not rows:
        raise not_found(record, "bundle", bundle_id)
    for version_id, number in rows:
        if version in (None, number):
            return load_bundle_version(record, version_id)
    raise NotFoundError(f"version of {bundle_id}", str(version), [str(n) for _, n in rows])


def resolve_bundle(record: Record, given: str) -> tuple[str, int | None]:
    """The id of a bundle called by id or by name, and the version where ``@2`` follows.

    Raises:
        NotFoundError: there is none, with the nearest ids.
        ConflictError: several bundles have that name.
    """
    wanted: list[tuple[str, int | None]] = [(given, None)]
    if (versioned := split_version(given)) not in wanted:
        wanted.append(versioned)
    for name, number in wanted:
        if bundle_exists(record, name):
            return name, number
    for name, number in wanted:
        found = [
            bundle_id
            for (bundle_id,) in record.sql(
                "SELECT bundle_id FROM bundles WHERE name = ? AND removed_at IS NULL "
                "ORDER BY rowid DESC",
                [name],
            )
        ]
        if len(found) > 1:
            raise ConflictError(
                f"{len(found)} bundles are called {name!r}", hint=f"one of {', '.join(found)}"
            )
        if found:
            return found[0], number
    names = record.sql("SELECT name FROM bundles WHERE name IS NOT NULL AND removed_at IS NULL")
    raise not_found(record, "bundle", given, [name for (name,) in names])


def load_bundle_version(record: Record, version_id: int) -> SavedBundle:
    """The bundle version with this id.

    Raises:
        NotFoundError: there is none.
    """
    return _saved(record, version_id, tuple(_items(record, version_id)))


def _saved(record: Record, version_id: int, items: tuple[ContextItem, ...]) -> SavedBundle:
    bundle = build_outlines(record, [version_id], {version_id: items}).get(version_id)
    if bundle is None:  # plain SQL deleted or renamed it
        raise NotFoundError("bundle version", str(version_id), [])
    uid = record.value("SELECT uid FROM bundle_versions WHERE version_id = ?", [version_id])
    bundle = replace(bundle, template=_read_template(record, str(uid)))
    return SavedBundle(bundle, version_id, _is_deployed(record, version_id))


def _write_size(record: Record, version_id: int, bundle: Bundle) -> None:
    """Keep what a bundle takes besides its items, and what it takes if the shared ones are read."""
    counted = bundle.template_count
    if counted and counted.exact and counted.estimator in map(exact_name, FAMILIES):
        uid = record.value("SELECT uid FROM bundle_versions WHERE version_id = ?", [version_id])
        size = {size_key(uid, counted.tokens): max(0, counted.tokens)}
        RecordedCounts(record).put_counts(counted.estimator, size)
    record.execute(
        "UPDATE bundle_versions SET frame_tokens = ?, template_tokens = ?, shared_tokens = ? "
        "WHERE version_id = ?",
        [
            bundle.frame_tokens if counted else None,
            counted.tokens if counted else None,
            bundle.shared.tokens,
            version_id,
        ],
    )


def _forget_briefing(record: Record, version_id: int) -> None:
    record.execute(
        "UPDATE bundle_versions SET briefing_id = NULL WHERE version_id = ?", [version_id]
    )


_TEMPLATE = "template"
"""The field of a version that holds its own template, as name and text; no column does."""


def _state_template(record: Record, version_id: int, template: Template | None) -> None:
    """Keep the template of a version with it, so that it goes wherever the version goes."""
    ref = portable.ref_of(record, "version", version_id) or ""
    if template is None and _TEMPLATE not in registers.read_registers(record, ref):
        return
    from orch_tui.record.ledger.raw_sql import ingest_noted_changes  # few have one

    ingest_noted_changes(record)
    value = None if template is None else [template.name, template.text]
    registers.state_value(record, ref, _TEMPLATE, value)


def _read_template(record: Record, uid: str) -> Template | None:
    held = registers.read_registers(record, f"version:{uid}").get(_TEMPLATE)
    said = held.value if held else None
    if not isinstance(said, list) or len(said) != 2 or not all(isinstance(t, str) for t in said):
        return None
    return Template(*said)


def load_session_bundles(record: Record, session_id: str) -> list[SavedBundle]:
    """The latest version of every bundle of a session, in the order they were made."""
    ids = record.sql(
        "SELECT bundle_id FROM bundles WHERE session_id = ? AND removed_at IS NULL ORDER BY rowid",
        [session_id],
    )
    return [load_bundle(record, bundle_id) for (bundle_id,) in ids]


def load_session_figures(record: Record, session_id: str) -> list[SavedBundle]:
    """Load the bundles of a session with the hashes of their items instead of the bytes.

    That is enough to judge bundles and to find what they share.
    """
    versions = record.sql(
        "SELECT version_id, max(version) FROM bundles JOIN bundle_versions USING (bundle_id) "
        "WHERE session_id = ? AND removed_at IS NULL GROUP BY bundle_id ORDER BY bundles.rowid",
        [session_id],
    )
    return [
        _saved(record, version_id, tuple(_items(record, version_id, read=False)))
        for version_id, _ in versions
    ]


def bundle_exists(record: Record, bundle_id: str) -> bool:
    return bool(record.value("SELECT 1 FROM bundles WHERE bundle_id = ?", [bundle_id]))


def tell_other_session(bundle_id: str, its_session: str, session_id: str) -> str:
    """Say that a bundle is of another session than the one it is used in; empty: it is not."""
    if its_session in ("", session_id):
        return ""
    return f"{bundle_id} is a bundle of another session, {its_session}"


def tell_removed(record: Record, bundle_id: str) -> str:
    """Say that a bundle was retracted, and what brings it back; empty: it was not."""
    version = record.value(
        "SELECT max(version) FROM bundles JOIN bundle_versions USING (bundle_id) "
        "WHERE bundle_id = ? AND removed_at IS NOT NULL",
        [bundle_id],
    )
    if version is None:
        return ""
    restore = f"`orch bundles {bundle_id} --restore {version}` brings it back"
    return f"{bundle_id} was retracted: {restore}"


def drop_bundle(record: Record, bundle_id: str, reason: str) -> None:
    """Take a bundle out of its session: it counts no more, and stays for what was deployed of it.

    Raises:
        NotFoundError: no such bundle.
    """
    with record.write():
        saved = load_bundle(record, bundle_id)
        record.execute(
            "UPDATE bundles SET removed_at = ? WHERE bundle_id = ? AND removed_at IS NULL",
            [record.now(), bundle_id],
        )
        journal.log_action(
            record,
            "drop-bundle",
            session_id=saved.bundle.session_id or None,
            subject=f"{bundle_id} v{saved.bundle.version}",
            after={"reason": reason},
        )


def _latest(record: Record, bundle_id: str) -> tuple[int, int] | None:
    rows = record.sql(
        "SELECT version_id, version FROM bundle_versions WHERE bundle_id = ? "
        "ORDER BY version DESC LIMIT 1",
        [bundle_id],
    )
    return rows[0] if rows else None


def _is_deployed(record: Record, version_id: int) -> bool:
    return bool(
        record.value(
            "SELECT 1 FROM agent_executions WHERE bundle_version_id = ? LIMIT 1", [version_id]
        )
    )


def _open_version(
    record: Record,
    bundle_id: str,
    latest: tuple[int, int] | None,
    head: tuple[str, str, str | None],
    keep_latest: bool,
) -> int:
    """The version to write items into: the latest, emptied, where it need not be kept; else the
    next."""
    if latest is not None and not keep_latest and not _is_deployed(record, latest[0]):
        record.execute("DELETE FROM bundle_items WHERE version_id = ?", [latest[0]])
        record.execute(
            "UPDATE bundle_versions SET agent_type = ?, scope = ?, model = ?, briefing_id = NULL "
            "WHERE version_id = ?",
            [*head, latest[0]],
        )
        return latest[0]
    number = 1 if latest is None else latest[1] + 1
    return int(
        record.value(
            "INSERT INTO bundle_versions (bundle_id, version, agent_type, scope, model, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?) RETURNING version_id",
            [bundle_id, number, *head, record.now()],
        )
    )


def _head(bundle: Bundle) -> tuple[str, str, str | None]:
    return bundle.agent_type, bundle.scope, bundle.model or None


def _figures(item: ContextItem) -> tuple[Any, ...]:
    """The columns ``FIGURES`` of an item."""
    return (
        item.type,
        item.source,
        json.dumps(item.sections, ensure_ascii=False) if item.sections else None,
        item.priority,
        item.count.tokens,
        item.count.low,
        item.count.high,
        item.count.estimator,
        json.dumps(item.shared_with) if item.shared_with else None,
    )


def _same_items(
    record: Record, versions: Iterable[tuple[int]], bundle: Bundle
) -> SavedBundle | None:
    """The first version with these very items, whatever was thought of their tokens, and what it
    says of them; hashes are compared, no content is read."""
    wanted = [_identity(i, "" if i.data is None else i.sha256) for i in bundle.items]
    for (version_id,) in versions:
        held = tuple(_items(record, version_id, read=False))
        if [_identity(item, item.sha256) for item in held] == wanted:
            counted = zip(bundle.items, held, strict=True)
            items = tuple(replace(item, count=kept.count) for item, kept in counted)
            return _saved(record, version_id, items)
    return None


def _identity(item: ContextItem, sha256: str) -> tuple[Any, ...]:
    """What makes an item another one. How it was counted does not, but where its bytes are not
    known its figures are all there is."""
    said = (item.type, item.source, item.sections, item.priority, item.shared_with)
    return (*said, sha256 or item.count)


def _recount(record: Record, version_id: int, items: Iterable[ContextItem]) -> None:
    """Better figures for the same items."""
    record.executemany(
        "UPDATE bundle_items SET token_count = ?, token_low = ?, token_high = ?, estimator = ? "
        "WHERE version_id = ? AND position = ?",
        [
            (i.count.tokens, i.count.low, i.count.high, i.count.estimator, version_id, position)
            for position, i in enumerate(items, start=1)
        ],
    )


def _stored_items(
    record: Record, version_id: int, given: Sequence[ContextItem]
) -> tuple[ContextItem, ...]:
    """Give the items of a version as they were just stored; the bytes need not be unpacked again.

    A content that was redacted before has none, whoever gives it anew.
    """
    held = _items(record, version_id, read=False)
    return tuple(
        replace(kept, data=item.data) if kept.sha256 == item.sha256 else replace(kept, sha256="")
        for kept, item in zip(held, given, strict=True)
    )


def _items(record: Record, version_id: int, *, read: bool = True) -> Iterator[ContextItem]:
    content = f"encoding, {STORED_BYTES} AS data" if read else "NULL AS encoding, NULL AS data"
    for row in record.rows(
        f"SELECT {FIGURES}, {content}, "
        "CASE encoding WHEN 'gone' THEN NULL ELSE sha256 END AS sha256 FROM bundle_items "
        "LEFT JOIN contents USING (content_id) WHERE version_id = ? ORDER BY position",
        [version_id],
    ):
        encoding = row["encoding"]
        data = None if encoding is None else unpack_bytes(encoding, row["data"])
        yield make_item(row, data, "" if read else (row["sha256"] or b"").hex())
