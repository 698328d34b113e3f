"""Writing files as a whole or not at all, and nothing through a link in a record folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from errno import ENOENT
from pathlib import Path
from typing import BinaryIO

from orch_tui.errors import SourceError
from orch_tui.paths import AnyPath, linked_part


@contextmanager
def whole_file(path: Path, *, named: str = "") -> Iterator[BinaryIO]:
    """A file to write that takes its name only when it is complete; folders are made, and go again
    where it is not.

    A file that was there keeps its mode. ``named`` is what an error calls it.

    Raises:
        SourceError: it cannot be written there.
    """
    refuse_link(path, named)
    # A name may be as long as the system lets it: the unfinished file has only its beginning.
    unfinished = path.with_name(f".{path.name[:40]}.{os.urandom(4).hex()}.tmp")
    missing = list_missing_folders(path)
    with ExitStack() as undo, refused_writing(named or str(path)):
        for folder in reversed(missing):
            undo.callback(_remove_empty, folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = unfinished.open("xb")  # fails where a link of that name was put
        try:
            with opened as file:
                yield file
            if path.exists():
                unfinished.chmod(path.stat().st_mode)
            os.replace(unfinished, path)
            undo.pop_all()
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)


def list_missing_folders(path: Path) -> list[Path]:
    """List the folders that a file would need and that are not there, the innermost first."""
    return [folder for folder in path.parents if not os.path.lexists(folder)]


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def refuse_link(path: Path, named: str = "") -> None:
    """Refuse a path in a record folder that leads through a symbolic link.

    Raises:
        SourceError: it names the link.
    """
    if link := linked_part(path.absolute()):
        raise SourceError(
            named or str(path),
            f"cannot be written: {link} is a symbolic link",
            hint="a repository can bring such a link; remove it, or name another file",
        )


def refuse_leading_out(path: Path, base: Path) -> None:
    """Refuse a path that symbolic links lead out of the folder ``base``.

    Raises:
        SourceError: it names where the path leads.
    """
    real, own = os.path.realpath(path), os.path.realpath(base)
    if not f"{real}/".startswith(f"{own.rstrip('/')}/"):
        raise SourceError(
            str(path),
            f"leads out of {base}, to {real}",
            hint="a repository can bring such a link: remove it, or change what is there yourself",
        )


def read_plain(path: Path) -> bytes:
    """Read a regular file, through no link where it lies in a record folder.

    Raises:
        OSError: there is none, a pipe or device is no such file, or it cannot be read.
    """
    if linked_part(path.absolute()) or not path.is_file():
        raise FileNotFoundError(ENOENT, "there is no plain file", str(path))
    return path.read_bytes()


@contextmanager
def refused_writing(named: str) -> Iterator[None]:
    """What the system says no to while a file is written, as a SourceError that names it."""
    try:
        yield
    except FileExistsError as error:
        raise SourceError(named, f"cannot be written: {error.filename} is no folder") from error
    except OSError as error:
        raise SourceError(named, f"cannot be written: {error.strerror or error}") from error


@contextmanager
def refused_reading(named: str) -> Iterator[None]:
    """What the system says no to while a file is read, as a SourceError that names it."""
    try:
        yield
    except OSError as error:
        raise SourceError(named, f"cannot be read: {error.strerror or error}") from error


def refuse_endless(path: AnyPath, named: str = "") -> None:
    """Refuse a device that has no end, as ``/dev/zero``; a terminal and ``/dev/null`` have one.

    Raises:
        SourceError: it is one.
    """
    with suppress(OSError):
        found = os.stat(path)
        if not (stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)):
            return
        if found.st_rdev == os.stat(os.devnull).st_rdev:
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            if os.isatty(descriptor):
                return
        finally:
            os.close(descriptor)
        raise SourceError(named or str(path), "is a device: name a file")


def write(path: Path, data: bytes) -> None:
    """Write a file, replacing it as a whole.

    Raises:
        SourceError: it cannot be written there.
    """
    with whole_file(path) as file:
        file.write(data)


def remove_empty(folder: Path, top: Path) -> None:
    """Remove a folder and those above it, up to ``top``, while they are empty."""
    while folder == top or top in folder.parents:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return
        folder = folder.parent


def find_nearest_files(path: str, folders: Iterable[Path]) -> list[str]:
    """Find what is there of nearly the name of a path that is not, relative to the first of the
    folders that has any."""
    from difflib import get_close_matches

    for base in folders:
        wanted = base / path
        while wanted.parent != wanted and not os.path.isdir(wanted.parent):
            wanted = wanted.parent
        if close := get_close_matches(wanted.name, list_names(wanted.parent), n=3, cutoff=0.6):
            return [os.path.relpath(wanted.parent / name, base) for name in close]
    return []


def find_spelling(path: str) -> str | None:
    """Find what is there under a path that is written with other code points for the same letters.

    A letter with an accent is one code point or two (NFC, NFD), and which of them a name has
    depends on the system that wrote it. None: nothing is there, or the path is ASCII.
    """
    if path.isascii():
        return None
    head, names = path, list[str]()
    while not os.path.lexists(head) and os.path.dirname(head) != head:
        head, name = os.path.split(head)
        names.insert(0, name)
    for name in names:
        spelled = [each for each in list_names(head) if is_same_name(each, name)]
        if not spelled:
            return None
        head = os.path.join(head, spelled[0])
    return head


def is_same_name(one: str, other: str) -> bool:
    """Tell whether two names have the same letters, by whatever code points."""
    return one == other or compose_letters(one) == compose_letters(other)


def compose_letters(name: str) -> str:
    """Write each letter with the marks on it as one code point, where there is one (NFC)."""
    if name.isascii():
        return name
    from orch_tui.normal_forms import normalize_letters

    return normalize_letters("NFC", name)


def list_names(folder: AnyPath) -> list[str]:
    """List what a folder holds; nothing where that cannot be told."""
    try:
        return os.listdir(folder)
    except OSError:
        return []
