"""How far a record has come with a hub is kept for each hub, and written where it is news."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from orch_tui.hub.cursors import note_cursors, read_cursor
from orch_tui.models.database import Record


def hub_of(uid: str) -> Any:
    """As much of a hub as its cursors are of."""
    return SimpleNamespace(hub=SimpleNamespace(uid=uid))


def test_each_hub_has_cursors_of_its_own(record: Record) -> None:
    one, other = hub_of("one"), hub_of("other")
    assert read_cursor(record, one, "o-1") is None
    note_cursors(record, one, {"o-1": 0, "o-2": 7})
    note_cursors(record, one, {"o-2": 3})
    assert (read_cursor(record, one, "o-1"), read_cursor(record, one, "o-2")) == (0, 3)
    assert read_cursor(record, other, "o-2") is None


def test_what_is_no_news_is_not_written(record: Record) -> None:
    hub = hub_of("one")
    note_cursors(record, hub, {"o-1": 4})
    before = record.connection.total_changes
    note_cursors(record, hub, {"o-1": 4})
    note_cursors(record, hub, {})
    assert record.connection.total_changes == before


def test_in_a_write_that_fails_nothing_is_noted(record: Record) -> None:
    hub = hub_of("one")
    try:
        with record.write():
            note_cursors(record, hub, {"o-1": 4})
            raise KeyError
    except KeyError:
        assert read_cursor(record, hub, "o-1") is None
