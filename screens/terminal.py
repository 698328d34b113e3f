"""What comes from the terminal, or from the browser in its place, and that it is gone.

Textual 8.2 reads a bracketed paste character by character (a second for a megabyte) and takes
escape sequences in it for keys, which lands their text elsewhere and may be obeyed as commands.
From a terminal that is gone it reads again and again; where it cannot write, it waits for ever.
"""

from __future__ import annotations

import os
import selectors
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from textual import events
from textual._xterm_parser import XTermParser  # no public one reads keys from a terminal
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.drivers.web_driver import WebDriver
from textual.message import Message

from orch_tui.departure import HUNG_UP
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.app import OrchApp

START = "\x1b[200~"
END = "\x1b[201~"


class PasteParser(XTermParser):
    """Takes bracketed pastes out of the input; the rest is Textual's."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._paste: str | None = None
        """What came of a paste that goes on; None: none does."""
        self._held = ""
        """The beginning of what may be the mark of one."""

    def feed(self, data: str) -> Iterable[Message]:
        if not data:  # the end of the input
            yield from super().feed("")
            return
        data, self._held = self._held + data, ""
        while data:
            if self._paste is None:
                keys, mark, data = data.partition(START)
                if mark:
                    self._paste = ""
                else:
                    keys, self._held = _without_beginning(keys)
                if keys:
                    yield from super().feed(keys)
            else:
                text, mark, data = (self._paste + data).partition(END)
                self._paste = None if mark else text
                if mark:
                    yield events.Paste(text.replace("\x00", ""))  # as Textual does


def _without_beginning(keys: str) -> tuple[str, str]:
    """Keys, and at their end what may begin a paste; ESC alone is a key and is not waited on."""
    for length in range(len(START) - 1, 2, -1):
        if keys.endswith(START[:length]):
            return keys[:-length], keys[-length:]
    return keys, ""


class TerminalDriver(LinuxDriver):
    """Textual's driver of a terminal; where the terminal is gone, the app leaves."""

    def __init__(self, app: OrchApp, **options: Any) -> None:
        super().__init__(app, **options)
        self._departure = app.departure
        self._file: Any = LosableOutput(sys.__stderr__, self.lose_terminal)

    def lose_terminal(self) -> None:
        """Leave: nobody reads or types any more."""
        self._departure.ask(HUNG_UP)

    def run_input_thread(self) -> None:
        """Read the terminal until the app stops reading, or the terminal is gone."""
        parser = PasteParser()
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:  # others cannot wait for a terminal on macOS
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(0.1):
                    data = self._read()
                    if not data:
                        self.lose_terminal()
                        return
                    if text := decode(data):
                        for message in parser.feed(text):
                            self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)

    def _read(self) -> bytes:
        """Read what there is; nothing where the terminal is gone."""
        try:
            return os.read(self.fileno, 4096)
        except OSError:
            return b""


class LosableOutput:
    """A terminal to write to that swallows all output once it is gone.

    Textual's writing thread would end at the first error, and the event loop wait for it.
    """

    def __init__(self, file: Any, lose: Callable[[], None]) -> None:
        self._file = file
        self._lose = lose

    def write(self, text: str) -> None:
        try:
            self._file.write(text)
        except OSError:
            self._give_up()

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            self._give_up()

    def _give_up(self) -> None:
        """What is still in buffers goes nowhere, or Python fails to write it at the end."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._file.fileno())
        os.close(nowhere)
        self._lose()


class PageDriver(WebDriver):
    """Textual's driver of a page in a browser; where page or server are gone, the app leaves."""

    def __init__(self, app: OrchApp, **options: Any) -> None:
        super().__init__(app, **options)
        self._departure = app.departure

    def start_application_mode(self) -> None:
        super().start_application_mode()
        self._departure.hear_signals()

    def write(self, data: str) -> None:
        try:
            super().write(data)
        except OSError:
            self.lose_page()

    def write_meta(self, data: dict[str, object]) -> None:
        try:
            super().write_meta(data)
        except OSError:
            self.lose_page()

    def lose_page(self) -> None:
        """Leave: nobody reads or types any more."""
        self._departure.ask(HUNG_UP)

    def run_input_thread(self) -> None:
        """Read what the server sends until the app stops reading, or the server is gone."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            self.lose_page()

    def on_meta(self, packet_type: str, payload: dict[str, object]) -> None:
        """Take what the server says; ``quit`` comes when the page is gone.

        The server reads no more from then on, so the event loop may wait for it for ever.
        """
        if packet_type == "quit":
            self.lose_page()
        else:
            super().on_meta(packet_type, payload)


def leaving_driver(driver: type[Driver]) -> type[Driver]:
    """Give the driver to use in place of one of Textual's."""
    return {LinuxDriver: TerminalDriver, WebDriver: PageDriver}.get(driver, driver)


MOST_OF_NOTICE = 200
"""Characters of a notice that the terminal shows."""


def write_notice(write: Callable[[str], None], how: str, text: str) -> None:
    """Have the terminal ring (``bell``), or show ``text`` outside of itself (``osc9``); do nothing
    for ``off``. In tmux the notice is passed through to the terminal around it.
    """
    if how == "bell":
        write("\a")
    elif how == "osc9":
        sequence = f"\x1b]9;{one_line(text, MOST_OF_NOTICE)}\a"
        if os.environ.get("TMUX"):
            sequence = "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
        write(sequence)
