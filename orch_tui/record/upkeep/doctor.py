"""Examining a record, whatever state it is in, and mending what can be derived again."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from orch_tui.errors import RecordError
from orch_tui.models.database import HOW_TO_BEGIN, Record, check_place, ignore_in_git
from orch_tui.models.migrations.step import Progress
from orch_tui.record.ledger.rebuild import find_stale_executions, rebuild_from_statements
from orch_tui.record.upkeep.file_checks import check_file, is_unignored, list_open_to_others
from orch_tui.record.upkeep.finding import Finding, count_and_name
from orch_tui.record.upkeep.setup_checks import check_setup
from orch_tui.record.upkeep.table_checks import (
    CHECKS,
    FULL_ONLY,
    CheckedPart,
    list_missing_parts,
    run_check,
)
from orch_tui.search import maintenance
from orch_tui.search.index_merge import is_merge_due, merge_index
from orch_tui.search.schema import INDEX_VERSION
from orch_tui.wording import plural

NEWEST = 1_000
"""Runs of a large record that are looked at where not all are asked for."""
_SMALL = 64 << 20
"""Bytes of a record of that many runs that is always looked at whole."""


def examine_record(
    path: Path,
    root: Path | None = None,
    *,
    is_full: bool = False,
    progress: Progress = lambda done, total: None,
) -> list[Finding]:
    """Everything that can be told of the record at ``path``; it is only read.

    Of a large record, the public tables and the newest runs are looked at, and a finding says so;
    ``is_full`` looks at everything, and ``progress`` is told how much of that is done. ``root`` is
    the project whose settings, installations, hooks and inboxes are looked at. A file that cannot
    be opened, or breaks under a check, is a finding, never an error.
    """
    capture = [*check_setup(root)] if root else []
    findings: list[Finding] = []
    try:
        check_place(path)
        if not path.exists():
            missing = f"there is no record at {path}"
            return [Finding("problem", "file", missing, HOW_TO_BEGIN), *capture]
        findings += check_file(path)
        with Record(path, create=False, writable=False) as record:
            runs = None if is_full else _choose_runs(record)
            checks = CHECKS if runs is None else CHECKS.keys() - FULL_ONLY
            for number, (what, check) in enumerate(CHECKS.items()):
                if what in checks:
                    findings += run_check(record, what, check, CheckedPart(runs, number, progress))
            if runs is not None:
                findings.append(_left_out(record, runs))
    except RecordError as error:
        findings.append(Finding("problem", "file", error.message, error.hint))
    except OSError as error:
        findings = [
            Finding("problem", "file", f"{path}: {error.strerror}", "check its permissions")
        ]
    return findings + capture


def repair_record(record: Record, progress: Progress = lambda done, total: None) -> list[str]:
    """Mend what is safe and derivable, and say what was mended.

    ``progress`` is told how many runs were looked at, then how many of a search index of another
    version are indexed anew.

    Raises:
        RecordError: the file cannot be written, or is too broken to be read.
    """
    done = []
    for path in list_open_to_others(record.path):
        path.chmod(0o700 if path.is_dir() else 0o600)
        done.append(f"{path.name}: closed to others")
    if is_unignored(record.path):
        ignore_in_git(record.path.parent)
        done.append(f"{record.path.parent.name}: ignored by git")
    with record.write():
        if missing := list_missing_parts(record):
            for part in missing:
                record.execute(part.sql)
            done.append(f"{count_and_name([part.name for part in missing], 'part')}: made again")
        wrong = list(find_stale_executions(record, progress=progress))
        rebuild_from_statements(record, wrong)
        if wrong:
            done.append(f"{plural(len(wrong), 'execution')}: added up again")
        maintenance.refresh_pending(record)
        if maintenance.check(record):
            maintenance.rebuild(record)
            done.append("search index: made anew")
        elif is_merge_due(record):
            merge_index(record)
            done.append("search index: merged into one piece")
    if maintenance.is_of_another_version(record):
        older = maintenance.count_other_versions(record)
        while remaining := maintenance.index_older(record):
            progress(older - remaining, older)
        indexed = plural(older, "execution")
        done.append(f"search index: {indexed} indexed anew, in version {INDEX_VERSION}")
    return done


def _choose_runs(record: Record) -> list[str] | None:
    """The newest runs of a large record; None where it is small enough to be looked at whole, or
    too broken to tell."""
    with suppress(RecordError):
        size = record.value("PRAGMA page_count") * record.value("PRAGMA page_size")
        newest = record.sql(
            "SELECT execution_id FROM agent_executions ORDER BY rowid DESC LIMIT ?", [NEWEST + 1]
        )
        if size > _SMALL or len(newest) > NEWEST:
            return [execution_id for (execution_id,) in reversed(newest[:NEWEST])]
    return None


def _left_out(record: Record, runs: list[str]) -> Finding:
    """Say what was not looked at."""
    count = record.value("SELECT count(*) FROM agent_executions")
    older = f"{count - len(runs):,} older runs with what they were given and said, "
    return Finding(
        "ok",
        "not looked at",
        f"{older if count > len(runs) else ''}the pages and references of tables that are not "
        "public, the search index but for the runs looked at, unused contents",
        "orch doctor --full",
    )
