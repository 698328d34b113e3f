"""A Chromium without a window, driven by its own protocol: what it asks for, gets and draws."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_ESCAPES = re.compile(r"\x1b(\[[0-9;:?<>=]*[ -/]*[@-~]|[@-Z\\-_])")


def find_chromium() -> str | None:
    """Find a Chromium on the PATH; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One page of a browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._sent = 0
        self.asked: list[str] = []
        """Every address that it asked for, with those of its sockets."""
        self.got = ""
        """The text that came by its sockets, without terminal codes."""

    async def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have the browser do something, and give its answer."""
        self._sent += 1
        await self._socket.send_json({"id": self._sent, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json()
            self._note(message)
            if message.get("id") == self._sent:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    async def open(self, address: str) -> None:
        for domain in ("Network", "Page", "Runtime"):
            await self.do(f"{domain}.enable")
        await self.do("Page.navigate", url=address)

    async def wait_for(self, is_there: Callable[[], bool]) -> None:
        """Wait for what comes to it, until it is there."""
        while not is_there():
            self._note(await self._socket.receive_json())

    async def evaluate(self, expression: str) -> Any:
        answer = await self.do("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    async def type(self, text: str) -> None:
        for letter in text:
            for kind in ("keyDown", "keyUp"):
                typed = {"text": letter} if kind == "keyDown" else {}
                await self.do("Input.dispatchKeyEvent", type=kind, key=letter, **typed)

    def _note(self, message: dict[str, Any]) -> None:
        told = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.asked.append(told["request"]["url"])
            case "Network.webSocketCreated":
                self.asked.append(told["url"])
            case "Network.webSocketFrameReceived":
                frame = told["response"]
                data = frame["payloadData"]
                if frame["opcode"] == 2:
                    data = base64.b64decode(data).decode("utf-8", "replace")
                self.got += _ESCAPES.sub("", data)


@asynccontextmanager
async def open_page(chromium: str, folder: Path) -> AsyncIterator[Page]:
    """Start a browser that keeps all it has in a folder, and give an empty page of it."""
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run")
    command = [chromium, *flags, "--remote-debugging-port=0", f"--user-data-dir={folder}"]
    with subprocess.Popen([*command, "about:blank"], stderr=subprocess.PIPE, text=True) as browser:
        assert browser.stderr is not None
        try:
            told = (re.search(r"ws://([\d.]+:\d+)/", line) for line in browser.stderr)
            place = next(filter(None, told))[1]
            async with (
                aiohttp.ClientSession() as session,
                session.put(f"http://{place}/json/new?about:blank") as answer,
                session.ws_connect(
                    (await answer.json())["webSocketDebuggerUrl"], max_msg_size=0
                ) as socket,
            ):
                yield Page(socket)
        finally:
            browser.kill()
