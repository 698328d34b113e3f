"""The rows of a run are what its statements add up to, whoever changed them."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.record.executions import list_completions, list_told
from orch_tui.record.ledger.briefings import store_briefing
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.rebuild import (
    derive_items,
    derive_outputs,
    find_stale_executions,
    has_row,
    item_rows,
    output_row,
    read_item_rows,
    read_output_rows,
    rebuild_from_statements,
    stored_observations,
    stored_statements,
)
from orch_tui.record.ledger.statement import (
    Addressed,
    Allocated,
    Delivered,
    ItemFact,
    Noted,
    OutputFact,
    Returned,
)
from orch_tui.record.sessions import init_session
from tests.record.reporting import report

T1, T2, T3, T4 = (f"2026-11-22T09:00:0{second}.000Z" for second in (1, 2, 3, 4))


@pytest.fixture
def label(record: Record) -> str:
    init_session(record, "x", project="/p", session_id="s")
    return deploy(record, "tool:T")


def deploy(record: Record, *keys: str, **columns: Any) -> str:
    given = {"session_id": "s", "agent_type": "Explore", "deployed_at": T1, "scope": "look"}
    with record.write():
        return report(record, "deployed", given | columns, source="hook", keys=keys, at=T1)


def tell(record: Record, statement: Any, key: str = "tool:T", **more: Any) -> None:
    given = {"source": "hook", "at": T2, **more}
    with record.write():
        ingest_statement(record, Report([key], statement, **given))


def column(record: Record, name: str, label: str) -> Any:
    return record.value(f"SELECT {name} FROM agent_executions WHERE execution_id = ?", [label])


# The row


def test_a_row_that_was_changed_behind_the_engine_is_found_and_made_again(
    record: Record, label: str
) -> None:
    tell(record, Returned(status="completed", completed_at=T2), message="Done.")
    rows = "SELECT * FROM agent_executions JOIN completions USING (execution_id)"
    before = record.sql(rows)
    for change in (
        "UPDATE agent_executions SET scope = 'wrong', revision = revision + 1",
        "UPDATE agent_executions SET status = 'deployed', revision = revision + 1",
        "UPDATE completions SET error_code = 'ORG-003'",
        "DELETE FROM completions",
    ):
        with record.write():
            record.execute(change)
        assert list(find_stale_executions(record)) == [label], change
        with record.write():
            rebuild_from_statements(record, [label])
        assert list(find_stale_executions(record)) == []
        columns = record.sql(rows)
        assert [row[:8] for row in columns] == [row[:8] for row in before]


def test_rebuilding_what_is_right_changes_nothing(record: Record, label: str) -> None:
    tell(record, Returned(status="completed", completed_at=T2), message="Done.")
    before = "\n".join(record.connection.iterdump())
    with record.write():
        rebuild_from_statements(record, [label, label])
    assert "\n".join(record.connection.iterdump()) == before


def test_statements_are_read_oldest_first_and_by_kind(record: Record, label: str) -> None:
    tell(record, Noted(scope="later"), at=T3)
    tell(record, Noted(scope="early"), at=T2)
    tell(record, Delivered(withdrawn=("o",)))
    tell(record, Returned(status="completed"), at=T4)
    found = stored_observations(record, label)
    assert [(each.at, type(each.statement).__name__) for each in found] == [
        (T1, "Deployed"),
        (T2, "Noted"),
        (T3, "Noted"),
        (T4, "Returned"),
    ]
    assert [each.scope for each in stored_statements(record, label, "noted")] == ["early", "later"]
    assert stored_statements(record, label, "delivered") == [Delivered(withdrawn=("o",))]
    assert stored_statements(record, "nobody", "noted") == []
    assert has_row(record, label) and not has_row(record, "nobody")


def test_what_nothing_says_any_more_is_empty_again(record: Record, label: str) -> None:
    silent = deploy(record, "tool:S", scope=None)
    with record.write():
        wrong = report(
            record,
            "deployed",
            {"session_id": "s", "agent_type": "Plan", "scope": "mistaken"},
            source="manual",
            keys=["tool:S"],
        )
        assert wrong == silent
        (digest,) = [
            bytes(d).hex()
            for (d,) in record.sql("SELECT digest FROM observations WHERE source = 'manual'")
        ]
    assert column(record, "scope", silent) == "mistaken"
    with record.write():
        report(
            record,
            "deployed",
            {"agent_type": "Plan", "supersedes": [digest]},
            source="manual",
            keys=["tool:S"],
        )
    assert column(record, "scope", silent) is None
    assert column(record, "agent_type", silent) == "Plan"


def test_a_planned_text_that_was_handed_over_as_it_is_stands_once(
    record: Record, label: str
) -> None:
    with record.write():
        texts = {t: store_briefing(record, t, []) for t in (b"Do it", b"  Do it\n", b"Do that")}

    def hand(briefing: bytes | None, handed: bytes | None) -> tuple[Any, Any]:
        said = {
            name: text and hashlib.sha256(text).hexdigest()
            for name, text in (("briefing", briefing), ("handed_over", handed))
        }
        run = deploy(record, f"tool:{briefing!r}{handed!r}", **said)
        return column(record, "briefing_id", run), column(record, "handed_over_id", run)

    assert hand(b"Do it", None) == (texts[b"Do it"], None)
    assert hand(None, b"Do it") == (texts[b"Do it"], None)
    assert hand(b"Do it", b"Do it") == (texts[b"Do it"], None)
    assert hand(b"Do it", b"  Do it\n") == (texts[b"Do it"], None)
    assert hand(b"Do it", b"Do that") == (texts[b"Do it"], texts[b"Do that"])


@pytest.mark.parametrize(
    ("statement", "message", "doubt"),
    [
        (Returned(status="completed"), "Fine.", None),
        (Returned(status="completed"), "", "its final message is empty"),
        (
            Returned(status="completed"),
            "API Error: 500",
            "it ended with an API error: API Error: 500",
        ),
        (Returned(status="completed", doubt="so"), "API Error: 500", "so"),
        (Returned(status="failed"), "API Error: 500", None),
        (Returned(status="completed"), None, "nobody heard its final message"),
    ],
)
def test_a_completed_run_whose_message_is_no_report_is_doubted(
    record: Record, label: str, statement: Returned, message: str | None, doubt: str | None
) -> None:
    tell(record, statement, message=message)
    assert column(record, "unverified", label) == doubt


# Above and below


def test_a_run_is_below_the_one_that_launched_it_when_that_becomes_known(
    record: Record, label: str
) -> None:
    child = deploy(record, "tool:C", parent="agent:c/a")
    below = deploy(record, "tool:D", parent="tool:C")
    columns = "SELECT parent_execution_id, depth FROM agent_executions WHERE execution_id = ?"
    assert record.sql(columns, [child]) == [(None, None)]
    assert record.sql(columns, [below]) == [(child, None)]
    with record.write():
        report(record, "noted", {"depth": 1}, source="hook", keys=["tool:T", "agent:c/a"], at=T2)
    assert record.sql(columns, [child]) == [(label, 2)]
    assert record.sql(columns, [below]) == [(child, 3)]
    assert list(find_stale_executions(record)) == []


def test_nobody_launched_itself(record: Record, label: str) -> None:
    own = deploy(record, "tool:O", parent="tool:O", depth=1)
    assert column(record, "parent_execution_id", own) is None
    assert column(record, "depth", own) == 1


def test_a_depth_that_was_told_counts_more_than_one_that_was_worked_out(
    record: Record, label: str
) -> None:
    with record.write():
        report(record, "noted", {"depth": 1}, source="hook", keys=["tool:T"], at=T2)
    told = deploy(record, "tool:C", parent="tool:T", depth=4)
    worked_out = deploy(record, "tool:D", parent="tool:C")
    assert (column(record, "depth", told), column(record, "depth", worked_out)) == (4, 5)
    deep = deploy(record, "tool:E", parent="tool:C", depth=100)
    below = deploy(record, "tool:F", parent="tool:E")
    assert (column(record, "depth", deep), column(record, "depth", below)) == (100, None)


# Outputs


def test_the_last_word_on_an_output_counts_with_its_earliest_time() -> None:
    told = [
        Delivered(outputs=(OutputFact(uid="a", content="1", created_at=T3),)),
        Delivered(outputs=(OutputFact(uid="b", created_at=T2), OutputFact(uid="c"))),
        Delivered(outputs=(OutputFact(uid="a", content="2", created_at=T4),)),
        Delivered(outputs=(OutputFact(uid="d", created_at=T1),), withdrawn=("d", "nobody")),
    ]
    assert derive_outputs(told) == [
        OutputFact(uid="c"),
        OutputFact(uid="b", created_at=T2),
        OutputFact(uid="a", content="2", created_at=T3),
    ]
    assert derive_outputs([]) == []


def test_outputs_come_and_go_with_their_statements(record: Record, label: str) -> None:
    def insight(uid: str, text: str) -> OutputFact:
        return OutputFact(uid=uid, output_type="insight", content=text, created_at=T2)

    one, two = insight("a", "slow"), insight("b", "fast")
    tell(record, Delivered(outputs=(one, two)))
    assert read_output_rows(record, label) == {
        "a": output_row(record, one),
        "b": output_row(record, two),
    }
    tell(record, Delivered(outputs=(insight("a", "slower"),), withdrawn=("b",)), at=T3)
    assert read_output_rows(record, label) == {"a": output_row(record, insight("a", "slower"))}
    assert record.sql("SELECT revision FROM outputs") == [(2,)]


# Items


def test_a_later_allocation_adds_replaces_or_stands_for_all(record: Record) -> None:
    a, b, c = (ItemFact(context_source=name, included_in_deployment=1) for name in "abc")
    assert derive_items(record, [Allocated(items=(a, b)), Allocated(items=(b, c))]) == [a, b, c]
    left_out = a.replaced(included_in_deployment=0)
    replaced = [Allocated(items=(a,)), Allocated(items=(b,), replaces=True)]
    assert derive_items(record, replaced) == [left_out, b]
    assert derive_items(record, [Allocated(items=(a, b)), Allocated(items=(c,), whole=True)]) == [c]
    assert derive_items(record, [Allocated(items=(a,), stated_in="00")]) == [a]
    assert derive_items(record, []) == []


def test_the_items_of_a_run_are_rows_in_their_order(record: Record, label: str) -> None:
    items = tuple(
        ItemFact(context_type="file", context_source=name, included_in_deployment=1, position=n)
        for n, name in enumerate("ba")
    )
    tell(record, Allocated(items=items))
    assert read_item_rows(record, label) == item_rows(record, items)
    tell(record, Allocated(items=items[1:], whole=True), at=T3)
    assert read_item_rows(record, label) == item_rows(record, items[1:])
    tell(record, Allocated(whole=True), at=T4)
    assert read_item_rows(record, label) == []


# Returns and what was told


def test_returns_stand_in_the_order_of_their_times(record: Record, label: str) -> None:
    for at, words in ((T3, "second"), (T2, "first")):
        returned = Returned(status="completed", completed_at=at, return_key=words, witness="agent")
        tell(record, returned, at=at, message=words)
    found = list_completions(record, label)
    assert [(each.position, each.completed_at) for each in found] == [(1, T2), (2, T3)]
    assert column(record, "final_message", label) == "second"


def test_what_was_sent_and_what_was_heard_is_told_once(record: Record, label: str) -> None:
    for at, call, words in (
        (T2, "call-1", "go on"),
        (T3, None, "go on"),
        (T4, None, "go on"),
        (T1, None, "wait"),
    ):
        tell(record, Addressed(at=at, call=call), at=at, message=words)
    assert [(told.position, told.at, told.call) for told in list_told(record, label)] == [
        (1, T1, None),
        (2, T2, "call-1"),
        (3, T4, None),
    ]
