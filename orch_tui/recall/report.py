"""The report of a session, from stored facts only.

Where nothing was recorded the report says so; it never takes silence for success.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, get_args

from orch_tui.errors import UsageError
from orch_tui.models.database import Record
from orch_tui.prepare.budget import LimitGauge, Limits
from orch_tui.prepare.bundle import dump_json
from orch_tui.prepare.templates import Template, fill_template, load_template
from orch_tui.recall.listing import DeliverableState
from orch_tui.recall.output_validation import (
    COVERAGE,
    GATES,
    ExecutionResults,
    OutputValidation,
    check_outputs,
    describe_error,
    find_coverage_target,
    has_failed,
    is_waiting,
    list_session_outputs,
    note_found,
)
from orch_tui.recall.report_text import NOT_RECORDED, clean_values, render_placeholders
from orch_tui.record import plan, sessions
from orch_tui.record.ledger import contents, journal
from orch_tui.record.session_budget import load_session_budget
from orch_tui.rows import ExecutionFacts, Output
from orch_tui.times import between

REPORT_VERSION = 1
"""Of the JSON of a report: counted up when a key changes its meaning or goes."""

Format = Literal["markdown", "json", "html"]
FORMATS: tuple[Format, ...] = get_args(Format)


def synthesize_report(
    record: Record,
    session_id: str,
    *,
    root: Path,
    template: Template | str | None = None,
    template_folders: Sequence[Path] = (),
    format: Format = "markdown",  # noqa: A002 # the name of the command's flag
    limits: Limits | None = None,
) -> str:
    """The report of a session as ``markdown``, ``json`` or ``html``.

    ``template`` is one, its path or its name, Jinja2 or of the older form; it can ask for
    everything in ``gather_report`` and ``render_placeholders``. For HTML each text
    among them is escaped. ``root`` is where relative deliverables are looked for.

    Raises:
        NotFoundError: no such session or template; with the nearest known.
        UsageError: another format, or a template for JSON.
        FormatError: what is wrong in the template.
    """
    if format not in FORMATS:
        raise UsageError(f"there is no format {format!r}", hint=f"one of {', '.join(FORMATS)}")
    if format == "json" and template is not None:
        raise UsageError("JSON needs no template", hint="leave out --template or --format json")
    with record.read():
        known = gather_report(record, session_id, root, limits or Limits())
    if format == "json":
        return dump_json({**known, "schema_version": REPORT_VERSION})
    default = {"markdown": "synthesis.md.j2", "html": "synthesis.html.j2"}[format]
    if not isinstance(template, Template):
        template = load_template(template or default, template_folders)
    values = known | render_placeholders(known)
    if format == "html":
        return fill_template(template, clean_values(values), for_html=True)
    return fill_template(template, values)


def gather_report(record: Record, session_id: str, root: Path, limits: Limits) -> dict[str, Any]:
    """Everything the report says, as JSON: the keys of the older script, then ours."""
    session = sessions.get_session(record, session_id)
    validation = check_outputs(record, session, root)
    executions = [checked.execution for checked in validation.executions]
    entries = journal.list_journal(record, session_id=session_id)
    held = list_session_outputs(record, session_id)
    made = (*validation.deliverables, *validation.superseded_deliverables)
    changes = _changes(record, made, held)
    session_gauge = load_session_budget(record, session_id, limits).gauge
    return {
        "timestamp": record.now(),
        "agents_deployed": [execution.agent_type for execution in executions],
        "deliverables": [deliverable.path for deliverable in validation.deliverables],
        "status": session.status,
        "validation": {
            "agents_count": len(executions),
            "deliverables_count": len(validation.deliverables),
            **validation.to_dict(),
        },
        "session": asdict(session),
        "agents": [_agent(checked) for checked in validation.executions],
        "deliverable_states": [_deliverable(d, changes) for d in validation.deliverables],
        "superseded_deliverables": [
            _deliverable(d, changes) for d in validation.superseded_deliverables
        ],
        "gates": _gates(validation),
        "coverage": {"actual": _coverage(validation), "target": find_coverage_target(session)},
        "evidence": _evidence(validation),
        "changes": _tally({d.path: changes[d.path] for d in validation.deliverables}),
        "insights": _insights(held),
        "errors": _errors(executions, held),
        "budget": _budget(session_gauge),
        "overflows": [
            {"execution_id": e.execution_id, "at": e.at, "actor": e.actor, **_after(e.after)}
            for e in entries
            if e.action == "overflow"
        ],
        "skipped_gates": [
            {"at": e.at, "actor": e.actor, "phase": _after(e.after).get("phase"), "gate": gate}
            for e in entries
            if e.action == "set-phase"
            for gate in _after(e.after).get("skipped_gates", ())
        ],
        "next_steps": list(_next_steps(record, validation)),
    }


def _agent(checked: ExecutionResults) -> dict[str, Any]:
    execution = checked.execution
    names = (
        *("execution_id", "agent_type", "scope", "status", "success"),
        *("model", "requested_model", "resolved_model"),
        *("context_token_count", "estimator", "deployed_at", "completed_at"),
        *("error_code", "error_message", "unverified"),
    )
    return {
        **{name: getattr(execution, name) for name in names},
        "duration_ms": execution.duration_ms or _elapsed(execution),
        "superseded": checked.superseded,
        "outcome": "waiting"
        if is_waiting(execution)
        else "failed"
        if has_failed(execution)
        else "completed",
    }


def _elapsed(execution: ExecutionFacts) -> int | None:
    """Milliseconds from deployment to return."""
    passed = between(execution.deployed_at, execution.completed_at)
    return None if passed is None else int(passed.total_seconds() * 1000)


def _deliverable(state: DeliverableState, changes: Mapping[str, str | None]) -> dict[str, Any]:
    content = state.output.content
    return {
        "path": state.path,
        "worktree": state.worktree,
        "state": state.state,
        "lines_added": state.lines_added,
        "lines_modified": state.lines_modified,
        "change": changes[state.path],
        "versions": state.versions,
        "size": state.output.size,
        "execution_id": state.output.execution_id,
        "collected_at": state.output.created_at,
        "found": state.output.found,
        "validation": content["validation"],
    }


def _changes(
    record: Record, deliverables: Iterable[DeliverableState], held: Iterable[Output]
) -> dict[str, str | None]:
    """By path ``created`` or ``modified``, told from the lines git knew; None: it told nothing."""
    versions: dict[str | None, list[Output]] = {}
    for output in held:
        versions.setdefault(output.path, []).append(output)
    return {
        d.path: _change([_one_change(record, version) for version in versions.get(d.path, [])])
        for d in deliverables
    }


def _change(said: Sequence[str | None]) -> str | None:
    return next((change for change in ("created", "modified") if change in said), None)


def _one_change(record: Record, output: Output) -> str | None:
    said = output.content if isinstance(output.content, dict) else {}
    added, modified = said.get("lines_added"), said.get("lines_modified")
    if added is None or not output.size:
        return None
    if modified:
        return "modified"
    data = None if output.content_id is None else contents.get_content(record, output.content_id)
    if data is None:
        return None
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    return "created" if added == lines else "modified"


_TEST = r"(^|/)(tests?|__tests__|spec)/|(^|/)test_[^/]*$|[._-](test|spec)s?\.\w+$"
_DOCS = r"(?i)(^|/)docs?/|\.(md|rst|adoc)$"


def _tally(changes: Mapping[str, str | None]) -> dict[str, Any]:
    said = list(changes.values())
    tests = [change for path, change in changes.items() if re.search(_TEST, path)]
    return {
        "created": said.count("created"),
        "modified": said.count("modified"),
        "not_known": said.count(None),
        "tests_added": tests.count("created"),
        "tests_not_known": tests.count(None),
        "docs": [path for path in changes if re.search(_DOCS, path) and not re.search(_TEST, path)],
    }


def _standing(validation: OutputValidation) -> list[ExecutionResults]:
    return [c for c in validation.executions if not c.superseded and not is_waiting(c.execution)]


def _gates(validation: OutputValidation) -> list[dict[str, Any]]:
    """Every gate with the executions behind each of its results."""
    standing = _standing(validation)
    checks = dict.fromkeys((*GATES, *(check for c in standing for check in c.results)))
    gates = []
    for check in checks:
        if check == COVERAGE:
            continue
        results: dict[str, list[str]] = {}
        for each in standing:
            result = each.results.get(check)
            if result is None and has_failed(each.execution):
                continue
            value = NOT_RECORDED if result is None else f"{result.value}{note_found(result.found)}"
            results.setdefault(value, []).append(each.execution.execution_id)
        verdicts = {c.results[check].verdict for c in standing if check in c.results}
        gates.append(
            {
                "gate": check,
                "result": "fail"
                if "fail" in verdicts
                else NOT_RECORDED
                if not verdicts
                else "pass"
                if verdicts == {"pass"} and NOT_RECORDED not in results
                else "partly",
                "executions": results,
            }
        )
    return gates


def _coverage(validation: OutputValidation) -> dict[str, int | float]:
    return {
        c.execution.execution_id: value
        for c in _standing(validation)
        if COVERAGE in c.results and not isinstance(value := c.results[COVERAGE].value, str)
    }


def _evidence(validation: OutputValidation) -> str:
    states = [deliverable.state for deliverable in validation.deliverables]
    told = [
        f"{states.count(state)} {state}" for state in dict.fromkeys(sorted(states, reverse=True))
    ]
    standing = _standing(validation)
    n = len(standing)
    said = sum(bool((c.execution.final_message or "").strip()) for c in standing)
    superseded = sum(c.superseded for c in validation.executions)
    parts = [
        f"{len(states)} deliverable{'s' * (len(states) > 1)}: {', '.join(told)}"
        if states
        else "no deliverables recorded",
        f"validation results for {sum(bool(c.results) for c in standing)} of {n} returned agents",
        f"final messages for {said} of {n}",
    ]
    if superseded:
        attempts = "1 attempt" if superseded == 1 else f"{superseded} attempts"
        parts.append(f"{attempts} superseded by a later one not counted")
    return "; ".join(parts)


def _insights(held: Iterable[Output]) -> list[dict[str, Any]]:
    """Each insight once, however often and by however many runs it was told.

    One that somebody claimed counts before the same one as it was found in a message.
    """
    told: dict[str, list[Output]] = {}
    for output in held:
        if output.output_type == "insight":
            told.setdefault(" ".join(output.text.casefold().split()).rstrip("."), []).append(output)
    return [
        {
            "execution_id": said[0].execution_id,
            "text": next((o for o in said if not o.found), said[0]).text,
            "found": all(o.found for o in said),
            "execution_ids": list(dict.fromkeys(o.execution_id for o in said)),
        }
        for said in told.values()
    ]


def _errors(executions: Iterable[ExecutionFacts], held: Iterable[Output]) -> list[dict[str, Any]]:
    failures = [
        {
            "execution_id": e.execution_id,
            "text": f"{e.agent_type} failed{describe_error(e)}",
            "found": False,
        }
        for e in executions
        if has_failed(e)
    ]
    return failures + [
        {"execution_id": o.execution_id, "text": o.text, "found": o.found}
        for o in held
        if o.output_type == "error"
    ]


def _budget(session_gauge: LimitGauge) -> dict[str, Any]:
    used = session_gauge.used
    return {
        "limit": session_gauge.limit,
        "tokens": used.tokens,
        "low": used.low,
        "high": used.high,
        "estimator": used.estimator,
        "status": session_gauge.status,
        "known": session_gauge.known,
        "without_count": session_gauge.unknown,
        "text": f"{session_gauge}" + (f" ({used.estimator})" if used.estimator else ""),
    }


def _next_steps(record: Record, validation: OutputValidation) -> Iterator[str]:
    for sentence in validation.waiting:
        yield f"Wait for it or record how it ended: {sentence}"
    yield from (f"Mend and check again: {sentence}" for sentence in validation.failed)
    yield from (f"Find or make again what is missing: {each}" for each in validation.missing)
    yield from (f"Look at what changed since it was delivered: {d}" for d in validation.changed)
    session_id = validation.session_id
    deployed = {checked.execution.planned_id for checked in validation.executions}
    for planned in plan.list_planned_agents(record, session_id):
        if planned.planned_id not in deployed:
            yield (
                f"Deploy planned agent {planned.position} ({planned.agent_type}), "
                "or take it out of the plan"
            )
    yield from (f"Record what is not recorded: {each}" for each in validation.not_recorded)


def _after(after: Any) -> dict[str, Any]:
    return after if isinstance(after, dict) else {}
