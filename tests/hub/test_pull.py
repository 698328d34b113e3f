"""Whose statements are fetched, what comes along, and what is not taken for one's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from orch_tui.errors import NotFoundError
from orch_tui.hub.pull import Followed, pull_runs, pull_statements
from orch_tui.hub.sync import SyncPlan
from orch_tui.hub.watched_hub import WatchedHub
from orch_tui.prepare.budget import Limits
from orch_tui.recall.activity import gather_activity
from orch_tui.recall.overview import list_session_lines
from orch_tui.recall.run_endings import list_awaited_runs
from orch_tui.record.claude_sessions import presume_silent_gone
from orch_tui.record.phase_gates import evaluate_gates
from orch_tui.record.session_choice import choose_session, has_open_plan
from tests.hub.machines import OF_ALL, PUSH, live, moved, opened, sync
from tests.record.test_exchange import Machine, assert_agreement, view
from tests.record.test_hooks_and_transcripts import EVENTS

if TYPE_CHECKING:
    from psycopg import Connection

    Connect = Callable[..., Connection[Any]]

MINE = SyncPlan()


def uids(machine: Machine) -> set[str]:
    return {uid for (uid,) in machine.record.sql("SELECT uid FROM agent_executions")}


@pytest.mark.parametrize(
    ("followed", "brings"),
    [
        (Followed(), {"laptop"}),
        (Followed(persons=("bob",)), {"laptop", "bob"}),
        (Followed(everybody=True), {"laptop", "bob", "ci"}),
    ],
)
def test_ones_own_machines_are_followed_and_who_else_is_named(
    machines: Callable[[str], Machine],
    connect: Connect,
    followed: Followed,
    brings: set[str],
) -> None:
    others = {name: live(machines(name)) for name in ("laptop", "bob", "ci")}
    sync(others["laptop"], connect("ann"), PUSH)
    sync(others["bob"], connect("bob"), PUSH)
    sync(others["ci"], connect("ci"), PUSH)
    ann = machines("laptop2")
    ann.name = "laptop"  # git names the same person
    sync(ann, connect("ann"), SyncPlan(followed=followed))
    assert uids(ann) == {uid for name in brings for uid in uids(others[name])}
    assert moved(sync(ann, connect("ann"), SyncPlan(followed=followed))) == 0


def test_who_shares_a_login_is_told_apart_by_git(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    other = live(machines("bob"))
    sync(other, connect("ann"), PUSH)
    ann = machines("ann")
    sync(ann, connect("ann"), MINE)
    assert uids(ann) == set()
    assert ann.record.sql("SELECT person FROM origins WHERE mine") == [("ann",)]


def test_runs_since_a_time_are_fetched_without_the_rest(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    bob = live(machines("bob"))
    times = sorted(
        str(at)
        for (at,) in bob.record.sql("SELECT deployed_at FROM agent_executions")
        if at is not None
    )
    sync(bob, connect("bob"))
    ann = machines("ann")
    since = SyncPlan(followed=Followed(everybody=True), since=times[-1])
    assert sync(ann, connect("ann"), since).pulled.statements > 0
    assert [at for (at,) in ann.record.sql("SELECT deployed_at FROM agent_executions")] == [
        times[-1]
    ]
    sync(ann, connect("ann"), OF_ALL)
    assert_agreement([ann, bob])


def test_one_run_comes_with_all_that_it_points_to(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    bob = live(machines("bob"))
    bob.complete()
    sync(bob, connect("bob"))
    uid, label = bob.record.sql("SELECT uid, execution_id FROM agent_executions LIMIT 1")[0]
    ann = machines("ann")
    with WatchedHub(opened(connect("ann"))) as hub:
        pulled = pull_runs(ann.record, hub, [f"uid:{uid}"])
    (name,) = connect().execute("SELECT name FROM origins").fetchone() or ("",)
    assert pulled.executions == {f"{label}@{name}"}
    for part in ("runs", "completions", "outputs", "allocations", "usage", "files", "keys"):
        theirs = [row for row in view(bob.record)[part] if row[0] == uid]
        assert view(ann.record)[part] == theirs, part
    (session,) = [row for row in view(ann.record)["sessions"]]
    assert session in view(bob.record)["sessions"]


def test_what_another_left_open_is_not_meant_where_nobody_names_one(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    bob = live(machines("bob"))
    sync(bob, connect("bob"))
    ann = machines("ann")
    sync(ann, connect("ann"), OF_ALL)
    assert ann.record.value("SELECT count(*) FROM sessions") > 0
    assert ann.record.value("SELECT count(*) FROM agent_executions WHERE status = 'deployed'") > 0
    with pytest.raises(NotFoundError):
        choose_session(ann.record, ann.folder)
    assert not has_open_plan(ann.record, None)
    assert not any(line.waiting for line in list_session_lines(ann.record, limits=Limits()))
    for (session,) in ann.record.sql("SELECT session_id FROM sessions"):
        gates = {gate.name: gate for gate in evaluate_gates(ann.record, session)}
        assert gates["returned"].met
        assert list_awaited_runs(ann.record, session) == []
    activity = gather_activity(ann.record)
    assert activity.waiting.n == 0 and activity.sessions == ()


def test_nobody_but_its_machine_says_that_a_run_is_gone(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    bob = machines("bob")
    bob.hear_event(*EVENTS[0])
    for event in EVENTS[1:]:
        bob.hear_event(*event)
        if bob.record.value("SELECT count(*) FROM agent_executions WHERE status = 'deployed'"):
            break
    sync(bob, connect("bob"))
    ann = machines("ann")
    sync(ann, connect("ann"), OF_ALL)
    ann.record.clock = lambda: datetime(2027, 1, 1, tzinfo=UTC)
    presume_silent_gone(ann.record)
    assert moved(sync(ann, connect("ann"), OF_ALL)) == 0


def test_what_a_member_wrote_by_hand_stops_nobody(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    """Members are trusted with their own origins, not to write what everybody can read."""
    bob, hub = live(machines("bob")), connect("bob")
    sync(bob, hub)
    last = hub.execute("SELECT max(seq) FROM log").fetchone() or (0,)
    bodies = [
        "no json",
        '"text"',
        json.dumps({"kind": "noted"}),
        json.dumps(body(kind="noted", said={"scope": 5}, about=["uid:x"])),
        json.dumps(body(kind="returned", said={"status": "lost"}, about=["uid:x"])),
        json.dumps(body(kind="set", said={"subject": "session:x", "values": {"phase": "five"}})),
        json.dumps(body(kind="set", said={"subject": "planned:x", "values": {"position": []}})),
    ]
    for number, text in enumerate(bodies, start=1):
        recognition = bytes([number]) * 32
        hub.execute(
            "INSERT INTO statements (recognition, level, digest, kind, body) "
            "VALUES (%s, 3, %s, 'noted', %s)",
            [recognition, hashlib.sha256(text.encode()).digest(), text],
        )
        hub.execute(
            "INSERT INTO log SELECT origin_id, %s, %s FROM origins", [last[0] + number, recognition]
        )
    hub.execute("UPDATE origins SET last_seq = last_seq + %s", [len(bodies)])
    hub.execute(
        "INSERT INTO contents (sha256, size, encoding, data) VALUES (%s, 3, 'raw', 'abc')",
        [b"c" * 32],
    )
    ann = machines("ann")
    assert sync(ann, connect("ann"), OF_ALL).pulled.remarks
    assert uids(bob) <= uids(ann)
    sync(ann, connect("ann"), OF_ALL)  # what it said of a run that nobody had told of
    assert moved(sync(ann, connect("ann"), OF_ALL)) == 0


def body(**told: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "source": "api",
        "at": "",
        "recorded_at": None,
        "actor": None,
        "about": [],
    }
    return {**empty, "digest": None, **told}


def test_a_text_that_is_not_what_its_hash_says_is_left_out(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    bob, owner = live(machines("bob")), connect()
    bob.complete()
    sync(bob, connect("bob"))
    owner.execute("UPDATE contents SET encoding = 'raw', data = 'another text'")
    ann = machines("ann")
    (remark,) = [
        each for each in sync(ann, connect("ann"), OF_ALL).pulled.remarks if "hash" in each
    ]
    assert remark == "contents that are not what their hash says were left out"
    assert ann.record.value("SELECT count(*) FROM contents WHERE encoding <> 'gone'") == 0


def test_another_hub_is_begun_from_the_start(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    bob, ann = live(machines("bob")), machines("ann")
    sync(bob, connect("bob"))
    sync(ann, connect("ann"), OF_ALL)
    connect().execute("UPDATE hub SET uid = 'another'")
    synced = sync(ann, connect("ann"), OF_ALL)
    assert (synced.pulled.statements, synced.pushed.statements) == (0, 0)
    assert ann.record.sql("SELECT DISTINCT hub_uid FROM hub_cursors WHERE hub_uid = 'another'")
    assert_agreement([ann, bob])


def test_what_is_taken_in_at_once_is_bounded_with_its_texts(
    machines: Callable[[str], Machine], connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, ann = live(machines("bob")), machines("ann")
    sync(bob, connect("bob"))
    monkeypatch.setattr("orch_tui.hub.pull.BYTES_AT_ONCE", 1_500)
    cursors: list[int] = []
    with WatchedHub(opened(connect("ann"))) as hub:
        pull_statements(
            ann.record,
            hub,
            Followed(everybody=True),
            progress=lambda what, done, total: cursors.append(done),
        )
    assert len(cursors) > 5 and cursors == sorted(cursors)
    sync(ann, connect("ann"), OF_ALL)
    assert_agreement([ann, bob])
