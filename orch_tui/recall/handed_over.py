"""How what an agent was handed differs from what was planned for it."""

from __future__ import annotations

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.prepare.marker import is_hand_over, remove_marker
from orch_tui.record.ledger.merge import UNKNOWN
from orch_tui.record.ledger.rebuild import stored_observations
from orch_tui.record.ledger.statement import Deployed
from orch_tui.rows import ExecutionFacts


@frozen
class TextDifference:
    """A text beside the planned one: the lines that are not in the other."""

    planned_lines: int = 0
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    is_only_line: bool = False
    """It is the line that names the briefing, which the agent had to read by itself."""

    @property
    def summary(self) -> str:
        """What differs, in a line."""
        if self.is_only_line:
            return "the line that names the briefing, which it had to read by itself"
        if not self.missing and not self.added:
            return "as planned, but for spaces and line ends"
        return (
            f"not as planned: {len(self.missing):,} of {self.planned_lines:,} lines missing, "
            f"{len(self.added):,} not planned"
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that differ, those that are missing first."""
        return (*(f"- {line}" for line in self.missing), *(f"+ {line}" for line in self.added))


def compare_texts(planned: str, got: str) -> TextDifference:
    """Compare a text with the planned one; how lines are wrapped does not count."""
    if is_hand_over(got):
        return TextDifference(is_only_line=True)
    mine, its = _split_lines(planned), _split_lines(remove_marker(got))
    missing, added = _lines_not_in(mine, its), _lines_not_in(its, mine)
    return TextDifference(len(mine), missing, added)


def _split_lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.split("\n") if line.strip()]


def _lines_not_in(lines: list[str], others: list[str]) -> tuple[str, ...]:
    there, joined = set(others), "".join("".join(others).split())
    return tuple(
        line for line in lines if line not in there and "".join(line.split()) not in joined
    )


def find_called_type(record: Record, execution: ExecutionFacts) -> str | None:
    """The agent type of the call, as a machine saw it, where the execution is of another."""
    called = [
        o.statement.agent_type
        for o in stored_observations(record, execution.execution_id)
        if isinstance(o.statement, Deployed) and o.source in ("hook", "import")
    ]
    named = [name for name in called if name not in (None, UNKNOWN, execution.agent_type)]
    return named[-1] if named else None
