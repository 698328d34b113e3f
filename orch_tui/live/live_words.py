"""What a running agent does and used so far, in words for people; unknown is said as such."""

from __future__ import annotations

from collections.abc import Iterator

from orch_tui.live.live_agent import LiveAgent
from orch_tui.times import local_time


def describe_agent(agent: LiveAgent) -> list[tuple[str, str]]:
    """Name and value of each fact of a running agent; what does not apply is left out."""
    return [(name, value) for name, value in _facts(agent) if value]


def _facts(agent: LiveAgent) -> Iterator[tuple[str, str]]:
    yield "doing", f"{agent.doing}, for {short_time(agent.seconds)}"
    yield "known by", agent.evidence
    yield "marks", agent.signs
    yield "since", local_time(agent.since, seconds=True)
    yield "quiet for", short_time(agent.quiet)
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
            agent.subtree_cost != agent.cost
            and describe_cost(agent.subtree_cost, is_partial=agent.is_partial),
        ),
    )
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


def short_time(seconds: float) -> str:
    """``22s``, ``4m05s``, ``2h10m``, ``4d06h``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 172_800:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02}h"
