"""What the runs of a team teach: success by person, machine, agent, model and time, and what they
cost, always with n.

Figures are those of the rows that whoever pushed derived; they are counted as those of one record
are (`orch_tui.recall.insights`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from orch_tui.frozen import frozen
from orch_tui.models.database import Row
from orch_tui.recall.insights.agent_worth import Cost
from orch_tui.recall.insights.group_outcomes import GroupOutcome, sum_outcomes

if TYPE_CHECKING:
    from orch_tui.hub.service import OpenHub

PATIENCE = "5s"
"""After which the hub gives up on a figure."""


@frozen
class TeamInsights:
    """Every part; ``parts`` gives them as rows to print."""

    overall: GroupOutcome
    by_person: tuple[GroupOutcome, ...]
    """Who pushed the runs; where people share a login, who git says they are."""
    by_machine: tuple[GroupOutcome, ...]
    by_agent_type: tuple[GroupOutcome, ...]
    by_model: tuple[GroupOutcome, ...]
    over_time: tuple[GroupOutcome, ...]
    """By local day, or by the Monday of the week."""
    costs: tuple[Cost, ...]
    """The dearest first."""

    def parts(self) -> dict[str, list[Row]]:
        """Give each part by its name as rows whose keys are column names."""
        return {name: make_rows(getattr(self, name)) for name, (_, make_rows) in _PARTS.items()}


class TeamFilters(TypedDict, total=False):
    """Which runs count, as people say it; ``every`` is the width of a bucket of time."""

    agent_type: str | None
    since: str | None
    until: str | None
    include_archived: bool
    every: Literal["day", "week"]


@frozen
class TeamRuns:
    """Which runs of a hub are counted.

    ``projects`` are the keys of those that are, ``since`` and ``until`` times as the record writes
    them; ``every`` is the width of a bucket of time.
    """

    projects: tuple[str, ...] | None = None
    agent_type: str | None = None
    since: str | None = None
    until: str | None = None
    include_archived: bool = False
    every: Literal["day", "week"] = "day"

    def conditions(self) -> tuple[str, list[object]]:
        """Give the SQL condition on rows of ``runs`` (``r``), and its parameters."""
        terms, parameters = ["NOT r.retracted"], list[object]()
        for term, value in (
            ("r.project = ANY(%s)", None if self.projects is None else list(self.projects)),
            ("r.agent = %s", self.agent_type),
            ("r.at >= %s", self.since),
            ("r.at <= %s", self.until),
        ):
            if value is not None:
                terms.append(term)
                parameters.append(value)
        if not self.include_archived:
            terms.append("NOT r.archived")
        return " AND ".join(terms), parameters


def gather_team_insights(hub: OpenHub, runs: TeamRuns) -> TeamInsights:
    """Gather every part.

    Raises:
        psycopg.Error: the hub refused, or went away.
    """
    return TeamInsights(**_gather(hub, runs, _PARTS))


def gather_team_parts(hub: OpenHub, runs: TeamRuns, parts: Iterable[str]) -> dict[str, list[Row]]:
    """Gather the rows of some parts, by name; as `gather_team_insights`, in the time of these."""
    return {name: _PARTS[name][1](found) for name, found in _gather(hub, runs, parts).items()}


def _gather(hub: OpenHub, runs: TeamRuns, parts: Iterable[str]) -> dict[str, Any]:
    hub.connection.execute("SELECT set_config('statement_timeout', %s, false)", [PATIENCE])
    return {name: _PARTS[name][0](hub, runs) for name in parts}


def _ask(hub: OpenHub, runs: TeamRuns, query: str) -> list[tuple[Any, ...]]:
    """Ask a query in which ``{chosen}`` stands for the runs that count."""
    condition, parameters = runs.conditions()
    chosen = f"runs AS r JOIN origins AS o USING (origin_id) WHERE {condition}"
    return hub.connection.execute(query.format(chosen=chosen).encode(), parameters).fetchall()


def _count_by(expression: str) -> Callable[[OpenHub, TeamRuns], tuple[GroupOutcome, ...]]:
    def count(hub: OpenHub, runs: TeamRuns) -> tuple[GroupOutcome, ...]:
        rows = _ask(
            hub,
            runs,
            f"SELECT {expression}, count(*), {_SUCCESSES}, {_FAILURES}, "
            "count(*) - count(went_well) FROM {chosen} GROUP BY 1",
        )
        # Sorted here: the rules of the hub for letters may be others.
        rows.sort(key=lambda row: (-row[1], row[0] is not None, row[0] or ""))
        return tuple(GroupOutcome(*row) for row in rows)

    return count


_SUCCESSES = "count(*) FILTER (WHERE went_well)"
_FAILURES = "count(*) FILTER (WHERE NOT went_well)"


def _count_over_time(hub: OpenHub, runs: TeamRuns) -> tuple[GroupOutcome, ...]:
    """Count by the days of this machine, whose rules for the time the hub does not know."""
    days: dict[str, list[GroupOutcome]] = {}
    for at, *counts in _ask(
        hub,
        runs,
        f"SELECT date_bin('15 minutes', r.at, '2000-01-01Z') AS slot, count(*), {_SUCCESSES}, "
        f"{_FAILURES}, count(*) - count(went_well) FROM {{chosen}} GROUP BY slot",
    ):
        days.setdefault(_day_of(at, runs.every), []).append(GroupOutcome(None, *counts))
    return tuple(sum_outcomes(day, found) for day, found in sorted(days.items()))


def _day_of(at: datetime, every: str) -> str:
    day = (at.astimezone() if at.year > 1 else at).date()  # local, but of a time nobody knows
    return str(day - timedelta(days=day.weekday()) if every == "week" else day)


def _sum_costs(hub: OpenHub, runs: TeamRuns) -> tuple[Cost, ...]:
    rows = _ask(
        hub,
        runs,
        "SELECT agent, model, count(*), count(input_tokens), sum(input_tokens)::bigint, "
        "sum(cache_write_tokens)::bigint, sum(cache_read_tokens)::bigint, "
        "sum(output_tokens)::bigint, count(cost_usd), round(sum(cost_usd)::numeric, 6)::float8, "
        "round(avg(cost_usd)::numeric, 6)::float8 FROM {chosen} GROUP BY agent, model",
    )
    costs = [Cost(*row) for row in rows]
    costs.sort(key=lambda cost: (cost.agent_type, cost.model is not None, cost.model or ""))
    costs.sort(key=lambda cost: (cost.cost_usd is None, -(cost.cost_usd or 0), -cost.n))
    return tuple(costs)


def _sum_all(hub: OpenHub, runs: TeamRuns) -> GroupOutcome:
    return sum_outcomes("all", _count_by("''")(hub, runs))


def _outcome_rows(key: str) -> Callable[[Any], list[Row]]:
    return lambda found: [each.row(key) for each in found]


def _cost_rows(found: Any) -> list[Row]:
    return [{each.name: getattr(cost, each.name) for each in fields(cost)} for cost in found]


_PARTS: dict[str, tuple[Callable[[OpenHub, TeamRuns], Any], Callable[[Any], list[Row]]]] = {
    "overall": (_sum_all, lambda found: [found.row("group")]),
    "by_person": (_count_by("coalesce(o.declared, o.person)"), _outcome_rows("person")),
    "by_machine": (_count_by("r.machine"), _outcome_rows("machine")),
    "by_agent_type": (_count_by("r.agent"), _outcome_rows("agent_type")),
    "by_model": (_count_by("r.model"), _outcome_rows("model")),
    "over_time": (_count_over_time, _outcome_rows("since")),
    "costs": (_sum_costs, _cost_rows),
}
