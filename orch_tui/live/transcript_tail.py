"""Following one transcript that grows: the whole lines of what was appended since the last look.

Another process writes the file meanwhile, so its last line may be torn; it may be cut, replaced by
another file that got the same inode number, or be no plain file at all.
"""

from __future__ import annotations

import os
from stat import S_ISREG

from orch_tui.frozen import frozen

MOST_OF_FILE = 512 * 1024
"""Bytes of one file a look; a longer line is passed over."""

LARGE = 4 * 1024 * 1024
"""Bytes of a file above which only its end is read."""

_LAST_PART = 256 * 1024
_HEAD = 64
"""Bytes at the beginning that tell one file from another of the same inode number."""

_HEAD_OF_LINE = 4096


@frozen
class LongLine:
    """A line that was passed over for its length, by its first bytes."""

    head: bytes


@frozen
class Appended:
    """What a look at a file found."""

    lines: tuple[bytes | LongLine, ...] = ()
    bytes_read: int = 0
    begun_anew: bool = False
    """The file is another one, or shorter: what was read of it before says nothing any more."""


_NOTHING = Appended()


class TranscriptTail:
    """Where in a transcript one has read to."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.is_partial = False
        """Something before or within what was read was passed over: figures are a lower bound."""
        self.has_more = False
        """The last look left bytes unread."""
        self._position = -1
        self._seen: tuple[int, int, int] | None = None
        """Device, inode and size at the last look."""
        self._head = b""
        self._is_inside_long_line = False

    @property
    def is_unread(self) -> bool:
        """Whether it was not read to its end once."""
        return self._position < 0 or self.has_more

    def read(self) -> Appended:
        """Read what was appended, at most ``MOST_OF_FILE`` bytes; what cannot be read is nothing.

        A torn last line is left for the next look. Links are not followed.
        """
        try:
            status = os.lstat(self.path)
            seen = (status.st_dev, status.st_ino, status.st_size)
            if not S_ISREG(status.st_mode) or (seen == self._seen and not self.has_more):
                return _NOTHING
            # what became a FIFO or a link since must neither block nor be followed
            file = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError):
            return _NOTHING
        try:
            if not S_ISREG(os.fstat(file).st_mode):
                return _NOTHING
            return self._read(file, seen)
        except OSError:
            return _NOTHING
        finally:
            os.close(file)

    def _read(self, file: int, seen: tuple[int, int, int]) -> Appended:
        size = seen[2]
        head = os.pread(file, _HEAD, 0)
        was_read = self._position >= 0
        is_same = (
            self._seen is not None
            and seen[:2] == self._seen[:2]
            and size >= self._position
            and head.startswith(self._head)
        )
        if not (was_read and is_same):
            self._position = size - _LAST_PART if size > LARGE else 0
            self._is_inside_long_line = self._position > 0
            self.is_partial = self.is_partial or was_read or self._position > 0
        data = os.pread(file, min(MOST_OF_FILE, size - self._position), self._position)
        self._seen, self._head = seen, head
        lines, taken = self._split(data)
        self._position += taken
        rest = size - self._position
        self.has_more = rest > 0 and taken > 0 and taken + rest > len(data)
        return Appended(tuple(lines), len(data), was_read and not is_same)

    def _split(self, data: bytes) -> tuple[list[bytes | LongLine], int]:
        """The whole lines in a piece, and how many of its bytes are done with."""
        start = 0
        if self._is_inside_long_line:
            start = data.find(b"\n") + 1
            if not start:
                return [], len(data)
            self._is_inside_long_line = False
        end = data.rfind(b"\n") + 1
        if end > start:
            return [line for line in data[start:end].split(b"\n") if line], end
        if start == 0 and len(data) >= MOST_OF_FILE:
            self._is_inside_long_line = self.is_partial = True
            return [LongLine(data[:_HEAD_OF_LINE])], len(data)
        return [], start
