"""The synthesis of a session, and whether what it delivered holds: from stored facts only.

Where nothing was recorded the report says so; it never takes silence for success.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, get_args

from orch_tui.errors import UsageError
from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.values import WHEN, has_succeeded
from orch_tui.prepare.budget import LimitGauge, Limits
from orch_tui.prepare.bundle import dump_json
from orch_tui.prepare.templates import Template, fill_template, load_template
from orch_tui.recall import listing
from orch_tui.recall.listing import CheckResult, DeliverableState
from orch_tui.record import plan, sessions
from orch_tui.record.ledger import contents, journal
from orch_tui.record.session_budget import load_session_budget
from orch_tui.rows import ERROR_CODES, ExecutionFacts, Output, Session
from orch_tui.times import between, local_time

Format = Literal["markdown", "json", "html"]
FORMATS: tuple[Format, ...] = get_args(Format)
GATES = ("format", "lint", "types", "tests")
"""The quality gates that are reported even where no result of theirs was recorded."""
COVERAGE = "coverage"
NOT_RECORDED = "not recorded"


@frozen
class ExecutionResults:
    """What was checked of one execution."""

    execution: ExecutionFacts
    results: Mapping[str, CheckResult]
    """The latest of every check."""
    superseded: bool
    """A later attempt of the same planned agent, or with the same bundle, stands for it."""


@frozen
class OutputValidation:
    """Whether the outputs of a session hold; sentences name what does not.

    Earlier attempts are listed, but what failed in them counts no more.
    """

    session_id: str
    deliverables: tuple[DeliverableState, ...]
    executions: tuple[ExecutionResults, ...]
    failed: tuple[str, ...]
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    waiting: tuple[str, ...]
    not_recorded: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Nothing failed, nothing is missing, nobody is still waited for.

        What was never recorded does not make it false: ``not_recorded`` lists it.
        """
        return not (self.failed or self.missing or self.waiting)

    def to_dict(self) -> dict[str, Any]:
        return {
            "session_id": self.session_id,
            "ok": self.ok,
            "failed": list(self.failed),
            "missing": list(self.missing),
            "changed": list(self.changed),
            "waiting": list(self.waiting),
            "not_recorded": list(self.not_recorded),
            "deliverables": [
                {"path": d.path, "state": d.state, "execution_id": d.output.execution_id}
                for d in self.deliverables
            ],
            "executions": [
                {
                    "execution_id": checked.execution.execution_id,
                    "agent_type": checked.execution.agent_type,
                    "status": checked.execution.status,
                    "superseded": checked.superseded,
                    "results": {check: r._asdict() for check, r in checked.results.items()},
                }
                for checked in self.executions
            ],
        }


def validate_outputs(record: Record, session_id: str, root: Path) -> OutputValidation:
    """Check what a session delivered against the disk and its recorded results.

    ``root`` is where relative deliverables are looked for. The journal keeps the answer.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
    """
    validation = _validate(record, sessions.get_session(record, session_id), root)
    answer = validation.to_dict()
    kept = ("ok", "failed", "missing", "changed", "waiting", "not_recorded")
    with record.write():
        journal.log_action(
            record,
            "validate-outputs",
            session_id=session_id,
            after={name: answer[name] for name in kept},
        )
    return validation


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
    everything in ``gather_report`` and ``render_placeholders``. For HTML all values are escaped
    before they reach it. ``root`` is where relative deliverables are looked for.

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
        return dump_json(known)
    default = {"markdown": "synthesis.md.j2", "html": "synthesis.html.j2"}[format]
    if not isinstance(template, Template):
        template = load_template(template or default, template_folders)
    values = known | render_placeholders(known)
    return fill_template(template, _escaped(values) if format == "html" else values)


def gather_report(record: Record, session_id: str, root: Path, limits: Limits) -> dict[str, Any]:
    """Everything the report says, as JSON: the keys of the older script, then ours."""
    session = sessions.get_session(record, session_id)
    validation = _validate(record, session, root)
    executions = [checked.execution for checked in validation.executions]
    entries = journal.list_journal(record, session_id=session_id)
    held = _outputs(record, session_id)
    changes = _changes(record, validation.deliverables, held)
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
        "gates": _gates(validation),
        "coverage": {"actual": _coverage(validation), "target": _coverage_target(session)},
        "evidence": _evidence(validation),
        "changes": _tally(changes),
        "insights": [
            {"execution_id": o.execution_id, "text": o.text, "found": o.found}
            for o in held
            if o.output_type == "insight"
        ],
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


