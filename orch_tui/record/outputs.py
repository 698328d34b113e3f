"""Collecting what an execution produced: deliverables, validation results, insights, errors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orch_tui.errors import UsageError
from orch_tui.models.database import Record
from orch_tui.record import deliverables, executions
from orch_tui.record.deliverables import Deliverable
from orch_tui.record.ledger import contents, journal, portable
from orch_tui.record.ledger.statement import Delivered, OutputFact
from orch_tui.record.run_place import MissingFile, find_run_place, note_worktree
from orch_tui.rows import ExecutionFacts, Output, columns

if TYPE_CHECKING:  # it compiles many patterns
    from orch_tui.record.messages.findings import Findings

Validation = Mapping[str, str | int | float]

_MESSAGE = "message"
"""In the metadata of what was found: the digest of the message."""


def collect_outputs(
    record: Record,
    execution_id: str,
    *,
    root: Path,
    cwd: Path | None = None,
    deliverable_paths: Iterable[str] = (),
    validation: Validation | None = None,
    insights: Iterable[str] = (),
    errors: Iterable[str] = (),
    source: str = "manual",
    missing: Callable[[MissingFile], object] = lambda file: None,
) -> list[Output]:
    """Record what an execution produced and give the outputs, new and known.

    A deliverable is meant from ``cwd``, then from the working tree of the run, then from ``root``,
    and is read as it is on disk now: an unchanged one is known already, a changed one becomes a
    new version. A missing one is recorded as missing, and ``missing`` is told. The validation
    result is stored as an output of its own and, as the proposal's output JSON wants it, with each
    deliverable.

    Raises:
        NotFoundError: no such execution.
        UsageError: nothing to collect.
    """
    paths, insights, errors = list(deliverable_paths), list(insights), list(errors)
    if not (paths or validation or insights or errors):
        raise UsageError(
            "there is nothing to collect",
            hint="give --deliverables, --validation-results or --insights",
        )
    execution = executions.get_execution(record, execution_id)
    place = find_run_place(record, execution, root, cwd)
    # Before the transaction: git may take its time.
    read = deliverables.read_deliverables(map(place.place_path, paths))
    with record.write():
        note_worktree(record, execution, place.worktree, source)
        outputs = record_outputs(
            record,
            execution_id,
            read,
            validation=validation,
            insights=insights,
            errors=errors,
            source=source,
        )
    for file in place.find_missing(paths):
        missing(file)
    return outputs


def collect_found_outputs(record: Record, execution_id: str, findings: Findings) -> list[Output]:
    """Record what was read out of a final message, marked as found; maybe nothing."""
    return record_found_outputs(record, execution_id, findings, read_found_deliverables(findings))


def read_found_deliverables(findings: Findings) -> list[Deliverable]:
    """The deliverables that a final message tells of, as they are on disk now."""
    return deliverables.read_deliverables(path.placed for path in findings.deliverables)


def record_found_outputs(
    record: Record, execution_id: str, findings: Findings, read: Sequence[Deliverable]
) -> list[Output]:
    """As ``collect_found_outputs``, of deliverables that were read before.

    What was found in the same message before is left out, whatever became of it since.
    """
    with record.write():
        before = _found_before(record, execution_id, findings.text_digest)
        results = _in_json(findings.validation)
        return record_outputs(
            record,
            execution_id,
            [each for each in read if ("deliverable", each.path) not in before],
            validation=findings.validation,
            insights=[
                insight.text
                for insight in findings.insights
                if ("insight", insight.text) not in before
            ],
            found_in=findings.text_digest,
            keeps_validation=("validation_result", results) not in before,
        )


def _found_before(record: Record, execution_id: str, digest: str) -> set[tuple[str, str]]:
    """List what was found in a message before: its kind, and its path or text."""
    found = set()
    for kind, path, content, metadata in record.sql(
        "SELECT output_type, path, content, metadata FROM outputs WHERE execution_id = ? AND found",
        [execution_id],
    ):
        with suppress(ValueError, TypeError, AttributeError):  # plain SQL may have put anything
            if digest and json.loads(metadata).get(_MESSAGE) == digest:
                found.add((kind, path if kind == "deliverable" else content))
    return found


def record_outputs(
    record: Record,
    execution_id: str,
    read: Sequence[Deliverable],
    *,
    validation: Validation | None = None,
    insights: Sequence[str] = (),
    errors: Sequence[str] = (),
    found_in: str | None = None,
    keeps_validation: bool = True,
    source: str = "manual",
) -> list[Output]:
    """Record outputs with deliverables that were read before.

    ``found_in`` marks what was read out of a final message, by its digest. The validation result
    is no output of its own where it is not ``keeps_validation``.
    """
    with record.write():
        execution = executions.get_execution(record, execution_id)
        found = found_in is not None
        common = {"agent_type": execution.agent_type, "model": execution.model}
        if found_in:
            common[_MESSAGE] = found_in
        kept: list[Output | OutputFact] = [
            _keep_deliverable(
                record,
                execution,
                d,
                validation,
                common,
                [o.path for o in read if o is not d],
                found,
            )
            for d in read
        ]
        texts = [("insight", text) for text in insights] + [("error", text) for text in errors]
        if validation and keeps_validation:
            texts.insert(0, ("validation_result", _in_json(validation)))
        kept += [_keep_text(record, execution, kind, text, common, found) for kind, text in texts]
        new = tuple(output for output in kept if isinstance(output, OutputFact))
        if new:
            from orch_tui.record.ledger.ingest import Report, ingest_statement  # reading needs none

            ingest_statement(
                record,
                Report([f"id:{execution.execution_id}"], Delivered(outputs=new), source=source),
            )
            journal.log_action(
                record,
                "collect",
                session_id=execution.session_id,
                execution_id=execution.execution_id,
                after={"outputs": [output.uid for output in new], "found": found},
            )
        return [_stored_output(record, execution, output) for output in kept]


def _in_json(validation: Validation) -> str:
    return json.dumps(dict(validation), ensure_ascii=False)


def _stored_output(
    record: Record, execution: ExecutionFacts, output: Output | OutputFact
) -> Output:
    """The row of an output, which may be an equal one that was there."""
    if isinstance(output, Output):
        return output
    same = select_outputs(
        record,
        "execution_id = ? AND (uid = ? OR (output_type, content, found) = (?, ?, ?))",
        [execution.execution_id, output.uid, output.output_type, output.content, output.found],
    )
    return next((o for o in same if o.uid == output.uid), same[-1])


def list_execution_outputs(record: Record, execution_id: str) -> list[Output]:
    """The outputs of one execution, oldest first."""
    return select_outputs(record, "execution_id = ?", [execution_id])


def select_outputs(record: Record, condition: str, parameters: Sequence[Any]) -> list[Output]:
    rows = record.rows(
        f"SELECT {columns(Output)} FROM outputs WHERE retracted_at IS NULL AND ({condition}) "
        "ORDER BY created_at, output_id",
        parameters,
    )
    return [Output.of(row) for row in rows]


def _keep_deliverable(
    record: Record,
    execution: ExecutionFacts,
    read: Deliverable,
    validation: Validation | None,
    common: Mapping[str, Any],
    related: Sequence[str],
    found: bool,
) -> Output | OutputFact:
    known = select_outputs(
        record,
        "execution_id = ? AND output_type = 'deliverable' AND path = ?",
        [execution.execution_id, read.path],
    )
    stored_validation = known[-1].content["validation"] if known else {}
    results = dict(validation) if validation else stored_validation
    content = {
        "file_path": read.path,
        "lines_added": read.lines_added,
        "lines_modified": read.lines_modified,
        "validation": results,
    }
    if read.worktree:
        content["worktree"] = read.worktree
    if not read.exists:
        content["missing"] = True
    if read.problem:
        content["problem"] = read.problem
    # what was claimed is not outdone by a find
    same_results = found or results == stored_validation
    is_known = bool(known) and known[-1].sha256 == read.sha256
    if is_known and same_results:
        return known[-1]
    return _output_fact(
        record,
        execution,
        "deliverable",
        json.dumps(content, ensure_ascii=False),
        {**common, "related_files": list(related)},
        found,
        path=read.path,
        sha256=read.sha256,
        size=read.size,
        kept=None if read.data is None else _kept_bytes(record, read.data),
        # the same file said again, with results, is the same output
        uid=known[-1].uid if is_known else None,
    )


def _kept_bytes(record: Record, data: bytes) -> str | None:
    """The SHA-256 of bytes, which are stored."""
    return portable.sha256_of_content(record, contents.store_content(record, data))


def _keep_text(
    record: Record,
    execution: ExecutionFacts,
    output_type: str,
    text: str,
    common: Mapping[str, Any],
    found: bool,
) -> Output | OutputFact:
    alike = "execution_id = ? AND output_type = ? AND found = ?"
    parameters = [execution.execution_id, output_type, found]
    same = f"{alike} AND content = ?"
    if output_type == "validation_result":  # a check that fails again after it passed is news
        latest = f"SELECT max(output_id) FROM outputs WHERE retracted_at IS NULL AND {alike}"
        same = f"output_id = ({latest}) AND content = ?"
    if known := select_outputs(record, same, [*parameters, text]):
        return known[0]
    return _output_fact(record, execution, output_type, text, common, found)


def _output_fact(
    record: Record,
    execution: ExecutionFacts,
    output_type: str,
    content: str,
    metadata: Mapping[str, Any],
    found: bool,
    *,
    path: str | None = None,
    sha256: str | None = None,
    size: int | None = None,
    kept: str | None = None,
    uid: str | None = None,
) -> OutputFact:
    what = [output_type, content, path, sha256, int(found)]
    before = record.value(
        "SELECT count(*) FROM outputs WHERE execution_id = ? "
        "AND (output_type, content, path, sha256, found) IS (?, ?, ?, ?, ?)",
        [execution.execution_id, *what],
    )
    return OutputFact(
        uid=uid or _uid_of([*what, before]),
        output_type=output_type,
        content=content,
        created_at=record.now(),
        metadata=json.dumps(metadata, ensure_ascii=False),
        found=int(found),
        path=path,
        sha256=sha256,
        size=size,
        kept=kept,
    )


def _uid_of(what: Sequence[Any]) -> str:
    """The uid of an output by what it is, and how often the run had it before: another machine
    that finds the same gives it the same."""
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]
