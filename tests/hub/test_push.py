"""A push brings all that is new, once, whatever came in between."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orch_tui.hub.push import gather_for_hub, push_statements, register_origins
from orch_tui.hub.sync import Synced, SyncPlan
from orch_tui.hub.watched_hub import WatchedHub
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.statement import Noted, pack_fields
from tests.counts import WIDE
from tests.hub.conftest import connected
from tests.hub.machines import (
    OF_ALL,
    PUSH,
    CutHub,
    copied,
    live,
    moved,
    opened,
    settle,
    sync,
    sync_cut,
)
from tests.record.test_exchange import ACTS, Machine, assert_agreement, view

if TYPE_CHECKING:
    from psycopg import Connection

    Connect = Callable[..., Connection[Any]]


def names(hub: Connection[Any]) -> list[tuple[str, str, int]]:
    """The origins that a hub knows, by name: whose they are and how much they said."""
    rows = hub.execute("SELECT name, person, last_seq FROM origins ORDER BY origin_id").fetchall()
    return [(name, person, last) for name, person, last in rows]


def test_a_second_push_brings_nothing_and_asks_little(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    ann, hub = live(machines("ann")), connect("ann")
    assert sync(ann, hub, PUSH).pushed.statements > 0
    assert moved(sync(ann, hub, PUSH)) == 0
    with CutHub(opened(hub), 20) as counted:
        gather_for_hub(ann.record)
        push_statements(ann.record, counted, "ann")
    assert counted.answers >= 20 - 3


@pytest.mark.slow
def test_a_push_that_is_cut_anywhere_is_completed_by_the_next(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    """Each time it gets one question further; in between more is said."""
    ann = live(machines("ann"))
    answers, cuts = 0, 0
    while sync_cut(ann, connect("ann"), answers):
        answers, cuts = answers + (1 if WIDE else 3), cuts + 1
        if cuts % 5 == 0:
            ann.deploy()
    assert cuts > 5
    late = machines("late")
    sync(late, connect("ann"))
    assert_agreement([ann, late])
    ((statements, runs),) = (
        connect()
        .execute("SELECT (SELECT count(*) FROM statements), (SELECT count(*) FROM runs)")
        .fetchall()
    )
    assert statements == ann.record.value("SELECT count(*) FROM observations")
    assert runs == ann.record.value("SELECT count(*) FROM agent_executions")


def test_a_record_that_was_restored_goes_on_as_another_origin(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    ann, hub = live(machines("ann")), connect("ann")
    ann.backup()
    ann.deploy()
    sync(ann, hub)
    lost = view(ann.record)["runs"]
    ann.restore_backup()
    ann.deploy()
    ann.complete()
    sync(ann, hub)
    assert [person for _, person, _ in names(hub)] == ["ann", "ann"]
    assert {row[0] for row in lost} < {row[0] for row in view(ann.record)["runs"]}
    late = machines("late")
    sync(late, hub)
    assert_agreement([ann, late])


def test_who_may_not_read_loses_nothing_of_a_restored_record(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    machine, ci = live(machines("ci")), connect("ci")
    machine.backup()
    machine.deploy()
    sync(machine, ci, PUSH)
    machine.restore_backup()
    for _ in range(4):
        machine.deploy()
    sync(machine, ci, PUSH)
    late, ann = machines("late"), connect("ann")
    sync(late, ann)
    told = {row[0] for row in view(machine.record)["runs"]}
    assert told < {row[0] for row in view(late.record)["runs"]}
    ((rows,),) = ann.execute("SELECT count(*) FROM runs").fetchall()
    assert rows == len(view(late.record)["runs"])


def test_a_copy_and_its_record_both_go_on(
    machines: Callable[[str], Machine], connect: Connect, tmp_path: Path
) -> None:
    ann, hub = live(machines("ann")), connect("ann")
    sync(ann, hub)
    copy = copied(ann, tmp_path, "copy")
    for machine in (ann, copy):
        machine.chance.seed(5)  # both are told the same, each at its time
        for act in ACTS[:10]:
            act(machine)
    settle([copy, ann], hub)
    assert_agreement([ann, copy])
    copy.record.close()


def test_an_origin_of_another_person_is_not_pushed_to(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    """Somebody's record that is pushed by another goes on as an origin of that one."""
    machine = live(machines("ann"))
    sync(machine, connect("ann"))
    machine.deploy()
    sync(machine, connect("bob"))
    assert [(person, last > 0) for _, person, last in names(connect())] == [
        ("ann", True),
        ("bob", True),
    ]
    late = machines("late")
    sync(late, connect("ann"))
    assert_agreement([machine, late])


