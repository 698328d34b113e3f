"""What Compose asks the engine about a composition; all of it is meant for a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orch_tui.errors import OrchError, SourceError
from orch_tui.prepare.composition import Composition, Weight
from orch_tui.screens.widgets.stack import short

if TYPE_CHECKING:
    from orch_tui.prepare.ambient import Ambient
    from orch_tui.prepare.budget import Limits
    from orch_tui.prepare.bundle import Bundle, ContextItem
    from orch_tui.prepare.catalogue import Model
    from orch_tui.prepare.count import Count
    from orch_tui.prepare.dedup import Sharing
    from orch_tui.prepare.fitting import Fitted
    from orch_tui.prepare.overlaps import Overlap
    from orch_tui.project import Project
    from orch_tui.record.bundles import Saved
    from orch_tui.record.library import BundleLine
    from orch_tui.rows import PlannedAgent

THIS = "(this bundle)"
"""Its id among those of the session, while it has none."""

MOST_LISTED = 200
"""Bundles of other sessions that are offered."""


@dataclass(frozen=True, slots=True)
class Agent:
    """For whom a composition is, as the catalogue and Claude Code's files know it."""

    agent_type: str
    wanted: str
    """The model that was chosen; empty: that of the agent's definition, or the usual one."""
    resolved: Model
    ambient: Ambient

    def is_of(self, now: Composition) -> bool:
        return (self.agent_type, self.wanted) == (now.agent_type, now.model)

    # It is ``budget.Agents``: what was found is not looked for again while figures are shown.

    def tokens(self, agent_type: str, model: Model) -> Count:
        return self.ambient.total

    def model(self, agent_type: str) -> str:
        return self.ambient.model


def look_at_agent(project: Project, now: Composition) -> Agent:
    agents = project.agents
    asked_for = project.catalogue.model(now.model or agents.model(now.agent_type))
    return Agent(now.agent_type, now.model, asked_for, agents.ambient(now.agent_type, asked_for))


@dataclass(frozen=True, slots=True)
class Around:
    """What the record and the project say about a composition."""

    session_id: str
    limits: Limits
    used: tuple[tuple[str, Count], ...]
    """What each bundle or execution of the session takes."""
    bundles: tuple[Saved, ...]
    """Of the session, without their bytes."""
    shared: tuple[str, ...]
    """Those of them that sharing made what they are: it can be taken back."""
    planned: tuple[PlannedAgent, ...]
    agents: tuple[str, ...]
    agent: Agent
    draft: Composition | None
    saved: Saved | None
    """The bundle that is being changed, as it is in the record."""
    composed: Composition | None
    """What it was composed of."""

    def bundle(self, bundle_id: str) -> Saved | None:
        held = (*self.bundles, *([self.saved] if self.saved else ()))
        return next((saved for saved in held if saved.bundle.bundle_id == bundle_id), None)

    def taken_by_others(self, bundle_id: str) -> Count:
        """Of the session's budget, by all but one bundle."""
        from orch_tui.prepare.count import ZERO

        return sum((count for label, count in self.used if label != bundle_id), ZERO)


def look_around(
    project: Project, session_id: str, now: Composition, draft: Composition | None
) -> Around:
    """Read it, as far as there is a record."""
    from orch_tui.record import bundles, plan, session_budget, sharing

    limits = project.limits
    used: tuple[tuple[str, Count], ...] = ()
    held: tuple[Saved, ...] = ()
    shared: tuple[str, ...] = ()
    planned: tuple[PlannedAgent, ...] = ()
    saved = None
    bundle_id = now.bundle_id or (draft.bundle_id if draft else "")
    if project.database.exists():
        record = project.existing_record
        if session_id:
            limits = session_budget.session_limits(record, session_id, limits)
            used = tuple((t.label, t.count) for t in session_budget.taken(record, session_id))
            held = tuple(bundles.by_figures(record, session_id))
            shared = tuple(sharing.can_be_taken_back(record, session_id))
            planned = tuple(plan.agents(record, session_id))
        if bundle_id:
            try:
                saved = bundles.load(record, bundle_id)
            except OrchError:  # it was removed, or the draft is of another record
                saved = None
    return Around(
        session_id,
        limits,
        used,
        held,
        shared,
        planned,
        agents=tuple(sorted(project.known_agents)),
        agent=look_at_agent(project, draft or now),
        draft=draft,
        saved=saved,
        composed=Composition.of_bundle(saved.bundle) if saved else None,
    )


# What of it stands elsewhere too


@dataclass(frozen=True, slots=True)
class Common:
    """What a composition, the other bundles and the agents have in common."""

    sharing: Sharing
    items: tuple[ContextItem, ...]
    """Of the composition, each once: what the positions of its overlaps mean."""
    changes: tuple[str, ...]
    """The bundles that sharing would change."""

    @property
    def own(self) -> tuple[Overlap, ...]:
        """Lines of the composition that its agent has elsewhere."""
        return self.sharing.bundles[-1].overlaps

    @property
    def anyway(self) -> dict[str, list[Overlap]]:
        """By the SHA-256 of an item, the lines that the agent has before it is handed anything."""
        found: dict[str, list[Overlap]] = {}
        for overlap in self.own:
            if overlap.ambient:
                found.setdefault(self.items[overlap.position].sha256, []).append(overlap)
        return found


