"""What happened since somebody last looked: deployments and returns, whoever recorded them."""

from __future__ import annotations

from collections.abc import Iterator

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.values import as_bytes
from orch_tui.record import executions
from orch_tui.record.executions import list_completions
from orch_tui.record.ledger.contents import get_content_text
from orch_tui.rows import ExecutionFacts


@frozen
class News:
    """One deployment, or one return."""

    at: str | None
    event: str
    """deployed, completed or failed."""
    execution_id: str
    session_id: str
    agent_type: str
    scope: str | None
    model: str | None
    """The model that ran or, while that is not known, the one that was asked for."""
    parent_execution_id: str | None
    said: str | None
    """The first line of the final message, or what went wrong."""


class Follower:
    """Tells each deployment and each return once.

    It starts from what the record holds when it is made.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._seen = self._newest()
        self._told: dict[str, int] = {}
        """How many returns of each execution were told."""
        self._held: set[str] = set()
        self._before = int(record.value("SELECT coalesce(max(rowid), 0) FROM agent_executions"))

    def news(self) -> Iterator[News]:
        """What was not told yet, oldest first."""
        newest = self._newest()
        if newest == self._seen:
            return
        heard_of = {
            str(label)
            for (label,) in self._record.sql(
                "SELECT DISTINCT execution_id FROM observations WHERE observation_id > ? "
                "AND execution_id IN (SELECT execution_id FROM agent_executions)",
                [self._seen],
            )
        }
        found = {n for label in heard_of | self._held for n in self._of(label)}
        self._seen = newest
        yield from sorted(found, key=lambda n: (n.at or "", n.event != "deployed"))

    def _newest(self) -> int:
        return int(self._record.value("SELECT coalesce(max(observation_id), 0) FROM observations"))

    def _of(self, label: str) -> Iterator[News]:
        self._held.discard(label)
        run = executions.get_execution(self._record, label)
        label = run.execution_id
        if self._is_in_doubt(run):
            self._held.add(label)
            return
        is_new = self._is_new(label)

        def news(at: str | None, event: str, said: str | None) -> News:
            return News(
                *(at, event, label, run.session_id, run.agent_type, run.scope, run.model),
                *(run.parent_execution_id, said),
            )

        returns = list_completions(self._record, label)
        if is_new and label not in self._told:
            yield news(run.deployed_at, "deployed", None)
        told = self._told.get(label, 0 if is_new else self._returned_before(label))
        for completion in returns[told:]:
            message = completion.error_message or get_content_text(
                self._record, completion.message_id
            )
            yield news(completion.completed_at, completion.status, _first_line(message))
        self._told[label] = max(told, len(returns))

    def _is_new(self, label: str) -> bool:
        return bool(
            self._record.value(
                "SELECT rowid > ? FROM agent_executions WHERE execution_id = ?",
                [self._before, label],
            )
        )

    def _is_in_doubt(self, run: ExecutionFacts) -> bool:
        """Whether an agent is at work that may be one of the calls that are still open.

        A call in the foreground says which agent it started only when that has returned.
        """
        return (
            run.source == "hook"
            and run.tool_use_id is None
            and bool(
                self._record.value(
                    "SELECT 1 FROM agent_executions WHERE session_id = ? AND agent_type = ? "
                    "AND status = 'deployed' AND tool_use_id IS NOT NULL AND agent_id IS NULL",
                    [run.session_id, run.agent_type],
                )
            )
        )

    def _returned_before(self, label: str) -> int:
        """How often an execution had returned before anybody followed."""
        from orch_tui.record.ledger.merge import merge_statements
        from orch_tui.record.ledger.rebuild import stored_observations

        old = {
            as_bytes(digest).hex()
            for (digest,) in self._record.sql(
                "SELECT digest FROM observations WHERE execution_id = ? AND observation_id <= ?",
                [label, self._seen],
            )
        }
        before = [o for o in stored_observations(self._record, label) if o.digest in old]
        return len(merge_statements(before).returns)


def _first_line(message: str | None) -> str | None:
    lines = (line.strip() for line in (message or "").splitlines())
    return next((line for line in lines if line), None)
