"""The engine's public face for Python: sessions, executions, bundles.

    from orch_tui import OrchestrationSession

    with OrchestrationSession(scope="Implement vector search") as session:
        bundle = session.prepare_context(agent_type="task-implementor", files=["lib/types.ts"])
        execution = session.init_deployment("task-implementor", context_bundle=bundle)
        ...
        execution.record_completion(final_message=answer, deliverables=["lib/search.ts"])

Several sessions may be open at once, in one thread or in many. What is handed out is frozen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from orch_tui.errors import SourceError, UsageError
from orch_tui.facts import ExecutionFacts, Output, PlannedAgent, Session
from orch_tui.prepare import sharing
from orch_tui.prepare.ambient import Ambient, AmbientAgents
from orch_tui.prepare.budget import Judgement, agent_limit, judge
from orch_tui.prepare.bundle import Bundle, compose
from orch_tui.prepare.composition import Composition, make
from orch_tui.prepare.overlaps import Overlap, in_ambient
from orch_tui.prepare.sharing import Sharing
from orch_tui.prepare.tokens import ZERO
from orch_tui.prepare.validation import Validation
from orch_tui.project import Project
from orch_tui.record import (
    budget,
    bundles,
    deployment,
    executions,
    journal,
    library,
    outputs,
    plan,
    returns,
    sessions,
)
from orch_tui.record.budget import BudgetReport
from orch_tui.record.library import BundleLine
from orch_tui.record.sessions import Gate
from orch_tui.record.sharing import Shared, share, take_back
from orch_tui.record.validation import validate_session

if TYPE_CHECKING:
    from orch_tui.models.database import Clock
    from orch_tui.prepare.catalogue import Model
    from orch_tui.prepare.fitting import Fitted
    from orch_tui.prepare.templates import Template
    from orch_tui.recall.compare import Comparison
    from orch_tui.recall.insights import Insights
    from orch_tui.recall.replay import Drift, Replay
    from orch_tui.recall.report import OutputValidation
    from orch_tui.recall.search import Page
    from orch_tui.recall.show import Shown

__all__ = [
    "Execution",
    "OrchestrationSession",
    "Prepared",
    "Project",
    "Shared",
    "apply_sharing",
    "compare",
    "copy_bundle",
    "drift",
    "find_sharing",
    "fit_bundle",
    "import_bundle",
    "keep_bundle",
    "keep_composition",
    "outputs_of",
    "prepare_bundle",
    "replay",
    "saved_bundles",
    "search",
    "share_bundles",
    "show",
    "stats",
    "take_sharing_back",
    "what_would_fit",
]


Sources = str | Sequence[str]
"""Context sources: one by one, or in one text separated by commas as the commands take them."""

Fit = bool | int
"""Whether a bundle is to fit, or the tokens that it is to fit into."""

Place = str | Path | Project | None
"""Where a project is: a folder in it (None: the working folder), or the project itself."""


@contextmanager
def opened(place: Place, database: str | None = None) -> Iterator[Project]:
    """The project at a place, closed again where it was opened for this."""
    if isinstance(place, Project):
        yield place
        return
    project = Project(place, database=database)
    try:
        yield project
    finally:
        project.close()


@dataclass(frozen=True, slots=True)
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
    files: Sources = (),
    references: Sources = (),
    optional: Sources = (),
    shared: Sources = (),
    texts: Sequence[str] = (),
    model: str = "",
    bundle_id: str = "",
    name: str = "",
    session_id: str | None = None,
    allow_secret: bool = False,
    left_out: Callable[[SourceError], object] | None = None,
    exact: bool | None = None,
    fit: Fit = False,
    keep: Mapping[str, Sequence[str]] | None = None,
    template: Template | None = None,
) -> Prepared:
    """Compose a bundle, count it, judge it and (where the project records) save it.

    Files, ``shared`` and ``texts`` are required, references recommended, ``optional`` optional.
    A source is a file, ``FILE:10-80``, ``FILE#Heading``, ``FILE#Class.method``,
    ``FILE#(skeleton)``, a folder, a pattern, ``exec-003:message``, ``exec-003:outputs`` or
    ``text:...``. ``left_out`` is told of what a folder or pattern holds and is no text. A bundle
    over a limit is saved too; deploying it is what is refused. ``exact=True`` has tokens counted
    exactly, which needs ctok; None takes exact counts where they are known.

    ``fit`` leaves out or cuts what is not required until the briefing rendered from ``template``
    fits the agent and the session, or the number of tokens given; ``keep`` says by source which
    sections or symbols to cut a file to.

    Raises:
        SourceError: every source that cannot be taken, by name and reason.
        OverBudgetError: it was to fit, and the required items alone are over.
    """
    agents = project.agents
    reader = project.reader(allow_secret=allow_secret, look_inside=True, left_out=left_out)
    model = model or agents.model(agent_type)

    def listed(sources: Sources) -> list[str]:
        return reader.split([sources]) if isinstance(sources, str) else list(sources)

    asked_for = project.catalogue.model(model)
    made = compose(
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
        texts=[texts] if isinstance(texts, str) else texts,
        cache=project.counts,
        exact=exact,
        name=name,
        session_id=session_id or "",
    )
    fitted = None
    if fit:
        limit = None if fit is True else fit
        fitted = _fitted(project, made, limit, session_id, template=template, keep=keep)
        made = fitted.bundle
    return keep_bundle(
        project,
        made,
        session_id=session_id,
        allow_secret=allow_secret,
        agents=agents,
        fitted=fitted,
    )


def fit_bundle(
    project: Project,
    made: Bundle,
    limit: int | None = None,
    *,
    session_id: str | None = None,
    template: Template | None = None,
    keep: Mapping[str, Sequence[str]] | None = None,
) -> Prepared:
    """Make a bundle fit its agent and session, or ``limit`` tokens, and save what is left of it.

    A bundle with an id becomes its next version, where the latest was deployed.

    Raises:
        OverBudgetError: the required items alone are over.
    """
    fitted = _fitted(project, made, limit, session_id, template=template, keep=keep)
    return keep_bundle(project, fitted.bundle, session_id=session_id, fitted=fitted)


def what_would_fit(prepared: Prepared, project: Project) -> Fitted:
    """What ``fit_bundle`` would make of a bundle that is over, without saving anything.

    Raises:
        OverBudgetError: nothing would; the required items alone are over.
    """
    from orch_tui.prepare import fitting

    judgement, total = prepared.judgement, prepared.bundle.total
    others = judgement.session.used.high - total.high
    limit = min(judgement.agent.limit, judgement.session.limit - others)
    family = _model(project, prepared.bundle).family
    return fitting.fit(prepared.bundle, limit, family=family, cache=project.counts)


def _fitted(
    project: Project,
    made: Bundle,
    limit: int | None,
    session_id: str | None,
    **options: Any,
) -> Fitted:
    from orch_tui.prepare import fitting

    model = _model(project, made)
    options |= {"family": model.family, "cache": project.counts}
    if limit is not None:
        return fitting.fit(made, limit, **options)
    limits = replace(project.limits, agents=project.agents)
    for_agent = agent_limit(model, limits, made.agent_type)
    if not (project.has_record and session_id):
        return fitting.fit(made, min(for_agent, limits.budget), **options)
    limits = budget.session_limits(project.record, session_id, limits)
    taken = {t.label: t.count.high for t in budget.taken(project.record, session_id)}

    def beside(bundle_id: str) -> Fitted:
        others = sum(high for label, high in taken.items() if label != bundle_id)
        return fitting.fit(made, min(for_agent, limits.budget - others), **options)

    # The same call again gives the bundle that it gave before: that one takes no room from it.
    for saved in bundles.by_figures(project.record, session_id) if not made.bundle_id else ():
        before = saved.bundle
        if (before.agent_type, before.scope, before.name) == (
            *(made.agent_type, made.scope, made.name),
        ):
            again = beside(before.bundle_id)
            known = bundles.equal(project.record, again.bundle, session_id)
            if known and known.bundle.bundle_id == before.bundle_id:
                return again
    return beside(made.bundle_id)


def _model(project: Project, bundle: Bundle) -> Model:
    return project.catalogue.model(bundle.model or project.agents.model(bundle.agent_type))


def keep_bundle(
    project: Project,
    made: Bundle,
    *,
    session_id: str | None = None,
    allow_secret: bool = False,
    agents: AmbientAgents | None = None,
    fitted: Fitted | None = None,
) -> Prepared:
    """Save a bundle (where the project records) and judge it, over a limit or not.

    One without an id becomes the bundle that holds exactly this, or a new one; one with an id
    becomes that bundle's next version, where the latest was deployed.
    """
    agents, used = agents or project.agents, ZERO
    limits = replace(project.limits, agents=agents)
    if project.recording:
        record = project.record
        with record.write():
            known = None if made.bundle_id else bundles.equal(record, made, session_id)
            if known:
                made = replace(made, bundle_id=known.bundle.bundle_id)
            saved = bundles.save(record, made, session_id).bundle
            made = replace(saved, dropped=made.dropped)  # what was left out is no part of it
            if allow_secret:
                deployment.log_secrets(record, made.items, session_id=session_id)
            if fitted and fitted.changes:
                journal.log(
                    record,
                    "fit-bundle",
                    session_id=session_id,
                    subject=f"{made.bundle_id} v{made.version}",
                    after=fitted.to_dict(),
                )
        if session_id:
            limits = budget.session_limits(record, session_id, limits)
            others = (t for t in budget.taken(record, session_id) if t.label != made.bundle_id)
            used = sum((t.count for t in others), ZERO)
    asked_for = project.catalogue.model(made.model or agents.model(made.agent_type))
    ambient = agents.ambient(made.agent_type, asked_for)
    judgement = judge(made.items, asked_for, limits, agent_type=made.agent_type, session_used=used)
    return Prepared(made, judgement, ambient, in_ambient(made.items, ambient), fitted)


def keep_composition(
    project: Project, composition: Composition, *, session_id: str | None = None
) -> Prepared:
    """Read what was composed, save and judge it; the planned agent it is for gets the bundle.

    Raises:
        UsageError: it is for no agent type.
        SourceError: every source that cannot be taken, by name and reason.
    """
    if not composition.agent_type.strip():
        raise UsageError("the bundle has no agent type", hint="say which agent it is for")
    agents = project.agents
    model = composition.model or agents.model(composition.agent_type)
    made = make(
        replace(composition, model=model),
        reader=project.reader(),
        family=project.catalogue.model(model).family,
        created_at=project.now(),
        session_id=session_id or "",
        cache=project.counts,
    )
    allow_secret = any(choice.allow_secret for choice in composition.choices)
    with project.record.write():
        kept = keep_bundle(
            project, made, session_id=session_id, allow_secret=allow_secret, agents=agents
        )
        if session_id and composition.planned_id:
            for planned in plan.agents(project.record, session_id):
                if planned.planned_id == composition.planned_id:
                    plan.change(
                        project.record,
                        session_id,
                        planned.position,
                        bundle_id=kept.bundle.bundle_id,
                    )
    return kept


def find_sharing(project: Project, given: Sequence[Bundle]) -> Sharing:
    """What bundles hold in common, twice, or in what their agents have anyway."""
    return sharing.deduplicate(given, sharing.ambient_by(project.agents, project.catalogue.model))


def apply_sharing(
    project: Project,
    given: Sequence[Bundle],
    *,
    found: Sharing | None = None,
    document: Path | None = None,
) -> Shared:
    """Leave out of bundles what need not be sent, and write what they share into a document, as
    ``record.sharing.share`` does; ``found`` is what ``find_sharing`` found."""
    return share(
        given,
        found or find_sharing(project, given),
        root=project.root,
        family_of=lambda model: project.catalogue.model(model).family,
        record=project.record if project.recording else None,
        cache=project.counts,
        document=document,
    )


def take_sharing_back(project: Project, bundle_ids: Sequence[str]) -> list[Bundle]:
    """Restore what bundles were before they were deduplicated, each as its next version.

    Raises:
        NotFoundError: no such bundle.
        ConflictError: one was not deduplicated, or was changed since.
    """
    return take_back(project.existing_record, bundle_ids)


def share_bundles(project: Project, session_id: str) -> Sharing:
    """``apply_sharing`` to all bundles of a session."""
    held = [saved.bundle for saved in bundles.of_session(project.existing_record, session_id)]
    return apply_sharing(project, held).sharing if held else Sharing((), ())


def saved_bundles(
    place: Place = None,
    *,
    session_id: str | None = None,
    named: bool = False,
    removed: bool = False,
) -> list[BundleLine]:
    """Saved bundles, newest first, by their latest version and how often they were used."""
    with opened(place) as project:
        return library.listed(
            project.existing_record, session_id=session_id, named=named, removed=removed
        )


def copy_bundle(
    project: Project, given: str, *, session_id: str | None = None, name: str = ""
) -> Bundle:
    """A new bundle of what a saved one holds (its id or name, ``@2`` for a version), for another
    session or to be changed by itself.

    Raises:
        NotFoundError, ConflictError: there is no such bundle, or several of that name.
    """
    record = project.existing_record
    held = bundles.load(record, *bundles.resolve(record, given)).bundle
    return library.copy(record, held, session_id=session_id, name=name)


def import_bundle(
    project: Project, bundle: Bundle, *, session_id: str | None = None, name: str = ""
) -> Bundle:
    """Save a bundle that ``Project.read_bundle`` read from a file; where its id means another
    bundle here, it gets a new one."""
    return library.take_in(project.record, bundle, session_id=session_id, name=name)


class OrchestrationSession:
    """One orchestration, from its first phase to its report."""

    def __init__(
        self,
        scope: str,
        session_id: str | None = None,
        *,
        project: Place = None,
        database: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        budget: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Open a session, new or (same id, same scope) known.

        ``project`` is a folder in the project, default the working folder; ``database`` names
        another file than the project's own; ``budget`` is in tokens.

        Raises:
            UsageError: an empty scope.
            ConflictError: the id belongs to a session with another scope.
            RecordError: the database cannot be used.
        """
        self._own_project = not isinstance(project, Project)
        self.project = (
            project
            if isinstance(project, Project)
            else Project(project, database=database, clock=clock)
        )
        try:
            self.session_id = sessions.init_session(
                self.project.record,
                scope,
                project=str(self.project.root),
                session_id=session_id,
                metadata=metadata,
                budget=budget,
            ).session_id
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(cls, session_id: str, *, project: Place = None, **options: Any) -> Self:
        """A session that exists, by its id.

        Raises:
            NotFoundError: with the nearest known ids.
        """
        found = project if isinstance(project, Project) else Project(project, **options)
        try:
            scope = sessions.get(found.existing_record, session_id).scope
            session = cls(scope, session_id, project=found)
        except BaseException:
            if found is not project:
                found.close()
            raise
        session._own_project = found is not project
        return session

    @staticmethod
    def query(
        *, project: Place = None, database: str | None = None, **filters: Any
    ) -> list[Session]:
        """Past sessions, newest first; filters as in ``recall.listing.sessions``.

        For example ``agent_type="task-implementor", status="completed", since="7d", limit=10``.
        """
        from orch_tui.recall import listing

        with opened(project, database) as place:
            return listing.sessions(place.existing_record, **filters)

    @property
    def facts(self) -> Session:
        """The session as it is stored now."""
        return sessions.get(self.project.record, self.session_id)

    @property
    def scope(self) -> str:
        return self.facts.scope

    @property
    def phase(self) -> int | None:
        return self.facts.phase

    @property
    def status(self) -> str | None:
        return self.facts.status

    # Prepare

    def set_phase(self, phase: int) -> tuple[Gate, ...]:
        """Move to a phase, 1 to 5; gives the gates that were skipped."""
        return sessions.set_phase(self.project.record, self.session_id, phase)[1]

    def plan_agent(self, agent_type: str, scope: str = "", **values: Any) -> PlannedAgent:
        """Plan a deployment; ``model``, ``bundle_id``, ``waits_for`` (positions) are optional."""
        return plan.add(self.project.record, self.session_id, agent_type, scope=scope, **values)

    def undo_plan(self) -> str:
        """Take back the last change of the plan that still stands; gives it in words."""
        return plan.change_in_words(plan.undo(self.project.record, self.session_id))

    def validate(
        self, context_files: Iterable[str] = (), dependencies: Iterable[str] = ()
    ) -> Validation:
        """Check the plan, its files and bundles; the answer is recorded with the session."""
        return validate_session(
            self.project.record,
            self.session_id,
            reader=self.project.reader(),
            catalogue=self.project.catalogue,
            limits=self.project.limits,
            known_agents=self.project.known_agents,
            context_files=context_files,
            dependencies=dependencies,
        )

    def prepare_context(
        self,
        agent_type: str,
        scope: str = "",
        *,
        files: Sources = (),
        references: Sources = (),
        optional: Sources = (),
        shared: Sources = (),
        texts: Sequence[str] = (),
        model: str = "",
        bundle_id: str = "",
        name: str = "",
        allow_secret: bool = False,
        exact: bool | None = None,
        fit: Fit = False,
        keep: Mapping[str, Sequence[str]] | None = None,
    ) -> Bundle:
        """Compose a bundle for an agent of this session and save it, as ``prepare_bundle`` does."""
        return prepare_bundle(
            self.project,
            agent_type,
            scope,
            files=files,
            references=references,
            optional=optional,
            shared=shared,
            texts=texts,
            model=model,
            bundle_id=bundle_id,
            name=name,
            session_id=self.session_id,
            allow_secret=allow_secret,
            exact=exact,
            fit=fit,
            keep=keep,
        ).bundle

    def fit(self, bundle: Bundle, limit: int | None = None, **options: Any) -> Prepared:
        """Make a bundle fit, as ``fit_bundle`` does: its agent and this session, or ``limit``."""
        return fit_bundle(self.project, bundle, limit, session_id=self.session_id, **options)

    def track_budget(self, **options: Any) -> BudgetReport:
        """The session's bundles against every limit; options as in ``record.budget.track``."""
        return budget.track(
            self.project.record,
            self.session_id,
            catalogue=self.project.catalogue,
            limits=self.project.limits,
            **options,
        )

    # Record

    def init_deployment(
        self,
        agent_type: str | None = None,
        scope: str | None = None,
        *,
        context_bundle: Bundle | str | None = None,
        model: str | None = None,
        **options: Any,
    ) -> Execution:
        """Record a deployment before it starts; options as in ``record.deployment.deploy``.

        Raises:
            OverBudgetError: over a limit, without ``allow_overflow="reason"``.
            ConflictError: the execution id was deployed with other content.
        """
        if isinstance(context_bundle, str):
            context_bundle = self.project.read_bundle(context_bundle).bundle
        deployed = deployment.deploy(
            self.project.record,
            self.session_id,
            catalogue=self.project.catalogue,
            limits=self.project.limits,
            agent_type=agent_type,
            scope=scope,
            bundle=context_bundle,
            model=model,
            source="api",
            **options,
        )
        return Execution(self.project, deployed.execution.execution_id, deployed.briefing)

    def executions(self) -> list[ExecutionFacts]:
        """The executions of the session, newest first."""
        return executions.select(self.project.record, "session_id = ?", [self.session_id])

    # Recall

    def validate_outputs(self) -> OutputValidation:
        """What was delivered and validated, as it stands on disk and in the record now."""
        from orch_tui.recall.report import validate_outputs

        return validate_outputs(self.project.record, self.session_id, self.project.root)

    def generate_synthesis_report(
        self,
        template: str | None = None,
        *,
        format: str = "markdown",  # noqa: A002
    ) -> str:
        """The report of the session from stored facts, as markdown, json or html."""
        from orch_tui.recall.report import synthesize

        return synthesize(
            self.project.record,
            self.session_id,
            root=self.project.root,
            template=self.project.template(template),
            format=format,
            limits=self.project.limits,
        )

    def complete(self, status: str = "completed") -> Session:
        """Close the session as completed or failed."""
        return sessions.complete_session(self.project.record, self.session_id, status)

    def close(self) -> None:
        """Close the database, where this session opened it."""
        if self._own_project:
            self.project.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Execution:
    """One deployment, to be completed when its agent returns."""

    def __init__(self, project: Project, execution_id: str, briefing: bytes = b"") -> None:
        self.project = project
        self.execution_id = execution_id
        self.briefing = briefing.decode("utf-8", "replace")
        """The text to hand to the agent; empty without a bundle."""

    @property
    def facts(self) -> ExecutionFacts:
        """The execution as it is stored now."""
        return executions.get(self.project.record, self.execution_id)

    def record_completion(
        self,
        final_message: str | bytes | None = None,
        *,
        deliverables: Sequence[str] = (),
        collect: bool = False,
        **options: Any,
    ) -> ExecutionFacts:
        """Record what came back; options as in ``record.completion.record_completion``.

        ``deliverables`` are paths the agent made; ``collect`` also records what the message
        itself tells of, marked as found. The same call again changes nothing.
        """
        recorded, _ = returns.record_return(
            self.project.record,
            self.execution_id,
            root=self.project.root,
            final_message=final_message,
            deliverable_paths=deliverables,
            collect=collect,
            source="api",
            **options,
        )
        return recorded.execution

    def collect(
        self,
        *,
        deliverables: Iterable[str] = (),
        validation_results: Mapping[str, str | int | float] | None = None,
        insights: Iterable[str] = (),
        errors: Iterable[str] = (),
    ) -> list[Output]:
        """Record deliverables (as they are on disk now), validation results, insights, errors."""
        return outputs.collect(
            self.project.record,
            self.execution_id,
            root=self.project.root,
            deliverable_paths=deliverables,
            validation=validation_results,
            insights=insights,
            errors=errors,
        )

    def outputs(self) -> list[Output]:
        """What was collected so far."""
        return outputs.of_execution(self.project.record, self.execution_id)

    def retract(self, reason: str) -> ExecutionFacts:
        """Take the execution back: recorded by mistake."""
        return executions.retract(self.project.record, self.execution_id, reason, source="api")


