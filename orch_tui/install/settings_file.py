"""Settings files of Claude Code: where they lie, and how one is read and changed.

A settings file is the user's: it is changed in place, what else it holds keeps its bytes, and
what it was before is kept beside it. Nothing is written where the file is not understood.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from orch_tui.errors import ConflictError, FormatError, SourceError
from orch_tui.files import (
    read_plain,
    refuse_leading_out,
    refused_reading,
    refused_writing,
    write,
)
from orch_tui.frozen import frozen
from orch_tui.install.skill import backup_of, backups_of
from orch_tui.paths import AnyPath, claude_folder, state_folder
from orch_tui.text_lines import split_lines

Document = dict[str, Any]

LONGEST_DIFF = 30
"""Lines that are shown whole before somebody is asked: more would leave the screen."""


@frozen
class Change:
    """What would be done to one settings file."""

    path: Path
    before: bytes | None
    """None: there is no file."""
    after: bytes | None
    """None: the file goes."""
    allows: bool = False
    """The permission that `after` holds for orch is one that orch put there."""
    is_removal: bool = False
    """Nothing of orch's is left then."""
    worthless: tuple[bytes, ...] = ()
    """What copies hold that differ from `after` in nothing but orch's own."""

    @property
    def is_none(self) -> bool:
        return self.before == self.after

    def diff(self) -> list[str]:
        """The lines of a unified diff."""
        from difflib import unified_diff

        name = str(self.path)
        before, after = (
            split_lines((data or b"").decode("utf-8-sig")) for data in (self.before, self.after)
        )
        return list(unified_diff(before, after, name, name, lineterm="", n=2))

    def summarize(self) -> list[str]:
        """The diff where it is short; else how much of it there is, and in which hooks."""
        lines = self.diff()
        if len(lines) <= LONGEST_DIFF:
            return lines
        added = sum(line[0] == "+" for line in lines[2:])
        gone = sum(line[0] == "-" for line in lines[2:])
        events = ", ".join(self._changed_events())
        return [
            f"{self.path}: {added} lines in, {gone} lines out; of hooks: {events or 'none'}",
            "--dry-run shows each of them",
        ]

    def _changed_events(self) -> list[str]:
        """The events whose hooks are other ones than before."""
        before, after = (_hooks_in(data) for data in (self.before, self.after))
        return [name for name in {**before, **after} if before.get(name) != after.get(name)]


def _hooks_in(data: bytes | None) -> dict[str, object]:
    try:
        held = json.loads((data or b"{}").decode("utf-8-sig")).get("hooks")
    except (ValueError, AttributeError):
        return {}
    return held if isinstance(held, dict) else {}


def settings_file(project: AnyPath | None, *, shared: bool = False) -> Path:
    """The user's settings of a project, or the shared ones; None: of all the user's projects."""
    if project is None:
        return Path(claude_folder(), "settings.json")
    return Path(project, ".claude", "settings.json" if shared else "settings.local.json")


def settings_files(project: AnyPath) -> tuple[Path, Path, Path]:
    """Name the settings files that hold in a project, those that overrule others first."""
    return (settings_file(project), settings_file(project, shared=True), settings_file(None))


MANAGED = (
    "/Library/Application Support/ClaudeCode" if sys.platform == "darwin" else "/etc/claude-code"
)


def managed_settings() -> list[Path]:
    """List the settings of an administrator, which overrule all others.

    https://code.claude.com/docs/en/settings
    """
    folder = Path(MANAGED)
    listed = [*sorted(folder.glob("managed-settings.d/*.json"), reverse=True)]
    return [path for path in (*listed, folder / "managed-settings.json") if path.is_file()]


def apply(change: Change) -> Path | None:
    """Make a change and give the copy of what was there, where one was needed.

    What orch did to the file is noted, so that a removal can undo it: copies that say nothing else
    than the file without orch go. `made_folders` were there for it, too.

    Raises:
        SourceError: the file cannot be read or written.
        ConflictError: somebody else changed it after ``change`` was made.
    """
    if change.is_none:
        return None
    path = Path(os.path.realpath(change.path))  # a link of the user's stays one
    note = read_note(change.path)
    backup = None
    with refused_reading(str(path)):
        if (path.read_bytes() if path.exists() else None) != change.before:
            raise ConflictError(
                f"{path} was changed in the meantime",
                hint="repeat the command to see how it is now",
            )
        kept = [b.read_bytes() for b in backups_of(change.path)]
    with refused_writing(str(path)):
        if change.is_removal:
            _remove_backups(change, note)
        elif change.before is not None and change.before not in kept:
            backup = backup_of(change.path)
            from shutil import copy2

            copy2(path, backup)
        made = note.parents or sum(not parent.exists() for parent in change.path.parents)
        if change.after is None:
            path.unlink()
    if change.after is not None:
        write(path, change.after)
    names = (*note.backups, *([backup.name] if backup else []))
    with suppress(SourceError):  # a removal leaves more behind then, and nothing else is lost
        write_note(change.path, None if change.is_removal else Note(change.allows, names, made))
    return backup


