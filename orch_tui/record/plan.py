"""Planned agents: intended deployments, their order and what each waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orch_tui.errors import ConflictError, NotFoundError, OrchError, UsageError
from orch_tui.ids import not_found
from orch_tui.models.database import Record
from orch_tui.record import sessions
from orch_tui.record.given_words import check_given_words
from orch_tui.record.ledger import journal
from orch_tui.record.plan_history import read_changes
from orch_tui.rows import JournalEntry, PlannedAgent, columns


def add_planned_agent(
    record: Record,
    session_id: str,
    agent_type: str,
    *,
    scope: str = "",
    model: str | None = None,
    bundle_id: str | None = None,
    waits_for: Sequence[int] = (),
    position: int | None = None,
    allow_secret: bool = False,
) -> PlannedAgent:
    """Plan one agent, at ``position`` or after those already planned.

    ``waits_for`` holds positions as they are before it is added.

    Raises:
        UsageError: an empty agent type.
        SourceError: the scope holds what looks like a secret, without ``allow_secret``.
        NotFoundError: an unknown session, bundle or position.
        OrchError: it would wait for itself, also through others.
    """
    if not agent_type.strip():
        raise UsageError("a planned agent needs an agent type", hint="--agent-type NAME")
    with record.write():
        sessions.get_session(record, session_id)
        _check_bundle(record, bundle_id)
        check_given_words(
            record, "the scope", scope, allow_secret=allow_secret, session_id=session_id
        )
        for awaited in waits_for:
            get_planned_agent(record, session_id, awaited)  # while the plan is what its maker knows
        last = len(list_planned_agents(record, session_id)) + 1
        position = last if position is None else position
        planned_id = record.value(
            "INSERT INTO planned_agents (session_id, position, agent_type, scope, model, bundle_id,"
            " created_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING planned_id",
            [session_id, last, agent_type, scope, model, bundle_id, record.now()],
        )
        _set_waits(record, session_id, planned_id, waits_for)
        _place(record, session_id, planned_id, position)
        journal.log_action(
            record,
            "plan",
            session_id=session_id,
            subject=f"planned {position}",
            after=_described(record, planned_id),
        )
        return _get(record, planned_id)


def change_planned_agent(
    record: Record,
    session_id: str,
    position: int,
    *,
    waits_for: Sequence[int] | None = None,
    allow_secret: bool = False,
    **values: str | None,
) -> PlannedAgent:
    """Edit a planned agent: ``agent_type``, ``scope``, ``model``, ``bundle_id``, what it waits for.

    The executions it already has keep what they were given.

    Raises:
        SourceError: the scope holds what looks like a secret, without ``allow_secret``.
    """
    with record.write():
        planned = get_planned_agent(record, session_id, position)
        before = _described(record, planned.planned_id)
        _check_bundle(record, values.get("bundle_id"))
        if values.get("scope") != planned.scope:
            check_given_words(
                record,
                "the scope",
                values.get("scope"),
                allow_secret=allow_secret,
                session_id=session_id,
            )
        for name, value in values.items():
            record.execute(
                f"UPDATE planned_agents SET {_editable(name)} = ? WHERE planned_id = ?",
                [value, planned.planned_id],
            )
        if waits_for is not None:
            _set_waits(record, session_id, planned.planned_id, waits_for)
        after = _described(record, planned.planned_id)
        if after != before:
            journal.log_action(
                record,
                "plan",
                session_id=session_id,
                subject=f"planned {position}",
                before=before,
                after=after,
            )
        return _get(record, planned.planned_id)


def duplicate_planned_agent(record: Record, session_id: str, position: int) -> PlannedAgent:
    """Plan the same agent once more, right behind the one at ``position``."""
    with record.write():
        planned = get_planned_agent(record, session_id, position)
        return add_planned_agent(
            record,
            session_id,
            planned.agent_type,
            scope=planned.scope,
            model=planned.model,
            bundle_id=planned.bundle_id,
            waits_for=list_waits(record, session_id)[position],
            position=position + 1,
            allow_secret=True,  # it was allowed where it was planned first
        )


def move_planned_agent(record: Record, session_id: str, position: int, to: int) -> None:
    """Give a planned agent another place in the order."""
    with record.write():
        moved = get_planned_agent(record, session_id, position)
        _place(record, session_id, moved.planned_id, to)
        if to == position:
            return
        journal.log_action(
            record,
            "plan",
            session_id=session_id,
            subject=f"planned {position}",
            before={"uid": moved.uid, "position": position},
            after={"uid": moved.uid, "position": to},
        )


def remove_planned_agent(record: Record, session_id: str, position: int) -> None:
    """Take an agent out of the plan; its executions stay, and so does the row."""
    with record.write():
        planned = get_planned_agent(record, session_id, position)
        awaited_by = [
            p for p, others in list_waits(record, session_id).items() if position in others
        ]
        before = {**_described(record, planned.planned_id), "awaited_by": awaited_by}
        _take_out(record, planned)
        journal.log_action(
            record, "plan", session_id=session_id, subject=f"planned {position}", before=before
        )


def undo_plan_change(record: Record, session_id: str) -> JournalEntry:
    """Take back the last change of a plan that still stands; gives the entry of that change.

    Undoing again takes back the one before it. Executions stay what they are.

    Raises:
        OrchError: no change is left to undo.
        ConflictError: the plan is not as that change left it, which only raw SQL can bring about.
    """
    with record.write():
        entry = _last_change(record, session_id)
        if entry is None:
            raise OrchError("the plan has no change to undo", hint="what was deployed stays")
        put_planned_agent(record, session_id, entry.after or {}, entry.before or {}, entry)
        journal.log_action(
            record,
            "undo-plan",
            session_id=session_id,
            subject=entry.subject,
            before=entry.after,
            after=entry.before,
        )
        return entry


def describe_plan_change(entry: JournalEntry) -> str:
    """What a change of a plan did: ``removed 2 tester``."""
    before, after = entry.before or {}, entry.after or {}
    number = (before or after).get("position", "?")
    if not before:
        return f"added {number} {after.get('agent_type')}"
    if not after:
        return f"removed {number} {before.get('agent_type')}"
    changed = [name for name in after if before.get(name) != after[name]]
    if changed == ["position"]:
        return f"moved {number} to {after['position']}"
    return f"changed {', '.join(changed)} of {number} {before.get('agent_type')}"


def _last_change(record: Record, session_id: str) -> JournalEntry | None:
    """The newest change of the plan that stands."""
    done, _ = read_changes(record, session_id)
    if not done:
        return None
    (row,) = record.rows(f"SELECT {columns(JournalEntry)} FROM journal WHERE seq = ?", done[-1:])
    return JournalEntry.of(row)


def put_planned_agent(
    record: Record,
    session_id: str,
    after: Mapping[str, Any],
    before: Mapping[str, Any],
    entry: JournalEntry,
) -> None:
    """Bring a planned agent from what an entry tells to what it tells of the time ``before``, or
    the other way round; nothing: it is not in the plan. Call it within a write.

    Raises:
        ConflictError: it is not as ``after`` says.
    """
    rows = record.rows(
        f"SELECT {columns(PlannedAgent)} FROM planned_agents WHERE session_id = ? AND uid = ?",
        [session_id, (before or after).get("uid")],
    )
    planned = PlannedAgent.of(rows[0]) if rows else None
    if planned is None or not _is_as(record, planned, after):
        raise ConflictError(
            f"the plan is not as the last change left it ({describe_plan_change(entry)})",
            hint="edit the planned agents instead",
        )
    if not before:
        _take_out(record, planned)
        return
    planned_id = planned.planned_id
    record.execute("UPDATE planned_agents SET removed_at = NULL WHERE planned_id = ?", [planned_id])
    _place(record, session_id, planned_id, before["position"])
    for name in _EDITABLE:
        if name in before:
            record.execute(
                f"UPDATE planned_agents SET {name} = ? WHERE planned_id = ?",
                [before[name], planned_id],
            )
    if "waits_for" in before:
        _set_waits(record, session_id, planned_id, before["waits_for"])
    record.executemany(
        "INSERT INTO planned_waits (planned_id, waits_for) VALUES (?, ?)",
        [
            (get_planned_agent(record, session_id, position).planned_id, planned_id)
            for position in before.get("awaited_by", ())
        ],
    )


def _is_as(record: Record, planned: PlannedAgent, described: Mapping[str, Any]) -> bool:
    """Whether a planned agent still is as a journal entry says; empty: taken out of the plan."""
    if not described or planned.removed_at:
        return bool(not described and planned.removed_at)
    now = _described(record, planned.planned_id)
    return all(now.get(name) == value for name, value in described.items())


def list_planned_agents(record: Record, session_id: str) -> list[PlannedAgent]:
    """The plan of a session, in order."""
    rows = record.rows(
        f"SELECT {columns(PlannedAgent)} FROM planned_agents "
        "WHERE session_id = ? AND removed_at IS NULL ORDER BY position",
        [session_id],
    )
    return [PlannedAgent.of(row) for row in rows]


def get_planned_agent(record: Record, session_id: str, position: int) -> PlannedAgent:
    """The planned agent at a position (from 1).

    Raises:
        NotFoundError: the plan has no such position.
    """
    planned = list_planned_agents(record, session_id)
    if not 1 <= position <= len(planned):
        raise NotFoundError(
            "planned agent", str(position), [str(agent.position) for agent in planned]
        )
    return planned[position - 1]


def find_position(record: Record, session_id: str, uid: str) -> int:
    """Where a planned agent stands now.

    Raises:
        OrchError: it is not in the plan any more.
    """
    for planned in list_planned_agents(record, session_id):
        if planned.uid == uid:
            return planned.position
    raise OrchError("this agent is not in the plan any more", hint="look at the plan again")


def list_waits(record: Record, session_id: str) -> dict[int, list[int]]:
    """For each position of the plan, the positions it waits for."""
    position = {
        planned.planned_id: planned.position for planned in list_planned_agents(record, session_id)
    }
    waiting: dict[int, list[int]] = {p: [] for p in position.values()}
    for planned_id, waits_for in record.sql(
        "SELECT planned_id, waits_for FROM planned_waits WHERE planned_id IN "
        "(SELECT planned_id FROM planned_agents WHERE session_id = ?)",
        [session_id],
    ):
        waiting[position[planned_id]].append(position[waits_for])
    return {p: sorted(others) for p, others in waiting.items()}


def list_waves(record: Record, session_id: str) -> list[list[int]]:
    """Positions that can run side by side, wave by wave.

    Raises:
        OrchError: some wait for each other, which only raw SQL can bring about.
    """
    order, circle = sort_into_waves(list_waits(record, session_id))
    if circle:
        listed = ", ".join(str(p) for p in circle)
        raise OrchError(
            f"planned agents {listed} wait for each other", hint="leave out one of the waits"
        )
    return order


def sort_into_waves(waiting: Mapping[int, Sequence[int]]) -> tuple[list[list[int]], list[int]]:
    """The waves of positions that wait for others, and the positions that can never start."""
    left = {p: set(others) for p, others in waiting.items()}
    order: list[list[int]] = []
    while wave := sorted(p for p, others in left.items() if not others & left.keys()):
        order.append(wave)
        for p in wave:
            del left[p]
    return order, sorted(left)


def match_planned_agent(
    record: Record, session_id: str, agent_type: str, scope: str, bundle_id: str | None
) -> PlannedAgent | None:
    """The planned agent a deployment is an attempt of, where the plan leaves no doubt.

    ``scope`` is what was said for this deployment, not what a bundle or plan says.
    """
    same_type = [a for a in list_planned_agents(record, session_id) if a.agent_type == agent_type]
    for candidates in (
        [a for a in same_type if bundle_id and a.bundle_id == bundle_id and scope in ("", a.scope)],
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


_EDITABLE = ("agent_type", "scope", "model", "bundle_id")


def _editable(name: str) -> str:
    if name not in _EDITABLE:
        raise UsageError(f"a planned agent has no {name!r} to change")
    return name


def _check_bundle(record: Record, bundle_id: str | None) -> None:
    if bundle_id and not record.value("SELECT 1 FROM bundles WHERE bundle_id = ?", [bundle_id]):
        raise not_found(record, "bundle", bundle_id)


def _set_waits(record: Record, session_id: str, planned_id: int, positions: Sequence[int]) -> None:
    record.execute("DELETE FROM planned_waits WHERE planned_id = ?", [planned_id])
    others = {get_planned_agent(record, session_id, position).planned_id for position in positions}
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


def _take_out(record: Record, planned: PlannedAgent) -> None:
    planned_id = planned.planned_id
    record.execute(
        "DELETE FROM planned_waits WHERE planned_id = ? OR waits_for = ?", [planned_id, planned_id]
    )
    record.execute(
        "UPDATE planned_agents SET removed_at = ? WHERE planned_id = ?", [record.now(), planned_id]
    )
    _renumber(record, list_planned_agents(record, planned.session_id))


def _place(record: Record, session_id: str, planned_id: int, position: int) -> None:
    """Put a planned agent at a position; the others keep their order."""
    get_planned_agent(record, session_id, position)
    order = [
        planned
        for planned in list_planned_agents(record, session_id)
        if planned.planned_id != planned_id
    ]
    order.insert(position - 1, _get(record, planned_id))
    _renumber(record, order)


def _renumber(record: Record, order: Sequence[PlannedAgent]) -> None:
    record.executemany(
        "UPDATE planned_agents SET position = ? WHERE planned_id = ?",
        [(position, planned.planned_id) for position, planned in enumerate(order, start=1)],
    )


def _described(record: Record, planned_id: int) -> dict[str, Any]:
    planned = _get(record, planned_id)
    others = record.sql("SELECT waits_for FROM planned_waits WHERE planned_id = ?", [planned_id])
    return {
        "uid": planned.uid,
        "position": planned.position,
        "agent_type": planned.agent_type,
        "scope": planned.scope,
        "model": planned.model,
        "bundle_id": planned.bundle_id,
        "waits_for": sorted(_get(record, other).position for (other,) in others),
    }
