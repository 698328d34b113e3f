"""How one execution came about, step by step: validation, deployment, completion, output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.record import bundles, executions, outputs
from orch_tui.record.ledger import contents, journal, portable
from orch_tui.record.ledger.statement import unpack_fields
from orch_tui.rows import ExecutionFacts, JournalEntry, Output


@frozen
class TimelineStep:
    """One thing that happened."""

    at: str
    action: str
    """``validation``, ``deployment``, ``completion``, ``output``, or an action of the journal."""
    what: str
    seq: int
    """Its place in the trail, from 1."""


_SESSION_WIDE = {
    "init-session": "session",
    "set-phase": "phase",
    "validate": "validation",
    "validate-outputs": "validation",
}
"""Entries of the session that belong to the trail of each of its executions."""

_TOLD_OTHERWISE = {"execution", "init-deployment", "record-completion", "collect"}
"""Entries that observations and outputs tell in full."""

_KINDS = {
    "deployed": "deployment",
    "returned": "completion",
    "noted": "note",
    "addressed": "message to it",
    "retracted": "retraction",
    "sql": "raw SQL",
}

_HAPPENED = {"deployed": "deployed_at", "returned": "completed_at", "addressed": "at"}
"""The field of a statement that says when what it tells of happened."""

_AT_ONCE = ("session", "phase", "validation", "save-bundle", "deployment", "completion", "output")
"""The order of steps that bear the same time."""


def list_steps(record: Record, execution_id: str) -> list[TimelineStep]:
    """The steps of one execution in order, with the validations of its session's plan.

    Raises:
        NotFoundError: no such execution; with the nearest known labels.
    """
    with record.read():
        execution = executions.get_execution(record, execution_id)
        found = [
            *_from_session(record, execution),
            *_from_journal(record, execution),
            *_from_observations(record, execution),
            *_from_outputs(record, execution),
        ]
    ordered = sorted(found, key=lambda step: (step[0], _rank(step[1])))  # stable: ties as stored
    return [TimelineStep(*step, seq) for seq, step in enumerate(ordered, start=1)]


_Found = tuple[str, str, str]
"""at, action, what"""


def _rank(action: str) -> float:
    return _AT_ONCE.index(action) if action in _AT_ONCE else _AT_ONCE.index("deployment") + 0.5


def _from_session(record: Record, execution: ExecutionFacts) -> Iterator[_Found]:
    version = execution.bundle_version_id
    bundle = bundles.load_bundle_version(record, version).bundle if version else None
    for entry in journal.list_journal(record, session_id=execution.session_id):
        if entry.action in _SESSION_WIDE:
            yield entry.at, _SESSION_WIDE[entry.action], _told(entry)
        elif (
            bundle
            and entry.action == "save-bundle"
            and entry.subject == f"{bundle.bundle_id} v{bundle.version}"
        ):
            yield entry.at, entry.action, _told(entry)


def _from_journal(record: Record, execution: ExecutionFacts) -> Iterator[_Found]:
    for entry in journal.list_journal(record, execution_id=execution.execution_id):
        if entry.action not in _TOLD_OTHERWISE and entry.action not in _SESSION_WIDE:
            yield entry.at, entry.action, _told(entry)


def _told(entry: JournalEntry) -> str:
    after = entry.after if isinstance(entry.after, dict) else {}
    if entry.action == "set-phase":
        skipped = "; ".join(after.get("skipped_gates", ()))
        words = f"phase {after.get('phase')}" + (f", skipped {skipped}" if skipped else "")
    elif entry.action in ("validate", "validate-outputs"):
        verdict = after.get("valid", after.get("ok"))
        words = "recorded" if verdict is None else "valid" if verdict else "not valid"
        wrong = [*after.get("failed", ()), *after.get("missing", ()), *after.get("warnings", ())]
        words += f": {'; '.join(map(str, wrong))}" if wrong else ""
    else:
        words = ", ".join(f"{name} {_short(value)}" for name, value in after.items() if value)
    return f"{' '.join(filter(None, [entry.subject, words]))} ({entry.actor})".lstrip()


def _from_observations(record: Record, execution: ExecutionFacts) -> Iterator[_Found]:
    rows = record.sql(
        "SELECT kind, source, coalesce(at, recorded_at), actor, payload FROM observations "
        "WHERE execution_id = ? ORDER BY observation_id",
        [execution.execution_id],
    )
    for kind, source, at, actor, stored in rows:
        payload = unpack_fields(stored)
        if kind not in _KINDS or payload is None:
            continue
        happened = _HAPPENED.get(kind, "")
        by = source if actor in (None, source) else f"{source}, {actor}"
        yield (
            str(payload.get(happened) or at),
            _KINDS[kind],
            f"{_said(record, kind, payload)} ({by})".lstrip(),
        )


def _said(record: Record, kind: str, payload: dict[str, Any]) -> str:
    if kind == "deployed":
        tokens = payload.get("context_token_count")
        parts = [
            payload.get("agent_type"),
            payload.get("scope"),
            payload.get("model"),
            None if tokens is None else f"{tokens:,} tokens ({payload.get('estimator')})",
        ]
    elif kind == "returned":
        message = contents.get_content_text(
            record, portable.content_id_of(record, payload.get("message"))
        )
        parts = [
            payload.get("status"),
            payload.get("error_code"),
            payload.get("error_message"),
            message and _short(message),
        ]
    elif kind == "addressed":
        said = portable.content_id_of(record, payload.get("text"))
        parts = [_short(contents.get_content_text(record, said) or "")]
    else:
        hidden = ("words", "message", "briefing", "handed_over")
        parts = [f"{name} {_short(value)}" for name, value in payload.items() if name not in hidden]
    return ", ".join(str(part) for part in parts if part)


def _from_outputs(record: Record, execution: ExecutionFacts) -> Iterator[_Found]:
    for output in outputs.list_execution_outputs(record, execution.execution_id):
        yield output.created_at, "output", _delivered(output)


def _delivered(output: Output) -> str:
    found = " (found in its message)" if output.found else ""
    return f"{output.output_type} {output.file_path or _short(output.text)}{found}"


def _short(value: Any) -> str:
    """The beginning of a value on one line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:99]}…"
