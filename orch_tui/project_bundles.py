"""The bundles of a project: composed, judged against the limits, made to fit, shared and kept.

Apart from `orch_tui.api`, which has all of it: whoever only makes a bundle need not wait until
everything about deployments is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypedDict

from orch_tui.errors import NotFoundError, OverBudgetError, SourceError, UsageError
from orch_tui.frozen import frozen
from orch_tui.paths_given import Paths, Texts, listed
from orch_tui.prepare.ambient import Ambient, AmbientAgents
from orch_tui.prepare.budget import Judgement, compute_agent_limit
from orch_tui.prepare.bundle import Bundle, ContextItem, compose_bundle
from orch_tui.prepare.overlaps import Overlap, in_ambient
from orch_tui.project import Project
from orch_tui.record import bundles
from orch_tui.record.ledger import journal
from orch_tui.record.session_budget import SessionBudget, load_session_budget

if TYPE_CHECKING:
    from pathlib import Path

    from orch_tui.prepare.catalogue import Model
    from orch_tui.prepare.composition import Composition
    from orch_tui.prepare.dedup import Sharing
    from orch_tui.prepare.fitting import Fitted
    from orch_tui.prepare.templates import Template
    from orch_tui.record.sharing import Shared

Keep = Mapping[str, Texts]
"""By source, which sections or symbols to cut a file to."""

Fit = bool | int
"""Whether a bundle is to fit, or the tokens that it is to fit into."""


@frozen
class Prepared:
    """A bundle and how it stands against the limits."""

    bundle: Bundle
    judgement: Judgement
    ambient: Ambient
    """What the agent has before it is handed the bundle."""
    held: tuple[Overlap, ...]
    """What of the bundle it has anyway."""
    fitted: Fitted | None = None
    """What was left out or cut, where it was asked to fit."""


def prepare_bundle(
    project: Project,
    agent_type: str,
    scope: str = "",
    *,
    files: Paths = (),
    references: Paths = (),
    optional: Paths = (),
    shared: Paths = (),
    texts: Texts = (),
    model: str = "",
    bundle_id: str = "",
    name: str = "",
    session_id: str | None = None,
    allow_secret: bool = False,
    left_out: Callable[[SourceError], object] | None = None,
    exact: bool | None = None,
    fit: Fit = False,
    keep: Keep | None = None,
    template: Template | None = None,
    from_run: str = "",
) -> Prepared:
    """Compose a bundle, count it, judge it and (where the project records) save it.

    Files, ``shared`` and ``texts`` are required, references recommended, ``optional`` optional.
    A source is a file, ``FILE:10-80``, ``FILE#Heading``, ``FILE#Class.method``,
    ``FILE#(skeleton)``, a folder, a pattern, ``exec-003:message``, ``exec-003:outputs`` or
    ``text:...``. ``left_out`` is told of what a folder or pattern leaves out. A bundle
    over a limit is saved too; deploying it is what is refused. ``exact=True`` has tokens counted
    exactly, which needs ctok; None takes exact counts where they are known.

    The briefing is rendered from ``template``, which is kept with the bundle. ``fit`` leaves out or
    cuts what is not required until it fits the agent and the session, or the number of tokens
    given; ``keep`` says by source which sections or symbols to cut a file to.

    ``from_run`` names a past run: what it was given comes first, as ``compose_from_run`` has it,
    and it says the agent type, scope and model where they are not given.

    Raises:
        NotFoundError: no such run.
        UsageError: it is for no agent type, or its id is new and nobody could type it.
        SourceError: every source that cannot be taken, by name and reason.
        OverBudgetError: it was to fit, and the required items alone are over.
    """
    before: Sequence[ContextItem] = ()
    if from_run:
        past, before = _read_run(project, from_run, allow_secret=allow_secret, left_out=left_out)
        agent_type, scope = agent_type or past.agent_type, scope or past.scope
        model = model or past.model
    _check_agent_type(agent_type)
    if bundle_id and not project.recording:  # else where it is saved
        from orch_tui.ids import check_label

        check_label("bundle", bundle_id)
    agents = project.agents
    reader = project.reader(allow_secret=allow_secret, look_inside=True, left_out=left_out)
    _check_scope(scope, allow_secret=allow_secret)
    model = model or agents.model(agent_type)

    asked_for = project.catalogue.model(model)
    made = compose_bundle(
        agent_type,
        scope,
        reader=reader,
        bundle_id=bundle_id,
        created_at=project.now(),
        model=model,
        family=asked_for.family,
        files=listed(files),
        references=listed(references),
        optional=listed(optional),
        shared=listed(shared),
        texts=listed(texts),
        items=before,
        cache=project.counts,
        exact=exact,
        name=name,
        session_id=session_id or "",
    )
    made = replace(made, template=template)
    fitted = None
    if fit:
        limit = None if fit is True else fit
        fitted = _fit_to_limits(project, made, limit, session_id, keep=keep)
        made = fitted.bundle
    return keep_bundle(
        project,
        made,
        session_id=session_id,
        allow_secret=allow_secret,
        agents=agents,
        fitted=fitted,
        exact=exact,
    )


def compose_from_run(
    project: Project,
    label: str,
    *,
    allow_secret: bool = False,
    left_out: Callable[[SourceError], object] | None = None,
) -> Composition:
    """Compose anew what a run was given, or used where nobody prepared it a bundle, as the files
    are now; ``left_out`` is told of what cannot be taken.

    Raises:
        NotFoundError: no such run.
        SourceError: nothing of it can be taken.
    """
    return _read_run(project, label, allow_secret=allow_secret, left_out=left_out)[0]


def _read_run(
    project: Project,
    label: str,
    *,
    allow_secret: bool,
    left_out: Callable[[SourceError], object] | None,
) -> tuple[Composition, list[ContextItem]]:
    """Compose what a run was given of what can be taken of it, with the items that it is."""
    from orch_tui.prepare.composition import read_choices
    from orch_tui.recall.run_composition import compose_past_run

    past = compose_past_run(project.existing_record, label)
    every = [replace(choice, allow_secret=allow_secret) for choice in past.choices]
    read = read_choices(every, project.reader())
    if left_out is not None:
        for refused in read:
            if isinstance(refused, SourceError):
                left_out(refused)
    held = [
        (choice, item)
        for choice, item in zip(every, read, strict=True)
        if not isinstance(item, SourceError)
    ]
    if not held:
        raise SourceError(
            label,
            "was given nothing that can be given again",
            hint="what it was given and used: `orch show` tells",
        )
    return replace(past, choices=tuple(c for c, _ in held)), [item for _, item in held]


def fit_bundle(
    project: Project,
    made: Bundle,
    limit: int | None = None,
    *,
    session_id: str | None = None,
    template: Template | None = None,
    keep: Keep | None = None,
) -> Prepared:
    """Make a bundle fit its agent and session, or ``limit`` tokens, and save what is left of it.

    ``template`` is its own from now on, where one is given. A bundle with an id becomes its next
    version, where the latest was deployed.

    Raises:
        OverBudgetError: the required items alone are over.
    """
    made = replace(made, template=template or made.template)
    fitted = _fit_to_limits(project, made, limit, session_id, keep=keep)
    return keep_bundle(project, fitted.bundle, session_id=session_id, fitted=fitted)


def what_would_fit(prepared: Prepared, project: Project) -> Fitted:
    """Fit a bundle that is over as ``fit_bundle`` would, without saving anything.

    Raises:
        OverBudgetError: nothing would; the required items alone are over.
    """
    from orch_tui.prepare import fitting

    judgement = prepared.judgement
    room = _smaller_limit(judgement.agent.limit, judgement.session.limit, judgement.others.high)
    family = model_of(project, prepared.bundle).family
    return fitting.fit_briefing(prepared.bundle, **room, family=family, cache=project.counts)


class _Room(TypedDict):
    """What ``fit_briefing`` is told to fit into: so many tokens, of which limit."""

    limit: int
    of: str


def _smaller_limit(agent: int, session: int, others: int) -> _Room:
    """Choose the smaller limit: the agent's, or what the session's other bundles leave of it.

    Raises:
        OverBudgetError: they leave nothing.
    """
    if others >= session:
        raise OverBudgetError(
            f"the other bundles of the session take {others:,} of its {session:,} tokens",
            hint="`orch track-budget` lists them; `orch retract BUNDLE --reason TEXT` takes out "
            "one that will not be deployed",
        )
    if agent <= session - others:
        return {"limit": agent, "of": "agent limit"}
    beside = f", where other bundles take {others:,}" if others else ""
    return {"limit": session - others, "of": f"session budget{beside}"}


def _fit_to_limits(
    project: Project,
    made: Bundle,
    limit: int | None,
    session_id: str | None,
    *,
    keep: Keep | None,
) -> Fitted:
    """Fit a bundle into ``limit`` tokens; None: into what its agent and its session leave.

    One without an id gets that of the bundle that this very call made before, where there is one.
    """
    from orch_tui.prepare import fitting

    model = model_of(project, made)
    fit = partial(
        fitting.fit_briefing,
        family=model.family,
        cache=project.counts,
        keep={source: listed(parts) for source, parts in keep.items()} if keep else None,
    )
    if project.has_record and not made.bundle_id:
        # Where it was prepared whole before, and found to be over, that one is made to fit.
        whole = bundles.find_equal_bundle(project.record, made, session_id)
        if whole and not whole.frozen:
            made = replace(made, bundle_id=whole.bundle.bundle_id)
    if limit is not None:
        return fit(made, limit)
    limits = replace(project.limits, agents=project.agents)
    if not (project.has_record and session_id):
        for_agent = compute_agent_limit(model, limits, made.agent_type)
        return fit(made, **_smaller_limit(for_agent, limits.budget, 0))
    budget = load_session_budget(project.record, session_id, limits)
    for_agent = compute_agent_limit(model, budget.limits, made.agent_type)

    def fit_beside_others(bundle_id: str) -> Fitted:
        others = budget.taken_by_others(bundle_id).high
        return fit(made, **_smaller_limit(for_agent, budget.limits.budget, others))

    # The same call again gives the bundle that it gave before, from which it takes no room. Which
    # one that is stands nowhere: what was left out is not part of it, and a fingerprint of the
    # request would name it still when files or the other bundles have changed. So each of the same
    # agent, scope and name is left aside in turn; the one that fitting makes again then is it.
    for saved in (
        bundles.load_session_figures(project.record, session_id) if not made.bundle_id else ()
    ):
        before = saved.bundle
        if (before.agent_type, before.scope, before.name) == (
            *(made.agent_type, made.scope, made.name),
        ):
            again = fit_beside_others(before.bundle_id)
            known = bundles.find_equal_bundle(project.record, again.bundle, session_id)
            if known and known.bundle.bundle_id == before.bundle_id:
                return again
    return fit_beside_others(made.bundle_id)


def model_of(project: Project, bundle: Bundle) -> Model:
    """Find the model a bundle is for: its own, else that of the agent's definition."""
    return project.catalogue.model(bundle.model or project.agents.model(bundle.agent_type))


