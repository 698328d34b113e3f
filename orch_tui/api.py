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

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack

from orch_tui.models.values import Ending, OutputType, Status
from orch_tui.paths_given import Paths, Texts, listed
from orch_tui.prepare.bundle import Bundle
from orch_tui.prepare.validation import Validation
from orch_tui.project import Project
from orch_tui.project_bundles import (
    Fit,
    Keep,
    Prepared,
    apply_sharing,
    compose_from_run,
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
    found_outputs,
    library,
    outputs,
    plan,
    run_return,
    session_budget,
    sessions,
)
from orch_tui.record.ledger import contents
from orch_tui.record.library import BundleLine
from orch_tui.record.phase_gates import Gate
from orch_tui.record.planned_bundles import tell_of_planned_bundle
from orch_tui.record.run_place import MissingFile
from orch_tui.record.session_budget import BudgetReport
from orch_tui.record.session_validation import validate_session
from orch_tui.record.sessions import LimitChanges
from orch_tui.record.sharing import Shared
from orch_tui.rows import ErrorCode, ExecutionFacts, Output, PlannedAgent, Session

if TYPE_CHECKING:
    from orch_tui.live.live_agent import LiveAgent, LiveSnapshot
    from orch_tui.models.database import Clock, Record
    from orch_tui.prepare.templates import Template
    from orch_tui.recall.activity import Activity
    from orch_tui.recall.compare import Comparison
    from orch_tui.recall.drift import Drift
    from orch_tui.recall.insights import Insights
    from orch_tui.recall.output_validation import OutputValidation
    from orch_tui.recall.replay import Replay
    from orch_tui.recall.report import Format
    from orch_tui.recall.show import Shown
    from orch_tui.record.upkeep.forgetting import ForgottenTexts
    from orch_tui.search.query import Page

