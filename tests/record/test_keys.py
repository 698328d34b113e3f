"""The names an execution is known by."""

from __future__ import annotations

import pytest

from orch_tui.errors import NotFoundError
from orch_tui.models.database import Record
from orch_tui.record.ledger.keys import owner_of, resolve_label
from orch_tui.record.sessions import init_session
from tests.record.reporting import report


@pytest.fixture
def label(record: Record) -> str:
    init_session(record, "x", project="/p", session_id="s")
    columns = {"session_id": "s", "agent_type": "x"}
    with record.write():
        return report(record, "deployed", columns, source="manual", keys=["tool:T", "id:old"])


def test_every_key_of_a_run_names_it(record: Record, label: str) -> None:
    assert owner_of(record, "tool:T") == owner_of(record, "id:old") == label
    assert owner_of(record, "tool:U") is owner_of(record, "old") is owner_of(record, "") is None


def test_a_label_of_before_goes_on_naming_its_run(record: Record, label: str) -> None:
    with record.write():
        record.execute(
            "INSERT INTO execution_keys (key, execution_id) VALUES ('id:elder', ?)", [label]
        )
    assert resolve_label(record, "elder") == resolve_label(record, label) == label


def test_an_unknown_label_comes_with_the_nearest(record: Record, label: str) -> None:
    for unknown in (f"{label}x", "tool:T"):
        with pytest.raises(NotFoundError):
            resolve_label(record, unknown)
    with pytest.raises(NotFoundError) as error:
        resolve_label(record, f"{label}x")
    assert label in error.value.hint
