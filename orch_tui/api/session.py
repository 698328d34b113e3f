"""One orchestration from Python, from its first phase to its report."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from orch_tui.api.execution import Execution
from orch_tui.api.place import Place, opened
from orch_tui.models.values import Ending, Status
from orch_tui.paths_given import Paths, Texts, listed
from orch_tui.prepare.bundle import Bundle
from orch_tui.prepare.validation import Validation
from orch_tui.project import Project
from orch_tui.project_bundles import Fit, Keep, Prepared, fit_bundle, prepare_bundle
from orch_tui.record import (
    deployment,
    executions,
    found_outputs,
    plan,
    session_budget,
    sessions,
)
from orch_tui.record.ledger import contents
from orch_tui.record.phase_gates import Gate
from orch_tui.record.planned_bundles import tell_of_planned_bundle
from orch_tui.record.session_budget import BudgetReport
from orch_tui.record.session_validation import validate_session
from orch_tui.record.sessions import LimitChanges
from orch_tui.rows import ExecutionFacts, Output, PlannedAgent, Session

if TYPE_CHECKING:
    from orch_tui.live.live_agent import LiveAgent
    from orch_tui.models.database import Clock
    from orch_tui.prepare.templates import Template
    from orch_tui.recall.output_validation import OutputValidation
    from orch_tui.recall.report import Format


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
