"""Which statements of hooks tell of the same return.

A hook has no name for a return. One return may be told by two events (the stop of the agent and,
in the foreground, the result of the tool call that started it), each heard more than once; and an
agent that was resumed returns again, perhaps with the same words. What happened between two stops
tells the cases apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orch_tui.frozen import frozen
from orch_tui.record.ledger.doubt import SILENT
from orch_tui.record.ledger.statement import Changes, Noted, Returned
from orch_tui.times import between

if TYPE_CHECKING:
    from orch_tui.record.ledger.merge import Observation

_ONE_EVENT = 10.0
"""Seconds within which the same words are the same return unless the agent was told to go on:
hooks may be registered twice, and their processes overtake one another."""


def assign_return_keys(
    statements: list[Observation], living: Iterable[Observation]
) -> list[Observation]:
    """Give the statements of hooks about returns the ``return_key`` of their return.

    What is only ``presumed`` (the session ended and nothing was heard) counts where nothing else
    tells of a return, and once. An ``echo`` repeats what the stop of the agent said, and is heard
    where that was not. A stop of an agent that ``went_on`` shows the one before to be none:
    somebody's hook refused it. Statements come oldest first and leave so.
    """
    seen = [o for o in statements if not _says(o, "presumed")]
    if not seen:
        return statements[:1]
    hooks = [o for o in seen if o.source == "hook"]
    if not hooks:
        return seen
    units = group_by_return(hooks, AgentActivity(living))
    keyed = {o.digest: o for o in with_return_key(units)}
    return [keyed.get(o.digest, o) for o in seen if o.source != "hook" or o.digest in keyed]


def _says(observation: Observation, name: str) -> bool:
    return bool(getattr(observation.statement, name, None))


@frozen
class LaunchedRun:
    """When an agent that another one launched began and came back, as hooks told."""

    began: str
    ended: tuple[str, ...]
    is_running: bool = False
    """Nobody has seen its end."""
    agent_id: str | None = None


class AgentActivity:
    """When the agent is known to have begun, or to have been told to go on."""

    def __init__(self, living: Iterable[Observation]) -> None:
        notes = [(o.at, o.statement) for o in living if o.source == "hook"]
        self.begun = [at for at, note in notes if isinstance(note, Noted) and note.begun]
        self.resumed: dict[str, list[str]] = {}
        for at, note in notes:
            if isinstance(note, Noted) and note.resumed:
                self.resumed.setdefault(note.resumed, []).append(at)

    def between(self, one: str, other: str) -> bool:
        """Tell whether the agent went to work again between two times, oldest first.

        A message to it says so unless that was heard again later: then all of it may have been.
        """
        return self.was_told(one, other) or (
            _seconds(one, other) > _ONE_EVENT and any(one < at <= other for at in self.begun)
        )

    def was_told(self, one: str, other: str) -> bool:
        """Tell whether somebody told the agent to go on between two times, oldest first."""
        return any(one < at[0] and at[-1] <= other for at in self.resumed.values())


def mark_waits(
    told: Sequence[Observation], read_children: Callable[[], Iterable[LaunchedRun]]
) -> Sequence[Observation]:
    """Mark the stops of an agent that waited for agents of its own, where no hook said so.

    An earlier orch did not record that tasks were running. Who began again when an agent that it
    had launched came back had waited for it. ``read_children`` is asked only where it matters.
    """
    stops = [o for o in told if _is_plain_stop(o)]
    begun = [o.at for o in told if isinstance(o.statement, Noted) and o.statement.begun]
    if len(stops) < 2 or not begun:
        return told
    woken = {o.digest: min((at for at in begun if at > o.at), default="") for o in stops}
    children = list(read_children())
    waits = {
        o.digest
        for o in stops
        if any(
            c.began < o.at and any(o.at < at <= woken[o.digest] for at in c.ended) for c in children
        )
    }
    waiting: Changes = {"is_waiting": True}
    return [
        replace(o, statement=o.statement.replaced(**waiting)) if o.digest in waits else o
        for o in told
    ]


def hold_waits(
    told: Sequence[Observation], read_children: Callable[[], Iterable[LaunchedRun]]
) -> Sequence[Observation]:
    """Leave out the stops of an agent that only waited for agents of its own.

    Who stops while an agent that it launched runs in the background is woken when that comes back,
    and returns only then; where nothing woke it, its last stop was its return. Whatever else tells
    of its end is believed. ``read_children`` is asked only where it matters.
    """
    waiting = [o for o in told if o.source == "hook" and _says(o, "is_waiting")]
    children = list(read_children()) if waiting else []
    own = {child.agent_id for child in children}
    stops = [o for o in waiting if not own.isdisjoint(_running_at(o))]
    if not stops:
        return told
    last = stops[-1]
    held = {o.digest for o in told if any(_tells_of_stop(o, stop) for stop in stops)}
    if not _is_told_to_end(told, last, held):
        awaited = [child for child in children if child.agent_id in _running_at(last)]
        back = [at for child in awaited for at in child.ended if at > last.at]
        begun = [o.at for o in told if isinstance(o.statement, Noted) and o.statement.begun]
        is_woken = any(came <= at for came in back for at in begun)
        if not is_woken and not any(child.is_running for child in awaited):
            held = {o.digest for o in stops if not _tells_of_stop(o, last)}
    return [o for o in told if o.digest not in held]


def _running_at(stop: Observation) -> tuple[str, ...]:
    statement = stop.statement
    return statement.running if isinstance(statement, Returned) else ()


def _is_told_to_end(told: Sequence[Observation], stop: Observation, held: set[str]) -> bool:
    """Tell whether anything but stops that are ``held`` tells of a return; where the agent was
    told to go on, of one after a stop."""
    is_resumed = any(isinstance(o.statement, Noted) and o.statement.resumed for o in told)
    return any(
        isinstance(o.statement, Returned)
        and o.digest not in held
        and not _says(o, "presumed")
        and (o.at >= stop.at or not is_resumed)
        for o in told
    )


def _tells_of_stop(observation: Observation, stop: Observation) -> bool:
    """Tell whether a statement is of the same stop: itself, heard twice, or as the agent's own
    transcript has it."""
    statement = observation.statement
    if observation is stop:
        return True
    if observation.words != stop.words or abs(_seconds(observation.at, stop.at)) > _ONE_EVENT:
        return False
    is_own = isinstance(statement, Returned) and statement.witness == "agent"
    return _says(observation, "is_waiting") or is_own


def _is_plain_stop(observation: Observation) -> bool:
    return (
        observation.source == "hook"
        and isinstance(observation.statement, Returned)
        and not any(_says(observation, name) for name in ("echo", "presumed", "is_waiting"))
    )


def group_by_return(hooks: list[Observation], activity: AgentActivity) -> list[list[Observation]]:
    """Group the statements of hooks by the return they are about.

    Words alone do not tell returns apart (an agent may say "Done." twice), nor does the time
    (a hook that is registered twice arrives twice): only what the agent did in between.
    """
    units: list[list[Observation]] = []
    last: dict[str | None, list[Observation]] = {}
    for stop in (o for o in hooks if not _says(o, "echo")):
        unit = _unit_to_join(stop, units) or last.get(stop.words, [])
        if unit not in units or activity.between(unit[-1].at, stop.at):
            unit = last[stop.words] = []
            if _says(stop, "went_on"):
                units = [u for u in units if activity.between(u[-1].at, stop.at)]
            if units and _was_woken(units[-1], stop, activity):
                units.pop()
            units.append(unit)
        unit.append(stop)
        last[stop.words] = unit
    alone: list[Observation] = []
    for echo in (o for o in hooks if _says(o, "echo")):
        same = [unit for unit in units if any(stop.words == echo.words for stop in unit)]
        before = [unit for unit in units if unit[0].at <= echo.at]
        (same[:1] or before[-1:] or units or [alone])[0].append(echo)
    return [alone, *units] if alone else units


def _unit_to_join(stop: Observation, units: list[list[Observation]]) -> list[Observation] | None:
    """Find the newest return, where it or this stop says only that the run was broken off, or one
    of the two that the report was handed back by a tool: what stands in the other is no report."""
    newest = units[-1] if units else []
    breaks = _says(stop, "broke_off") or all(_says(o, "broke_off") for o in newest)
    hands = _says(stop, "by_tool") != any(_says(o, "by_tool") for o in newest)
    return newest if breaks or hands else None


def _was_woken(before: list[Observation], stop: Observation, activity: AgentActivity) -> bool:
    """Tell whether an agent only waited for tasks of its own when it stopped ``before``.

    It began again without being told to go on, and other tasks were running then.
    """
    waited = all(_says(o, "is_waiting") for o in before)
    since = before[-1].at
    has_begun = any(since < at <= stop.at for at in activity.begun)
    return waited and has_begun and not activity.was_told(since, stop.at)


def with_return_key(units: list[list[Observation]]) -> Iterator[Observation]:
    """Yield the statements of all returns, each with the number of its return for a key."""
    for number, unit in enumerate(units, start=1):
        spoken = sorted(unit, key=lambda o: not _says(o, "by_tool"))
        words = next((o.words for o in spoken if o.words is not None), None)
        for observation in unit:
            changes: Changes = {"return_key": number}
            if words is not None:
                changes["words"] = words
                if getattr(observation.statement, "doubt", None) in SILENT:
                    changes["doubt"] = None
                if observation.words != words:
                    changes["message"] = None
            yield replace(observation, statement=observation.statement.replaced(**changes))


def _seconds(one: str, other: str) -> float:
    passed = between(one, other)
    return passed.total_seconds() if passed else 0.0
