"""Bundle versions as far as their figures go, read without the bytes of their items."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orch_tui.models.database import Record, Row
from orch_tui.models.values import listed_names
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.count import FAMILIES, exact_name, restore_template_count, stored_count
from orch_tui.record.token_counts import RecordedCounts

FIGURES = (
    "type, source, sections, priority, token_count, token_low, token_high, estimator, shared_with"
)
"""The columns of an item, but for its content."""


def load_outlines(record: Record, version_ids: Iterable[int]) -> dict[int, Bundle]:
    """Load bundle versions, by their ids, in that order, as far as their figures go: without the
    bytes of their items and without their templates."""
    ids = list(version_ids)
    items: dict[int, list[ContextItem]] = {}
    for row in record.rows(
        f"SELECT version_id, {FIGURES} FROM bundle_items "
        "WHERE version_id IN (SELECT value FROM json_each(?)) ORDER BY version_id, position",
        [json.dumps(ids)],
    ):
        items.setdefault(row["version_id"], []).append(make_item(row, None, ""))
    found = build_outlines(record, ids, {key: tuple(value) for key, value in items.items()})
    return {version_id: found[version_id] for version_id in ids if version_id in found}


def build_outlines(
    record: Record, version_ids: Sequence[int], items: Mapping[int, tuple[ContextItem, ...]]
) -> dict[int, Bundle]:
    """Build the bundles of versions, by their ids, around items that were read."""
    found = {}
    rows = record.rows(
        "SELECT version_id, v.uid, bundle_id, session_id, name, v.created_at, version, agent_type, "
        "scope, model, frame_tokens, template_tokens FROM bundle_versions AS v "
        "JOIN bundles USING (bundle_id) WHERE version_id IN (SELECT value FROM json_each(?))",
        [json.dumps(list(version_ids))],
    )
    exact = _list_exactly_sized(record, rows)
    for row in rows:
        bundle = Bundle(
            bundle_id=row["bundle_id"],
            agent_type=row["agent_type"],
            scope=row["scope"],
            items=items.get(row["version_id"], ()),
            model=row["model"] or "",
            created_at=row["created_at"],
            version=row["version"],
            name=row["name"] or "",
            session_id=row["session_id"] or "",
        )
        tokens, frame = row["template_tokens"], row["frame_tokens"]
        counted = restore_template_count(
            *(tokens, frame, bundle.given.estimator),
            exact=bundle.given.exact and row["version_id"] in exact,
        )
        found[row["version_id"]] = replace(bundle, template_count=counted)
    return found


def size_key(uid: Any, tokens: Any) -> str:
    """Make the key under which it is kept, as of a text, that this is the exact size of the
    template of a version: no column says so."""
    return hashlib.sha256(f"template {uid} {tokens}".encode("utf-8", "surrogatepass")).hexdigest()


def _list_exactly_sized(record: Record, rows: Sequence[Row]) -> set[int]:
    """List the versions whose template was counted exactly."""
    keys = {
        size_key(row["uid"], row["template_tokens"]): row["version_id"]
        for row in rows
        if row["template_tokens"] is not None
    }
    counts = RecordedCounts(record)
    known = (counts.get_counts(list(keys), exact_name(family)) for family in FAMILIES if keys)
    return {keys[key] for found in known for key in found}


def make_item(row: Row, data: bytes | None, sha256: str) -> ContextItem:
    """Make an item of the columns ``FIGURES``, and of what is known of its content."""
    return ContextItem(
        type=row["type"],
        source=row["source"],
        priority=row["priority"],
        sections=tuple(listed_names(row["sections"]) or ()),
        data=data,
        count=stored_count(
            row["token_count"], row["estimator"], row["token_low"], row["token_high"]
        ),
        shared_with=tuple(listed_names(row["shared_with"]) or ()),
        sha256=sha256,
    )
