"""What an agent type took and what came of it: tokens, deliverables, checks, cost."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from typing import Any

from orch_tui.frozen import frozen
from orch_tui.models.values import MODEL
from orch_tui.recall.insights.check_results import LatestChecks
from orch_tui.recall.insights.group_outcomes import ChosenRuns, GroupOutcome
from orch_tui.rows import USED, decoded_content
from orch_tui.worktrees import find_named_tree


@frozen
class Worth:
    """What one agent type took and what came of it; sums, each with the n behind it."""

    agent_type: str
    n: int
    success: int
    failure: int
    unknown: int
    tokens_given: int | None
    """Estimated for what it was given, over ``n_given`` executions."""
    n_given: int
    estimator: str | None
    tokens_used: int | None
    """Input, cache write, cache read and output over the ``n_used`` whose usage is known."""
    n_used: int
    deliverables: int
    """Different files."""
    deliverables_existing: int | None
    """Of them, those on disk now; None where the project folder is not there to look in."""
    validations_passed: int
    validations_failed: int


@frozen
class Cost:
    """What the runs of one agent type on one model used and cost; sums, each with its n."""

    agent_type: str
    model: str | None
    """The one that ran or, while that is not known, the one that was asked for."""
    n: int
    n_used: int
    """Those whose usage is known: the tokens are theirs."""
    input_tokens: int | None
    cache_write_tokens: int | None
    cache_read_tokens: int | None
    output_tokens: int | None
    n_priced: int
    """Of them, those whose price is known: the cost is theirs."""
    cost_usd: float | None
    cost_usd_mean: float | None


def weigh_agent_types(
    of: ChosenRuns, agents: Iterable[GroupOutcome], checks: LatestChecks
) -> tuple[Worth, ...]:
    figures = {
        row[0]: row[1:]
        for row in of.rows(
            "SELECT agent_type, sum(context_token_count), count(context_token_count), "
            "iif(count(DISTINCT estimator) > 1, 'mixed', max(estimator)), "
            f"sum({USED}), count(input_tokens) "
            "FROM chosen GROUP BY agent_type"
        )
    }
    delivered, existing = _deliverables(of)
    verdicts: dict[tuple[str, str], int] = {}
    for agent_type, _, result in checks:
        cell = (agent_type, result.verdict)
        verdicts[cell] = verdicts.get(cell, 0) + 1
    worth = []
    for agent in agents:
        name = str(agent.name)
        given, n_given, estimator, used, n_used = figures[name]
        worth.append(
            Worth(
                agent_type=name,
                n=agent.n,
                success=agent.success,
                failure=agent.failure,
                unknown=agent.unknown,
                tokens_given=given,
                n_given=n_given,
                estimator=estimator,
                tokens_used=used,
                n_used=n_used,
                deliverables=delivered.get(name, 0),
                deliverables_existing=existing.get(name, 0),
                validations_passed=verdicts.get((name, "pass"), 0),
                validations_failed=verdicts.get((name, "fail"), 0),
            )
        )
    return tuple(worth)


def sum_costs(of: ChosenRuns) -> tuple[Cost, ...]:
    return tuple(
        Cost(*row)
        for row in of.rows(
            f"SELECT agent_type, {MODEL} AS ran, count(*), "
            "count(input_tokens), sum(input_tokens), sum(cache_write_tokens), "
            "sum(cache_read_tokens), sum(output_tokens), count(cost_usd), "
            "round(sum(cost_usd), 6), round(avg(cost_usd), 6) FROM chosen "
            "GROUP BY agent_type, ran ORDER BY sum(cost_usd) DESC, count(*) DESC, agent_type, ran"
        )
    )


def _deliverables(of: ChosenRuns) -> tuple[dict[str, int], dict[str, int | None]]:
    """By agent type: how many different files, and how many of them are there."""
    rows = of.rows(
        "SELECT agent_type, project, coalesce(path, content) AS told, "
        "iif(json_valid(content), json_extract(content, '$.worktree'), NULL) AS tree "
        "FROM chosen AS e "
        "CROSS JOIN outputs AS o USING (execution_id) "
        "JOIN sessions AS s ON s.session_id = e.session_id "
        "WHERE output_type = 'deliverable' AND o.retracted_at IS NULL "
        "GROUP BY agent_type, project, told, tree"
    )
    is_there = cache(os.path.lexists)
    delivered: dict[str, int] = {}
    existing: dict[str, int | None] = {}
    for agent_type, project, path, worktree in rows:
        delivered[agent_type] = delivered.get(agent_type, 0) + 1
        if not project or not is_there(project):
            existing[agent_type] = None
        elif (so_far := existing.get(agent_type, 0)) is not None:
            named = _as_path(path)
            tree = find_named_tree(worktree, project) if isinstance(worktree, str) else None
            places = [os.path.join(folder, named) for folder in (tree, project) if folder]
            is_one = named != "" and any(map(is_there, places))
            existing[agent_type] = so_far + is_one
    return delivered, existing


def _as_path(told: Any) -> str:
    """The path of a deliverable; empty where none is told, as raw SQL may leave it."""
    decoded = decoded_content(told) if isinstance(told, str) else None
    path = decoded.get("file_path") if isinstance(decoded, dict) else decoded
    return path if isinstance(path, str) else ""
