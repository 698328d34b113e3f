"""What hooks saw, in the record: each statement goes to the execution it is about."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from orch_tui.errors import PathError
from orch_tui.models.database import Record, in_list
from orch_tui.paths import resolve_path
from orch_tui.record import sessions
from orch_tui.record.hooks import pending_transcripts
from orch_tui.record.hooks.payloads import Heard, Statement
from orch_tui.record.ledger import briefings
from orch_tui.record.ledger.keys import owner_of
from orch_tui.record.ledger.merge import UNKNOWN, same_words
from orch_tui.record.ledger.observations import join, observe, settle

_MARKER = re.compile(r"\s*<!-- orch ([0-9a-f]{32}) -->\s*")
"""The line that ``deployment.MARKER`` puts under a briefing."""

_LAST_BYTES = 4_000_000
"""How much of the end of a transcript is searched for the last message."""


def take(
    record: Record, project: str, heard: Heard, at: str, names: Mapping[str, tuple[str, ...]]
) -> None:
    """Record what one payload that arrived ``at`` says. Call it within a write.

    Heard again, it changes nothing. ``names`` are as ``names_of`` has them.
    """
    for statement in heard.statements:
        join(record, names.get(statement.keys[0], ()))
        _state(record, project, heard.claude_session, statement, at)
    if heard.end:
        _close(record, heard.claude_session, heard.end.reason, at)
        sessions.end_of_claude(record, heard.claude_session, at)
    if heard.transcript and _knows_of(record, heard):
        pending_transcripts.expect(record, heard.transcript, at)


def names_of(log: Iterable[Heard]) -> dict[str, tuple[str, ...]]:
    """Of each agent in a log, by its key, all keys of its execution, as far as the log tells.

    What comes first then goes to the execution that only what comes later says it is about.
    """
    statements = (statement for heard in log for statement in heard.statements)
    return {s.keys[-1]: s.keys for s in statements if len(s.keys) > 1}


def _knows_of(record: Record, heard: Heard) -> bool:
    """Whether anything is recorded of the agent or the session that is at its end."""
    if heard.end:
        return bool(_of_session(record, heard.claude_session, "LIMIT 1"))
    return any(owner_of(record, key) for each in heard.statements for key in each.keys)


def _state(record: Record, project: str, session: str, statement: Statement, at: str) -> None:
    keys, payload, message = statement.keys, dict(statement.payload), statement.message
    if not any(owner_of(record, key) for key in keys) and (
        statement.only_known or _is_an_open_call(record, session, payload)
    ):
        return

    def born() -> Mapping[str, Any]:
        return {
            "session_id": sessions.of_claude(record, session, project=project, started_at=at),
            "agent_type": UNKNOWN,
        }

    if statement.prompt is not None:
        if owner_of(record, keys[0]) is None:
            recognise(record, project, keys[0], payload["agent_type"], statement.prompt, at, "hook")
        payload["briefing_id"] = briefing_of(record, keys[0], statement.prompt)
    payload["ran_in"] = session
    if message is None and statement.transcript:
        message = last_words(statement.transcript)
    owner = observe(
        record, statement.kind, payload, source="hook", keys=keys, at=at, message=message, born=born
    )
    settle(record, [owner])
    sessions.heard_of_claude(record, session, at)


def _is_an_open_call(record: Record, session: str, payload: Mapping[str, Any]) -> bool:
    """Whether an agent that begins may be one whose call is recorded already.

    A call in the foreground says only when it returns which agent it started; until then the agent
    would stand beside it, and for ever where it never returns. Its stop brings what matters.
    """
    return bool(payload.get("begun")) and bool(
        record.value(
            "SELECT 1 FROM execution_keys JOIN agent_executions USING (execution_id) "
            "WHERE key >= ? AND key < ? AND status = 'deployed' AND agent_id IS NULL "
            "AND agent_type = ?",
            [f"call:{session}/", f"call:{session}0", payload["agent_type"]],
        )
    )


# Which planned deployment this is


def recognise(
    record: Record, project: str, call: str, agent_type: str, prompt: str, at: str, source: str
) -> None:
    """Tie a call to the deployment that was recorded for it, if its text says which that is.

    ``source`` is who tells of the call.
    """
    marker = _MARKER.search(prompt)
    if marker:
        label = record.value("SELECT execution_id FROM agent_executions WHERE uid = ?", [marker[1]])
        if label is not None and _is_free(record, label):
            join(record, [call, f"id:{label}"])
        elif label is not None:
            _repeat(record, label, call, agent_type, at, source)
        return
    known = _same_briefings(record, prompt)
    if not known:
        return
    listed, ids = in_list(known)
    for (label,) in record.sql(
        "SELECT execution_id FROM agent_executions JOIN sessions USING (session_id) "
        f"WHERE briefing_id IN {listed} AND agent_executions.status = 'deployed' "
        "AND retracted_at IS NULL AND coalesce(project, ?) = ? ORDER BY deployed_at",
        [*ids, project, project],
    ):
        if _is_free(record, label):
            join(record, [call, f"id:{label}"])
            return
    _from_plan(record, project, known, call, agent_type, at, source)


def _is_free(record: Record, label: str) -> bool:
    """Whether no call of the tool is known to be this execution."""
    return not record.value(
        "SELECT 1 FROM execution_keys WHERE execution_id = ? "
        "AND (key LIKE 'tool:%' OR key LIKE 'call:%')",
        [label],
    )


def _same_briefings(record: Record, prompt: str) -> list[int]:
    """Stored briefings with this text, whatever became of the white space at its end."""
    bare = prompt.rstrip()
    digests = [hashlib.sha256(t.encode()).hexdigest() for t in {prompt, bare, f"{bare}\n"}]
    listed, parameters = in_list(digests)
    rows = record.sql(f"SELECT briefing_id FROM briefings WHERE sha256 IN {listed}", parameters)
    return [briefing_id for (briefing_id,) in rows]


def _repeat(record: Record, label: str, call: str, agent_type: str, at: str, source: str) -> None:
    """The text of a deployment that was made already: another one of the same."""
    (held,) = record.rows(
        "SELECT session_id, planned_id, bundle_version_id, briefing_id, context_token_count, "
        "estimator, ambient_tokens FROM agent_executions WHERE execution_id = ?",
        [label],
    )
    owner = observe(
        record, "noted", {**held, "agent_type": agent_type}, source=source, keys=[call], at=at
    )
    settle(record, [owner])
    _copy_allocations(record, "execution_id = ?", label, owner)


def _from_plan(
    record: Record,
    project: str,
    known: list[int],
    call: str,
    agent_type: str,
    at: str,
    source: str,
) -> None:
    """A briefing that was generated from a bundle and handed over without a word to orch."""
    listed, ids = in_list(known)
    rows = record.rows(
        "SELECT v.version_id AS bundle_version_id, p.planned_id, p.session_id "
        "FROM bundle_versions AS v JOIN planned_agents AS p USING (bundle_id) "
        f"JOIN sessions AS s USING (session_id) WHERE v.briefing_id IN {listed} "
        "AND p.removed_at IS NULL AND coalesce(s.project, ?) = ? AND p.agent_type = ?",
        [*ids, project, project, agent_type],
    )
    if len(rows) != 1:
        return
    from orch_tui.record import bundles, deployment

    bundle = bundles.by_version(record, rows[0]["bundle_version_id"]).bundle
    figures = {
        "context_token_count": bundle.total.tokens,
        "estimator": bundle.total.estimator,
        "agent_type": agent_type,
    }
    owner = observe(record, "noted", {**rows[0], **figures}, source=source, keys=[call], at=at)
    settle(record, [owner])
    deployment.allocate(record, owner, bundle.items)
    sessions.begin(record, sessions.get(record, rows[0]["session_id"]))


def _copy_allocations(record: Record, condition: str, parameter: Any, owner: str) -> None:
    columns = (
        "context_type, context_source, token_count, included_in_deployment, position, priority, "
        "sections, estimator, token_low, token_high, content_id"
    )
    record.execute(
        f"INSERT INTO context_allocations (execution_id, {columns}) SELECT ?, {columns} "
        f"FROM context_allocations WHERE {condition} ORDER BY allocation_id",
        [owner, parameter],
    )


def briefing_of(record: Record, call: str, prompt: str) -> int | None:
    """The stored text of a prompt; None where it is what the execution is known to be given."""
    data = prompt.encode("utf-8", "replace")
    held = record.value(
        "SELECT briefing_id FROM agent_executions JOIN execution_keys USING (execution_id) "
        "WHERE key = ?",
        [call],
    )
    if held is not None:
        text = briefings.get(record, held)
        if text == data:
            return int(held)
        if same_words(text.decode("utf-8", "replace")) == same_words(_MARKER.sub("\n", prompt)):
            return None
    return briefings.put(record, data, [])


# What will never return


def _close(record: Record, session: str, reason: str, at: str) -> None:
    """What was deployed before its session ended and has not returned will not do so any more."""
    for label, key in _of_session(
        record,
        session,
        "AND status = 'deployed' AND (SELECT min(at) FROM observations AS o "
        "WHERE o.execution_id = agent_executions.execution_id) <= ?5 GROUP BY execution_id",
        at,
    ):
        statement = {
            "status": "failed",
            "error_message": f"its Claude Code session ended ({reason}) before it returned",
            "presumed": True,
        }
        observe(record, "returned", statement, source="hook", keys=[key], at=at)
        settle(record, [label])


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


def last_words(path: str) -> str | None:
    """The last message of an agent in its transcript, if that is there already."""
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
        if b'"assistant"' in line and (said := _said(line)):
            return said
    return None


def _said(line: bytes) -> str | None:
    try:
        entry = json.loads(line)
        if entry["type"] != "assistant":
            return None
        content = entry["message"]["content"]
        if isinstance(content, str):
            return content.strip() and content
        texts = [block["text"] for block in content if block["type"] == "text"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return "\n".join(text for text in texts if text.strip()) or None
