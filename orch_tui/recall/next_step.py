"""What there is to do next in a planned session, and what to do after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Literal

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.phases import PHASES
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.catalogue import Catalogue
from orch_tui.recall.overview import PlannedLine, PlanPage, load_plan_page

_EXECUTE = 3
"""The phase in which agents are handed over."""

Act = Literal[
    "look", "plan", "validate", "compose", "deploy", "wait", "collect", "move", "close", "open"
]


@frozen
class NextStep:
    """Something to do in a session."""

    act: Act
    """``look``: at agents that failed, or else at those whose success is in doubt; ``wait``:
    nothing, until agents return; ``collect``: what those that returned said of their
    results; ``open``: another session, for this one is closed."""
    agents: tuple[PlannedLine, ...] = ()
    """Whom it is about, by their place in the plan."""
    phase: int = 0
    """To move on to."""


def list_next_steps(page: PlanPage) -> tuple[NextStep, ...]:
    """List what to do next in a session: whom to look at, then at most one thing before the move to
    its next phase.

    A gate can be passed anyway; that is not advised here.
    """
    return tuple(_steps(page))


def _steps(page: PlanPage) -> Iterator[NextStep]:
    session = page.session
    phase = session.phase or 1
    if session.completed_at is not None:
        yield NextStep("open")
        return
    failed = tuple(line for line in page.agents if line.went_well is False)
    if seen := failed or tuple(line for line in page.agents if line.is_doubted):
        yield NextStep("look", seen)
    missing = {gate.name for gate in page.gates if not gate.met or not gate.can_hold}
    if phase <= 2 and not page.agents:
        yield NextStep("plan")
    elif phase <= 2 and any(line.attempts for line in page.agents):
        yield from _hand_over(page)
        yield NextStep("move", phase=_EXECUTE)  # what is being done is said to be prepared
        return
    elif phase <= 2 and (bare := _without_bundle(page)):
        yield NextStep("compose", bare)
    elif phase == 1 and "validated" in missing:
        yield NextStep("validate")
    elif phase == _EXECUTE:
        yield from _hand_over(page)
    elif phase == 4 and "results recorded" in missing:
        yield NextStep("collect")
    if phase < max(PHASES):
        yield NextStep("move", phase=phase + 1)
    else:
        yield NextStep("close")


def _hand_over(page: PlanPage) -> Iterator[NextStep]:
    """Hand over what waits for nobody any more, or wait for what runs."""
    returned = {line.agent.position for line in page.agents if line.status == "completed"}
    ready = tuple(
        line for line in page.agents if line.status is None and returned.issuperset(line.waits_for)
    )
    running = tuple(line for line in page.agents if line.status == "deployed")
    if ready:
        yield NextStep("deploy", ready)
    elif running:
        yield NextStep("wait", running)
    elif not page.agents:
        yield NextStep("plan")


def _without_bundle(page: PlanPage) -> tuple[PlannedLine, ...]:
    return tuple(line for line in page.agents if not line.agent.bundle_id and not line.attempts)


def load_first_steps(
    record: Record,
    session_ids: Iterable[str],
    *,
    catalogue: Catalogue,
    limits: Limits,
    known_agents: Collection[str],
) -> dict[str, NextStep]:
    """Load what to do next in each of these sessions; those that nobody planned in are left out."""
    pages = (
        load_plan_page(
            record, session_id, catalogue=catalogue, limits=limits, known_agents=known_agents
        )
        for session_id in session_ids
    )
    return {page.session.session_id: list_next_steps(page)[0] for page in pages if page.is_planned}
