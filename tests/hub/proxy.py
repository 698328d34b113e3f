"""A way to a hub that can be cut or fall silent, as a server behind a proxy does."""

from __future__ import annotations

import selectors
import socket
from threading import Event, Thread
from typing import Any

CHUNK = 1 << 16


class Proxy:
    """Passes on what goes between a client and the socket of a server; use it in a ``with``.

    ``silent_after``: so many bytes of the server are passed on, then nothing, and the connection
    stays.
    """

    def __init__(self, path: str, silent_after: int | None = None) -> None:
        self._path = path
        self.silent_after = silent_after
        self.passed = 0
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._over = Event()
        self._threads: list[Thread] = []
        self._open: list[socket.socket] = []

    def __enter__(self) -> Proxy:
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._door.close()
        self.cut()
        for thread in self._threads:
            thread.join()

    def cut(self) -> None:
        """Cut all connections."""
        for each in self._open:
            each.close()

    def _begin(self, work: Any, *arguments: Any) -> None:
        self._threads.append(Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._door, selectors.EVENT_READ)
            while not self._over.is_set():
                if ready.select(0.05) and not self._over.is_set():
                    client, _ = self._door.accept()
                    server = socket.socket(socket.AF_UNIX)
                    server.connect(self._path)
                    self._open += [client, server]
                    self._begin(self._pass_on, client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with client, server, selectors.DefaultSelector() as ready:
            try:
                ready.register(client, selectors.EVENT_READ, server)
                ready.register(server, selectors.EVENT_READ, client)
                while not self._over.is_set():
                    for key, _ in ready.select(0.05):
                        source, target = key.fileobj, key.data
                        assert isinstance(source, socket.socket)
                        data = source.recv(CHUNK)
                        if not data:
                            return
                        if source is server:
                            self.passed += len(data)
                            if self.silent_after is not None and self.passed > self.silent_after:
                                continue
                        target.sendall(data)
            except (OSError, ValueError):  # it was cut
                return
