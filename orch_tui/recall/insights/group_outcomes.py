"""How the executions of a group ended: counts, shares and their intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Any

from orch_tui.frozen import frozen
from orch_tui.models.database import Record, Row, in_list
from orch_tui.models.values import WENT_WELL, WHEN
from orch_tui.recall.attempts import NUMBERED_ATTEMPTS

Z = 1.96
"""Intervals hold the true share in about 95 of 100 cases."""


@frozen
class GroupOutcome:
    """How the executions of one group ended."""

    name: str | int | None
    """Of the group; None: not recorded."""
    n: int
    success: int
    failure: int
    unknown: int
    """Still waiting, or said to be completed with something that speaks against it."""

    @property
    def share(self) -> float | None:
        """Successes among those that returned; None where none has."""
        returned = self.success + self.failure
        return self.success / returned if returned else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The Wilson interval of the share (E. B. Wilson, 1927): wide where n is small."""
        return wilson_interval(self.success, self.success + self.failure)

    def row(self, key: str) -> Row:
        low, high = self.interval or (None, None)
        return {
            key: self.name,
            "n": self.n,
            "success": self.success,
            "failure": self.failure,
            "unknown": self.unknown,
            "success_share": round_share(self.share),
            "share_low": round_share(low),
            "share_high": round_share(high),
        }


class ChosenRuns:
    """The executions that count, as the relation ``chosen`` for every query.

    A CROSS JOIN keeps SQLite from walking the larger table first, whatever the filters.
    """

    def __init__(
        self, record: Record, condition: str, parameters: Sequence[Any], *, last: Sequence[Any] = ()
    ) -> None:
        """``last`` are the parameters of the queries over ``chosen`` themselves."""
        self._record = record
        self._condition = condition
        self._parameters = [*parameters, *last]

    def rows(self, query: str, source: str = "agent_executions") -> list[tuple[Any, ...]]:
        """Rows of a query over ``chosen``; its ``went_well`` is NULL while waiting and in doubt.

        ``source`` is what to choose from: executions with a column more.
        """
        return self._record.sql(
            f"""WITH chosen AS (
              SELECT *, {WHEN} AS at, {WENT_WELL} AS went_well
              FROM {source} WHERE retracted_at IS NULL AND {self._condition}
            ) {query}""",
            self._parameters,
        )

    def outcomes(self, group: str, order: str = "n DESC, name") -> tuple[GroupOutcome, ...]:
        """The executions counted by an SQL expression over ``chosen``."""
        return self.counted(f"SELECT {group} AS name, went_well FROM chosen", order)

    def counted(
        self, query: str, order: str, source: str = "agent_executions"
    ) -> tuple[GroupOutcome, ...]:
        """The rows (name, went_well) of a query, counted by name."""
        rows = self.rows(
            "SELECT name, count(*) AS n, coalesce(sum(went_well), 0) AS success, "
            f"count(went_well) AS returned FROM ({query}) GROUP BY name ORDER BY {order}",
            source,
        )
        return tuple(
            GroupOutcome(name, n, success, returned - success, n - returned)
            for name, n, success, returned in rows
        )


NUMBERED_RUNS = "(SELECT rowid AS run, * FROM agent_executions)"
"""Executions with a number each: a million of them, joined by commas, are read in a tenth of the
time that their ids take row by row."""


def name_bundles(record: Record, bundle_ids: Iterable[str | None]) -> dict[str, str]:
    """What bundles are called, by id: their name, or else whom they were prepared for."""
    ids, parameters = in_list(bundle_ids)
    rows = record.sql(
        "SELECT bundle_id, name, (SELECT agent_type FROM bundle_versions AS v "
        "WHERE v.bundle_id = b.bundle_id ORDER BY version DESC LIMIT 1) "
        f"FROM bundles AS b WHERE bundle_id IN {ids}",
        parameters,
    )
    return {bundle_id: name or f"for {agent_type}" for bundle_id, name, agent_type in rows}


def name_sessions(record: Record, session_ids: Iterable[str | None]) -> dict[str, str]:
    """What sessions are about, by id."""
    ids, parameters = in_list(session_ids)
    rows = record.sql(
        f"SELECT session_id, scope FROM sessions WHERE session_id IN {ids}", parameters
    )
    return {session_id: scope for session_id, scope in rows if scope}


def count_by_attempt(of: ChosenRuns) -> tuple[GroupOutcome, ...]:
    """Numbered among all executions, so that a filter does not make a second try a first."""
    return of.counted(
        "SELECT attempt AS name, went_well FROM chosen", "name IS NULL, name", NUMBERED_ATTEMPTS
    )


def day_of(every: str) -> str:
    """Give the SQL of the local day of a chosen run, or of the Monday of its week."""
    monday = ", 'weekday 0', '-6 days'" if every == "week" else ""
    return f"date(at, 'localtime'{monday})"


def count_over_time(of: ChosenRuns, every: str) -> tuple[GroupOutcome, ...]:
    return of.outcomes(day_of(every), "name IS NULL, name")


def sum_outcomes(name: str | None, outcomes: Iterable[GroupOutcome]) -> GroupOutcome:
    n = success = failure = unknown = 0
    for outcome in outcomes:
        n += outcome.n
        success += outcome.success
        failure += outcome.failure
        unknown += outcome.unknown
    return GroupOutcome(name, n, success, failure, unknown)


def wilson_interval(successes: int, n: int) -> tuple[float, float] | None:
    """The Wilson score interval of a share; None where n is 0."""
    if not n:
        return None
    share = successes / n
    centre = share + Z * Z / (2 * n)
    spread = Z * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def round_share(share: float | None) -> float | None:
    return None if share is None else round(share, 3)


INCLUDED = "included_in_deployment IS NOT 0 AND arrived IS NOT 0"


def find_median(values: Sequence[float]) -> float:
    """Find the median of values, of which there is one at least."""
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
