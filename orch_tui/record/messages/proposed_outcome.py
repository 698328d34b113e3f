"""How a run ended, as its final message tells: proposed to whoever records it."""

from __future__ import annotations

from collections.abc import Iterable

from orch_tui.frozen import frozen
from orch_tui.models.values import Ending
from orch_tui.record.agent_words import AgentWords
from orch_tui.record.ledger.doubt import doubt_of_text
from orch_tui.record.messages.admitted_failures import find_admitted_failure
from orch_tui.record.messages.message_lines import read_lines


@frozen
class ProposedOutcome:
    """An ending, and what speaks for it."""

    status: Ending = "completed"
    reason: str = ""
    """Why it failed; empty where it did not."""
    because: str = ""
    """What was read that says so, for people; empty where nothing says anything."""

    @property
    def doubt(self) -> str | None:
        """Why a run is in doubt that is recorded as completed all the same; None: it is not."""
        if self.status == "completed":
            return None
        return f"it says: {self.reason}" if self.because == _SAYS_SO else self.reason


_SAYS_SO = "its message says so"


def find_failure(said: AgentWords) -> ProposedOutcome | None:
    """Find what says that a run failed: Claude Code's notes, an error in place of words, or the
    agent itself. None where nothing does."""
    if said.error or said.doubt:
        return ProposedOutcome("failed", said.error or said.doubt or "", "Claude Code notes it")
    if said.text.strip() and (doubt := doubt_of_text(said.text)):
        return ProposedOutcome("failed", doubt, "an error stands in place of its words")
    admitted = find_admitted_failure(read_lines(said.text).lines)
    return ProposedOutcome("failed", admitted, _SAYS_SO) if admitted else None


def propose_outcome(
    failure: ProposedOutcome | None, checks: Iterable[tuple[str, str]]
) -> ProposedOutcome:
    """Propose how a run ended by what says that it failed and by the results of its checks."""
    if failure is not None:
        return failure
    results = list(checks)
    failed = [name for name, result in results if result.lower() == "fail"]
    if failed:
        word = "check" if len(failed) == 1 else "checks"
        return ProposedOutcome("failed", f"{word} failed: {', '.join(failed)}", "by its checks")
    return ProposedOutcome(because="its checks pass" if results else "")
