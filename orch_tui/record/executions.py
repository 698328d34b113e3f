"""Reading executions as rows, and taking one back that was recorded by mistake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from orch_tui.errors import ConflictError
from orch_tui.ids import not_found
from orch_tui.models.database import Record
from orch_tui.models.row_blocks import read_in_blocks, select_keys
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


def iterate_selected(
    record: Record, condition: str = "1", parameters: Sequence[Any] = (), *, limit: int = -1
) -> Iterator[ExecutionFacts]:
    """Iterate over what `select_executions` selects, of which few are in memory at once."""
    keys = select_keys(
        record,
        f"SELECT rowid FROM agent_executions WHERE retracted_at IS NULL AND ({condition}) "
        f"ORDER BY {WHEN} DESC, rowid DESC LIMIT ?",
        parameters,
        limit,
    )
    rows = read_in_blocks(
        record,
        keys,
        f"SELECT rowid AS key, {columns(ExecutionFacts)} FROM agent_executions "
        "WHERE rowid IN (SELECT value FROM json_each(?))",
    )
    return map(ExecutionFacts.of, rows)


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
    with record.write():
        execution_id = resolve_label(record, label)
        retractions, restorations = _read_retractions(record, execution_id)
        # One that was taken back lives again when that is: a text said twice is one statement.
        supersedes = () if retractions else restorations
        _tell_retracted(record, execution_id, source, reason=reason, supersedes=supersedes)
        return get_execution(record, execution_id)


def retract_executions(
    record: Record, labels: Iterable[str], reason: str, *, source: str = "manual"
) -> None:
    """Take back several executions for one reason: all of them, or where one is refused none."""
    with record.write():
        for label in labels:
            retract_execution(record, label, reason, source=source)


def restore_executions(record: Record, labels: Iterable[str], *, source: str = "manual") -> None:
    """Take back that several executions were retracted: all of them, or where one is refused none.

    Raises:
        NotFoundError: one is not known.
        ConflictError: one is not retracted.
    """
    with record.write():
        for label in labels:
            execution_id = resolve_label(record, label)
            retractions, _ = _read_retractions(record, execution_id)
            if not retractions:
                raise ConflictError(f"{label} is not retracted")
            _tell_retracted(record, execution_id, source, supersedes=retractions)


def _read_retractions(record: Record, execution_id: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read the digests of what retracts an execution, with what revived it, or of what keeps it
    from being retracted."""
    from orch_tui.record.ledger.merge import is_retraction, not_superseded  # reading needs no merge
    from orch_tui.record.ledger.rebuild import stored_observations
    from orch_tui.record.ledger.statement import Retracted

    told = not_superseded(stored_observations(record, execution_id))
    living = [each for each in told if isinstance(each.statement, Retracted)]
    digests = tuple(each.digest for each in living)
    return (digests, ()) if any(map(is_retraction, living)) else ((), digests)


def _tell_retracted(
    record: Record,
    execution_id: str,
    source: str,
    *,
    reason: str | None = None,
    supersedes: tuple[str, ...],
) -> None:
    from orch_tui.record.ledger.ingest import Report, ingest_statement
    from orch_tui.record.ledger.statement import Retracted

    told = Retracted(reason=reason, supersedes=supersedes)
    ingest_statement(record, Report([f"id:{execution_id}"], told, source=source))
