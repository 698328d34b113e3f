"""A command on a terminal of its own, its three streams and all."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping

from tests.cli.conftest import ORCH
from tests.counts import HANGS_AFTER


def run_on_terminal(
    *words: str, typed: bytes, env: Mapping[str, str], width: int | None = None
) -> tuple[int, str]:
    """The exit code of a command, and what its terminal shows; ``typed`` is typed ahead."""
    ours, its = pty.openpty()
    if width is not None:
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    process = subprocess.Popen([*ORCH, *words], stdin=its, stdout=its, stderr=its, env=env)
    os.close(its)
    os.write(ours, typed)
    shown = b""
    try:
        while block := os.read(ours, 65536):
            shown += block
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(ours)
    return process.wait(timeout=HANGS_AFTER), shown.decode()
