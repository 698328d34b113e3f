"""Putting text on the clipboard, wherever orch runs.

A program of the desktop does it for certain. Over ssh, or where there is none, the terminal is
asked to (OSC 52), and does not tell whether it did; so the text is also left in a file.
"""

from __future__ import annotations

import os
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

from orch_tui import files, paths
from orch_tui.frozen import frozen

LARGEST_SEQUENCE = 74_994
"""Bytes of text that terminals and multiplexers are known to take in one OSC 52 sequence."""


@frozen
class Copied:
    """Where a text went."""

    how: str
    """``clipboard``, ``terminal`` (which may not have taken it) or ``file``."""
    file: Path | None = None
    """Where it is besides; None when it is on the clipboard for certain."""

    def __str__(self) -> str:
        if self.how == "clipboard":
            return "on the clipboard"
        if self.how == "terminal":
            return f"handed to the terminal's clipboard; if it did not take it: {self.file}"
        return f"there is no clipboard here; it is in {self.file}"


def copy(text: str, terminal: Callable[[str], bool] | None = None) -> Copied:
    """Put a text on the clipboard. ``terminal`` asks the terminal to do it and gives whether it
    could be asked; without it, the terminal of the process is.

    Raises:
        SourceError: not even the file can be written.
    """
    if not _is_remote() and _by_program(text):
        return Copied("clipboard")
    asked = (terminal or _by_terminal)(text)
    return Copied("terminal" if asked else "file", _kept(text))


def _is_remote() -> bool:
    """Whether the desktop, if there is one, is not the one the user sits at."""
    return any(os.environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"))


def _by_program(text: str) -> bool:
    import pyperclip  # type: ignore[import-untyped]

    try:
        pyperclip.copy(text)
    except (pyperclip.PyperclipException, OSError, ValueError):
        return False
    return True


def _by_terminal(text: str) -> bool:
    """OSC 52 to the terminal of the process; inside tmux and screen passed through to theirs."""
    data = text.encode("utf-8", "replace")
    if len(data) > LARGEST_SEQUENCE or not sys.stderr.isatty():
        return False
    sequence = f"\x1b]52;c;{b64encode(data).decode()}\a"
    if os.environ.get("TMUX"):
        sequence += "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    try:
        with open("/dev/tty", "w") as tty:
            tty.write(sequence)
    except OSError:
        return False
    return True


def _kept(text: str) -> Path:
    """The text in a file of the user alone."""
    path = Path(paths.state_folder(), "clipboard.txt")
    with files.refused_writing(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # it keeps that mode
    files.write(path, text.encode("utf-8", "surrogateescape"))
    return path
