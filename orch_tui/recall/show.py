"""One execution whole: what it was given, what it said, what it delivered, what stood around it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orch_tui.errors import NotFoundError
from orch_tui.frozen import frozen
from orch_tui.ids import not_found
from orch_tui.models.database import Record
from orch_tui.models.values import WHEN, readable
from orch_tui.recall.attempts import list_attempts
from orch_tui.recall.handed_over import TextDifference, compare_texts, find_called_type
from orch_tui.recall.listing import output_to_dict
from orch_tui.recall.timeline import TimelineStep
from orch_tui.record import deliverables, executions, outputs
from orch_tui.record import sessions as session_rows
from orch_tui.record.bundle_outlines import load_outlines
from orch_tui.record.ledger import briefings, contents, file_use
from orch_tui.record.ledger.file_use import FileUse
from orch_tui.record.ledger.journal import NOT_HANDED_OVER
from orch_tui.record.ledger.resolve import list_other_halves
from orch_tui.record.run_place import find_run_place
from orch_tui.rows import (
    Allocation,
    Completion,
    ExecutionFacts,
    Output,
    Session,
    ToldMessage,
    name_columns,
)

if TYPE_CHECKING:
    from orch_tui.prepare.secrets import Secret
    from orch_tui.record.messages.findings import Trouble


SHOWN_VERSION = 1
"""Of the JSON of an execution: counted up when a key changes its meaning or goes."""


@frozen
class Given:
    """One context item as it was given."""

    allocation: Allocation
    text: str | None
    """Its exact text; None where only its figures were recorded."""
    named_only: bool = False
    """The agent was only told to read it, as other agents were: its text was not handed over."""


@frozen
class ShownMessage:
    """A message that the agent got after its launch."""

    message: ToldMessage
    text: str | None


@lru_cache(maxsize=8)
def _find_secrets(message: str) -> tuple[Secret, ...]:
    from orch_tui.prepare.secrets import find_secrets  # only JSON and the app ask

    return find_secrets(message)


@frozen
class ShownReturn:
    """One completion and the message that came with it."""

    completion: Completion
    final_message: str | None
    exact: bytes | None
    """Its very bytes; None without a message, or where it was redacted."""

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What looks like a secret in its message, which is kept as it came; of the last few
        messages it is remembered."""
        return _find_secrets(self.final_message or "")

    @property
    def words(self) -> str:
        """What it said or, where it said nothing, why it failed."""
        if self.final_message and self.final_message.strip():
            return self.final_message
        reason = (self.completion.error_message, self.completion.error_code)
        return f"(no message) {', '.join(filter(None, reason))}".rstrip()


@frozen
class ShownOutput:
    """One output and, for a deliverable, what became of it on disk."""

    output: Output
    state: str | None
    """As ``check_output`` has it; None for what is no file."""


@frozen
class Shown:
    """Everything the record knows about one execution."""

    execution: ExecutionFacts
    session: Session
    given: tuple[Given, ...]
    briefing: str | None
    handed_over: str | None
    """The text it really got, where that is another one than the briefing."""
    difference: TextDifference | None
    """Between the two."""
    not_handed_over: str | None
    """Why the hook did not put the briefing in the place of the line that names it."""
    called_as: str | None
    """The agent type of the call, where another was planned."""
    told: tuple[ShownMessage, ...]
    """What it was told after its launch, oldest first."""
    returned: tuple[ShownReturn, ...]
    delivered: tuple[ShownOutput, ...]
    files: tuple[FileUse, ...]
    """The files it was given, and those its tools read and wrote."""
    may_be_one_with: tuple[str, ...]
    """A call that failed and runs of which nobody saw the call, or the other way round."""
    before: str | None
    """The execution of the same session deployed before it; ``after`` likewise."""
    after: str | None
    attempts: tuple[str, ...]
    """The executions of the same task, itself too, oldest first; none where that is not known."""
    same_context: tuple[str, ...]
    """Other executions that were given exactly the same contents, newest first."""


def shown_to_dict(shown: Shown, steps: Iterable[TimelineStep]) -> dict[str, Any]:
    """Give an execution as the JSON of ``orch show``, ``steps`` as its trail."""
    return {
        "facts": name_columns(shown.execution),
        "session": asdict(shown.session),
        "given": [
            {**asdict(g.allocation), "text": g.text, "named_only": g.named_only}
            for g in shown.given
        ],
        "briefing": shown.briefing,
        **({} if shown.handed_over is None else {"handed_over": shown.handed_over}),
        "difference": list(shown.difference.lines) if shown.difference else [],
        "not_handed_over": shown.not_handed_over,
        "called_as": shown.called_as,
        "told": [{**asdict(each.message), "text": each.text} for each in shown.told],
        "said": [
            {
                **asdict(r.completion),
                "final_message": r.final_message,
                "secrets": [secret._asdict() for secret in r.secrets],
            }
            for r in shown.returned
        ],
        "delivered": [{**output_to_dict(d.output), "state": d.state} for d in shown.delivered],
        "files": [{**asdict(file), "remark": file.remark} for file in shown.files],
        "may_be_one_with": list(shown.may_be_one_with),
        "before": shown.before,
        "after": shown.after,
        "attempts": list(shown.attempts),
        "same_context": list(shown.same_context),
        "trail": [asdict(step) for step in steps],
        "schema_version": SHOWN_VERSION,
    }


