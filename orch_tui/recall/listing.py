"""What the lists show: sessions, executions and outputs that meet conditions, newest first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

from orch_tui.errors import UsageError
from orch_tui.frozen import frozen
from orch_tui.models.database import Record, Row
from orch_tui.models.row_blocks import read_in_blocks, select_keys
from orch_tui.models.values import MODEL, OUTPUT_TYPES, STATES, STATUSES, WHEN
from orch_tui.record import deliverables
from orch_tui.record import executions as execution_rows
from orch_tui.record import sessions as session_rows
from orch_tui.record.ledger.keys import resolve_label
from orch_tui.record.own_projects import IN_PROJECT, RUN_IN_PROJECT, OwnProjects
from orch_tui.rows import ExecutionFacts, Output, Session, columns, decoded_content
from orch_tui.search.dates import parse_time
from orch_tui.worktrees import find_named_tree

Given = ParamSpec("Given")
Listed = TypeVar("Listed")


def _listed(iterate: Callable[Given, Iterable[Listed]]) -> Callable[Given, list[Listed]]:
    """Make the function that gives as a list what one iterates over."""

    def list_all(*given: Given.args, **named: Given.kwargs) -> list[Listed]:
        return list(iterate(*given, **named))

    return list_all


class Where:
    """SQL terms that must all hold, with their parameters."""

    def __init__(self) -> None:
        self._terms = ["1"]
        self.parameters: list[Any] = []

    def add(self, term: str, *parameters: Any) -> None:
        self._terms.append(term)
        self.parameters += parameters

    def between(self, record: Record, column: str, since: str | None, until: str | None) -> None:
        """Bounds as people write them; a day named by ``until`` is included."""
        now = record.clock()
        if since is not None:
            self.add(f"{column} >= ?", parse_time(since, now))
        if until is not None:
            self.add(f"{column} <= ?", parse_time(until, now, end=True))

    def __str__(self) -> str:
        return " AND ".join(self._terms)


def filter_executions(
    record: Record,
    *,
    session_id: str | None = None,
    agent_type: str | None = None,
    project: OwnProjects | None = None,
    include_archived: bool = False,
) -> Where:
    """What these filters mean for rows of ``agent_executions``.

    Archived sessions are left out unless they are asked for, by name or all of them.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
    """
    where = Where()
    if session_id is not None:
        session_rows.get_session(record, session_id)
        where.add("session_id = ?", session_id)
    elif not include_archived:
        where.add(
            "session_id NOT IN (SELECT session_id FROM sessions WHERE archived_at IS NOT NULL)"
        )
    if project is not None:
        where.add(RUN_IN_PROJECT, *[json.dumps(project)] * 2)
    if agent_type is not None:
        where.add("agent_type = ?", agent_type)
    return where


def iterate_executions(
    record: Record,
    *,
    session_id: str | None = None,
    agent_type: str | None = None,
    status: str | None = None,
    model: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int | None = None,
    project: OwnProjects | None = None,
    include_archived: bool = False,
) -> Iterator[ExecutionFacts]:
    """Executions, newest first; few are in memory at once.

    ``model`` is the one that ran or its family (``sonnet`` for ``claude-sonnet-5-5``); where that
    is not known, the one that was asked for. ``since`` and ``until`` are texts that ``parse_time``
    takes.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
        UsageError: a status, date or limit that does not exist.
    """
    where = filter_executions(
        record,
        session_id=session_id,
        agent_type=agent_type,
        project=project,
        include_archived=include_archived,
    )
    where.between(record, WHEN, since, until)
    if status is not None:
        where.add("status = ?", _one_of("status", status, STATES))
    if model is not None:
        family = f"-{model}-" if model.isalpha() else None
        where.add(f"({MODEL} = ? OR instr('-' || {MODEL} || '-', ?))", model, family)
    return execution_rows.iterate_selected(
        record, str(where), where.parameters, limit=_at_most(limit)
    )


list_executions = _listed(iterate_executions)


def list_sessions(
    record: Record,
    *,
    agent_type: str | None = None,
    status: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int | None = None,
    project: OwnProjects | None = None,
    include_archived: bool = False,
) -> list[Session]:
    """Sessions, newest first; ``agent_type`` leaves those that had such an agent.

    Raises:
        UsageError: a status, date or limit that does not exist.
    """
    where = Where()
    if not include_archived:
        where.add("archived_at IS NULL")
    if project is not None:
        where.add(IN_PROJECT, json.dumps(project))
    if status is not None:
        where.add("status = ?", _one_of("status", status, STATUSES))
    if agent_type is not None:
        where.add(
            "session_id IN (SELECT session_id FROM agent_executions "
            "WHERE agent_type = ? AND retracted_at IS NULL)",
            agent_type,
        )
    where.between(record, "created_at", since, until)
    rows = record.rows(
        f"SELECT {columns(Session)} FROM sessions WHERE {where} "
        "ORDER BY created_at DESC, rowid DESC LIMIT ?",
        [*where.parameters, _at_most(limit)],
    )
    return [Session.of(row) for row in rows]


def count_runs(record: Record, session_ids: Iterable[str]) -> int:
    """Count the runs of sessions; those that were retracted are none."""
    counted = record.value(
        "SELECT count(*) FROM agent_executions WHERE retracted_at IS NULL "
        "AND session_id IN (SELECT value FROM json_each(?))",
        [json.dumps(list(session_ids))],
    )
    return int(counted)


def iterate_outputs(
    record: Record,
    *,
    session_id: str | None = None,
    agent_type: str | None = None,
    output_type: str | None = None,
    execution_id: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int | None = None,
    project: OwnProjects | None = None,
) -> Iterator[Output]:
    """Outputs, newest first, few in memory at once; not those of retracted executions, nor of
    archived sessions unless the session or the execution is named.

    Raises:
        NotFoundError: no such session or execution; with the nearest known ids.
        UsageError: an output type, date or limit that does not exist.
    """
    where = _filter_outputs(
        record,
        session_id=session_id,
        agent_type=agent_type,
        execution_id=execution_id,
        since=since,
        until=until,
        project=project,
    )
    if output_type is not None:
        where.add("output_type = ?", _one_of("output type", output_type, OUTPUT_TYPES))
    few = session_id is not None or execution_id is not None  # sooner sorted than picked by time
    keys = select_keys(
        record,
        f"SELECT output_id FROM outputs WHERE {where} "
        f"ORDER BY {'+' * few}created_at DESC, output_id DESC LIMIT ?",
        where.parameters,
        _at_most(limit),
    )
    rows = read_in_blocks(
        record,
        keys,
        f"SELECT output_id AS key, {columns(Output)} FROM outputs "
        "WHERE output_id IN (SELECT value FROM json_each(?))",
    )
    return map(Output.of, rows)


list_outputs = _listed(iterate_outputs)


def _filter_outputs(
    record: Record,
    *,
    session_id: str | None = None,
    agent_type: str | None = None,
    execution_id: str | None = None,
    since: str | None = None,
    until: str | None = None,
    project: OwnProjects | None = None,
) -> Where:
    few = session_id is not None or execution_id is not None
    of = filter_executions(
        record,
        session_id=session_id,
        agent_type=agent_type,
        project=project,
        include_archived=execution_id is not None,
    )
    where = Where()
    where.add("retracted_at IS NULL")
    if execution_id is not None:
        where.add("execution_id = ?", resolve_label(record, execution_id))
    where.between(record, "created_at", since, until)
    among = (
        "execution_id IN (SELECT execution_id FROM agent_executions WHERE {})"
        if few
        else "EXISTS (SELECT 1 FROM agent_executions AS e "
        "WHERE e.execution_id = outputs.execution_id AND e.{})"
    )
    where.add(among.format(f"retracted_at IS NULL AND {of}"), *of.parameters)
    return where


def output_to_dict(output: Output) -> dict[str, Any]:
    """The output JSON of the proposal, then our columns after its keys."""
    keys = ("output_id", "execution_id", "output_type", "content", "created_at", "metadata")
    row = asdict(output)
    return {key: row[key] for key in keys} | {k: v for k, v in row.items() if k not in keys}


@frozen
class DeliverableState:
    """The latest version of one deliverable, and what became of it."""

    path: str
    worktree: str | None
    """The linked worktree it lies in; None: the root."""
    state: str
    """As ``check_output`` has it."""
    versions: int
    """Versions that were collected."""
    lines_added: int | None
    lines_modified: int | None
    output: Output

    def row(self) -> Row:
        """Give it as a row of ``orch outputs --state``."""
        return {
            "path": self.path,
            "state": self.state,
            "versions": self.versions,
            "lines_added": self.lines_added,
            "lines_modified": self.lines_modified,
            "execution_id": self.output.execution_id,
            "worktree": self.worktree,
        }


def deliverable_states(outputs: Iterable[Output], root: Path) -> list[DeliverableState]:
    """The deliverables among ``outputs``, each file once, with their state on disk now.

    ``root`` is where relative paths start. In another working tree it is another file, as long as
    that tree is there. Sorted by path.
    """
    versions: dict[tuple[str, str], list[Output]] = {}
    for output in sorted(outputs, key=lambda output: output.output_id):
        if output.output_type == "deliverable" and (path := output.file_path):
            worktree = output.content.get("worktree")
            is_there = isinstance(worktree, str) and find_named_tree(worktree, root)
            versions.setdefault((path, worktree if is_there else ""), []).append(output)
    return [_state(*file, held, root) for file, held in sorted(versions.items())]


def _state(path: str, worktree: str, versions: list[Output], root: Path) -> DeliverableState:
    latest = versions[-1]
    content = latest.content
    return DeliverableState(
        path=path,
        worktree=worktree or None,
        state=deliverables.check_output(latest, root) or "not known",
        versions=len(versions),
        lines_added=content["lines_added"],
        lines_modified=content["lines_modified"],
        output=latest,
    )


class CheckResult(NamedTuple):
    """The latest result of one check of one execution."""

    value: str | int | float
    at: str
    found: bool
    """Read out of its final message by orch."""

    @property
    def verdict(self) -> str:
        """``pass``, ``fail`` or ``other`` (skipped, a number, other words)."""
        return str(self.value) if self.value in ("pass", "fail") else "other"


Said = tuple[str, str, str | None, bool, str]
"""What results are read from: execution_id, output_type, content, found, created_at."""


def latest_results(said: Iterable[Said]) -> dict[str, dict[str, CheckResult]]:
    """The latest result of every check by execution, from outputs in the order they were stored.

    What was claimed goes before what was found in a message, and a validation result before
    what stands with a deliverable, which may be carried over from its earlier version.
    """
    return _read_results(
        sorted(said, key=lambda each: (not each[3], each[1] == "validation_result"))
    )


def _read_results(said: Iterable[Said]) -> dict[str, dict[str, CheckResult]]:
    """The latest result of every check by execution, from outputs the weightiest of which is the
    last."""
    results: dict[str, dict[str, CheckResult]] = {}
    for execution_id, output_type, content, found, at in said:
        checks = _checks(output_type, content)
        if checks:
            held = results.setdefault(execution_id, {})
            for check, value in checks:
                held[check] = CheckResult(value, at, bool(found))
    return results


def read_failed_checks(record: Record, labels: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read the checks whose latest result is a failure, by execution; executions without any are
    left out."""
    said = record.sql(
        "SELECT execution_id, output_type, content, found, created_at FROM outputs "
        "WHERE execution_id IN (SELECT value FROM json_each(?)) AND retracted_at IS NULL "
        "AND output_type IN ('validation_result', 'deliverable') ORDER BY output_id",
        [json.dumps(list(labels))],
    )
    failed = {
        execution_id: tuple(check for check, each in results.items() if each.verdict == "fail")
        for execution_id, results in latest_results(said).items()
    }
    return {execution_id: checks for execution_id, checks in failed.items() if checks}


