"""How far a record has come with a hub, by what is counted: each origin's statements by its uid,
and whatever else is dealt with in order by a name of its own."""

from __future__ import annotations

from collections.abc import Mapping

from orch_tui.hub.watched_hub import WatchedHub
from orch_tui.models.database import Record


def read_cursor(record: Record, hub: WatchedHub, of: str) -> int | None:
    """Read the number that was dealt with last; None where none was."""
    held = record.value(
        "SELECT seq FROM hub_cursors WHERE hub_uid = ? AND origin_uid = ?", [hub.hub.uid, of]
    )
    return None if held is None else int(held)


def note_cursors(record: Record, hub: WatchedHub, cursors: Mapping[str, int]) -> None:
    """Note the numbers that were dealt with last, in a write where any is another one."""
    changed = [
        (hub.hub.uid, of, seq) for of, seq in cursors.items() if read_cursor(record, hub, of) != seq
    ]
    if not changed:
        return
    with record.write():
        record.executemany(
            "INSERT INTO hub_cursors (hub_uid, origin_uid, seq) VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET seq = excluded.seq",
            changed,
        )
