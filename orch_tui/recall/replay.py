"""A past briefing again, byte for byte from the record, and its deployment as a new execution."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from orch_tui.errors import ConflictError, OrchError
from orch_tui.facts import ExecutionFacts
from orch_tui.models.database import Record
from orch_tui.record import briefings, bundles, deployment, executions, plan


@dataclass(frozen=True, slots=True)
class Replay:
    """What an execution was handed."""

    execution: ExecutionFacts
    briefing: bytes
    """Without the marker line, which belongs to one deployment."""
    saved: bundles.Saved | None
    """The bundle version it was rendered from, where there was one."""


def replay(record: Record, label: str) -> Replay:
    """The briefing of a past execution from stored bytes, proven by its hash.

    Raises:
        NotFoundError: no such execution.
        OrchError: no briefing was recorded for it, or a part of it was redacted.
    """
    execution = executions.get(record, label)
    if execution.briefing_id is None:
        raise OrchError(
            f"no briefing was recorded for {execution.execution_id}",
            hint="deploy with --context-bundle or --briefing, and there is one to replay",
        )
    text = briefings.get(record, execution.briefing_id)
    sha256 = record.value(
        "SELECT sha256 FROM briefings WHERE briefing_id = ?", [execution.briefing_id]
    )
    if hashlib.sha256(text).hexdigest() != sha256:
        raise ConflictError(
            f"the briefing of {execution.execution_id} is not what it was: a part was redacted",
            hint="`orch show` shows what is left of it",
        )
    version = execution.bundle_version_id
    return Replay(execution, text, None if version is None else bundles.by_version(record, version))


def deploy_again(
    record: Record, label: str, *, session_id: str | None = None, **options: Any
) -> deployment.Deployed:
    """Deploy what a past execution was given as a new execution, in its session or another.

    Options as in ``deployment.deploy``; in its own session it is another attempt of the same
    planned agent.
    """
    past = replay(record, label)
    execution = past.execution
    target = session_id or execution.session_id
    same_plan = [
        planned.position
        for planned in plan.agents(record, target)
        if planned.planned_id == execution.planned_id
    ]
    return deployment.deploy(
        record,
        target,
        agent_type=execution.agent_type,
        scope=execution.scope,
        model=execution.model,
        bundle=past.saved.bundle if past.saved else None,
        context_token_count=execution.context_token_count,
        planned=same_plan[0] if same_plan else None,
        briefing=past.briefing,
        **options,
    )
