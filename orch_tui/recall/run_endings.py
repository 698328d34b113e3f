"""How runs ended, in a line each: why they failed, else the first words of what was said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.values import MODEL, has_succeeded, readable
from orch_tui.prepare.catalogue import Catalogue
from orch_tui.recall.listing import read_failed_checks
from orch_tui.record.own_projects import RUN_IN_PROJECT, OwnProjects

_READ = 2000
"""Characters of a final message that are read for its first words."""

_LOOKED_AT = 500
"""The newest returns that are looked at for those since a time."""


@frozen
class RunEnding:
    """One run and how its latest return ended it; nothing where it has not returned."""

    execution_id: str
    session_id: str
    agent_type: str
    scope: str
    status: str
    deployed_at: str | None
    completed_at: str | None
    returns: int
    words: str
    """Why it failed, else the first words of its message; one line, control characters and all."""
    context: int | None
    """Tokens of its last request."""
    filled: float | None
    """The share of its model's window that they fill; None where that is not known."""
    cost_usd: float | None
    went_well: bool | None
    """None: it is waited for, or in doubt."""
    doubt: str
    """Why it is not to be taken at its word; empty where nothing speaks against it."""
    failed_checks: tuple[str, ...]
    """The checks that failed in it."""


def read_endings(
    record: Record, labels: Sequence[str], catalogue: Catalogue
) -> dict[str, RunEnding]:
    """Read how these runs ended, by their labels; those that are not there are left out."""
    rows = record.sql(
        "SELECT execution_id, session_id, agent_type, scope, status, deployed_at, completed_at, "
        "(SELECT count(*) FROM completions AS c WHERE c.execution_id = e.execution_id), "
        f"error_message, error_code, substr(final_message, 1, {_READ}), context_end_tokens, "
        f"{MODEL}, cost_usd, unverified, success FROM agent_executions AS e "
        "WHERE execution_id IN (SELECT value FROM json_each(?))",
        [json.dumps(list(labels))],
    )
    failed = read_failed_checks(record, labels)
    return {row[0]: _make_ending(row, failed.get(row[0], ()), catalogue) for row in rows}


def list_awaited_runs(record: Record, session_id: str) -> list[str]:
    """List the runs of a session that were handed over here and have not returned."""
    rows = record.sql(
        "SELECT execution_id FROM agent_executions "
        "WHERE session_id = ? AND status = 'deployed' AND retracted_at IS NULL "
        "AND origin_id IS NULL",
        [session_id],
    )
    return [label for (label,) in rows]


def list_returned_since(record: Record, since: str, project: OwnProjects | None) -> list[str]:
    """List the runs that returned at or after a time, those that came last first.

    Left out are those that another agent launched: what they bring is brought to that one.
    """
    within = "1" if project is None else RUN_IN_PROJECT
    rows = record.sql(
        "SELECT DISTINCT execution_id FROM (SELECT execution_id, completed_at FROM completions "
        "ORDER BY completion_id DESC LIMIT ?) AS c JOIN agent_executions AS e USING (execution_id) "
        f"WHERE c.completed_at >= ? AND e.status IN ('completed', 'failed') "
        f"AND retracted_at IS NULL AND parent_execution_id IS NULL AND {within}",
        [_LOOKED_AT, since, *([] if project is None else [json.dumps(project)] * 2)],
    )
    return [label for (label,) in rows]


def _make_ending(
    row: tuple[Any, ...], failed_checks: tuple[str, ...], catalogue: Catalogue
) -> RunEnding:
    (label, session_id, agent_type, scope, status, deployed, completed, returns) = row[:8]
    (reason, code, message, context, model, cost, doubt, success) = row[8:]
    why = ", ".join(filter(None, (readable(reason), readable(code)))) if status == "failed" else ""
    context = context if isinstance(context, int) else None
    return RunEnding(
        label,
        session_id,
        readable(agent_type) or "",
        readable(scope) or "",
        readable(status) or "",
        readable(deployed),
        readable(completed),
        returns,
        why or find_first_words(readable(message) or ""),
        context,
        _share_filled(context, readable(model), catalogue),
        cost if isinstance(cost, float) else None,
        has_succeeded(status, success, doubt),
        readable(doubt) or "",
        failed_checks,
    )


def find_first_words(message: str) -> str:
    """Find the first line of Markdown that says something, a heading where nothing else does."""
    heading = ""
    for line in message.splitlines():
        said = line.strip().lstrip("#>*-` ").replace("**", "").replace("`", "")
        if any(letter.isalnum() for letter in said):
            if not line.lstrip().startswith("#"):
                return said
            heading = heading or said
    return heading


def _share_filled(context: int | None, model: str | None, catalogue: Catalogue) -> float | None:
    if not context or not model:
        return None
    found = catalogue.model_that_ran(model)
    return None if found.assumed or context > found.window else context / found.window