def _remove_backups(change: Change, note: Note) -> None:
    """Remove the copies that orch made and that hold nothing but what stands there now."""
    for backup in backups_of(change.path):
        if backup.name in note.backups and backup.is_file() and not backup.is_symlink():
            data = backup.read_bytes()
            if data == change.after or data in change.worthless:
                backup.unlink()


# What orch did to a file


@frozen
class Note:
    """What orch did to one settings file, and cannot be seen in it."""

    allows: bool = False
    """It put in the permission to run orch."""
    backups: tuple[str, ...] = ()
    """The names of the copies it made."""
    parents: int = 0
    """How many folders above the file had to be made."""


def read_note(path: Path) -> Note:
    """Read what was done to a settings file; nothing where nobody knows."""
    held: Any = _notes().get(str(path.absolute()))
    try:
        backups = tuple(map(str, held["backups"]))
        return Note(held["allows"] is True, backups, max(0, int(held["parents"])))
    except (TypeError, KeyError, ValueError):
        return Note()


def write_note(path: Path, note: Note | None) -> None:
    """Note what was done to a settings file; None: nothing any more.

    Raises:
        SourceError: the user's state folder cannot be written.
    """
    notes = _notes()
    notes.pop(str(path.absolute()), None)
    if note is not None:
        notes[str(path.absolute())] = asdict(note)
    place = _notes_file()
    if notes:
        write(place, json.dumps(notes, indent=2).encode() + b"\n")
    else:
        with refused_writing(str(place)):
            place.unlink(missing_ok=True)


def made_folders(path: Path) -> list[Path]:
    """List the folders that had to be made for a settings file, the innermost first."""
    return list(path.parents[: read_note(path).parents])


def anything_noted() -> bool:
    """Tell whether some settings file holds what orch put there, as far as was noted."""
    return any(os.path.lexists(path) for path in _notes())


def _notes_file() -> Path:
    return Path(state_folder(), "settings-files.json")


def _notes() -> dict[str, Any]:
    try:
        notes = json.loads(read_plain(_notes_file()))
    except (OSError, ValueError, RecursionError):
        return {}
    return notes if isinstance(notes, dict) else {}


# Reading one


def read_settings(path: Path) -> bytes | None:
    """Read a settings file that is about to be changed; None: there is none.

    One of a project must lie in it: a repository can bring a link to the user's own settings. The
    user's own may be a link, into a folder of dotfiles for example.
    """
    if path.parent != Path(claude_folder()):
        refuse_leading_out(path, path.parent.parent)
    with refused_reading(str(path)):
        return _bytes(path)


def _bytes(path: Path) -> bytes | None:
    if not path.exists():
        return None
    if path.is_file():
        return path.read_bytes()
    raise _wrong(path, "it is no plain file")


def checked_text(text: str, wanted: Document) -> str:
    """The text, if it says what it should; else (a key twice, say) the same written anew."""
    if json.loads(text) == wanted:
        return text
    return json.dumps(wanted, indent=2, ensure_ascii=False) + "\n"


def settings_text(path: Path) -> str:
    """Read a settings file as text; empty where there is none."""
    return decode_settings(path, _bytes(path) or b"")


def encoding_of(before: bytes | None) -> str:
    """Name the encoding that keeps a byte order mark where there was one."""
    return "utf-8-sig" if (before or b"").startswith(b"\xef\xbb\xbf") else "utf-8"


def decode_settings(path: Path, data: bytes) -> str:
    """Decode the bytes of a settings file.

    Raises:
        FormatError: they are no UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(path, f"byte {error.start} is not UTF-8") from None


def parse_settings(path: Path, text: str) -> Document:
    """Parse the settings as far as orch has to understand them.

    Raises:
        FormatError: they are no such JSON.
    """
    if not text.strip():
        return {}
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise _wrong(path, f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise _wrong(path, str(error)) from None
    check_settings(path, document)
    return dict(document)


def check_settings(path: Path, document: Any) -> None:
    """Refuse what has another form than orch has to understand.

    Raises:
        FormatError: it names the file and the place.
    """
    held = document.get("hooks", {}) if isinstance(document, dict) else None
    checks: list[tuple[Callable[[], bool], str]] = [
        (lambda: isinstance(document, dict), "it is no JSON object"),
        (lambda: isinstance(held, dict), '"hooks" is no JSON object'),
    ]
    for is_right, wrong in checks:
        if not is_right():
            raise _wrong(path, wrong)
    for event, groups in (held or {}).items():
        if not isinstance(groups, list):
            raise _wrong(path, f'"hooks"."{event}" is no list')


def _wrong(path: Path, what: str) -> FormatError:
    return FormatError(
        f"{path}: {what}",
        hint="Claude Code takes plain JSON only, without comments: mend the file, then repeat this",
    )
