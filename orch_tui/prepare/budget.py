"""What fits, in one place: every command and screen asks here.

Two limits. An agent's: its model's window less what is kept free for its answer and less what it
is given anyway. A session's: what all its bundles may take together. An estimate is judged by the
upper end of its band.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from orch_tui.errors import OverBudgetError
from orch_tui.prepare.bundle import PRIORITIES
from orch_tui.prepare.catalogue import Model
from orch_tui.prepare.tokens import ZERO, Count

STATUSES = ("ok", "warning", "critical", "over")
"""Of a gauge, from best to worst."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the configuration says about budgets; tokens and shares of a limit."""

    budget: int = 200_000
    warn_threshold: float = 0.75
    critical_threshold: float = 0.90
    output_reserve: int = 32_000


class Weighed(Protocol):
    """A context item, as far as budgets care."""

    @property
    def priority(self) -> str: ...
    @property
    def count(self) -> Count: ...


@dataclass(frozen=True, slots=True)
class Gauge:
    """How much of one limit is taken."""

    name: str
    """``agent limit`` or ``session budget``."""

    used: Count
    limit: int
    warn_threshold: float
    critical_threshold: float

    @property
    def share(self) -> float:
        """Of the limit, at the upper end of the band; above 1 when over."""
        return self.used.high / self.limit if self.limit > 0 else float("inf")

    @property
    def status(self) -> str:
        """``ok``, ``warning``, ``critical`` or ``over``."""
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
            return f"{text} by {'' if self.used.exact else 'up to '}{excess:,}"
        return f"{text}, {'' if self.used.exact else 'about '}{self.remaining:,} left"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A bundle against both limits."""

    agent: Gauge
    session: Gauge
    by_priority: dict[str, Count]

    @property
    def status(self) -> str:
        """The worse of the two."""
        return max(self.agent.status, self.session.status, key=STATUSES.index)

    def require(self) -> None:
        """Raise OverBudgetError, with the figures, when either limit is exceeded."""
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


def agent_limit(model: Model, limits: Limits, *, ambient: int = 0) -> int:
    """Tokens that a bundle for an agent of that model may take; ``ambient`` is what the agent is
    given besides (its definition, CLAUDE.md files, skills)."""
    return max(0, model.window - limits.output_reserve - ambient)


def gauge(name: str, used: Count, limit: int, limits: Limits) -> Gauge:
    """One limit by itself, such as a session's over all its bundles."""
    return Gauge(name, used, limit, limits.warn_threshold, limits.critical_threshold)


def judge(
    items: Iterable[Weighed],
    model: Model,
    limits: Limits,
    *,
    session_used: Count = ZERO,
    ambient: int = 0,
) -> Judgement:
    """A bundle's items against the limit of its agent, and, with what the session's other bundles
    take, against the session budget."""
    by_priority = totals(items)
    total = sum(by_priority.values(), ZERO)
    return Judgement(
        gauge("agent limit", total, agent_limit(model, limits, ambient=ambient), limits),
        gauge("session budget", session_used + total, limits.budget, limits),
        by_priority,
    )


def totals(items: Iterable[Weighed]) -> dict[str, Count]:
    """Tokens by priority, all three of them, in their order."""
    counts = dict.fromkeys(PRIORITIES, ZERO)
    for item in items:
        counts[item.priority] += item.count
    return counts
