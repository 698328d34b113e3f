"""The app ends when its terminal is gone or a signal says so, and keeps what was typed."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Self

import pytest

from orch_tui.app import OrchApp
from orch_tui.cli import main
from orch_tui.drafts import Drafts
from orch_tui.project import Project
from tests.screens.quiet import settled
from tests.variants import vary

ORCH = (sys.executable, "-m", "orch_tui")
PATIENCE = 60
"""Seconds until a test gives up; the app needs two, and the machine may be busy."""


class HeldTerminal:
    """The app in a pseudo-terminal that is not its controlling one: nothing sends SIGHUP."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self._screen, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(
            ORCH,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env={**os.environ, "TERM": "xterm-256color", **environment},
            start_new_session=True,
        )
        os.close(slave)
        self._painted = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.vanish()

    def until(self, pattern: bytes) -> None:
        """Read until the app painted this, since the last key."""
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self._painted):
            assert self._read(end - time.monotonic()), self._painted[-2000:]

    def press(self, keys: bytes) -> None:
        self._painted = b""
        os.write(self._screen, keys)

    def until_read(self, pipe: Path) -> BinaryIO:
        """Read until somebody reads a named pipe, and open its other end: an app whose terminal
        takes no more would not come to it."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return open(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK), "wb")
            except OSError as error:
                assert error.errno == errno.ENXIO
            self._read(0.05)
            assert time.monotonic() < end and self.process.poll() is None, self._painted[-2000:]

    def vanish(self) -> None:
        """Close the terminal, as a supervisor does that ends."""
        if self._screen >= 0:
            os.close(self._screen)
            self._screen = -1

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def exit_code(self, *, reading: bool = True) -> int:
        """Wait for the end, with or without taking what is painted until then."""
        end = time.monotonic() + PATIENCE
        # not until the terminal is closed: what the app started may hold it open for longer
        while reading and self._screen >= 0 and self.process.poll() is None:
            self._read(0.1)
            assert time.monotonic() < end
        return self.process.wait(PATIENCE)

    def _read(self, wait: float) -> bool:
        if not select.select([self._screen], [], [], max(wait, 0))[0]:
            return False
        try:
            data = os.read(self._screen, 1 << 16)
        except OSError as error:  # the app ended
            assert error.errno == errno.EIO
            return False
        self._painted += data
        return bool(data)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a run, in which the app opens on the Plan screen."""
    folder = tmp_path / "project"
    (folder / ".claude").mkdir(parents=True)
    monkeypatch.chdir(folder)
    for words in (
        ("init-session", "--scope", "a session", "--session-id", "one"),
        ("init-deployment", "--agent-type", "coder", "--scope", "x", "--execution-id", "e1"),
        ("record-completion", "--execution-id", "e1", "--final-message", "all is quixotic"),
    ):
        assert main(words) == 0
    drafts(folder).save("state", json.dumps({"offered": True, "screen": "plan"}))
    return folder


def drafts(folder: Path) -> Drafts:
    return Drafts.beside(Project(folder).database)


ENDS: dict[str, tuple[Callable[[HeldTerminal], None], int]] = {
    "vanished": (HeldTerminal.vanish, 129),
    "hang-up": (lambda terminal: terminal.send(signal.SIGHUP), 129),
    "terminated": (lambda terminal: terminal.send(signal.SIGTERM), 143),
}
ways = pytest.mark.parametrize(
    ("end", "code"), vary(pytest.param(*end, id=way) for way, end in ENDS.items())
)


@ways
def test_what_was_typed_into_a_dialog_is_kept(
    folder: Path, end: Callable[[HeldTerminal], None], code: int
) -> None:
    with HeldTerminal(folder) as terminal:
        terminal.until(rb"a session")
        terminal.press(b"n")
        terminal.until(rb"what is to be done")
        terminal.press(b"quetzal")
        terminal.until(rb"quetzal")
        end(terminal)
        assert terminal.exit_code() == code
    assert "quetzal" in drafts(folder).load("new-session")


