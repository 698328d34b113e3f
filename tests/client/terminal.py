"""A terminal for the interactive client: a tmux server of its own."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from tests.client.installed_client import require_tmux
from tests.client.messages_api import PATIENCE

LOOKS_EVERY = 0.1


class TerminalError(Exception):
    """What did not come on the screen, with what stands there."""


class Terminal:
    """Runs one command until ``with`` ends; its socket lies in ``folder``."""

    def __init__(
        self, folder: Path, words: Sequence[str], cwd: Path, environment: Mapping[str, str]
    ) -> None:
        self._tmux = [require_tmux(), "-f", "/dev/null", "-S", str(folder / "tmux")]
        values = [f"{name}={value}" for name, value in environment.items()]
        self._start = ["new-session", "-d", "-x", "150", "-y", "50", "-c", str(cwd)]
        self._start.append(shlex.join(["env", "-i", *values, *words]))

    def __enter__(self) -> Terminal:
        # in a session of its own, without our output: the server would hold it open
        subprocess.run(
            [*self._tmux, *self._start],
            check=True,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._ask("kill-server")

    @property
    def screen(self) -> str | None:
        """What stands there; None: the command has ended."""
        done = self._ask("capture-pane", "-p")
        return None if done.returncode else done.stdout

    def wait_for(self, words: str) -> None:
        """Wait until words stand on the screen.

        Raises:
            TerminalError: they did not come.
        """
        self._wait(lambda screen: screen is not None and words in screen, repr(words))

    def wait_for_end(self) -> None:
        """Wait until the command has ended.

        Raises:
            TerminalError: it did not.
        """
        self._wait(lambda screen: screen is None, "the end")

    def type_line(self, words: str) -> None:
        """Type words, and Enter once they stand there: the client takes a burst for a paste."""
        self._ask("send-keys", "-l", words)
        self.wait_for(words[-20:])
        self.press("Enter")

    def press(self, key: str) -> None:
        self._ask("send-keys", key)

    def _wait(self, condition: object, what: str) -> None:
        assert callable(condition)
        end = time.monotonic() + PATIENCE
        while not condition(screen := self.screen):
            if time.monotonic() > end:
                raise TerminalError(f"{what} did not come; there stands:\n{screen}")
            time.sleep(LOOKS_EVERY)

    def _ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._tmux, *words], capture_output=True, text=True)
