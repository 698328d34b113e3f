"""What the record teaches: which agents, models, bundles and contexts went with success.

Every figure comes with its n. An execution that has not returned is unknown, neither success nor
failure. Nothing here says why: what goes together with success need not have caused it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from functools import cache
from math import sqrt
from typing import Any, Literal

from orch_tui.frozen import frozen
from orch_tui.models.database import Record, Row
from orch_tui.models.values import WENT_WELL, WHEN, whole_number
from orch_tui.prepare.count import Count
from orch_tui.recall.estimate_corrections import STARTS, Correction, Start, learn_corrections
from orch_tui.recall.listing import CheckResult, filter_executions, latest_results
from orch_tui.record.ledger.file_use import GIVEN_FILES, FileUse, compare_file_use
from orch_tui.rows import USED, decoded_content

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
    """Still waiting."""

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
            "success_share": _rounded(self.share),
            "share_low": _rounded(low),
            "share_high": _rounded(high),
        }


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
            "success_share": _rounded(self.given.share),
            "n_without": self.others.n,
            "success_share_without": _rounded(self.others.share),
            "difference": _rounded(self.difference),
            "difference_low": _rounded(low),
            "difference_high": _rounded(high),
        }


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


@frozen
class SharedTokens:
    """Tokens moved into shared documents, and those of the documents: never added up, never money.

    None: nothing is recorded.
    """

    n: int
    """Executions whose context is recorded."""
    n_shared: int
    """Of them, those that were pointed to a shared document."""
    moved_to_shared: Count | None
    """Text moved into shared documents; an agent that reads one spends it again."""
    shared_document: Count | None
    """The shared documents themselves, each text once."""

    def row(self) -> Row:
        figures = {
            "moved_to_shared": self.moved_to_shared,
            "shared_document": self.shared_document,
        }
        named = {f"{name}_tokens": count and count.tokens for name, count in figures.items()}
        estimators = {count.estimator for count in figures.values() if count} - {""}
        return {
            "n": self.n,
            "n_shared": self.n_shared,
            **named,
            "estimator": estimators.pop()
            if len(estimators) == 1
            else "mixed"
            if estimators
            else None,
        }


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


@frozen
class FileWorth:
    """One file beside the bundles of one agent type: was it given, was it read?

    Over the executions whose files are known (from transcripts).
    """

    agent_type: str
    path: str
    n: int
    """Executions of the agent type whose files are known."""
    not_given: int
    """Read, and not given: those that needed it."""
    read_again: int
    """Read although it was given as a whole."""
    unread: int
    """Given as a whole and not read from disk: what a bundle is for."""


@frozen
class Insights:
    """Every part; ``parts`` gives them as rows to print."""

    overall: GroupOutcome
    by_agent_type: tuple[GroupOutcome, ...]
    by_model: tuple[GroupOutcome, ...]
    """The model asked for; where nobody asked, the one that ran."""
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
            "sharing": [self.sharing.row()],
            "files": [asdict(file) for file in self.files],
            "worth": [asdict(worth) for worth in self.worth],
            "costs": [asdict(cost) for cost in self.costs],
        }


PARTS = tuple(part.name for part in fields(Insights))
"""The names of the parts, in the order they are read."""


def gather_insights(
    record: Record,
    *,
    project: str | None = None,
    session_id: str | None = None,
    agent_type: str | None = None,
    since: str | None = None,
    until: str | None = None,
    include_archived: bool = False,
    every: Literal["day", "week"] = "day",
) -> Insights:
    """The insights over the executions that meet the filters; retracted ones never do.

    ``since`` and ``until`` are texts that ``parse_time`` takes; ``every`` is the width of a
    bucket of ``over_time``.

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
    of = _Chosen(record, str(where), where.parameters)
    with record.read():
        by_agent_type = of.outcomes("agent_type")
        sources = _by_context_source(of)
        with_context = _with_context(of)
        checks = _latest_checks(of)
        return Insights(
            overall=_sum("all", by_agent_type),
            by_agent_type=by_agent_type,
            by_model=of.outcomes("coalesce(model, resolved_model)"),
            by_bundle=of.outcomes(
                "(SELECT bundle_id FROM bundle_versions WHERE version_id = bundle_version_id)"
            ),
            by_context_source=sources,
            by_attempt=_by_attempt(of),
            over_time=_over_time(of, every),
            context=_context_effects(sources, with_context),
            estimates=_estimates(of),
            corrections=_corrections(of),
            validations=_validations(by_agent_type, checks),
            sharing=_sharing(of, with_context.n),
            files=_files(of),
            worth=_worth(of, by_agent_type, checks),
            costs=_costs(of),
        )


