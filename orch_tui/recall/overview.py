"""Sessions at a glance, and one session's plan with all that bears on it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from orch_tui.frozen import frozen
from orch_tui.models.database import Record, in_list
from orch_tui.models.values import ENDINGS, MODEL, WENT_WELL
from orch_tui.prepare.agent_types import is_known_agent
from orch_tui.prepare.budget import LimitGauge, Limits, gauge_agent
from orch_tui.prepare.catalogue import Catalogue
from orch_tui.prepare.count import Count
from orch_tui.prepare.model_choice import ModelChoice, choose_model
from orch_tui.prepare.validation import Remark, check_scope, find_cycles
from orch_tui.recall import listing
from orch_tui.recall.run_tree import arrange_tree
from orch_tui.record import bundles, plan, sessions
from orch_tui.record.bundle_outlines import load_outlines
from orch_tui.record.own_projects import OwnProjects
from orch_tui.record.phase_gates import Gate, evaluate_gates
from orch_tui.record.session_budget import load_session_budget
from orch_tui.rows import PlannedAgent, Session


@frozen
class SessionLine:
    """One session among others."""

    session: Session
    waiting: int
    """Executions that have not returned."""
    budget: LimitGauge
    changed_at: str = ""
    """When something of it was last deployed or returned, or it was opened or closed."""


def list_session_lines(
    record: Record,
    *,
    limits: Limits,
    project: OwnProjects | None = None,
    include_archived: bool = False,
    limit: int | None = None,
) -> list[SessionLine]:
    """Sessions, newest first."""
    with record.read():
        found = listing.list_sessions(
            record, project=project, include_archived=include_archived, limit=limit
        )
        listed, ids = in_list(session.session_id for session in found)
        runs = {
            session_id: (waiting, changed_at)
            for session_id, waiting, changed_at in record.sql(
                "SELECT session_id, sum(status = 'deployed' AND origin_id IS NULL), "
                "max(max(coalesce(deployed_at, ''), coalesce(completed_at, ''))) "
                f"FROM agent_executions WHERE session_id IN {listed} AND retracted_at IS NULL "
                "GROUP BY session_id",
                ids,
            )
        }
        lines = []
        for session in found:
            waiting, changed_at = runs.get(session.session_id, (0, ""))
            times = (changed_at, session.created_at, session.completed_at)
            budget = load_session_budget(record, session.session_id, limits).gauge
            newest = max(str(time or "") for time in times)
            lines.append(SessionLine(session, waiting or 0, budget, newest))
        return lines


@frozen
class BundleOutline:
    """The latest version of a bundle, without its items."""

    bundle_id: str
    name: str
    agent_type: str
    model: str
    count: Count
    other_session: str = ""
    """The session it is of, where that is not the one of the plan."""


@frozen
class Intent:
    """A planned agent as somebody would have it; ``position`` is None for one more."""

    agent_type: str
    scope: str = ""
    model: str = ""
    bundle_id: str = ""
    waits_for: tuple[int, ...] = ()
    position: int | None = None


@frozen
class PlanRules:
    """What planned agents are held against; all in memory, so that typing can be checked."""

    known_agents: Collection[str]
    catalogue: Catalogue
    limits: Limits
    bundles: Mapping[str, BundleOutline]
    """The session's bundles, those of no session and those its plan names, by id."""
    waits: Mapping[int, Sequence[int]]
    """For each position of the plan, the positions it waits for."""

    def gauge(
        self, model: str | None, bundle_id: str | None, agent_type: str = ""
    ) -> LimitGauge | None:
        """A bundle against the limit of an agent, without a type the one it was prepared for;
        None where there is no bundle."""
        bundle = self.bundles.get(bundle_id or "")
        if bundle is None:
            return None
        agent_type = agent_type or bundle.agent_type
        name = model or bundle.model or self.limits.agents.model(agent_type)
        return gauge_agent(bundle.count, agent_type, self.catalogue.model(name), self.limits)

    def choose_model(
        self, model: str | None, bundle_id: str | None, agent_type: str
    ) -> ModelChoice:
        """Tell which model a planned agent will be asked to run on, and who says so."""
        bundle = self.bundles.get(bundle_id or "")
        return choose_model(
            plan=model,
            bundle=bundle.model if bundle else None,
            definition=self.limits.agents.model(agent_type),
            session=self.catalogue.default,
        )

    def remarks(self, intent: Intent) -> tuple[Remark, ...]:
        """What is wrong with a planned agent, field by field."""
        return tuple(
            (
                *self._on_type(intent),
                *(check_scope(intent.scope) if intent.scope.strip() else ()),
                *self._on_model(intent),
                *self._on_bundle(intent),
                *self._on_waits(intent),
            )
        )

    def _on_type(self, intent: Intent) -> Iterator[Remark]:
        name = intent.agent_type.strip()
        if not name:
            yield Remark("agent_type", "an agent type is needed", stops=True)
        elif not is_known_agent(name, self.known_agents):
            yield Remark("agent_type", f"{name!r} is not defined in .claude/agents")
        for problem in self.limits.agents.problems(name):
            yield Remark("agent_type", problem)

    def _on_model(self, intent: Intent) -> Iterator[Remark]:
        if intent.model and (doubt := self.catalogue.doubt(intent.model)):
            yield Remark("model", doubt)

    def _on_bundle(self, intent: Intent) -> Iterator[Remark]:
        if not intent.bundle_id:
            return
        bundle = self.bundles.get(intent.bundle_id)
        if bundle is None:
            yield Remark(
                "bundle_id", f"there is no bundle {intent.bundle_id!r} to plan with", stops=True
            )
            return
        against = self.gauge(intent.model, intent.bundle_id, intent.agent_type.strip())
        if against and against.status == "over":
            yield Remark(
                "bundle_id",
                f"{bundle.bundle_id} is over the agent's limit: {against.used} of "
                f"{against.limit:,} tokens",
            )
        if bundle.agent_type != intent.agent_type.strip():
            yield Remark("bundle_id", f"{bundle.bundle_id} was prepared for {bundle.agent_type}")
        if told := bundles.tell_other_session(bundle.bundle_id, bundle.other_session, ""):
            yield Remark("bundle_id", told)

    def _on_waits(self, intent: Intent) -> Iterator[Remark]:
        unknown = [str(p) for p in intent.waits_for if p not in self.waits]
        if unknown:
            yield Remark("waits_for", f"the plan has no agent {', '.join(unknown)}", stops=True)
        if intent.position is None:
            return
        waits = {**self.waits, intent.position: intent.waits_for}
        edges = [(str(o), str(p)) for p, others in waits.items() for o in others]
        for cycle in find_cycles(edges):
            if str(intent.position) in cycle:
                at = cycle.index(str(intent.position))
                circle = " -> ".join((*cycle[at:], *cycle[:at], cycle[at]))
                text = f"they wait for each other: {circle}"
                if len(cycle) == 1:
                    text = "it would wait for itself"
                yield Remark("waits_for", text, stops=True)


