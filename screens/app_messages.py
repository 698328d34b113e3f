"""What threads tell the app: what was read of the record, and what agents do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from orch_tui.install.offers import Offer
    from orch_tui.live.live_agent import LiveSnapshot, LiveStep
    from orch_tui.prepare.budget import LimitGauge as Figures
    from orch_tui.recall.run_endings import RunEnding
    from orch_tui.rows import Session


@dataclass(frozen=True)
class LastSteps:
    """What one agent did last."""

    of: tuple[str, str]
    """The agent, by session and id."""
    steps: tuple[LiveStep, ...]


@dataclass
class SessionRead(Message, bubble=False):
    """What the header shows."""

    session: Session | None
    gauge: Figures | None
    waiting: tuple[str, ...] = ()
    """Its runs that were handed over and have not returned."""


@dataclass
class HubLagSeen(Message, bubble=False):
    """How far behind its hub the record is, in words; empty where it is not."""

    words: str


@dataclass
class Reindexed(Message, bubble=False):
    """Some runs that another version of orch had indexed were indexed anew."""

    remaining: int


class RecordChanged(Message, bubble=False):
    """Another process wrote to the record, or it is a different file now."""


@dataclass
class ReturnsRead(Message, bubble=False):
    """The runs that came back since somebody looked."""

    endings: list[RunEnding]


@dataclass
class AgentsSeen(Message, bubble=False):
    """What running agents do, and what the one that is followed did last."""

    live: LiveSnapshot
    steps: LastSteps | None

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, AgentsSeen)


@dataclass
class Offered(Message, bubble=False):
    """There are runs that could be recorded and are not."""

    offer: Offer
