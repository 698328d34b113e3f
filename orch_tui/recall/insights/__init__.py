"""What the record teaches: which agents, models, bundles and contexts went with success.

Every figure comes with its n. An execution that has not returned, or is in doubt, is unknown,
neither success nor failure. Nothing here says why: what goes together with success need not have
caused it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import cached_property
from typing import Any, Literal

from orch_tui.frozen import frozen
from orch_tui.models.database import Record, Row
from orch_tui.models.values import MODEL, WHEN
from orch_tui.recall.estimate_corrections import STARTS, Correction, Start, learn_corrections
from orch_tui.recall.insights.agent_worth import Cost, Worth, sum_costs, weigh_agent_types
from orch_tui.recall.insights.check_results import (
    Check,
    LatestChecks,
    read_latest_checks,
    tabulate_checks,
)
from orch_tui.recall.insights.context_effects import (
    ContextEffect,
    compare_context_sources,
    count_by_context_source,
    count_with_context,
)
from orch_tui.recall.insights.earlier_sources import EarlierSource, weigh_earlier_sources
from orch_tui.recall.insights.estimate_usage import EstimateUsage, compare_estimates
from orch_tui.recall.insights.file_worth import FileWorth, weigh_files
from orch_tui.recall.insights.group_outcomes import (
    ChosenRuns,
    GroupOutcome,
    count_by_attempt,
    count_over_time,
    sum_outcomes,
)
from orch_tui.recall.insights.group_runs import BUNDLE
from orch_tui.recall.insights.run_starts import RunStart, RunStarts, judge_starts
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
    starts: tuple[RunStart, ...]
    """What each of those runs began with, the farthest off first."""
    sharing: SharedTokens
    files: tuple[FileWorth, ...]
    """Those most often needed and not given first."""
    sources: tuple[EarlierSource, ...]
    """What runs that succeeded were given or read, by agent type, the most used first."""
    worth: tuple[Worth, ...]
    costs: tuple[Cost, ...]
    """The dearest first."""

    def parts(self) -> dict[str, list[Row]]:
        """Each part by its name as rows whose keys are column names."""
        return {part: make_rows(self) for part, make_rows in _ROWS.items()}


MOST_STARTS = 50
"""Runs of which is told what they began with."""

PARTS = tuple(part.name for part in fields(Insights))
"""The names of the parts, in the order they are read."""

TEAM_PARTS = (
    *("overall", "by_person", "by_machine", "by_agent_type", "by_model", "over_time", "costs"),
)
"""The parts there are of the runs of a team (`orch_tui.hub.team_stats`)."""


def _make_row(part: Any) -> Row:
    """Make a row of a figure's fields; as they are, which takes a tenth of ``asdict``."""
    return {each.name: getattr(part, each.name) for each in fields(part)}


_ROWS: dict[str, Callable[[Insights | _Gathering], list[Row]]] = {
    "overall": lambda found: [found.overall.row("group")],
    "by_agent_type": lambda found: [each.row("agent_type") for each in found.by_agent_type],
    "by_model": lambda found: [each.row("model") for each in found.by_model],
    "by_bundle": lambda found: [each.row("bundle_id") for each in found.by_bundle],
    "by_context_source": lambda found: [
        each.row("context_source") for each in found.by_context_source
    ],
    "by_attempt": lambda found: [each.row("attempt") for each in found.by_attempt],
    "over_time": lambda found: [each.row("since") for each in found.over_time],
    "context": lambda found: [each.row() for each in found.context],
    "validations": lambda found: [*map(_make_row, found.validations)],
    "estimates": lambda found: [*map(_make_row, found.estimates)],
    "corrections": lambda found: [*map(_make_row, found.corrections)],
    "starts": lambda found: [run.row() for run in found.starts[:MOST_STARTS]],
    "sharing": lambda found: found.sharing.rows(),
    "files": lambda found: [*map(_make_row, found.files)],
    "sources": lambda found: [*map(_make_row, found.sources)],
    "worth": lambda found: [*map(_make_row, found.worth)],
    "costs": lambda found: [*map(_make_row, found.costs)],
}
"""What makes the rows of each part."""


