"""Sessions of Claude Code: what it deployed by itself, without anybody opening a session of orch.

Such a session has no phase, since nobody planned it. Whether it goes on is worked out from what
was heard of it: it has ended when Claude Code said so and nothing was heard later, or when nothing
was heard for a day.
"""

from __future__ import annotations

from datetime import timedelta

from orch_tui.models.database import Record
from orch_tui.models.values import timestamp, unnamed_scope
from orch_tui.record.ledger.project_keys import project_key

_SILENCE = timedelta(days=1)


def ensure_claude_session(
    record: Record, claude_session: str, *, project: str, started_at: str | None
) -> str:
    """Give the session of one of Claude Code, made where there is none. Call it within a write.

    The order in which its parts are heard of changes nothing: the earliest ``started_at`` stands
    (None: not known).
    """
    held = record.rows(
        "SELECT session_id, created_at FROM sessions WHERE claude_session = ?", [claude_session]
    )
    if held:
        session_id = str(held[0]["session_id"])
        if started_at and started_at < (held[0]["created_at"] or "~"):
            record.execute(
                "UPDATE sessions SET created_at = ? WHERE session_id = ?", [started_at, session_id]
            )
        return session_id
    short = f"claude-{claude_session[:8]}"
    taken = record.value("SELECT 1 FROM sessions WHERE session_id = ?", [short])
    session_id = f"claude-{claude_session}" if taken else short
    record.execute(
        "INSERT INTO sessions (session_id, created_at, scope, status, project, project_key, "
        "claude_session) VALUES (?, ?, ?, 'executing', ?, ?, ?)",
        [
            session_id,
            started_at,
            unnamed_scope(claude_session),
            project,
            project_key(record, project),
            claude_session,
        ],
    )
    return session_id


def name_session(record: Record, claude_session: str, name: str) -> None:
    """Have a session of Claude Code go by what its user calls it, or asked for first.

    Call it within a write. A scope that somebody gave it since stays.
    """
    record.execute(
        "UPDATE sessions SET scope = ?1, title = ?1 WHERE claude_session = ?2 "
        "AND scope IN (coalesce(title, ''), ?3) AND scope <> ?1",
        [name, claude_session, unnamed_scope(claude_session)],
    )


def note_session_end(record: Record, claude_session: str, at: str) -> None:
    """Claude Code said ``at`` that its session ended; call it within a write."""
    record.execute(
        "UPDATE sessions SET ended_at = max(coalesce(ended_at, ''), ?) WHERE claude_session = ?",
        [at, claude_session],
    )
    refresh_session(record, claude_session)


def refresh_session(record: Record, claude_session: str) -> None:
    """Work out whether a session of Claude Code goes on; call it within a write."""
    for session_id, ended_at, status, completed_at in record.sql(
        "SELECT session_id, ended_at, status, completed_at FROM sessions WHERE claude_session = ?",
        [claude_session],
    ):
        now: tuple[str, str | None] = ("executing", None)
        if ended_at is not None and ended_at >= _last_heard(record, session_id):
            now = ("completed", ended_at)
        if now != (status, completed_at):
            record.execute(
                "UPDATE sessions SET status = ?, completed_at = ? WHERE session_id = ?",
                [*now, session_id],
            )
    end_silent_sessions(record, claude_session)


def _last_heard(record: Record, session_id: str) -> str:
    return str(
        record.value(
            "SELECT coalesce(max(o.at), '') FROM agent_executions JOIN observations AS o "
            "USING (execution_id) WHERE session_id = ? AND o.source IN ('hook', 'import') "
            "AND o.kind <> 'used'",
            [session_id],
        )
    )


def end_silent_sessions(record: Record, claude_session: str | None = None) -> None:
    """Sessions (all, or one) of which nothing was heard for a day have ended, whether anybody
    said so."""
    long_ago = timestamp(record.clock() - _SILENCE)
    silent = record.sql(
        "SELECT session_id, max(coalesce(s.created_at, ''), coalesce(max(o.at), '')) AS last "
        "FROM sessions AS s LEFT JOIN agent_executions AS e USING (session_id) "
        "LEFT JOIN observations AS o ON o.execution_id = e.execution_id "
        "AND o.source IN ('hook', 'import') AND o.kind <> 'used' "
        "WHERE s.claude_session IS NOT NULL AND s.claude_session = coalesce(?, s.claude_session) "
        "AND s.status = 'executing' GROUP BY session_id HAVING last < ?",
        [claude_session, long_ago],
    )
    if silent:
        with record.write():
            record.executemany(
                "UPDATE sessions SET status = 'completed', completed_at = ? WHERE session_id = ?",
                [(last, session_id) for session_id, last in silent],
            )


def presume_silent_gone(record: Record) -> None:
    """Record that runs which hooks told of are gone where nothing was heard of their session for
    a day: its client was killed. A transcript alone may be a copy that ends in the middle."""
    long_ago = timestamp(record.clock() - _SILENCE)
    silent = record.sql(
        "SELECT ran_in, max(o.at) AS last FROM agent_executions AS e "
        "JOIN observations AS o USING (execution_id) WHERE ran_in IN "
        "(SELECT ran_in FROM agent_executions WHERE status = 'deployed' AND retracted_at IS NULL "
        "AND origin_id IS NULL) "
        "AND o.source IN ('hook', 'import') GROUP BY ran_in HAVING last < ?",
        [long_ago],
    )
    if silent:
        with record.write():
            for claude_session, last in silent:
                reason = "nothing was heard of it any more"
                presume_gone(record, claude_session, reason, last, only_heard=True)


def presume_gone(
    record: Record, claude_session: str, reason: str, at: str, *, only_heard: bool = False
) -> None:
    """Record that what a session launched before ``at`` and did not get back is gone.

    What another machine sent is left to that one; ``only_heard`` leaves out what no hook told of.
    Call it within a write. Whoever tells of a return later, or for longer, is believed instead.
    """
    from orch_tui.record.ledger.ingest import Report, ingest_statements  # it asks for sessions
    from orch_tui.record.ledger.statement import Returned

    gone = Returned(
        status="failed",
        error_message=f"its Claude Code session ended ({reason}) before it returned",
        presumed=True,
        ending="gone",
    )
    waiting = record.sql(
        "SELECT (SELECT min(key) FROM execution_keys AS k WHERE k.execution_id = e.execution_id "
        "AND key NOT LIKE 'id:%') FROM agent_executions AS e "
        "WHERE ran_in = ? AND status = 'deployed' AND retracted_at IS NULL AND origin_id IS NULL "
        "AND (SELECT min(at) FROM observations AS o WHERE o.execution_id = e.execution_id) <= ? "
        "AND (? OR EXISTS (SELECT 1 FROM observations AS o "
        "WHERE o.execution_id = e.execution_id AND source = 'hook'))",
        [claude_session, at, not only_heard],
    )
    ingest_statements(record, [Report([key], gone, source="hook", at=at) for (key,) in waiting])
