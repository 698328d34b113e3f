"""How a hub is named and reached; no password in any file or error, no way that is not safe."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orch_tui.errors import HubError, OrchError, UsageError
from orch_tui.hub.service import find_service, is_local, open_hub, without_password
from orch_tui.models.values import HUB_VERSION
from tests.hub.postgres import require_programs

if TYPE_CHECKING:
    from tests.hub.conftest import Connect

SECRET = "hunter2"

pytestmark = pytest.mark.usefixtures("psycopg_there")


@pytest.fixture
def psycopg_there() -> None:
    require_programs()


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://ann:{SECRET}@db/team",
        f"postgres://ann:{SECRET}@db/team",
        f"postgresql://ann:{SECRET}@db:port/team",
        f"postgresql://ann:a/{SECRET}@db/team",
        f"postgresql://ann:a@{SECRET}@db/team",
        f"postgresql://db/team?password={SECRET}",
        f"postgresql://db/team?user=ann&password={SECRET}&sslmode=verify-full",
        f"host=db password={SECRET}",
        f"host=db password = 'a {SECRET}'",
        f"host=db PASSWORD={SECRET}",
        f"postgresql://ann:%zz{SECRET}@db/team",
        f"postgresql://db/team?sslpassword={SECRET}",
        f"postgresql://db/team?p%61ssword={SECRET}",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_shown(address: str) -> None:
    with pytest.raises(UsageError) as refused:
        find_service(address)
    told = f"{refused.value} {refused.value.hint}"
    assert SECRET not in told
    assert "holds no password" in told and "~/.pgpass" in told and "PGPASSWORD" in told


@pytest.mark.parametrize("name", ["", " "])
def test_no_name_at_all_is_told(name: str) -> None:
    with pytest.raises(UsageError, match="no service is named"):
        find_service(name)


@pytest.mark.parametrize("address", ["postgresql://[db/team", "host=db nonsense", "host='db"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(UsageError, match="is no address of a database") as refused:
        find_service(address)
    assert "~/.pg_service.conf" in refused.value.hint


def test_a_service_is_an_entry_of_its_file(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HubError, match="there is no service .team. in ") as refused:
        find_service("team")
    assert "[team]" in refused.value.hint and "sslmode=verify-full" in refused.value.hint
    (own_home / ".pg_service.conf").write_text(
        "# ours\n[other]\nhost=/nowhere\n\n[team]\n# where\nhost=localhost\nport = 5433\n"
        "dbname=orch\nuser=ann\n[last]\nhost=db\n"
    )
    service = find_service("team")
    assert service.place == "localhost:5433/orch"
    assert dict(service.parameters) == {
        **{"host": "localhost", "port": "5433"},
        **{"dbname": "orch", "user": "ann"},
    }
    assert find_service("service=team dbname=more").parameters["dbname"] == "more"
    monkeypatch.setenv("PGSERVICEFILE", str(own_home / "none.conf"))
    with pytest.raises(HubError, match=r"none\.conf"):
        find_service("team")


@pytest.mark.parametrize(
    ("parameters", "local"),
    [
        ({}, True),
        ({"host": "/var/run/postgresql"}, True),
        ({"host": "localhost"}, True),
        ({"host": "127.0.0.1"}, True),
        ({"host": "::1"}, True),
        ({"host": "db.example.org"}, False),
        ({"host": "localhost,db.example.org"}, False),
        ({"host": "127.example.org"}, False),
        ({"host": "localhost", "hostaddr": "192.0.2.1"}, False),
        ({"host": "db.example.org", "hostaddr": "127.0.0.1"}, True),
    ],
)
def test_what_is_this_machine(parameters: dict[str, str], local: bool) -> None:
    assert is_local(parameters) is local


@pytest.mark.parametrize("mode", ["", "disable", "prefer", "require", "verify-ca"])
def test_elsewhere_a_server_must_prove_who_it_is(mode: str) -> None:
    address = f"host=db.example.org {f'sslmode={mode}' if mode else ''}"
    with pytest.raises(HubError, match="could stand in for it") as refused:
        find_service(address)
    assert "sslmode=verify-full" in refused.value.hint and "--insecure" in refused.value.hint
    assert find_service(address, insecure=True).place == "db.example.org"
    safe = find_service("postgresql://db.example.org/team?sslmode=verify-full")
    assert safe.place == "db.example.org/team"


def test_the_environment_of_libpq_counts(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    monkeypatch.setenv("PGHOST", "db.example.org")
    with pytest.raises(HubError, match="no sslmode"):
        find_service("dbname=team")
    monkeypatch.setenv("PGSSLMODE", "require")
    with pytest.raises(HubError, match="sslmode=require"):
        find_service("dbname=team")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert find_service("dbname=team").place == "db.example.org/team"
    (own_home / ".pg_service.conf").write_text("[far]\nhost=far.example.org\nsslmode=prefer\n")
    monkeypatch.setenv("PGSERVICE", "far")
    with pytest.raises(HubError, match=r"far\.example\.org.* with sslmode=prefer"):
        find_service("dbname=team")


def test_an_entry_that_libpq_does_not_know_is_no_hub_that_is_away(own_home: Path) -> None:
    (own_home / ".pg_service.conf").write_text("[team]\nhost=/nowhere\nnonsense=1\n")
    with (
        pytest.raises(HubError, match='is not named as libpq takes it: .*"nonsense"') as refused,
        open_hub(find_service("team")),
    ):
        pass
    assert not refused.value.is_away


@pytest.mark.usefixtures("service_file")
def test_a_hub_says_who_one_is_and_what_one_may() -> None:
    said = {}
    for name in ("owner", "ann", "ci", "eve"):
        with open_hub(find_service(name)) as hub:
            said[name] = (hub.person, hub.may_read, hub.may_push, hub.version)
            assert len(hub.uid) == 36
    assert said == {
        "owner": ("orch", True, True, HUB_VERSION),
        "ann": ("ann", True, True, HUB_VERSION),
        "ci": ("ci", False, True, HUB_VERSION),
        "eve": ("eve", True, False, HUB_VERSION),
    }


@pytest.mark.usefixtures("service_file")
def test_the_server_gives_up_on_who_keeps_it_waiting() -> None:
    with open_hub(find_service("ann")) as hub:
        shown = [
            hub.connection.execute(f"SHOW {name}".encode()).fetchone()
            for name in ("statement_timeout", "lock_timeout", "search_path", "application_name")
        ]
        assert shown == [("30s",), ("5s",), ("orch",), ("orch",)]
    with (
        pytest.raises(HubError, match="did not answer: canceling statement") as refused,
        open_hub(find_service("ann")) as hub,
    ):
        hub.connection.execute("SET statement_timeout = 1")
        hub.connection.execute("SELECT pg_sleep(60)")
    assert refused.value.is_away


@pytest.mark.usefixtures("service_file")
def test_who_is_not_let_in_learns_what_to_ask_for() -> None:
    with (
        pytest.raises(HubError, match="mallory may use") as refused,
        open_hub(find_service("mallory")),
    ):
        pass
    assert "GRANT orch_reader, orch_pusher TO mallory" in refused.value.hint
    with pytest.raises(HubError, match="in schema other "), open_hub(find_service("ann"), "other"):
        pass
    with (
        pytest.raises(HubError, match="does not let nobody_here in") as refused,
        open_hub(find_service("service=ann user=nobody_here")),
    ):
        pass
    assert not refused.value.is_away
    with (
        pytest.raises(HubError, match="has no such database") as refused,
        open_hub(find_service("service=ann dbname=none")),
    ):
        pass
    with (
        pytest.raises(HubError, match="does not allow that: permission denied"),
        open_hub(find_service("eve")) as hub,
    ):
        hub.connection.execute("DELETE FROM statements")


@pytest.mark.parametrize(
    ("column", "pushes"), [("min_reader", False), ("min_reader", True), ("min_writer", True)]
)
def test_a_hub_that_is_too_new_names_both_versions(
    service_file: Path, connect: Connect, column: str, pushes: bool
) -> None:
    connect().execute(f"UPDATE hub SET version = 9, {column} = 8".encode())
    with (
        pytest.raises(
            HubError, match=f"is of version 9 and takes .* knows 8; .* {HUB_VERSION}"
        ) as e,
        open_hub(find_service("ann"), pushes=pushes),
    ):
        pass
    assert "upgrade" in e.value.hint


def test_a_hub_that_is_too_new_to_push_to_is_read(service_file: Path, connect: Connect) -> None:
    connect().execute("UPDATE hub SET version = 9, min_writer = 9")
    with open_hub(find_service("ann")) as hub:
        assert hub.version == 9


@pytest.fixture
def silent_server() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_server_that_refuses_or_is_silent_is_away(silent_server: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        refusing = closed.getsockname()[1]
    for port in (refusing, silent_server):
        with (
            pytest.raises(HubError, match="cannot be reached") as refused,
            open_hub(find_service(f"host=127.0.0.1 port={port} user=ann dbname=team")),
        ):
            pass
        assert refused.value.is_away


def test_no_error_holds_the_password_of_a_service(own_home: Path) -> None:
    (own_home / ".pg_service.conf").write_text(
        f"[team]\nhost=/nowhere\npassword={SECRET}\nuser=ann\n"
        f"[odd]\nhost=127.0.0.1\npassword={SECRET}\nsslmode={SECRET}\n"
    )
    for name in ("team", "odd"):
        with pytest.raises(OrchError) as refused, open_hub(find_service(name)):
            pass
        assert SECRET not in f"{refused.value} {refused.value.hint}"


def test_passwords_are_taken_out_of_any_text() -> None:
    texts: list[Any] = [
        "invalid port in postgresql://ann:hunter2@db:x/team",
        "postgresql://ann:hun@ter2@db/team, postgresql://bob:hunter2@db/team",
        "password=hunter2",
        "password = 'hunter2 and more' host=db",
    ]
    assert [text for text in texts if "ter2" in without_password(text)] == []
    assert without_password("postgresql://ann@db/team") == "postgresql://ann@db/team"


def test_psycopg_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(HubError, match="psycopg, which is not installed") as refused:
        find_service("host=localhost")
    assert "orch-tui[hub]" in refused.value.hint
