"""The rows of runs on a hub are made of all that it holds, whoever wrote them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orch_tui.hub.derived_runs import mend_stale_runs
from orch_tui.hub.sync import sync_record
from orch_tui.hub.watched_hub import WatchedHub
from orch_tui.record.executions import retract_execution
from orch_tui.record.sessions import archive_session
from tests.hub.machines import EVERYTHING, OF_ALL, PUSH, live, opened, sync
from tests.record.test_exchange import Machine
from tests.record.test_hooks_and_transcripts import EVENTS

if TYPE_CHECKING:
    from psycopg import Connection

    Connect = Callable[..., Connection[Any]]


def rows(hub: Connection[Any], columns: str = "uid, agent, status, rules") -> list[Any]:
    query = f"SELECT {columns} FROM runs WHERE made_of <> '' ORDER BY uid"  # else it became another
    return hub.execute(query.encode()).fetchall()


def test_a_run_of_two_machines_is_made_of_what_both_say(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    """Half of its events were heard on one, half on the other, and neither follows the other."""
    ann, bob = machines("ann"), machines("bob")
    for number, (at, event) in enumerate(EVENTS):
        (ann, bob)[number % 2].hear_event(at, event)
    for machine, person in ((ann, "ann"), (bob, "bob"), (ann, "ann")):
        sync(machine, connect(person), PUSH)
    late = machines("late")
    sync(late, connect("ann"), OF_ALL)
    told = late.record.sql("SELECT uid, agent_type, status FROM agent_executions ORDER BY uid")
    assert rows(connect(), "uid, agent, status") == told


def test_a_row_that_is_made_of_less_is_mended_by_who_knows_the_run(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    ann, owner = live(machines("ann")), connect()
    sync(ann, connect("ann"))
    before = rows(owner)
    owner.execute("UPDATE runs SET made_of = 'less', agent = 'nobody', status = 'failed'")
    with WatchedHub(opened(connect("ann"))) as hub:
        assert mend_stale_runs(ann.record, hub) == len(before)
        assert mend_stale_runs(ann.record, hub) == 0
    assert rows(owner) == before


def test_a_row_of_newer_rules_stays(machines: Callable[[str], Machine], connect: Connect) -> None:
    ann, owner = live(machines("ann")), connect()
    sync(ann, connect("ann"))
    owner.execute("UPDATE runs SET rules = 99, made_of = 'other', agent = 'better known'")
    ann.complete()
    sync(ann, connect("ann"))
    assert {agent for (agent,) in rows(owner, "agent")} == {"better known"}


def test_what_is_retracted_is_found_by_nothing(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    ann, owner = live(machines("ann")), connect()
    sync(ann, connect("ann"))
    found = "SELECT count(*) FROM search"
    before = (owner.execute(found).fetchone() or (0,))[0]
    label = ann.record.value(
        "SELECT execution_id FROM agent_executions WHERE retracted_at IS NULL LIMIT 1"
    )
    retract_execution(ann.record, label, "by mistake")
    sync(ann, connect("ann"))
    assert owner.execute(found).fetchone() == (before - 1,)


def test_a_session_that_is_archived_takes_its_runs_along(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    ann, owner = machines("ann"), connect()
    ann.open_session()
    ann.deploy()
    sync(ann, connect("ann"))
    (session,) = ann.record.sql("SELECT session_id FROM sessions")[0]
    archive_session(ann.record, session)
    assert sync(ann, connect("ann")).runs == 1
    assert rows(owner, "archived") == [(True,)]
    assert owner.execute("SELECT archived FROM search").fetchall() == [(True,)]


def test_what_plain_sql_put_into_columns_is_no_trouble(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    ann = machines("ann")
    ann.open_session()
    for _ in range(3):
        ann.deploy()
    ann.record.execute(
        "UPDATE agent_executions SET scope = 'a' || char(0) || 'b', depth = 'deep', "
        "cost_usd = 9e999, input_tokens = 'many', deployed_at = '2026-02-31', tool_calls = 1e20"
    )
    with ann.record.write():
        pass
    sync(ann, connect("ann"))
    assert len(rows(connect())) == 3


def test_who_only_pushes_writes_rows_of_its_own(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    machine = live(machines("ci"))
    with WatchedHub(opened(connect("ci"))) as hub:
        synced = sync_record(machine.record, hub, EVERYTHING, "ci", PUSH)
        assert synced.runs == machine.record.value("SELECT count(*) FROM agent_executions")
    machine.complete()
    sync(machine, connect("ci"), PUSH)
    with WatchedHub(opened(connect("ann"))) as hub:
        late = machines("late")
        sync_record(late.record, hub, EVERYTHING, "late", OF_ALL)
        assert mend_stale_runs(late.record, hub) == 0, "they are made of all that the hub holds"
