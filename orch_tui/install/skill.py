"""Installing the skill and taking it away again.

A manifest in the installed folder says what was written, by hash. What differs from it is the
user's: it is never overwritten without a backup beside it and never removed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from orch_tui.assets import asset
from orch_tui.errors import OrchError, SourceError, UsageError
from orch_tui.files import read_plain, refuse_leading_out, remove_empty, whole_file
from orch_tui.frozen import frozen
from orch_tui.paths import AnyPath, claude_folder

NAME = "multi-agent-orchestration"
MANIFEST = ".installed-by-orch.json"

_COPIED = (
    "execution_db.schema.sql",
    "templates/briefing.md.tmpl",
    "templates/orchestration-plan.tmpl",
    "templates/report-back.md",
    "templates/synthesis-report.tmpl",
)
"""Assets of orch that the skill shows in its own folder ``assets``."""

BOOTSTRAP = "scripts/_orch.py"
_UNSET = b'INTERPRETER = ""\n'


@frozen
class Installed:
    """What an installation did, or would do."""

    folder: Path
    written: tuple[Path, ...]
    backed_up: tuple[tuple[Path, Path], ...]
    """A file of the user's that stood in the way, and where it is now."""
    unchanged: tuple[Path, ...]
    removed: tuple[Path, ...]
    """Written by an earlier version and no longer part of the skill."""
    kept: tuple[Path, ...]
    """No longer part of the skill, but edited by the user."""


@frozen
class Uninstalled:
    """What a removal did, or would do."""

    folder: Path
    removed: tuple[Path, ...]
    kept: tuple[Path, ...]
    """Edited since they were installed, so the user's."""
    backups: tuple[Path, ...]
    """Files of the user's that installations moved aside."""


class _Manifest(NamedTuple):
    """What installing wrote."""

    files: dict[str, str]
    """The SHA-256 of each, by its name in the folder."""
    parents: int
    """How many folders above the skill's own had to be made."""


def skill_folder(project: AnyPath | None = None) -> Path:
    """Where the skill of a project lives; None: the user's, for all projects.

    Raises:
        SourceError: a link leads it out of the project; those of the user's own folder may.
    """
    if project is None:
        return Path(claude_folder(), "skills", NAME)
    folder = Path(project, ".claude", "skills", NAME)
    refuse_leading_out(folder, Path(project))
    return folder


def install(
    folder: Path,
    interpreter: str,
    *,
    files: Mapping[str, bytes] | None = None,
    dry_run: bool = False,
) -> Installed:
    """Write the skill into ``folder``; its scripts will run under ``interpreter``.

    ``files`` are other files to install in the same way, by their name in the folder.

    Files that differ from what an earlier installation wrote are moved aside first. Doing it again
    changes nothing.

    Raises:
        UsageError: ``interpreter`` is no absolute path.
        OrchError: a file cannot be written.
    """
    if not os.path.isabs(interpreter):
        raise UsageError(f"{interpreter!r} is no absolute path of a Python")
    shipped = shipped_files(interpreter) if files is None else files
    ours = _manifest(folder)
    _refuse_links_out(folder, [*shipped, *ours.files])
    differing = [name for name, data in shipped.items() if _hash(folder / name) != _digest(data)]
    in_the_way = [
        name
        for name in differing
        if os.path.lexists(folder / name) and not _is_as_written(folder, name, ours.files)
    ]
    backups = {folder / name: backup_of(folder / name) for name in in_the_way}
    stale = [name for name in ours.files if name not in shipped]
    removed = [name for name in stale if _is_as_written(folder, name, ours.files)]
    if not dry_run:
        manifest = _Manifest(
            {name: _digest(data) for name, data in shipped.items()},
            ours.parents or sum(not parent.exists() for parent in folder.parents),
        )
        for name in differing:
            _write(folder / name, shipped[name], backups.get(folder / name))
        _remove(folder, removed)
        if manifest != ours:
            _write(folder / MANIFEST, json.dumps(manifest._asdict(), indent=2).encode() + b"\n")
    return Installed(
        folder,
        written=_paths(folder, differing),
        backed_up=tuple(backups.items()),
        unchanged=_paths(folder, (name for name in shipped if name not in differing)),
        removed=_paths(folder, removed),
        kept=_paths(folder, (n for n in stale if n not in removed and (folder / n).exists())),
    )


