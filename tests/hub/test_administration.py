"""What the owner of a hub does with its schema."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orch_tui.hub.administration import MIGRATIONS, make_months
from orch_tui.models.values import HUB_VERSION
from tests.cli.conftest import Run
from tests.cli.test_json_help import held_to_schema
from tests.hub.conftest import NOW, address

if TYPE_CHECKING:
    from orch_tui.hub.postgres import Cluster
    from tests.hub.conftest import Connect


def test_months_are_made_around_now_and_again_later(connect: Connect) -> None:
    hub = connect()
    assert make_months(hub, NOW) == []
    far = "INSERT INTO search VALUES (%s, %s, 'word:1'), (%s, %s, 'word:1')"
    hub.execute(far, [1, "2027-12-31 23:59:59.999+00", 2, "2026-11-30 23:59:59.999+00"])
    where = "SELECT run_id, tableoid::regclass::text FROM search ORDER BY run_id"
    assert hub.execute(where).fetchall() == [(1, "search_other"), (2, "search_202611")]
    made = make_months(hub, datetime(2027, 1, 1, tzinfo=UTC))
    assert made == ["search_202712", "search_202801"]
    assert hub.execute(where).fetchall() == [(1, "search_202712"), (2, "search_202611")]


def test_every_month_is_found_by_words_and_by_time(connect: Connect) -> None:
    listed = connect().execute(
        "SELECT tablename, count(*) FILTER (WHERE indexdef LIKE '%USING gin%fastupdate=off%'), "
        "count(*) FROM pg_indexes WHERE tablename LIKE 'search\\_%' GROUP BY 1"
    )
    found = listed.fetchall()
    assert len(found) == 26
    assert {(by_words, all_of_them) for _, by_words, all_of_them in found} == {(1, 3)}


@pytest.fixture
def empty(server: Cluster) -> Iterator[str]:
    """A database without a hub, as its owner reaches it."""
    import psycopg

    with psycopg.connect(address(server, "postgres"), autocommit=True) as admin:
        admin.execute("CREATE DATABASE empty")
        yield address(server, "empty")
        admin.execute("DROP DATABASE empty WITH (FORCE)")


@pytest.mark.usefixtures("no_sync_beside")
def test_a_hub_is_made_once(did: Run, orch: Run, empty: str) -> None:
    made = did("hub", "admin", "init", empty, "--schema", "other team", "--format", "json")
    assert made.json["roles"] == ["other team_reader", "other team_pusher"]
    assert 'GRANT "other team_reader", "other team_pusher" TO NAME' in made.err
    done = orch("hub", "admin", "init", empty, "--schema", "other team")
    assert done.code == 1
    assert "there are tables in schema other team of empty already" in done.err
    did("hub", "admin", "init", empty)  # a second hub beside it
    checked = did("hub", "admin", "check", empty, "--format", "json").json
    assert {finding["level"] for finding in checked} == {"ok"}
    held_to_schema("hub admin check", checked)
    other = did("hub", "admin", "check", empty, "--schema", "other team", "--format", "json").json
    assert [each["what"] for each in other if each["level"] == "warning"] == made.json["roles"]
    assert did("hub", "connect", empty, "--yes", "--schema", "other team").out


def test_only_the_owner_changes_a_hub(orch: Run, service_file: Path) -> None:
    for act in ("migrate", "check"):
        done = orch("hub", "admin", act, "ann")
        assert done.code == 1
        assert "belongs to orch; ann may not change it" in done.err
        assert "there is no hub in schema none" in (
            orch("hub", "admin", act, "owner", "--schema", "none").err
        )
    done = orch("hub", "admin", "init", "ann", "--schema", "mine")
    assert done.code == 1
    assert "ann may not make a hub in hub_" in done.err and "docs/team.md" in done.err


def test_a_hub_is_brought_up_to_date_again_and_again(
    did: Run, orch: Run, service_file: Path, connect: Connect
) -> None:
    hub = connect()
    hub.execute("REVOKE INSERT ON about FROM orch_pusher")
    did("hub", "admin", "migrate", "owner")
    connect("ann").execute("INSERT INTO about VALUES ('uid:1', 'a')")
    again = did("hub", "admin", "migrate", "owner", "--format", "json").json
    assert (again["version_before"], again["version"], again["months"]) == (1, 1, [])
    hub.execute("UPDATE hub SET version = 9")
    done = orch("hub", "admin", "migrate", "owner")
    assert done.code == 1
    assert f"the hub is of version 9, this orch knows {HUB_VERSION}" in done.err


def test_a_schema_that_was_made_for_it_is_taken(did: Run, empty: str) -> None:
    import psycopg

    with psycopg.connect(empty, autocommit=True) as owner:
        owner.execute("CREATE SCHEMA given")
        did("hub", "admin", "init", empty, "--schema", "given")
        assert did("hub", "admin", "check", empty, "--schema", "given").code == 0
        owner.execute("DROP SCHEMA given CASCADE; DROP ROLE given_reader, given_pusher")


@pytest.mark.usefixtures("no_sync_beside")
def test_the_owner_of_a_database_needs_be_no_superuser(
    did: Run, orch: Run, server: Cluster, empty: str
) -> None:
    """On a managed server nobody is."""
    import psycopg

    with psycopg.connect(address(server, "postgres"), autocommit=True) as admin:
        admin.execute("CREATE ROLE keeper LOGIN; ALTER DATABASE empty OWNER TO keeper")
        admin.execute("CREATE ROLE zoe LOGIN")
        keeper, zoe = (address(server, "empty", person) for person in ("keeper", "zoe"))
        done = orch("hub", "admin", "init", keeper, "--schema", "kept")
        assert done.code == 1
        assert "keeper may not make a hub in empty: permission denied to create role" in done.err
        assert "CREATEROLE, or kept_reader and kept_pusher made for you" in done.err
        admin.execute("ALTER ROLE keeper CREATEROLE")
        did("hub", "admin", "init", keeper, "--schema", "kept")
        with psycopg.connect(keeper, autocommit=True) as owner:
            owner.execute("GRANT kept_reader, kept_pusher TO zoe")
        did("hub", "connect", zoe, "--schema", "kept", "--yes")
        did("hub", "admin", "migrate", keeper, "--schema", "kept")
        assert did("hub", "admin", "check", keeper, "--schema", "kept").code == 0
        with psycopg.connect(keeper, autocommit=True) as owner:
            owner.execute("DROP SCHEMA kept CASCADE; DROP ROLE kept_reader, kept_pusher")
        admin.execute("ALTER DATABASE empty OWNER TO orch; DROP ROLE keeper, zoe")


def test_there_is_a_step_from_every_version() -> None:
    assert sorted(MIGRATIONS) == [*range(1, HUB_VERSION)]


def test_a_database_that_is_not_in_utf8_is_refused(orch: Run, server: Cluster) -> None:
    import psycopg

    with psycopg.connect(address(server, "postgres"), autocommit=True) as admin:
        admin.execute("CREATE DATABASE latin ENCODING latin1 TEMPLATE template0")
        done = orch("hub", "admin", "init", address(server, "latin"))
        admin.execute("DROP DATABASE latin WITH (FORCE)")
    assert done.code == 1
    assert "is encoded in LATIN1; a hub needs UTF8" in done.err
