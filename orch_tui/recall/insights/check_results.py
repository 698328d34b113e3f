"""Results of checks by agent type: tests, lint, coverage, as agents and people recorded them."""

from __future__ import annotations

from collections.abc import Iterable

from orch_tui.frozen import frozen
from orch_tui.recall.insights.group_outcomes import ChosenRuns, GroupOutcome, find_median
from orch_tui.recall.listing import CheckResult, latest_results


@frozen
class Check:
    """The results of one check for one agent type, the latest of every execution."""

    agent_type: str
    check: str | None
    """None: no check at all was recorded for this agent type."""
    n: int
    passed: int
    failed: int
    other: int
    """Skipped, numbers, other words."""
    found: int
    """Of the n, those that stand in the final message only."""
    unknown: int
    """Executions that returned without this result."""
    latest: str | int | float | None
    latest_at: str | None
    minimum: float | None
    """Of those that are numbers (coverage); likewise the next two."""
    median: float | None
    maximum: float | None


LatestChecks = list[tuple[str, str, CheckResult]]
"""agent_type, check and result of every execution."""


def read_latest_checks(of: ChosenRuns) -> LatestChecks:
    """From validation results and, where an execution has none, from its deliverables."""
    rows = of.rows(
        "SELECT agent_type, o.execution_id, output_type, content, found, created_at "
        "FROM chosen CROSS JOIN outputs AS o USING (execution_id) "
        "WHERE o.retracted_at IS NULL AND (output_type = 'validation_result' "
        "OR output_type = 'deliverable' AND NOT EXISTS (SELECT 1 FROM outputs AS v "
        "WHERE v.execution_id = o.execution_id AND v.output_type = 'validation_result')) "
        "ORDER BY output_id"
    )
    agent_type = {row[1]: row[0] for row in rows}
    results = latest_results(row[1:] for row in rows)
    return [
        (agent_type[execution_id], check, result)
        for execution_id, checks in results.items()
        for check, result in checks.items()
    ]


def tabulate_checks(agents: Iterable[GroupOutcome], checks: LatestChecks) -> tuple[Check, ...]:
    cells: dict[tuple[str, str], list[CheckResult]] = {}
    for agent_type, check, result in checks:
        cells.setdefault((agent_type, check), []).append(result)
    matrix = []
    for agent in agents:
        name, returned = str(agent.name), agent.success + agent.failure
        own = sorted((check, results) for (of, check), results in cells.items() if of == name)
        matrix += [_cell(name, check, results, returned) for check, results in own]
        if not own:
            matrix.append(_cell(name, None, [], returned))
    return tuple(matrix)


def _cell(agent_type: str, check: str | None, results: list[CheckResult], returned: int) -> Check:
    verdicts = [result.verdict for result in results]
    numbers = sorted(float(r.value) for r in results if not isinstance(r.value, str))
    latest = max(results, key=lambda result: result.at, default=None)
    return Check(
        agent_type=agent_type,
        check=check,
        n=len(results),
        passed=verdicts.count("pass"),
        failed=verdicts.count("fail"),
        other=verdicts.count("other"),
        found=sum(result.found for result in results),
        unknown=max(0, returned - len(results)),
        latest=None if latest is None else latest.value,
        latest_at=None if latest is None else latest.at,
        minimum=numbers[0] if numbers else None,
        median=find_median(numbers) if numbers else None,
        maximum=numbers[-1] if numbers else None,
    )