def what_is_common(
    project: Project, session_id: str, now: Composition, items: Sequence[ContextItem]
) -> Common:
    """Look for it in the bytes; ``items`` are those of the composition as they were weighed."""
    from orch_tui import api
    from orch_tui.prepare.bundle import Bundle, without_repeats
    from orch_tui.prepare.composition import filled
    from orch_tui.prepare.dedup import apply
    from orch_tui.record import bundles

    own = now.bundle_id or THIS
    held = bundles.of_session(project.existing_record, session_id) if session_id else ()
    mine = filled(now, items, project.reader())
    this = Bundle(own, now.agent_type, now.scope, tuple(mine), now.model, "")
    all_of_them = [*(s.bundle for s in held if s.bundle.bundle_id != own), this]
    found = api.find_sharing(project, all_of_them)
    after = zip(all_of_them, apply(found, all_of_them), strict=True)
    changes = tuple(old.bundle_id for old, new in after if new.items != old.items)
    return Common(found, without_repeats(mine)[0], changes)


def share(project: Project, session_id: str, now: Composition, *, changed: bool) -> Composition:
    """Share what the bundles have in common, after this one was saved where it was changed; give
    what it is composed of now."""
    from orch_tui import api
    from orch_tui.record import bundles

    bundle_id = now.bundle_id
    if changed:
        kept = api.keep_composition(project, now, session_id=session_id or None)
        bundle_id = kept.bundle.bundle_id
    record = project.existing_record
    held = (
        bundles.of_session(record, session_id) if session_id else [bundles.load(record, bundle_id)]
    )
    api.apply_sharing(project, [saved.bundle for saved in held])
    return _composed(project, bundle_id) if bundle_id else now


def take_back(project: Project, bundle_ids: Sequence[str], now: Composition) -> Composition:
    """Make bundles again what they were before they were shared."""
    from orch_tui import api

    api.take_sharing_back(project, bundle_ids)
    return _composed(project, now.bundle_id) if now.bundle_id in bundle_ids else now


def _composed(project: Project, bundle_id: str) -> Composition:
    from orch_tui.record import bundles

    return Composition.of_bundle(bundles.load(project.existing_record, bundle_id).bundle)


# What would fit


def what_fits(project: Project, around: Around, agent: Agent, now: Composition) -> Fitted:
    """Raises OverBudgetError where the required items alone are over, SourceError for what cannot
    be taken."""
    from orch_tui import api
    from orch_tui.prepare.budget import judge

    made = _made(project, around.session_id, agent.resolved.family, now)
    judged = judge(
        made.items,
        agent.resolved,
        replace(around.limits, agents=agent),
        agent_type=now.agent_type,
        session_used=around.taken_by_others(now.bundle_id),
    )
    return api.what_would_fit(api.Prepared(made, judged, agent.ambient, ()), project)


def fitted_to(now: Composition, fitted: Fitted) -> tuple[Composition, dict[str, Weight]]:
    """The composition with what is left of it, and what its choices weigh."""
    choices = Composition.of_bundle(fitted.bundle).choices
    weights = {
        choice.key: Weight(item.count, item.sha256)
        for choice, item in zip(choices, fitted.bundle.items, strict=True)
    }
    return replace(now, choices=choices), weights


def _made(project: Project, session_id: str, family: str, now: Composition) -> Bundle:
    from orch_tui.prepare.composition import make

    return make(
        now,
        reader=project.reader(),
        family=family,
        created_at=project.now(),
        session_id=session_id,
        cache=project.counts,
    )


# What it holds, as text


def briefing(project: Project, session_id: str, family: str, now: Composition, form: str) -> str:
    """What the agent would be handed; ``form`` is one of ``briefing.FORMS``.

    Raises SourceError naming every source that cannot be taken.
    """
    from orch_tui.prepare.briefing import FORMS, render

    template = project.template(FORMS[form])
    return render(_made(project, session_id, family, now), template).decode("utf-8", "replace")


def or_why_not(text: Callable[[], str]) -> str:
    """A text, or in its place why there is none."""
    try:
        return text()
    except SourceError as error:
        return f"✗ {error.message}\n\n{error.hint}"


# What can be opened


@dataclass(frozen=True, slots=True)
class Openable:
    """A bundle, planned or saved, that can be gone on with."""

    words: str
    planned: PlannedAgent | None = None
    bundle_id: str = ""
    again: bool = False
    """It is of another session: what it holds becomes a new bundle of this one."""


def what_can_be_opened(project: Project, around: Around) -> list[Openable]:
    """What is planned, then the bundles of the session, then those of all others."""
    from orch_tui.record import library

    listed = library.listed(project.existing_record) if project.has_record else []
    here = [line for line in listed if line.session_id == around.session_id]
    others = [line for line in listed if line.session_id != around.session_id]
    return [
        *(
            Openable(f"planned · {agent.agent_type} · {agent.scope}", planned=agent)
            for agent in around.planned
            if not agent.bundle_id
        ),
        *(Openable(_in_words(line), bundle_id=line.bundle_id) for line in reversed(here)),
        *(
            Openable(f"again: {_in_words(line)}{_of(line)}", bundle_id=line.bundle_id, again=True)
            for line in others[:MOST_LISTED]
        ),
    ]


def open_bundle(project: Project, bundle_id: str, *, again: bool = False) -> Composition:
    """What a saved bundle is composed of; ``again``: as a new one."""
    opened = _composed(project, bundle_id)
    return replace(opened, bundle_id="") if again else opened


def _in_words(line: BundleLine) -> str:
    name = f"“{line.name}” · " if line.name else ""
    uses = f" · used {line.uses}x" if line.uses else ""
    return (
        f"{line.bundle_id} v{line.version} · {name}{line.agent_type} · "
        f"{line.items} item{'' if line.items == 1 else 's'}, ~{short(line.token_count)}{uses}"
    )


def _of(line: BundleLine) -> str:
    return f" · {line.session_id}" if line.session_id else ""
