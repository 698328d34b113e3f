"""The facts of a session's report in words: Markdown in which no fact is taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from orch_tui.prepare.model_choice import describe_model
from orch_tui.recall.output_validation import note_found
from orch_tui.times import lasting, local_time
from orch_tui.wording import plural

NOT_RECORDED = "not recorded"


def render_placeholders(known: Mapping[str, Any]) -> dict[str, str]:
    """The values of the older templates, and our further sections, as Markdown."""
    changes, coverage = known["changes"], known["coverage"]
    return {
        "agent_summaries": _listed(map(_agent_line, known["agents"])),
        "deliverable_list_with_locations": _listed(
            [
                *map(_deliverable_line, known["deliverable_states"]),
                *map(_superseded_line, known["superseded_deliverables"]),
            ]
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
            f"{_line(i['text'])} ({', '.join(i['execution_ids'])}{note_found(i['found'])})"
            for i in known["insights"]
        ),
        "error_list": _listed(
            f"{_line(e['text'])} ({e['execution_id']}{note_found(e['found'])})"
            for e in known["errors"]
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


def _agent_line(agent: Mapping[str, Any]) -> str:
    tokens = agent["context_token_count"]
    parts = [
        agent["outcome"]
        + (f", unverified: {_line(agent['unverified'])}" if agent["unverified"] else "")
        + (", superseded by a later attempt" if agent["superseded"] else ""),
        f"model {_line(_model_name(agent))}",
        f"given {tokens:,} tokens ({_line(agent['estimator'] or 'estimator not recorded')})"
        if tokens is not None
        else f"tokens given {NOT_RECORDED}",
        _times(agent),
    ]
    scope = _line(agent["scope"] or f"scope {NOT_RECORDED}")
    head = f"**{_line(agent['agent_type'])}** ({agent['execution_id']})"
    return f"{head}: {scope}\n  {'; '.join(parts)}"


def _model_name(agent: Mapping[str, Any]) -> str:
    return describe_model(agent["resolved_model"], agent["requested_model"], NOT_RECORDED)


def _times(agent: Mapping[str, Any]) -> str:
    deployed = f"deployed {_local(agent['deployed_at'])}"
    if agent["completed_at"] is None:
        return deployed
    took = agent["duration_ms"]
    return f"{deployed}, returned {_local(agent['completed_at'])}" + (
        f" after {lasting(took / 1000)}" if took is not None else ""
    )


def _deliverable_line(deliverable: Mapping[str, Any]) -> str:
    added, modified = deliverable["lines_added"], deliverable["lines_modified"]
    lines = (
        f"lines {NOT_RECORDED}"
        if added is None
        else f"{plural(added, 'line')} added, {modified or 0} modified"
    )
    state = "unchanged since" if deliverable["state"] == "unchanged" else deliverable["state"]
    tree = f" in {_code(deliverable['worktree'])}" if deliverable.get("worktree") else ""
    return (
        f"{_code(deliverable['path'])}{tree}: {lines}; {state} "
        f"({deliverable['execution_id']}{note_found(deliverable['found'])})"
    )


def _superseded_line(deliverable: Mapping[str, Any]) -> str:
    return f"{_deliverable_line(deliverable)}, superseded by a later attempt, not counted"


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


def clean_values(value: Any) -> Any:
    """Every text in a value, however deep, without terminal codes and writable as UTF-8."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, Mapping):
        return {clean_values(key): clean_values(held) for key, held in value.items()}
    return [clean_values(held) for held in value] if isinstance(value, list | tuple) else value
