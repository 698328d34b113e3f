"""Deduplicated bundles in the record: as next versions, with a way back to the former ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Any

from orch_tui import files, paths
from orch_tui.errors import ConflictError, NotFoundError
from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.prepare import dedup
from orch_tui.prepare.bundle import Bundle
from orch_tui.prepare.count import ZERO, Count, CountCache
from orch_tui.prepare.dedup import Sharing
from orch_tui.record import bundles
from orch_tui.record.ledger import journal


@frozen
class Shared:
    """Bundles after sharing, and what that comes to."""

    sharing: Sharing
    before: tuple[Bundle, ...]
    bundles: tuple[Bundle, ...]
    """In the order they were given; those that change in a new version."""
    document: Path | None
    """Where the shared items stand together for agents to read; None: nothing is shared."""

    @property
    def handed_before(self) -> Count:
        """What all agents are handed without sharing."""
        return sum((bundle.total for bundle in self.before), ZERO)

    @property
    def handed_after(self) -> Count:
        """What all agents are handed with it."""
        return sum((bundle.total for bundle in self.bundles), ZERO)

    @property
    def if_read(self) -> Count:
        """What they take if each reads what it is told to read."""
        return sum((bundle.total + bundle.shared for bundle in self.bundles), ZERO)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What agents are handed before and after, in words, and why where that is more."""
        count = len(self.bundles)
        if all(old.items == new.items for old, new in zip(self.before, self.bundles, strict=True)):
            return ()
        before, after = self.handed_before.tokens, self.handed_after.tokens
        share = f" ({(after - before) / before:+.1%})" if before else ""
        said = (
            f"handed over: {before:,} tokens before, {after:,} after{share}; "
            f"for each agent {before / count:,.0f} before, {after / count:,.0f} after; "
            f"if all read what is shared {self.if_read.tokens:,}",
        )
        if after <= before:
            return said
        texts = sorted(self.sharing.items, key=lambda item: item.count.tokens)
        named = ", ".join(f"{item.source} {item.count}" for item in texts[:3])
        return (
            *said,
            f"sharing raises the total by {after - before:,} tokens: to name a text and say why to "
            f"read it takes more than a short text does ({named})",
        )

    def to_dict(self) -> dict[str, Any]:
        """Give what ``sharing_to_dict`` gives, with what agents are handed before and after."""
        document = dedup.sharing_to_dict(self.sharing)
        for entry, bundle in zip(document["bundles"], self.bundles, strict=True):
            entry["after_tokens"] = bundle.total.tokens
            entry["if_shared_is_read_tokens"] = (bundle.total + bundle.shared).tokens
        document["totals"] |= {
            "before_tokens": self.handed_before.tokens,
            "after_tokens": self.handed_after.tokens,
            "if_shared_is_read_tokens": self.if_read.tokens,
        }
        return document


def foresee_sharing(
    given: Sequence[Bundle],
    found: Sharing,
    *,
    root: Path,
    family_of: Callable[[str], str],
    record: Record | None = None,
    cache: CountCache | None = None,
    document: Path | None = None,
) -> Shared:
    """Work out what ``share_between`` would make of bundles; nothing is saved or written.

    The document is a Markdown file that agents can read; where none is named and there is a
    record it is ``shared/SESSION.md`` beside that of the project at ``root``. There is none where
    nothing is shared, or only names are.
    """
    if all(item.data is None for item in found.items):
        document = None  # none are shared, or only their names are known
    elif document is None and record is not None:
        session_ids = {bundle.session_id for bundle in given}
        name = (session_ids.pop() if len(session_ids) == 1 else "") or given[0].bundle_id
        document = _own_folder(root) / f"{name}.md"
    after = dedup.remove_duplicates(
        found,
        given,
        document=paths.relative(document, root) if document else "",
        family_of=family_of,
        cache=cache,
    )
    return Shared(found, tuple(given), tuple(after), document)


def share_between(shared: Shared, *, root: Path, record: Record | None = None) -> Shared:
    """Leave out of bundles what need not be sent, and write what they share into a document.

    ``shared`` is what was foreseen. Each bundle that changes gets the next version in the record;
    ``restore_deduplicated`` brings the former ones back.
    """
    document = shared.document
    named = paths.relative(document, root) if document else ""
    if record is not None:
        after = save_shared(record, shared.before, shared.bundles, document=named)
        shared = replace(shared, bundles=tuple(after))
    if document:
        named_by = [] if record is None else _list_pointing(record, named)
        pointed = [item for bundle in named_by for item in bundle.items if item.is_pointed_to]
        files.write(document, dedup.render_shared_document(shared.sharing, pointed))
    if record is not None:
        remove_unneeded_documents(record, root)
    return shared


def _own_folder(root: Path) -> Path:
    """Where documents are written that nobody named."""
    return Path(paths.record_folder(root)) / "shared"


def remove_unneeded_documents(record: Record, root: Path) -> list[Path]:
    """Remove the documents that orch wrote beside the record and no agent is sent to any more.

    A document is needed while the latest version of a bundle names it, or a version that was
    deployed to an agent that has not returned.
    """
    folder = _own_folder(root)
    written = {
        named
        for (after,) in record.sql("SELECT after FROM journal WHERE action = 'share-bundles'")
        if (named := json.loads(after).get("document"))
    }
    there = {path: named for named in written if (path := root / named).parent == folder}
    there = {path: named for path, named in there.items() if path.is_file()}
    if not there:
        return []
    gone = [path for path, named in there.items() if not _list_pointing(record, named)]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


def _list_pointing(record: Record, document: str) -> list[Bundle]:
    """List the bundles whose agents are, or may be, sent to a document: of each its latest
    version, and those that were deployed to agents that have not returned."""
    versions = record.sql(
        "SELECT version_id FROM bundle_versions AS v JOIN bundles AS b USING (bundle_id) "
        "WHERE removed_at IS NULL AND version = (SELECT max(version) FROM bundle_versions AS w "
        "WHERE w.bundle_id = b.bundle_id) AND shared_tokens > 0 "
        "UNION SELECT bundle_version_id FROM agent_executions JOIN bundle_versions "
        "ON version_id = bundle_version_id WHERE status = 'deployed' AND shared_tokens > 0 "
        "AND retracted_at IS NULL"
    )
    held = [bundles.load_bundle_version(record, version_id).bundle for (version_id,) in versions]
    return [
        bundle
        for bundle in held
        if any(item.type == "briefing" and document in item.text for item in bundle.items)
    ]


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


def list_shared_versions(record: Record) -> dict[tuple[str, int], int]:
    """List the versions of bundles that sharing made, by bundle and number, with the number of the
    version that each was made of."""
    return {
        (label, new): old
        for (after,) in record.sql("SELECT after FROM journal WHERE action = 'share-bundles'")
        for label, (old, new) in json.loads(after)["versions"].items()
    }


def _versions_made_by_sharing(record: Record) -> dict[str, tuple[int, int]]:
    """Read from the journal, by bundle, the version before it was last shared and the one made."""
    found: dict[str, tuple[int, int]] = {}
    for (after,) in record.sql(
        "SELECT after FROM journal WHERE action = 'share-bundles' ORDER BY seq"
    ):
        found |= {label: (old, new) for label, (old, new) in json.loads(after)["versions"].items()}
    return found
