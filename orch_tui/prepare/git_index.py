"""What git tracks in a working tree, read from its index (gitformat-index); git is not run."""

from __future__ import annotations

import os
import stat
import struct
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from orch_tui.prepare.plain_bytes import read_bytes

MOST_BYTES = 128_000_000
"""A larger index is not read: a million files take a third of that."""

_SHORTENED = 4
"""How many times as long as the index its names may be, which version 4 shortens."""

_NAME_BITS = 0xFFF
_EXTENDED = 0x4000
_GITLINK = 0o160000


class TrackedFiles(NamedTuple):
    """The names in an index, from the top of the working tree on."""

    names: frozenset[bytes] = frozenset()
    """Of files and links."""
    submodules: frozenset[bytes] = frozenset()
    """Folders that are repositories of their own."""
    ordered: Sequence[bytes] = ()
    """Both, sorted."""

    def holds_any_in(self, folder: bytes) -> bool:
        """Find out whether anything in a folder, or below it, is tracked."""
        prefix = folder + b"/"
        at = bisect_left(self.ordered, prefix)
        return at < len(self.ordered) and self.ordered[at].startswith(prefix)


NONE_TRACKED = TrackedFiles()


def read_index(folder: str, *, hash_size: int = 20) -> TrackedFiles:
    """Read the index in a repository's folder; of a damaged one, what comes before that.

    ``hash_size``: bytes of an object's name. A split index is read with the one that it shares. The
    last one is remembered, until the file is another: many patterns ask for it.
    """
    try:
        found = os.stat(os.path.join(folder, "index"))
    except OSError:
        return NONE_TRACKED
    return _read_index(folder, hash_size, (found.st_ino, found.st_size, found.st_mtime_ns))


@lru_cache(maxsize=1)
def _read_index(folder: str, hash_size: int, identity: tuple[int, int, int]) -> TrackedFiles:
    data = read_bytes(os.path.join(folder, "index"), MOST_BYTES)
    parsed = _parse(data or b"", hash_size)
    entries = parsed.entries
    if link := parsed.link:
        shared = os.path.join(folder, f"sharedindex.{link[:hash_size].hex()}")
        base = _parse(read_bytes(shared, MOST_BYTES) or b"", hash_size).entries
        gone = _set_bits(link[hash_size:], len(base))
        entries = [each for number, each in enumerate(base) if number not in gone] + entries
    names = frozenset(name for name, mode in entries if name and not stat.S_ISDIR(mode))
    links = frozenset(name for name, mode in entries if name and mode == _GITLINK)
    names -= links
    return TrackedFiles(names, links, sorted(names | links))


class _ParsedIndex(NamedTuple):
    entries: list[tuple[bytes, int]]
    """Each name with the mode of what it is; no name: a split index replaces one of the other."""
    link: bytes = b""
    """What a split index says of the one that it shares."""


def _parse(data: bytes, hash_size: int) -> _ParsedIndex:
    entries: list[tuple[bytes, int]] = []
    if len(data) < 12 or data[:4] != b"DIRC":
        return _ParsedIndex(entries)
    version, count = struct.unpack_from(">II", data, 4)
    if version not in (2, 3, 4):
        return _ParsedIndex(entries)
    begin, before = 12, b""
    taken, most = 0, _SHORTENED * len(data)  # names that share all but a letter add up
    head = 42 + hash_size
    mode_of, flags_of = struct.Struct(">I").unpack_from, struct.Struct(">H").unpack_from
    try:
        for _ in range(count):
            (mode,) = mode_of(data, begin + 24)
            (flags,) = flags_of(data, begin + head - 2)
            at = begin + head + (2 if flags & _EXTENDED and version > 2 else 0)
            if version == 4:
                dropped, at = _number(data, at)
                end = data.index(b"\0", at)
                if dropped > len(before):
                    break
                name = before = before[: len(before) - dropped] + data[at:end]
                begin = end + 1
            else:
                length = flags & _NAME_BITS
                end = at + length if length < _NAME_BITS else data.index(b"\0", at)
                name = data[at:end]
                begin += (end - begin + 8) & ~7
            taken += len(name)
            if begin > len(data) or taken > most:
                break
            entries.append((name, mode))
        else:
            return _ParsedIndex(entries, _find_extension(data, begin, b"link"))
    except (struct.error, ValueError, IndexError):
        pass
    return _ParsedIndex(entries)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number as packs write offsets, and where it ends."""
    byte = data[at]
    number = byte & 127
    while byte & 128:
        at += 1
        byte = data[at]
        number = ((number + 1) << 7) | (byte & 127)
        if number > MOST_BYTES:
            raise ValueError
    return number, at + 1


def _find_extension(data: bytes, at: int, wanted: bytes) -> bytes:
    while at + 8 <= len(data):
        signature = data[at : at + 4]
        (size,) = struct.unpack_from(">I", data, at + 4)
        if signature == wanted:
            return data[at + 8 : at + 8 + size]
        at += 8 + size
    return b""


def _set_bits(data: bytes, most: int) -> set[int]:
    """The numbers below ``most`` in a compressed bitmap (EWAH), the first of several."""
    found: set[int] = set()
    try:
        size, words = struct.unpack_from(">II", data)
        values = struct.unpack_from(f">{words}Q", data, 8)
    except struct.error:
        return found
    at, bit, size = 0, 0, min(size, most)
    while at < words and bit < size:
        run = values[at] >> 1 & 0xFFFFFFFF
        literal = values[at] >> 33
        if values[at] & 1:
            found.update(range(bit, min(bit + run * 64, size)))
        bit += run * 64
        for value in values[at + 1 : at + 1 + literal]:
            found.update(bit + n for n in range(64) if value >> n & 1 and bit + n < size)
            bit += 64
        at += 1 + literal
    return found
