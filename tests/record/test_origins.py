"""Who stated what: an origin numbers its statements without a gap, a copy begins another."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.record.ledger.journal import log_action
from orch_tui.record.ledger.origins import (
    begin_origin,
    current_origin,
    gather_statements,
    learn_origin,
    machine_name,
    reassign_log,
)
from orch_tui.record.ledger.rebuild import stored_statements
from orch_tui.record.ledger.statement import KIND_OF, Journaled, decode_stored
from orch_tui.record.sessions import init_session
from tests.record.reporting import report


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("laptop", "laptop"),
        ("Laptop.local.example", "laptop"),
        ("my laptop_1", "my-laptop_1"),
        ("7of9", "m-7of9"),
        ("-x-", "x"),
        ("", "m"),
        ("größe", "gr-e"),
        ("...", "m"),
    ],
)
def test_a_machine_has_a_name_that_a_label_may_hold(
    monkeypatch: pytest.MonkeyPatch, host: str, name: str
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    assert machine_name() == name


def origins(record: Record) -> list[tuple[Any, ...]]:
    return record.sql(
        "SELECT origin_id, name, mine, closed_at IS NULL FROM origins ORDER BY origin_id"
    )


def log(record: Record) -> list[tuple[int, int]]:
    return record.sql("SELECT origin_id, seq FROM log ORDER BY origin_id, seq")


def test_a_record_that_stays_in_place_has_one_origin(record: Record) -> None:
    with record.write():
        assert current_origin(record) == current_origin(record) == 1
    assert origins(record) == [(1, machine_name(), 1, 1)]


def test_a_copy_on_this_machine_begins_another(record: Record) -> None:
    label = run(record)
    with record.write():
        current_origin(record)
        record.execute("UPDATE origins SET place = substr(place, 1, instr(place, ' ')) || '0 0'")
        assert current_origin(record) == current_origin(record) == 2
    name = machine_name()
    assert origins(record) == [(1, name, 1, 0), (2, f"{name}-2", 1, 1)]
    assert record.value("SELECT origin_id FROM agent_executions") is None, f"{label} is still ours"


def test_a_record_from_another_machine_leaves_to_it_what_was_done_there(record: Record) -> None:
    label = run(record)
    with record.write():
        current_origin(record)
        record.execute(
            "UPDATE origins SET place = 'elsewhere 1 2', machine = 'other', name = 'other'"
        )
        assert current_origin(record) == 2
    for table in ("sessions", "agent_executions"):
        assert record.sql(f"SELECT origin_id FROM {table}") == [(1,)], label
    with record.write():
        assert begin_origin(record) == 3
    assert [is_open for *_, is_open in origins(record)] == [0, 0, 1]


def test_an_origin_of_others_is_learned_once_and_named_apart(record: Record) -> None:
    told = {"uid": "abcdef", "name": "laptop", "machine": "m", "person": "me"}
    with record.write():
        first = learn_origin(record, told)
        assert learn_origin(record, {**told, "name": "renamed"}) == first
        learn_origin(record, {**told, "uid": "fedcba"})
        learn_origin(record, {"uid": "1", "machine": "box"})
        learn_origin(record, {"uid": "2"})
    assert [(name, mine) for _, name, mine, _ in origins(record)] == [
        ("laptop", 0),
        ("laptop.fedc", 0),
        ("box", 0),
        ("unknown", 0),
    ]


def run(record: Record, *keys: str) -> str:
    init_session(record, "x", project="/p", session_id="s")
    columns = {"session_id": "s", "agent_type": "x"}
    with record.write():
        return report(record, "deployed", columns, source="hook", keys=keys or ["tool:T"], at="2")


def gather(record: Record) -> int:
    with record.write():
        return gather_statements(record)


def test_statements_are_numbered_without_a_gap_and_once(record: Record) -> None:
    run(record)
    assert gather(record) == 1
    first = log(record)
    assert first == [(1, number) for number in range(1, len(first) + 1)]
    count = "SELECT count(*) FROM observations"
    assert len(first) == record.value(count) > 0
    gather(record)
    assert log(record) == first
    with record.write():
        log_action(record, "note")
    gather(record)
    assert log(record) == [*first, (1, len(first) + 1)]


def test_the_keys_of_a_run_are_stated_anew_when_there_are_more(record: Record) -> None:
    label = run(record, "tool:T")
    for _ in range(2):
        gather(record)
    (identified,) = stored_statements(record, label, "identified")
    uid = record.value("SELECT uid FROM sessions")
    assert (identified.label, identified.session) == (label, f"session:{uid}")
    with record.write():
        record.execute("INSERT INTO execution_keys VALUES ('agent:c/a', ?)", [label])
        record.execute("UPDATE agent_executions SET revision = revision + 1, origin_id = 1")
    gather(record)
    labels = [each.label for each in stored_statements(record, label, "identified")]
    assert sorted(labels, key=str) == [None, label], "a label of another origin is not ours to say"
    abouts = record.sql("SELECT about FROM observations WHERE kind = 'identified' ORDER BY about")
    run_uid = record.value("SELECT uid FROM agent_executions")
    assert abouts == [
        (f'["agent:c/a","tool:T","uid:{run_uid}"]',),
        (f'["tool:T","uid:{run_uid}"]',),
    ]


def test_the_journal_is_stated_but_for_what_is_about_this_file(record: Record) -> None:
    label = run(record)
    gather(record)
    with record.write():
        for action in ("note", "execution", "unite", "migrate", "sql"):
            log_action(record, action, execution_id=label, session_id="s", before=1, after="x")
    gather(record)
    rows = record.sql(
        "SELECT kind, payload FROM observations WHERE kind = ? ORDER BY observation_id",
        [KIND_OF[Journaled]],
    )
    first, last = (decode_stored(*row) for row in rows[-2:])
    assert (first.action, last.action) == ("note", "sql")
    assert (first.run, first.before, first.after) == ("tool:T", "1", '"x"')
    assert last.number == first.number + 4
    assert record.value(
        "SELECT count(*) FROM observations WHERE kind = ?", [KIND_OF[Journaled]]
    ) == (
        record.value(
            "SELECT count(*) FROM journal WHERE action NOT IN ('execution', 'unite', 'migrate')"
        )
    )


def test_what_two_copies_numbered_apart_is_numbered_anew(record: Record) -> None:
    run(record)
    gather(record)
    stated = dict(record.sql("SELECT seq, observation_id FROM log"))
    assert len(stated) > 2
    last = max(stated)
    with record.write():
        begin_origin(record)
        theirs = {2: stated[last], last: stated[2]}
        reassign_log(record, 1, 2, last, theirs)
    found = record.sql("SELECT origin_id, seq, observation_id FROM log ORDER BY origin_id, seq")
    assert found == [
        (1, 1, stated[1]),
        (1, 2, stated[last]),
        (1, last, stated[2]),
        *((2, number, stated[number + 1]) for number in range(1, last)),
    ]


def test_a_name_that_another_machine_has_is_not_given_again(record: Record) -> None:
    name = machine_name()
    with record.write():
        for uid, taken in (("aaaab", name), ("aaaac", f"{name}-2"), ("aaaad", f"{name}-3")):
            learn_origin(record, {"uid": uid, "name": taken, "machine": "else"})
        for uid in ("aaaae", "aaaaf", "aaaag"):
            learn_origin(record, {"uid": uid, "name": name, "machine": "else"})
        begin_origin(record)
        begin_origin(record)
    assert [each for _, each, *_ in origins(record)][3:] == [
        *(f"{name}.aaaa", f"{name}.aaaaf-1", f"{name}.aaaag-1"),
        *(f"{name}-4", f"{name}-5"),
    ]
