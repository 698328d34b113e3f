"""What a session has taken of its budget: each of its bundles once, from stored counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import CLAIMED
from orch_tui.prepare.tokens import ZERO, Count
from orch_tui.record import sessions


@dataclass(frozen=True, slots=True)
class Taken:
    """What one bundle, or one execution without a bundle, takes."""

    label: str
    """The id of the bundle or execution."""
    agent_type: str
    count: Count


def taken(record: Record, session_id: str, *, phase: int | None = None) -> list[Taken]:
    """Each bundle of a session in its latest version, and executions deployed without one.

    A bundle deployed twice counts once. ``phase`` keeps only what was deployed in that phase.
    """
    in_phase = "1" if phase is None else "e.phase = ?"
    bundles = record.sql(
        f"""SELECT v.bundle_id, v.agent_type, i.token_count, i.estimator, i.token_low, i.token_high
        FROM bundles AS b JOIN bundle_versions AS v ON v.version_id = (
          SELECT version_id FROM bundle_versions WHERE bundle_id = b.bundle_id
          ORDER BY version DESC LIMIT 1)
        LEFT JOIN bundle_items AS i ON i.version_id = v.version_id
        WHERE b.session_id = ? AND b.removed_at IS NULL AND ({int(phase is None)} OR EXISTS (
          SELECT 1 FROM agent_executions AS e JOIN bundle_versions AS w
          ON e.bundle_version_id = w.version_id WHERE w.bundle_id = b.bundle_id AND {in_phase}))
        ORDER BY b.rowid, i.position""",
        [session_id, *([] if phase is None else [phase])],
    )
    found: dict[str, Taken] = {}
    for label, agent_type, *figures in bundles:
        count = ZERO if figures[0] is None else Count(*figures)
        before = found[label].count if label in found else ZERO
        found[label] = Taken(label, agent_type, before + count)
    loose = record.sql(
        f"""SELECT execution_id, agent_type, context_token_count, coalesce(estimator, ?)
        FROM agent_executions AS e WHERE session_id = ? AND bundle_version_id IS NULL
        AND context_token_count IS NOT NULL AND retracted_at IS NULL AND {in_phase}
        ORDER BY deployed_at, rowid""",
        [CLAIMED, session_id, *([] if phase is None else [phase])],
    )
    claimed = [
        Taken(label, agent_type, Count(tokens, estimator, tokens, tokens))
        for label, agent_type, tokens, estimator in loose
    ]
    return [*found.values(), *claimed]


def session_limits(record: Record, session_id: str, limits: Limits) -> Limits:
    """The limits with the session's own budget, where it has one."""
    own = sessions.get(record, session_id).budget
    return limits if own is None else replace(limits, budget=own)
