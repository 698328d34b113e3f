"""A past briefing again, byte for byte from the record, and deployed again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from orch_tui.errors import ConflictError, OrchError
from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import Bundle
from orch_tui.prepare.catalogue import Catalogue
from orch_tui.record import bundles, deployment, executions, plan
from orch_tui.record.ledger import briefings, contents
from orch_tui.rows import ExecutionFacts


@frozen
class Replay:
    """What an execution was handed."""

    execution: ExecutionFacts
    briefing: bytes
    """Without the marker line, which belongs to one deployment."""
    saved: bundles.SavedBundle | None
    """The bundle version it was rendered from, where there was one."""


def replay_briefing(record: Record, label: str) -> Replay:
    """The briefing of a past execution from stored bytes, proven by its hash.

    Raises:
        NotFoundError: no such execution.
        OrchError: no briefing was recorded for it, or a part of it was redacted.
    """
    execution = executions.get_execution(record, label)
    if execution.briefing_id is None:
        raise OrchError(
            f"no briefing was recorded for {execution.execution_id}",
            hint="deploy with --context-bundle or --briefing, and there is one to replay",
        )
    text = briefings.get_briefing(record, execution.briefing_id)
    sha256 = record.value(
        "SELECT sha256 FROM briefings WHERE briefing_id = ?", [execution.briefing_id]
    )
    if hashlib.sha256(text).digest() != sha256:
        marks = {contents.FORGOTTEN: "forgotten", contents.UNSENT: "kept back by its machine"}
        how = next((how for mark, how in marks.items() if mark.encode() in text), "redacted")
        raise ConflictError(
            f"the briefing of {execution.execution_id} is not what it was: a part was {how}",
            hint="`orch show` shows what is left of it",
        )
    version = execution.bundle_version_id
    return Replay(
        execution, text, None if version is None else bundles.load_bundle_version(record, version)
    )


def deploy_again(
    record: Record,
    label: str,
    *,
    session_id: str | None = None,
    bundle: Bundle | None = None,
    catalogue: Catalogue,
    limits: Limits,
    allow_overflow: str | None = None,
    worktree: str | None = None,
    root: Path | None = None,
) -> deployment.Deployment:
    """Deploy what a past execution was given as a new execution, in its session or another; or
    another ``bundle`` in its place.

    In its own session it is another attempt of the same planned agent. ``worktree`` and ``root``
    are as in ``record_deployment``.

    Raises:
        OverBudgetError: over a limit and no reason to allow it.
    """
    past = replay_briefing(record, label)
    if bundle is not None:
        past = replace(past, briefing=b"", saved=None)
    execution = past.execution
    target = session_id or execution.session_id
    same_plan = [
        planned.position
        for planned in plan.list_planned_agents(record, target)
        if planned.planned_id == execution.planned_id
    ]
    return deployment.record_deployment(
        record,
        target,
        agent_type=execution.agent_type,
        scope=execution.scope,
        model=execution.requested_model,
        bundle=bundle or (past.saved.bundle if past.saved else None),
        context_token_count=None if bundle else execution.context_token_count,
        planned=same_plan[0] if same_plan else None,
        briefing=past.briefing or None,
        catalogue=catalogue,
        limits=limits,
        allow_overflow=allow_overflow,
        allow_secret=True,  # it was given this already
        worktree=worktree,
        root=root,
    )
