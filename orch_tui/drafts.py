"""What is being typed, kept in files beside the record until it is recorded.

A draft survives a crash: it is written as a whole or not at all, and read back exactly.
"""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from threading import Lock
from typing import Protocol, runtime_checkable
from urllib.parse import quote, unquote

from orch_tui import paths
from orch_tui.errors import OrchError, SourceError
from orch_tui.files import read_plain, refuse_link, write
from orch_tui.frozen import frozen

_SUFFIX = ".draft"


@runtime_checkable
class DraftHolder(Protocol):
    """A widget in which something is typed."""

    def owe_draft(self) -> None:
        """Hand over what was typed since the last time, if anything was, to be written."""


@frozen
class Drafts:
    """The drafts that belong to one record."""

    folder: Path
    _turn: Lock = field(default_factory=Lock, repr=False, compare=False)
    """One save at a time: they come from threads."""
    _owed: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    """The newest text of each draft that is not written yet."""

    @classmethod
    def beside(cls, database: Path) -> Drafts:
        return cls(Path(paths.drafts_folder(database)))

    def owe(self, name: str, text: str) -> None:
        """Take over a draft to be written by the next ``settle``; an empty one is dropped.

        The text owed last is the one that stays, whichever thread comes to write first.
        """
        self._owed[name] = text

    def settle(self) -> None:
        """Write every draft that is owed; what cannot be written stays owed.

        Raises:
            OrchError: one cannot be written, the disk is full for example; the others are.
        """
        refusals = []
        for name in [*self._owed]:
            try:
                self._settle(name)
            except OrchError as error:
                refusals.append(error)
        if refusals:
            raise refusals[0]

    def save(self, name: str, text: str) -> None:
        """Write a draft; an empty one is dropped.

        Raises:
            OrchError: it cannot be written.
        """
        self.owe(name, text)
        self._settle(name)

    def _settle(self, name: str) -> None:
        with self._turn:
            text = self._owed.pop(name, None)
            if text is None:  # another thread wrote it
                return
            try:
                self._save(name, text)
            except OrchError:
                self._owed.setdefault(name, text)
                raise

    def _save(self, name: str, text: str) -> None:
        path = self._path(name)
        try:
            refuse_link(path)
            if not text:
                path.unlink(missing_ok=True)
                return
            is_first = not self.folder.parent.exists()  # drafts may come before the record
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if is_first:
                from orch_tui.models.database import ignore_in_git

                ignore_in_git(self.folder.parent)
            write(path, text.encode("utf-8", "surrogatepass"))
        except (OSError, SourceError) as error:
            reason = error.reason if isinstance(error, SourceError) else error.strerror
            raise OrchError(
                f"the draft {name!r} cannot be kept: {reason}",
                hint=f"free some space or make {self.folder} writable; it is still on the screen",
            ) from error

    def load(self, name: str) -> str:
        """The draft as it was kept, or is owed; empty where there is none."""
        with self._turn:
            if (owed := self._owed.get(name)) is not None:
                return owed
        try:
            return read_plain(self._path(name)).decode("utf-8", "surrogatepass")
        except (OSError, UnicodeDecodeError):
            return ""

    def names(self) -> set[str]:
        """The drafts there are."""
        return {
            unquote(path.name.removesuffix(_SUFFIX))
            for path in self.folder.glob(f"*{_SUFFIX}")
            if path.is_file() and not paths.linked_part(path.absolute())
        }

    def drop(self, name: str) -> None:
        """The draft was recorded, or is not wanted any more."""
        self.save(name, "")

    def _path(self, name: str) -> Path:
        return self.folder / f"{quote(name, safe='')}{_SUFFIX}"
