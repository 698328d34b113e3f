"""The files an execution read and wrote, beside those it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.record.ledger.statement import FileFact
from orch_tui.source_name import path_of

if TYPE_CHECKING:
    from orch_tui.record.ledger.statement import Used

GIVEN_FILES = "context_type IN ('file', 'reference') AND context_source IS NOT NULL"
"""Which allocations are files, in SQL."""

NEEDED = "(read_at IS NOT NULL AND (written_at IS NULL OR read_at <= written_at))"
"""Which files a run needed, in SQL: those it read before it wrote them itself, if it did."""


@frozen
class Touched:
    """One file a tool read or wrote, as its agent named it."""

    path: str
    folder: str
    """Where the agent works, which a relative path is meant from."""
    action: Literal["read", "written"]
    at: str


@frozen
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
        """Needed and not given."""
        return self.is_needed and not self.given

    @property
    def is_needed(self) -> bool:
        """Read before the agent wrote it itself, if it did."""
        return self.read_at is not None and (
            self.written_at is None or self.read_at <= self.written_at
        )

    @property
    def remark(self) -> str:
        """What its use says of the bundle; empty where it says nothing."""
        return "read though given" if self.is_read_again else "not given" if self.is_missed else ""


def file_facts(
    touched: Iterable[Touched], name_file: Callable[[Touched], str]
) -> tuple[FileFact, ...]:
    """Sum up when each file was first read and written, as a stretch of a transcript tells.

    Args:
        name_file: gives the name that the record has for a file.
    """
    first: dict[str, dict[str, str]] = {}
    for each in touched:
        times = first.setdefault(name_file(each), {})
        times[each.action] = min(each.at, times.get(each.action, each.at))
    return tuple(
        FileFact(path=path, read_at=times.get("read"), written_at=times.get("written"))
        for path, times in sorted(first.items())
    )


def rebuild_file_use(record: Record, execution_id: str, uses: Iterable[Used]) -> None:
    """Bring the files of an execution in line with its statements."""
    first: dict[str, list[str | None]] = {}
    for fact in (fact for used in uses for fact in used.files):
        held = first.setdefault(fact.path, [None, None])
        for place, at in enumerate((fact.read_at, fact.written_at)):
            held[place] = min((t for t in (held[place], at) if t), default=None)
    wanted = [(path, *times) for path, times in sorted(first.items())]
    held_rows = record.sql(
        "SELECT path, read_at, written_at FROM execution_files WHERE execution_id = ? "
        "ORDER BY path",
        [execution_id],
    )
    if held_rows != wanted:
        record.execute("DELETE FROM execution_files WHERE execution_id = ?", [execution_id])
        record.executemany(
            "INSERT INTO execution_files VALUES (?, ?, ?, ?)",
            [(execution_id, *row) for row in wanted],
        )


def list_file_use(record: Record, execution_id: str) -> tuple[FileUse, ...]:
    """List every file that an execution was given, read or wrote, by path."""
    given = record.sql(
        "SELECT context_source, sections FROM context_allocations WHERE execution_id = ? "
        f"AND included_in_deployment IS NOT 0 AND arrived IS NOT 0 AND {GIVEN_FILES}",
        [execution_id],
    )
    touched = {
        path: (read_at, written_at)
        for path, read_at, written_at in record.sql(
            "SELECT path, read_at, written_at FROM execution_files WHERE execution_id = ?",
            [execution_id],
        )
    }
    return compare_file_use(given, touched)


def split_given(source: str, sections: str | None) -> tuple[str, Literal["whole", "part"]]:
    """Split what was given into its file and whether that is all of it; empty: it is no file."""
    path = path_of(source)
    return path, "whole" if path == source.removeprefix("./") and not sections else "part"


def compare_file_use(
    allocated: Iterable[tuple[str, str | None]],
    touched: Mapping[str, tuple[str | None, str | None]],
) -> tuple[FileUse, ...]:
    """Compare what was given (sources with sections) with when files were read and written."""
    given: dict[str, Literal["whole", "part"]] = {}
    for source, sections in allocated:
        path, part = split_given(source, sections)
        if path:
            given[path] = "whole" if given.get(path) == "whole" else part
    return tuple(
        FileUse(path, given.get(path, ""), *touched.get(path, (None, None)))
        for path in sorted({*given, *touched})
    )