@frozen
class PlannedLine:
    """One planned agent among the others."""

    agent: PlannedAgent
    waits_for: tuple[int, ...]
    wave: int | None
    """From 1; None: it can never start, because of a cycle."""
    bundle: LimitGauge | None
    """Its bundle against the limit of its model."""
    attempts: tuple[tuple[str, str | None], ...]
    """The id and status of each execution, oldest first."""
    remarks: tuple[Remark, ...]
    changed_at: str = ""
    """When it was last deployed, or returned."""
    went_well: bool | None = None
    """Whether its last execution was a success; None: it is waited for, or in doubt."""
    failed_checks: tuple[str, ...] = ()
    """The checks that failed in its last execution."""

    @property
    def is_doubted(self) -> bool:
        """Whether something speaks against what is said of the end of its last execution."""
        well = self.went_well
        return self.status in ENDINGS and (well is None or well and bool(self.failed_checks))

    @property
    def status(self) -> str | None:
        """That of its last execution; None: it was not deployed."""
        return self.attempts[-1][1] if self.attempts else None


@frozen
class RunLine:
    """One execution among those of its session."""

    execution_id: str
    agent_type: str
    scope: str
    model: str
    status: str | None
    deployed_at: str | None
    completed_at: str | None
    went_well: bool | None
    """None: it is waited for, or in doubt."""
    failed_checks: tuple[str, ...]
    depth: int
    """0 for what the main conversation launched, 1 for what that one launched."""


@frozen
class PlanPage:
    """A session with its gates, its budget and its plan."""

    session: Session
    gates: tuple[Gate, ...]
    budget: LimitGauge
    agents: tuple[PlannedLine, ...]
    waves: tuple[tuple[int, ...], ...]
    rules: PlanRules
    runs: tuple[RunLine, ...] = ()
    """What ran in it, as a tree, where nobody planned anything."""

    @property
    def is_planned(self) -> bool:
        """Whether somebody opened it to plan in it, or planned in it since: else hooks or an
        import made it, and phases and a budget say nothing of it."""
        return self.session.phase is not None or bool(self.agents)