def render_placeholders(known: Mapping[str, Any]) -> dict[str, str]:
    """The values of the older templates, and our further sections, as Markdown."""
    changes, coverage = known["changes"], known["coverage"]
    return {
        "agent_summaries": _listed(map(_agent_line, known["agents"])),
        "deliverable_list_with_locations": _listed(
            map(_deliverable_line, known["deliverable_states"])
        ),
        "gate_results": _listed(map(_gate_line, known["gates"])),
        "coverage_actual": _percentages(coverage["actual"].values()),
        "coverage_target": _percentages([coverage["target"]] if coverage["target"] else []),
        "evidence_status": known["evidence"],
        "files_modified_count": _counted(changes["modified"], changes["not_known"]),
        "files_created_count": _counted(changes["created"], changes["not_known"]),
        "tests_added_count": _counted(changes["tests_added"], changes["tests_not_known"]),
        "docs_updated": ", ".join(map(_code, changes["docs"])) or "none",
        "recommended_actions": _listed(
            map(_line, known["next_steps"]), "nothing follows from what is recorded"
        ),
        "insight_list": _listed(
            f"{_line(i['text'])} ({i['execution_id']}{_found(i['found'])})"
            for i in known["insights"]
        ),
        "error_list": _listed(
            f"{_line(e['text'])} ({e['execution_id']}{_found(e['found'])})" for e in known["errors"]
        ),
        "budget_status": _listed(
            [
                known["budget"]["text"],
                *(
                    f"overflow allowed for {o['execution_id']}: "
                    f"{_line(o.get('reason') or 'no reason recorded')}"
                    for o in known["overflows"]
                ),
            ]
        ),
        "skipped_gate_list": _listed(
            f"{_line(g['gate'])} (on the way to phase {g['phase']}, {_local(g['at'])}, "
            f"{_line(g['actor'])})"
            for g in known["skipped_gates"]
        ),
        "session_line": (
            f"{known['session']['session_id']}: {_line(known['session']['scope'])} "
            f"({known['status'] or NOT_RECORDED}, phase {known['session']['phase'] or '?'})"
        ),
    }


# What holds


def _validate(record: Record, session: Session, root: Path) -> OutputValidation:
    executions = listing.list_executions(record, session_id=session.session_id)[::-1]
    held = _outputs(record, session.session_id)
    results = listing.latest_results(
        (o.execution_id, o.output_type or "", o.text, o.found, o.created_at) for o in held
    )
    last = _last_attempts(record, session.session_id)
    checked = tuple(
        ExecutionResults(e, results.get(e.execution_id, {}), e.execution_id not in last)
        for e in executions
    )
    deliverables = tuple(listing.deliverable_states(held, root))
    return OutputValidation(
        session_id=session.session_id,
        deliverables=deliverables,
        executions=checked,
        failed=tuple(_failed(session, [c for c in checked if not c.superseded])),
        missing=tuple(_in_state(deliverables, "missing")),
        changed=tuple(_in_state(deliverables, "changed since")),
        waiting=tuple(
            f"{e.execution_id} ({e.agent_type}) has not returned"
            for e in executions
            if _is_waiting(e)
        ),
        not_recorded=tuple(_silent(checked, deliverables)),
    )


def _outputs(record: Record, session_id: str) -> list[Output]:
    return listing.list_outputs(record, session_id=session_id)[::-1]


def _last_attempts(record: Record, session_id: str) -> set[str]:
    """Of each planned agent the last execution; where nothing is planned, of the same agent type
    with the same bundle and scope."""
    rows = record.sql(
        "SELECT execution_id, planned_id, iif(planned_id IS NULL AND bundle_id IS NOT NULL, "
        "json_array(bundle_id, agent_executions.agent_type, agent_executions.scope), NULL) "
        "FROM agent_executions LEFT JOIN bundle_versions ON version_id = bundle_version_id "
        "WHERE session_id = ? AND retracted_at IS NULL "
        f"ORDER BY {WHEN}, agent_executions.rowid",
        [session_id],
    )
    last: dict[object, str] = {}
    for execution_id, planned_id, same_task in rows:
        attempted = (planned_id, same_task)
        last[attempted if any(attempted) else execution_id] = execution_id
    return set(last.values())


