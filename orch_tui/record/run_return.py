"""One return of an execution with all that came with it: message, deliverables, findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from orch_tui.models.database import Record
from orch_tui.record import deliverables, executions, outputs
from orch_tui.record.completion import RecordedReturn, record_completion
from orch_tui.record.ledger import contents
from orch_tui.record.run_place import MissingFile, find_run_place, note_worktree

if TYPE_CHECKING:
    from orch_tui.record.agent_words import AgentWords
    from orch_tui.record.messages.findings import Findings
    from orch_tui.record.messages.message_checks import Result


class ReturnDetails(TypedDict, total=False):
    """What ``record_completion`` is told of a return besides its message."""

    status: str | None
    success: bool | None
    error_message: str | None
    error_code: str | None
    completed_at: str | None
    supersede: str | None
    source: str


def record_return(
    record: Record,
    execution_id: str,
    *,
    root: Path,
    cwd: Path | None = None,
    final_message: str | bytes | None = None,
    deliverable_paths: Iterable[str] = (),
    validation: outputs.Validation | None = None,
    insights: Sequence[str] = (),
    errors: Sequence[str] = (),
    collect: bool | Findings = False,
    missing: Callable[[MissingFile], object] = lambda file: None,
    **details: Unpack[ReturnDetails],
) -> tuple[RecordedReturn, Findings | None]:
    """Record one return and what it delivered: all of it or, where that fails, nothing.

    ``deliverable_paths`` are meant from ``cwd``, then from the working tree of the run, then from
    ``root``; they, ``validation``, ``insights`` and ``errors`` are what is claimed. Gives also what
    the message tells of (None without a message), which ``collect`` records, marked as found;
    given Findings it records those, what somebody left of them. ``missing`` is told of each claimed
    deliverable that is not there. A message that tells of a failure, where nobody says how the run
    ended, leaves it in doubt (``RecordedReturn.doubt``). Details and errors as in
    ``record_completion``.
    """
    execution = executions.get_execution(record, execution_id)
    place = find_run_place(record, execution, root, cwd)
    findings = None if isinstance(collect, bool) else collect
    doubt = None
    if findings is None and final_message is not None:
        from orch_tui.record.messages.findings import read_findings  # it compiles many patterns
        from orch_tui.record.pasted_words import read_pasted_return

        text = contents.encode_given(final_message).decode("utf-8", "replace")
        words = read_pasted_return(text)
        findings = read_findings(words.text or text, place)
        if not any(details.get(name) is not None for name in _OUTCOME):
            doubt = _find_doubt(words, {**findings.validation, **(validation or {})})
    # Read before the transaction: git may take its time.
    paths = list(deliverable_paths)
    claimed = deliverables.read_deliverables(map(place.place_path, paths))
    found = outputs.read_found_deliverables(findings) if collect and findings else []
    with record.write():
        note_worktree(record, execution, place.worktree, details.get("source", "manual"))
        recorded = record_completion(
            record, execution_id, final_message=final_message, doubt=doubt, **details
        )
        if claimed or validation or insights or errors:
            outputs.record_outputs(
                record,
                execution_id,
                claimed,
                validation=validation,
                insights=insights,
                errors=errors,
            )
        if collect and findings:
            outputs.record_found_outputs(record, execution_id, findings, found)
    for file in place.find_missing(paths):
        missing(file)
    return recorded, findings


_OUTCOME = ("status", "success", "error_message", "error_code")
"""What says how a run ended."""


def _find_doubt(words: AgentWords, checks: Mapping[str, Result]) -> str | None:
    from orch_tui.record.messages.proposed_outcome import find_failure, propose_outcome

    results = ((name, str(result)) for name, result in checks.items())
    return propose_outcome(find_failure(words), results).doubt
