"""What plain SQL changed in the row of a run becomes a statement of the right types."""

from __future__ import annotations

from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.record.ledger.contents import get_content_by_sha256
from orch_tui.record.ledger.edits import read_edits
from orch_tui.record.ledger.journal import list_journal
from orch_tui.record.ledger.rebuild import stored_statements
from orch_tui.record.ledger.statement import Edited
from orch_tui.record.sessions import init_session
from tests.record.reporting import report


@pytest.fixture
def label(record: Record) -> str:
    init_session(record, "x", project="/p", session_id="s")
    columns = {"session_id": "s", "agent_type": "x", "scope": "look"}
    with record.write():
        return report(record, "deployed", columns, source="manual", keys=["tool:T"])


def edit(record: Record, label: str, *changes: str) -> list[Edited]:
    """The statements that are made of these changes."""
    with record.write():
        for change in changes:
            record.execute(f"UPDATE agent_executions SET {change}")
        assert record.value("SELECT count(*) FROM observations WHERE pending") == len(changes)
        read_edits(record, label)
        assert record.value("SELECT count(*) FROM observations WHERE pending") == 0
    return stored_statements(record, label, "sql")


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ("scope = 'other'", {"scope": "other"}),
        ("scope = 7", {"scope": "7"}),
        ("context_token_count = 15", {"context_token_count": 15}),
        ("context_token_count = 'many'", {}),
        ("deployed_at = '2026-11-22 09:00:00'", {"deployed_at": "2026-11-22T09:00:00.000Z"}),
        ("completed_at = 'noon'", {"completed_at": "noon"}),
        ("success = 1", {"success": True}),
        ("success = 0", {"success": False}),
        ("error_message = 0.5", {"error_message": "0.5"}),
    ],
)
def test_a_column_is_stated_as_the_type_of_its_field(
    record: Record, label: str, change: str, fields: dict[str, Any]
) -> None:
    assert edit(record, label, change) == [Edited(**fields)]


def test_a_message_is_stored_and_named_by_its_hash(record: Record, label: str) -> None:
    (edited,) = edit(record, label, "final_message = ' it  broke ', status = 'failed'")
    assert edited.status == "failed" and edited.message and edited.words
    assert get_content_by_sha256(record, edited.message) == b" it  broke "


def test_a_session_is_named_by_its_reference(record: Record, label: str) -> None:
    other = init_session(record, "y", project="/p", session_id="t")
    (edited,) = edit(record, label, "session_id = 't'")
    assert edited.session == f"session:{other.uid}"


def test_each_change_is_a_statement_and_an_entry_of_the_journal(record: Record, label: str) -> None:
    edits = edit(record, label, "scope = 'one'", "scope = 'two', model = 'opus'")
    assert [(each.scope, each.model) for each in edits] == [("one", None), ("two", "opus")]
    entries = [e for e in list_journal(record, execution_id=label) if e.action == "sql"]
    assert [(e.before["scope"], e.after["scope"]) for e in entries] == [
        ("look", "one"),
        ("one", "two"),
    ]
    abouts = record.sql("SELECT DISTINCT about FROM observations WHERE kind = 'sql'")
    uid = record.value("SELECT uid FROM agent_executions")
    assert abouts == [(f'["uid:{uid}"]',)]


@pytest.mark.parametrize("broken", ["'[]'", "'no json'", "'{}'", "'{\"now\": 1}'", "x'ff'"])
def test_a_note_that_somebody_broke_is_let_go(record: Record, label: str, broken: str) -> None:
    with record.write():
        record.execute("UPDATE agent_executions SET scope = 'other'")
        record.execute(f"UPDATE observations SET payload = {broken} WHERE pending")
        read_edits(record, label)
        assert record.value("SELECT count(*) FROM observations WHERE pending") == 0
    assert [e for e in list_journal(record) if e.action == "sql"] == []


def test_other_runs_are_left_alone(record: Record, label: str) -> None:
    with record.write():
        record.execute("UPDATE agent_executions SET scope = 'other'")
        read_edits(record, "nobody")
        assert record.value("SELECT count(*) FROM observations WHERE pending") == 1


def test_of_changes_within_one_millisecond_the_last_counts(record: Record, label: str) -> None:
    scopes = [f"scope {number}" for number in range(12)]
    with record.write():
        for scope in scopes:
            record.execute("UPDATE agent_executions SET scope = ?", [scope])
        record.execute("UPDATE observations SET at = '2026-11-22T12:00:00.000Z' WHERE pending")
    assert [each.scope for each in stored_statements(record, label, "sql")] == scopes
    assert record.value("SELECT scope FROM agent_executions") == scopes[-1]
