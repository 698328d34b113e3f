"""Runs of one agent, deployed and returned, and what they were given and used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.prepare.count import Count
from orch_tui.recall.insights.group_outcomes import GroupOutcome
from orch_tui.record.completion import record_completion
from orch_tui.record.deployment import record_deployment
from orch_tui.record.sessions import init_session
from tests.record.reporting import report

ALL_PASS: dict[str, str | int | float] = dict.fromkeys(("format", "lint", "types", "tests"), "pass")


def run_agent(
    record: Record,
    session_id: str,
    ending: str | None = "completed",
    agent_type: str = "implementor",
    **given: Any,
) -> str:
    """Deploy one agent and, where an ending is given, let it return with that; give its id."""
    deployed = record_deployment(
        record,
        session_id,
        catalogue=load_catalogue(),
        limits=Limits(),
        agent_type=agent_type,
        **given,
    )
    execution_id = deployed.execution.execution_id
    if ending is not None:
        record_completion(record, execution_id, final_message=ending, status=ending)
    return execution_id


def open_session(record: Record, project: Path | str = "/p") -> str:
    return init_session(record, "a scope", project=str(project)).session_id


def make_item(source: str, type_: str = "file", tokens: int = 100) -> ContextItem:
    count = Count(tokens, "o200k_base", tokens - 1, tokens + 1)
    return ContextItem(type_, source, "required", (), source.encode(), count)


def make_bundle(bundle_id: str, *items: ContextItem) -> Bundle:
    return Bundle(bundle_id, "implementor", "a scope", items, "sonnet", "2026-11-22T10:00:00.000Z")


def counts(outcomes: tuple[GroupOutcome, ...]) -> dict[Any, tuple[int, int, int, int]]:
    """By the name of a group: how many, and of them success, failure and unknown."""
    return {o.name: (o.n, o.success, o.failure, o.unknown) for o in outcomes}


def note_usage(record: Record, execution_id: str, **usage: int) -> None:
    with record.write():
        report(record, "noted", usage, source="import", keys=[f"id:{execution_id}"])
