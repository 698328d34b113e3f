"""Exports of older orchs: rows of the tables of schema version 1.

They are put into a database of that version, which is brought up to date like any other old
record; what it holds then is taken in as statements. An export has no log of its own, so each is
an origin by itself, known by its bytes: the same file says the same again wherever it is read.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any

from orch_tui.errors import FormatError
from orch_tui.files import refused_reading, refused_writing
from orch_tui.models import facts
from orch_tui.models.database import Clock, Record
from orch_tui.models.migrations import version_1
from orch_tui.record.ledger.origins import begin_origin
from orch_tui.record.ledger.project_keys import configured_key, remote_key
from orch_tui.record.upkeep.export import export_record

if TYPE_CHECKING:
    from orch_tui.record.exchange.incoming import Restored


def restore_older_export(
    record: Record, path: Path, head: Mapping[str, Any], rows: Iterable[tuple[int, dict[str, Any]]]
) -> Restored:
    """Take in the rows of an export of version 1, each with the number of its line. ``head`` is
    what its first line says.

    Raises:
        FormatError: a row that the tables of that version do not take.
    """
    from orch_tui.record.upkeep.restore import restore_export

    with refused_reading(str(path)), path.open("rb") as file:
        name = hashlib.file_digest(file, "sha256").hexdigest()
    with refused_writing(gettempdir()), TemporaryDirectory(prefix="orch-") as folder:
        older, newer = Path(folder) / "older.db", Path(folder) / "export.jsonl"
        _build(older, path, rows)
        with Record(older, clock=_clock_of(head)) as upgraded, newer.open("w") as lines:
            _identify(upgraded, name)
            for line in export_record(upgraded):
                lines.write(f"{line}\n")
        try:
            return restore_export(record, newer)
        except FormatError as error:
            raise FormatError(
                f"{path}: {error.message.removeprefix(str(newer)).lstrip(': ')}", hint=error.hint
            ) from error


def _clock_of(head: Mapping[str, Any]) -> Clock:
    """A clock that stands at the time of the export; long ago where it does not say."""
    try:
        exported_at = datetime.fromisoformat(str(head.get("exported_at")))
    except ValueError:
        exported_at = datetime(1970, 1, 1, tzinfo=UTC)
    return lambda: exported_at


def _identify(upgraded: Record, name: str) -> None:
    """Make of an upgraded export an origin that is the same whenever the file is read."""
    with upgraded.write():
        facts.set_fact(upgraded, "secret", name)
        begin_origin(upgraded)
        upgraded.execute(
            "UPDATE origins SET uid = ?, machine = 'unknown', name = ? WHERE mine",
            [name[:32], f"export-{upgraded.now()[:10]}"],
        )
        for (folder,) in upgraded.sql("SELECT DISTINCT project FROM sessions WHERE project <> ''"):
            upgraded.execute(
                "UPDATE sessions SET project_key = ? WHERE project = ?",
                [configured_key(folder) or remote_key(folder) or folder, folder],
            )


def _build(older: Path, path: Path, rows: Iterable[tuple[int, dict[str, Any]]]) -> None:
    with version_1.new_database(older) as database:
        for number, row in rows:
            table = str(row.pop("table", ""))
            values = {name: _value(value) for name, value in row.items()}
            if table == "contents" and "encoding" not in values:
                data = values["data"]
                values |= {"encoding": "gone", "data": b""} if data is None else {"encoding": "raw"}
            try:
                version_1.insert(database, table, values)
            except version_1.RowError as error:
                raise FormatError(f"{path}, line {number}: {table}: {error}") from error


def _value(value: Any) -> Any:
    """A column's value: bytes were written in base64, text that is no UTF-8 with surrogates."""
    if isinstance(value, dict):
        return base64.b64decode(value["base64"])
    return value
