"""A server that proves who it is, and one that does not: on the PostgreSQL of the machine.

That of the wheel has no TLS; where the machine has none either, this is skipped.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from orch_tui.errors import HubError
from orch_tui.hub.postgres import Cluster, list_programs, wheel_programs
from orch_tui.hub.service import find_service, open_hub
from tests.cli.conftest import Run
from tests.hub.conftest import NOW
from tests.hub.postgres import LITTLE, require_programs

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync_beside")]

HOST = "db.example.test"
PASSWORD = "correct horse"

Entry = Callable[..., str]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Path, int]]:
    """The folder of certificates and the port of a server with TLS, where Ann has a password."""
    require_programs()
    import psycopg

    programs = next((each for each in list_programs() if each != wheel_programs()), None)
    if programs is None or not shutil.which("openssl"):
        pytest.skip("the machine has no PostgreSQL of its own, or no openssl")
    home = Path(tempfile.mkdtemp(prefix="orch-tls-", dir="/tmp"))
    cluster = Cluster(home / "server", programs)
    home.chmod(0o711)
    try:
        make_certificates(home)
        cluster.make("--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync")
        for name in ("server.crt", "server.key"):
            shutil.copyfile(home / name, cluster.data / name)
            (cluster.data / name).chmod(0o600)
            if cluster.user is not None:
                os.chown(cluster.data / name, cluster.user, -1)
        port = free_port()
        secured = {"ssl": "on", "listen_addresses": "127.0.0.1", "port": str(port)}
        try:
            cluster.start({**LITTLE, **secured})
        except HubError as error:
            if "ssl" not in cluster.log.read_text().lower():
                raise
            pytest.skip(f"the PostgreSQL of the machine has no TLS: {error}")
        owner = f"host={cluster.sockets} port={port} user=orch dbname=postgres"
        with psycopg.connect(owner, autocommit=True) as made:
            from orch_tui.hub.administration import make_hub

            make_hub(made, "orch", NOW)
            made.execute(f"CREATE ROLE ann LOGIN PASSWORD '{PASSWORD}'")
            made.execute("GRANT orch_reader, orch_pusher TO ann")
        yield home, port
    finally:
        with suppress(HubError):
            cluster.stop("immediate")
        shutil.rmtree(home, ignore_errors=True)


def make_certificates(folder: Path) -> None:
    """An authority and a server's certificate of it, and another authority."""
    for name in ("authority", "another"):
        openssl(
            folder,
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.crt"),
        )
    openssl(
        folder,
        *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-subj", f"/CN={HOST}", "-keyout", "server.key", "-out", "server.csr"),
    )
    (folder / "names").write_text(f"subjectAltName=DNS:{HOST}\n")
    openssl(
        folder,
        *("x509", "-req", "-in", "server.csr", "-days", "2", "-extfile", "names"),
        *("-CA", "authority.crt", "-CAkey", "authority.key", "-CAcreateserial"),
        *("-out", "server.crt"),
    )


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@pytest.fixture
def entry(server: tuple[Path, int], own_home: Path) -> Entry:
    """Writes the entry of a service that reaches the server, with what is to be otherwise."""
    folder, port = server

    def write(**other: str) -> str:
        said = {
            **{"host": HOST, "hostaddr": "127.0.0.1", "port": str(port)},
            **{"dbname": "postgres", "user": "ann", "sslmode": "verify-full"},
            "sslrootcert": str(folder / "authority.crt"),
            **other,
        }
        lines = [f"{name}={value}" for name, value in said.items() if value]
        (own_home / ".pg_service.conf").write_text("\n".join(["[team]", *lines]))
        return "team"

    return write


def refusal(name: str) -> HubError:
    with pytest.raises(HubError) as refused, open_hub(find_service(name)):
        pass
    assert not refused.value.is_away
    assert PASSWORD not in f"{refused.value} {refused.value.hint}"
    return refused.value


def test_a_record_joins_by_tls_with_a_password_that_is_kept_nowhere(
    entry: Entry, did: Run, own_home: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    did("hub", "connect", entry(), "--yes")
    with open_hub(find_service("team")) as hub:
        by_tls = hub.connection.execute(
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        ).fetchone()
    assert by_tls == (True,)
    written = [path for folder in (own_home, project) for path in folder.rglob("*")]
    held = [path for path in written if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    assert held == []


def test_the_password_file_of_libpq_is_read(
    entry: Entry, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = own_home / ".pgpass"
    passwords.write_text(f"*:*:*:ann:{PASSWORD}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    with open_hub(find_service(entry())) as hub:
        assert hub.person == "ann"


@pytest.mark.parametrize("password", ["", "wrong one"])
def test_without_the_password_nobody_is_let_in(
    entry: Entry, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", password)
    refused = refusal(entry())
    assert "does not let ann in" in str(refused)
    assert "~/.pgpass" in refused.hint
    assert not password or password not in f"{refused} {refused.hint}"


def test_another_stands_in_for_the_server(
    entry: Entry, server: tuple[Path, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another authority, or under another name: no password is sent there."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    for other in (
        {"sslrootcert": str(server[0] / "another.crt")},
        {"host": "other.example.test"},
    ):
        refused = refusal(entry(**other))
        assert "has a certificate that is not accepted" in str(refused)
        assert "another stands in for it" in refused.hint


def test_the_authorities_of_the_machine_may_be_named(
    entry: Entry, server: tuple[Path, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setenv("SSL_CERT_FILE", str(server[0] / "authority.crt"))
    with open_hub(find_service(entry(sslrootcert="system"))) as hub:
        assert hub.person == "ann"


def test_who_has_no_authority_to_check_by_is_told(entry: Entry) -> None:
    refused = refusal(entry(sslrootcert=""))
    assert "has a certificate that cannot be checked" in str(refused)
    assert "sslrootcert=" in refused.hint


def test_elsewhere_no_weaker_way_is_taken(entry: Entry) -> None:
    for mode in ("", "prefer", "require", "verify-ca"):
        with pytest.raises(HubError, match="could stand in for it") as refused:
            find_service(entry(hostaddr="", sslmode=mode))
        assert "into the entry [team]" in refused.value.hint


def test_a_server_without_tls_is_told(entry: Entry) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        refused: list[HubError] = []
        from threading import Thread

        def answer() -> None:
            connection, _ = plain.accept()
            with connection:
                connection.recv(8)
                connection.sendall(b"N")  # how a server without TLS answers

        answering = Thread(target=answer)
        answering.start()
        refused.append(refusal(entry(port=str(plain.getsockname()[1]))))
        answering.join()
    assert "has no TLS" in str(refused[0])
    assert "ssl = on" in refused[0].hint
