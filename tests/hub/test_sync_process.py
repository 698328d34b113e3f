"""A record is synced with the hub that it is joined to, by command, by API and again and again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orch_tui import api
from orch_tui.errors import HubError
from orch_tui.hub.background_sync import only_sync, read_last_sync
from orch_tui.hub.joining import join_hub, look_at_invitation
from orch_tui.hub.sync_process import SyncReport, sync_with_hub, watch_hub
from orch_tui.models.database import Record
from orch_tui.record.sessions import init_session
from tests.cli.conftest import Run
from tests.cli.test_json_help import held_to_schema
from tests.hub.machines import live
from tests.record.reporting import report
from tests.record.test_exchange import Machine

if TYPE_CHECKING:
    from tests.hub.conftest import Connect

pytestmark = pytest.mark.usefixtures("service_file", "no_sync_beside")


def join(record: Record, person: str = "ann") -> None:
    """Join a record to the hub of the test as a person."""
    join_hub(record, look_at_invitation(record, person), "everything")


def test_a_command_sends_and_fetches(
    did: Run, orch: Run, machines: Callable[[str], Machine]
) -> None:
    did("init-session", "--scope", "s")
    refused = orch("hub", "sync")
    assert (refused.code, refused.err.splitlines()[0]) == (
        1,
        "orch: the record is joined to no hub",
    )
    did("hub", "connect", "ann", "--send", "everything")
    did("init-deployment", "--agent-type", "tester", "--scope", "look")
    sent = did("hub", "sync", "--format", "json").json
    held_to_schema("hub sync", sent)
    assert sent["pushed"] > 0 and (sent["runs"], sent["pulled"]) == (1, 0)
    assert did("hub", "sync").out == "ann: sent nothing; fetched nothing\n"
    assert did("hub", "sync", "--quiet").out == ""
    bob = live(machines("bob"))
    join(bob.record, "bob")
    sync_with_hub(bob.record)
    assert did("hub", "sync").out == "ann: sent nothing; fetched nothing\n"
    assert did("hub", "sync", "--push", "--format", "json").json["pulled"] == 0
    fetched = did("hub", "sync", "--pull", "--all").out
    assert fetched.startswith("ann: sent nothing; fetched ") and " about " in fetched
    assert "@" in did("query", "--fields", "execution_id").out


def test_python_does_the_same(did: Run, machines: Callable[[str], Machine]) -> None:
    bob = live(machines("bob"))
    join(bob.record, "bob")
    sync_with_hub(bob.record)
    did("init-session", "--scope", "s")
    did("hub", "connect", "ann", "--send", "everything")
    report = api.hub_sync(persons=["bob"])
    assert report.pushed > 0 and report.pulled > 0 and report.origins == 1
    assert not api.hub_sync(push=False, since="2026-01-01", everybody=True).moved
    assert api.hub_sync(pull=False) == SyncReport(hub="ann")


def test_who_is_away_is_told_and_noted(
    machines: Callable[[str], Machine], service_file: Path
) -> None:
    ann = live(machines("ann"))
    join(ann.record)
    service_file.write_text(service_file.read_text().replace("host=", "host=/nowhere"))
    with pytest.raises(HubError) as raised:
        sync_with_hub(ann.record)
    assert raised.value.is_away and raised.value.hint
    assert read_last_sync(ann.record).error == raised.value.message


def test_another_hub_in_its_place_is_not_sent_anything(
    machines: Callable[[str], Machine], connect: Connect
) -> None:
    ann = live(machines("ann"))
    join(ann.record)
    connect().execute("UPDATE hub SET uid = 'another'")
    with pytest.raises(HubError, match="not the hub that was joined"):
        sync_with_hub(ann.record)
    assert connect().execute("SELECT count(*) FROM origins").fetchone() == (0,)


def test_one_sync_of_a_record_is_at_work_at_a_time(machines: Callable[[str], Machine]) -> None:
    ann = live(machines("ann"))
    join(ann.record)
    with only_sync(ann.record), pytest.raises(HubError, match="another sync"):
        sync_with_hub(ann.record, in_turn=0.1)
    assert sync_with_hub(ann.record).pushed > 0


def test_who_sends_nothing_only_fetches(machines: Callable[[str], Machine]) -> None:
    bob, eve = live(machines("bob")), live(machines("eve"))
    join(bob.record, "bob")
    sync_with_hub(bob.record)
    join_hub(eve.record, look_at_invitation(eve.record, "eve"), "nothing")
    from orch_tui.hub.pull import Followed
    from orch_tui.hub.sync import SyncPlan

    report = sync_with_hub(eve.record, SyncPlan(followed=Followed(everybody=True)))
    assert report.pulled > 0 and report.pushed == 0


def test_a_watched_record_is_synced_when_something_is_new(
    machines: Callable[[str], Machine],
) -> None:
    """What is recorded here goes there, what somebody pushes comes here, at once."""
    ann, bob = machines("ann"), live(machines("bob"))
    bob.name = "ann"
    join(ann.record)
    join(bob.record)
    watching: Any = watch_hub(ann.record, every=200)
    assert not next(watching).pulled
    ann.open_session()
    assert next(watching).pushed > 0
    sync_with_hub(bob.record)
    report = next(watching)
    assert report.pulled > 0 or next(watching).pulled > 0
    watching.close()


def test_a_repository_is_one_project_wherever_it_lies(
    did: Run, machines: Callable[[str], Machine], tmp_path: Path
) -> None:
    elsewhere, another = tmp_path / "elsewhere", tmp_path / "another"
    for root, name in ((Path.cwd(), "app"), (elsewhere, "app"), (another, "other")):
        (root / ".git").mkdir(parents=True, exist_ok=True)
        remote = f'[remote "origin"]\n\turl = git@example.org:team/{name}.git\n'
        (root / ".git" / "config").write_text(remote)
    bob = machines("bob")
    init_session(bob.record, "his scope", project=str(elsewhere))
    init_session(bob.record, "of another", project=str(another))
    for session, scope in bob.record.sql("SELECT session_id, scope FROM sessions"):
        told = {"session_id": session, "agent_type": "tester", "scope": scope}
        report(bob.record, "deployed", told, source="manual")
    join(bob.record, "bob")
    sync_with_hub(bob.record)
    did("init-session", "--scope", "mine")
    did("hub", "connect", "ann", "--send", "everything")
    did("hub", "sync", "--all")
    assert [row["scope"] for row in did("query", "--format", "json").json] == ["his scope"]
