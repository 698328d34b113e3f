"""What a composition stands among: its agent, its session with the other bundles, its draft; and
what saving, sharing or fitting would make of it.

The functions read files and the record, so the app calls them in threads; the methods of what they
return read nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orch_tui.errors import OrchError, SourceError
from orch_tui.frozen import frozen
from orch_tui.prepare.composition import Choice, Composition, Weight, weigh_item

if TYPE_CHECKING:
    from orch_tui.prepare.ambient import Ambient
    from orch_tui.prepare.budget import Judgement
    from orch_tui.prepare.bundle import Bundle, ContextItem
    from orch_tui.prepare.catalogue import Model
    from orch_tui.prepare.count import Count
    from orch_tui.prepare.dedup import Sharing
    from orch_tui.prepare.fitting import Fitted
    from orch_tui.prepare.overlaps import Overlap
    from orch_tui.prepare.source_completion import SourceCompletion
    from orch_tui.prepare.tree import ProjectTree
    from orch_tui.project import Project
    from orch_tui.recall.insights.earlier_sources import EarlierSource
    from orch_tui.record.bundles import SavedBundle
    from orch_tui.record.library import BundleLine
    from orch_tui.record.session_budget import SessionBudget
    from orch_tui.rows import PlannedAgent
    from orch_tui.sharing_prospect import SharingProspect

UNSAVED_ID = "(this bundle)"
"""Stands for the id of a composition that has none, among those of its session."""

MAX_FROM_OTHER_SESSIONS = 200
"""Bundles of other sessions that are listed to be opened."""


@frozen
class ResolvedAgent:
    """The agent of a composition, with the model it will run on and its ambient context.

    It serves as ``budget.Agents`` for itself, so that its files are not read again for each gauge.
    """

    agent_type: str
    chosen_model: str
    """As the composition names it; empty: that of the agent's definition, or the usual one."""
    resolved_model: Model
    ambient: Ambient
    """What Claude Code gives it by itself, counted for the model."""

    def matches(self, composition: Composition) -> bool:
        """Tell whether a composition is still for this agent and model."""
        return (self.agent_type, self.chosen_model) == (composition.agent_type, composition.model)

    def tokens(self, agent_type: str, model: Model) -> Count:
        return self.ambient.total

    def model(self, agent_type: str) -> str:
        return self.ambient.model

    def problems(self, agent_type: str) -> tuple[str, ...]:
        return self.ambient.problems


def resolve_agent(project: Project, composition: Composition) -> ResolvedAgent:
    """Look up the model of a composition's agent, and read what that agent is given anyway."""
    agents, agent_type = project.agents, composition.agent_type
    model = project.catalogue.model(composition.model or agents.model(agent_type))
    return ResolvedAgent(agent_type, composition.model, model, agents.ambient(agent_type, model))


@frozen
class ComposeContext:
    """What the record and the project say about a composition, read at one moment."""

    session_id: str
    """Empty: there is no session."""
    budget: SessionBudget
    bundles: tuple[SavedBundle, ...]
    """Of the session, without their bytes."""
    shared_ids: tuple[str, ...]
    """Those of them that are as sharing made them, which can be taken back."""
    planned: tuple[PlannedAgent, ...]
    agent_types: tuple[str, ...]
    """That the project, the user or Claude Code defines, by name."""
    agent: ResolvedAgent
    draft: Composition | None
    """As it was given."""
    saved: SavedBundle | None
    """The bundle that the composition changes, where it is in the record."""
    saved_composition: Composition | None
    """What that bundle was composed of."""

    def find_bundle(self, bundle_id: str) -> SavedBundle | None:
        """Return a bundle of the session, or the one that is being changed."""
        held = (*self.bundles, *([self.saved] if self.saved else ()))
        return next((saved for saved in held if saved.bundle.bundle_id == bundle_id), None)

    def measure(
        self,
        composition: Composition,
        agent: ResolvedAgent,
        items: Sequence[ContextItem],
        weights: Mapping[str, Weight],
    ) -> Bundle:
        """Measure the bundle that a composition would be now, by the weights of its choices."""
        from orch_tui.prepare.composition import measure_composition

        saved = self.find_bundle(composition.bundle_id)
        return measure_composition(
            composition,
            items,
            weights,
            family=agent.resolved_model.family,
            template=saved.bundle.template if saved else None,
        )

    def judge(self, bundle: Bundle, agent: ResolvedAgent) -> Judgement:
        """Judge a bundle that was measured for its agent, beside what other bundles take."""
        limits = replace(self.budget.limits, agents=agent)
        return replace(self.budget, limits=limits).judge(
            bundle.total,
            agent.resolved_model,
            agent_type=bundle.agent_type,
            items=bundle.items,
            instead_of=[bundle.bundle_id],
        )


