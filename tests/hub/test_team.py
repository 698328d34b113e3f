"""Whoever shares a hub is searched and counted by command and from Python; away is said, soon."""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orch_tui import api
from orch_tui.errors import HubError, UsageError
from orch_tui.hub.settings import HubSettings, keep_settings
from orch_tui.hub.team import Team
from orch_tui.models.database import Record
from orch_tui.record.opening import open_record, state_noted_changes
from tests.cli.conftest import Run
from tests.cli.test_json_help import held_to_schema
from tests.hub.machines import PUSH, live, sync
from tests.hub.pushed_runs import push_runs
from tests.record.test_exchange import Machine
from tests.search.rows import put, put_session

if TYPE_CHECKING:
    from tests.hub.conftest import Connect

pytestmark = pytest.mark.usefixtures("service_file", "no_sync_beside")


@pytest.fixture
def bobs_runs(connect: Connect, tmp_path: Path) -> None:
    """What bob pushed to the hub."""
    with open_record(tmp_path / "bob.db") as record:
        record.before_commit.remove(state_noted_changes)
        put_session(record)
        put(
            record,
            {"scope": "vector search", "final_message": "the walrus is found", "success": True},
            {"scope": "other", "agent_type": "code-reviewer", "success": False},
            {"scope": "third", "status": "deployed", "cost_usd": 0.5, "input_tokens": 7},
        )
        push_runs(connect("bob"), record, origin="o-bob", machine="bob-desk")


@pytest.fixture
def joined(did: Run, service_file: Path) -> None:
    did("init-session", "--scope", "s")
    did("hub", "connect", "ann", "--yes")


@pytest.mark.usefixtures("joined", "bobs_runs")
def test_the_runs_of_a_team_are_found(did: Run) -> None:
    found = did("history", "--team", "walrus", "--format", "json").json
    assert [(run["execution_id"], run["person"], run["machine"]) for run in found] == [
        ("exec-000@bob-desk", "bob", "bob-desk")
    ]
    held_to_schema("history", found)
    shown = did("history", "--team", "agent:code-reviewer")
    assert "exec-001@bob-desk  code-reviewer" in shown.out
    assert "by bob on bob-desk" in shown.out
    assert did("history", "walrus", "--format", "json").json == []
    assert "--before" in did("history", "--team", "--limit", "1").err


@pytest.mark.usefixtures("joined", "bobs_runs")
def test_the_figures_of_a_team_come_with_their_n(did: Run, orch: Run) -> None:
    rows = did("stats", "--team", "--by", "person", "--format", "json").json
    assert rows == [
        {
            **{"person": "bob", "n": 3, "success": 1, "failure": 1, "unknown": 1},
            **{"success_share": 0.5, "share_low": rows[0]["share_low"]},
            "share_high": rows[0]["share_high"],
        }
    ]
    every = did("stats", "--team", "--format", "json").json
    held_to_schema("stats --team", every)
    assert [row["machine"] for row in every["by_machine"]] == ["bob-desk"]
    assert [row["agent_type"] for row in every["by_agent_type"]] == ["explore", "code-reviewer"]
    assert every["costs"][0]["cost_usd"] == 0.5
    assert sum(row["n"] for row in every["over_time"]) == 3
    assert did("stats", "--team", "--since", "2030-01-01", "--format", "json").json["overall"] == [
        {"group": "all"}
        | dict.fromkeys(("n", "success", "failure", "unknown"), 0)
        | dict.fromkeys(("success_share", "share_low", "share_high"))
    ]
    assert "bob" in did("stats", "--team", "--by", "person", "--by", "machine").out
    for words, told in (
        (("--by", "person"), "--by person is only with --team"),
        (("--team", "--by", "bundle"), "--by bundle is only without --team"),
    ):
        done = orch("stats", *words)
        assert (done.code, told in done.err) == (2, True)


@pytest.mark.usefixtures("joined", "bobs_runs")
def test_python_asks_a_team_too() -> None:
    page = api.search("walrus", scope="team")
    assert [hit.machine for hit in page.hits] == ["bob-desk"]
    insights = api.stats(scope="team")
    assert [(each.name, each.n) for each in insights.by_person] == [("bob", 3)]
    assert insights.overall.n == 3
    assert api.search("walrus").hits == ()
    with pytest.raises(UsageError, match="not of one session"):
        api.stats(scope="team", session_id="orch-1")  # type: ignore[call-overload]


def test_who_is_joined_to_no_hub_is_told_how(did: Run, orch: Run) -> None:
    did("init-session", "--scope", "s")
    for words in (("history", "--team"), ("stats", "--team")):
        done = orch(*words)
        assert (done.code, done.out) == (1, "")
        assert "joined to no hub" in done.err and "orch hub connect SERVICE" in done.err


def joined_to(record: Record, address: str) -> Team:
    keep_settings(record, HubSettings(address, "orch", "nothing", False, "uid", "2026-11-22"))
    return Team(record, Path("/p"), deadline=0.3)


def test_a_hub_that_is_not_there_is_away(record: Record) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        team = joined_to(record, f"postgresql://ann@127.0.0.1:{port}/team")
        with pytest.raises(HubError) as refused:
            team.search("x")
        assert refused.value.is_away


@pytest.mark.usefixtures("joined")
def test_a_hub_that_falls_silent_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from orch_tui.project import Project

    project = Project(".")
    team = Team(project.existing_record, project.root, deadline=0.3)
    try:
        team.search("x")
        with monkeypatch.context() as patch:
            patch.setattr(
                "orch_tui.hub.team_search.search_team",
                lambda hub, *_, **__: hub.connection.execute("SELECT pg_sleep(30)"),
            )
            with pytest.raises(HubError, match="silent for 0.3 s") as refused:
                team.search("x")
        assert refused.value.is_away
        assert team.search("x").hits == ()  # connected anew
    finally:
        team.close()
        project.close()


@pytest.mark.usefixtures("joined")
def test_a_server_that_was_restarted_is_connected_to_anew(connect: Connect) -> None:
    from orch_tui.project import Project

    project = Project(".")
    try:
        assert project.is_joined
        assert project.team.search("x").hits == ()
        connect().execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = 'ann' AND datname = current_database()"
        )
        with pytest.raises(HubError) as refused:
            project.team.search("x")
        assert refused.value.is_away
        assert project.team.search("x").hits == ()
    finally:
        project.close()


@pytest.mark.usefixtures("joined")
def test_a_run_of_another_is_fetched_by_its_name_and_kept(
    did: Run, orch: Run, connect: Connect, tmp_path: Path, chance: random.Random
) -> None:
    bob = live(Machine(tmp_path, "bob-desk", chance))
    sync(bob, connect("bob"), PUSH)
    (found, *_) = did("history", "--team", "--all-projects", "--format", "json").json
    label = found["execution_id"]
    assert "@" in label
    assert orch("show", f"exec-999{label[8:]}").code == 1
    shown = did("show", label, "--format", "json").json
    assert shown["facts"]["agent_type"] == found["agent_type"]
    did("hub", "disconnect")
    called = shown["facts"]["execution_id"]
    assert did("show", called, "--format", "json").json == shown
    bob.record.close()


@pytest.fixture
def chance() -> random.Random:
    return random.Random(7)


@pytest.mark.usefixtures("joined")
def test_what_nobody_waits_for_is_not_asked() -> None:
    from orch_tui.project import Project

    project = Project(".")
    try:
        with pytest.raises(HubError, match="asked meanwhile"):
            project.team.search("x", is_wanted=lambda: False)
        assert project.team.search("x").hits == ()
    finally:
        project.close()
