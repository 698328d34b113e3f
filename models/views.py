"""Views for people who open the record with datasette, sqlite-utils, duckdb or the shell of SQLite.

Nothing of orch reads them. Retracted runs are left out, and columns are named as in the copy that
``orch export --sqlite`` writes. That copy has the texts, too: most of those are compressed here,
which SQL cannot undo.
"""

from __future__ import annotations

from orch_tui.models.values import MODEL

VIEWS = (
    f"""CREATE VIEW IF NOT EXISTS runs AS
SELECT e.execution_id, e.session_id, coalesce(s.title, s.scope) AS session, e.agent_type, e.scope,
  e.status, e.success, e.unverified, e.final_message, e.error_message, e.deployed_at,
  e.completed_at, e.duration_ms, {MODEL} AS model, e.context_token_count, e.context_end_tokens,
  e.input_tokens, e.cache_write_tokens, e.cache_read_tokens, e.output_tokens, e.cost_usd,
  e.tool_calls, e.parent_execution_id, e.worktree
FROM agent_executions AS e LEFT JOIN sessions AS s USING (session_id)
WHERE e.retracted_at IS NULL""",
    """CREATE VIEW IF NOT EXISTS given AS
SELECT a.execution_id, e.agent_type, e.deployed_at, a.position, a.context_type, a.context_source,
  a.sections, a.priority, a.token_count, a.estimator, a.included_in_deployment
FROM context_allocations AS a JOIN agent_executions AS e USING (execution_id)
WHERE e.retracted_at IS NULL""",
    """CREATE VIEW IF NOT EXISTS said AS
SELECT c.execution_id, e.agent_type, c.position, c.completed_at, c.status, c.success,
  c.error_message, iif(c.message_id IS e.message_id, e.final_message, NULL) AS text
FROM completions AS c JOIN agent_executions AS e USING (execution_id)
WHERE e.retracted_at IS NULL""",
)
"""``text`` of ``said`` is that of the latest return; those before it are compressed."""