def load_compose_context(
    project: Project,
    session_id: str,
    composition: Composition,
    *,
    draft: Composition | None = None,
) -> ComposeContext:
    """Read what a composition stands among, as far as there is a record.

    A ``draft`` is what will be gone on with instead of the composition: the agent is its agent.

    Raises:
        NotFoundError: no such session.
    """
    from orch_tui.record import bundles, plan, sharing
    from orch_tui.record.session_budget import SessionBudget, load_session_budget

    budget = SessionBudget(project.limits)
    held: tuple[SavedBundle, ...] = ()
    shared_ids: tuple[str, ...] = ()
    planned: tuple[PlannedAgent, ...] = ()
    saved = None
    bundle_id = composition.bundle_id or (draft.bundle_id if draft else "")
    if project.database.exists():
        record = project.existing_record
        if session_id:
            budget = load_session_budget(record, session_id, budget.limits)
            held = tuple(bundles.load_session_figures(record, session_id))
            shared_ids = tuple(sharing.list_deduplicated(record, session_id))
            planned = tuple(plan.list_planned_agents(record, session_id))
        if bundle_id:
            try:
                saved = bundles.load_bundle(record, bundle_id)
            except OrchError:  # it was removed, or the draft is of another record
                saved = None
    return ComposeContext(
        session_id,
        budget,
        held,
        shared_ids,
        planned,
        agent_types=tuple(sorted(project.known_agents)),
        agent=resolve_agent(project, draft or composition),
        draft=draft,
        saved=saved,
        saved_composition=Composition.of_bundle(saved.bundle) if saved else None,
    )


# Saving and opening


def save_composition(
    project: Project, session_id: str, composition: Composition
) -> tuple[Bundle, Composition]:
    """Save a composition as a bundle, and return it with what it is composed of now.

    Raises as ``project_bundles.keep_composition`` does.
    """
    from orch_tui.project_bundles import keep_composition

    bundle = keep_composition(project, composition, session_id=session_id or None).bundle
    return bundle, Composition.of_bundle(bundle)


@frozen
class OpenableBundle:
    """A planned agent without a bundle, or a saved bundle, that can be gone on with."""

    planned: PlannedAgent | None = None
    saved: BundleLine | None = None
    """None for a planned agent."""
    as_new: bool = False
    """It is of another session: what it holds becomes a new bundle of this one."""


def list_openable(project: Project, context: ComposeContext) -> list[OpenableBundle]:
    """List the planned agents without a bundle in their order, then the saved bundles of the
    session from the oldest, then those of other sessions from the newest."""
    from orch_tui.record import library

    listed = (
        library.list_bundles(project.existing_record, project=project.project_filter)
        if project.has_record
        else []
    )
    here = [line for line in listed if line.session_id == context.session_id]
    others = [line for line in listed if line.session_id != context.session_id]
    return [
        *(OpenableBundle(planned=agent) for agent in context.planned if not agent.bundle_id),
        *(OpenableBundle(saved=line) for line in reversed(here)),
        *(OpenableBundle(saved=line, as_new=True) for line in others[:MAX_FROM_OTHER_SESSIONS]),
    ]


@frozen
class EarlierChoice:
    """What runs that succeeded were given or read, as it can be chosen now."""

    choice: Choice
    figures: EarlierSource
    weight: Weight
    """As the files are now."""


def list_earlier_choices(project: Project, agent_type: str, family: str) -> list[EarlierChoice]:
    """List what runs of an agent type that succeeded were given or read themselves, the most used
    first; nothing where there is no record."""
    from orch_tui.prepare.composition import weigh_choices
    from orch_tui.recall.insights import list_earlier_sources

    if not project.has_record:
        return []
    found = list_earlier_sources(
        project.existing_record, agent_type, project=project.project_filter
    )
    choices = [Choice(each.source, each.sections, priority="recommended") for each in found]
    weights = weigh_choices(choices, reader=project.reader(), family=family, cache=project.counts)
    return [EarlierChoice(*each) for each in zip(choices, found, weights, strict=True)]


@frozen
class SourceLook:
    """What typed text names as a source, and what it may become."""

    typed: str
    completions: tuple[SourceCompletion, ...]
    choices: tuple[Choice, ...]
    """What it names, all that can be taken or lack no more than a yes to a secret."""
    weights: Mapping[str, Weight]
    """By the keys of these."""
    refused: SourceError | None
    """Why it names nothing."""
    left_out: tuple[SourceError, ...]
    """What of a folder or pattern cannot be taken."""


