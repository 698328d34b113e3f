"""What was estimated for bundles beside what their runs read."""

from __future__ import annotations

from orch_tui.frozen import frozen
from orch_tui.models.values import whole_number
from orch_tui.recall.insights.group_outcomes import ChosenRuns, find_median


@frozen
class EstimateUsage:
    """The tokens estimated for bundles beside what the runs read: two things, side by side.

    A run reads its context again with every request, so the second is larger by nature.
    Medians over the ``n`` executions whose usage is known.
    """

    agent_type: str
    estimator: str | None
    n: int
    estimated_tokens: int
    input_and_cache_tokens: int
    """Input, cache write and cache read of the whole run."""
    context_end_tokens: int | None
    """Context size of the last request; None where no run tells it."""


_READ = "input_tokens + coalesce(cache_write_tokens, 0) + coalesce(cache_read_tokens, 0)"


def compare_estimates(of: ChosenRuns) -> tuple[EstimateUsage, ...]:
    groups: dict[tuple[str, str | None], list[tuple[int, int, int | None]]] = {}
    for agent_type, estimator, *figures in of.rows(
        f"SELECT agent_type, estimator, context_token_count, {_READ}, context_end_tokens "
        "FROM chosen WHERE context_token_count IS NOT NULL AND input_tokens IS NOT NULL"
    ):
        estimated, read, end = map(whole_number, figures)  # plain SQL may have put anything there
        if estimated is not None and read is not None:
            groups.setdefault((agent_type, estimator), []).append((estimated, read, end))
    found = (
        EstimateUsage(
            agent_type,
            estimator,
            len(figures),
            round(find_median([estimated for estimated, _, _ in figures])),
            round(find_median([read for _, read, _ in figures])),
            round(find_median(ends))
            if (ends := [end for _, _, end in figures if end is not None])
            else None,
        )
        for (agent_type, estimator), figures in groups.items()
    )
    return tuple(sorted(found, key=lambda e: (-e.n, e.agent_type, e.estimator or "")))
