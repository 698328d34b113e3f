"""What is being typed, kept in files beside the record until it is recorded.

A draft survives a crash: it is written as a whole or not at all, and read back exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from urllib.parse import quote, unquote

from orch_tui import paths
from orch_tui.errors import OrchError, SourceError
from orch_tui.files import read_plain, refuse_link, write

_SUFFIX = ".draft"


@dataclass(frozen=True, slots=True)
class Drafts:
    """The drafts that belong to one record."""

    folder: Path
    _turn: Lock = field(default_factory=Lock, repr=False, compare=False)
    """One save at a time: they come from threads, and the later one must win."""

    @classmethod
    def beside(cls, database: Path) -> Drafts:
        return cls(Path(paths.drafts_folder(database)))

    def save(self, name: str, text: str) -> None:
        """Keep a draft; an empty one is dropped.

        Raises:
            OrchError: it cannot be written, the disk is full for example.
        """
        with self._turn:
            self._save(name, text)

    def _save(self, name: str, text: str) -> None:
        path = self._path(name)
        try:
            refuse_link(path)
            if not text:
                path.unlink(missing_ok=True)
                return
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write(path, text.encode("utf-8", "surrogatepass"))
        except (OSError, SourceError) as error:
            reason = error.reason if isinstance(error, SourceError) else error.strerror
            raise OrchError(
                f"the draft {name!r} cannot be kept: {reason}",
                hint=f"free some space or make {self.folder} writable; it is still on the screen",
            ) from error

    def load(self, name: str) -> str:
        """The draft as it was kept; empty where there is none."""
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
