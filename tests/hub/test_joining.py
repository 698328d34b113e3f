"""A record joins a hub, says how it stands, and leaves: by the commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orch_tui.hub.settings import LEVELS, MEANING
from tests.cli.conftest import Run
from tests.cli.test_json_help import held_to_schema
from tests.test_imports import command

if TYPE_CHECKING:
    from tests.hub.conftest import Connect

pytestmark = pytest.mark.usefixtures("service_file", "no_sync_beside")


def test_who_is_joined_to_nothing_is_told_how(did: Run) -> None:
    did("init-session", "--scope", "s")
    done = did("hub", "status")
    assert done.out == ""
    assert "joined to no hub" in done.err and "orch hub connect SERVICE" in done.err
    assert did("hub", "status", "--format", "json").json["joined"] is False


def test_a_record_joins_shows_how_it_stands_and_leaves(did: Run, orch: Run) -> None:
    joined = did("hub", "connect", "ann", "--yes", "--format", "json").json
    assert {name: joined[name] for name in ("person", "send", "may_read", "may_push")} == {
        **{"person": "ann", "send": "messages"},
        **{"may_read": True, "may_push": True},
    }
    did("init-session", "--scope", "s")
    status = did("hub", "status", "--format", "json").json
    assert (status["service"], status["send"], status["hub"]) == ("ann", "messages", joined["hub"])
    assert (status["problem"], status["origins"]) == (None, [])
    assert status["waiting"] > 0
    held_to_schema("hub status", status)
    shown = did("hub", "status")
    assert "as       ann, who reads and pushes" in shown.out
    assert f"waiting  {status['waiting']} statement" in shown.out
    left = did("hub", "disconnect")
    assert "left ann; what was sent there stays there" in left.out
    assert did("hub", "status", "--format", "json").json["joined"] is False
    done = orch("hub", "disconnect")
    assert (done.code, done.err.splitlines()[0]) == (1, "orch: the record is joined to no hub")


def test_who_pushes_there_is_listed(did: Run, connect: Connect) -> None:
    did("hub", "connect", "ann", "--send", "everything")
    connect("bob").execute(
        "INSERT INTO origins (uid, machine, name, client, sends) "
        "VALUES ('o-1', 'tower', 'bob-tower', '0.1', 2)"
    )
    status = did("hub", "status", "--format", "json").json
    held_to_schema("hub status", status)
    (origin,) = status["origins"]
    assert {name: origin[name] for name in ("name", "person", "sends", "statements", "mine")} == {
        **{"name": "bob-tower", "person": "bob", "sends": "messages"},
        **{"statements": 0, "mine": False},
    }
    assert "bob-tower" in did("hub", "status").out


@pytest.mark.parametrize("send", LEVELS)
def test_what_is_sent_is_what_was_said(did: Run, send: str) -> None:
    did("hub", "connect", "ann", "--send", send)
    assert did("hub", "status", "--format", "json").json["send"] == send


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("\n", "messages"), ("1\n", "nothing"), ("figures\n", "figures"), ("4\n", "everything")],
)
def test_what_is_sent_is_asked(
    did: Run, monkeypatch: pytest.MonkeyPatch, typed: str, sent: str
) -> None:
    monkeypatch.setattr("orch_tui.cli.hub_commands.is_answered", lambda: True)
    done = did("hub", "connect", "ann", stdin=typed.encode())
    for level, meaning in MEANING.items():
        assert level in done.err and meaning in done.err
    assert done.out.endswith(f"what is sent: {sent}\n")


def test_no_answer_joins_nothing(orch: Run, did: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    done = orch("hub", "connect", "ann")
    assert done.code == 2
    assert "Nobody can answer here" in done.err and "--send nothing|figures|" in done.err
    monkeypatch.setattr("orch_tui.cli.hub_commands.is_answered", lambda: True)
    for typed in (b"", b"all\n"):
        done = orch("hub", "connect", "ann", stdin=typed)
        assert (done.code, done.out) == (1, "")
    assert did("hub", "status", "--format", "json").json["joined"] is False


def test_who_only_pushes_or_only_reads_joins_so(did: Run, orch: Run) -> None:
    assert "what is sent: nothing" in did("hub", "connect", "eve").out
    done = orch("hub", "connect", "eve", "--send", "figures")
    assert done.code == 1
    assert "eve may only read" in done.err
    done = orch("hub", "connect", "ci", "--send", "nothing")
    assert done.code == 1
    assert "ci may only push" in done.err
    assert did("hub", "connect", "ci", "--yes", "--format", "json").json["send"] == "messages"
    assert did("hub", "status", "--format", "json").json["may_read"] is False


def test_a_hub_that_is_away_is_a_part_of_the_answer(
    did: Run, orch: Run, service_file: Path
) -> None:
    did("hub", "connect", "ann", "--yes")
    service_file.write_text("[ann]\nhost=/nowhere\ndbname=team\nuser=ann\n")
    done = orch("hub", "status", "--format", "json")
    status = json.loads(done.out)
    assert done.code == 1
    assert "cannot be reached" in status["problem"]
    held_to_schema("hub status", status)
    assert (status["place"], status["waiting"]) == ("team on /nowhere", None)
    done = orch("hub", "status")
    assert done.code == 1
    assert "cannot be reached" in done.err and "sends    messages" in done.out
    service_file.unlink()
    assert "there is no service [ann]" in orch("hub", "status").err


def test_joining_another_hub_says_which_it_was(
    did: Run, connect: Connect, service_file: Path
) -> None:
    did("hub", "connect", "ann", "--yes")
    again = did("hub", "connect", "bob", "--yes")
    assert "until now" not in again.err  # the same hub, as another person
    connect().execute("UPDATE hub SET uid = 'another'")
    assert "joined to bob until now" in did("hub", "connect", "ann", "--yes").err


def test_nothing_of_a_hub_is_kept_in_the_project(did: Run, project: Path) -> None:
    did("hub", "connect", "ann", "--yes")
    held = [path for path in project.rglob("*") if path.is_file()]
    assert [path for path in held if path.suffix != ".db" and b"ann" in path.read_bytes()] == []


@pytest.mark.slow
def test_a_command_that_asks_no_hub_does_not_load_what_would(did: Run, project: Path) -> None:
    did("init-session", "--scope", "s")
    did("hub", "connect", "ann", "--yes")
    for words in ("query", "set-phase 2", "history s"):
        loaded = command(*words.split(), cwd=project)
        assert loaded & {"psycopg", "playhouse", "peewee"} == set()


def test_a_project_cannot_say_which_hub(orch: Run, project: Path) -> None:
    folder = project / ".claude" / "orchestration"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text('[hub]\nservice = "ann"\n')
    assert "hub: is not a setting" in orch("query").err


def test_the_commands_of_a_group_are_listed(did: Run, orch: Run) -> None:
    for words in (("hub",), ("hub", "--help"), ("help", "hub")):
        listed = did(*words).out
        assert "orch hub connect" in listed and "orch hub admin init" in listed
    listed = did("hub", "admin").out
    assert "orch hub admin check" in listed and "orch hub connect" not in listed
    assert did("help", "hub", "status").out == did("hub", "status", "--help").out
    done = orch("hub", "conect")
    assert (done.code, done.err.splitlines()) == (
        2,
        [
            "orch: there is no command 'hub conect'",
            "      nearest: hub connect, hub disconnect, hub sync",
        ],
    )
    db = str(Path(".claude/orchestration/execution.db"))
    did("init-session", "--scope", "s")
    assert did("--db", db, "hub", "status", "--format", "json").json["joined"] is False
