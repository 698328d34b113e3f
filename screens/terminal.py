"""What comes from the terminal: a paste is one text, whatever it holds.

Textual 8.2 reads a bracketed paste character by character (a second for a megabyte) and takes
escape sequences in it for keys, which lands their text elsewhere and may be obeyed as commands.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

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


def take_pastes_whole() -> None:
    """Have Textual's driver read the terminal with this parser."""
    from textual.drivers import linux_driver

    vars(linux_driver)["XTermParser"] = PasteParser
