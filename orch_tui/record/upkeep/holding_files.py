"""Files that hold a secret: those beside the record, those orch wrote, and Claude Code's own."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from orch_tui.errors import SourceError
from orch_tui.models.database import Record, is_record_folder
from orch_tui.models.values import readable
from orch_tui.paths import (
    claude_folder,
    drafts_folder,
    hand_over_folder,
    linked_part,
    safe_inboxes,
    state_folder,
)
from orch_tui.record import hand_over
from orch_tui.record.transcripts.transcript_files import choose_files
from orch_tui.record.upkeep.hidden_secret import HiddenSecret, unpack_value
from orch_tui.worktrees import find_named_tree
from orch_tui.written_files import list_written


def find_holding_files(
    record: Record, secret: HiddenSecret, removable: Sequence[str] = ()
) -> Iterator[str]:
    """Find the files that hold a secret, but for the record's own and those that can be removed."""
    own = list_record_files(record)
    for path in dict.fromkeys((*_around(record), *_written())):
        if path not in own and str(path) not in removable and _is_plain_and_holds(path, secret):
            yield str(path)


def choose_own_files(record: Record, paths: Iterable[str]) -> tuple[str, ...]:
    """Choose the files that orch wrote: what lies in a record's folder but its settings, drafts,
    payloads, and what was written where a person said so."""
    folder = record.path.parent
    folders = [Path(drafts_folder(record.path))]
    if is_record_folder(folder):
        folders.append(folder)
        folders += [Path(inbox) for inbox in safe_inboxes(str(folder.parents[1]))]
    written = set(_written())
    not_own = {*list_record_files(record), folder / "config.toml"}
    return tuple(
        name
        for name in paths
        if (path := Path(name)) not in not_own
        and (path in written or any(each in path.parents for each in folders))
    )


def find_transcripts(record: Record, secret: str | bytes) -> tuple[str, ...]:
    """Find the transcripts of this project that hold a secret; Claude Code keeps them, not orch."""
    hidden = HiddenSecret.of(secret)
    if not is_record_folder(record.path.parent):
        return ()
    root = record.path.parent.parents[1]
    with suppress(SourceError):
        kept = choose_files((), claude_folder=Path(claude_folder()), root=root, every_project=False)
        return tuple(str(file.path) for file in kept if holds_secret(Path(file.path), hidden))
    return ()


def _written() -> Iterator[Path]:
    """List what orch wrote where a person said so, and what it put beside the clipboard."""
    yield from map(Path, list_written())
    yield Path(state_folder(), "clipboard.txt")


def _is_plain_and_holds(path: Path, secret: HiddenSecret) -> bool:
    return not linked_part(path.absolute()) and path.is_file() and holds_secret(path, secret)


def find_hand_over_copies(record: Record, secret: HiddenSecret) -> list[Path]:
    """List what was left to hand over for deployments of this record and holds the secret.

    The folder of the user's has those of other projects, too: their records still hold it.
    """
    named = record.sql("SELECT substr(key, 5) FROM execution_keys WHERE key LIKE 'uid:%'")
    uids = {uid for (uid,) in named}
    copies = [
        *sorted(Path(hand_over_folder()).glob("*")),
        *sorted((record.path.parent / hand_over.FOLDER).glob("*.md")),
    ]
    return [p for p in copies if p.stem in uids and _is_plain_and_holds(p, secret)]


def remove_copies(copies: Iterable[Path]) -> Iterator[str]:
    """Remove files and yield their names; one that stays is named by `find_holding_files`."""
    for path in copies:
        with suppress(OSError):
            path.unlink()
            yield str(path)


def list_record_files(record: Record) -> tuple[Path, Path]:
    """List where the words of the record stand: its file and the write-ahead log."""
    return record.path, record.path.with_name(f"{record.path.name}-wal")


def _around(record: Record) -> Iterator[Path]:
    """List what may hold what the record held: copies of it, drafts, payloads, deliverables."""
    folder = record.path.parent
    own_root = None
    if is_record_folder(folder):
        own_root = str(folder.parents[1])
        yield from sorted(folder.rglob("*"))
    else:
        yield from sorted(folder.glob(f"{record.path.name}*"))
        yield from sorted(Path(drafts_folder(record.path)).rglob("*"))
        yield from sorted((folder / hand_over.FOLDER).rglob("*"))
    yield from sorted(Path(hand_over_folder()).glob("*"))
    roots = [own_root]
    roots += [readable(root) for (root,) in record.sql("SELECT DISTINCT project FROM sessions")]
    for root in dict.fromkeys(roots):
        if not root or "\0" in root:  # no folder has such a name
            continue
        for inbox in safe_inboxes(root):
            yield from sorted(Path(inbox).rglob("*"))
    for root, path, worktree in record.sql(
        "SELECT DISTINCT coalesce(project, ?), path, "
        "iif(json_valid(content), json_extract(content, '$.worktree'), NULL) FROM outputs "
        "JOIN agent_executions USING (execution_id) JOIN sessions USING (session_id) "
        "WHERE path IS NOT NULL ORDER BY 1, 2",
        [own_root],
    ):
        root, path = readable(root) or "", readable(path) or ""
        if (root or os.path.isabs(path)) and "\0" not in root + path:
            yield Path(root, path)
            if tree := find_named_tree(readable(worktree), root):
                yield Path(tree, path)


def holds_secret(path: Path, secret: HiddenSecret, *, unpacked: bool = True) -> bool:
    """Tell whether a file holds it, in whichever form; what cannot be read does not.

    Without ``unpacked`` what a database has compressed is not looked into.
    """
    longest = max(len(form) for form, _ in secret.in_bytes)
    try:
        with path.open("rb") as file:
            is_database = file.read(16) == b"SQLite format 3\0"
            file.seek(0)
            window = b""
            while chunk := file.read(1 << 20):
                window = window[-longest:] + chunk
                if any(form in window for form, _ in secret.in_bytes):
                    return True
    except OSError:
        return False
    return unpacked and is_database and _copy_holds(path, secret)


def _copy_holds(path: Path, secret: HiddenSecret) -> bool:
    """Tell whether a database holds it where its bytes do not show: compressed, or over pages; also
    with what its write-ahead log adds."""
    if _tables_hold(f"{path.absolute().as_uri()}?immutable=1", secret):
        return True
    log = path.with_name(f"{path.name}-wal")
    if linked_part(log.absolute()) or not log.is_file() or not log.stat().st_size:
        return False
    with suppress(OSError), TemporaryDirectory(prefix="orch-") as folder:
        # elsewhere, since who opens both leaves its mark beside them
        for each in (path, log):
            shutil.copy(each, folder)
        return _tables_hold(Path(folder, path.name).as_uri(), secret)
    return False


def _tables_hold(uri: str, secret: HiddenSecret) -> bool:
    with closing(sqlite3.connect(uri, uri=True)) as copy:
        tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"
        try:
            names = [name for (name,) in copy.execute(tables)]
            copy.text_factory = bytes
            return any(
                secret.out_of_bytes(shown) != shown
                for name in names
                for row in copy.execute(f"SELECT * FROM {_quote(name)}")
                for shown in map(unpack_value, row)
                if isinstance(shown, bytes)
            )
        except sqlite3.DatabaseError:
            return False


def _quote(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
