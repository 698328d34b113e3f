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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from orch_tui.prepare.bundle import Bundle
from orch_tui.prepare.validation import Validation
from orch_tui.project import Project
from orch_tui.project_bundles import (
    Fit,
    Prepared,
    Sources,
    apply_sharing,
    find_sharing,
    fit_bundle,
    keep_bundle,
    keep_composition,
    model_of,
    prepare_bundle,
    share_bundles,
    take_sharing_back,
    what_would_fit,
)
from orch_tui.record import (
    bundles,
    deployment,
    executions,
    library,
    outputs,
    plan,
    run_return,
    session_budget,
    sessions,
)
from orch_tui.record.library import BundleLine
from orch_tui.record.session_budget import BudgetReport
from orch_tui.record.session_validation import validate_session
from orch_tui.record.sessions import Gate
from orch_tui.record.sharing import Shared
from orch_tui.rows import ExecutionFacts, Output, PlannedAgent, Session

if TYPE_CHECKING:
    from orch_tui.models.database import Clock
    from orch_tui.recall.compare import Comparison
    from orch_tui.recall.insights import Insights
    from orch_tui.recall.replay import Drift, Replay
    from orch_tui.recall.report import OutputValidation
    from orch_tui.recall.show import Shown
    from orch_tui.search.query import Page

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
    "refresh",
    "replay",
    "saved_bundles",
    "search",
    "share_bundles",
    "show",
    "stats",
    "take_sharing_back",
    "what_would_fit",
]


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
        return session_budget.track(
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
        recorded, _ = run_return.record_return(
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
    from orch_tui.search.query import search as find

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
        family = model_of(place, past).family
        return again.drift(past.items, reader=place.reader(), family=family, cache=place.counts)


def refresh(
    execution_id: str, *, project: Place = None, database: str | None = None
) -> tuple[Bundle, list[Drift]]:
    """What a past execution was given, as the files are now: the next version of its bundle (or
    the same, where nothing changed), and what is different; raises as ``drift`` does."""
    from orch_tui.recall import replay as again

    with opened(project, database) as place:
        record = place.existing_record
        family = model_of(place, again.given_bundle(record, execution_id)).family
        return again.refreshed(
            record, execution_id, reader=place.reader(), family=family, cache=place.counts
        )


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