class _Gathering:
    """Every part, gathered when it is asked for; what several stand on once."""

    def __init__(self, of: ChosenRuns, record: Record, every: str) -> None:
        self._of = of
        self._record = record
        self._every = every

    @cached_property
    def overall(self) -> GroupOutcome:
        return sum_outcomes("all", self.by_agent_type)

    @cached_property
    def by_agent_type(self) -> tuple[GroupOutcome, ...]:
        return self._of.outcomes("agent_type")

    @cached_property
    def by_model(self) -> tuple[GroupOutcome, ...]:
        return self._of.outcomes(MODEL)

    @cached_property
    def by_bundle(self) -> tuple[GroupOutcome, ...]:
        return self._of.outcomes(BUNDLE)

    @cached_property
    def by_context_source(self) -> tuple[GroupOutcome, ...]:
        return count_by_context_source(self._of)

    @cached_property
    def by_attempt(self) -> tuple[GroupOutcome, ...]:
        return count_by_attempt(self._of)

    @cached_property
    def over_time(self) -> tuple[GroupOutcome, ...]:
        return count_over_time(self._of, self._every)

    @cached_property
    def context(self) -> tuple[ContextEffect, ...]:
        return compare_context_sources(self.by_context_source, self._with_context)

    @cached_property
    def validations(self) -> tuple[Check, ...]:
        return tabulate_checks(self.by_agent_type, self._checks)

    @cached_property
    def estimates(self) -> tuple[EstimateUsage, ...]:
        return compare_estimates(self._of)

    @cached_property
    def corrections(self) -> tuple[Correction, ...]:
        return learn_corrections(self._starts)

    @cached_property
    def starts(self) -> tuple[RunStart, ...]:
        return self.run_starts.runs

    @cached_property
    def run_starts(self) -> RunStarts:
        """What each run began with, against what was estimated for it."""
        ((n,),) = self._of.rows("SELECT count(*) FROM chosen")
        return judge_starts(self._starts, self.corrections, n)

    @cached_property
    def sharing(self) -> SharedTokens:
        return sum_shared_tokens(self._of, self._with_context.n, self._record, self._every)

    @cached_property
    def files(self) -> tuple[FileWorth, ...]:
        return weigh_files(self._of)

    @cached_property
    def sources(self) -> tuple[EarlierSource, ...]:
        return weigh_earlier_sources(self._of)

    @cached_property
    def worth(self) -> tuple[Worth, ...]:
        return weigh_agent_types(self._of, self.by_agent_type, self._checks)

    @cached_property
    def costs(self) -> tuple[Cost, ...]:
        return sum_costs(self._of)

    @cached_property
    def _starts(self) -> list[Start]:
        rows = self._of.rows(f"SELECT * FROM ({STARTS.format(runs='chosen')})")
        return [Start(*row) for row in rows if row[0]]

    @cached_property
    def _with_context(self) -> GroupOutcome:
        return count_with_context(self._of)

    @cached_property
    def _checks(self) -> LatestChecks:
        return read_latest_checks(self._of)


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
    gathering = _begin(
        record,
        project=project,
        session_id=session_id,
        agent_type=agent_type,
        since=since,
        until=until,
        include_archived=include_archived,
        every=every,
    )
    with record.read():
        return Insights(**{part: getattr(gathering, part) for part in PARTS})


def gather_parts(
    record: Record,
    parts: Iterable[str],
    *,
    project: OwnProjects | None = None,
    session_id: str | None = None,
    agent_type: str | None = None,
    since: str | None = None,
    until: str | None = None,
    include_archived: bool = False,
    every: Literal["day", "week"] = "day",
) -> dict[str, list[Row]]:
    """The rows of some parts, by name; as ``gather_insights``, in the time of these alone."""
    gathering = _begin(
        record,
        project=project,
        session_id=session_id,
        agent_type=agent_type,
        since=since,
        until=until,
        include_archived=include_archived,
        every=every,
    )
    with record.read():
        return {part: _ROWS[part](gathering) for part in parts}


def gather_part(
    record: Record,
    part: str,
    *,
    project: OwnProjects | None = None,
    session_id: str | None = None,
    every: Literal["day", "week"] = "day",
) -> list[Row]:
    """The rows of one part alone, in a fraction of the time of all; as ``gather_insights``.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
        KeyError: no such part.
    """
    gathering = _begin(record, project=project, session_id=session_id, every=every)
    with record.read():
        return _ROWS[part](gathering)


def gather_run_starts(
    record: Record, *, project: OwnProjects | None = None, session_id: str | None = None
) -> RunStarts:
    """What each run began with, against what was estimated for it; as ``gather_part``.

    Raises:
        NotFoundError: no such session; with the nearest known ids.
    """
    gathering = _begin(record, project=project, session_id=session_id, every="day")
    with record.read():
        return gathering.run_starts


def list_earlier_sources(
    record: Record, agent_type: str, *, project: OwnProjects | None = None
) -> tuple[EarlierSource, ...]:
    """List what runs of an agent type that succeeded were given or read, the most used first."""
    gathering = _begin(record, agent_type=agent_type, project=project, session_id=None, every="day")
    with record.read():
        return gathering.sources


def _begin(
    record: Record,
    *,
    project: OwnProjects | None,
    session_id: str | None,
    every: str,
    agent_type: str | None = None,
    since: str | None = None,
    until: str | None = None,
    include_archived: bool = False,
) -> _Gathering:
    where = filter_executions(
        record,
        session_id=session_id,
        agent_type=agent_type,
        project=project,
        include_archived=include_archived,
    )
    where.between(record, WHEN, since, until)
    return _Gathering(ChosenRuns(record, str(where), where.parameters), record, every)
