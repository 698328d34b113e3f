"""Executions as rows: one by any of its labels, several newest first, and one taken back."""

from __future__ import annotations

from typing import Any

import pytest

from orch_tui.errors import ConflictError, NotFoundError
from orch_tui.models.database import Record
from orch_tui.record.completion import record_completion
from orch_tui.record.executions import (
    get_execution,
    list_allocations,
    list_completions,
    list_told,
    restore_executions,
    retract_execution,
    retract_executions,
    select_executions,
)
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.statement import Addressed, Allocated, ItemFact
from orch_tui.record.sessions import init_session
from tests.record.reporting import report


def deploy(record: Record, **columns: Any) -> str:
    init_session(record, "x", project="/p", session_id="s")
    given = {"session_id": "s", "agent_type": "debugger", **columns}
    with record.write():
        return report(record, "deployed", given, source="manual")


def test_an_execution_is_found_by_every_label_it_had(record: Record) -> None:
    label = deploy(record, model="opus")
    with record.write():
        record.execute("INSERT INTO execution_keys VALUES ('id:elder', ?)", [label])
    found = get_execution(record, label)
    assert get_execution(record, "elder") == found
    assert (found.execution_id, found.model, found.status) == (label, "opus", "deployed")
    with pytest.raises(NotFoundError) as unknown:
        get_execution(record, "exec-01")
    assert label in unknown.value.hint


def test_the_newest_come_first_and_no_more_than_wanted(record: Record) -> None:
    times = ("2026-11-22T09:00:02.000Z", "2026-11-22T09:00:03.000Z", "2026-11-22T09:00:01.000Z")
    second, third, first = (deploy(record, deployed_at=at) for at in times)
    same = deploy(record, deployed_at=times[1])

    def labels(*given: Any, **more: Any) -> list[str]:
        return [each.execution_id for each in select_executions(record, *given, **more)]

    assert labels() == [same, third, second, first]
    assert labels(limit=2) == [same, third]
    assert labels(limit=0) == []
    assert labels("deployed_at < ?", [times[1]]) == [second, first]
    assert labels("0 OR execution_id = ?", [first]) == [first]
    retract_execution(record, first, "by mistake")
    assert labels("0 OR execution_id = ?", [first]) == [], "a condition lets none of these in"


def test_what_belongs_to_an_execution_is_listed_in_order(record: Record) -> None:
    label, other = deploy(record), deploy(record)
    items = tuple(ItemFact(context_source=name, position=n) for n, name in ((2, "b"), (1, "a")))
    with record.write():
        for statement, message in (
            (Allocated(items=items), None),
            (Addressed(at="2"), "later"),
            (Addressed(at="1"), "first"),
        ):
            told = Report([f"id:{label}"], statement, source="api", message=message)
            ingest_statement(record, told)
    record_completion(record, label, final_message="One.")
    assert [each.context_source for each in list_allocations(record, label)] == ["a", "b"]
    assert [each.at for each in list_told(record, label)] == ["1", "2"]
    assert [each.position for each in list_completions(record, label)] == [1]
    for listed in (list_allocations, list_told, list_completions):
        assert listed(record, other) == []


def test_an_execution_that_is_taken_back_is_hidden_and_kept(record: Record) -> None:
    label = deploy(record)
    taken = retract_execution(record, label, "wrong session")
    assert taken.retracted_at is not None
    assert select_executions(record) == []
    assert get_execution(record, label) == taken
    with pytest.raises(NotFoundError):
        retract_execution(record, "nobody", "so")


def test_several_are_taken_back_together_or_not_at_all(record: Record) -> None:
    labels = [deploy(record), *(deploy_again(record) for _ in range(2))]
    with pytest.raises(NotFoundError):
        retract_executions(record, [*labels, "nobody"], "by mistake")
    assert len(select_executions(record)) == 3
    retract_executions(record, labels[:2], "by mistake")
    assert [run.execution_id for run in select_executions(record)] == labels[2:]


def deploy_again(record: Record) -> str:
    with record.write():
        given = {"session_id": "s", "agent_type": "debugger"}
        return report(record, "deployed", given, source="manual")


def test_that_runs_were_retracted_can_be_taken_back_and_done_again(record: Record) -> None:
    labels = [deploy(record), deploy_again(record)]
    retract_executions(record, labels, "by mistake")
    with pytest.raises(NotFoundError):
        restore_executions(record, [*labels, "nobody"])
    assert select_executions(record) == []
    restore_executions(record, labels)
    assert {run.execution_id for run in select_executions(record)} == {*labels}
    with pytest.raises(ConflictError, match="is not retracted"):
        restore_executions(record, labels)
    retract_executions(record, labels, "by mistake")
    assert select_executions(record) == []
    restore_executions(record, labels[:1])
    assert [run.execution_id for run in select_executions(record)] == labels[:1]
