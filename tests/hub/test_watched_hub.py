"""A hub that goes away, refuses or falls silent ends a sync with an error, and nothing is lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orch_tui.errors import HubError
from orch_tui.hub.sync import sync_record
from orch_tui.hub.watched_hub import WatchedHub
from tests.hub.machines import EVERYTHING, OF_ALL, moved, opened, sync
from tests.hub.proxy import Proxy
from tests.record.test_exchange import Machine

if TYPE_CHECKING:
    from psycopg import Connection

    from orch_tui.hub.postgres import Cluster

    Connect = Callable[..., Connection[Any]]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path, "ann", random.Random(1))
    made.open_session()
    made.deploy()
    made.save_bundle()
    yield made
    made.record.close()


@pytest.fixture
def proxy(server: Cluster) -> Iterator[Proxy]:
    with Proxy(f"{server.sockets}/.s.PGSQL.5432") as passing:
        yield passing


def through(proxy: Proxy, address: str) -> Connection[Any]:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    database = conninfo_to_dict(address)["dbname"]
    connection: Connection[Any] = psycopg.connect(
        f"host=127.0.0.1 port={proxy.port} dbname={database} user=ann", autocommit=True
    )
    connection.execute("SET search_path TO orch")
    return connection


@pytest.mark.parametrize("silent_after", [100, 1_200])
def test_a_silent_hub_is_given_up(
    machine: Machine,
    proxy: Proxy,
    hub_address: Callable[[str], str],
    connect: Connect,
    silent_after: int,
) -> None:
    with through(proxy, hub_address("ann")) as connection:
        reached = opened(connection)
        proxy.silent_after = proxy.passed + silent_after
        with (
            pytest.raises(HubError, match="did not answer: it was silent for 0.3 s") as raised,
            WatchedHub(reached, patience=0.3) as hub,
        ):
            sync_record(machine.record, hub, EVERYTHING, "ann", OF_ALL)
    assert raised.value.is_away and raised.value.hint
    machine.deploy()  # nothing is locked
    sync(machine, connect("ann"))
    assert moved(sync(machine, connect("ann"))) == 0


def test_a_hub_that_is_killed_is_an_error(machine: Machine, connect: Connect) -> None:
    connection, owner = connect("ann"), connect()
    ((process,),) = connection.execute("SELECT pg_backend_pid()").fetchall()
    from psycopg import OperationalError

    with WatchedHub(opened(connection)) as hub, pytest.raises(OperationalError):
        owner.execute("SELECT pg_terminate_backend(%s)", [process])
        sync_record(machine.record, hub, EVERYTHING, "ann", OF_ALL)
    sync(machine, connect("ann"))
    assert moved(sync(machine, connect("ann"))) == 0


def test_what_another_transaction_is_in_the_way_of_is_tried_again(connect: Connect) -> None:
    from psycopg.errors import CheckViolation, DeadlockDetected

    with WatchedHub(opened(connect("ann"))) as hub:
        assert hub.is_in_the_way(DeadlockDetected(), 0)
        assert not hub.is_in_the_way(DeadlockDetected(), 4)
        assert not hub.is_in_the_way(CheckViolation(), 0)
