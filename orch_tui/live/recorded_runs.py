"""What the record knows of the runs that are followed: which execution an agent is of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from orch_tui.errors import OrchError
from orch_tui.models.database import Record
from orch_tui.models.values import WHEN, timestamp
from orch_tui.record.ledger.keys import owner_of

_KEPT = timedelta(days=30)
"""How long Claude Code keeps transcripts: what was deployed before has none."""


class RecordedRuns:
    """Reads from the record that ``record`` gives (None: there is none), anew where it changed.

    ``only`` is the one execution that is asked about: of the others nobody looks for the agents.
    """

    def __init__(self, record: Callable[[], Record | None], only: str | None = None) -> None:
        self._open = record
        self._only = only
        self._record: Record | None = None
        self._newest = -1
        """The last observation when it was read."""
        self._found: dict[str, str | None] = {}
        self.waiting: Mapping[str, str] = {}
        """The executions that were deployed and did not return, by each of their keys."""

    def refresh(self) -> RecordedRuns:
        """Read the record again where something was stated since; one that is locked stays."""
        try:
            record = self._open()
            newest = -1
            if record is not None:
                newest = record.value("SELECT coalesce(max(observation_id), 0) FROM observations")
            if record is not self._record or newest != self._newest:
                self.waiting = {} if record is None else _waiting(record, self._only)
                self._record, self._newest, self._found = record, newest, {}
        except OrchError:
            pass
        return self

    def find(self, keys: Iterable[str]) -> str | None:
        """Find the execution that one of these keys names; None: nobody told of it."""
        for key in keys:
            if key not in self._found and self._record is not None:
                try:
                    self._found[key] = owner_of(self._record, key)
                except OrchError:
                    return None
            if found := self._found.get(key):
                return found
        return None


def _waiting(record: Record, only: str | None) -> dict[str, str]:
    since = timestamp(record.clock() - _KEPT)
    rows = record.sql(
        "SELECT key, execution_id FROM agent_executions JOIN execution_keys USING (execution_id) "
        f"WHERE {WHEN} >= ?1 AND status = 'deployed' AND retracted_at IS NULL "
        "AND origin_id IS NULL AND (key LIKE 'agent:%' OR key LIKE 'tool:%') "
        "AND execution_id = coalesce(?2, execution_id)",
        [since, only],
    )
    return {str(key): str(label) for key, label in rows}
