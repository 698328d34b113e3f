"""What the doctor looks at beside a record: who may open its file, where it is from, copies."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from orch_tui.models.database import is_record_folder
from orch_tui.record.provenance import list_remarks, remember_record
from orch_tui.record.upkeep.finding import REPAIR, Finding


def check_file(path: Path) -> Iterator[Finding]:
    """Yield what is to be told of the file of a record, and of what lies beside it."""
    for check in (_permissions, _provenance, _backups):
        yield from check(path)


def list_open_to_others(path: Path) -> list[Path]:
    """List the files (and the folder, where it is the record's) that others may open."""
    ours = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))]
    ours += [*_copies(path)]
    if is_record_folder(path.parent):
        ours.append(path.parent)
    modes = ((p, p.lstat().st_mode) for p in ours if os.path.lexists(p))
    return [p for p, mode in modes if not stat.S_ISLNK(mode) and stat.S_IMODE(mode) & 0o077]


def is_unignored(path: Path) -> bool:
    """Find out whether git would take the record along."""
    return is_record_folder(path.parent) and not os.path.lexists(path.parent / ".gitignore")


def _permissions(path: Path) -> Iterator[Finding]:
    opened = list_open_to_others(path)
    if opened:
        modes = ", ".join(f"{p.name} {stat.S_IMODE(p.stat().st_mode):o}" for p in opened)
        yield Finding("warning", "permissions", f"others may open {modes}", REPAIR)
    else:
        yield Finding("ok", "permissions", "only you may open it")
    if is_unignored(path):
        yield Finding("warning", "git", f"{path.parent} has no .gitignore", REPAIR)


def _provenance(path: Path) -> Iterator[Finding]:
    for remark, remedy in list_remarks(path):
        yield Finding("warning", "provenance", remark, remedy)
    remember_record(path)


def _copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.*bak"))


def _backups(path: Path) -> Iterator[Finding]:
    from orch_tui.record.upkeep.restoring import BEFORE_RESTORE

    kinds: dict[str, list[Path]] = {}
    for copy in _copies(path):
        is_replaced = copy.name.startswith(f"{path.name}.{BEFORE_RESTORE}.")
        kinds.setdefault("a restore" if is_replaced else "a change of schema", []).append(copy)
    for change, copies in kinds.items():
        size = sum(copy.stat().st_size for copy in copies)
        names = ", ".join(copy.name for copy in copies)
        yield Finding(
            "ok",
            "backups",
            f"{names} from before {change}, {size / 1e6:,.1f} MB",
            "delete them when all is well",
        )