class _Chosen:
    """The executions that count, as the relation ``filter_executions`` for every query.

    A CROSS JOIN keeps SQLite from walking the larger table first, whatever the filters.
    """

    def __init__(self, record: Record, condition: str, parameters: Sequence[Any]) -> None:
        self._record = record
        self._condition = condition
        self._parameters = list(parameters)

    def rows(self, query: str, source: str = "agent_executions") -> list[tuple[Any, ...]]:
        """Rows of a query over ``filter_executions``; its ``went_well`` is NULL while waiting.

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
        """The executions counted by an SQL expression over ``filter_executions``."""
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


def _sum(name: str | None, outcomes: Iterable[GroupOutcome]) -> GroupOutcome:
    n = success = failure = unknown = 0
    for outcome in outcomes:
        n += outcome.n
        success += outcome.success
        failure += outcome.failure
        unknown += outcome.unknown
    return GroupOutcome(name, n, success, failure, unknown)


_NUMBERED = f"""(
  SELECT session_id, e.agent_type, deployed_at, completed_at, status, success, retracted_at,
    iif(coalesce(planned_id, bundle_id) IS NULL, NULL, row_number() OVER (
      PARTITION BY session_id, planned_id,
        iif(planned_id IS NULL, json_array(bundle_id, e.agent_type, e.scope), NULL)
      ORDER BY {WHEN}, e.rowid)) AS attempt
  FROM agent_executions AS e LEFT JOIN bundle_versions ON version_id = bundle_version_id
  WHERE retracted_at IS NULL)"""


def _by_attempt(of: _Chosen) -> tuple[GroupOutcome, ...]:
    """Numbered among all executions, so that a filter does not make a second try a first."""
    return of.counted(
        "SELECT attempt AS name, went_well FROM chosen", "name IS NULL, name", _NUMBERED
    )


def _over_time(of: _Chosen, every: str) -> tuple[GroupOutcome, ...]:
    monday = ", 'weekday 0', '-6 days'" if every == "week" else ""
    return of.outcomes(f"date(at, 'localtime'{monday})", "name IS NULL, name")


_INCLUDED = "included_in_deployment IS NOT 0"
_GIVEN = f"""
  SELECT DISTINCT execution_id, context_source, went_well
  FROM chosen CROSS JOIN context_allocations USING (execution_id)
  WHERE {_INCLUDED} AND context_type IS NOT 'briefing'
    AND context_source <> '-' AND context_source NOT LIKE 'text:%'"""


def _by_context_source(of: _Chosen) -> tuple[GroupOutcome, ...]:
    return of.counted(f"SELECT context_source AS name, went_well FROM ({_GIVEN})", "n DESC, name")


def _with_context(of: _Chosen) -> GroupOutcome:
    """The executions whose context is recorded."""
    counted = of.counted(
        "SELECT NULL AS name, went_well FROM chosen WHERE EXISTS (SELECT 1 FROM "
        f"context_allocations AS a WHERE a.execution_id = chosen.execution_id AND {_INCLUDED})",
        "name",
    )
    return _sum(None, counted)


def _context_effects(
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


def _corrections(of: _Chosen) -> tuple[Correction, ...]:
    rows = of.rows(f"SELECT * FROM ({STARTS.format(runs='chosen')})")
    return learn_corrections(Start(*row) for row in rows if row[0])


_READ = "input_tokens + coalesce(cache_write_tokens, 0) + coalesce(cache_read_tokens, 0)"


def _estimates(of: _Chosen) -> tuple[EstimateUsage, ...]:
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
            round(_median([estimated for estimated, _, _ in figures])),
            round(_median([read for _, read, _ in figures])),
            round(_median(ends))
            if (ends := [end for _, _, end in figures if end is not None])
            else None,
        )
        for (agent_type, estimator), figures in groups.items()
    )
    return tuple(sorted(found, key=lambda e: (-e.n, e.agent_type, e.estimator or "")))


_MOST_FILES = 200
"""Of files that were read once there is no end."""


def _files(of: _Chosen) -> tuple[FileWorth, ...]:
    """Files that were read, given, or both, by agent type."""
    known: dict[str, set[str]] = {}
    uses: dict[tuple[str, str], list[FileUse]] = {}
    touched: dict[str, dict[str, tuple[str | None, str | None]]] = {}
    given: dict[str, list[tuple[str, str | None]]] = {}
    for agent_type, execution_id, path, read_at, written_at in of.rows(
        "SELECT agent_type, execution_id, path, read_at, written_at "
        "FROM chosen CROSS JOIN execution_files USING (execution_id)"
    ):
        known.setdefault(agent_type, set()).add(execution_id)
        touched.setdefault(execution_id, {})[path] = (read_at, written_at)
    for execution_id, source, sections in of.rows(
        "SELECT execution_id, context_source, sections "
        "FROM chosen CROSS JOIN context_allocations USING (execution_id) "
        f"WHERE {_INCLUDED} AND {GIVEN_FILES} "
        "AND EXISTS (SELECT 1 FROM execution_files AS f WHERE f.execution_id = chosen.execution_id)"
    ):
        given.setdefault(execution_id, []).append((source, sections))
    for agent_type, ids in known.items():
        for execution_id in ids:
            for use in compare_file_use(given.get(execution_id, ()), touched[execution_id]):
                uses.setdefault((agent_type, use.path), []).append(use)
    found = (
        FileWorth(
            agent_type,
            path,
            n=len(known[agent_type]),
            not_given=sum(use.is_missed for use in each),
            read_again=sum(use.is_read_again for use in each),
            unread=sum(use.given == "whole" and use.read_at is None for use in each),
        )
        for (agent_type, path), each in uses.items()
    )
    telling = [file for file in found if file.not_given or file.read_again or file.unread]
    telling.sort(key=lambda f: (-f.not_given, -f.read_again, -f.unread, f.agent_type, f.path))
    return tuple(telling[:_MOST_FILES])


_Checks = list[tuple[str, str, CheckResult]]
"""agent_type, check and result of every execution."""


def _latest_checks(of: _Chosen) -> _Checks:
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


def _validations(agents: Iterable[GroupOutcome], checks: _Checks) -> tuple[Check, ...]:
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
        median=_median(numbers) if numbers else None,
        maximum=numbers[-1] if numbers else None,
    )


_SHARED = f"""
  SELECT a.execution_id, coalesce(content_id, context_source) AS text, token_count,
    coalesce(token_low, token_count) AS low, coalesce(token_high, token_count) AS high,
    a.estimator AS name
  FROM chosen AS e CROSS JOIN context_allocations AS a USING (execution_id)
  WHERE {_INCLUDED} AND context_type = 'shared_context' AND token_count IS NOT NULL"""


def _sharing(of: _Chosen, n: int) -> SharedTokens:
    figures = (
        "sum(token_count), coalesce(iif(count(DISTINCT name) > 1, 'mixed', max(name)), ''), "
        "sum(low), sum(high)"
    )
    ((n_shared, *moved),) = of.rows(
        f"SELECT count(DISTINCT execution_id), {figures} FROM ({_SHARED})"
    )
    (document,) = of.rows(f"SELECT {figures} FROM (SELECT * FROM ({_SHARED}) GROUP BY text)")
    return SharedTokens(
        n=n,
        n_shared=n_shared,
        moved_to_shared=_count(moved, n),
        shared_document=_count(document, n),
    )


def _count(figures: Sequence[Any], n: int) -> Count | None:
    if not n:
        return None
    tokens, estimator, low, high = figures
    return Count(tokens or 0, estimator, low or 0, high or 0)


def _worth(of: _Chosen, agents: Iterable[GroupOutcome], checks: _Checks) -> tuple[Worth, ...]:
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


def _costs(of: _Chosen) -> tuple[Cost, ...]:
    return tuple(
        Cost(*row)
        for row in of.rows(
            "SELECT agent_type, coalesce(resolved_model, model) AS ran, count(*), "
            "count(input_tokens), sum(input_tokens), sum(cache_write_tokens), "
            "sum(cache_read_tokens), sum(output_tokens), count(cost_usd), "
            "round(sum(cost_usd), 6), round(avg(cost_usd), 6) FROM chosen "
            "GROUP BY agent_type, ran ORDER BY sum(cost_usd) DESC, count(*) DESC, agent_type, ran"
        )
    )


def _deliverables(of: _Chosen) -> tuple[dict[str, int], dict[str, int | None]]:
    """By agent type: how many different files, and how many of them are there."""
    rows = of.rows(
        "SELECT DISTINCT agent_type, project, coalesce(path, content) FROM chosen AS e "
        "CROSS JOIN outputs AS o USING (execution_id) "
        "JOIN sessions AS s ON s.session_id = e.session_id "
        "WHERE output_type = 'deliverable' AND o.retracted_at IS NULL"
    )
    is_there = cache(os.path.lexists)
    delivered: dict[str, int] = {}
    existing: dict[str, int | None] = {}
    for agent_type, project, path in rows:
        delivered[agent_type] = delivered.get(agent_type, 0) + 1
        if not project or not is_there(project):
            existing[agent_type] = None
        elif (so_far := existing.get(agent_type, 0)) is not None:
            named = _as_path(path)
            is_one = named != "" and is_there(os.path.join(project, named))
            existing[agent_type] = so_far + is_one
    return delivered, existing


def _as_path(told: Any) -> str:
    """The path of a deliverable; empty where none is told, as raw SQL may leave it."""
    decoded = decoded_content(told) if isinstance(told, str) else None
    path = decoded.get("file_path") if isinstance(decoded, dict) else decoded
    return path if isinstance(path, str) else ""


def wilson_interval(successes: int, n: int) -> tuple[float, float] | None:
    """The Wilson score interval of a share; None where n is 0."""
    if not n:
        return None
    share = successes / n
    centre = share + Z * Z / (2 * n)
    spread = Z * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def _difference_interval(one: GroupOutcome, other: GroupOutcome) -> tuple[float, float] | None:
    if one.share is None or other.share is None or not (one.interval and other.interval):
        return None
    difference = one.share - other.share
    (low, high), (other_low, other_high) = one.interval, other.interval
    return (
        difference - sqrt((one.share - low) ** 2 + (other_high - other.share) ** 2),
        difference + sqrt((high - one.share) ** 2 + (other.share - other_low) ** 2),
    )


def _median(values: Sequence[float]) -> float:
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 3)