@ways
def test_a_thread_at_work_does_not_hold_it(
    folder: Path, tmp_path: Path, end: Callable[[HeldTerminal], None], code: int
) -> None:
    os.mkfifo(tmp_path / "busy")
    program = tmp_path / "xclip"
    program.write_text(f"#!/bin/sh\nexec cat {tmp_path}/busy\n")
    program.chmod(0o755)
    desktop = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "DISPLAY": ":99",
        **dict.fromkeys(("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "WAYLAND_DISPLAY"), ""),
    }
    with HeldTerminal(folder, **desktop) as terminal:
        terminal.until(rb"a session")
        terminal.press(b"\x19")
        with terminal.until_read(tmp_path / "busy"):  # the thread has begun
            end(terminal)
            assert terminal.exit_code() == code


@ways
def test_it_ends_while_it_starts(
    folder: Path, end: Callable[[HeldTerminal], None], code: int
) -> None:
    with HeldTerminal(folder) as terminal:
        terminal.until(rb"\x1b\[\?1049h")
        end(terminal)
        assert terminal.exit_code() == code


@pytest.mark.parametrize("number", vary([signal.SIGHUP, signal.SIGTERM]))
def test_a_terminal_that_takes_no_more_does_not_hold_it(folder: Path, number: int) -> None:
    with HeldTerminal(folder) as terminal:
        terminal.until(rb"a session")
        terminal.press(b"\x1bOP\x1bOQ\x1bOR\x1bOS" * 20)
        terminal.send(number)
        assert terminal.exit_code(reading=False) == 128 + number


@pytest.mark.parametrize("number", vary([signal.SIGHUP, signal.SIGTERM]))
def test_an_editor_it_waits_for_is_ended_first(folder: Path, tmp_path: Path, number: int) -> None:
    os.mkfifo(tmp_path / "busy")
    editor = tmp_path / "editor"
    editor.write_text(
        f"#!/bin/sh\ntrap 'echo told >{tmp_path}/told; exit 1' TERM\n: <{tmp_path}/busy\n"
    )
    editor.chmod(0o755)
    with HeldTerminal(folder, EDITOR=str(editor), VISUAL="") as terminal:
        terminal.until(rb"a session")
        terminal.press(b"\x1bOS")
        terminal.until(rb"quixotic")
        terminal.press(b"\x1b[21~")
        with terminal.until_read(tmp_path / "busy"):  # the editor has begun
            terminal.send(number)
            assert terminal.exit_code() == 128 + number


@pytest.mark.parametrize("ignored", [True, False])
def test_a_hang_up_that_is_to_be_ignored_is(folder: Path, ignored: bool) -> None:
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        with HeldTerminal(folder) as terminal:
            terminal.until(rb"a session")
            terminal.send(signal.SIGHUP)
            terminal.send(signal.SIGTERM)
            assert terminal.exit_code() in ((143,) if ignored else (129, 143))
    finally:
        signal.signal(signal.SIGHUP, previous)


# In a browser: the app talks with the server through pipes


@pytest.fixture
def served(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The app as the server of ``orch --web`` starts it, and its first output."""
    environment = {**os.environ, "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"}
    with subprocess.Popen(
        ORCH, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, env=environment
    ) as process:
        assert process.stdout is not None
        painted = b""
        while b"Plan" not in painted:
            painted += os.read(process.stdout.fileno(), 1 << 16)
        yield process
        process.kill()


def quit_page(process: subprocess.Popen[bytes]) -> None:
    """What the server says when the page is gone."""
    assert process.stdin is not None
    message = json.dumps({"type": "quit"}).encode()
    process.stdin.write(b"M" + len(message).to_bytes(4, "big") + message)
    process.stdin.flush()


def kill_server(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()


@pytest.mark.parametrize(
    ("end", "code"),
    vary(
        [
            pytest.param(quit_page, 129, id="page"),
            pytest.param(kill_server, 129, id="server"),
            pytest.param(lambda process: process.send_signal(signal.SIGTERM), 143, id="terminated"),
            pytest.param(lambda process: process.send_signal(signal.SIGHUP), 129, id="hang-up"),
        ],
        always=2,
    ),
)
def test_it_ends_with_the_page_though_nobody_reads_what_it_paints(
    served: subprocess.Popen[bytes],
    end: Callable[[subprocess.Popen[bytes]], None],
    code: int,
) -> None:
    end(served)
    assert served.wait(PATIENCE) == code


def test_leaving_waits_for_no_next_look_at_the_record(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orch_tui.screens.record_watch.LOOK_EVERY", 10 * PATIENCE)

    async def open_and_leave() -> None:
        async with OrchApp(Project(folder)).run_test(size=(120, 40)) as pilot:
            await settled(pilot)
            assert {worker.group for worker in pilot.app.workers} == {"watch"}

    asyncio.run(open_and_leave())  # waits for its threads


async def test_leaving_keeps_what_was_typed_a_moment_ago(folder: Path) -> None:
    app = OrchApp(Project(folder))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("n", *"quetzal")
        app.exit()
    assert "quetzal" in drafts(folder).load("new-session")
