"""One server for all tests of a process, and a database of its own, with a hub, for each test.

Without the extra ``dev-hub`` these tests are skipped, and say so.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orch_tui.paths import config_folder
from tests.cli.conftest import did, orch, project  # noqa: F401
from tests.hub.postgres import require_programs, running_server

if TYPE_CHECKING:
    from psycopg import Connection

    from orch_tui.hub.postgres import Cluster
    from tests.record.test_exchange import Machine

    Connect = Callable[..., Connection[Any]]

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PEOPLE = ("ann", "bob")
EVERYBODY = (*PEOPLE, "ci", "eve", "mallory")
"""Members: they read and push. ``ci`` only pushes, ``eve`` only reads, ``mallory`` does neither."""


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    """A PostgreSQL with a template of a hub, and people who may log in."""
    programs = require_programs()
    import psycopg

    from orch_tui.hub.administration import make_hub
    from orch_tui.hub.service import role_names

    reader, pusher = role_names("orch")
    with running_server(programs) as cluster:
        with psycopg.connect(address(cluster, "postgres"), autocommit=True) as admin:
            admin.execute("CREATE DATABASE template_hub")
        with psycopg.connect(address(cluster, "template_hub"), autocommit=True) as made:
            make_hub(made, "orch", NOW)
            made.execute("CREATE ROLE mallory LOGIN")
            for name in PEOPLE:
                made.execute(f"CREATE ROLE {name} LOGIN IN ROLE {reader}, {pusher}".encode())
            made.execute(f"CREATE ROLE ci LOGIN IN ROLE {pusher}".encode())
            made.execute(f"CREATE ROLE eve LOGIN IN ROLE {reader}".encode())
        yield cluster


_numbers = itertools.count()


@pytest.fixture
def hub_address(server: Cluster) -> Iterator[Callable[[str], str]]:
    """Gives the address of this test's own hub, for a person by name (``orch`` owns it)."""
    with new_hub(server) as address_of:
        yield address_of


@contextmanager
def new_hub(server: Cluster) -> Iterator[Callable[[str], str]]:
    """A hub of its own, for tests that need one per example; gives its address for a person."""
    import psycopg

    name = f"hub_{next(_numbers)}"
    with psycopg.connect(address(server, "postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template_hub STRATEGY file_copy".encode())
        yield partial(address, server, name)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def connected(hub: str) -> Connection[Any]:
    """Connect to a hub by its address, as `open_hub` does."""
    import psycopg

    connection: Connection[Any] = psycopg.connect(hub, autocommit=True)
    connection.execute("SET search_path TO orch")
    return connection


@pytest.fixture
def connect(hub_address: Callable[[str], str]) -> Iterator[Connect]:
    """Connects a person to the hub of the test, until its end."""
    opened: list[Connection[Any]] = []

    def connect_as(person: str = "orch") -> Connection[Any]:
        opened.append(connected(hub_address(person)))
        return opened[-1]

    yield connect_as
    for connection in opened:
        connection.close()


def address(cluster: Cluster, database: str, person: str = "orch") -> str:
    """Give the address of a database on the server of the tests, for a person."""
    return f"postgresql:///{database}?host={cluster.sockets}&user={person}"


@pytest.fixture
def service_file(own_home: Path, hub_address: Callable[[str], str]) -> Path:
    """The file of services, with an entry for each person: ``ann`` is the hub of the test as Ann
    reaches it, ``owner`` as who keeps it. Commands begin no sync by themselves."""
    from psycopg.conninfo import conninfo_to_dict

    settings = Path(config_folder(), "config.toml")
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("sync_every = 0\n")

    path = own_home / ".pg_service.conf"
    entries = []
    for name, person in [("owner", "orch"), *((name, name) for name in EVERYBODY)]:
        given = conninfo_to_dict(hub_address(person))
        entries += [f"[{name}]", *(f"{key}={value}" for key, value in given.items())]
    path.write_text("\n".join(entries))
    return path


@pytest.fixture
def no_sync_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands begin no sync in a process of its own, which would move what a test looks at."""
    monkeypatch.setattr("orch_tui.hub.background_sync.begin_due_sync", lambda *_: False)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Callable[[str], Machine]]:
    """Makes machines with a record of their own, by name."""
    from tests.record.test_exchange import Machine  # whose settings are made when it is imported

    made: list[Machine] = []

    def make(name: str) -> Machine:
        made.append(Machine(tmp_path, name, random.Random(name)))
        return made[-1]

    yield make
    for each in made:
        each.record.close()
