"""``orch --web``: the screens in a browser, for this machine and this page only."""

from __future__ import annotations

import asyncio
import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.cli.browser import Page, find_chromium, open_page
from tests.counts import HANGS_AFTER
from tests.variants import vary

pytestmark = pytest.mark.slow  # every test starts processes


class Served(NamedTuple):
    port: int
    key: str
    """What stands in the address besides."""


@pytest.fixture
def served(project: Path) -> Iterator[Served]:
    """Where ``orch --web`` serves the project."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        number: int = free.getsockname()[1]
    command = [sys.executable, "-u", "-P", "-m", "orch_tui", "--web", "--port", str(number)]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE) as serving:
        assert serving.stdout is not None
        address = urlsplit(serving.stdout.readline().decode().strip())
        assert address.netloc == f"localhost:{number}"
        while serving.poll() is None:  # it says that it serves before it listens
            with suppress(ConnectionRefusedError), socket.create_connection(("localhost", number)):
                break
        yield Served(number, address.path.strip("/"))
        serving.send_signal(signal.SIGINT)
        serving.stdout.read()
        assert serving.wait() == 0


def answer(port: int, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("localhost", port, timeout=HANGS_AFTER)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


SOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def test_the_page_is_served_and_no_other_page_reaches_the_app(served: Served) -> None:
    port, key = served
    assert answer(port, f"/{key}/") == 200
    assert answer(port, f"/{key}/ws", Origin="https://elsewhere.example", **SOCKET) == 403
    assert answer(port, f"/{key}/ws", Origin=f"http://localhost:{port}", **SOCKET) == 101


def test_no_other_user_of_the_machine_reaches_the_app(served: Served) -> None:
    port, key = served
    assert len(key) >= 32
    own = {"Origin": f"http://localhost:{port}", **SOCKET}
    for guess in ("", "/ws", "/x/ws", f"/{key[:-1]}/ws", f"/{key}x/ws", "/%C3%A9/ws"):
        assert answer(port, guess or "/x/", **own) in (403, 404), guess
    assert answer(port, "/static/js/textual.js") == 200
    for folder in ("/static", "/static/", "/static/js", "/static/js/", "/", f"/{key}"):
        assert answer(port, folder) in (403, 404), folder


def test_a_name_that_is_none_of_this_machine_is_refused(served: Served) -> None:
    port, key = served
    for host, status in (
        (f"127.0.0.1:{port}", 200),
        (f"[::1]:{port}", 200),
        (f"elsewhere.example:{port}", 403),
        ("localhost:1", 403),
    ):
        assert answer(port, f"/{key}/", Host=host) == status, host


@pytest.mark.parametrize("host", vary(["localhost", "127.0.0.1"]))
def test_a_browser_shows_the_first_rows_and_what_is_typed_and_asks_no_other_host(
    project: Path, served: Served, tmp_path: Path, host: str
) -> None:
    port, key = served
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("there is no Chromium on the PATH of this machine")

    async def look() -> Page:
        async with open_page(chromium, tmp_path / "browser") as page:
            await page.open(f"http://{host}:{port}/{key}/")
            await page.wait_for(lambda: "4 History" in page.got and "quit" in page.got)
            assert await page.evaluate("document.querySelectorAll('canvas').length") > 0
            assert "-first-byte" in await page.evaluate("document.body.className")
            await page.evaluate("document.querySelector('textarea').focus()")
            if "Record what Claude Code" in page.got:
                await page.type("\x1b")
            await page.type("walrus")
            await page.wait_for(lambda: "walrus" in page.got.replace(" ", ""))
            return page

    page = asyncio.run(asyncio.wait_for(look(), HANGS_AFTER))
    assert {urlsplit(address).netloc for address in page.asked} == {f"{host}:{port}"}
    assert any(address.startswith("ws:") for address in page.asked)


def test_the_code_of_the_project_is_not_run(project: Path, served: Served, tmp_path: Path) -> None:
    port, key = served
    ran = tmp_path / "ran"
    code = f"open({str(ran)!r}, 'w').write(__name__)"
    (project / "orch_tui").mkdir()
    for name in ("orch_tui/__init__.py", "orch_tui/__main__.py", "typing.py", "sqlite3.py"):
        (project / name).write_text(code)

    async def open_the_page() -> aiohttp.WSMsgType:
        origin = f"http://localhost:{port}"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{origin}/{key}/ws?width=80&height=24", origin=origin) as page,
        ):
            return (await page.receive()).type

    first = asyncio.run(open_the_page())
    assert not ran.exists(), ran.read_text()
    assert first in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), "the app draws"


def test_a_port_that_is_none_is_refused(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "orch_tui", "--web", "--port", "99999"], capture_output=True
    )
    assert done.returncode == 2
    assert b"'99999' is not a port, 1 to 65535" in done.stderr


def test_a_port_that_is_taken_is_named(project: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "orch_tui", "--web", "--port", port], capture_output=True
        )
    assert done.returncode == 1
    assert done.stdout == b""
    assert f"orch: port {port}: address already in use".encode() in done.stderr
