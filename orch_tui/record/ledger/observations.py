"""Observations in the database: storing a statement, finding whose it is, adding them up.

Every statement names the execution by one or more keys (``id:exec-001``, ``tool:<tool_use_id>``,
``agent:<claude_session>/<agent_id>``). A statement with two keys can show that two executions
are one: they are united, and the absorbed label goes on working as a key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from orch_tui.ids import new_label
from orch_tui.models.database import Record, Row
from orch_tui.models.values import as_time
from orch_tui.record.ledger import contents, file_use, journal, usage
from orch_tui.record.ledger.keys import owner_of
from orch_tui.record.ledger.merge import SAID, Merged, Observation, merge, same_words


def observe(
    record: Record,
    kind: str,
    payload: Mapping[str, Any],
    *,
    source: str,
    keys: Sequence[str] = (),
    at: str | None = None,
    message: str | bytes | None = None,
    born: Callable[[], Mapping[str, Any]] = dict,
) -> str:
    """Store one statement and give the execution it is about, made new where no key is known.

    A statement already stored changes nothing. Call ``settle`` with the execution afterwards.
    ``payload`` of a statement that may be the first of its execution names ``session_id`` and
    ``agent_type``, or ``born`` gives them for the new row without stating them. ``parent`` in it
    is a key of the execution that deployed this one. ``at`` is when it happened (default: now);
    what people and scripts say is recognised again without it.
    """
    payload = {name: value for name, value in payload.items() if value is not None}
    said_to_be = dict(payload)  # what makes it the same statement, in whichever record
    if message is not None:
        data = contents.exact(message)
        payload["message_id"] = contents.put(record, data)
        payload["words"] = same_words(data.decode("utf-8", "replace"))
        said_to_be["message"] = hashlib.sha256(data).hexdigest()
    if "briefing_id" in payload:
        said_to_be["briefing_id"] = record.value(
            "SELECT sha256 FROM briefings WHERE briefing_id = ?", [payload["briefing_id"]]
        )
    execution_id = join(record, keys)
    if execution_id is None:
        execution_id = _new_execution(record, {**born(), **payload}, keys, source)
        for key in keys:
            _learn(record, key, execution_id)
    said = source in SAID
    digest = _digest(
        [kind, execution_id if said else sorted(keys), said_to_be, None if said else [source, at]]
    )
    record.execute(
        "INSERT INTO observations (digest, execution_id, kind, source, at, recorded_at, actor, "
        "payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
        [
            digest,
            execution_id,
            kind,
            source,
            at or record.now(),
            record.now(),
            record.actor,
            canonical(payload),
        ],
    )
    return execution_id


def join(record: Record, keys: Sequence[str]) -> str | None:
    """The execution that any of the keys names, which all of them name from now on.

    Where they named several, those are one. Call it within a write; None: nobody knows any.
    """
    owner = _owner(record, keys)
    if owner is not None:
        for key in keys:
            _learn(record, key, owner)
    return owner


def stored(record: Record, execution_id: str) -> list[Observation]:
    """Every statement about one execution, oldest first."""
    rows = record.sql(
        "SELECT digest, kind, source, at, payload FROM observations WHERE execution_id = ? "
        "ORDER BY at, digest",
        [execution_id],
    )
    return [Observation(d, k, s, at or "", json.loads(p)) for d, k, s, at, p in rows]


def settle(record: Record, execution_ids: Iterable[str]) -> None:
    """Bring executions and their completions in line with their observations."""
    for execution_id in execution_ids:
        _read_raw(record, execution_id)
        merged = _merged(record, execution_id)
        changed = _write_row(record, execution_id, merged)
        _write_completions(record, execution_id, merged)
        if "depth" in changed:
            settle(record, _children(record, execution_id))


def _merged(record: Record, execution_id: str) -> Merged:
    """What is known of an execution: what was said, and what its messages add up to."""
    merged = merge(stored(record, execution_id), usage.unfinished(record, execution_id))
    values = dict(merged.values)
    used = usage.totals(record, execution_id)
    # what was reported goes before what can be worked out, but for what only grows
    used["context_end_tokens"] = (
        values.get("context_end_tokens") or used.get("context_end_tokens")
        if merged.returns
        else None
    )
    calls = [n for n in (values.get("tool_calls"), used.get("tool_calls")) if n is not None]
    used["tool_calls"] = max(calls, default=None)
    used["resolved_model"] = values.get("resolved_model") or used.get("resolved_model")
    values |= {name: value for name, value in used.items() if value is not None}
    if ran_in := values.pop("claude_session", None):
        values = _session_of_claude(record, ran_in) | values
    values |= _parentage(record, execution_id, values.pop("parent", None), values.get("depth"))
    if values["status"] == "completed" and not values["unverified"]:
        values["unverified"] = _doubt(record, execution_id, values["message_id"])
    return Merged(values, merged.returns)


def _session_of_claude(record: Record, claude_session: str) -> dict[str, Any]:
    """The session of a run that nobody put into another one."""
    found = record.value(
        "SELECT session_id FROM sessions WHERE claude_session = ?", [claude_session]
    )
    return {"session_id": found} if found else {}


def _doubt(record: Record, execution_id: str, message_id: int | None) -> str | None:
    """Why a completed execution is not to be taken at its word."""
    from orch_tui.record.ledger import doubt  # it compiles a pattern

    said = contents.text(record, message_id)
    return (said is not None and doubt.doubt_of_text(said)) or (
        doubt.doubt_of_missing(
            path
            for path, is_missing in dict(
                record.sql(
                    "SELECT path, iif(json_valid(content), json_extract(content, '$.missing'), 0) "
                    "FROM outputs WHERE execution_id = ? AND output_type = 'deliverable' "
                    "AND retracted_at IS NULL AND path IS NOT NULL ORDER BY output_id",
                    [execution_id],
                )
            ).items()
            if is_missing
        )
    )


def _parentage(
    record: Record, execution_id: str, parent: str | None, depth: int | None
) -> dict[str, Any]:
    """The execution that launched it, and how deep that makes it; empty where nobody knows."""
    found = record.rows(
        "SELECT execution_id, depth FROM agent_executions WHERE execution_id = "
        "(SELECT execution_id FROM execution_keys WHERE key = ?) AND execution_id <> ?",
        [parent, execution_id],
    )
    if not found:
        return {}
    above = found[0]["depth"]
    return {
        "parent_execution_id": found[0]["execution_id"],
        "depth": depth or (above + 1 if above is not None and above < _DEEPEST else None),
    }


_DEEPEST = 100
"""Nesting is five deep at most; whatever says more is a circle."""


def _children(record: Record, execution_id: str) -> list[str]:
    return [
        child
        for (child,) in record.sql(
            "SELECT execution_id FROM agent_executions WHERE parent_execution_id = ?",
            [execution_id],
        )
    ]


def settle_raw(record: Record) -> None:
    """Take in what raw SQL did to executions since the engine last looked."""
    pending = record.sql(
        "SELECT execution_id, execution_id IN (SELECT execution_id FROM agent_executions) "
        "FROM observations WHERE pending GROUP BY execution_id ORDER BY min(observation_id)"
    )
    settle(record, [execution_id for execution_id, is_there in pending if is_there])
    for execution_id, is_there in pending:
        if not is_there:  # raw SQL deleted it again
            _read_raw(record, execution_id)


def unsettled(record: Record) -> Iterator[str]:
    """Executions whose rows are not what their observations add up to."""
    for (execution_id,) in record.sql("SELECT execution_id FROM agent_executions ORDER BY rowid"):
        merged = _merged(record, execution_id)
        if (
            record.value(
                "SELECT 1 FROM observations WHERE pending AND execution_id = ?", [execution_id]
            )
            or _changes(record, execution_id, merged)[1]
            or _completions(merged) != _held_completions(record, execution_id)
        ):
            yield execution_id


def _read_raw(record: Record, execution_id: str) -> None:
    """Turn what the triggers noted into statements like all others."""
    for observation_id, text in record.sql(
        "SELECT observation_id, payload FROM observations WHERE pending AND execution_id = ?",
        [execution_id],
    ):
        payload = json.loads(text)
        for column in ("deployed_at", "completed_at"):
            if column in payload:
                payload[column] = as_time(payload[column])
        message = payload.pop("final_message", None)
        if message is not None:
            payload["message_id"] = contents.put(record, contents.exact(str(message)))
            payload["words"] = same_words(str(message))
        record.execute(
            "UPDATE observations SET payload = ?, pending = 0 WHERE observation_id = ?",
            [canonical(payload), observation_id],
        )


def _owner(record: Record, keys: Sequence[str]) -> str | None:
    """The execution these keys name; where they name several, those are united."""
    owners: list[str] = []
    for key in keys:
        owner = owner_of(record, key)
        if owner is not None and owner not in owners:
            owners.append(owner)
    if len(owners) > 1:
        return _unite(record, owners)
    return owners[0] if owners else None


def _learn(record: Record, key: str, execution_id: str) -> None:
    record.execute(
        "INSERT INTO execution_keys (key, execution_id) VALUES (?, ?) ON CONFLICT (key) DO NOTHING",
        [key, execution_id],
    )


def _new_execution(
    record: Record, payload: Mapping[str, Any], keys: Sequence[str], source: str
) -> str:
    labels = [key.removeprefix("id:") for key in keys if key.startswith("id:")]
    execution_id = labels[0] if labels else new_label(record, "execution")
    record.execute(
        "INSERT INTO agent_executions (execution_id, session_id, agent_type, deployed_at, status, "
        "source, revision) VALUES (?, ?, ?, NULL, 'deployed', ?, 1)",
        [execution_id, payload["session_id"], payload["agent_type"], source],
    )
    _learn(record, f"id:{execution_id}", execution_id)
    return execution_id


_OWNED = ("observations", "outputs", "context_allocations", "execution_keys")


def _unite(record: Record, execution_ids: Sequence[str]) -> str:
    """Two executions turned out to be one: the label a person knows stays, then the oldest."""
    marks = ", ".join("?" * len(execution_ids))
    keeper, *absorbed = [
        str(label)
        for (label,) in record.sql(
            f"SELECT execution_id FROM agent_executions WHERE execution_id IN ({marks}) "
            "ORDER BY source NOT IN ('manual', 'api'), rowid",
            list(execution_ids),
        )
    ]
    for label in absorbed:
        for table in _OWNED:
            record.execute(
                f"UPDATE {table} SET execution_id = ? WHERE execution_id = ?", [keeper, label]
            )
        usage.unite(record, keeper, label)
        file_use.unite(record, keeper, label)
        record.execute("DELETE FROM completions WHERE execution_id = ?", [label])
        children = _children(record, label)
        record.execute(
            "UPDATE agent_executions SET parent_execution_id = ?, revision = revision + 1 "
            "WHERE parent_execution_id = ?",
            [keeper, label],
        )
        record.execute("DELETE FROM agent_executions WHERE execution_id = ?", [label])
        settle(record, children)
        journal.log(record, "unite", execution_id=keeper, subject=label)
    return keeper


def _changes(record: Record, execution_id: str, merged: Merged) -> tuple[Row, Row]:
    """The row of an execution, and the columns of it that the merge sees otherwise."""
    values = dict(merged.values)
    if "message_id" in values:
        values["final_message"] = contents.text(record, values.pop("message_id"))
    (row,) = record.rows("SELECT * FROM agent_executions WHERE execution_id = ?", [execution_id])
    return row, {name: value for name, value in values.items() if row[name] != value}


def _write_row(record: Record, execution_id: str, merged: Merged) -> Row:
    row, changed = _changes(record, execution_id, merged)
    if not changed:
        return changed
    assignments = ", ".join(f"{name} = ?" for name in changed)
    record.execute(
        f"UPDATE agent_executions SET {assignments}, revision = revision + 1 "
        "WHERE execution_id = ?",
        [*changed.values(), execution_id],
    )
    shown = [name for name in changed if name != "final_message"]  # told by its completion
    journal.log(
        record,
        "execution",
        session_id=changed.get("session_id", row["session_id"]),
        execution_id=execution_id,
        before={name: row[name] for name in shown if row[name] is not None},
        after={name: changed[name] for name in shown},
    )
    return changed


_COMPLETION = (
    "position, completed_at, status, success, message_id, error_message, error_code, source"
)


def _completions(merged: Merged) -> list[tuple[Any, ...]]:
    return [
        (
            position,
            r.completed_at,
            r.status,
            int(r.success),
            r.message_id,
            r.error_message,
            r.error_code,
            r.source,
        )
        for position, r in enumerate(merged.returns, start=1)
    ]


def _held_completions(record: Record, execution_id: str) -> list[tuple[Any, ...]]:
    return record.sql(
        f"SELECT {_COMPLETION} FROM completions WHERE execution_id = ? ORDER BY position",
        [execution_id],
    )


def _write_completions(record: Record, execution_id: str, merged: Merged) -> None:
    wanted = _completions(merged)
    if _held_completions(record, execution_id) == wanted:
        return
    record.execute("DELETE FROM completions WHERE execution_id = ?", [execution_id])
    record.executemany(
        f"INSERT INTO completions (execution_id, {_COMPLETION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(execution_id, *values) for values in wanted],
    )


def canonical(value: Any) -> str:
    """JSON that is the same text for the same value: digests are made of it."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _digest(statement: Any) -> str:
    return hashlib.sha256(canonical(statement).encode("utf-8", "surrogatepass")).hexdigest()