__all__ = [
    "Execution",
    "OrchestrationSession",
    "Prepared",
    "Project",
    "Shared",
    "activity",
    "apply_sharing",
    "compare",
    "compose_from_run",
    "copy_bundle",
    "drift",
    "find_sharing",
    "fit_bundle",
    "forget",
    "import_bundle",
    "keep_bundle",
    "keep_composition",
    "live",
    "models",
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


@contextmanager
def models(*, project: Place = None, database: str | None = None) -> Iterator[Record]:
    """Have queries on the Peewee models of ``orch_tui.models`` go to the record of a project.

    Holds in this thread or asyncio task until the end of the ``with``, which gets the record. Each
    query that writes is a transaction; several are one within ``with record.write():``. What they
    change is taken in as one more statement, as that of plain SQL is.

    Raises:
        RecordError: there is none, or it cannot be opened.
    """
    with opened(project, database) as place:
        record = place.existing_record
        with record.models():
            yield record


def saved_bundles(
    place: Place = None,
    *,
    session_id: str | None = None,
    named: bool = False,
    removed: bool = False,
) -> list[BundleLine]:
    """Saved bundles, newest first, by their latest version and how often they were used."""
    with opened(place) as project:
        return library.list_bundles(
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
    held = bundles.load_bundle(record, *bundles.resolve_bundle(record, given)).bundle
    return library.copy_bundle(record, held, session_id=session_id, name=name)


def import_bundle(
    project: Project, bundle: Bundle, *, session_id: str | None = None, name: str = ""
) -> Bundle:
    """Save a bundle that ``Project.read_bundle`` read from a file; where its id means another
    bundle here, it gets a new one."""
    return library.adopt_bundle(project.record, bundle, session_id=session_id, name=name)


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
        allow_secret: bool = False,
        clock: Clock | None = None,
    ) -> None:
        """Open a session, new or (same id, same scope) known.

        ``project`` is a folder in the project, default the working folder; ``database`` names
        another file than the project's own; ``budget`` is in tokens.

        Raises:
            UsageError: an empty scope.
            SourceError: a scope that holds what looks like a secret, without ``allow_secret``.
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
                allow_secret=allow_secret,
            ).session_id
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(
        cls,
        session_id: str,
        *,
        project: Place = None,
        database: str | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """A session that exists, by its id.

        Raises:
            NotFoundError: with the nearest known ids.
        """
        found = (
            project
            if isinstance(project, Project)
            else Project(project, database=database, clock=clock)
        )
        try:
            scope = sessions.get_session(found.existing_record, session_id).scope
            session = cls(scope, session_id, project=found)
        except BaseException:
            if found is not project:
                found.close()
            raise
        session._own_project = found is not project
        return session

    @classmethod
    def current(
        cls, *, project: Place = None, database: str | None = None, clock: Clock | None = None
    ) -> Self:
        """The session that commands mean where nobody names one: that of ``ORCH_SESSION``, of this
        terminal (``orch use``), of the Claude session whose shell this is, or the newest open one.

        Raises:
            NotFoundError: there is none.
        """
        with opened(project, database) as place:
            session_id = place.choose_session().session.session_id
        return cls.open(session_id, project=project, database=database, clock=clock)

    @staticmethod
    def query(
        *,
        agent_type: str | None = None,
        status: Status | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int | None = None,
        include_archived: bool = False,
        all_projects: bool = False,
        project: Place = None,
        database: str | None = None,
    ) -> list[Session]:
        """Past sessions, newest first.

        ``agent_type`` leaves those that had such an agent; ``since`` and ``until`` are times as
        people write them (``7d``, ``2026-11-22``); ``all_projects`` is for a database that serves
        several.

        Raises:
            UsageError: a status, date or limit that does not exist.
        """
        from orch_tui.recall import listing

        with opened(project, database) as place:
            return listing.list_sessions(
                place.existing_record,
                agent_type=agent_type,
                status=status,
                since=since,
                until=until,
                limit=limit,
                include_archived=include_archived,
                project=None if all_projects else place.project_filter,
            )

    @property
    def facts(self) -> Session:
        """The session as it is stored now."""
        return sessions.get_session(self.project.record, self.session_id)

    @property
    def scope(self) -> str:
        return self.facts.scope

    @property
    def phase(self) -> int | None:
        return self.facts.phase

    @property
    def status(self) -> str | None:
        return self.facts.status

    def set_scope(self, scope: str, *, allow_secret: bool = False) -> Session:
        """Change what this session is about; the journal tells who did, and when.

        Raises:
            UsageError: an empty scope.
            SourceError: it holds what looks like a secret, without ``allow_secret``.
        """
        return sessions.change_session(
            self.project.record, self.session_id, allow_secret=allow_secret, scope=scope
        )

    def set_budget(
        self, budget: int | EllipsisType | None = ..., **limits: Unpack[LimitChanges]
    ) -> Session:
        """Change the budget of this session (tokens), its thresholds and its reserve.

        None is what the settings say; what is not given stays. The journal tells who did, and when.

        Raises:
            UsageError: a figure that is none, or a warning that would come after the critical
                threshold.
        """
        record = self.project.record
        if isinstance(budget, EllipsisType):
            return sessions.change_session(record, self.session_id, **limits)
        return sessions.change_session(record, self.session_id, budget=budget, **limits)

    # Prepare

    def set_phase(self, phase: int) -> tuple[Gate, ...]:
        """Move to a phase, 1 to 5; gives the gates that were skipped."""
        return sessions.set_phase(self.project.record, self.session_id, phase)[1]

    def plan_agent(
        self,
        agent_type: str,
        scope: str = "",
        *,
        model: str | None = None,
        bundle_id: str | None = None,
        waits_for: Sequence[int] = (),
        position: int | None = None,
        allow_model: bool = False,
        allow_secret: bool = False,
    ) -> PlannedAgent:
        """Plan a deployment, at ``position`` or after those already planned; ``waits_for`` holds
        positions as they are before it is added. What is odd about the bundle (it was retracted,
        prepared for another type of agent, is over a limit) is warned of (``UserWarning``).

        Raises:
            UsageError: an empty agent type, or a model that reads like a misspelling, without
                ``allow_model``.
            SourceError: the scope holds what looks like a secret, without ``allow_secret``.
            NotFoundError: an unknown bundle or position.
        """
        self._check_model(model, allow_model)
        planned = plan.add_planned_agent(
            self.project.record,
            self.session_id,
            agent_type,
            scope=scope,
            model=model,
            bundle_id=bundle_id,
            waits_for=waits_for,
            position=position,
            allow_secret=allow_secret,
        )
        for remark in tell_of_planned_bundle(
            self.project.record,
            planned,
            catalogue=self.project.catalogue,
            limits=self.project.limits,
        ):
            warnings.warn(remark, stacklevel=2)
        return planned

    def undo_plan(self) -> str:
        """Take back the last change of the plan that still stands; gives it in words."""
        return plan.describe_plan_change(
            plan.undo_plan_change(self.project.record, self.session_id)
        )

    def validate(self, context_files: Paths = (), dependencies: Texts = ()) -> Validation:
        """Check the plan, its files and bundles; the answer is recorded with the session."""
        return validate_session(
            self.project.record,
            self.session_id,
            reader=self.project.reader(),
            catalogue=self.project.catalogue,
            limits=self.project.limits,
            known_agents=self.project.known_agents,
            context_files=listed(context_files),
            dependencies=listed(dependencies),
        )

    def prepare_context(
        self,
        agent_type: str = "",
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
        allow_secret: bool = False,
        allow_model: bool = False,
        exact: bool | None = None,
        fit: Fit = False,
        keep: Keep | None = None,
        template: Template | None = None,
        from_run: str = "",
    ) -> Bundle:
        """Compose a bundle for an agent of this session and save it, as ``prepare_bundle`` does.

        A model that reads like a misspelling raises UsageError, without ``allow_model``.
        """
        self._check_model(model, allow_model)
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
            template=template,
            from_run=from_run,
        ).bundle

    def fit(
        self,
        bundle: Bundle,
        limit: int | None = None,
        *,
        template: Template | None = None,
        keep: Keep | None = None,
    ) -> Prepared:
        """Make a bundle fit, as ``fit_bundle`` does: its agent and this session, or ``limit``."""
        return fit_bundle(
            self.project, bundle, limit, session_id=self.session_id, template=template, keep=keep
        )

    def track_budget(
        self,
        bundles: Sequence[Bundle] = (),
        *,
        budget: int | None = None,
        phase: int | None = None,
    ) -> BudgetReport:
        """Judge the session's bundles, and those given besides, against every limit.

        ``budget`` (tokens) overrides the session's; ``phase`` also sums up what was deployed in
        it.
        """
        return session_budget.track_budget(
            self.project.record,
            self.session_id,
            bundles,
            catalogue=self.project.catalogue,
            limits=self.project.limits,
            budget=budget,
            phase=phase,
        )

    # Record

    def init_deployment(
        self,
        agent_type: str | None = None,
        scope: str | None = None,
        *,
        context_bundle: Bundle | str | PathLike[str] | None = None,
        model: str | None = None,
        execution_id: str | None = None,
        context_token_count: int | None = None,
        planned: int | None = None,
        briefing: str | bytes | None = None,
        template: Template | None = None,
        deployed_at: str | None = None,
        allow_overflow: str | None = None,
        allow_model: bool = False,
        allow_secret: bool = False,
        supersede: str | None = None,
    ) -> Execution:
        """Record a deployment before it starts; the same call again changes nothing.

        ``context_bundle`` is a bundle, its id or its file. What is not given comes from the
        planned agent at the position ``planned``, then from the bundle. ``briefing`` is the text
        handed over, where it is not rendered from the bundle (with ``template``, if given);
        ``context_token_count`` is for a deployment without a bundle. ``allow_overflow`` is the
        reason to go over a limit, ``supersede`` the reason to replace what was said before.

        Raises:
            UsageError: no agent type is known, or the model reads like a misspelling, without
                ``allow_model``.
            NotFoundError: an unknown bundle or planned agent.
            SourceError: ``scope`` or ``briefing`` holds what looks like a secret, without
                ``allow_secret``.
            OverBudgetError: over a limit, without ``allow_overflow``.
            ConflictError: the execution id was deployed with other content.
        """
        self._check_model(model, allow_model)
        if isinstance(context_bundle, str | PathLike):
            context_bundle = self.project.read_bundle(fspath(context_bundle)).bundle
        deployed = deployment.record_deployment(
            self.project.record,
            self.session_id,
            catalogue=self.project.catalogue,
            limits=self.project.limits,
            agent_type=agent_type,
            scope=scope,
            bundle=context_bundle,
            model=model,
            execution_id=execution_id,
            context_token_count=context_token_count,
            planned=planned,
            briefing=None if briefing is None else contents.encode_given(briefing),
            template=template,
            deployed_at=deployed_at,
            allow_overflow=allow_overflow,
            supersede=supersede,
            allow_secret=allow_secret,
            worktree=self.project.worktree,
            root=self.project.root,
            source="api",
        )
        return Execution(
            self.project,
            deployed.execution.execution_id,
            deployed.briefing,
            deployed.line,
            deployed.all_remarks,
        )

    def _check_model(self, model: str | None, allow_model: bool) -> None:
        if not allow_model:
            self.project.catalogue.check_asked(model)

    def executions(self) -> list[ExecutionFacts]:
        """The executions of the session, newest first."""
        return executions.select_executions(
            self.project.record, "session_id = ?", [self.session_id]
        )

    def doing(self) -> tuple[LiveAgent, ...]:
        """What the running agents of this session do now, each with its evidence.

        Read from what Claude Code writes while they run, parents before their children; an agent
        is of the session where the record knows the execution it is.
        """
        own = {each.execution_id for each in self.executions()}
        return tuple(agent for agent in self.project.live().running if agent.execution_id in own)

    # Recall

    def collect_found(self) -> list[Output]:
        """Keep what the recorded messages of its executions tell of; gives all of it, marked as
        found: nobody has verified it."""
        return found_outputs.collect_found(
            self.project.record, None, session_id=self.session_id, root=self.project.root
        )

    def validate_outputs(self) -> OutputValidation:
        """What was delivered and validated, as it stands on disk and in the record now."""
        from orch_tui.recall.output_validation import validate_outputs

        return validate_outputs(self.project.record, self.session_id, self.project.root)

    def generate_synthesis_report(
        self,
        template: str | None = None,
        *,
        format: Format = "markdown",  # noqa: A002
    ) -> str:
        """The report of the session from stored facts, as markdown, json or html."""
        from orch_tui.recall.report import synthesize_report

        return synthesize_report(
            self.project.record,
            self.session_id,
            root=self.project.root,
            template=self.project.template(template),
            format=format,
            limits=self.project.limits_of_sessions,
        )

    def complete(self, status: Ending = "completed") -> Session:
        """Close the session as completed or failed."""
        return sessions.complete_session(self.project.record, self.session_id, status)

    def close(self) -> None:
        """Close the database, where this session opened it."""
        if self._own_project:
            self.project.close()

    def __repr__(self) -> str:
        return f"OrchestrationSession({self.session_id!r})"

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

    def __init__(
        self,
        project: Project,
        execution_id: str,
        briefing: bytes = b"",
        hand_over: str | None = None,
        remarks: tuple[str, ...] = (),
        *,
        other_project: bool = False,
    ) -> None:
        self.project = project
        self.other_project = other_project
        """Whether to write into it though it is of another project, in a record that serves
        several."""
        self.execution_id = execution_id
        self.briefing = briefing.decode("utf-8", "replace")
        """The text to hand to the agent; empty without a bundle."""
        self.hand_over = hand_over
        """The line to pass for it; None where no hook puts the briefing in its place."""
        self.remarks = remarks
        """What a person should know of it: an overflow, an assumed model, that no hook can hand the
        briefing over and the agent has to read the file that the line names."""

    @property
    def facts(self) -> ExecutionFacts:
        """The execution as it is stored now."""
        return executions.get_execution(self.project.record, self.execution_id)

    def record_completion(
        self,
        final_message: str | bytes | None = None,
        *,
        deliverables: Paths = (),
        validation_results: Mapping[str, str | int | float] | None = None,
        insights: Texts = (),
        errors: Texts = (),
        collect: bool = False,
        status: Ending | None = None,
        success: bool | None = None,
        error_message: str | None = None,
        error_code: ErrorCode | None = None,
        completed_at: str | None = None,
        supersede: str | None = None,
    ) -> ExecutionFacts:
        """Record what came back; the same call again changes nothing.

        ``deliverables`` are paths the agent made; ``collect`` also records what the message
        itself tells of, marked as found. A deliverable that is missing is recorded as missing, and
        warned of (``UserWarning``), and so is a message that tells of a failure where nothing says
        how the run ended: it is completed and in doubt. ``status`` and ``success`` follow, and an
        error is a failure. Without a message the latest return is meant: outputs are added to it,
        another outcome amends it. ``supersede`` is the reason to take back what was said of
        earlier returns, or of the outcome of the latest.

        Raises:
            UsageError: a status or error code that does not exist; no message of a run that never
                returned and is not closed as failed.
            ConflictError: the same message was recorded with another status or error, or the
                latest return with another outcome, and no reason is given.
        """
        self._check_own()
        missing: list[MissingFile] = []
        recorded, _ = run_return.record_return(
            self.project.record,
            self.execution_id,
            root=self.project.root,
            cwd=self.project.cwd,
            final_message=final_message,
            deliverable_paths=listed(deliverables),
            validation=validation_results,
            insights=listed(insights),
            errors=listed(errors),
            collect=collect,
            status=status,
            success=success,
            error_message=error_message,
            error_code=error_code,
            completed_at=completed_at,
            supersede=supersede,
            source="api",
            missing=missing.append,
        )
        _warn_of_missing(missing)
        if recorded.doubt:
            warnings.warn(
                f"{self.execution_id} is recorded as completed and in doubt, since its message "
                f"tells of a failure ({recorded.doubt}); to record it as failed: "
                'record_completion(status="failed", supersede=REASON)',
                stacklevel=2,
            )
        return recorded.execution

    def collect(
        self,
        *,
        deliverables: Paths = (),
        validation_results: Mapping[str, str | int | float] | None = None,
        insights: Texts = (),
        errors: Texts = (),
    ) -> list[Output]:
        """Record deliverables (as they are on disk now), validation results, insights, errors.

        A deliverable that is missing is recorded as missing, and warned of (``UserWarning``).
        """
        self._check_own()
        missing: list[MissingFile] = []
        collected = outputs.collect_outputs(
            self.project.record,
            self.execution_id,
            root=self.project.root,
            cwd=self.project.cwd,
            deliverable_paths=listed(deliverables),
            validation=validation_results,
            insights=listed(insights),
            errors=listed(errors),
            source="api",
            missing=missing.append,
        )
        _warn_of_missing(missing)
        return collected

    def collect_found(self) -> list[Output]:
        """Keep what its recorded messages tell of; gives all of it, marked as found.

        Nobody has verified it. Hooks and the import do this by themselves for what they record.
        """
        self._check_own()
        return found_outputs.collect_found(
            self.project.record, self.execution_id, session_id=None, root=self.project.root
        )

    def outputs(self) -> list[Output]:
        """What was collected so far."""
        return outputs.list_execution_outputs(self.project.record, self.execution_id)

    def retract(self, reason: str) -> ExecutionFacts:
        """Take the execution back: recorded by mistake."""
        self._check_own()
        return executions.retract_execution(
            self.project.record, self.execution_id, reason, source="api"
        )

    def _check_own(self) -> None:
        self.project.check_own_run(self.execution_id, other_project=self.other_project)

    def __repr__(self) -> str:
        return f"Execution({self.execution_id!r})"


def _warn_of_missing(files: Iterable[MissingFile]) -> None:
    """Warn of deliverables that are not there, as of something in the line that named them."""
    for file in files:
        warnings.warn(f"deliverable {file}", stacklevel=3)


# Recall, over everything that was recorded


def search(
    query: str = "",
    *,
    limit: int = 50,
    before: str | None = None,
    include_archived: bool = False,
    all_projects: bool = False,
    order: str | None = None,
    project: Place = None,
    database: str | None = None,
) -> Page:
    """Executions by words and filters, as ``orch history`` finds them.

    ``before`` is the ``next_before`` of the page before. A mistake in ``query`` is among the
    ``mistakes`` of the page; the rest of it is searched. ``order`` is ``best``, ``newest``,
    ``cost``, ``duration`` or ``agent``; without one it is that of the settings.

    Raises:
        UsageError: ``before`` or ``order`` is no such thing.
    """
    from orch_tui.search.query import search as find

    with opened(project, database) as place:
        return find(
            place.existing_record,
            query,
            limit=limit,
            before=before,
            include_archived=include_archived,
            project=None if all_projects else place.project_filter,
            order=order or place.config.search_order,
        )


def show(execution_id: str, *, project: Place = None, database: str | None = None) -> Shown:
    """One execution whole: given, said, delivered.

    Raises:
        NotFoundError: with the nearest known ids.
    """
    from orch_tui.recall.show import show_execution as read_whole

    with opened(project, database) as place:
        return read_whole(place.existing_record, execution_id, place.root)


def live(*, project: Place = None, database: str | None = None) -> LiveSnapshot:
    """What each running agent of a project does now, known to its record or not; stores nothing.

    To follow them, look again and again at one ``Project.live_view()``, which reads only what was
    added since.
    """
    with opened(project, database) as place:
        return place.live()


def compare(
    left: str, right: str, *, project: Place = None, database: str | None = None
) -> Comparison:
    """Two executions side by side."""
    from orch_tui.recall.compare import compare_executions as put_side_by_side

    with opened(project, database) as place:
        return put_side_by_side(place.existing_record, left, right, place.root)


def replay(execution_id: str, *, project: Place = None, database: str | None = None) -> Replay:
    """What a past execution was handed, byte for byte; ``context_bundle`` takes its bundle."""
    from orch_tui.recall.replay import replay_briefing as render_again

    with opened(project, database) as place:
        return render_again(place.existing_record, execution_id)


def drift(execution_id: str, *, project: Place = None, database: str | None = None) -> list[Drift]:
    """What a past execution was given, file by file, beside what is on disk now.

    Raises:
        NotFoundError: no such execution.
        OrchError: it was given no bundle.
    """
    from orch_tui.recall import drift as drifting

    with opened(project, database) as place:
        past = drifting.given_bundle(place.existing_record, execution_id)
        family = model_of(place, past).family
        reader = place.reader(worktree=_worktree_of(place, execution_id))
        return drifting.find_drift(past.items, reader=reader, family=family, cache=place.counts)


def refresh(
    execution_id: str, *, project: Place = None, database: str | None = None
) -> tuple[Bundle, list[Drift]]:
    """What a past execution was given, as the files are now: the next version of its bundle (or
    the same, where nothing changed), and what is different; raises as ``drift`` does."""
    from orch_tui.recall import drift as drifting

    with opened(project, database) as place:
        record = place.existing_record
        family = model_of(place, drifting.given_bundle(record, execution_id)).family
        reader = place.reader(worktree=_worktree_of(place, execution_id))
        return drifting.refresh_bundle(
            record, execution_id, reader=reader, family=family, cache=place.counts
        )


def _worktree_of(place: Project, execution_id: str) -> str | None:
    return executions.get_execution(place.existing_record, execution_id).worktree


def stats(
    *,
    session_id: str | None = None,
    agent_type: str | None = None,
    since: str | None = None,
    until: str | None = None,
    include_archived: bool = False,
    every: Literal["day", "week"] = "day",
    all_projects: bool = False,
    project: Place = None,
    database: str | None = None,
) -> Insights:
    """What went with success, always with n; ``every`` is the width of a bucket of
    ``over_time``.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
        UsageError: no such date.
    """
    from orch_tui.recall.insights import gather_insights

    with opened(project, database) as place:
        return gather_insights(
            place.existing_record,
            session_id=session_id,
            agent_type=agent_type,
            since=since,
            until=until,
            include_archived=include_archived,
            every=every,
            project=None if all_projects or session_id else place.project_filter,
        )


def forget(
    *,
    before: str | None = None,
    session_id: str | None = None,
    project: Place = None,
    database: str | None = None,
) -> ForgottenTexts:
    """Drop the texts of runs that have ended: those deployed before a time, or of a session.

    ``before`` is a date or time as lists take it (``2026-01-01``, ``30d``). Figures, hashes and the
    fact stay; nothing brings the texts back.

    Raises:
        UsageError: neither is given, or ``before`` is no time.
        NotFoundError: no such session.
    """
    from orch_tui.record.upkeep import forgetting
    from orch_tui.search.dates import parse_time

    with opened(project, database) as place:
        record = place.existing_record
        moment = before and parse_time(before, record.clock())
        runs = forgetting.find_forgettable(record, before=moment, session_id=session_id)
        return forgetting.forget_runs(record, runs)


def activity(
    *,
    since: str = "1d",
    session_id: str | None = None,
    every: Literal["day", "week"] = "day",
    all_projects: bool = False,
    project: Place = None,
    database: str | None = None,
) -> Activity:
    """What waits, what came back or failed since a time, runs and cost of the newest days or weeks,
    success by agent type, open sessions and doubts.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
        UsageError: no such date.
    """
    from orch_tui.recall.activity import gather_activity
    from orch_tui.search.dates import parse_time

    with opened(project, database) as place:
        record = place.existing_record
        return gather_activity(
            record,
            parse_time(since, record.clock()),
            session_id=session_id,
            every=every,
            project=None if all_projects or session_id else place.project_filter,
        )


def outputs_of(
    *,
    session_id: str | None = None,
    execution_id: str | None = None,
    agent_type: str | None = None,
    output_type: OutputType | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int | None = None,
    all_projects: bool = False,
    project: Place = None,
    database: str | None = None,
) -> list[Output]:
    """What agents produced, newest first; not in archived sessions unless session or execution
    is named.

    Raises:
        NotFoundError: no such session or execution; with the nearest known ids.
        UsageError: an output type, date or limit that does not exist.
    """
    from orch_tui.recall import listing

    with opened(project, database) as place:
        return listing.list_outputs(
            place.existing_record,
            session_id=session_id,
            execution_id=execution_id,
            agent_type=agent_type,
            output_type=output_type,
            since=since,
            until=until,
            limit=limit,
            project=None if all_projects or session_id or execution_id else place.project_filter,
        )
