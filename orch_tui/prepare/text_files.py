"""Reading a file of text whole, or saying why it is none."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from orch_tui.errors import SourceError
from orch_tui.prepare.encoding import count_controls, detect_encoding

_ASCII = bytes(range(128))


class LeftOutError(SourceError):
    """What a folder or pattern passes over: no text, or a link that leads outside."""


def read_text_file(path: Path, given: str, max_bytes: int) -> bytes:
    """Read all bytes of a regular file of text that stays the same meanwhile.

    ``given`` is what the file is called in a refusal.

    Raises:
        LeftOutError: it is no text, or a link to nothing.
        SourceError: it is no file, too large, cannot be read, or changed.
    """
    try:
        before = os.stat(path)
        _check_regular(given, before)
        if before.st_size > max_bytes and _begins_binary(path):
            raise LeftOutError(given, "is binary (it holds NUL bytes)")
        check_file_size(given, before.st_size, max_bytes)
        # Not blocking: the file may have become a pipe since it was looked at.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            _check_regular(given, os.fstat(descriptor))
            data = file.read(before.st_size + 1)  # a read makes room for all that is asked for
            if len(data) > before.st_size:  # it says less than there is, as in /proc
                data += file.read(max_bytes + 1 - len(data))
            after = os.fstat(descriptor)
    except OSError as error:
        raise _explain_os_error(given, path, error) from None
    check_file_size(given, len(data), max_bytes)
    if (before.st_ino, before.st_size, before.st_mtime_ns) != (
        *(after.st_ino, after.st_size, after.st_mtime_ns),
    ):
        raise SourceError(given, "changed while it was read", hint="try again when it is still")
    check_is_text(given, data)
    return data


def _begins_binary(path: Path) -> bool:
    with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        start = file.read(8192)
    return b"\0" in start and not _is_wide(start)


def _check_regular(given: str, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise SourceError(given, "is a folder", hint="only files have lines and parts")
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(given, "is not a regular file")


def check_file_size(given: str, size: int, max_bytes: int) -> None:
    """Refuse what has more bytes than the settings allow."""
    if size > max_bytes:
        raise SourceError(
            given,
            f"is over the limit of {max_bytes / 1e6:g} MB ({size / 1e6:.1f} MB)",
            hint="max_file_size in the configuration raises it",
        )


def check_is_text(given: str, data: bytes) -> None:
    """Refuse what no encoding makes text of."""
    codec, mark, how = detect_encoding(data)
    if mark:
        try:
            data[len(mark) :].decode(codec)
            return
        except UnicodeDecodeError:
            raise LeftOutError(given, f"is binary (no {codec} after its mark)") from None
    if b"\0" in data and not _is_wide(data):
        raise LeftOutError(given, "is binary (it holds NUL bytes)")
    if how == "guessed":
        beyond_ascii = len(data.translate(None, _ASCII))
        if count_controls(data) > len(data) * 0.05 or beyond_ascii > len(data) * 0.95:
            raise LeftOutError(
                given, "is binary (mostly undecodable)", hint="convert text to UTF-8"
            )


def _is_wide(data: bytes) -> bool:
    """Whether NUL bytes belong to the text: half of its letters, or a quarter of them."""
    return detect_encoding(data).codec.startswith(("utf-16", "utf-32"))


def _explain_os_error(given: str, path: Path, error: OSError) -> SourceError:
    if error.errno == errno.ELOOP:
        return LeftOutError(given, "is a loop of links")
    if error.errno == errno.ENOENT and path.is_symlink():
        return LeftOutError(given, f"is a link to {os.readlink(path)}, which does not exist")
    reason = (error.strerror or str(error)).lower()
    return SourceError(given, f"cannot be read ({reason})")
