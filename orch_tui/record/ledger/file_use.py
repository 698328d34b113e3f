"""The files an execution read and wrote, beside those it was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from orch_tui.models.database import Record
from orch_tui.source_name import path_of

GIVEN_FILES = "context_type IN ('file', 'reference') AND context_source IS NOT NULL"
"""Which allocations are files, in SQL."""

_MERGED = (
    "ON CONFLICT (execution_id, path) DO UPDATE SET "
    "read_at = min(coalesce(read_at, excluded.read_at), coalesce(excluded.read_at, read_at)), "
    "written_at = min(coalesce(written_at, excluded.written_at), "
    "coalesce(excluded.written_at, written_at))"
)


@dataclass(frozen=True, slots=True)
class Touched:
    """One file a tool read or wrote, as the record names it."""

    path: str
    action: Literal["read", "written"]
    at: str


@dataclass(frozen=True, slots=True)
class FileUse:
    """One file of an execution: whether it was given, and what the agent did with it."""

    path: str
    given: Literal["whole", "part", ""]
    """In its bundle as a whole, in part (lines, sections, a symbol), or not."""
    read_at: str | None
    written_at: str | None

    @property
    def is_read_again(self) -> bool:
        """Read although the agent had all of it: a bundle it did not trust, or did not see."""
        return self.read_at is not None and self.given == "whole"

    @property
    def is_missed(self) -> bool:
        """Needed and not given: read before the agent wrote it itself, if it did."""
        return (
            self.read_at is not None
            and not self.given
            and (self.written_at is None or self.read_at <= self.written_at)
        )


def put(record: Record, execution_id: str, touched: Iterable[Touched]) -> None:
    """Store files that tools touched, inside the caller's transaction."""
    record.executemany(
        f"INSERT INTO execution_files VALUES (?, ?, ?, ?) {_MERGED}",
        [
            (
                execution_id,
                each.path,
                each.at if each.action == "read" else None,
                each.at if each.action == "written" else None,
            )
            for each in touched
        ],
    )


def of_execution(record: Record, execution_id: str) -> tuple[FileUse, ...]:
    """Every file that was given, read or written, by path."""
    given = record.sql(
        "SELECT context_source, sections FROM context_allocations WHERE execution_id = ? "
        f"AND included_in_deployment IS NOT 0 AND {GIVEN_FILES}",
        [execution_id],
    )
    touched = {
        path: (read_at, written_at)
        for path, read_at, written_at in record.sql(
            "SELECT path, read_at, written_at FROM execution_files WHERE execution_id = ?",
            [execution_id],
        )
    }
    return side_by_side(given, touched)


def side_by_side(
    allocated: Iterable[tuple[str, str | None]],
    touched: Mapping[str, tuple[str | None, str | None]],
) -> tuple[FileUse, ...]:
    """What was given (sources with their sections) beside when files were read and written."""
    given: dict[str, Literal["whole", "part"]] = {}
    for source, sections in allocated:
        path = path_of(source)
        if not path:
            continue
        whole = path == source.removeprefix("./") and not sections
        given[path] = "whole" if whole or given.get(path) == "whole" else "part"
    return tuple(
        FileUse(path, given.get(path, ""), *touched.get(path, (None, None)))
        for path in sorted({*given, *touched})
    )


def unite(record: Record, keeper: str, absorbed: str) -> None:
    """Give the files of one execution to another that turned out to be the same run."""
    record.execute(
        "INSERT INTO execution_files SELECT ?, path, read_at, written_at FROM execution_files "
        f"WHERE execution_id = ? {_MERGED}",
        [keeper, absorbed],
    )
    record.execute("DELETE FROM execution_files WHERE execution_id = ?", [absorbed])
