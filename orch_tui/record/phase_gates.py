"""The gates of the five phases: what should be true before a session leaves one."""

from __future__ import annotations

from orch_tui.frozen import frozen
from orch_tui.models.database import Record


@frozen
class Gate:
    """Something that should be true before a session leaves ``phase``."""

    phase: int
    name: str
    met: bool
    missing: str
    """What is missing, in words; empty when met."""
    can_hold: bool = True
    """Whether there is anything yet that it could hold of: without, it is neither met nor missed
    for who looks at it."""


def evaluate_gates(record: Record, session_id: str) -> tuple[Gate, ...]:
    """Evaluate the gates of all phases as they stand now, from stored facts."""
    count = record.value
    validated = count(
        "SELECT count(*) FROM journal WHERE session_id = ? AND action = 'validate'", [session_id]
    )
    planned = count(
        "SELECT count(*) FROM planned_agents WHERE session_id = ? AND removed_at IS NULL",
        [session_id],
    ) + count("SELECT count(*) FROM bundles WHERE session_id = ?", [session_id])
    deployed = "FROM agent_executions WHERE session_id = ? AND retracted_at IS NULL"
    runs = count(f"SELECT count(*) {deployed}", [session_id])
    agents = planned + runs > 0
    # those that another machine sent are awaited there
    own = "AND status = 'deployed' AND origin_id IS NULL"
    waiting = count(f"SELECT count(*) {deployed} {own}", [session_id])
    results = "FROM outputs WHERE output_type = 'validation_result' AND retracted_at IS NULL"
    of_session = (
        "AND execution_id IN (SELECT execution_id FROM agent_executions WHERE session_id = ?)"
    )
    recorded = count(f"SELECT count(*) {results} {of_session}", [session_id])
    found = [
        (1, "validated", validated > 0, "no validation is recorded: orch validate", agents),
        (2, "planned", planned > 0, "no agent is planned and no bundle prepared", True),
        (3, "deployed", runs > 0, "no agent was deployed", agents),
        (3, "returned", waiting == 0, f"{waiting} of {runs} agents have not returned", runs > 0),
        (
            *(4, "results recorded", recorded > 0),
            *("no validation result is recorded: orch collect", runs > waiting),
        ),
    ]
    return tuple(
        Gate(phase, name, met, "" if met else missing, can_hold)
        for phase, name, met, missing, can_hold in found
    )
