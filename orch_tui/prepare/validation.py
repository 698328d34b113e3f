"""Whether a plan can be deployed, and whether files fit into the budget.

Both keep the keys of the older scripts ``validate_orchestration.py`` and
``check_context_bounds.py``, in their order, and add their own after them. What to exit with is
the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from orch_tui.errors import SourceError, UsageError
from orch_tui.frozen import frozen
from orch_tui.prepare import budget
from orch_tui.prepare.agent_types import BUILT_IN_AGENTS, is_known_agent
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.bundle import Bundle, ContextItem, count_context
from orch_tui.prepare.count import ZERO, CountCache
from orch_tui.prepare.sources import SourceReader, is_outside

SHORT_SCOPE, LONG_SCOPE = 10, 500
"""Characters below and above which a scope gets a warning."""
MANY_TASKS = 5
"""Tasks in one scope above which phases are recommended."""


@frozen
class Validation:
    """The older script's answer, key by key, and what is checked besides."""

    valid: bool
    scope_defined: bool
    context_files_exist: tuple[bool, ...]
    """In the order the files were given; blank ones do not count."""
    dependencies_acyclic: bool
    complexity_estimate: int
    """The tasks that the scope lists between commas."""
    warnings: tuple[str, ...]
    recommendations: tuple[str, ...]
    missing_files: tuple[str, ...]
    cycles: tuple[tuple[str, ...], ...]
    """Each once, as the agents that wait for one another."""
    bundles_over_limit: tuple[str, ...]
    unknown_agent_types: tuple[str, ...]
    files_outside_project: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@frozen
class Remark:
    """What is wrong with one field of what somebody typed."""

    field: str
    text: str
    stops: bool = False
    """It cannot be recorded like this; otherwise it is a warning."""


@frozen
class Bounds:
    """How much of a token limit some files take."""

    phase: int
    estimated_tokens: int
    token_limit: int
    percentage_used: float
    status: str
    """ok, warning, critical; judged by the upper end of the band."""
    recommendations: tuple[str, ...]
    file_errors: tuple[str, ...]
    estimator: str
    band: tuple[int, int]

    def to_dict(self) -> dict[str, Any]:
        """As the older script prints it: ``file_errors`` only when there are any."""
        figures = asdict(self)
        if not self.file_errors:
            del figures["file_errors"]
        return figures


def validate_plan(
    scope: str,
    context_files: Iterable[str] = (),
    dependencies: Iterable[str] = (),
    *,
    reader: SourceReader,
    planned: Mapping[str, Iterable[str]] | None = None,
    agent_types: Iterable[str] = (),
    known_agents: Iterable[str] = BUILT_IN_AGENTS,
    bundles: Iterable[Bundle] = (),
    limit_of: Callable[[Bundle], int] | None = None,
    problems_of: Callable[[str], Iterable[str]] = lambda agent_type: (),
) -> Validation:
    """Check a plan before anything is deployed.

    ``dependencies`` are edges ``A->B``; ``planned`` says for each planned agent what it waits
    for. ``limit_of`` gives the tokens that may be handed to the agent of a bundle, ``problems_of``
    what is wrong with the files that define an agent type. Invalid are an empty scope, a missing
    file, a cycle and a bundle over its limit; all else is a warning.
    """
    warnings, recommendations = _scope_advice(scope)
    files = [file.strip() for file in context_files if file.strip()]
    exist, missing, outside = [], [], []
    for file in files:
        try:
            sources = reader.read_source(file)
        except SourceError as error:
            exist.append(reader.source_exists(file))
            if exist[-1]:
                warnings.append(f"{error.message} ({error.hint})" if error.hint else error.message)
            else:
                missing.append(file)
        else:
            exist.append(True)
            outside += [source.name for source in sources if is_outside(source.name)]
    bundles = list(bundles)
    outside += [
        item.source for bundle in bundles for item in bundle.items if is_outside(item.source)
    ]
    edges, malformed = _edges(dependencies)
    for agent, waits_for in (planned or {}).items():
        edges += [(before, agent) for before in waits_for]
    found_cycles = find_cycles(edges)
    known = set(known_agents)
    types = [*agent_types, *(bundle.agent_type for bundle in bundles)]
    unknown = [name for name in dict.fromkeys(types) if not is_known_agent(name, known)]
    limits = {bundle.bundle_id: limit_of(bundle) for bundle in bundles if limit_of}
    over = [b for b in bundles if b.total.high > limits.get(b.bundle_id, b.total.high)]

    warnings += [f"{text!r} is no dependency: write A->B" for text in malformed]
    warnings += [f"agent type {name!r} is not defined" for name in unknown]
    warnings += dict.fromkeys(problem for name in types for problem in problems_of(name))
    warnings += [f"{name} is outside the project" for name in dict.fromkeys(outside)]
    warnings += [f"cycle: {' -> '.join((*cycle, cycle[0]))}" for cycle in found_cycles]
    if not scope.strip():
        recommendations.append("Define the scope: what is to be done, and when it is finished")
    if missing:
        recommendations.append(f"Locate missing files: {', '.join(missing)}")
    if found_cycles:
        recommendations.append("Break each cycle: one of its agents must not wait")
    recommendations += [
        f"Trim {b.bundle_id}: {b.total} tokens, {limits[b.bundle_id]:,} fit its agent" for b in over
    ]
    if unknown:
        recommendations.append(
            f"Define {', '.join(unknown)} in .claude/agents, or correct the name"
        )
    return Validation(
        valid=bool(scope.strip()) and not (missing or found_cycles or over),
        scope_defined=bool(scope.strip()),
        context_files_exist=tuple(exist),
        dependencies_acyclic=not found_cycles,
        complexity_estimate=_tasks(scope),
        warnings=tuple(warnings),
        recommendations=tuple(recommendations),
        missing_files=tuple(missing),
        cycles=tuple(found_cycles),
        bundles_over_limit=tuple(bundle.bundle_id for bundle in over),
        unknown_agent_types=tuple(unknown),
        files_outside_project=tuple(dict.fromkeys(outside)),
    )


