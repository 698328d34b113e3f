"""Saved bundles as a library: listed with versions and uses, named, copied, restored, taken in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from orch_tui.errors import NotFoundError
from orch_tui.frozen import frozen
from orch_tui.ids import not_found
from orch_tui.models.database import Record
from orch_tui.models.row_blocks import BLOCK, read_in_blocks
from orch_tui.prepare.bundle import Bundle
from orch_tui.record import bundles
from orch_tui.record.bundle_outlines import load_outlines
from orch_tui.record.ledger import journal
from orch_tui.record.own_projects import OwnProjects


@frozen
class BundleLine:
    """One saved bundle, by its latest version."""

    bundle_id: str
    name: str
    session_id: str
    agent_type: str
    scope: str
    model: str
    version: int
    items: int
    token_count: int
    """Of the rendered briefing."""
    if_shared_is_read_tokens: int
    """The same with what its agent is told to read, as other agents are."""
    uses: int
    """Executions that were deployed with any of its versions."""
    created_at: str
    removed: bool
    """It was taken out of its session and counts no more."""


@frozen
class VersionLine:
    """One version of a bundle."""

    version: int
    created_at: str
    agent_type: str
    scope: str
    items: int
    token_count: int
    """Of the rendered briefing."""
    if_shared_is_read_tokens: int
    executions: tuple[str, ...]
    """Those deployed with it; any freezes it."""

    @property
    def frozen(self) -> bool:
        return bool(self.executions)


def list_bundles(
    record: Record,
    *,
    session_id: str | None = None,
    named: bool = False,
    removed: bool = False,
    project: OwnProjects | None = None,
) -> list[BundleLine]:
    """List saved bundles; as ``iterate_bundles``."""
    lines = iterate_bundles(
        record, session_id=session_id, named=named, removed=removed, project=project
    )
    return list(lines)


def iterate_bundles(
    record: Record,
    *,
    session_id: str | None = None,
    named: bool = False,
    removed: bool = False,
    project: OwnProjects | None = None,
) -> Iterator[BundleLine]:
    """Saved bundles, newest first, few in memory at once; ``named`` keeps those with a name,
    ``removed`` adds the ones that were taken out, ``project`` leaves out those of sessions of other
    projects."""
    keys = record.sql(
        """SELECT version_id FROM bundles AS b JOIN bundle_versions AS v USING (bundle_id)
        WHERE version = (SELECT max(version) FROM bundle_versions AS w
          WHERE w.bundle_id = b.bundle_id)
          AND (:session IS NULL OR session_id = :session) AND (NOT :named OR name IS NOT NULL)
          AND (:removed OR removed_at IS NULL) AND (:own IS NULL OR session_id IS NULL
            OR session_id IN (SELECT session_id FROM sessions
              WHERE coalesce(project, '') IN (SELECT value FROM json_each(:own))))
        ORDER BY b.rowid DESC""",
        {
            **{"session": session_id, "named": named, "removed": removed},
            "own": None if project is None else json.dumps(project),
        },
    )
    rows = read_in_blocks(
        record,
        [key for (key,) in keys],
        """SELECT version_id AS key, version_id, b.bundle_id, coalesce(name, '') AS name,
          coalesce(session_id, '') AS session_id,
          agent_type, scope, coalesce(model, '') AS model, version,
          (SELECT count(*) FROM agent_executions AS e JOIN bundle_versions AS w
            ON w.version_id = e.bundle_version_id
            WHERE w.bundle_id = b.bundle_id AND retracted_at IS NULL) AS uses,
          b.created_at, removed_at IS NOT NULL AS removed
        FROM bundles AS b JOIN bundle_versions AS v USING (bundle_id)
        WHERE version_id IN (SELECT value FROM json_each(?))""",
    )
    while block := list(islice(rows, BLOCK)):
        sized = load_outlines(record, [row["version_id"] for row in block])
        for row in block:
            if (version_id := row.pop("version_id")) in sized:
                row["removed"] = bool(row["removed"])
                yield BundleLine(**row, **_sizes(sized[version_id]))


def shares_texts(record: Record) -> bool:
    """Tell whether any version of a bundle may point to texts that are shared."""
    return bool(record.value("SELECT 1 FROM bundle_items WHERE type = 'shared_context' LIMIT 1"))


def _sizes(bundle: Bundle) -> dict[str, Any]:
    """The fields of a line that say how much a bundle holds."""
    return {
        "items": len(bundle.items),
        "token_count": bundle.total.tokens,
        "if_shared_is_read_tokens": (bundle.total + bundle.shared).tokens,
    }


def list_bundle_versions(
    record: Record, bundle_id: str, version: int | None = None
) -> list[VersionLine]:
    """Every version of a bundle, the latest first, or the one that is named.

    Raises:
        NotFoundError: no such bundle or version.
    """
    rows = record.rows(
        "SELECT version_id, version, created_at, agent_type, scope FROM bundle_versions "
        "WHERE bundle_id = ? ORDER BY version DESC",
        [bundle_id],
    )
    if not rows:
        raise not_found(record, "bundle", bundle_id)
    used: dict[int, list[str]] = {}
    for version_id, label in record.sql(
        "SELECT bundle_version_id, execution_id FROM agent_executions "
        "JOIN bundle_versions ON version_id = bundle_version_id WHERE bundle_id = ? "
        "AND retracted_at IS NULL ORDER BY deployed_at",
        [bundle_id],
    ):
        used.setdefault(version_id, []).append(label)
    sized = load_outlines(record, [row["version_id"] for row in rows])
    lines = [
        VersionLine(executions=tuple(used.get(version_id, ())), **row, **_sizes(sized[version_id]))
        for row in rows
        if (version_id := row.pop("version_id")) in sized
    ]
    wanted = [line for line in lines if version in (None, line.version)]
    if not wanted:
        raise NotFoundError(
            f"version of {bundle_id}", str(version), [str(line.version) for line in lines]
        )
    return wanted


def copy_bundle(
    record: Record, bundle: Bundle, *, session_id: str | None = None, name: str = ""
) -> Bundle:
    """A new bundle with what this one holds, to be changed by itself or used in another session."""
    return bundles.save_bundle(
        record, replace(bundle, bundle_id="", version=1, name=name, created_at=""), session_id
    ).bundle


def restore_bundle_version(record: Record, bundle_id: str, version: int) -> Bundle:
    """Make what a version of a bundle holds its next version; nothing is lost.

    Raises:
        NotFoundError: no such bundle or version.
    """
    with record.write():
        former = bundles.load_bundle(record, bundle_id, version).bundle
        return bundles.save_bundle(
            record, former, former.session_id or None, keep_latest=True
        ).bundle


def rename_bundle(record: Record, bundle_id: str, name: str) -> None:
    """Give a bundle a name; an empty one takes it away."""
    with record.write():
        before = record.value("SELECT name FROM bundles WHERE bundle_id = ?", [bundle_id])
        record.execute(
            "UPDATE bundles SET name = ? WHERE bundle_id = ?", [name.strip() or None, bundle_id]
        )
        journal.log_action(record, "rename-bundle", subject=bundle_id, before=before, after=name)


def adopt_bundle(
    record: Record, bundle: Bundle, *, session_id: str | None = None, name: str = ""
) -> Bundle:
    """Save a bundle that came from a file. Where its id means another bundle it gets a new one."""
    bundle = replace(bundle, name=name or bundle.name)
    with record.write():
        if bundles.bundle_exists(record, bundle.bundle_id):
            # The same file again is the same bundle, under whatever id it was taken in.
            held = bundles.find_same_version(record, bundle) or bundles.find_equal_bundle(
                record, bundle, session_id
            )
            if held is not None:
                return held.bundle
            bundle = replace(bundle, bundle_id="")
        return bundles.save_bundle(record, bundle, session_id).bundle