def uninstall(folder: Path, *, dry_run: bool = False) -> Uninstalled:
    """Remove what ``install`` wrote and nothing else, and the folders this leaves empty.

    Raises:
        OrchError: nothing was installed there, or a file cannot be removed.
    """
    ours = _manifest(folder)
    if not ours.files:
        if os.path.lexists(folder / MANIFEST):
            raise OrchError(f"{folder}: its {MANIFEST} is damaged", hint="`orch install` mends it")
        raise OrchError(
            f"no skill of orch is in {folder}", hint="`orch uninstall --hooks` takes hooks out"
        )
    _refuse_links_out(folder, ours.files)
    removed = [name for name in ours.files if _is_as_written(folder, name, ours.files)]
    kept = [name for name in ours.files if name not in removed and os.path.lexists(folder / name)]
    backups = [backup for name in ours.files for backup in backups_of(folder / name)]
    if not dry_run:
        _remove(folder, [*removed, MANIFEST])
        made = folder.parents[: ours.parents]
        remove_empty(folder, made[-1] if made else folder)
    return Uninstalled(folder, _paths(folder, removed), _paths(folder, kept), tuple(backups))


def missing_files(folder: Path) -> list[str]:
    """Name what was installed in a folder and is not there any more."""
    return [name for name in _manifest(folder).files if not os.path.lexists(folder / name)]


def made_folders(folder: Path) -> list[Path]:
    """List the folders above the skill's own that had to be made, the innermost first."""
    return list(folder.parents[: _manifest(folder).parents])


def shipped_files(interpreter: str) -> dict[str, bytes]:
    """Every file of the skill, by its name in the installed folder."""
    root = asset("skill")
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.parent.name != "__pycache__"
    }
    files |= {f"assets/{PurePosixPath(name).name}": asset(name).read_bytes() for name in _COPIED}
    before, unset, after = files[BOOTSTRAP].partition(_UNSET)
    assert unset, f"{BOOTSTRAP} has no line for the interpreter"
    files[BOOTSTRAP] = before + f"INTERPRETER = {interpreter!a}\n".encode() + after
    return files


def _manifest(folder: Path) -> _Manifest:
    """What was written there; nothing where the manifest is missing or unreadable.

    It may come from anywhere, with a cloned project for instance, so a name that leads out of the
    folder does not count.
    """
    try:
        document = json.loads(read_plain(folder / MANIFEST))
        files = {str(n): str(digest) for n, digest in document["files"].items() if _is_inside(n)}
        return _Manifest(files, max(0, int(document["parents"])))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _Manifest({}, 0)


def _refuse_links_out(folder: Path, names: Iterable[str]) -> None:
    """Refuse to write or remove files where a folder within ``folder`` is a link to elsewhere."""
    for parent in dict.fromkeys((folder / name).parent for name in names):
        refuse_leading_out(parent, folder)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and not {"..", "\0"} & {*path.parts, *name}


def _is_as_written(folder: Path, name: str, files: Mapping[str, str]) -> bool:
    return name in files and _hash(folder / name) == files[name]


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def _hash(path: Path) -> str:
    """Of a plain file; empty for anything else: a link is somebody's decision, so not ours."""
    try:
        return "" if path.is_symlink() else _digest(read_plain(path))
    except OSError:
        return ""


def backup_of(path: Path) -> Path:
    """A free name beside ``path``: ``SKILL.md.bak``, ``SKILL.md.2.bak``."""
    backup, number = path.with_name(f"{path.name}.bak"), 1
    while os.path.lexists(backup):
        number += 1
        backup = path.with_name(f"{path.name}.{number}.bak")
    return backup


def backups_of(path: Path) -> list[Path]:
    """What was moved aside before, oldest first."""
    named = re.compile(rf"{re.escape(path.name)}(?:\.(\d+))?\.bak")
    if not path.parent.is_dir():
        return []
    found = ((named.fullmatch(p.name), p) for p in path.parent.iterdir())
    return [p for _, p in sorted((int(m[1] or 1), p) for m, p in found if m)]


def _write(path: Path, data: bytes, backup: Path | None = None) -> None:
    """Write a file whole, after moving what stands there to ``backup``."""
    try:
        with whole_file(path) as file:
            file.write(data)
            if backup:
                os.rename(path, backup)
    except SourceError as error:
        raise OrchError(
            error.message,
            hint="what was installed before is still there; mend it and repeat the command",
        ) from error


def _remove(folder: Path, names: Iterable[str]) -> None:
    """Remove files, the bytecode that running them left, and folders that are empty then."""
    for name in names:
        path = folder / name
        try:
            path.unlink(missing_ok=True)
            for bytecode in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
                bytecode.unlink()
        except OSError as error:
            raise OrchError(f"{path} cannot be removed: {error.strerror}") from error
        remove_empty(path.parent / "__pycache__", folder)
        remove_empty(path.parent, folder)


def _paths(folder: Path, names: Iterable[str]) -> tuple[Path, ...]:
    return tuple(folder / name for name in names)
