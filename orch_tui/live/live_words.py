"""What a running agent does and used so far, in words for people; unknown is said as such."""

from __future__ import annotations

from collections.abc import Iterator

from orch_tui.live.live_agent import LiveAgent
from orch_tui.times import lasting, local_time


def describe_agent(agent: LiveAgent) -> list[tuple[str, str]]:
    """Name and value of each fact of a running agent; what does not apply is left out."""
    return [(name, value) for name, value in _facts(agent) if value]


def _facts(agent: LiveAgent) -> Iterator[tuple[str, str]]:
    yield "doing", f"{agent.doing}, for {lasting(agent.seconds)}"
    for line in agent.prints:
        yield "prints", line
    yield "known by", agent.evidence
    yield "marks", agent.signs
    yield "since", local_time(agent.since, seconds=True)
    yield "quiet for", lasting(agent.quiet)
    yield (
        "calls so far",
        _with_subtree(
            f"{agent.calls:,}", agent.subtree_calls != agent.calls and (f"{agent.subtree_calls:,}")
        ),
    )
    yield "context", describe_context(agent)
    yield (
        "cost so far",
        _with_subtree(
            describe_cost(agent.cost, is_partial=agent.is_partial),
            agent.subtree_cost != agent.cost and describe_subtree_cost(agent),
        ),
    )
    for task in agent.tasks:
        yield "background", task.target
        for line in task.lines:
            yield "", f"  {line}"
    yield "last words", agent.words


def _with_subtree(own: str, whole: str | bool) -> str:
    return f"{own}; {whole} with its children" if whole else own


def describe_context(agent: LiveAgent) -> str:
    """``12,300 of 200,000 tokens (6 %)``."""
    if not agent.context:
        return ""
    if agent.filled is None:
        return f"{agent.context:,} tokens"
    return f"{agent.context:,} of {agent.window:,} tokens ({percentage(agent)})"


def percentage(agent: LiveAgent) -> str:
    """How full the window is; empty where that is not known."""
    return "" if agent.filled is None else f"{agent.filled * 100:.0f} %"


def describe_cost(cost: float | None, *, is_partial: bool) -> str:
    """``$0.12``, with a sign where it is a lower bound."""
    if cost is None:
        return "unknown"
    return f"{'≥ ' * is_partial}${cost:.2f}"


def describe_subtree_cost(agent: LiveAgent) -> str:
    """The cost with that of its children, with a sign where a part is not known or passed over."""
    if agent.subtree_cost is None and agent.subtree_known_cost:
        return describe_cost(agent.subtree_known_cost, is_partial=True)
    return describe_cost(agent.subtree_cost, is_partial=agent.subtree_is_partial)
