"""What sharing would make of the bundles of a session, agent by agent, before anything is done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orch_tui.frozen import frozen

if TYPE_CHECKING:
    from orch_tui.prepare.ambient import Ambient
    from orch_tui.prepare.budget import LimitGauge
    from orch_tui.prepare.bundle import Bundle, ContextItem
    from orch_tui.prepare.overlaps import Overlap
    from orch_tui.project import Project
    from orch_tui.record.session_budget import SessionBudget
    from orch_tui.record.sharing import Shared

MOST_TRIED = 12
"""Texts that are left out one after the other to find which sharing makes less of."""


@frozen
class AgentProspect:
    """One bundle that sharing changes, before and after, against the limit of its agent."""

    before: Bundle
    after: Bundle
    gauge_before: LimitGauge
    gauge_after: LimitGauge
    """Of what it is handed; what it is told to read is not in it."""
    ambient: Ambient


@frozen
class SharingProspect:
    """What sharing would do, with what was left out of it."""

    foreseen: Shared
    offered: tuple[ContextItem, ...]
    """What several bundles hold that is not shared by all of them yet: each can be left out."""
    left: frozenset[str]
    """The labels of those that are, as ``label_item`` has them."""
    agents: tuple[AgentProspect, ...]
    session_before: LimitGauge
    session_after: LimitGauge

    @property
    def overlaps(self) -> tuple[tuple[Bundle, Overlap], ...]:
        """What is left out of bundles in any case: their agents have it elsewhere."""
        return tuple(
            (bundle, overlap)
            for bundle, found in zip(
                self.foreseen.before, self.foreseen.sharing.bundles, strict=True
            )
            for overlap in found.overlaps
            if overlap.removable
        )

    @property
    def growth(self) -> int:
        """By how many tokens all agents together are handed more; negative: less."""
        return self.foreseen.handed_after.tokens - self.foreseen.handed_before.tokens


def foretell_sharing(
    project: Project,
    given: Sequence[Bundle],
    budget: SessionBudget,
    *,
    left: Collection[str] | None = None,
) -> SharingProspect:
    """Work out what sharing would make of bundles, without the items that ``left`` names.

    None leaves out the shortest texts as long as sharing them makes agents be handed more: to name
    a text and say why to read it takes more than a short one does.
    """
    from orch_tui.prepare.bundle import label_item
    from orch_tui.project_bundles import find_sharing, foresee_sharing

    found = find_sharing(project, given)
    offered = [
        item
        for item in found.items
        if any(
            held.sha256 == item.sha256 and not held.is_pointed_to
            for bundle in given
            for held in bundle.items
        )
    ]

    def foresee(without: Collection[str]) -> Shared:
        kept = find_sharing(project, given, left=without) if without else found
        return foresee_sharing(project, given, found=kept)

    without = {*(left or ())}
    foreseen = foresee(without)
    if left is None:
        shortest = sorted(offered, key=lambda item: item.count.tokens)
        for item in shortest[:MOST_TRIED]:
            if foreseen.handed_after.tokens <= foreseen.handed_before.tokens:
                break
            without.add(label_item(item))
            foreseen = foresee(without)
    return SharingProspect(
        foreseen,
        tuple(offered),
        frozenset(without),
        tuple(_list_agents(project, foreseen, budget)),
        budget.gauge,
        _shift(budget.gauge, foreseen),
    )


def _list_agents(project: Project, foreseen: Shared, budget: SessionBudget) -> list[AgentProspect]:
    from orch_tui.prepare.budget import gauge_agent
    from orch_tui.project_bundles import model_of

    agents = project.agents
    limits = replace(budget.limits, agents=agents)
    found = []
    for before, after in zip(foreseen.before, foreseen.bundles, strict=True):
        if before.items == after.items:
            continue
        model, agent_type = model_of(project, before), before.agent_type
        found.append(
            AgentProspect(
                before,
                after,
                gauge_agent(before.total, agent_type, model, limits),
                gauge_agent(after.total, agent_type, model, limits),
                agents.ambient(agent_type, model),
            )
        )
    return found


def _shift(gauge: LimitGauge, foreseen: Shared) -> LimitGauge:
    """Give the gauge of the session with what sharing adds or takes away."""
    before, after, used = foreseen.handed_before, foreseen.handed_after, gauge.used
    return replace(
        gauge,
        used=replace(
            used,
            tokens=used.tokens - before.tokens + after.tokens,
            low=max(0, used.low - before.low + after.low),
            high=used.high - before.high + after.high,
        ),
    )
