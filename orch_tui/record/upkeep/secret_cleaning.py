"""Taking a secret out of the files that orch wrote: reports, drafts, backups, exports.

A backup is cleaned as the record is, an export of the record is written anew from it, and in any
other file the secret is replaced. What orch cannot clean for certain it leaves as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from orch_tui.errors import OrchError
from orch_tui.files import read_plain, whole_file
from orch_tui.models.database import Record
from orch_tui.models.values import SCHEMA_VERSION
from orch_tui.record.upkeep.export import export_record
from orch_tui.record.upkeep.hidden_secret import HiddenSecret
from orch_tui.record.upkeep.holding_files import holds_secret
from orch_tui.record.upkeep.redaction import redact_again
from orch_tui.record.upkeep.restore import is_export

_SQLITE = b"SQLite format 3\0"
_LONGEST_HEAD = 10_000
_LARGEST = 256 << 20
"""Bytes of a file that is read whole."""


def clean_files(
    record: Record, secret: str | bytes, reason: str, paths: Iterable[str]
) -> Iterator[str]:
    """Take a secret out of files that orch wrote; yields those that are clean.

    ``paths`` are as ``choose_own_files`` gives them. The record is cleaned already.
    """
    hidden = HiddenSecret.of(secret)
    for path in paths:
        with suppress(OrchError, OSError, ValueError):
            _clean(record, hidden, reason, Path(path))
        if not holds_secret(Path(path), hidden):
            yield path


def _clean(record: Record, hidden: HiddenSecret, reason: str, path: Path) -> None:
    with path.open("rb") as file:
        begins = file.read(len(_SQLITE))
        first_line = begins + file.readline(_LONGEST_HEAD)
    if begins == _SQLITE:
        _clean_backup(hidden, reason, path)
    elif is_export(first_line):
        if _is_of_record(record, path):
            with whole_file(path) as file:
                for line in export_record(record):
                    file.write(line.encode() + b"\n")
    elif path.stat().st_size <= _LARGEST:
        cleaned = hidden.out_of_bytes(read_plain(path))
        with whole_file(path) as file:
            file.write(cleaned)


def _is_of_record(record: Record, path: Path) -> bool:
    """Tell whether an export was made of this record, which still has all that is in it."""
    own = {uid for (uid,) in record.sql("SELECT uid FROM origins WHERE mine")}
    with path.open("rb") as file:
        for line in islice(file, 1, None):
            if not line.startswith(b'{"origin":'):
                return False
            row = json.loads(line)
            if row.get("exported_here"):
                return row["origin"] in own
    return False


def _clean_backup(hidden: HiddenSecret, reason: str, path: Path) -> None:
    """Clean a copy of a record of today's form; one of another is left to `orch restore`."""
    with Record(path, create=False) as copy:
        if copy.value("PRAGMA user_version") != SCHEMA_VERSION:
            return
        with copy.write():
            redact_again(copy, hidden.text, reason)
        copy.squeeze()
