"""What final messages tell of, kept as found: deliverables, results of checks, insights.

Nobody claimed it, and nobody has verified it. What hooks and transcripts tell of a return is looked
over when it is recorded, behind a cursor, so that a process that is killed in between leaves it to
the next one. What was recorded before is looked over when somebody asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui.models import facts
from orch_tui.models.database import Record

if TYPE_CHECKING:  # most commands have no message to look over
    from orch_tui.record.deliverables import Deliverable
    from orch_tui.record.messages.findings import Findings
    from orch_tui.record.run_place import PlacedFile
    from orch_tui.rows import ExecutionFacts, Output

RUNS_IN_PASSING = 20
"""Whose messages a command on its way looks over; the rest is left to who comes next."""

_CURSOR = "outputs_found_until"
"""The fact that names the newest statement that was looked over."""

_WRITING_SECONDS = 2.0
"""How much later than its return the last write of a run may be stamped."""

WRITTEN_SINCE = "was written again after the run returned"


def begin_finding(record: Record) -> None:
    """Note where a record stands that is new to this: what is there is not looked over unasked."""
    if facts.get_fact(record, _CURSOR) is None:
        with record.write():
            facts.set_fact(record, _CURSOR, str(_newest_statement(record)))


def find_new_outputs(
    record: Record,
    root: Path,
    most: int | None = None,
    *,
    remark: Callable[[str], object] | None = None,
) -> int:
    """Look over what was told of returns since the last call; gives how many runs that were.

    ``root`` is the project: runs of others are left alone, since their files lie elsewhere, and so
    is what an export brought. ``most`` is how many runs to look at, oldest first. ``remark`` is
    told of messages that hold what looks like a secret.

    Raises:
        RecordError: the record is locked or cannot be written.
    """
    since, newest = int(facts.get_fact(record, _CURSOR) or 0), _newest_statement(record)
    if newest <= since:
        return 0
    told = record.sql(
        "SELECT e.execution_id, min(o.observation_id) AS first FROM observations AS o "
        "JOIN agent_executions AS e USING (execution_id) JOIN sessions AS s USING (session_id) "
        "WHERE o.observation_id > ? AND o.kind = 'returned' AND o.source IN ('hook', 'import') "
        "AND e.retracted_at IS NULL AND s.project = ? "
        "AND o.observation_id NOT IN (SELECT observation_id FROM log) "
        "GROUP BY e.execution_id ORDER BY first",
        [since, str(root)],
    )
    chosen = told[:most]
    if chosen:
        collect_told_outputs(record, [label for label, _ in chosen], root=root, remark=remark)
    until = newest if len(chosen) == len(told) else told[len(chosen)][1] - 1
    with record.write():
        facts.set_fact(record, _CURSOR, str(until))
    return len(chosen)


def _newest_statement(record: Record) -> int:
    return int(record.value("SELECT coalesce(max(observation_id), 0) FROM observations"))


def collect_found(
    record: Record, execution_id: str | None, *, session_id: str | None, root: Path
) -> list[Output]:
    """Keep what the messages of an execution, or of all of a session, tell of.

    Raises:
        NotFoundError: no such execution or session.
    """
    from orch_tui.record import executions, sessions

    labels = [execution_id] if execution_id else []
    if session_id:
        label = sessions.get_session(record, session_id).session_id
        runs = executions.select_executions(record, "session_id = ?", [label])
        labels += [run.execution_id for run in reversed(runs)]
    return collect_told_outputs(record, labels, root=root)


def collect_told_outputs(
    record: Record,
    labels: Iterable[str],
    *,
    root: Path,
    remark: Callable[[str], object] | None = None,
) -> list[Output]:
    """Keep what the messages of executions tell of, marked as found; gives all that was found.

    What was found in a message before is not found in it again. A file that was written after the
    run returned is kept by its name alone: what it was then is not known.

    Raises:
        NotFoundError: no such execution.
    """
    from orch_tui.record import deliverables, executions, outputs

    told = [
        (execution, completed_at, findings)
        for execution in (executions.get_execution(record, label) for label in labels)
        for completed_at, findings in _read_messages(record, execution, root)
    ]
    files = [found.placed for _, _, findings in told for found in findings.deliverables]
    # Before the transaction, and at once: git may take its time.
    read = {(d.worktree, d.path): d for d in deliverables.read_deliverables(files)}
    for execution, completed_at, findings in told:
        held = [
            kept
            for placed in dict.fromkeys(each.placed for each in findings.deliverables)
            if (kept := _as_returned(read[placed.worktree, placed.name], placed, completed_at))
        ]
        outputs.record_found_outputs(record, execution.execution_id, findings, held)
        if remark and (secrets := [t.excerpt for t in findings.troubles if t.kind == "secret"]):
            more = f", and {len(secrets) - 1} more" if len(secrets) > 1 else ""
            remark(
                f"{execution.execution_id}: its final message holds what looks like a secret "
                f"({secrets[0]}{more}); `orch redact` takes it out"
            )
    return [
        output
        for label in dict.fromkeys(execution.execution_id for execution, _, _ in told)
        for output in outputs.select_outputs(record, "execution_id = ? AND found", [label])
    ]


def _read_messages(
    record: Record, execution: ExecutionFacts, root: Path
) -> Iterator[tuple[str | None, Findings]]:
    """Read each message of a run, oldest first, with when it returned."""
    from orch_tui.record import executions
    from orch_tui.record.ledger import contents
    from orch_tui.record.messages.findings import read_findings
    from orch_tui.record.pasted_words import read_pasted_words
    from orch_tui.record.run_place import find_run_place

    place = find_run_place(record, execution, root)
    for completion in executions.list_completions(record, execution.execution_id):
        message = completion.message_id and contents.get_content(record, completion.message_id)
        if message:  # and was not redacted
            text = read_pasted_words(message.decode("utf-8", "replace"))
            yield completion.completed_at, read_findings(text, place)


def _as_returned(read: Deliverable, placed: PlacedFile, completed_at: str | None) -> Deliverable:
    """What is known of a file as a run left it; bytes that hold a secret are not kept unasked."""
    from orch_tui.prepare.secrets import find_secrets
    from orch_tui.times import moment_of

    returned = moment_of(completed_at)
    try:
        written = os.stat(placed.file).st_mtime
    except (OSError, ValueError):  # it went meanwhile
        return read
    if returned is not None and written > returned.timestamp() + _WRITING_SECONDS:
        return type(read)(read.path, exists=True, problem=WRITTEN_SINCE, worktree=read.worktree)
    if read.data and find_secrets(read.data.decode("utf-8", "replace")):
        return replace(read, data=None)
    return read