def look_at_source(project: Project, tree: ProjectTree, typed: str, family: str) -> SourceLook:
    """Find out what typed text names, what that weighs, and what it could be completed to."""
    from orch_tui.prepare.composition import parse_choices, weigh_choices
    from orch_tui.prepare.source_completion import complete_source
    from orch_tui.source_name import is_free_text

    left_out: list[SourceError] = []
    reader, cache = project.reader(left_out=left_out.append), project.counts
    source = typed if is_free_text(typed) else typed.strip()
    completions = complete_source(source, tree, reader, family=family, cache=cache)
    choices: tuple[Choice, ...] = ()
    refused = None
    try:
        choices = parse_choices(source, reader) if source else ()
    except SourceError as error:
        refused = error
    weights = weigh_choices(choices, reader=reader, family=family, cache=cache)
    return SourceLook(
        typed,
        tuple(completions),
        choices,
        dict(zip((choice.key for choice in choices), weights, strict=True)),
        refused,
        tuple(left_out),
    )


def load_composition(project: Project, bundle_id: str, *, as_new: bool = False) -> Composition:
    """Read what a saved bundle is composed of; ``as_new`` leaves its id out.

    Raises:
        NotFoundError: no such bundle.
    """
    from orch_tui.record import bundles

    found = Composition.of_bundle(bundles.load_bundle(project.existing_record, bundle_id).bundle)
    return replace(found, bundle_id="") if as_new else found


def composition_for(planned: PlannedAgent) -> Composition:
    """Begin the bundle of a planned agent."""
    return Composition(
        agent_type=planned.agent_type,
        scope=planned.scope,
        model=planned.model or "",
        planned_id=planned.planned_id,
    )


# Sharing


@frozen
class CommonContent:
    """What a composition has in common with other bundles, in itself twice or with what agents
    have anyway."""

    sharing: Sharing
    items: tuple[ContextItem, ...]
    """Of the composition, each once: the positions of its overlaps count these."""
    changes: tuple[str, ...]
    """The ids of the bundles that sharing would change."""
    remarks: tuple[str, ...] = ()
    """What agents would be handed before and after, and why where that is more."""

    @property
    def ambient_overlaps(self) -> dict[str, list[Overlap]]:
        """By the SHA-256 of an item of the composition, the lines its agent has anyway."""
        found: dict[str, list[Overlap]] = {}
        for overlap in self.sharing.bundles[-1].overlaps:
            if overlap.ambient:
                found.setdefault(self.items[overlap.position].sha256, []).append(overlap)
        return found

    def holders(
        self, composition: Composition, weights: Mapping[str, Weight]
    ) -> dict[str, tuple[str, ...]]:
        """By the key of a choice, the ids of the other bundles that hold the same bytes."""
        own = composition.bundle_id or UNSAVED_ID
        by_sha256 = {item.sha256: item.shared_with for item in self.sharing.items if item.sha256}
        found = {}
        for choice in composition.choices:
            weight = weights.get(choice.key)
            others = [b for b in by_sha256.get(weight.sha256 if weight else "", ()) if b != own]
            if others and choice.text is None:
                found[choice.key] = tuple(others)
        return found


def find_common_content(
    project: Project, session_id: str, composition: Composition, items: Sequence[ContextItem]
) -> CommonContent:
    """Compare the bytes of a composition with those of the other bundles of its session and of
    what agents have anyway; ``items`` are its own as they were weighed."""
    from orch_tui.prepare.bundle import without_repeats
    from orch_tui.project_bundles import foresee_sharing

    given, mine = _read_bundles(project, session_id, composition, items)
    foreseen = foresee_sharing(project, given)
    after = zip(given, foreseen.bundles, strict=True)
    changes = tuple(old.bundle_id for old, new in after if new.items != old.items)
    return CommonContent(foreseen.sharing, without_repeats(mine)[0], changes, foreseen.remarks)


def _read_bundles(
    project: Project, session_id: str, composition: Composition, items: Sequence[ContextItem]
) -> tuple[list[Bundle], list[ContextItem]]:
    """Read the bundles of a session with the composition as the last of them, and its items."""
    from orch_tui.prepare.bundle import Bundle
    from orch_tui.prepare.composition import fill_items
    from orch_tui.record import bundles

    own = composition.bundle_id or UNSAVED_ID
    held = bundles.load_session_bundles(project.existing_record, session_id) if session_id else ()
    mine = fill_items(composition, items, project.reader())
    this = Bundle(
        *(own, composition.agent_type, composition.scope, tuple(mine), composition.model, ""),
        session_id=session_id,
        template=next((s.bundle.template for s in held if s.bundle.bundle_id == own), None),
    )
    others = [saved.bundle for saved in held if saved.bundle.bundle_id != own]
    return [*others, project.measure(this)], mine