def keep_bundle(
    project: Project,
    made: Bundle,
    *,
    session_id: str | None = None,
    allow_secret: bool = False,
    agents: AmbientAgents | None = None,
    fitted: Fitted | None = None,
    exact: bool | None = None,
) -> Prepared:
    """Save a bundle (where the project records) and judge it, over a limit or not.

    One without an id becomes the bundle that holds exactly this, or a new one; one with an id
    becomes that bundle's next version, where the latest was deployed.
    """
    agents = agents or project.agents
    made = project.measure(made, exact)
    budget = SessionBudget(replace(project.limits, agents=agents))
    if project.recording:
        record = project.record
        with record.write():
            known = None if made.bundle_id else bundles.find_equal_bundle(record, made, session_id)
            if known:
                made = replace(made, bundle_id=known.bundle.bundle_id)
            saved = bundles.save_bundle(record, made, session_id).bundle
            made = replace(saved, dropped=made.dropped)  # what was left out is no part of it
            if allow_secret:
                from orch_tui.record import deployment
                from orch_tui.record.given_words import check_given_words

                deployment.log_secrets(record, made.items, session_id=session_id)
                check_given_words(
                    record, "the scope", made.scope, allow_secret=True, session_id=session_id
                )
            if fitted and fitted.changes:
                journal.log_action(
                    record,
                    "fit-bundle",
                    session_id=session_id,
                    subject=f"{made.bundle_id} v{made.version}",
                    after=fitted.to_dict(),
                )
        if session_id:
            budget = load_session_budget(record, session_id, budget.limits)
    asked_for = project.catalogue.model(made.model or agents.model(made.agent_type))
    ambient = agents.ambient(made.agent_type, asked_for)
    judgement = budget.judge(
        made.total,
        asked_for,
        agent_type=made.agent_type,
        items=made.items,
        instead_of=[made.bundle_id],
    )
    return Prepared(made, judgement, ambient, in_ambient(made.items, ambient), fitted)


