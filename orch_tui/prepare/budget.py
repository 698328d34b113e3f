"""What fits, in one place: every command and screen asks here.

Two limits. An agent's: its model's window less what is kept free for its answer and less what it
is given anyway. A session's: what all its bundles may take together. An estimate is judged by the
upper end of its band.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Protocol

from orch_tui.config import DEFAULTS
from orch_tui.errors import OverBudgetError
from orch_tui.frozen import frozen
from orch_tui.models.values import PRIORITIES
from orch_tui.prepare.count import ZERO, Count, describe_known

if TYPE_CHECKING:
    from orch_tui.prepare.catalogue import Model

EACH = "*"
"""Names every type of agent."""

STATUSES = ("ok", "warning", "critical", "over")
"""Of a gauge, from best to worst."""


class Agents(Protocol):
    """What Claude Code knows of agents by their type; ``prepare.ambient`` finds it on disk."""

    def tokens(self, agent_type: str, model: Model) -> Count:
        """Count, for a model, what such an agent has before it is handed anything."""
        ...

    def model(self, agent_type: str) -> str:
        """Find the model that its definition asks for; empty where it asks for none."""
        ...

    def problems(self, agent_type: str) -> Sequence[str]:
        """List what is wrong with its definition and the files it is given."""
        ...


class _NoAgents:
    """There is no project to look in."""

    def tokens(self, agent_type: str, model: Model) -> Count:
        return ZERO

    def model(self, agent_type: str) -> str:
        return ""

    def problems(self, agent_type: str) -> Sequence[str]:
        return ()


@frozen
class Limits:
    """What the configuration says about budgets; tokens and shares of a limit."""

    budget: int = DEFAULTS.budget
    warn_threshold: float = DEFAULTS.warn_threshold
    critical_threshold: float = DEFAULTS.critical_threshold
    output_reserve: int = DEFAULTS.output_reserve
    agent_limits: tuple[tuple[str, int], ...] = ()
    """Tokens that agents of a type may be handed at most, whatever their windows take; the type
    ``EACH`` means all that are not named."""
    agents: Agents = field(default=_NoAgents(), compare=False)
    """Whose ambient context is taken off the limits of agents."""


class WeighedItem(Protocol):
    """A context item, as far as budgets care: its priority and its tokens."""

    @property
    def priority(self) -> str: ...
    @property
    def count(self) -> Count: ...
    @property
    def is_pointed_to(self) -> bool: ...


@frozen
class LimitGauge:
    """How much of one limit is taken, in tokens."""

    name: str
    """``agent limit`` or ``session budget``."""

    used: Count
    limit: int
    warn_threshold: float
    critical_threshold: float
    ambient: Count = ZERO
    """Of an agent limit: what the agent has anyway. Its upper end is taken off the limit."""
    known: int = 0
    """Of a session budget: how many bundles and executions ``used`` is the sum of."""
    unknown: int = 0
    """How many more there are, without a count."""

    @property
    def share(self) -> float:
        """The share of the limit at the upper end of the band: above 1 when over, and of no
        limit at all infinite."""
        return self.used.high / self.limit if self.limit > 0 else float("inf")

    @property
    def status(self) -> str:
        """One of ``STATUSES``, by the upper end of the band; exactly the limit is not over it."""
        if self.used.high > self.limit:
            return "over"
        if self.used.high >= self.critical_threshold * self.limit:
            return "critical"
        return "warning" if self.used.high >= self.warn_threshold * self.limit else "ok"

    @property
    def remaining(self) -> int:
        """The limit less the tokens taken (not their upper end); negative when over."""
        return self.limit - self.used.tokens

    def __str__(self) -> str:
        """In plain words: ``session budget: ~84,100 ±4 % of 200,000 tokens, ok, 115,900 left``."""
        text = f"{self.name}: {self.used} of {self.limit:,} tokens, {self.status}"
        if self.status == "over":
            excess = self.used.high - self.limit
            text += f" by {'' if self.used.exact else 'up to '}{excess:,}"
        else:
            text += f", {'' if self.used.exact else 'about '}{self.remaining:,} left"
        if self.unknown:
            text += f" ({describe_known(self.known, self.unknown)})"
        return f"{text} (besides {self.ambient} ambient)" if self.ambient.tokens else text


@frozen
class Judgement:
    """A bundle against both limits."""

    agent: LimitGauge
    session: LimitGauge
    by_priority: dict[str, Count]
    others: Count = ZERO
    """What the session's other bundles take of its budget."""

    @property
    def status(self) -> str:
        """The worse of the two, one of ``STATUSES``."""
        return max(self.agent.status, self.session.status, key=STATUSES.index)

    def require_fit(self) -> None:
        """Refuse a bundle that is over a limit.

        Raises:
            OverBudgetError: the figures of each limit that it is over, and what could be left out.
        """
        over = [gauge for gauge in (self.agent, self.session) if gauge.status == "over"]
        if over:
            spare = ", ".join(
                f"{count} {priority}"
                for priority, count in self.by_priority.items()
                if priority != "required" and count.tokens
            )
            raise OverBudgetError(
                "; ".join(map(str, over)),
                hint=f"leave items out ({spare}), or allow the overflow and say why"
                if spare
                else "everything is required: give less, or allow the overflow and say why",
            )


def compute_agent_limit(model: Model, limits: Limits, agent_type: str = "") -> int:
    """Compute how many tokens a bundle for an agent may take; never below 0.

    The window of its model, less what is kept free for its answer and, at the upper end, what an
    agent of that type has anyway; less where a limit was set for it. Without a type it has nothing.
    """
    ambient = limits.agents.tokens(agent_type, model)
    room = max(0, model.window - limits.output_reserve - ambient.high)
    own = dict(limits.agent_limits)
    return min(room, own.get(agent_type, own.get(EACH, room)))


def gauge_agent(used: Count, agent_type: str, model: Model, limits: Limits) -> LimitGauge:
    """Gauge what an agent is handed against its limit, with its ambient context beside it."""
    limit = compute_agent_limit(model, limits, agent_type)
    found = gauge_limit("agent limit", used, limit, limits)
    return replace(found, ambient=limits.agents.tokens(agent_type, model))


def gauge_limit(name: str, used: Count, limit: int, limits: Limits) -> LimitGauge:
    """Gauge what is used of any limit by the thresholds of ``limits``."""
    return LimitGauge(name, used, limit, limits.warn_threshold, limits.critical_threshold)


def judge_count(
    total: Count,
    model: Model,
    limits: Limits,
    *,
    agent_type: str = "",
    items: Iterable[WeighedItem] = (),
    session_used: Count = ZERO,
) -> Judgement:
    """Judge what an agent is handed by its limit and by the budget.

    ``items`` are those of it whose priorities tell what could be left out; ``session_used`` is
    what the session's other bundles take of the budget.
    """
    return Judgement(
        gauge_agent(total, agent_type, model, limits),
        gauge_limit("session budget", session_used + total, limits.budget, limits),
        sum_by_priority(items),
        session_used,
    )


def sum_by_priority(items: Iterable[WeighedItem]) -> dict[str, Count]:
    """Sum the tokens of what is handed over by priority: all of ``PRIORITIES``, in that order."""
    counts: dict[str, Count] = {priority: ZERO for priority in PRIORITIES}
    for item in items:
        if not item.is_pointed_to:
            counts[item.priority] += item.count
    return counts