def _is_waiting(execution: ExecutionFacts) -> bool:
    return has_succeeded(execution.status, execution.success) is None


def _has_failed(execution: ExecutionFacts) -> bool:
    return has_succeeded(execution.status, execution.success) is False


def _failed(session: Session, standing: Iterable[ExecutionResults]) -> Iterator[str]:
    target = _coverage_target(session)
    for checked in standing:
        execution = checked.execution
        if _has_failed(execution):
            yield f"{execution.execution_id} ({execution.agent_type}) failed{_why(execution)}"
        for check, result in checked.results.items():
            if result.verdict == "fail":
                yield f"{check} failed for {execution.execution_id}{_found(result.found)}"
            below = check == COVERAGE and target and not isinstance(result.value, str)
            if below and float(result.value) < target:  # type: ignore[operator]
                yield f"coverage {result.value} of {execution.execution_id} is below {target:g}"


def _why(execution: ExecutionFacts) -> str:
    code = execution.error_code
    named = f"{code} {ERROR_CODES.get(code, '')}".strip() if code else ""
    reasons = [reason for reason in (named, execution.error_message) if reason]
    return f": {', '.join(reasons)}" if reasons else ""


def _in_state(deliverables: Iterable[DeliverableState], state: str) -> Iterator[str]:
    for deliverable in deliverables:
        if deliverable.state == state:
            yield f"{deliverable.path} ({deliverable.output.execution_id})"


def _silent(
    checked: Sequence[ExecutionResults], deliverables: Sequence[DeliverableState]
) -> Iterator[str]:
    if not checked:
        yield "no agent was deployed"
    for each in checked:
        execution = each.execution
        if each.superseded or _is_waiting(execution):
            continue
        absent = []
        if not _has_failed(execution):
            absent += [gate for gate in GATES if gate not in each.results]
            if not any(d.output.execution_id == execution.execution_id for d in deliverables):
                absent.append("deliverables")
        if execution.final_message is None:
            absent.append("final message")
        if absent:
            yield f"{', '.join(absent)} ({execution.execution_id})"


# The parts of the report


