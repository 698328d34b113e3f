"""The one door for text that goes to a terminal: whatever somebody else wrote, it shows as text.

An escape code can set the clipboard, hide a line, rename the window or answer in the user's name;
signs that turn the direction of writing show another path than the one that is meant.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast


def printable(text: str, *, lines: bool = False) -> str:
    """Make text from anywhere harmless for a terminal: no escape codes, no direction changes.

    What is not printable is shown as its escape; ``lines`` keeps newlines and tabs.
    """
    unusual = find_unprintable(text) - set("\n\t" if lines else "")
    if not unusual:
        return text
    return text.translate({ord(c): c.encode("unicode_escape").decode() for c in unusual})


def find_unprintable(text: str) -> set[str]:
    """Find the signs of a text that are no letters, marks, blanks or anything else one can see."""
    if text.isprintable():  # nearly all are
        return set()
    unusual = {sign for sign in set(text) if not sign.isprintable()}
    from unicodedata import category  # few texts need it

    return {sign for sign in unusual if category(sign) != "Zs"}


class GuardedTerminal:
    """A terminal to which only printable text is written, with its lines."""

    def __init__(self, terminal: TextIO) -> None:
        self.terminal = terminal

    def write(self, text: str) -> int:
        return self.terminal.write(printable(text, lines=True))

    def writelines(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.terminal, name)


@contextmanager
def guarded_terminals() -> Iterator[None]:
    """Let standard output and standard error, where they are terminals, write printable text."""
    before = sys.stdout, sys.stderr
    try:
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream.isatty():
                setattr(sys, name, cast("TextIO", GuardedTerminal(stream)))
        yield
    finally:
        sys.stdout, sys.stderr = before


def own_codes(stream: TextIO) -> TextIO:
    """Give the stream that also takes codes: for our own, around text that is printable."""
    return stream.terminal if isinstance(stream, GuardedTerminal) else stream