def keep_composition(
    project: Project, composition: Composition, *, session_id: str | None = None
) -> Prepared:
    """Read what was composed, save and judge it; the planned agent it is for gets the bundle.

    Raises:
        UsageError: it is for no agent type.
        SourceError: every source that cannot be taken, by name and reason.
    """
    from orch_tui.prepare.composition import make_bundle
    from orch_tui.record import plan

    _check_agent_type(composition.agent_type)
    agents = project.agents
    allow_secret = any(choice.allow_secret for choice in composition.choices)
    known_scopes = {
        planned.scope
        for planned in (plan.list_planned_agents(project.record, session_id) if session_id else ())
        if planned.planned_id == composition.planned_id
    }
    model = composition.model or agents.model(composition.agent_type)
    made = make_bundle(
        replace(composition, model=model),
        reader=project.reader(),
        family=project.catalogue.model(model).family,
        created_at=project.now(),
        session_id=session_id or "",
        cache=project.counts,
    )
    if made.bundle_id:
        try:
            before = bundles.load_bundle(project.record, made.bundle_id).bundle
            known_scopes.add(before.scope)
        except NotFoundError:
            before = made
        made = replace(made, template=before.template)
    if made.scope not in known_scopes:  # where it came from somebody said yes to what is in it
        _check_scope(made.scope, allow_secret=allow_secret)
    with project.record.write():
        kept = keep_bundle(
            project, made, session_id=session_id, allow_secret=allow_secret, agents=agents
        )
        if session_id and composition.planned_id:
            for planned in plan.list_planned_agents(project.record, session_id):
                if planned.planned_id == composition.planned_id:
                    plan.change_planned_agent(
                        project.record,
                        session_id,
                        planned.position,
                        bundle_id=kept.bundle.bundle_id,
                    )
    return kept