def iterate_failed_checks(
    record: Record,
    *,
    session_id: str | None = None,
    agent_type: str | None = None,
    execution_id: str | None = None,
    since: str | None = None,
    until: str | None = None,
    project: OwnProjects | None = None,
) -> Iterator[Row]:
    """Iterate over the checks whose latest result is a failure, a row each; the filters are those
    of outputs."""
    where = _filter_outputs(
        record,
        session_id=session_id,
        agent_type=agent_type,
        execution_id=execution_id,
        since=since,
        until=until,
        project=project,
    )
    said = record.execute(
        f"SELECT execution_id, output_type, content, found, created_at FROM outputs WHERE {where} "
        "AND output_type IN ('validation_result', 'deliverable') "
        "ORDER BY found DESC, output_type = 'validation_result', output_id",
        where.parameters,
    )
    return (
        {
            "execution_id": execution_id,
            "check": check,
            "result": result.value,
            "recorded": "found" if result.found else "claimed",
            "created_at": result.at,
        }
        for execution_id, results in _read_results(said).items()
        for check, result in results.items()
        if result.verdict == "fail"
    )


@lru_cache(4096)  # thousands of executions say the same few things
def _checks(output_type: str, content: str | None) -> tuple[tuple[str, str | int | float], ...]:
    decoded = decoded_content(content)
    if output_type == "deliverable":
        decoded = decoded.get("validation") if isinstance(decoded, dict) else None
    elif output_type != "validation_result":
        return ()
    if isinstance(decoded, str):  # raw SQL may say it as the commands do
        try:
            decoded = deliverables.parse_validation(decoded)
        except UsageError:
            return ()
    if not isinstance(decoded, dict):
        return ()
    return tuple(
        (str(check), _normal(value))
        for check, value in decoded.items()
        if isinstance(value, str | int | float)
    )


def _normal(value: str | int | float) -> str | int | float:
    if isinstance(value, bool):
        return "pass" if value else "fail"
    if isinstance(value, str):
        word = value.strip().lower()
        return {"passed": "pass", "ok": "pass", "failed": "fail"}.get(word, word)
    return value


def _one_of(kind: str, value: str, known: Iterable[str]) -> str:
    if value not in known:
        raise UsageError(f"there is no {kind} {value!r}", hint=f"one of {', '.join(known)}")
    return value


def _at_most(limit: int | None) -> int:
    if limit is not None and limit < 0:
        raise UsageError(f"a limit of {limit} is negative")
    return -1 if limit is None else limit
