"""Runs of one agent, deployed and returned."""

from __future__ import annotations

from typing import Any

from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.record.completion import record_completion
from orch_tui.record.deployment import record_deployment

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
