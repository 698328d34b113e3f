"""What a session has taken of its budget: each of its bundles once, from stored counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.values import MODEL, whole_number
from orch_tui.prepare.budget import (
    STATUSES,
    Judgement,
    LimitGauge,
    Limits,
    WeighedItem,
    gauge_agent,
    gauge_limit,
    judge_count,
)
from orch_tui.prepare.bundle import CLAIMED, Bundle
from orch_tui.prepare.count import ZERO, Count
from orch_tui.record import sessions
from orch_tui.record.bundle_outlines import load_outlines

if TYPE_CHECKING:
    from orch_tui.prepare.catalogue import Catalogue, Model


@frozen
class BudgetEntry:
    """What one bundle, or one execution without a bundle, takes."""

    label: str
    """The id of the bundle or execution."""
    agent_type: str
    model: str
    count: Count
    """Of a bundle its rendered briefing."""
    shared: Count = ZERO
    """What is added if its agent reads what it shares with others."""

    @classmethod
    def of(cls, bundle: Bundle) -> BudgetEntry:
        """Make the entry of a bundle."""
        return cls(bundle.bundle_id, bundle.agent_type, bundle.model, bundle.total, bundle.shared)


def read_taken(record: Record, session_id: str, *, phase: int | None = None) -> list[BudgetEntry]:
    """Read what takes of a session's budget: its bundles, then executions deployed without one.

    A bundle, prepared for the session, planned or deployed in it, counts once, in its latest
    version, however often it was deployed. ``phase`` keeps only what was deployed in that phase.
    Retracted executions and bundles that were taken out count no more. An unknown session has no
    entries.
    """
    in_phase = "1" if phase is None else "e.phase = :phase"
    asked = {"session": session_id, "phase": phase, "claimed": CLAIMED}
    prepared = """UNION ALL SELECT bundle_id, version FROM bundles JOIN bundle_versions
          USING (bundle_id) WHERE removed_at IS NULL AND (session_id = :session
            OR bundle_id IN (SELECT bundle_id FROM planned_agents AS p
              WHERE p.session_id = :session AND p.removed_at IS NULL))"""
    latest = record.sql(
        f"""WITH versions AS (
          SELECT bundle_id, version FROM agent_executions AS e
          JOIN bundle_versions ON version_id = bundle_version_id
          WHERE e.session_id = :session AND retracted_at IS NULL AND {in_phase}
          {prepared if phase is None else ""})
        SELECT version_id
        FROM (SELECT bundle_id, max(version) AS version FROM versions GROUP BY bundle_id) AS m
        JOIN bundle_versions AS v USING (bundle_id, version) ORDER BY version_id""",
        asked,
    )
    outlines = load_outlines(record, [version_id for (version_id,) in latest])
    found = [BudgetEntry.of(bundle) for bundle in outlines.values()]
    loose = record.sql(
        f"""SELECT execution_id, agent_type, coalesce({MODEL}, ''), context_token_count,
          coalesce(estimator, :claimed)
        FROM agent_executions AS e WHERE session_id = :session AND bundle_version_id IS NULL
        AND context_token_count IS NOT NULL AND retracted_at IS NULL AND {in_phase}
        ORDER BY deployed_at, rowid""",
        asked,
    )
    claimed = [
        BudgetEntry(label, agent_type, model, Count(tokens, str(estimator), tokens, tokens))
        for label, agent_type, model, said, estimator in loose
        if (tokens := whole_number(said)) is not None  # plain SQL may have put anything there
    ]
    return [*found, *claimed]


def list_uncounted(
    record: Record, session_id: str, *, phase: int | None = None
) -> list[BudgetEntry]:
    """List the executions of a session that were deployed without a bundle and without a count, as
    entries of nothing: nobody knows what they take of the budget."""
    rows = record.sql(
        f"SELECT execution_id, agent_type, coalesce({MODEL}, ''), context_token_count "
        "FROM agent_executions AS e WHERE session_id = ?1 AND bundle_version_id IS NULL "
        "AND retracted_at IS NULL AND (?2 IS NULL OR e.phase = ?2) ORDER BY deployed_at, rowid",
        [session_id, phase],
    )
    return [
        BudgetEntry(label, agent_type, model, ZERO)
        for label, agent_type, model, tokens in rows
        if whole_number(tokens) is None
    ]


@frozen
class SessionBudget:
    """The limits that hold in a session, and what its bundles and executions take of them.

    Read once: what else is composed, fitted or deployed there is judged beside it.
    """

    limits: Limits
    """As the session has them."""
    entries: tuple[BudgetEntry, ...] = ()
    uncounted: frozenset[str] = frozenset()
    """The ids of the executions that take of them nobody knows how much."""

    def taken_by_others(self, *labels: str | None) -> Count:
        """Sum all entries but those with one of these ids of a bundle or execution."""
        return sum((entry.count for entry in self.entries if entry.label not in labels), ZERO)

    @property
    def gauge(self) -> LimitGauge:
        """The gauge of all entries against the budget."""
        return self._with_unknown(
            gauge_limit("session budget", self.taken_by_others(), self.limits.budget, self.limits),
            len(self.entries),
        )

    def _with_unknown(
        self, gauge: LimitGauge, known: int, instead_of: Sequence[str | None] = ()
    ) -> LimitGauge:
        unknown = len(self.uncounted) - len(self.uncounted.intersection(filter(None, instead_of)))
        return replace(gauge, known=known, unknown=unknown)

    def judge(
        self,
        total: Count,
        model: Model,
        *,
        agent_type: str,
        items: Iterable[WeighedItem] = (),
        instead_of: Sequence[str | None] = (),
    ) -> Judgement:
        """Judge what an agent is handed against its limit, and, with what the others take, against
        the budget. ``items`` are those in it that have a priority, ``instead_of`` the ids by which
        it is in the record already."""
        judged = judge_count(
            total,
            model,
            self.limits,
            agent_type=agent_type,
            items=items,
            session_used=self.taken_by_others(*instead_of),
        )
        known = 1 + sum(entry.label not in instead_of for entry in self.entries)
        session = self._with_unknown(judged.session, known, instead_of)
        return replace(judged, session=session)


def load_session_budget(record: Record, session_id: str, limits: Limits) -> SessionBudget:
    """Read the budget of a session; ``limits`` are those of the settings.

    Raises:
        NotFoundError: no such session.
    """
    return _load_budget(record, session_id, limits)[0]


def _load_budget(
    record: Record, session_id: str, limits: Limits
) -> tuple[SessionBudget, list[BudgetEntry]]:
    """Load the budget of a session, and the executions without a count that it names."""
    sessions.get_session(record, session_id)
    uncounted = list_uncounted(record, session_id)
    budget = SessionBudget(
        resolve_limits(record, session_id, limits),
        tuple(read_taken(record, session_id)),
        frozenset(entry.label for entry in uncounted),
    )
    return budget, uncounted


def resolve_limits(record: Record, session_id: str, limits: Limits) -> Limits:
    """Give the limits that hold in a session: its own, as far as it has any, else those of the
    settings. Where one threshold is its own, the other goes along with it."""
    own = sessions.read_limits(record, session_id)
    warn, critical = own["warn_threshold"], own["critical_threshold"]
    if warn is not None and critical is None:
        critical = max(warn, limits.critical_threshold)
    if critical is not None and warn is None:
        warn = min(critical, limits.warn_threshold)
    said = {
        "budget": own["budget"],
        "warn_threshold": warn,
        "critical_threshold": critical,
        "output_reserve": own["reserve"],
        "agent_limits": tuple(own["agent_limits"].items()),
    }
    return replace(limits, **{name: value for name, value in said.items() if value is not None})


@frozen
class BudgetReport:
    """A session's budget, and each bundle against the limit of its agent."""

    session_id: str | None
    phase: int | None
    session: LimitGauge
    agents: tuple[tuple[BudgetEntry, LimitGauge], ...]
    in_phase: Count | None
    """What was deployed in ``phase``; None where no phase or session was asked about."""
    uncounted: tuple[BudgetEntry, ...] = ()
    """Executions without a bundle and without a count."""
    uncounted_in_phase: int = 0

    @property
    def status(self) -> str:
        """The worst of all gauges."""
        gauges = [self.session, *(agent for _, agent in self.agents)]
        return max((g.status for g in gauges), key=STATUSES.index)

    @property
    def shares(self) -> bool:
        """Whether an agent is told to read what it shares with others."""
        return any(taken.shared.tokens for taken, _ in self.agents)

    def rows(self) -> list[dict[str, Any]]:
        """Give a row for each bundle against the limit of its agent, to print or as JSON; those
        without a count are last."""
        return [
            {
                "bundle_id": taken.label,
                "agent_type": taken.agent_type,
                "tokens": taken.count.tokens,
                "if_shared_is_read_tokens": (taken.count + taken.shared).tokens,
                "band": [taken.count.low, taken.count.high],
                "estimator": taken.count.estimator,
                "ambient_tokens": agent.ambient.tokens,
                "agent_limit": agent.limit,
                "status": agent.status,
            }
            for taken, agent in self.agents
        ] + [
            {
                "bundle_id": entry.label,
                "agent_type": entry.agent_type,
                **dict.fromkeys(("tokens", "if_shared_is_read_tokens", "band", "estimator")),
                **dict.fromkeys(("ambient_tokens", "agent_limit")),
                "status": "without a count",
            }
            for entry in self.uncounted
        ]

    def to_dict(self) -> dict[str, Any]:
        """Give the report as JSON: the session's figures, then those of each bundle."""
        used = self.session.used
        return {
            "session_id": self.session_id,
            "phase": self.phase,
            "budget": self.session.limit,
            "total_tokens": used.tokens,
            "band": [used.low, used.high],
            "estimator": used.estimator,
            "budget_remaining": self.session.remaining,
            "percentage_used": round(100 * used.tokens / self.session.limit, 2),
            "status": self.status,
            "known": self.session.known,
            "without_count": self.session.unknown,
            "phase_tokens": self.in_phase.tokens if self.in_phase else None,
            "phase_without_count": self.uncounted_in_phase if self.in_phase else None,
            "bundles": self.rows(),
        }


