"""One running agent as faces show it."""

from __future__ import annotations

from orch_tui.frozen import frozen
from orch_tui.live.agent_state import ENDED, NEEDS_SOMEBODY, Mark, StateName


@frozen
class LiveStep:
    """One thing an agent did: words, or the call of a tool with its answer."""

    at: str
    tool: str
    """Empty: words."""
    text: str
    """The words, or what the call is about."""
    seconds: float | None
    """Until the answer; None: there is none yet."""
    size: int | None
    """Bytes of the answer."""
    is_error: bool
    added: int | None = None
    """Lines that an edit adds, as it was asked for; None: it edits nothing."""
    removed: int | None = None


@frozen
class LiveTask:
    """A command that an agent left running in the background."""

    task_id: str
    target: str
    """The command."""
    size: int
    """Bytes that it printed so far."""
    lines: tuple[str, ...]
    """The last ones, oldest first."""


@frozen
class LiveAgent:
    """What an agent does at one look; figures are so far.

    Times are UTC text as the record writes them; texts are one line without control characters.
    """

    execution_id: str | None
    """None: the record does not know it, or not yet."""
    claude_session: str
    agent_id: str
    parent: str | None
    """The agent that launched it; None: the main conversation did."""
    depth: int
    """0 for who has no parent here."""
    agent_type: str
    scope: str
    model: str
    state: StateName
    evidence: str
    """How one knows the state."""
    since: str
    """When the state began."""
    seconds: float
    """How long it has lasted."""
    tool: str
    """The tool of an open call, or that a permission is asked for."""
    target: str
    """The file, command or pattern it is about."""
    more_calls: int
    """Other open calls."""
    count: int
    """Of ``waiting``: children; of ``retrying``: attempts after the first."""
    marks: tuple[Mark, ...]
    """What should worry one: silent, loops, polls (the same call, other results), full."""
    repeats: int
    """How often, for ``loops`` and ``polls``."""
    quiet: float
    """Seconds since its newest record."""
    calls: int
    subtree_calls: int
    """With those of its children and theirs."""
    context: int
    """Tokens of its newest request."""
    window: int | None
    """What its model can take; None: not known."""
    cost: float | None
    """USD; None: not known."""
    subtree_cost: float | None
    """None: that of one of them is not known."""
    subtree_known_cost: float
    """Of those of whom it is known."""
    subtree_is_partial: bool
    """Something was passed over in one of their transcripts."""
    is_partial: bool
    """Some of its transcript was passed over: figures are a lower bound."""
    words: str
    """The last ones."""
    tasks: tuple[LiveTask, ...] = ()
    """What it runs in the background, oldest first."""
    prints: tuple[str, ...] = ()
    """The last lines of the command whose end it waits for, where they can be told."""

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    @property
    def needs_somebody(self) -> bool:
        """Whether it waits for a person."""
        return self.state in NEEDS_SOMEBODY

    @property
    def filled(self) -> float | None:
        """The share of its window that is filled; None where that is not known."""
        return self.context / self.window if self.window and self.context else None

    @property
    def doing(self) -> str:
        """The state in words: ``Bash make test +1``, ``asks Write new.txt``, ``thinking``."""
        more = f" +{self.more_calls}" if self.more_calls else ""
        call = f"{self.tool} {self.target}".strip() + more
        if self.state == "tool":
            return call
        if self.state in NEEDS_SOMEBODY:
            return f"{self.state} {call}"
        if self.state == "waiting":
            return f"waits for {self.count}"
        if self.state == "retrying":
            return f"tries again ({self.count})"
        if self.state == "unknown" and self.tool:
            return f"unknown, in {call}"
        return self.state

    @property
    def signs(self) -> str:
        """The marks in words: ``silent, loops x6``; empty where there are none."""
        return ", ".join(
            f"{mark} x{self.repeats}" if mark in ("loops", "polls") else mark for mark in self.marks
        )


@frozen
class LiveSnapshot:
    """All agents at one look, parents before their children."""

    at: str
    agents: tuple[LiveAgent, ...] = ()
    has_more: bool = False
    """Something was left to the next look."""

    @property
    def running(self) -> tuple[LiveAgent, ...]:
        """Those that have not ended."""
        return tuple(agent for agent in self.agents if not agent.has_ended)

    @property
    def counts(self) -> tuple[tuple[int, str], ...]:
        """How many run, ask, are silent, loop: those that are not none, with their word."""
        running = self.running
        counted = (
            (len(running), "running"),
            (sum(agent.needs_somebody for agent in running), "asks"),
            (sum("silent" in agent.marks for agent in running), "silent"),
            (sum("loops" in agent.marks for agent in running), "loops"),
        )
        return tuple((number, word) for number, word in counted if number)

    @property
    def summary(self) -> str:
        """``5 running · 1 asks · 1 silent``; empty where none runs."""
        return " · ".join(f"{number} {word}" for number, word in self.counts)

    def of_execution(self, execution_id: str) -> LiveAgent | None:
        """The agent of an execution; None where none is seen here."""
        return next((a for a in self.agents if a.execution_id == execution_id), None)
