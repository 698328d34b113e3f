"""Reading executions as rows, and taking one back that was recorded by mistake."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from orch_tui.ids import not_found
from orch_tui.models.database import Record
from orch_tui.models.values import WHEN
from orch_tui.record.ledger.keys import resolve_label
from orch_tui.rows import Allocation, Completion, ExecutionFacts, ToldMessage, columns


def get_execution(record: Record, label: str) -> ExecutionFacts:
    """One execution by its label, or by a label it was once known under.

    Raises:
        NotFoundError: with the nearest known labels.
    """
    found = record.rows(
        f"SELECT {columns(ExecutionFacts)} FROM agent_executions WHERE execution_id = ?",
        [resolve_label(record, label)],
    )
    if not found:  # plain SQL deleted or renamed it
        raise not_found(record, "execution", label)
    return ExecutionFacts.of(found[0])


def select_executions(
    record: Record, condition: str = "1", parameters: Sequence[Any] = (), *, limit: int = -1
) -> list[ExecutionFacts]:
    """Executions that meet an SQL condition, newest first; retracted ones are left out."""
    rows = record.rows(
        f"SELECT {columns(ExecutionFacts)} FROM agent_executions WHERE retracted_at IS NULL "
        f"AND ({condition}) ORDER BY {WHEN} DESC, rowid DESC LIMIT ?",
        [*parameters, limit],
    )
    return [ExecutionFacts.of(row) for row in rows]


def list_allocations(record: Record, execution_id: str) -> list[Allocation]:
    """What an execution was given, in order."""
    rows = record.rows(
        f"SELECT {columns(Allocation)} FROM context_allocations WHERE execution_id = ? "
        "ORDER BY position, allocation_id",
        [execution_id],
    )
    return [Allocation.of(row) for row in rows]


def list_completions(record: Record, execution_id: str) -> list[Completion]:
    """Every return of an execution, oldest first."""
    rows = record.rows(
        f"SELECT {columns(Completion)} FROM completions WHERE execution_id = ? ORDER BY position",
        [execution_id],
    )
    return [Completion.of(row) for row in rows]


def list_told(record: Record, execution_id: str) -> list[ToldMessage]:
    """What an execution was told after its launch, oldest first."""
    rows = record.rows(
        f"SELECT {columns(ToldMessage)} FROM told WHERE execution_id = ? ORDER BY position",
        [execution_id],
    )
    return [ToldMessage.of(row) for row in rows]


def retract_execution(
    record: Record, label: str, reason: str, *, source: str = "manual"
) -> ExecutionFacts:
    """Take back an execution recorded by mistake: hidden from lists, kept with the reason."""
    from orch_tui.record.ledger.ingest import Report, ingest_statement  # reading needs no merge
    from orch_tui.record.ledger.statement import Retracted

    with record.write():
        execution_id = resolve_label(record, label)
        retracted = Retracted(reason=reason)
        ingest_statement(record, Report([f"id:{execution_id}"], retracted, source=source))
        return get_execution(record, execution_id)


def retract_executions(
    record: Record, labels: Iterable[str], reason: str, *, source: str = "manual"
) -> None:
    """Take back several executions for one reason: all of them, or where one is refused none."""
    with record.write():
        for label in labels:
            retract_execution(record, label, reason, source=source)