# Recall, over everything that was recorded


def search(
    query: str = "", *, project: Place = None, database: str | None = None, **options: Any
) -> Page:
    """Executions by words and filters; the language and options of ``recall.search.search``."""
    from orch_tui.recall.search import search as find

    with opened(project, database) as place:
        return find(place.existing_record, query, **options)


def show(execution_id: str, *, project: Place = None, database: str | None = None) -> Shown:
    """One execution whole: given, said, delivered.

    Raises:
        NotFoundError: with the nearest known ids.
    """
    from orch_tui.recall.show import show as read_whole

    with opened(project, database) as place:
        return read_whole(place.existing_record, execution_id, place.root)


def compare(
    left: str, right: str, *, project: Place = None, database: str | None = None
) -> Comparison:
    """Two executions side by side."""
    from orch_tui.recall.compare import compare as put_side_by_side

    with opened(project, database) as place:
        return put_side_by_side(place.existing_record, left, right, place.root)


def replay(execution_id: str, *, project: Place = None, database: str | None = None) -> Replay:
    """What a past execution was handed, byte for byte; ``context_bundle`` takes its bundle."""
    from orch_tui.recall.replay import replay as render_again

    with opened(project, database) as place:
        return render_again(place.existing_record, execution_id)


def drift(execution_id: str, *, project: Place = None, database: str | None = None) -> list[Drift]:
    """What a past execution was given, file by file, beside what is on disk now.

    Raises:
        NotFoundError: no such execution.
        OrchError: it was given no bundle.
    """
    from orch_tui.recall import replay as again

    with opened(project, database) as place:
        past = again.given_bundle(place.existing_record, execution_id)
        model = past.model or place.agents.model(past.agent_type)
        family = place.catalogue.model(model).family
        return again.drift(past.items, reader=place.reader(), family=family, cache=place.counts)


def stats(*, project: Place = None, database: str | None = None, **filters: Any) -> Insights:
    """What went with success, always with n; filters as in ``recall.insights.gather``."""
    from orch_tui.recall.insights import gather

    with opened(project, database) as place:
        return gather(place.existing_record, **filters)


def outputs_of(
    *, project: Place = None, database: str | None = None, **filters: Any
) -> list[Output]:
    """What agents produced, newest first; filters as in ``recall.listing.outputs``."""
    from orch_tui.recall import listing

    with opened(project, database) as place:
        return listing.outputs(place.existing_record, **filters)
