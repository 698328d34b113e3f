"""Attempts: the executions of one planned agent or, where nothing is planned, of one task.

A task is one bundle, or one briefing that was deployed without a bundle, for one agent type with
one scope in one session.
"""

from __future__ import annotations

from orch_tui.models.database import Record
from orch_tui.models.values import ENDINGS, WHEN

# the prompt of a launch that nobody deployed is a briefing, too: of several at once, say
_TEXT = "coalesce(bundle_id, iif(e.source IN ('manual', 'api'), 'text ' || e.briefing_id, NULL))"
_TASK = f"iif(planned_id IS NULL, json_array({_TEXT}, e.agent_type, e.scope), NULL)"
_KNOWN = f"coalesce(planned_id, {_TEXT}) IS NOT NULL"
_RETURNED = f"e.status IN {ENDINGS}"
_RUNS = "agent_executions AS e LEFT JOIN bundle_versions ON version_id = bundle_version_id"

NUMBERED_ATTEMPTS = f"""(
  SELECT execution_id, session_id, e.agent_type, e.scope, deployed_at, completed_at, status,
    success, unverified, run_project, retracted_at,
    iif({_KNOWN}, row_number() OVER (
      PARTITION BY session_id, planned_id, {_TASK} ORDER BY {WHEN}, e.rowid), NULL) AS attempt
  FROM {_RUNS} WHERE retracted_at IS NULL)"""
"""Executions with the number of each attempt, from 1; NULL where nothing says what of."""


def list_last_attempts(record: Record, session_id: str) -> set[str]:
    """List the executions of a session that no later attempt stands for: one that returned.

    While a retry is awaited, what the attempt before it came to still counts.
    """
    rows = record.sql(
        f"""SELECT execution_id FROM (
          SELECT execution_id, {_KNOWN} AS known, max({_RETURNED}) OVER (
            PARTITION BY planned_id, {_TASK} ORDER BY {WHEN}, e.rowid
            ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS is_followed
          FROM {_RUNS} WHERE session_id = ? AND retracted_at IS NULL)
        WHERE NOT coalesce(is_followed, 0) OR NOT known""",
        [session_id],
    )
    return {label for (label,) in rows}


def list_attempts(record: Record, execution_id: str, session_id: str) -> tuple[str, ...]:
    """List the attempts at the task of an execution, itself too, in the order they were deployed.

    Nothing where it is not known what it is an attempt at, or where it was retracted.
    """
    rows = record.sql(
        f"""WITH runs AS (
          SELECT execution_id, planned_id, {_TASK} AS task, {WHEN} AS at, e.rowid AS place
          FROM {_RUNS} WHERE session_id = ?1 AND retracted_at IS NULL AND {_KNOWN})
        SELECT each.execution_id FROM runs AS each JOIN runs AS this
        ON each.planned_id IS this.planned_id AND each.task IS this.task
        WHERE this.execution_id = ?2 ORDER BY each.at, each.place""",
        [session_id, execution_id],
    )
    return tuple(label for (label,) in rows)
