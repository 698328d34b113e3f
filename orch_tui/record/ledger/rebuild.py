"""The rows of an execution, made from the statements about it.

What is derived here is a function of the statements alone, so it may be made again at any time:
the columns of the row, its completions, its outputs, what it was given, what it used.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from orch_tui.models.database import Record, Row
from orch_tui.models.values import as_bytes, readable
from orch_tui.prepare.marker import remove_marker
from orch_tui.record.ledger import (
    arrival,
    briefings,
    contents,
    earlier_reading,
    file_use,
    portable,
    registers,
    shown_words,
    usage,
)
from orch_tui.record.ledger.edits import read_edits
from orch_tui.record.ledger.merge import (
    FACT,
    INTENT,
    UNKNOWN,
    Merged,
    Observation,
    Return,
    is_text_seen,
    merge_statements,
)
from orch_tui.record.ledger.project_keys import note_other_project
from orch_tui.record.ledger.returns import LaunchedRun, hold_waits, mark_waits
from orch_tui.record.ledger.statement import (
    KINDS,
    Addressed,
    Allocated,
    Delivered,
    ItemFact,
    OutputFact,
    Returned,
    decode_stored,
)

if TYPE_CHECKING:
    from orch_tui.models.migrations.step import Progress

_OF_RUN = ("deployed", "noted", "returned", "retracted", "sql")


def stored_observations(record: Record, execution_id: str) -> list[Observation]:
    """Read the statements that add up to the row of one execution, oldest first."""
    return [told for _, told in _stored(record, execution_id, _OF_RUN)]


def stored_statements(record: Record, execution_id: str, kind: str) -> list[Any]:
    """Read the statements of one kind about one execution, oldest first."""
    return [told.statement for _, told in _stored(record, execution_id, (kind,))]


def _stored(
    record: Record, execution_id: str, kinds: Collection[str]
) -> Iterator[tuple[str, Observation]]:
    """Read the statements of some kinds about an execution with their kind, oldest first."""
    for digest, kind, source, at, payload in record.sql(
        "SELECT digest, kind, source, at, payload FROM observations "
        "WHERE execution_id = ? AND NOT pending ORDER BY at, digest",
        [execution_id],
    ):
        statement = decode_stored(kind, payload) if kind in kinds else None
        if statement is not None:
            yield (
                kind,
                Observation(as_bytes(digest).hex(), source, readable(at) or "", statement),
            )


def rebuild_from_statements(record: Record, execution_ids: Iterable[str]) -> None:
    """Bring executions and all that belongs to them in line with their statements.

    Others that are concerned (children, runs that claim the same messages) follow.
    """
    waiting = dict.fromkeys(execution_ids)
    seen = 0
    while True:
        seen, noted = _noted_runs(record, seen)
        waiting |= noted
        if not waiting:
            return
        execution_id = next(iter(waiting))
        del waiting[execution_id]
        waiting |= dict.fromkeys(sorted(_rebuild_execution(record, execution_id)))


def _noted_runs(record: Record, seen: int) -> tuple[int, dict[str, None]]:
    """List the executions that wait for a run which became known now.

    ``seen`` is the last row that was looked at before, and then given: an import notes thousands.
    """
    noted = record.sql(
        "SELECT DISTINCT subject FROM changed_rows WHERE rowid > ? AND subject GLOB 'run:*'",
        [seen],
    )
    if noted:
        record.execute("DELETE FROM changed_rows WHERE rowid > ? AND subject GLOB 'run:*'", [seen])
    seen = record.value("SELECT coalesce(max(rowid), 0) FROM changed_rows")
    labels = sorted(subject.removeprefix("run:") for (subject,) in noted)
    return seen, {label: None for label in labels if has_row(record, label)}


def has_row(record: Record, execution_id: str) -> bool:
    """Tell whether there is a row for an execution; plain SQL may have deleted it."""
    return bool(
        record.value("SELECT 1 FROM agent_executions WHERE execution_id = ?", [execution_id])
    )


def _rebuild_execution(record: Record, execution_id: str) -> set[str]:
    """Rebuild one execution; gives those whose rows may have changed with it."""
    read_edits(record, execution_id)
    told: dict[str, list[Any]] = {"of run": []}
    for kind, each in _stored(record, execution_id, KINDS):
        if kind in _OF_RUN:
            told["of run"].append(each)
        else:
            told.setdefault(kind, []).append(each.statement)
    _write_outputs(record, execution_id, told.get("delivered", ()))
    _write_told(record, execution_id, told.get("addressed", ()))
    of_run, uses = told["of run"], told.get("used", ())
    mended, tasks = _mend(record, execution_id, of_run)
    for task in tasks:
        briefings.store_briefing(record, task.encode("utf-8", "surrogateescape"), ())
    for text in mended.texts:
        contents.store_content(record, contents.encode_given(text))
    concerned = usage.rebuild_usage(
        record, execution_id, shown_words.drop_copied_messages(of_run, uses)
    )
    file_use.rebuild_file_use(record, execution_id, uses)
    merged = _merged(record, execution_id, of_run, mended.told)
    items = derive_items(record, told.get("allocated", ()))
    if is_text_seen(mended.told):
        items = arrival.mark_arrived(
            record, execution_id, items, merged.values.get("handed_over_id")
        )
    _write_allocations(record, execution_id, items)
    changed = _write_row(record, execution_id, merged)
    _write_completions(record, execution_id, merged)
    if "depth" in changed:
        concerned |= set(_children(record, execution_id))
    if changed.keys() & {"status", "parent_execution_id", "retracted_at"} or any(
        o.source == "hook" and isinstance(o.statement, Returned) for o in of_run
    ):
        concerned |= _waiting_parents(record, execution_id)
    if changed.keys() & {"deployed_at", "agent_id", "uid"}:
        concerned |= usage.find_rivals(record, execution_id)
    return concerned


def find_stale_executions(
    record: Record,
    among: Sequence[str] | None = None,
    progress: Progress = lambda done, total: None,
) -> Iterator[str]:
    """Executions, all or some, whose rows are not what their statements add up to.

    ``progress`` is told how many of how many were looked at.
    """
    if among is None:
        rows = record.sql("SELECT execution_id FROM agent_executions ORDER BY rowid")
        among = [execution_id for (execution_id,) in rows]
    for done, execution_id in enumerate(among):
        if done % 256 == 0:
            progress(done, len(among))
        told = stored_observations(record, execution_id)
        merged = _merged(record, execution_id, told, _mend(record, execution_id, told)[0].told)
        if (
            record.value(
                "SELECT 1 FROM observations WHERE pending AND execution_id = ?", [execution_id]
            )
            or _changes(record, execution_id, merged)[1]
            or _completions(record, merged) != _held_completions(record, execution_id)
        ):
            yield execution_id


def _mend(
    record: Record, execution_id: str, told: Sequence[Observation]
) -> tuple[shown_words.MendedStatements, tuple[str, ...]]:
    """Read statements of an earlier orch, and what was pasted, as the agent said it; gives the
    tasks, too, that no statement names as they are."""

    def read_text(sha256: str) -> str | None:
        content_id = portable.content_id_of(record, sha256)
        data = None if content_id is None else contents.get_content(record, content_id)
        return None if data is None else data.decode("utf-8", "replace")

    def read_briefing(sha256: str) -> str | None:
        briefing_id = portable.briefing_id_of(record, sha256)
        if briefing_id is None:
            return None
        return briefings.get_briefing(record, briefing_id).decode("utf-8", "surrogateescape")

    told, tasks = earlier_reading.read_framed_tasks(told, read_briefing)
    told = earlier_reading.read_named_agents(earlier_reading.drop_mistaken_waits(told))
    for wait in (mark_waits, hold_waits):
        told = wait(told, lambda: _launched_runs(record, execution_id))
    return shown_words.mend_statements(told, read_text), tasks


def _launched_runs(record: Record, execution_id: str) -> Iterator[LaunchedRun]:
    for agent_id, began, ended, is_running in record.sql(
        "SELECT agent_id, min(iif(kind <> 'returned', at, NULL)), "
        "json_group_array(at) FILTER (WHERE kind = 'returned'), "
        "(status = 'deployed' OR ending = 'gone') AND retracted_at IS NULL FROM observations AS o "
        "JOIN agent_executions AS e ON e.execution_id = o.execution_id "
        "WHERE parent_execution_id = ? AND o.source = 'hook' GROUP BY o.execution_id",
        [execution_id],
    ):
        if began is not None:
            yield LaunchedRun(began, tuple(json.loads(ended)), bool(is_running), agent_id)


def _merged(
    record: Record, execution_id: str, told: Sequence[Observation], mended: Sequence[Observation]
) -> Merged:
    """Merge the statements about an execution with what its messages add up to.

    ``mended`` are those that were ``told`` as they count.
    """
    merged = merge_statements(mended, usage.find_unfinished_messages(record, execution_id))
    values: Row = {**_emptied(told), **merged.values}
    if shown_words.is_of_nobody(told):
        values["retracted_at"] = min(o.at for o in told)
    used = usage.sum_usage(record, execution_id)
    # what was reported goes before what can be worked out, but for what only grows
    for name in ("context_end_tokens", "resolved_model"):
        if name in used:
            used[name] = values.get(name) or used[name]
    if used.get("tool_calls") is not None:
        used["tool_calls"] = max(used["tool_calls"], values.get("tool_calls") or 0)
    values |= {
        name: value for name, value in used.items() if value is not None or name not in values
    }
    if not merged.returns and "context_end_tokens" in values:
        values["context_end_tokens"] = None
    return Merged(_localized(record, execution_id, values), merged.returns)


def _emptied(told: Iterable[Observation]) -> Row:
    """What fields that anybody ever stated hold where none of that counts any more."""
    fields = {*INTENT, *FACT, "handed_over", "deployed_at", "ran_in", "told_in"} - {"session"}
    stated = {name for o in told for name in fields if getattr(o.statement, name) is not None}
    if "told_in" in stated:  # where a run was told of is where it ran, unless somebody knows better
        stated = stated - {"told_in"} | {"ran_in"}
    return {name: UNKNOWN if name == "agent_type" else None for name in stated}


def _localized(record: Record, execution_id: str, values: Row) -> Row:
    """Translate references and hashes into the numbers of this record, column by column."""
    row = dict(values)
    session = row.pop("session", None) or (
        f"claude:{values['ran_in']}" if values.get("ran_in") else None
    )
    if session_id := portable.session_id_of(record, session):
        row["session_id"] = session_id
    for name, column in (("planned", "planned_id"), ("bundle_version", "bundle_version_id")):
        if name in row:
            row[column] = portable.row_of(record, row.pop(name))
    for name, column in (("briefing", "briefing_id"), ("handed_over", "handed_over_id")):
        if name in row:
            row[column] = portable.briefing_id_of(record, row.pop(name))
    if row.get("handed_over_id") is not None:
        row |= _distinguish_texts(record, row.get("briefing_id"), row["handed_over_id"])
    message = row.pop("message", None)
    row["message_id"] = portable.content_id_of(record, message)
    row["final_message"] = said = contents.get_content_text(record, row["message_id"])
    row["uid"] = record.value(
        "SELECT min(substr(key, 5)) FROM execution_keys "
        "WHERE execution_id = ? AND key GLOB 'uid:*'",
        [execution_id],
    )
    parent = row.pop("parent", None)
    row |= _parentage(record, execution_id, parent, row.get("depth"))
    row["parent_key"] = parent
    if row["status"] == "completed" and not row["unverified"]:
        row["unverified"] = _doubt(record, execution_id, said)
    return {name: value for name, value in row.items() if name != "uid" or value}


def _distinguish_texts(record: Record, briefing_id: int | None, handed_over_id: int) -> Row:
    """Make the columns of what was planned and what was handed over: one, where it is the same
    but for the marker line and the white space around it."""
    if briefing_id is None:
        return {"briefing_id": handed_over_id, "handed_over_id": None}
    if briefing_id == handed_over_id or _is_same_text(record, briefing_id, handed_over_id):
        return {"handed_over_id": None}
    return {}


def _is_same_text(record: Record, one: int, other: int) -> bool:
    texts = (
        briefings.get_briefing(record, each).decode("utf-8", "replace") for each in (one, other)
    )
    mine, its = (remove_marker(text).strip() for text in texts)
    return mine == its


def _doubt(record: Record, execution_id: str, said: str | None) -> str | None:
    """Say why a completed execution that said this is in doubt; None where it is not."""
    from orch_tui.record.ledger import doubt  # it compiles a pattern

    return (doubt.UNHEARD if said is None else doubt.doubt_of_text(said)) or (
        doubt.doubt_of_missing(
            path
            for path, is_missing in dict(
                record.sql(
                    "SELECT path, iif(json_valid(content), json_extract(content, '$.missing'), 0) "
                    "FROM outputs WHERE execution_id = ? AND output_type = 'deliverable' "
                    "AND retracted_at IS NULL AND path IS NOT NULL ORDER BY created_at, uid",
                    [execution_id],
                )
            ).items()
            if is_missing
        )
    )


def _parentage(
    record: Record, execution_id: str, parent: str | None, depth: int | None
) -> dict[str, Any]:
    """Find the execution that launched this one, and its depth; empty where nobody knows."""
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


def _waiting_parents(record: Record, execution_id: str) -> set[str]:
    """Find the run that launched one, where it may have stopped only to wait for that."""
    return {
        parent
        for (parent,) in record.sql(
            "SELECT parent_execution_id FROM agent_executions AS e WHERE execution_id = ? "
            "AND EXISTS (SELECT 1 FROM observations AS o WHERE kind = 'returned' "
            "AND o.execution_id = e.parent_execution_id AND o.source = 'hook')",
            [execution_id],
        )
    }


# The row


def _changes(record: Record, execution_id: str, merged: Merged) -> tuple[Row, Row]:
    """Compare the row of an execution with the merge; gives the row and what differs."""
    (row,) = record.rows("SELECT * FROM agent_executions WHERE execution_id = ?", [execution_id])
    return row, {name: value for name, value in merged.values.items() if row[name] != value}


def _write_row(record: Record, execution_id: str, merged: Merged) -> Row:
    row, changed = _changes(record, execution_id, merged)
    if "handed_over_id" in changed:  # the search indexes it in the place of the other
        changed.setdefault("briefing_id", row["briefing_id"])
    if changed.get("run_project"):
        note_other_project(record, changed["run_project"])
    if "final_message" in changed:
        contents.unshare_messages(record, execution_id)
    if changed:
        assignments = ", ".join(f"{name} = ?" for name in changed)
        record.execute(
            f"UPDATE agent_executions SET {assignments}, revision = revision + 1 "
            "WHERE execution_id = ?",
            [*changed.values(), execution_id],
        )
    if (message_id := merged.values["message_id"]) is not None:
        contents.share_message(record, message_id, execution_id, merged.values["final_message"])
    return changed


# Its returns

_COMPLETION = (
    "position, completed_at, status, success, message_id, error_message, error_code, source, ending"
)


def _completions(record: Record, merged: Merged) -> list[tuple[Any, ...]]:
    return [
        (position, *_completion(record, each))
        for position, each in enumerate(merged.returns, start=1)
    ]


def _completion(record: Record, each: Return) -> tuple[Any, ...]:
    message_id = portable.content_id_of(record, each.message)
    said = (message_id, each.error_message, each.error_code, each.source, each.ending)
    return (each.completed_at, each.status, int(each.success), *said)


def _held_completions(record: Record, execution_id: str) -> list[tuple[Any, ...]]:
    return record.sql(
        f"SELECT {_COMPLETION} FROM completions WHERE execution_id = ? ORDER BY position",
        [execution_id],
    )


def _write_completions(record: Record, execution_id: str, merged: Merged) -> None:
    wanted = _completions(record, merged)
    if _held_completions(record, execution_id) == wanted:
        return
    record.execute("DELETE FROM completions WHERE execution_id = ?", [execution_id])
    record.executemany(
        f"INSERT INTO completions (execution_id, {_COMPLETION}) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(execution_id, *values) for values in wanted],
    )


# What it delivered

_OUTPUT = (
    "uid, output_type, content, created_at, metadata, found, path, sha256, size, content_id, "
    "retracted_at"
)


def derive_outputs(told: Iterable[Delivered]) -> list[OutputFact]:
    """Add up statements, oldest first, to the outputs of a run, oldest first.

    Of one uid the last word counts, and the earliest time: two machines that find the same thing
    in one run give it the same uid.
    """
    held: dict[str, OutputFact] = {}
    for delivered in told:
        for output in delivered.outputs:
            times = [o.created_at for o in (output, held.get(output.uid, output)) if o.created_at]
            held[output.uid] = output.replaced(created_at=min(times, default=None))
        for uid in delivered.withdrawn:
            held.pop(uid, None)
    return sorted(held.values(), key=lambda output: output.created_at or "")


def output_row(record: Record, output: OutputFact) -> tuple[Any, ...]:
    """Make the columns of ``outputs`` from what a statement says."""
    values = dict(zip(OutputFact.shape, output.row(), strict=True))
    values["content_id"] = portable.content_id_of(record, values.pop("kept"))
    return tuple(values[column] for column in _OUTPUT.split(", "))


def read_output_rows(record: Record, execution_id: str) -> dict[str, tuple[Any, ...]]:
    """Read the rows of ``outputs`` of an execution, by uid."""
    rows = record.sql(f"SELECT {_OUTPUT} FROM outputs WHERE execution_id = ?", [execution_id])
    return {row[0]: row for row in rows}


def _write_outputs(record: Record, execution_id: str, told: Iterable[Delivered]) -> None:
    wanted = {o.uid: output_row(record, o) for o in derive_outputs(told)}
    held = read_output_rows(record, execution_id)
    for uid in held.keys() - wanted.keys():
        # one that plain SQL inserted stays until it is taken in
        its = [execution_id, uid]
        record.execute(
            "UPDATE outputs SET revision = -1 WHERE (execution_id, uid) = (?, ?) AND revision > 0",
            its,
        )
        record.execute(
            "DELETE FROM outputs WHERE (execution_id, uid) = (?, ?) AND revision < 0", its
        )
    columns = _OUTPUT.split(", ")
    assigned = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
    record.executemany(
        f"INSERT INTO outputs (execution_id, revision, {_OUTPUT}) "
        f"VALUES (?, 1{', ?' * len(columns)}) ON CONFLICT (execution_id, uid) DO UPDATE "
        f"SET {assigned}, revision = revision + 1",
        [(execution_id, *row) for uid, row in wanted.items() if held.get(uid) != row],
    )


# What it was given

_ALLOCATION = (
    "context_type, context_source, token_count, included_in_deployment, position, priority, "
    "sections, estimator, token_low, token_high, content_id, arrived"
)


def derive_items(record: Record, told: Iterable[Allocated]) -> list[ItemFact]:
    """Add up statements, oldest first, to the context items of a run."""
    items: list[ItemFact] = []
    for given in told:
        if given.whole:
            items = []
        elif given.replaces:
            items = [item.replaced(included_in_deployment=0) for item in items]
        stated = given.stated_in and registers.find_stated_items(record, given.stated_in)
        items += [item for item in stated or given.items if item not in items]
    return items


def item_rows(record: Record, items: Iterable[ItemFact]) -> list[tuple[Any, ...]]:
    """Make the columns of ``context_allocations`` from what statements say."""
    rows = [item.row() for item in items]
    ids = portable.content_ids_of(record, [content for *_, content, _ in rows])
    return [
        (*said, content_id, arrived)
        for (*said, _, arrived), content_id in zip(rows, ids, strict=True)
    ]


def read_item_rows(record: Record, execution_id: str) -> list[tuple[Any, ...]]:
    """Read the rows of ``context_allocations`` of an execution, in order."""
    return record.sql(
        f"SELECT {_ALLOCATION} FROM context_allocations WHERE execution_id = ? "
        "ORDER BY allocation_id",
        [execution_id],
    )


def _write_allocations(record: Record, execution_id: str, items: Iterable[ItemFact]) -> None:
    wanted = item_rows(record, items)
    held = record.sql(
        f"SELECT {_ALLOCATION} FROM context_allocations WHERE execution_id = ? AND revision > 0 "
        "ORDER BY allocation_id",
        [execution_id],
    )
    if held == wanted:
        return
    if held:  # one that plain SQL inserted stays until it is taken in
        record.execute(
            "UPDATE context_allocations SET revision = -1 WHERE execution_id = ? AND revision > 0",
            [execution_id],
        )
        record.execute(
            "DELETE FROM context_allocations WHERE execution_id = ? AND revision < 0",
            [execution_id],
        )
    record.executemany(
        f"INSERT INTO context_allocations (execution_id, revision, {_ALLOCATION}) "
        "VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(execution_id, *row) for row in wanted],
    )


# What it was told after its launch


def _write_told(record: Record, execution_id: str, told: Iterable[Addressed]) -> None:
    wanted = [
        (position, each.at, each.call, portable.content_id_of(record, each.text))
        for position, each in enumerate(_join_told(told), start=1)
    ]
    held = record.sql(
        "SELECT position, at, call, content_id FROM told WHERE execution_id = ? ORDER BY position",
        [execution_id],
    )
    if held == wanted:
        return
    record.execute("DELETE FROM told WHERE execution_id = ?", [execution_id])
    record.executemany(
        "INSERT INTO told (execution_id, position, at, call, content_id) VALUES (?, ?, ?, ?, ?)",
        [(execution_id, *row) for row in wanted],
    )


def _join_told(told: Iterable[Addressed]) -> list[Addressed]:
    """Join what the call that sent a message says of it with what the agent heard, oldest first.

    The first of the calls with a text is the first time that the agent heard it.
    """
    joined: list[Addressed] = []
    by_text: dict[str | None, list[Addressed]] = {}
    for each in told:
        by_text.setdefault(each.text, []).append(each)
    for same in by_text.values():
        calls = list({each.call: each for each in reversed(same) if each.call}.values())[::-1]
        heard = [each for each in same if not each.call]
        joined += calls + heard[len(calls) :]
    return sorted(joined, key=lambda each: (each.at or "", each.text or "", each.call or ""))