def _agent(checked: ExecutionResults) -> dict[str, Any]:
    execution = checked.execution
    names = (
        *("execution_id", "agent_type", "scope", "status", "success", "model", "resolved_model"),
        *("context_token_count", "estimator", "deployed_at", "completed_at"),
        *("error_code", "error_message"),
    )
    return {
        **{name: getattr(execution, name) for name in names},
        "duration_ms": execution.duration_ms or _elapsed(execution),
        "superseded": checked.superseded,
        "outcome": "waiting"
        if _is_waiting(execution)
        else "failed"
        if _has_failed(execution)
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
    data = None if output.content_id is None else contents.get(record, output.content_id)
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
    return [c for c in validation.executions if not c.superseded and not _is_waiting(c.execution)]


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
            if result is None and _has_failed(each.execution):
                continue
            value = NOT_RECORDED if result is None else f"{result.value}{_found(result.found)}"
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


def _coverage_target(session: Session) -> float | None:
    """``coverage_target`` of the session's metadata: the one place that can record it."""
    target = session.metadata.get("coverage_target") if isinstance(session.metadata, dict) else None
    return float(target) if isinstance(target, int | float) else None


def _evidence(validation: OutputValidation) -> str:
    states = [deliverable.state for deliverable in validation.deliverables]
    told = [
        f"{states.count(state)} {state}" for state in dict.fromkeys(sorted(states, reverse=True))
    ]
    standing = _standing(validation)
    n = len(standing)
    parts = [
        f"{len(states)} deliverables: {', '.join(told)}" if states else "no deliverables recorded",
        f"validation results for {sum(bool(c.results) for c in standing)} of {n} returned agents",
        f"final messages for {sum(c.execution.final_message is not None for c in standing)} of {n}",
    ]
    return "; ".join(parts)


def _errors(executions: Iterable[ExecutionFacts], held: Iterable[Output]) -> list[dict[str, Any]]:
    failures = [
        {
            "execution_id": e.execution_id,
            "text": f"{e.agent_type} failed{_why(e)}",
            "found": False,
        }
        for e in executions
        if _has_failed(e)
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


# Words for people


def _agent_line(agent: Mapping[str, Any]) -> str:
    tokens = agent["context_token_count"]
    ran = agent["resolved_model"]
    parts = [
        agent["outcome"] + (", superseded by a later attempt" if agent["superseded"] else ""),
        f"model {_line(agent['model'] or NOT_RECORDED)}"
        + (f" (ran {_line(ran)})" if ran and ran != agent["model"] else ""),
        f"given {tokens:,} tokens ({_line(agent['estimator'] or 'estimator not recorded')})"
        if tokens is not None
        else f"tokens given {NOT_RECORDED}",
        _times(agent),
    ]
    scope = _line(agent["scope"] or f"scope {NOT_RECORDED}")
    head = f"**{_line(agent['agent_type'])}** ({agent['execution_id']})"
    return f"{head}: {scope}\n  {'; '.join(parts)}"


def _times(agent: Mapping[str, Any]) -> str:
    deployed = f"deployed {_local(agent['deployed_at'])}"
    if agent["completed_at"] is None:
        return deployed
    took = agent["duration_ms"]
    return f"{deployed}, returned {_local(agent['completed_at'])}" + (
        f" after {_duration(took)}" if took is not None else ""
    )


def _duration(milliseconds: int) -> str:
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _deliverable_line(deliverable: Mapping[str, Any]) -> str:
    added, modified = deliverable["lines_added"], deliverable["lines_modified"]
    lines = (
        f"lines {NOT_RECORDED}"
        if added is None
        else f"{added} lines added, {modified or 0} modified"
    )
    return (
        f"{_code(deliverable['path'])}: {deliverable['state']}; {lines} "
        f"({deliverable['execution_id']}{_found(deliverable['found'])})"
    )


def _gate_line(gate: Mapping[str, Any]) -> str:
    if gate["result"] == NOT_RECORDED:
        return f"{_line(gate['gate'])}: {NOT_RECORDED}"
    told = "; ".join(
        f"{_line(value)}: {', '.join(labels)}" for value, labels in gate["executions"].items()
    )
    return f"{_line(gate['gate'])}: {gate['result']} ({told})"


def _percentages(values: Iterable[int | float]) -> str:
    ordered = sorted(values)
    if not ordered:
        return NOT_RECORDED
    ends = dict.fromkeys(f"{value:g}" for value in (ordered[0], ordered[-1]))
    return f"{' to '.join(ends)} %"


def _counted(n: int, not_known: int) -> str:
    if not_known and not n:
        return f"not known ({not_known} files)"
    return f"{n} (and {not_known} not known)" if not_known else str(n)


def _found(found: bool) -> str:
    return ", found in its message" if found else ""


def _listed(lines: Iterable[str], nothing: str = "none recorded") -> str:
    return "\n".join(f"- {line}" for line in lines) or f"- {nothing}"


_MARKUP = re.compile(r"[\\`*\[\]<>|]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _line(text: str) -> str:
    """One line of Markdown in which nothing is markup."""
    return _MARKUP.sub(r"\\\g<0>", _clean(" ".join(text.split())))


def _code(text: str) -> str:
    text = _clean(" ".join(text.splitlines()))
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"


def _clean(text: str) -> str:
    """Without terminal codes, and writable as UTF-8."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text).encode("utf-8", "replace").decode()


def _local(moment: str | None) -> str:
    """A stored time as people see it."""
    return NOT_RECORDED if moment is None else _line(local_time(moment))


def _escaped(value: Any) -> Any:
    """Every text in a value, however deep, made safe for HTML."""
    if isinstance(value, str):
        from html import escape

        return escape(_clean(value))
    if isinstance(value, Mapping):
        return {_escaped(key): _escaped(held) for key, held in value.items()}
    return [_escaped(held) for held in value] if isinstance(value, list | tuple) else value