def track_budget(
    record: Record | None,
    session_id: str | None,
    given_bundles: Sequence[Bundle] = (),
    *,
    catalogue: Catalogue,
    limits: Limits,
    budget: int | None = None,
    phase: int | None = None,
    warn_threshold: float | None = None,
) -> BudgetReport:
    """Judge a session's bundles, and the ``given_bundles`` besides, by every limit.

    A bundle given that the session has too counts as given. ``budget`` and ``warn_threshold``
    override the session's, which override those of ``limits``. Without a record or a session only
    ``given_bundles`` count.

    Raises:
        NotFoundError: no such session.
    """
    given = {bundle.bundle_id: BudgetEntry.of(bundle) for bundle in given_bundles}
    held, uncounted = SessionBudget(limits), list[BudgetEntry]()
    if record and session_id:
        held, uncounted = _load_budget(record, session_id, limits)
    limits = held.limits if budget is None else replace(held.limits, budget=budget)
    if warn_threshold is not None:
        critical = max(warn_threshold, limits.critical_threshold)
        limits = replace(limits, warn_threshold=warn_threshold, critical_threshold=critical)
    entries = tuple(({t.label: t for t in held.entries} | given).values())
    in_phase, uncounted_in_phase = None, 0
    if record and session_id and phase:
        in_phase = sum((t.count for t in read_taken(record, session_id, phase=phase)), ZERO)
        uncounted_in_phase = len(list_uncounted(record, session_id, phase=phase))
    return BudgetReport(
        session_id,
        phase,
        SessionBudget(limits, entries, held.uncounted).gauge,
        tuple(
            (
                t,
                gauge_agent(
                    t.count,
                    t.agent_type,
                    catalogue.model(t.model or limits.agents.model(t.agent_type)),
                    limits,
                ),
            )
            for t in entries
        ),
        in_phase,
        tuple(uncounted),
        uncounted_in_phase,
    )
