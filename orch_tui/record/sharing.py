"""Deduplicated bundles in the record: as next versions, with a way back to the former ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote

from orch_tui import files, paths
from orch_tui.errors import ConflictError, NotFoundError
from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.prepare import dedup
from orch_tui.prepare.bundle import Bundle
from orch_tui.prepare.count import CountCache
from orch_tui.prepare.dedup import Sharing
from orch_tui.record import bundles
from orch_tui.record.ledger import journal


@frozen
class Shared:
    """Bundles after sharing, and what that came to."""

    sharing: Sharing
    bundles: tuple[Bundle, ...]
    """In the order they were given; those that changed in a new version."""
    document: Path | None
    """Where the shared items stand together for agents to read; None: nothing is shared."""


def share_between(
    given: Sequence[Bundle],
    found: Sharing,
    *,
    root: Path,
    family_of: Callable[[str], str],
    record: Record | None = None,
    cache: CountCache | None = None,
    document: Path | None = None,
) -> Shared:
    """Leave out of bundles what need not be sent, and write what they share into a document.

    The document is a Markdown file that agents can read; where none is named and there is a
    record it is ``shared/SESSION.md`` beside that of the project at ``root``. None is written
    where nothing is shared, or only names are. Each bundle that changes gets the next version in
    the record; ``restore_deduplicated`` brings the former ones back.
    """
    if all(item.data is None for item in found.items):
        document = None  # none are shared, or only their names are known
    elif document is None and record is not None:
        session_ids = {bundle.session_id for bundle in given}
        name = (session_ids.pop() if len(session_ids) == 1 else "") or given[0].bundle_id
        document = Path(paths.record_folder(root)) / "shared" / f"{name}.md"
    named = paths.relative(document, root) if document else ""
    after = dedup.remove_duplicates(found, given, document=named, family_of=family_of, cache=cache)
    if record is not None:
        after = save_shared(record, given, after, document=named)
    if document:
        files.write(document, dedup.render_shared_document(found))
    return Shared(found, tuple(after), document)


def save_shared(
    record: Record, before: Sequence[Bundle], after: Sequence[Bundle], *, document: str = ""
) -> list[Bundle]:
    """Save the bundles that sharing changed, each as its next version, with one journal entry.

    ``before`` and ``after`` are in the same order. What a bundle was before stays a version of it,
    and is saved first where the record does not have it.
    """
    kept, versions = [], {}
    with record.write():
        for old, new in zip(before, after, strict=True):
            if new.items == old.items:
                kept.append(old)
                continue
            session_id = old.session_id or None
            former = bundles.find_same_version(record, old) or bundles.save_bundle(
                record, old, session_id
            )
            saved = bundles.save_bundle(record, new, session_id, keep_latest=True).bundle
            versions[saved.bundle_id] = [former.bundle.version, saved.version]
            kept.append(saved)
        if versions:
            session_ids = {bundle.session_id for bundle in kept}
            journal.log_action(
                record,
                "share-bundles",
                session_id=session_ids.pop() or None if len(session_ids) == 1 else None,
                after={"versions": versions, "document": document},
            )
    return kept


def list_deduplicated(record: Record, session_id: str) -> list[str]:
    """List the ids of a session's bundles whose latest version is what sharing made of them."""
    made = _versions_made_by_sharing(record)
    latest = record.sql(
        "SELECT bundle_id, max(version) FROM bundles JOIN bundle_versions USING (bundle_id) "
        "WHERE session_id = ? AND removed_at IS NULL GROUP BY bundle_id ORDER BY bundles.rowid",
        [session_id],
    )
    return [
        bundle_id
        for bundle_id, version in latest
        if bundle_id in made and made[bundle_id][1] == version
    ]


def restore_deduplicated(record: Record, bundle_ids: Sequence[str]) -> list[Bundle]:
    """Restore what bundles were before they were deduplicated, each as its next version.

    All of them or, where one cannot be restored, none.

    Raises:
        NotFoundError: no such bundle.
        ConflictError: a bundle was not deduplicated, or was changed since.
    """
    with record.write():
        restored = [_load_former(record, bundle_id) for bundle_id in bundle_ids]
        saved = [
            bundles.save_bundle(record, bundle, bundle.session_id or None, keep_latest=True).bundle
            for bundle in restored
        ]
        for bundle in saved:
            journal.log_action(
                record,
                "unshare-bundle",
                session_id=bundle.session_id or None,
                subject=f"{bundle.bundle_id} v{bundle.version}",
            )
    return saved


def _load_former(record: Record, bundle_id: str) -> Bundle:
    """Load a bundle as it was before its latest version, which deduplication made."""
    latest = bundles.load_bundle(record, bundle_id).bundle.version
    known = _versions_made_by_sharing(record).get(bundle_id)
    if known is None:
        raise ConflictError(
            f"{bundle_id} was never deduplicated",
            hint="`orch bundles BUNDLE` lists its versions",
        )
    former, made = known
    if made != latest:
        raise ConflictError(
            f"{bundle_id} is at version {latest}, and version {made} was the deduplicated one",
            hint=f"`orch bundles {quote(bundle_id)} --restore {former}` goes back all the same",
        )
    try:
        return bundles.load_bundle(record, bundle_id, former).bundle
    except NotFoundError as error:  # raw SQL may have done anything
        raise ConflictError(f"{bundle_id}: {error.message}") from error


def _versions_made_by_sharing(record: Record) -> dict[str, tuple[int, int]]:
    """Read from the journal, by bundle, the version before it was last shared and the one made."""
    found: dict[str, tuple[int, int]] = {}
    for (after,) in record.sql(
        "SELECT after FROM journal WHERE action = 'share-bundles' ORDER BY seq"
    ):
        found |= {label: (old, new) for label, (old, new) in json.loads(after)["versions"].items()}
    return found
