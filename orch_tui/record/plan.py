"""Planned agents: intended deployments, their order and what each waits for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orch_tui.errors import NotFoundError, OrchError, UsageError
from orch_tui.facts import PlannedAgent, columns
from orch_tui.ids import not_found
from orch_tui.models.database import Record
from orch_tui.record import journal, sessions


def add(
    record: Record,
    session_id: str,
    agent_type: str,
    *,
    scope: str = "",
    model: str | None = None,
    bundle_id: str | None = None,
    waits_for: Sequence[int] = (),
) -> PlannedAgent:
    """Plan one agent, after those already planned. ``waits_for`` holds positions in the plan.

    Raises:
        UsageError: an empty agent type.
        NotFoundError: an unknown session, bundle or position.
        OrchError: it would wait for itself, also through others.
    """
    if not agent_type.strip():
        raise UsageError("a planned agent needs an agent type", hint="--agent-type NAME")
    with record.write():
        sessions.get(record, session_id)
        _check_bundle(record, bundle_id)
        position = len(agents(record, session_id)) + 1
        planned_id = record.value(
            "INSERT INTO planned_agents (session_id, position, agent_type, scope, model, bundle_id,"
            " created_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING planned_id",
            [session_id, position, agent_type, scope, model, bundle_id, record.now()],
        )
        _set_waits(record, session_id, planned_id, waits_for)
        journal.log(
            record,
            "plan",
            session_id=session_id,
            subject=f"planned {position}",
            after=_described(record, planned_id),
        )
        return _get(record, planned_id)


def change(
    record: Record,
    session_id: str,
    position: int,
    *,
    waits_for: Sequence[int] | None = None,
    **values: str | None,
) -> PlannedAgent:
    """Edit a planned agent: ``agent_type``, ``scope``, ``model``, ``bundle_id``, what it waits for.

    The executions it already has keep what they were given.
    """
    with record.write():
        planned = at(record, session_id, position)
        before = _described(record, planned.planned_id)
        _check_bundle(record, values.get("bundle_id"))
        for name, value in values.items():
            record.execute(
                f"UPDATE planned_agents SET {_editable(name)} = ? WHERE planned_id = ?",
                [value, planned.planned_id],
            )
        if waits_for is not None:
            _set_waits(record, session_id, planned.planned_id, waits_for)
        after = _described(record, planned.planned_id)
        if after != before:
            journal.log(
                record,
                "plan",
                session_id=session_id,
                subject=f"planned {position}",
                before=before,
                after=after,
            )
        return _get(record, planned.planned_id)


def move(record: Record, session_id: str, position: int, to: int) -> None:
    """Give a planned agent another place in the order."""
    with record.write():
        order = agents(record, session_id)
        moved = at(record, session_id, position)
        at(record, session_id, to)
        order = [planned for planned in order if planned.planned_id != moved.planned_id]
        order.insert(to - 1, moved)
        _renumber(record, order)
        journal.log(
            record,
            "plan",
            session_id=session_id,
            subject=f"planned {position}",
            before={"position": position},
            after={"position": to},
        )


def remove(record: Record, session_id: str, position: int) -> None:
    """Take an agent out of the plan; its executions stay, and so does the row."""
    with record.write():
        planned = at(record, session_id, position)
        before = _described(record, planned.planned_id)
        record.execute(
            "DELETE FROM planned_waits WHERE planned_id = ? OR waits_for = ?",
            [planned.planned_id, planned.planned_id],
        )
        record.execute(
            "UPDATE planned_agents SET removed_at = ? WHERE planned_id = ?",
            [record.now(), planned.planned_id],
        )
        _renumber(record, agents(record, session_id))
        journal.log(
            record, "plan", session_id=session_id, subject=f"planned {position}", before=before
        )


def agents(record: Record, session_id: str) -> list[PlannedAgent]:
    """The plan of a session, in order."""
    rows = record.rows(
        f"SELECT {columns(PlannedAgent)} FROM planned_agents "
        "WHERE session_id = ? AND removed_at IS NULL ORDER BY position",
        [session_id],
    )
    return [PlannedAgent.of(row) for row in rows]


def at(record: Record, session_id: str, position: int) -> PlannedAgent:
    """The planned agent at a position (from 1).

    Raises:
        NotFoundError: the plan has no such position.
    """
    planned = agents(record, session_id)
    if not 1 <= position <= len(planned):
        raise NotFoundError(
            "planned agent", str(position), [str(agent.position) for agent in planned]
        )
    return planned[position - 1]


def waits(record: Record, session_id: str) -> dict[int, list[int]]:
    """For each position of the plan, the positions it waits for."""
    position = {planned.planned_id: planned.position for planned in agents(record, session_id)}
    waiting: dict[int, list[int]] = {p: [] for p in position.values()}
    for planned_id, waits_for in record.sql(
        "SELECT planned_id, waits_for FROM planned_waits WHERE planned_id IN "
        "(SELECT planned_id FROM planned_agents WHERE session_id = ?)",
        [session_id],
    ):
        waiting[position[planned_id]].append(position[waits_for])
    return {p: sorted(others) for p, others in waiting.items()}


def waves(record: Record, session_id: str) -> list[list[int]]:
    """Positions that can run side by side, wave by wave.

    Raises:
        OrchError: some wait for each other, which only raw SQL can bring about.
    """
    waiting = {p: set(others) for p, others in waits(record, session_id).items()}
    order: list[list[int]] = []
    while waiting:
        wave = sorted(p for p, others in waiting.items() if not others & waiting.keys())
        if not wave:
            circle = ", ".join(str(p) for p in sorted(waiting))
            raise OrchError(
                f"planned agents {circle} wait for each other", hint="leave out one of the waits"
            )
        order.append(wave)
        for p in wave:
            del waiting[p]
    return order


def matching(
    record: Record, session_id: str, agent_type: str, scope: str, bundle_id: str | None
) -> PlannedAgent | None:
    """The planned agent a deployment is an attempt of, where the plan leaves no doubt."""
    same_type = [a for a in agents(record, session_id) if a.agent_type == agent_type]
    for candidates in (
        [a for a in same_type if bundle_id and a.bundle_id == bundle_id],
        [a for a in same_type if scope and a.scope == scope],
    ):
        if len(candidates) == 1:
            return candidates[0]
    return None


def _get(record: Record, planned_id: int) -> PlannedAgent:
    (row,) = record.rows(
        f"SELECT {columns(PlannedAgent)} FROM planned_agents WHERE planned_id = ?", [planned_id]
    )
    return PlannedAgent.of(row)


def _editable(name: str) -> str:
    if name not in ("agent_type", "scope", "model", "bundle_id"):
        raise UsageError(f"a planned agent has no {name!r} to change")
    return name


def _check_bundle(record: Record, bundle_id: str | None) -> None:
    if bundle_id and not record.value("SELECT 1 FROM bundles WHERE bundle_id = ?", [bundle_id]):
        raise not_found(record, "bundle", bundle_id)


def _set_waits(record: Record, session_id: str, planned_id: int, positions: Sequence[int]) -> None:
    record.execute("DELETE FROM planned_waits WHERE planned_id = ?", [planned_id])
    others = {at(record, session_id, position).planned_id for position in positions}
    record.executemany(
        "INSERT INTO planned_waits (planned_id, waits_for) VALUES (?, ?)",
        [(planned_id, other) for other in others],
    )
    reached = record.sql(
        "WITH RECURSIVE reached(id) AS (SELECT waits_for FROM planned_waits WHERE planned_id = ? "
        "UNION SELECT waits_for FROM planned_waits JOIN reached ON planned_id = id) "
        "SELECT 1 FROM reached WHERE id = ?",
        [planned_id, planned_id],
    )
    if reached:
        raise OrchError(
            "the planned agent would wait for itself", hint="leave out one of the waits"
        )


def _renumber(record: Record, order: Sequence[PlannedAgent]) -> None:
    record.executemany(
        "UPDATE planned_agents SET position = ? WHERE planned_id = ?",
        [(position, planned.planned_id) for position, planned in enumerate(order, start=1)],
    )


def _described(record: Record, planned_id: int) -> dict[str, Any]:
    planned = _get(record, planned_id)
    others = record.sql("SELECT waits_for FROM planned_waits WHERE planned_id = ?", [planned_id])
    return {
        "agent_type": planned.agent_type,
        "scope": planned.scope,
        "model": planned.model,
        "bundle_id": planned.bundle_id,
        "waits_for": sorted(_get(record, other).position for (other,) in others),
    }
