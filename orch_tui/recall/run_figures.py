"""What is known of one execution, in words: four figures of tokens and cost are never mixed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from orch_tui.prepare.model_choice import describe_model
from orch_tui.recall.show import Shown
from orch_tui.record.ledger.file_use import FileUse
from orch_tui.rows import ExecutionFacts
from orch_tui.times import between, lasting, local_time

UNKNOWN = "unknown"

_USAGE = {
    "input_tokens": "input",
    "cache_write_tokens": "cache write",
    "cache_read_tokens": "cache read",
    "output_tokens": "output",
}

_ENDINGS = {
    "stopped": "by whoever launched it",
    "interrupted": "by the user",
    "limit": "at its limit of turns",
    "gone": "with its session",
}


def describe_run(shown: Shown) -> list[tuple[str, str]]:
    """Name and value of each fact, in the order one asks for them; what is not known of a run
    that is over says so, what never applies is left out."""
    return [(name, value) for name, value in _facts(shown) if value]


def _facts(shown: Shown) -> Iterator[tuple[str, str]]:
    run = shown.execution
    state = "waiting" if run.status == "deployed" else run.status or UNKNOWN
    yield "state", f"{state}, retracted" if run.retracted_at else state
    yield "unverified", (run.unverified or "") if run.unverified != run.error_message else ""
    yield "error", ", ".join(filter(None, (run.error_message, run.error_code)))
    yield "ended", _ENDINGS.get(run.ending or "", "")
    yield "execution", run.execution_id
    yield "agent", run.agent_type
    yield "called", run.agent_name or ""
    yield "kind", run.agent_kind or ""
    workflow = (run.workflow, run.workflow_run, run.workflow_phase)
    yield "workflow", ", ".join(filter(None, workflow))
    yield "scope", run.scope or ""
    yield "called as", shown.called_as or ""
    yield "handed over", _handed_over(shown)
    yield "session", f"{run.session_id}{f', phase {run.phase}' if run.phase else ''}"
    yield "model", describe_model(run.resolved_model, run.requested_model, UNKNOWN)
    yield "deployed", local_time(run.deployed_at)
    if run.status != "deployed":
        yield "returned", f"{local_time(run.completed_at)}, after {_duration(run)}"
    yield "estimate of bundle", _estimate(shown)
    if run.status != "deployed":
        end = run.context_end_tokens
        yield "context at its end", UNKNOWN if end is None else f"{end:,} tokens"
        yield "usage of the run", _usage(run)
        yield "cost", _cost(run)
    yield "worktree", run.worktree or ""
    yield "tool calls", "" if run.tool_calls is None else f"{run.tool_calls:,}"
    yield "files", _files(shown.files)
    yield "launched by", run.parent_execution_id or ""
    yield "depth", str(run.depth) if run.depth and run.depth > 1 else ""
    yield "attempt", _attempt(shown)
    yield "may be one with", ", ".join(shown.may_be_one_with)
    yield "previous run", shown.before or ""
    yield "next run", shown.after or ""
    yield "same context", ", ".join(shown.same_context)
    yield "heard from", run.source
    yield "tool use", run.tool_use_id or ""
    yield "agent id", run.agent_id or ""


def _handed_over(shown: Shown) -> str:
    """How what was handed over differs from the briefing, and why the hook changed nothing."""
    said = shown.difference.summary if shown.difference else ""
    if shown.not_handed_over is None:
        return said
    return f"{said or 'the line that names the briefing'}; the hook: {shown.not_handed_over}"


def _attempt(shown: Shown) -> str:
    """Which attempt at its task it is, which it replaces and which one replaced it."""
    label, attempts = shown.execution.execution_id, shown.attempts
    if len(attempts) < 2:
        return ""
    place = attempts.index(label)
    parts = [f"{place + 1} of {len(attempts)}"]
    parts += [f"tries {attempts[place - 1]} again"] if place else []
    parts += [f"tried again as {attempts[place + 1]}"] if attempts[place + 1 :] else []
    return ", ".join(parts)


def _duration(run: ExecutionFacts) -> str:
    if run.duration_ms is not None:
        return lasting(timedelta(milliseconds=run.duration_ms))
    return lasting(between(run.deployed_at, run.completed_at))


def _estimate(shown: Shown) -> str:
    run = shown.execution
    if run.context_token_count is None:
        return ""
    around = run.context_token_count - sum(_handed_tokens(shown))
    parts = f", {around:,} of them around the items" if shown.given and around > 0 else ""
    return f"{run.context_token_count:,} tokens{parts} ({run.estimator or 'estimator unknown'})"


def _handed_tokens(shown: Shown) -> Iterator[int]:
    """What each item took of the briefing; one that is only named has its name counted around."""
    for given in shown.given:
        counted_alike = given.allocation.estimator == shown.execution.estimator
        if not given.named_only:
            # one that is not known leaves none of the whole to tell apart
            known = given.allocation.token_count if counted_alike else None
            yield shown.execution.context_token_count or 0 if known is None else known


def _usage(run: ExecutionFacts) -> str:
    parts = {name: getattr(run, column) for column, name in _USAGE.items()}
    known = {name: tokens for name, tokens in parts.items() if tokens is not None}
    if not known:
        return UNKNOWN
    listed = ", ".join(f"{name} {tokens:,}" for name, tokens in known.items())
    unknown = ", ".join(f"{name} {UNKNOWN}" for name in parts if name not in known)
    listed = ", ".join(filter(None, (listed, unknown)))
    return f"{sum(known.values()):,} tokens: {listed}"


def _cost(run: ExecutionFacts) -> str:
    if run.cost_usd is None:
        return UNKNOWN
    return f"${run.cost_usd:.4f} at the prices of {run.price_date or UNKNOWN}"


def _files(files: tuple[FileUse, ...]) -> str:
    counts = {
        "read": sum(file.read_at is not None for file in files),
        "written": sum(file.written_at is not None for file in files),
        "read though given": sum(file.is_read_again for file in files),
        "needed and not given": sum(file.is_missed for file in files),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