def foretell_composition_sharing(
    project: Project,
    context: ComposeContext,
    composition: Composition,
    items: Sequence[ContextItem],
    left: Collection[str] | None = None,
) -> SharingProspect:
    """Work out what sharing would make of a composition and the other bundles of its session;
    ``left`` as ``foretell_sharing`` has it, and ``items`` as they were weighed."""
    from orch_tui.record.session_budget import BudgetEntry
    from orch_tui.sharing_prospect import foretell_sharing

    given, _ = _read_bundles(project, context.session_id, composition, items)
    budget, this = context.budget, given[-1]
    entries = [e for e in budget.entries if e.label != this.bundle_id]
    budget = replace(budget, entries=(*entries, BudgetEntry.of(this)))
    return foretell_sharing(project, given, budget, left=left)


def share_composition(
    project: Project,
    session_id: str,
    composition: Composition,
    *,
    unsaved: bool,
    left: Collection[str] = (),
) -> Composition:
    """Apply sharing to all bundles of the session, or to this one without a session, and return
    the composition as it is then; one with ``unsaved`` changes is saved first. The items that
    ``left`` names stay where they are.

    Raises as ``project_bundles.keep_composition`` does.
    """
    from orch_tui.project_bundles import apply_sharing, find_sharing, foresee_sharing
    from orch_tui.record import bundles

    bundle_id = composition.bundle_id
    if unsaved:
        bundle_id = save_composition(project, session_id, composition)[0].bundle_id
    record = project.existing_record
    held = (
        bundles.load_session_bundles(record, session_id)
        if session_id
        else [bundles.load_bundle(record, bundle_id)]
    )
    given = [saved.bundle for saved in held]
    found = find_sharing(project, given, left=left)
    apply_sharing(project, given, foreseen=foresee_sharing(project, given, found=found))
    return load_composition(project, bundle_id) if bundle_id else composition


def unshare_composition(
    project: Project, bundle_ids: Sequence[str], composition: Composition
) -> Composition:
    """Take sharing back from bundles, and return the composition as it is then: the same object
    where its bundle is none of them.

    Raises as ``project_bundles.take_sharing_back`` does.
    """
    from orch_tui.project_bundles import take_sharing_back

    take_sharing_back(project, bundle_ids)
    bundle_id = composition.bundle_id
    return load_composition(project, bundle_id) if bundle_id in bundle_ids else composition


# Fitting


def fit_composition(
    project: Project, context: ComposeContext, agent: ResolvedAgent, composition: Composition
) -> Fitted:
    """Find what of a composition fits its agent and session, without saving anything.

    Raises:
        OverBudgetError: the required items alone are over.
        SourceError: every source that cannot be taken, by name and reason.
    """
    from orch_tui.project_bundles import Prepared, what_would_fit

    saved = context.find_bundle(composition.bundle_id)
    bundle = replace(
        _read_bundle(project, context.session_id, agent.resolved_model.family, composition),
        template=saved.bundle.template if saved else None,
    )
    judgement = context.judge(project.measure(bundle), agent)
    return what_would_fit(Prepared(bundle, judgement, agent.ambient, ()), project)


def apply_fit(composition: Composition, fitted: Fitted) -> tuple[Composition, dict[str, Weight]]:
    """Return the composition with what fits of it, and the weights of its choices by key."""
    choices = Composition.of_bundle(fitted.bundle).choices
    weights = {
        choice.key: weigh_item(item)
        for choice, item in zip(choices, fitted.bundle.items, strict=True)
    }
    return replace(composition, choices=choices), weights


# The briefing


def render_composition(
    project: Project, session_id: str, family: str, composition: Composition, form: str
) -> str:
    """Render the briefing that the agent would be handed; ``form`` is one of ``briefing.FORMS``.

    Raises:
        SourceError: every source that cannot be taken, by name and reason.
    """
    from orch_tui.prepare.briefing import FORMS, render_briefing

    template = project.template(FORMS[form])
    bundle = _read_bundle(project, session_id, family, composition)
    return render_briefing(bundle, template).decode("utf-8", "replace")


def _read_bundle(
    project: Project, session_id: str, family: str, composition: Composition
) -> Bundle:
    from orch_tui.prepare.composition import make_bundle

    return make_bundle(
        composition,
        reader=project.reader(),
        family=family,
        created_at=project.now(),
        session_id=session_id,
        cache=project.counts,
    )
