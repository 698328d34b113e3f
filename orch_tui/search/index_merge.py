"""Merging the pieces of the search index, so that words which are no longer said leave the file.

FTS5 writes each change as a piece of its own and merges a few now and then. What a run said when it
was deployed is taken back when it returns, and both stay until the pieces that hold them are
merged: a seventh of the index of 10,000 runs that were recorded one by one. Merged into one piece
it is smaller by that, and a search reads fewer pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orch_tui.models import facts
from orch_tui.search.schema import GIVEN, TEXTS

if TYPE_CHECKING:
    from orch_tui.models.database import Record

PAGES = 100
"""Pages of 4 KB that one share writes of each table, about: eight milliseconds."""

_PAGES_OF_A_STEP = 500
"""Where nobody else waits: a few hundredths of a second."""

LEAST_GROWTH = 1_000
"""Runs since the last time, below which it is not worth the writing."""

_SHARE_OF_GROWTH = 4
"""A quarter more than there were: what is written for each run stays the same as they add up."""

_MERGES = (
    f"INSERT INTO {TEXTS} ({TEXTS}, rank) VALUES ('merge', ?)",
    f"INSERT INTO {GIVEN} ({GIVEN}, rank) VALUES ('merge', ?)",
)

_MERGED = "index_merged_to"
"""The fact of the newest run when the index was merged last."""

_MERGING = "index_merging_to"
"""That of the time when a merge began that is on its way; empty: none is."""


def merge_index(record: Record) -> None:
    """Merge the index into one piece at once, inside the caller's transaction.

    It takes about 60 microseconds an execution, in steps between which signals are answered.
    """
    for merge in _MERGES:
        pages = -_PAGES_OF_A_STEP
        while _merge_pages(record, merge, pages):
            pages = _PAGES_OF_A_STEP
    facts.set_fact(record, _MERGED, str(_newest_run(record)))
    facts.set_fact(record, _MERGING, "")


def is_merge_due(record: Record) -> bool:
    """Tell whether enough was recorded since the index was merged, or a merge is on its way."""
    if facts.get_fact(record, _MERGING):
        return True
    merged = _read_number(record, _MERGED)
    return _newest_run(record) - merged >= max(LEAST_GROWTH, merged // _SHARE_OF_GROWTH)


def merge_share(record: Record) -> bool:
    """Merge a share of the index, where that is due; tell whether more remains.

    One transaction of its own. What others write between two shares is left for another time, and
    who breaks off loses nothing: whoever goes on does so where the last share ended.
    """
    if not is_merge_due(record) or not _has_tables(record):
        return False
    with record.write():
        begun = facts.get_fact(record, _MERGING)
        if not begun:
            facts.set_fact(record, _MERGING, str(_newest_run(record)))
        pages = PAGES if begun else -PAGES
        moved = [_merge_pages(record, merge, pages) for merge in _MERGES]
        if any(moved):
            return True
        facts.set_fact(record, _MERGED, begun or str(_newest_run(record)))
        facts.set_fact(record, _MERGING, "")
    return False


def _merge_pages(record: Record, merge: str, pages: int) -> bool:
    """Merge some pages of a table; tell whether there were any.

    Below zero, a merge begins of all pieces that there are (https://sqlite.org/fts5.html, 6.8).
    """
    before = record.connection.total_changes
    record.execute(merge, [pages])
    return record.connection.total_changes - before > 1


def _has_tables(record: Record) -> bool:
    """Tell whether the index is of this version; one of another is made anew first."""
    return bool(record.value("SELECT 1 FROM sqlite_schema WHERE name = ?", [TEXTS]))


def _newest_run(record: Record) -> int:
    return int(record.value("SELECT max(rowid) FROM agent_executions") or 0)


def _read_number(record: Record, name: str) -> int:
    held = facts.get_fact(record, name) or ""
    return int(held) if held.isdecimal() else 0