def _check_scope(scope: str, *, allow_secret: bool) -> None:
    """Refuse a scope that holds what looks like a secret, unless somebody said yes."""
    if not allow_secret:
        from orch_tui.prepare.secrets import find_secrets, refuse_found

        if found := find_secrets(scope):
            raise refuse_found("the scope", found)


def _check_agent_type(agent_type: str) -> None:
    if not agent_type.strip():
        raise UsageError("the bundle has no agent type", hint="say which agent it is for")


def find_sharing(
    project: Project, given: Sequence[Bundle], *, left: Collection[str] = ()
) -> Sharing:
    """Find what bundles hold in common, twice, or in what their agents have anyway; ``left`` names
    what is not to be shared (``FILE`` or ``FILE#Heading``)."""
    from orch_tui.prepare import dedup

    return dedup.find_duplicates(
        given, dedup.make_ambient_lookup(project.agents, project.catalogue.model), left=left
    )


def foresee_sharing(
    project: Project,
    given: Sequence[Bundle],
    *,
    found: Sharing | None = None,
    document: Path | None = None,
) -> Shared:
    """Work out what sharing would make of bundles; ``found`` is what ``find_sharing`` found."""
    from orch_tui.record import sharing

    return sharing.foresee_sharing(
        given,
        found or find_sharing(project, given),
        root=project.root,
        family_of=lambda model: project.catalogue.model(model).family,
        record=project.existing_record if project.has_record else None,
        cache=project.counts,
        document=document,
    )


def apply_sharing(
    project: Project, given: Sequence[Bundle], *, foreseen: Shared | None = None
) -> Shared:
    """Leave out of bundles what need not be sent, and write what they share into a document, as
    ``record.sharing.share_between`` does; ``foreseen`` is what ``foresee_sharing`` gave."""
    from orch_tui.record.sharing import share_between

    return share_between(
        foreseen or foresee_sharing(project, given),
        root=project.root,
        record=project.record if project.recording else None,
    )


def take_sharing_back(project: Project, bundle_ids: Texts) -> list[Bundle]:
    """Restore what bundles were before they were deduplicated, each as its next version; a
    document that nobody is sent to any more goes.

    Raises:
        NotFoundError: no such bundle.
        ConflictError: one was not deduplicated, or was changed since.
    """
    from orch_tui.record.sharing import remove_unneeded_documents, restore_deduplicated

    restored = restore_deduplicated(project.existing_record, listed(bundle_ids))
    remove_unneeded_documents(project.existing_record, project.root)
    return restored


def share_bundles(project: Project, session_id: str) -> Sharing:
    """Share what all bundles of a session have in common, as ``apply_sharing`` does."""
    from orch_tui.prepare.dedup import Sharing

    held = [
        saved.bundle for saved in bundles.load_session_bundles(project.existing_record, session_id)
    ]
    return apply_sharing(project, held).sharing if held else Sharing((), ())
