"""Recording what came back: one return of an execution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    status: Status | None
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
    doubt: str | None = None
    """What speaks against it being completed, where nobody said how it ended."""


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
    doubt: str | None = None,
    source: str = "manual",
) -> RecordedReturn:
    """Record one return of an execution; the same call again changes nothing.

    A different message is another completion, never an overwrite. Without a message the latest
    one is meant: what is given of its outcome amends it, and nothing given leaves it as it is. A
    run that never returned can be closed as failed without a message, and no other way.
    ``success`` follows ``status`` and ``status`` follows ``success`` unless both are given; an
    error is a failure. ``supersede`` is the reason to take back what people and scripts said of
    earlier returns, or of the outcome of the latest. ``doubt`` is what was read in a message that
    speaks against it, where nobody says how the run ended: it is completed and unverified.

    Raises:
        NotFoundError: no such execution was deployed.
        UsageError: a status or error code that does not exist; no message of a run that never
            returned; a message without words where one with words is recorded.
        ConflictError: the same message was recorded with another status or error, or the latest
            return with another outcome, and no reason was given.
    """
    if status is not None and status not in STATUSES:
        raise UsageError(f"an execution returns {' or '.join(STATUSES)}, not {status!r}")
    if error_code is not None and error_code not in ERROR_CODES:
        raise UsageError(
            f"there is no error code {error_code!r}",
            hint=", ".join(f"{code} {name}" for code, name in ERROR_CODES.items()),
        )
    went_wrong = success is False or bool(error_message or error_code)
    with record.write():
        execution_id = resolve_label(record, execution_id)
        before = executions.list_completions(record, execution_id)
        doubted = executions.get_execution(record, execution_id).unverified
        if final_message is not None and not final_message.strip() and before and not supersede:
            _refuse_emptying(record, execution_id)
        said = _SaidOfReturn(
            status=cast(Status, status or ("failed" if went_wrong else "completed")),
            success=success,
            error_message=error_message,
            error_code=error_code,
            completed_at=completed_at,
        )
        returned: Returned | None
        if final_message is None and before:
            if status is None and success is None and not went_wrong:
                said["status"] = None
            returned = _amend(record, before, said, supersede)
        elif final_message is None and said["status"] != "failed":
            raise _never_returned(execution_id)
        else:
            returned = _tell_return(record, execution_id, said, final_message, supersede, doubt)
        if returned is not None:
            ingest_statement(
                record,
                Report([f"id:{execution_id}"], returned, source=source, message=final_message),
            )
        execution = executions.get_execution(record, execution_id)
        after = executions.list_completions(record, execution_id)
        is_new = (after, execution.unverified) != (before, doubted)
        if is_new:
            journal.log_action(
                record,
                "record-completion",
                session_id=execution.session_id,
                execution_id=execution_id,
                after={
                    "status": after[-1].status,
                    "completions": len(after),
                    "reason": supersede,
                },
            )
        copied = _find_copied(record, after if len(after) > 1 else [], final_message)
        is_doubted = doubt is not None and execution.unverified is not None
        recorded = RecordedReturn(
            execution, copied or after[-1], is_new, doubt if is_doubted else None
        )
    if recorded.is_new:
        from orch_tui.record.hand_over import remove_returned

        remove_returned(record)
    return recorded


def _refuse_emptying(record: Record, execution_id: str) -> None:
    """Refuse a message without words for a run that said something: a variable was empty."""
    said = executions.get_execution(record, execution_id).final_message
    if said and said.strip():
        raise UsageError(
            f"the message is empty, and {execution_id} returned with one already",
            hint="is a variable empty? --supersede REASON takes back what was recorded",
        )


def _tell_return(
    record: Record,
    execution_id: str,
    said: _SaidOfReturn,
    message: str | bytes | None,
    supersede: str | None,
    doubt: str | None,
) -> Returned:
    """Make the statement of a return; what it takes back is what was said of others."""
    if supersede is None:
        _agree_or_conflict(record, execution_id, said, message)
        return Returned(**said, doubt=doubt)
    words = None if message is None else _words(message)
    taken_back = _said_otherwise(record, execution_id, {**said, "words": words, "doubt": doubt})
    return Returned(
        **said, doubt=doubt, supersedes=taken_back, reason=supersede if taken_back else None
    )


def _amend(
    record: Record, returns: list[Completion], said: _SaidOfReturn, supersede: str | None
) -> Returned | None:
    """Make the statement that says otherwise how the latest return ended; None: all is known.

    What nobody said before is added; what was said needs a reason to be taken back.
    """
    latest = returns[-1]
    if said["status"] and said["success"] is None:
        said["success"] = said["status"] == "completed"
    differs = {
        name: value
        for name, value in said.items()
        if value is not None and getattr(latest, name) != value
    }
    held = _said_of_latest(record, returns)
    doubted = [o for o in held if isinstance(o.statement, Returned) and o.statement.doubt]
    if not differs and not (doubted and supersede and said["status"] == "completed"):
        return None
    taken_back = [name for name in differs if getattr(latest, name) is not None]
    if taken_back and supersede is None:
        different = (
            f"{name} is {getattr(latest, name)!r}, not {differs[name]!r}" for name in taken_back
        )
        raise ConflictError(
            f"completion {latest.position} of {latest.execution_id} was recorded already: "
            f"{'; '.join(different)}",
            hint="--supersede REASON amends it; --final-message TEXT records another return",
        )
    speaks = next((o.statement for o in reversed(held) if o.words is not None), None)
    kept = {
        name: getattr(latest, name)
        for name in said
        if name not in _REASONS or differs.get("status") != "completed"
    }
    if not held:
        del kept["completed_at"]  # whoever saw it come back knows better
    return Returned(
        **{**kept, **differs},
        message=speaks.message if isinstance(speaks, Returned) else None,
        words=speaks.words if isinstance(speaks, Returned) else None,
        supersedes=_take_back(held),
        reason=supersede,
    )


_REASONS = ("error_message", "error_code")
"""What a return that turns out to be none of a failure has no more."""


def _said_of_latest(record: Record, returns: list[Completion]) -> list[Observation]:
    """What people and scripts said of the latest return."""
    latest = returns[-1]
    said = _said(record, latest.execution_id)
    text = contents.get_content_text(record, latest.message_id)
    told_before = any(latest.message_id == earlier.message_id for earlier in returns[:-1])
    words = None if text is None or told_before else text_fingerprint(text)
    return [o for o in said if o.words == words] or [o for o in said if o.words is None]


def _never_returned(execution_id: str) -> UsageError:
    return UsageError(
        f"{execution_id} has not returned: there is no return to add this to",
        hint="give what it said (--final-message TEXT, --final-message-file FILE), or close it "
        "with --status failed --error-message WHY; `orch collect` keeps outputs of a run that "
        "goes on",
    )


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


def _are_copies(one: str | bytes | None, other: str | bytes | None) -> bool:
    return not _fingerprints(one).isdisjoint(_fingerprints(other))


def _said(record: Record, execution_id: str) -> list[Observation]:
    """What was said of returns by hand or script; what hooks and transcripts saw is not ours."""
    return [
        o
        for o in not_superseded(stored_observations(record, execution_id))
        if isinstance(o.statement, Returned) and o.source in SAID
    ]


def _said_otherwise(
    record: Record, execution_id: str, wanted: Mapping[str, object]
) -> tuple[str, ...]:
    return _take_back(
        o
        for o in _said(record, execution_id)
        if any(getattr(o.statement, name) != value for name, value in wanted.items())
    )


def _take_back(said: Iterable[Observation]) -> tuple[str, ...]:
    """Name statements with those that they take back themselves, which would hold again."""
    digests: set[str] = set()
    for o in said:
        digests |= {o.digest}
        digests.update(o.statement.supersedes if isinstance(o.statement, Returned) else ())
    return tuple(sorted(digests))


def _agree_or_conflict(
    record: Record, execution_id: str, said: _SaidOfReturn, message: str | bytes | None
) -> None:
    """A copy of a message is the same return: what else is said of it must be the same too."""
    for held in [] if message is None else _said(record, execution_id):
        different = [
            f"{name} is {getattr(held.statement, name)!r}, not {value!r}"
            for name, value in said.items()
            if value is not None and getattr(held.statement, name) != value
        ]
        if different and _are_copies(message, _message_of(record, held)):
            raise ConflictError(
                f"this message of {execution_id} was recorded already: {'; '.join(different)}",
                hint="--supersede REASON replaces what was said of it",
            )


def _message_of(record: Record, held: Observation) -> bytes | None:
    statement = held.statement
    message = statement.message if isinstance(statement, Returned) else None
    return contents.get_content_by_sha256(record, message) if message else None
