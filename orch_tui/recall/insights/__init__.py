"""What the record teaches: which agents, models, bundles and contexts went with success.

Every figure comes with its n. An execution that has not returned, or is in doubt, is unknown,
neither success nor failure. Nothing here says why: what goes together with success need not have
caused it.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Literal

from orch_tui.frozen import frozen
from orch_tui.models.database import Record, Row
from orch_tui.models.values import WHEN
from orch_tui.recall.estimate_corrections import STARTS, Correction, Start, learn_corrections
from orch_tui.recall.insights.agent_worth import Cost, Worth, sum_costs, weigh_agent_types
from orch_tui.recall.insights.check_results import Check, read_latest_checks, tabulate_checks
from orch_tui.recall.insights.context_effects import (
    ContextEffect,
    compare_context_sources,
    count_by_context_source,
    count_with_context,
)
from orch_tui.recall.insights.estimate_usage import EstimateUsage, compare_estimates
from orch_tui.recall.insights.file_worth import FileWorth, weigh_files
from orch_tui.recall.insights.group_outcomes import (
    ChosenRuns,
    GroupOutcome,
    count_by_attempt,
    count_over_time,
    sum_outcomes,
)
from orch_tui.recall.insights.shared_tokens import SharedTokens, sum_shared_tokens
from orch_tui.recall.listing import filter_executions
from orch_tui.record.own_projects import OwnProjects


@frozen
class Insights:
    """Every part; ``parts`` gives them as rows to print."""

    overall: GroupOutcome
    by_agent_type: tuple[GroupOutcome, ...]
    by_model: tuple[GroupOutcome, ...]
    """The model that ran; where that is not known, the one that was asked for."""
    by_bundle: tuple[GroupOutcome, ...]
    by_context_source: tuple[GroupOutcome, ...]
    by_attempt: tuple[GroupOutcome, ...]
    """The first, second ... execution of one planned agent or, where nothing is planned, of one
    bundle by one agent type for one scope in one session; None: neither is known."""
    over_time: tuple[GroupOutcome, ...]
    """By local day, or by the Monday of the week."""
    context: tuple[ContextEffect, ...]
    """Those with the most evidence of a difference first."""
    validations: tuple[Check, ...]
    estimates: tuple[EstimateUsage, ...]
    """Empty: no usage is known."""
    corrections: tuple[Correction, ...]
    """What the first requests of runs held, by model, against what was estimated for them."""
    sharing: SharedTokens
    files: tuple[FileWorth, ...]
    """Those most often needed and not given first."""
    worth: tuple[Worth, ...]
    costs: tuple[Cost, ...]
    """The dearest first."""

    def parts(self) -> dict[str, list[Row]]:
        """Each part by its name as rows whose keys are column names."""
        return {
            "overall": [self.overall.row("group")],
            "by_agent_type": [outcome.row("agent_type") for outcome in self.by_agent_type],
            "by_model": [outcome.row("model") for outcome in self.by_model],
            "by_bundle": [outcome.row("bundle_id") for outcome in self.by_bundle],
            "by_context_source": [o.row("context_source") for o in self.by_context_source],
            "by_attempt": [outcome.row("attempt") for outcome in self.by_attempt],
            "over_time": [outcome.row("since") for outcome in self.over_time],
            "context": [effect.row() for effect in self.context],
            "validations": [asdict(check) for check in self.validations],
            "estimates": [asdict(estimate) for estimate in self.estimates],
            "corrections": [asdict(correction) for correction in self.corrections],
            "sharing": self.sharing.rows(),
            "files": [asdict(file) for file in self.files],
            "worth": [asdict(worth) for worth in self.worth],
            "costs": [asdict(cost) for cost in self.costs],
        }


PARTS = tuple(part.name for part in fields(Insights))
"""The names of the parts, in the order they are read."""


def gather_insights(
    record: Record,
    *,
    project: OwnProjects | None = None,
    session_id: str | None = None,
    agent_type: str | None = None,
    since: str | None = None,
    until: str | None = None,
    include_archived: bool = False,
    every: Literal["day", "week"] = "day",
) -> Insights:
    """The insights over the executions that meet the filters; retracted ones never do.

    ``since`` and ``until`` are texts that ``parse_time`` takes; ``every`` is the width of a
    bucket of ``over_time`` and ``sharing``.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
        UsageError: no such date.
    """
    where = filter_executions(
        record,
        session_id=session_id,
        agent_type=agent_type,
        project=project,
        include_archived=include_archived,
    )
    where.between(record, WHEN, since, until)
    of = ChosenRuns(record, str(where), where.parameters)
    with record.read():
        by_agent_type = of.outcomes("agent_type")
        sources = count_by_context_source(of)
        with_context = count_with_context(of)
        checks = read_latest_checks(of)
        return Insights(
            overall=sum_outcomes("all", by_agent_type),
            by_agent_type=by_agent_type,
            by_model=of.outcomes("coalesce(resolved_model, model)"),
            by_bundle=of.outcomes(
                "(SELECT bundle_id FROM bundle_versions WHERE version_id = bundle_version_id)"
            ),
            by_context_source=sources,
            by_attempt=count_by_attempt(of),
            over_time=count_over_time(of, every),
            context=compare_context_sources(sources, with_context),
            estimates=compare_estimates(of),
            corrections=_corrections(of),
            validations=tabulate_checks(by_agent_type, checks),
            sharing=sum_shared_tokens(of, with_context.n, record, every),
            files=weigh_files(of),
            worth=weigh_agent_types(of, by_agent_type, checks),
            costs=sum_costs(of),
        )


def _corrections(of: ChosenRuns) -> tuple[Correction, ...]:
    rows = of.rows(f"SELECT * FROM ({STARTS.format(runs='chosen')})")
    return learn_corrections(Start(*row) for row in rows if row[0])
