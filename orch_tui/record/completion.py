"""Recording what came back: one return of an execution."""

from __future__ import annotations

from typing import TypedDict, cast

from orch_tui.errors import ConflictError, UsageError
from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.record import executions
from orch_tui.record.ledger import contents, journal
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.keys import resolve_label
from orch_tui.record.ledger.merge import SAID, Observation, not_superseded, text_fingerprint
from orch_tui.record.ledger.rebuild import stored_observations
from orch_tui.record.ledger.statement import Returned, Status
from orch_tui.rows import ERROR_CODES, Completion, ExecutionFacts

STATUSES = ("completed", "failed")


class _SaidOfReturn(TypedDict):
    status: Status
    success: bool | None
    error_message: str | None
    error_code: str | None
    completed_at: str | None


@frozen
class RecordedReturn:
    """What ``record_completion`` did."""

    execution: ExecutionFacts
    completion: Completion
    is_new: bool
    """False where the same return was recorded before."""


def record_completion(
    record: Record,
    execution_id: str,
    *,
    final_message: str | bytes | None = None,
    status: str | None = None,
    success: bool | None = None,
    error_message: str | None = None,
    error_code: str | None = None,
    completed_at: str | None = None,
    supersede: str | None = None,
    source: str = "manual",
) -> RecordedReturn:
    """Record one return of an execution; the same call again changes nothing.

    A different message is another completion, never an overwrite. ``success`` follows
    ``status`` and ``status`` follows ``success`` unless both are given; an error is a failure.
    ``supersede`` is the reason to take back what people and scripts said of earlier returns.

    Raises:
        NotFoundError: no such execution was deployed.
        UsageError: a status or error code that does not exist.
        ConflictError: the same message was recorded with another status or error.
    """
    if status is not None and status not in STATUSES:
        raise UsageError(f"an execution returns {' or '.join(STATUSES)}, not {status!r}")
    if error_code is not None and error_code not in ERROR_CODES:
        raise UsageError(
            f"there is no error code {error_code!r}",
            hint=", ".join(f"{code} {name}" for code, name in ERROR_CODES.items()),
        )
    if status is None:
        went_wrong = success is False or error_message or error_code
        status = "failed" if went_wrong else "completed"
    with record.write():
        execution_id = resolve_label(record, execution_id)
        before = executions.list_completions(record, execution_id)
        said = _SaidOfReturn(
            status=cast(Status, status),
            success=success,
            error_message=error_message,
            error_code=error_code,
            completed_at=completed_at,
        )
        taken_back: tuple[str, ...] = ()
        words = None if final_message is None else _words(final_message)
        if supersede is None and before:
            _agree_or_conflict(record, execution_id, said, final_message)
        elif supersede is not None:
            taken_back = _said_otherwise(record, execution_id, said, words)
        reason = supersede if taken_back else None
        returned = Returned(**said, supersedes=taken_back, reason=reason)
        ingest_statement(
            record,
            Report([f"id:{execution_id}"], returned, source=source, message=final_message),
        )
        execution = executions.get_execution(record, execution_id)
        after = executions.list_completions(record, execution_id)
        if after != before:
            journal.log_action(
                record,
                "record-completion",
                session_id=execution.session_id,
                execution_id=execution_id,
                after={"status": status, "completions": len(after), "reason": supersede},
            )
        copied = _find_copied(record, after if len(after) > 1 else [], final_message)
        recorded = RecordedReturn(execution, copied or after[-1], after != before)
    if recorded.is_new:
        from orch_tui.record.hand_over import remove_returned

        remove_returned(record)
    return recorded


def _words(message: str | bytes) -> str:
    return text_fingerprint(contents.encode_given(message).decode("utf-8", "replace"))


def find_recorded_return(
    record: Record, execution_id: str, final_message: str | bytes
) -> Completion | None:
    """Find the newest return that a message is a copy of, as somebody may have pasted it."""
    return _find_copied(record, executions.list_completions(record, execution_id), final_message)


def _find_copied(
    record: Record, returns: list[Completion], message: str | bytes | None
) -> Completion | None:
    prints = _fingerprints(message if returns else None)
    for completion in reversed(returns if prints else []):
        text = contents.get_content_text(record, completion.message_id)
        if text is not None and not prints.isdisjoint(_fingerprints(text)):
            return completion
    return None


def _fingerprints(message: str | bytes | None) -> frozenset[str]:
    """Hash what a message and the copies of it have in common; nothing for none."""
    if message is None:
        return frozenset()
    from orch_tui.record.pasted_words import fingerprints_of_paste  # a first return needs none

    text = contents.encode_given(message).decode("utf-8", "replace")
    return frozenset(fingerprints_of_paste(text))


def _said(record: Record, execution_id: str) -> list[Observation]:
    """What was said of returns by hand or script; what hooks and transcripts saw is not ours."""
    return [
        o
        for o in not_superseded(stored_observations(record, execution_id))
        if isinstance(o.statement, Returned) and o.source in SAID
    ]


def _said_otherwise(
    record: Record, execution_id: str, said: _SaidOfReturn, words: str | None
) -> tuple[str, ...]:
    wanted = {**said, "words": words}
    return tuple(
        sorted(
            o.digest
            for o in _said(record, execution_id)
            if any(getattr(o.statement, name) != value for name, value in wanted.items())
        )
    )


def _agree_or_conflict(
    record: Record, execution_id: str, said: _SaidOfReturn, message: str | bytes | None
) -> None:
    """A copy of a message is the same return: what else is said of it must be the same too."""
    prints = _fingerprints(message)
    for held in _said(record, execution_id) if prints else ():
        different = [
            f"{name} is {getattr(held.statement, name)!r}, not {value!r}"
            for name, value in said.items()
            if value is not None and getattr(held.statement, name) != value
        ]
        if different and not prints.isdisjoint(_fingerprints(_message_of(record, held))):
            raise ConflictError(
                f"this message of {execution_id} was recorded already: {'; '.join(different)}",
                hint="--supersede REASON replaces what was said of it",
            )


def _message_of(record: Record, held: Observation) -> bytes | None:
    statement = held.statement
    message = statement.message if isinstance(statement, Returned) else None
    return contents.get_content_by_sha256(record, message) if message else None
