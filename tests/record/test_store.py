"""A statement is stored once, and recognised by what it says."""

from __future__ import annotations

from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.record.ledger.statement import Deployed, Noted
from orch_tui.record.ledger.store import (
    find_statement,
    ordered_digest,
    recognition_digest,
    store_statement,
)
from orch_tui.record.opening import open_record

AT, LATER = "2026-11-22T10:00:00.000Z", "2026-11-22T11:00:00.000Z"
NOTED = Noted(agent_type="Explore")


def digest(
    record: Record,
    statement: Any = NOTED,
    about: tuple[str, ...] = ("tool:T",),
    source: str | None = "hook",
    at: str | None = AT,
) -> bytes:
    with record.write():
        return recognition_digest(record, statement, about, source, at)


def test_a_statement_is_stored_once(record: Record) -> None:
    def store() -> tuple[int, bytes, bool]:
        with record.write():
            return store_statement(
                record, NOTED, ["tool:T", "agent:a"], source="hook", at=AT, execution_id=None
            )

    first, again = store(), store()
    assert (first[:2], first[2], again[2]) == (again[:2], True, False)
    assert record.sql("SELECT digest, kind, source, at, actor, about FROM observations") == [
        (first[1], "noted", "hook", AT, "api", '["tool:T","agent:a"]')
    ]
    assert find_statement(record, first[1]) == again
    assert find_statement(record, b"else") is None


def test_what_has_no_time_happened_now(record: Record) -> None:
    with record.write():
        for at, actor in ((None, None), (AT, "me")):
            store_statement(
                record, NOTED, (), source="manual", at=at, execution_id=None, actor=actor
            )
            store_statement(record, Deployed(), (), source=None, at=at, execution_id=None)
    rows = record.sql("SELECT at > ?, recorded_at IS NULL, actor, about FROM observations", [AT])
    assert rows == [(1, 1, "api", None), (1, 1, "api", None), (0, 0, "api", None)]


def test_a_machine_is_recognised_by_all_that_it_says(record: Record) -> None:
    one = digest(record)
    assert one == digest(record)
    assert one == digest(record, about=("tool:T",), statement=Noted(agent_type="Explore"))
    others = [
        digest(record, Noted(agent_type="Plan")),
        digest(record, Deployed(agent_type="Explore")),
        digest(record, about=("tool:U",)),
        digest(record, source="import"),
        digest(record, at=LATER),
    ]
    assert len({one, *others}) == 6
    both = digest(record, about=("a", "b"))
    assert both == digest(record, about=("b", "a")), "keys have no order"


def test_people_are_recognised_by_run_and_words_whenever_they_speak(record: Record) -> None:
    one = digest(record, source="manual")
    assert one == digest(record, source="manual", at=LATER) == digest(record, source="api")
    assert one != digest(record, Noted(agent_type="Plan"), source="manual")
    assert digest(record, source=None) != digest(record, source=None, at=LATER)


def test_two_machines_say_the_same_and_two_people_do_not(record: Record, tmp_path: Any) -> None:
    with open_record(tmp_path / "other.db") as other:
        assert digest(record) == digest(other)
        assert digest(record, source="import") == digest(other, source="import")
        assert digest(record, source="manual") != digest(other, source="manual")


def test_what_plain_sql_did_is_never_the_same_and_stands_in_order(record: Record) -> None:
    one, other = digest(record, source="sql"), digest(record, source="sql")
    assert one != other and len(one) == 32
    assert one[:8] == other[:8] == (1).to_bytes(8, "big")
    with record.write():
        store_statement(record, NOTED, (), source="hook", at=AT, execution_id=None)
    assert digest(record, source="sql")[:8] == (2).to_bytes(8, "big")
    assert ordered_digest(255) < ordered_digest(256)


@pytest.mark.parametrize("words", ["\ud800", "\0", "ü"])
def test_any_words_can_be_recognised(record: Record, words: str) -> None:
    for source in ("hook", "manual"):
        assert digest(record, Noted(scope=words), source=source) == digest(
            record, Noted(scope=words), source=source
        )
