"""Asking a hub without ever waiting for it longer than so long.

A server that is silent from the start is given up by libpq. One that falls silent within a query,
behind a proxy that keeps the connection, is not noticed by any timeout of libpq or TCP: so each
question is watched here, and where no answer comes the connection is cut.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

from orch_tui.errors import HubError

if TYPE_CHECKING:
    from orch_tui.hub.service import OpenHub

PATIENCE = 40.0
"""Seconds to wait for an answer; the server itself gives up on a statement sooner."""

_LOOKS = 0.25
"""Seconds between two looks at the clock."""

_TRIES = 5
"""Of a transaction that another one was in the way of."""


class WatchedHub:
    """A hub that is asked and told, one question at a time; use it in a ``with``."""

    def __init__(self, hub: OpenHub, patience: float = PATIENCE) -> None:
        self.hub = hub
        self._patience = patience
        self._asked_at: float | None = None
        self._gave_up = False
        self._over = Event()
        self._watch = Thread(target=self._cut_when_silent, name="hub-watch", daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()

    @cached_property
    def secret(self) -> bytes:
        """The key by which statements are recognised there; only who pushes may read it."""
        ((key,),) = self.ask("SELECT key FROM hub_secret")
        return bytes(key)

    def ask(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Ask for rows.

        Raises:
            HubError: it did not answer in time.
        """
        with self._watched():
            return self.hub.connection.execute(query.encode(), parameters).fetchall()

    def tell(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement that gives no rows; gives how many it changed.

        Raises:
            HubError: it did not answer in time.
        """
        with self._watched():
            return self.hub.connection.execute(statement.encode(), parameters).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Have all that is asked and told within be one transaction."""
        with self._unwatched_body(self.hub.connection.transaction()):
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Have all that is asked within be of one moment."""
        with self.transaction():
            self.tell("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield

    def tries(self) -> Iterator[int]:
        """Count the tries of a transaction that another may be in the way of."""
        return iter(range(_TRIES))

    def is_in_the_way(self, error: Exception, attempt: int) -> bool:
        """Tell whether a transaction failed on another one's account and is to be tried again."""
        state = getattr(error, "sqlstate", None) or ""
        if state not in ("40001", "40P01", "55P03") or attempt + 1 >= _TRIES:
            return False
        time.sleep(0.05 * (attempt + 1) * (1 + os.urandom(1)[0] / 255))
        return True

    @contextmanager
    def _unwatched_body(self, transaction: Any) -> Iterator[None]:
        """Watch the beginning and the end of a transaction, not what is done here meanwhile."""
        with self._watched():
            transaction.__enter__()
        try:
            yield
        except BaseException as error:
            with suppress(Exception), self._watched():
                transaction.__exit__(type(error), error, error.__traceback__)
            raise
        with self._watched():
            transaction.__exit__(None, None, None)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        self._asked_at = time.monotonic()
        try:
            yield
        except Exception as error:
            if self._gave_up:
                raise HubError(
                    f"the hub {self.hub.service.name} ({self.hub.service.place}) did not answer: "
                    f"it was silent for {self._patience:g} s",
                    hint="nothing is lost: what was not taken goes along next time",
                    is_away=True,
                ) from error
            raise
        finally:
            self._asked_at = None

    def _cut_when_silent(self) -> None:
        while not self._over.wait(min(_LOOKS, self._patience / 2)):
            asked_at = self._asked_at
            if asked_at is not None and time.monotonic() - asked_at > self._patience:
                self._gave_up = True
                with suppress(Exception):
                    descriptor = os.dup(self.hub.connection.fileno())
                    with socket.socket(fileno=descriptor) as cut:
                        cut.shutdown(socket.SHUT_RDWR)
                return