def check_scope(scope: str) -> list[Remark]:
    """What is to be said about a scope while it is typed."""
    if not scope.strip():
        return [Remark("scope", "a scope is needed: what is to be done", stops=True)]
    warnings, recommendations = _scope_advice(scope)
    return [Remark("scope", text) for text in (*warnings, *recommendations)]


def check_bounds(
    phase: int,
    files: Iterable[str] = (),
    *,
    reader: SourceReader,
    family: str,
    limits: Limits,
    cache: CountCache | None = None,
) -> Bounds:
    """How much of the session budget the files take, counted for a tokenizer ``family``.

    A file that cannot be taken makes the status at least a warning, as its tokens are not in the
    figure. Raises UsageError for a phase outside 1 to 5.
    """
    if phase not in range(1, 6):
        raise UsageError(f"phase {phase} does not exist", hint="phases are 1 to 5")
    items, errors = [], []
    for file in files:
        try:
            sources = reader.read_source(file)
        except SourceError as error:
            errors.append(error.message)
            continue
        items += [
            ContextItem("file", source.name, "required", source.sections, source.data, ZERO)
            for source in sources
        ]
    total = sum((item.count for item in count_context(items, family=family, cache=cache)), ZERO)
    gauge = budget.gauge_limit("session budget", total, limits.budget, limits)
    status = "critical" if gauge.status == "over" else gauge.status
    recommendations = []
    if status != "ok":
        recommendations.append(
            f"{total} of {limits.budget:,} tokens: {_RELIEF[phase]}"
            + (" before anything else is deployed" if status == "critical" else "")
        )
    if errors:
        status = "warning" if status == "ok" else status
        recommendations.append(f"The figure lacks {len(errors)} of the files: see file_errors")
    return Bounds(
        phase=phase,
        estimated_tokens=total.tokens,
        token_limit=limits.budget,
        percentage_used=round(100 * total.tokens / max(limits.budget, 1), 2),
        status=status,
        recommendations=tuple(recommendations),
        file_errors=tuple(errors),
        estimator=total.estimator,
        band=(total.low, total.high),
    )


_RELIEF = {
    1: "read sections instead of whole files",
    2: "spread the files over several agents",
    3: "hand over sections, and share what several agents need",
    4: "read the reports of the agents instead of their files",
    5: "report from the record instead of the files",
}


def find_cycles(edges: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Cycles in a graph, none listed twice, at least one for every agent group that has any."""
    following: dict[str, list[str]] = {}
    for before, after in edges:
        following.setdefault(before, []).append(after)
    found: dict[frozenset[str], tuple[str, ...]] = {}
    done: set[str] = set()
    for start in following:
        path: dict[str, None] = {}  # the nodes on the way here, in order
        stack = [iter([start])]
        while stack:  # depth first, by hand: a chain may be longer than Python's own stack
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
                if path:
                    done.add(path.popitem()[0])
            elif node in path:
                cycle = tuple(path)[list(path).index(node) :]
                found.setdefault(frozenset(cycle), cycle)
            elif node not in done:
                path[node] = None
                stack.append(iter(following.get(node, ())))
    return list(found.values())


def _scope_advice(scope: str) -> tuple[list[str], list[str]]:
    warnings, recommendations = [], []
    length = len(scope.strip())
    if 0 < length < SHORT_SCOPE:
        warnings.append(f"the scope is short ({length} characters): an agent knows nothing else")
    if length > LONG_SCOPE:
        warnings.append(f"the scope is long ({length} characters): move detail into context")
    if _tasks(scope) > MANY_TASKS:
        recommendations.append(f"Split the {_tasks(scope)} tasks of the scope into phases")
    return warnings, recommendations


def _tasks(scope: str) -> int:
    return sum(bool(task.strip()) for task in scope.split(","))


def _edges(dependencies: Iterable[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """The edges in texts such as ``A->B`` or ``A->B->C``, and the texts that are none."""
    edges: list[tuple[str, str]] = []
    malformed = []
    for text in filter(None, map(str.strip, dependencies)):
        names = [name.strip() for name in text.split("->")]
        if len(names) < 2 or not all(names):
            malformed.append(text)
        else:
            edges += zip(names, names[1:], strict=False)
    return edges, malformed
