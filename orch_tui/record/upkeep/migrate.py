"""Bringing a record of an older schema up to date, with all that is derived made anew."""

from __future__ import annotations

from pathlib import Path

from orch_tui.errors import RecordError
from orch_tui.models.database import Record
from orch_tui.models.migrations import migrate
from orch_tui.models.migrations.step import Progress
from orch_tui.models.values import readable
from orch_tui.record.ledger import registers
from orch_tui.record.ledger.project_keys import project_key
from orch_tui.record.ledger.raw_sql import ingest_noted_changes
from orch_tui.record.ledger.rebuild import rebuild_from_statements
from orch_tui.record.ledger.resolve import join_halves
from orch_tui.record.rereading import note_rows_made
from orch_tui.search.maintenance import count_other_versions, end_other_versions, refresh_pending

MANY_RUNS = 20_000
"""More than so many take longer than anybody waits for a command that does something else."""

_A_STRETCH = 200
"""Rows that are made anew between two words of progress."""


def migrate_if_small(record: Record) -> None:
    """Bring a record up to date on the way to something else, unless that takes minutes.

    Raises:
        RecordError: it has too many runs for that.
    """
    runs = int(record.value("SELECT count(*) FROM agent_executions"))
    if runs > MANY_RUNS:
        raise RecordError(
            f"{record.path} has {runs:,} runs in an older schema: bringing it up to date takes "
            "minutes",
            hint="orch migrate does it; what hooks hear meanwhile is recorded afterwards",
        )
    migrate_record(record)


def migrate_record(record: Record, progress: Progress | None = None) -> Path | None:
    """Bring a record up to date, however many runs it has; all of it or nothing.

    Gives the copy of what it was.
    """
    return migrate(record, finish=_finish, progress=progress)


def _finish(record: Record, progress: Progress) -> None:
    """Make statements of what was noted, and the rows of all runs from what was stated."""
    _give_projects_keys(record)
    subjects = record.sql("DELETE FROM changed_rows RETURNING subject")
    noted = [readable(subject) or "" for (subject,) in subjects]
    noted = sorted(dict.fromkeys(noted), key=registers.subject_order)
    for start in range(0, len(noted), _A_STRETCH):
        runs = []
        for subject in noted[start : start + _A_STRETCH]:
            kind, _, label = subject.partition(":")
            if kind == "run":
                runs.append(label)
            else:
                registers.state_changes(record, subject)
        rebuild_from_statements(record, runs)
        rebuild_from_statements(record, sorted(join_halves(record, runs)))
        progress(min(start + _A_STRETCH, len(noted)), len(noted))
    ingest_noted_changes(record)
    note_rows_made(record)
    refresh_pending(record)
    if not count_other_versions(record):
        end_other_versions(record)


def _give_projects_keys(record: Record) -> None:
    for (folder,) in record.sql("SELECT DISTINCT project FROM sessions WHERE project_key IS NULL"):
        key = project_key(record, folder)
        record.execute(
            "UPDATE sessions SET project_key = ? WHERE project = ? AND project_key IS NULL",
            [key, folder],
        )