def show_execution(record: Record, label: str, root: Path) -> Shown:
    """One execution whole, by its label or, for the last one of an agent type, by that type.

    ``root`` is where relative deliverables are looked for.

    Raises:
        NotFoundError: with the nearest known labels.
    """
    execution = _execution(record, label)
    allocations = executions.list_allocations(record, execution.execution_id)
    named = _named_only(record, execution)
    before, after = _neighbours(record, execution)
    briefing = _read_text(record, execution.briefing_id)
    handed_over = _read_text(record, execution.handed_over_id)
    return Shown(
        execution=execution,
        session=session_rows.get_session(record, execution.session_id),
        given=tuple(
            Given(a, contents.get_content_text(record, a.content_id), a.context_source in named)
            for a in allocations
        ),
        briefing=briefing,
        handed_over=handed_over,
        difference=None if handed_over is None else compare_texts(briefing or "", handed_over),
        not_handed_over=_why_not_handed_over(record, execution.execution_id),
        called_as=find_called_type(record, execution),
        told=tuple(
            ShownMessage(m, contents.get_content_text(record, m.content_id))
            for m in executions.list_told(record, execution.execution_id)
        ),
        returned=tuple(
            ShownReturn(
                c,
                contents.get_content_text(record, c.message_id),
                None if c.message_id is None else contents.get_content(record, c.message_id),
            )
            for c in executions.list_completions(record, execution.execution_id)
        ),
        delivered=tuple(
            ShownOutput(output, deliverables.check_output(output, root))
            for output in outputs.list_execution_outputs(record, execution.execution_id)
        ),
        files=file_use.list_file_use(record, execution.execution_id),
        may_be_one_with=list_other_halves(record, execution.execution_id),
        before=before,
        after=after,
        attempts=list_attempts(record, execution.execution_id, execution.session_id),
        same_context=tuple(_same_context(record, execution.execution_id)),
    )


def _execution(record: Record, label: str) -> ExecutionFacts:
    try:
        return executions.get_execution(record, label)
    except NotFoundError:
        last = executions.select_executions(record, "agent_type = ?", [label], limit=1)
        if not last:
            found = record.sql("SELECT DISTINCT agent_type FROM agent_executions LIMIT 2000")
            types = [readable(agent_type) or "" for (agent_type,) in found]
            raise not_found(record, "execution", label, types) from None
        return last[0]


def _read_text(record: Record, briefing_id: int | None) -> str | None:
    if briefing_id is None:
        return None
    return briefings.get_briefing(record, briefing_id).decode("utf-8", "replace")


def _why_not_handed_over(record: Record, execution_id: str) -> str | None:
    said = record.value(
        "SELECT json_extract(after, '$.reason') FROM journal "
        "WHERE execution_id = ? AND action = ? ORDER BY seq DESC LIMIT 1",
        [execution_id, NOT_HANDED_OVER],
    )
    return None if said is None else str(said)


def find_troubles(record: Record, execution: ExecutionFacts, root: Path) -> tuple[Trouble, ...]:
    """Signs that its latest message is not the report it should be."""
    if execution.status != "completed" and not execution.final_message:
        return ()  # it waits, or is closed as failed, which need not say anything
    from orch_tui.record.messages.findings import read_troubles  # it compiles many patterns

    place = find_run_place(record, execution, root)
    return read_troubles(execution.final_message or "", place)


def _named_only(record: Record, execution: ExecutionFacts) -> set[str]:
    """The sources of its bundle that an execution was only told to read."""
    version = execution.bundle_version_id
    outline = load_outlines(record, [] if version is None else [version])
    return {i.source for bundle in outline.values() for i in bundle.items if i.is_pointed_to}


def _neighbours(record: Record, execution: ExecutionFacts) -> tuple[str | None, str | None]:
    labels = [
        label
        for (label,) in record.sql(
            "SELECT execution_id FROM agent_executions WHERE session_id = ? "
            "AND (retracted_at IS NULL OR execution_id = ?) "
            f"ORDER BY {WHEN}, rowid",
            [execution.session_id, execution.execution_id],
        )
    ]
    place = labels.index(execution.execution_id)
    return (
        labels[place - 1] if place else None,
        labels[place + 1] if place + 1 < len(labels) else None,
    )


def _same_context(record: Record, execution_id: str) -> list[str]:
    """Executions whose set of contents is equal; one that was given nothing has none.

    They are looked for among those that were given the rarest of the contents: some contents are
    given to every agent.
    """
    rows = record.sql(
        """WITH mine AS MATERIALIZED (SELECT DISTINCT content_id FROM context_allocations
                         WHERE execution_id = ?1 AND content_id IS NOT NULL)
        SELECT DISTINCT a.execution_id FROM context_allocations AS a
        WHERE a.execution_id <> ?1 AND a.content_id = (
            SELECT content_id FROM mine ORDER BY (SELECT count(*) FROM (
              SELECT 1 FROM context_allocations AS c WHERE c.content_id = mine.content_id
              LIMIT 5000)) LIMIT 1)
          AND NOT EXISTS (
            SELECT 1 FROM context_allocations AS other WHERE other.execution_id = a.execution_id
            AND content_id NOT IN mine)
          AND (SELECT count(DISTINCT content_id) FROM context_allocations AS all_of
               WHERE all_of.execution_id = a.execution_id) = (SELECT count(*) FROM mine)
        ORDER BY (SELECT deployed_at FROM agent_executions AS e
                  WHERE e.execution_id = a.execution_id) DESC""",
        [execution_id],
    )
    return [label for (label,) in rows]