def test_two_machines_of_one_name_are_told_apart(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    for name in ("ann", "bob"):
        sync(live(machines(name)), connect("ann"))
    (one, *_), (other, *_) = names(connect())
    assert other.startswith(f"{one}.")
    late = machines("late")
    sync(late, connect("ann"))
    held = late.record.sql("SELECT name FROM origins WHERE NOT mine ORDER BY origin_id")
    assert [name for (name,) in held] == [one, other]


def test_what_a_newer_orch_says_is_kept_and_passed_on(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    newer, older, late = machines("newer"), machines("older"), machines("late")
    live(newer)
    newer.record.execute(
        "INSERT INTO observations (digest, kind, at, payload) VALUES (?, 'promised', ?, ?)",
        [b"p" * 32, newer.record.now(), pack_fields({"by": "noon"})],
    )
    (run,) = newer.record.sql("SELECT execution_id FROM agent_executions LIMIT 1")[0]
    ingest_statement(
        newer.record,
        Report([f"id:{run}"], Noted(scope="look", extra={"mood": "calm"}), source="api"),
    )
    sync(newer, connect("ann"))
    sync(older, connect("bob"))
    passed_on = older.export().read_text()
    assert '"promised"' in passed_on and '"mood"' in passed_on
    sync(late, connect("ann"), OF_ALL)
    assert_agreement([newer, older, late])


def test_what_was_redacted_on_the_hub_is_not_sent_again(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    ann, owner = live(machines("ann")), connect()
    sync(ann, connect("ann"))
    owner.execute("INSERT INTO gone (digest, kind) SELECT recognition, 'statement' FROM statements")
    owner.execute("DELETE FROM statements")
    owner.execute("UPDATE origins SET last_seq = 0")
    owner.execute("DELETE FROM log")
    sync(ann, connect("ann"), PUSH)
    ((statements, log),) = owner.execute(
        "SELECT (SELECT count(*) FROM statements), (SELECT count(*) FROM log)"
    ).fetchall()
    assert statements == 0 and log > 0


@pytest.mark.slow
def test_many_who_push_the_same_texts_do_not_stop_one_another(
    machines: Callable[[str], Machine], connect: Connect, hub_address: Callable[[str], str]
) -> None:
    """Contents in any order, all at once: no deadlock, and nothing is lost."""
    pushers = [machines(f"m{number}") for number in range(50 if WIDE else 12)]
    for each in pushers:
        each.open_session()
        for _ in range(4):
            each.save_bundle()
        each.deploy()

    def push(machine: Machine) -> Synced:
        with connected(hub_address("ann")) as connection:
            return sync(machine, connection, SyncPlan(pulls=False))

    with ThreadPoolExecutor(len(pushers)) as pool:
        pushed = list(pool.map(push, pushers))
    owner = connect()
    ((statements, log, runs, deadlocks),) = owner.execute(
        "SELECT (SELECT count(*) FROM statements), (SELECT count(*) FROM log), "
        "(SELECT count(*) FROM runs), (SELECT deadlocks FROM pg_stat_database "
        "WHERE datname = current_database())"
    ).fetchall()
    assert statements == log == sum(each.pushed.statements for each in pushed)
    assert runs == len(pushers) and deadlocks == 0
    assert all(moved(push(machine)) == 0 for machine in pushers[:3])


def test_who_pushes_learns_which_origins_the_hub_knows(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    ann = live(machines("ann"))
    gather_for_hub(ann.record)
    with WatchedHub(opened(connect("ann"))) as hub:
        (origin,) = register_origins(ann.record, hub, "Ann Lee")
        assert (origin.hub_last, origin.own_last > 0) == (0, True)
        assert register_origins(ann.record, hub, "Ann Lee") == [origin]
    ((declared,),) = connect().execute("SELECT declared FROM origins").fetchall()
    assert declared == "Ann Lee"
