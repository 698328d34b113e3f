"""A list of any length is read in blocks, in the order of its keys."""

from __future__ import annotations

import pytest

from orch_tui.models import row_blocks
from orch_tui.models.database import Record
from orch_tui.models.row_blocks import read_in_blocks, select_keys

STATEMENT = (
    "SELECT rowid AS key, scope FROM sessions WHERE rowid IN (SELECT value FROM json_each(?))"
)


def test_rows_come_in_the_order_of_their_keys(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_blocks, "BLOCK", 2)
    with record.write():
        for scope in "abcde":
            record.execute("INSERT INTO sessions (session_id, scope) VALUES (?1, ?1)", [f"{scope}"])
    rows = read_in_blocks(record, [5, 1, 4, 2, 3], STATEMENT)
    assert next(rows) == {"scope": "e"}
    record.execute("DELETE FROM sessions WHERE scope = 'd'")
    assert [row["scope"] for row in rows] == ["a", "b", "c"]


def test_keys_come_once_and_no_more_than_asked_for(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_blocks, "BLOCK", 2)
    with record.write():
        for scope in "abcde":
            record.execute("INSERT INTO sessions (session_id, scope) VALUES (?1, ?1)", [scope])
    statement = "SELECT rowid FROM sessions WHERE scope > ? ORDER BY rowid DESC LIMIT ?"
    for limit, found in ((-1, [5, 4, 3, 2]), (0, []), (1, [5]), (2, [5, 4]), (3, [5, 4, 3])):
        assert list(select_keys(record, statement, ["a"], limit)) == found
    keys = select_keys(record, statement, ["a"], 3)
    begun = [next(keys), next(keys)]
    for scope in "fgh":  # meanwhile
        record.execute("INSERT INTO sessions (session_id, scope) VALUES (?1, ?1)", [scope])
    assert len([*begun, *keys]) == 3
