"""What was given, beside success: executions with one source against those without it."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

from orch_tui.frozen import frozen
from orch_tui.models.database import Row
from orch_tui.recall.insights.group_outcomes import (
    INCLUDED,
    ChosenRuns,
    GroupOutcome,
    round_share,
    sum_outcomes,
)


@frozen
class ContextEffect:
    """Executions that were given one source beside those that were not."""

    given: GroupOutcome
    others: GroupOutcome

    @property
    def difference(self) -> float | None:
        """Share of success with it less the share without it."""
        if self.given.share is None or self.others.share is None:
            return None
        return self.given.share - self.others.share

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval of the difference from two Wilson intervals (R. G. Newcombe, 1998)."""
        return _difference_interval(self.given, self.others)

    @property
    def evidence(self) -> float:
        """How far the nearer end of the interval lies from no difference.

        Negative where the interval holds zero. With many sources some lie above by chance.
        """
        if self.interval is None:
            return float("-inf")
        low, high = self.interval
        return max(low, -high)

    def row(self) -> Row:
        low, high = self.interval or (None, None)
        return {
            "context_source": self.given.name,
            "n": self.given.n,
            "success_share": round_share(self.given.share),
            "n_without": self.others.n,
            "success_share_without": round_share(self.others.share),
            "difference": round_share(self.difference),
            "difference_low": round_share(low),
            "difference_high": round_share(high),
        }


_GIVEN = f"""
  SELECT DISTINCT execution_id, context_source, went_well
  FROM chosen CROSS JOIN context_allocations USING (execution_id)
  WHERE {INCLUDED} AND context_type IS NOT 'briefing'
    AND context_source <> '-' AND context_source NOT LIKE 'text:%'"""


def count_by_context_source(of: ChosenRuns) -> tuple[GroupOutcome, ...]:
    return of.counted(f"SELECT context_source AS name, went_well FROM ({_GIVEN})", "n DESC, name")


def count_with_context(of: ChosenRuns) -> GroupOutcome:
    """The executions whose context is recorded."""
    counted = of.counted(
        "SELECT NULL AS name, went_well FROM chosen WHERE EXISTS (SELECT 1 FROM "
        f"context_allocations AS a WHERE a.execution_id = chosen.execution_id AND {INCLUDED})",
        "name",
    )
    return sum_outcomes(None, counted)


def compare_context_sources(
    sources: Iterable[GroupOutcome], recorded: GroupOutcome
) -> tuple[ContextEffect, ...]:
    """Each source against the other executions whose context is recorded."""
    effects = (
        ContextEffect(
            source,
            GroupOutcome(
                source.name,
                recorded.n - source.n,
                recorded.success - source.success,
                recorded.failure - source.failure,
                recorded.unknown - source.unknown,
            ),
        )
        for source in sources
    )
    return tuple(sorted(effects, key=lambda e: (-e.evidence, -e.given.n, str(e.given.name))))


def _difference_interval(one: GroupOutcome, other: GroupOutcome) -> tuple[float, float] | None:
    if one.share is None or other.share is None or not (one.interval and other.interval):
        return None
    difference = one.share - other.share
    (low, high), (other_low, other_high) = one.interval, other.interval
    return (
        difference - sqrt((one.share - low) ** 2 + (other_high - other.share) ** 2),
        difference + sqrt((high - one.share) ** 2 + (other.share - other_low) ** 2),
    )