def load_plan_page(
    record: Record,
    session_id: str,
    *,
    catalogue: Catalogue,
    limits: Limits,
    known_agents: Collection[str],
) -> PlanPage:
    """One session's plan as it stands now.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
    """
    with record.read():
        session = sessions.get_session(record, session_id)
        planned = plan.list_planned_agents(record, session_id)
        waits = plan.list_waits(record, session_id)
        budget = load_session_budget(record, session.session_id, limits)
        rules = PlanRules(
            known_agents, catalogue, budget.limits, _outlines(record, session_id), waits
        )
        for bundle in rules.bundles.values():  # what agents have anyway is looked up here, once
            rules.gauge(None, bundle.bundle_id)
        waves, _ = plan.sort_into_waves(waits)
        wave_of = {p: number for number, wave in enumerate(waves, start=1) for p in wave}
        attempts = _attempts(record, session_id)
        failed = listing.read_failed_checks(
            record, (run[0] for runs in attempts.values() for run in runs)
        )
        lines = tuple(
            PlannedLine(
                agent,
                tuple(waits[agent.position]),
                wave_of.get(agent.position),
                rules.gauge(agent.model, agent.bundle_id, agent.agent_type),
                tuple((run[0], run[1]) for run in attempts.get(agent.planned_id, ())),
                rules.remarks(make_intent(agent, waits[agent.position])),
                max((run[2] for run in attempts.get(agent.planned_id, ())), default=""),
                next((run[3] for run in attempts.get(agent.planned_id, ())[-1:]), None),
                next(
                    (failed.get(run[0], ()) for run in attempts.get(agent.planned_id, ())[-1:]), ()
                ),
            )
            for agent in planned
        )
        page = PlanPage(
            session,
            evaluate_gates(record, session_id),
            budget.gauge,
            lines,
            tuple(map(tuple, waves)),
            rules,
        )
        if page.is_planned:
            return page
        return replace(page, runs=_list_runs(record, session_id, failed))


def make_intent(agent: PlannedAgent, waits_for: Sequence[int]) -> Intent:
    """A planned agent as it stands."""
    return Intent(
        agent.agent_type,
        agent.scope,
        agent.model or "",
        agent.bundle_id or "",
        tuple(waits_for),
        agent.position,
    )


def _attempts(
    record: Record, session_id: str
) -> dict[int | None, list[tuple[str, str | None, str, bool | None]]]:
    """The id, the status and the last change of each execution, and whether it went well, by what
    it was planned as."""
    found: dict[int | None, list[tuple[str, str | None, str, bool | None]]] = {}
    for planned_id, execution_id, status, changed_at, went_well in record.sql(
        "SELECT planned_id, execution_id, status, coalesce(completed_at, deployed_at, ''), "
        f"{WENT_WELL} FROM agent_executions "
        "WHERE session_id = ? AND retracted_at IS NULL ORDER BY deployed_at, rowid",
        [session_id],
    ):
        run = (execution_id, status, str(changed_at), _flag(went_well))
        found.setdefault(planned_id, []).append(run)
    return found


MOST_RUNS = 500
"""Runs of one session that are listed; those that began first."""


def _list_runs(
    record: Record, session_id: str, failed: Mapping[str, tuple[str, ...]]
) -> tuple[RunLine, ...]:
    """The executions of a session, each after the one that launched it, in the order they began."""
    rows = list(
        record.sql(
            "SELECT execution_id, agent_type, coalesce(scope, ''), "
            f"coalesce({MODEL}, ''), status, deployed_at, completed_at, {WENT_WELL}, "
            "parent_execution_id FROM agent_executions WHERE session_id = ? "
            f"AND retracted_at IS NULL ORDER BY deployed_at, rowid LIMIT {MOST_RUNS}",
            [session_id],
        )
    )
    tree = arrange_tree(rows, label=lambda row: str(row[0]), parent=lambda row: row[-1])
    return tuple(
        RunLine(*[*row[:-2], _flag(row[-2]), failed.get(row[0], ()), depth]) for row, depth in tree
    )


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def _outlines(record: Record, session_id: str) -> dict[str, BundleOutline]:
    """The bundles a session may plan with, in the order they were made."""
    rows = record.sql(
        """WITH named AS (
          SELECT bundle_id FROM bundles
          WHERE (session_id = ?1 OR session_id IS NULL) AND removed_at IS NULL
          UNION SELECT bundle_id FROM planned_agents WHERE session_id = ?1 AND removed_at IS NULL),
        latest AS (SELECT bundle_id, max(version) AS version
          FROM bundle_versions JOIN named USING (bundle_id) GROUP BY bundle_id)
        SELECT version_id FROM latest JOIN bundle_versions USING (bundle_id, version)
        JOIN bundles AS b USING (bundle_id) ORDER BY b.rowid""",
        [session_id],
    )
    outlines = load_outlines(record, [version_id for (version_id,) in rows])
    return {
        b.bundle_id: BundleOutline(
            *(b.bundle_id, b.name, b.agent_type, b.model, b.total),
            b.session_id if b.session_id != session_id else "",
        )
        for b in outlines.values()
    }
