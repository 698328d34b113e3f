"""Which statements of hooks tell of the same return.

A hook has no name for a return. One return may be told by two events (the stop of the agent and,
in the foreground, the result of the tool call that started it), each heard more than once; and an
agent that was resumed returns again, perhaps with the same words. What happened between two stops
tells the cases apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from orch_tui.record.ledger.doubt import EMPTY, UNHEARD
from orch_tui.times import between

if TYPE_CHECKING:
    from orch_tui.record.ledger.merge import Observation

_ONE_EVENT = 10.0
"""Seconds within which the same words are the same return unless the agent was told to go on:
hooks may be registered twice, and their processes overtake one another."""


def told_apart(statements: list[Observation], living: Iterable[Observation]) -> list[Observation]:
    """The statements about returns, those of hooks with the ``return_key`` of their return.

    What is only ``presumed`` (the session ended and nothing was heard) counts where nothing else
    tells of a return, and once. An ``echo`` repeats what the stop of the agent said, and is heard
    where that was not. A stop of an agent that ``went_on`` shows the one before to be none:
    somebody's hook refused it. Statements come oldest first and leave so.
    """
    seen = [o for o in statements if not o.payload.get("presumed")]
    if not seen:
        return statements[:1]
    hooks = [o for o in seen if o.source == "hook"]
    if not hooks:
        return seen
    keyed = {o.digest: o for o in _keyed(_units(hooks, _Marks(living)))}
    return [keyed.get(o.digest, o) for o in seen if o.source != "hook" or o.digest in keyed]


class _Marks:
    """When the agent is known to have begun, or to have been told to go on."""

    def __init__(self, living: Iterable[Observation]) -> None:
        notes = [o for o in living if o.source == "hook" and o.kind == "noted"]
        self.begun = [o.at for o in notes if o.payload.get("begun")]
        self.resumed: dict[str, list[str]] = {}
        for note in notes:
            if call := note.payload.get("resumed"):
                self.resumed.setdefault(call, []).append(note.at)

    def between(self, one: str, other: str) -> bool:
        """Whether the agent went to work again between two times, oldest first.

        A message to it says so unless that was heard again later: then all of it may have been.
        """
        return any(one < at[0] and at[-1] <= other for at in self.resumed.values()) or (
            _seconds(one, other) > _ONE_EVENT and any(one < at <= other for at in self.begun)
        )


def _units(hooks: list[Observation], marks: _Marks) -> list[list[Observation]]:
    """The statements of each return."""
    units: list[list[Observation]] = []
    last: dict[str | None, list[Observation]] = {}
    for stop in (o for o in hooks if not o.payload.get("echo")):
        unit = _unit_to_join(stop, units) or last.get(stop.words)
        if unit is None or unit not in units or marks.between(unit[-1].at, stop.at):
            unit = last[stop.words] = []
            if stop.payload.get("went_on"):
                units = [u for u in units if marks.between(u[-1].at, stop.at)]
            units.append(unit)
        unit.append(stop)
        last[stop.words] = unit
    alone: list[Observation] = []
    for echo in (o for o in hooks if o.payload.get("echo")):
        same = [unit for unit in units if any(stop.words == echo.words for stop in unit)]
        (same or units or [alone])[0].append(echo)
    return [alone, *units] if alone else units


def _unit_to_join(stop: Observation, units: list[list[Observation]]) -> list[Observation] | None:
    """The newest return, where it or this stop tells only that the run was broken off."""
    newest = units[-1] if units else []
    breaks = stop.payload.get("broke_off") or all(o.payload.get("broke_off") for o in newest)
    return newest if newest and breaks else None


def _keyed(units: list[list[Observation]]) -> Iterator[Observation]:
    for number, unit in enumerate(units, start=1):
        words = next((o.words for o in unit if o.words is not None), None)
        for observation in unit:
            payload = {**observation.payload, "return_key": number}
            if words is not None:
                if payload.get("doubt") in (EMPTY, UNHEARD):
                    del payload["doubt"]
                if observation.words != words:
                    payload.pop("message_id", None)
                payload["words"] = words
            yield replace(observation, payload=payload)


def _seconds(one: str, other: str) -> float:
    passed = between(one, other)
    return passed.total_seconds() if passed else 0.0
