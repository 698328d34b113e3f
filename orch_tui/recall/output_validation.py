"""Whether what a session delivered holds, from stored facts and the disk; silence is no success."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.values import ENDINGS, has_succeeded
from orch_tui.recall import listing
from orch_tui.recall.attempts import list_last_attempts
from orch_tui.recall.listing import CheckResult, DeliverableState
from orch_tui.record import sessions
from orch_tui.record.ledger import journal
from orch_tui.rows import ERROR_CODES, ExecutionFacts, Output, Session

GATES = ("format", "lint", "types", "tests")
"""The quality gates that are reported even where no result of theirs was recorded."""
COVERAGE = "coverage"


@frozen
class ExecutionResults:
    """What was checked of one execution."""

    execution: ExecutionFacts
    results: Mapping[str, CheckResult]
    """The latest of every check."""
    superseded: bool
    """A later attempt of the same planned agent, or with the same bundle, stands for it."""


@frozen
class OutputValidation:
    """Whether the outputs of a session hold; sentences name what does not.

    Earlier attempts are listed, but what failed in them and what they made counts no more.
    """

    session_id: str
    deliverables: tuple[DeliverableState, ...]
    superseded_deliverables: tuple[DeliverableState, ...]
    """What only attempts made that a later one stands for."""
    executions: tuple[ExecutionResults, ...]
    failed: tuple[str, ...]
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    waiting: tuple[str, ...]
    not_recorded: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Nothing failed, nothing is missing, nobody is still waited for.

        What was never recorded does not make it false: ``not_recorded`` lists it.
        """
        return not (self.failed or self.missing or self.waiting)

    def to_dict(self) -> dict[str, Any]:
        return {
            "session_id": self.session_id,
            "ok": self.ok,
            "failed": list(self.failed),
            "missing": list(self.missing),
            "changed": list(self.changed),
            "waiting": list(self.waiting),
            "not_recorded": list(self.not_recorded),
            "deliverables": _name_states(self.deliverables),
            "superseded_deliverables": _name_states(self.superseded_deliverables),
            "executions": [
                {
                    "execution_id": checked.execution.execution_id,
                    "agent_type": checked.execution.agent_type,
                    "status": checked.execution.status,
                    "superseded": checked.superseded,
                    "results": {check: r._asdict() for check, r in checked.results.items()},
                }
                for checked in self.executions
            ],
        }


def _name_states(deliverables: Iterable[DeliverableState]) -> list[dict[str, Any]]:
    return [
        {"path": d.path, "state": d.state, "execution_id": d.output.execution_id}
        for d in deliverables
    ]


def validate_outputs(record: Record, session_id: str, root: Path) -> OutputValidation:
    """Check what a session delivered against the disk and its recorded results.

    ``root`` is where relative deliverables are looked for. The journal keeps the answer.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
    """
    validation = check_outputs(record, sessions.get_session(record, session_id), root)
    answer = validation.to_dict()
    kept = ("ok", "failed", "missing", "changed", "waiting", "not_recorded")
    with record.write():
        journal.log_action(
            record,
            "validate-outputs",
            session_id=session_id,
            after={name: answer[name] for name in kept},
        )
    return validation


def check_outputs(record: Record, session: Session, root: Path) -> OutputValidation:
    executions = listing.list_executions(record, session_id=session.session_id)[::-1]
    held = list_session_outputs(record, session.session_id)
    results = listing.latest_results(
        (o.execution_id, o.output_type or "", o.text, o.found, o.created_at) for o in held
    )
    last = list_last_attempts(record, session.session_id)
    checked = tuple(
        ExecutionResults(e, results.get(e.execution_id, {}), e.execution_id not in last)
        for e in executions
    )
    deliverables = tuple(
        listing.deliverable_states([o for o in held if o.execution_id in last], root)
    )
    standing = {deliverable.path for deliverable in deliverables}
    before = listing.deliverable_states([o for o in held if o.execution_id not in last], root)
    return OutputValidation(
        session_id=session.session_id,
        deliverables=deliverables,
        superseded_deliverables=tuple(each for each in before if each.path not in standing),
        executions=checked,
        failed=tuple(_failed(session, [c for c in checked if not c.superseded])),
        missing=tuple(_in_state(deliverables, "missing")),
        changed=tuple(_in_state(deliverables, "changed since")),
        waiting=tuple(
            f"{e.execution_id} ({e.agent_type}) has not returned"
            for e in executions
            if is_waiting(e)
        ),
        not_recorded=tuple(_silent(checked, deliverables)),
    )


def list_session_outputs(record: Record, session_id: str) -> list[Output]:
    return listing.list_outputs(record, session_id=session_id)[::-1]


def is_waiting(execution: ExecutionFacts) -> bool:
    return execution.status not in ENDINGS


def has_failed(execution: ExecutionFacts) -> bool:
    return has_succeeded(execution.status, execution.success) is False


def _failed(session: Session, standing: Iterable[ExecutionResults]) -> Iterator[str]:
    target = find_coverage_target(session)
    for checked in standing:
        execution = checked.execution
        if has_failed(execution):
            reason = describe_error(execution)
            yield f"{execution.execution_id} ({execution.agent_type}) failed{reason}"
        for check, result in checked.results.items():
            if result.verdict == "fail":
                yield f"{check} failed for {execution.execution_id}{note_found(result.found)}"
            below = check == COVERAGE and target and not isinstance(result.value, str)
            if below and float(result.value) < target:  # type: ignore[operator]
                yield f"coverage {result.value} of {execution.execution_id} is below {target:g}"


def describe_error(execution: ExecutionFacts) -> str:
    code = execution.error_code
    named = f"{code} {ERROR_CODES.get(code, '')}".strip() if code else ""
    reasons = [reason for reason in (named, execution.error_message) if reason]
    return f": {', '.join(reasons)}" if reasons else ""


def _in_state(deliverables: Iterable[DeliverableState], state: str) -> Iterator[str]:
    for deliverable in deliverables:
        if deliverable.state == state:
            yield f"{deliverable.path} ({deliverable.output.execution_id})"


def _silent(
    checked: Sequence[ExecutionResults], deliverables: Sequence[DeliverableState]
) -> Iterator[str]:
    if not checked:
        yield "no agent was deployed"
    for each in checked:
        execution = each.execution
        if each.superseded or is_waiting(execution):
            continue
        absent = []
        if not has_failed(execution):
            absent += [gate for gate in GATES if gate not in each.results]
            if not any(d.output.execution_id == execution.execution_id for d in deliverables):
                absent.append("deliverables")
        if not (execution.final_message or "").strip():
            absent.append("final message")
        if absent:
            yield f"{', '.join(absent)} ({execution.execution_id})"


def find_coverage_target(session: Session) -> float | None:
    """``coverage_target`` of the session's metadata: the one place that can record it."""
    target = session.metadata.get("coverage_target") if isinstance(session.metadata, dict) else None
    return float(target) if isinstance(target, int | float) else None


def note_found(found: bool) -> str:
    return ", found in its message" if found else ""
