"""What hooks saw, in the record: each statement goes to the execution it is about."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from orch_tui.errors import PathError
from orch_tui.models.database import Record
from orch_tui.paths import resolve_path
from orch_tui.record import claude_sessions
from orch_tui.record.hooks import pending_transcripts
from orch_tui.record.hooks.payloads import HookReport, HookStatements, NotHandedOver
from orch_tui.record.ledger import journal
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.keys import owner_of
from orch_tui.record.ledger.rebuild import rebuild_from_statements
from orch_tui.record.ledger.resolve import join_calls_and_runs, resolve_execution
from orch_tui.record.ledger.statement import Addressed, Noted, Returned, RunFacts
from orch_tui.worktrees import name_folder_tree

_LAST_BYTES = 4_000_000
"""How much of the end of a transcript is searched for the last message."""


def ingest_hook_payload(
    record: Record,
    project: str,
    heard: HookStatements,
    at: str,
    names: Mapping[str, tuple[str, ...]],
) -> None:
    """Record what one payload that arrived ``at`` says. Call it within a write.

    Heard again, it changes nothing. ``names`` are as ``map_agent_keys`` has them.
    """
    for report in heard.reports:
        resolve_execution(record, names.get(report.keys[0], ()))
        _ingest_report(record, project, heard.claude_session, report, at)
    if heard.end:
        claude_sessions.presume_gone(record, heard.claude_session, heard.end.reason, at)
        claude_sessions.note_session_end(record, heard.claude_session, at)
        claude_sessions.presume_silent_gone(record)
        rebuild_from_statements(record, join_calls_and_runs(record, heard.claude_session))
    if heard.not_handed_over:
        _log_not_handed_over(record, heard.not_handed_over)
    if heard.transcript and _knows_of(record, heard):
        agents = _list_agents(record, heard.claude_session) if heard.end else []
        pending_transcripts.watch_transcript(record, heard.transcript, at, agents)


def map_agent_keys(log: Iterable[HookStatements]) -> dict[str, tuple[str, ...]]:
    """Map the key of each agent in a log to all keys of its execution that the log tells.

    What comes first then goes to the execution that only what comes later says it is about.
    """
    reports = (report for heard in log for report in heard.reports)
    return {r.keys[-1]: r.keys for r in reports if len(r.keys) > 1}


def _knows_of(record: Record, heard: HookStatements) -> bool:
    """Tell whether anything is recorded of the agent or the session that ended."""
    if heard.end:
        return bool(_of_session(record, heard.claude_session, "LIMIT 1"))
    return any(owner_of(record, key) for each in heard.reports for key in each.keys)


def _list_agents(record: Record, session: str) -> list[str]:
    """List the ids of the agents of a session."""
    mine = f"agent:{session}"
    return [
        key.removeprefix(f"{mine}/")
        for (key,) in record.sql(
            "SELECT key FROM execution_keys WHERE key >= ? AND key < ?", [f"{mine}/", f"{mine}0"]
        )
    ]


def _ingest_report(record: Record, project: str, session: str, report: HookReport, at: str) -> None:
    keys, statement, message = report.keys, report.statement, report.message
    if isinstance(statement, Addressed) and owner_of(record, keys[0]) is None:
        keys = _keys_of_name(record, session, keys[0]) or keys
    if not any(owner_of(record, key) for key in keys) and (
        report.only_known or _is_an_open_call(record, session, statement)
    ):
        return
    if message is None and report.transcript:
        message = read_last_words(report.transcript)
    worktree = name_folder_tree(report.folder, project)
    label = ingest_statement(
        record,
        Report(
            about=keys,
            statement=statement
            if isinstance(statement, Addressed)
            else statement.replaced(ran_in=session, worktree=worktree),
            source="hook",
            at=at,
            message=message,
            prompt=report.prompt,
            claude_session=session,
            project=project,
            folder=report.folder,
        ),
    )
    if isinstance(statement, Returned) and _is_half(record, label):
        rebuild_from_statements(record, join_calls_and_runs(record, session))
    claude_sessions.refresh_session(record, session)


def _is_half(record: Record, label: str | None) -> bool:
    """Tell whether only the call or the run is known of an execution."""
    half = "tool_use_id IS NULL OR agent_id IS NULL"
    return bool(
        record.value(f"SELECT {half} FROM agent_executions WHERE execution_id = ?", [label])
    )


def _keys_of_name(record: Record, session: str, key: str) -> tuple[str, ...]:
    """Find the one execution of a session that is called what stands for an id in a key."""
    named = record.sql(
        "SELECT execution_id FROM agent_executions WHERE agent_name = ? AND ran_in = ? "
        "AND retracted_at IS NULL",
        [key.rpartition("/")[2], session],
    )
    return (f"id:{named[0][0]}",) if len(named) == 1 else ()


def _is_an_open_call(record: Record, session: str, statement: RunFacts | Addressed) -> bool:
    """Tell whether an agent that begins may be one whose call is recorded already.

    A call in the foreground says only when it returns which agent it started; until then the agent
    would stand beside it, and for ever where it never returns. Its stop brings what matters.
    """
    if not isinstance(statement, Noted) or not statement.begun:
        return False
    return bool(
        record.value(
            "SELECT 1 FROM execution_keys JOIN agent_executions USING (execution_id) "
            "WHERE key >= ? AND key < ? AND status = 'deployed' AND agent_id IS NULL "
            "AND agent_type = ?",
            [f"call:{session}/", f"call:{session}0", statement.agent_type],
        )
    )


def _log_not_handed_over(record: Record, told: NotHandedOver) -> None:
    """Journal, once, that a call named a briefing and went through as it was."""
    call = told.call[-1]
    if record.value(
        "SELECT 1 FROM journal WHERE action = ? AND subject = ?", [journal.NOT_HANDED_OVER, call]
    ):
        return
    owner = owner_of(record, call)
    journal.log_action(
        record,
        journal.NOT_HANDED_OVER,
        execution_id=owner,
        subject=call,
        after={"reason": told.reason},
    )


def _of_session(record: Record, session: str, condition: str, *parameters: str) -> list[Any]:
    """Executions of a Claude session, each with a key, on a further condition (from ``?5`` on)."""
    agents, calls = f"agent:{session}", f"call:{session}"
    return record.sql(
        "SELECT execution_id, key FROM execution_keys "
        "JOIN agent_executions USING (execution_id) "
        f"WHERE ((key >= ?1 AND key < ?2) OR (key >= ?3 AND key < ?4)) {condition}",
        [f"{agents}/", f"{agents}0", f"{calls}/", f"{calls}0", *parameters],
    )


# The transcript of the agent, where a hook says nothing


def read_last_words(path: str) -> str | None:
    """Read the last message of an agent from its transcript; None while it is not there."""
    try:
        path = resolve_path(path)
    except PathError:
        return None
    if not path.endswith(".jsonl") or not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LAST_BYTES))
            lines = file.read().splitlines()
    except (OSError, ValueError):
        return None
    for line in reversed(lines):
        if b'"assistant"' in line and (said := _said(line)) is not None:
            return said or None
    return None


def _said(line: bytes) -> str | None:
    """The words of a line of an agent; empty where it goes on to call a tool, None for others."""
    try:
        entry = json.loads(line)
        if entry["type"] != "assistant":
            return None
        message = entry["message"]
        content = message["content"]
        if isinstance(content, str):
            return content if content.strip() else None
        if message.get("stop_reason") == "tool_use" or any(
            b["type"] == "tool_use" for b in content
        ):
            return ""
        texts = [block["text"] for block in content if block["type"] == "text"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return "\n".join(text for text in texts if text.strip()) or None
