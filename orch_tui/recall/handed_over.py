"""How what an agent was handed differs from what was planned for it."""

from __future__ import annotations

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.prepare.marker import is_hand_over, remove_marker
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
    there = set(others)
    unlike = [line for line in lines if line not in there]
    if not unlike:
        return ()
    joined = _JoinedText("".join("".join(others).split()))
    return tuple(line for line in unlike if not joined.holds("".join(line.split())))


class _JoinedText:
    """A text without white space in which many lines are looked for.

    To search it for each of them would be quadratic. Where every eighth piece of eight characters
    stands is known, and any fifteen characters hold one of those, so a line can only stand where a
    piece of its beginning does. Shorter lines are searched for. Both are bounded: what is left over
    of a text that repeats itself, or of very many short lines, counts as not there.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces: dict[str, list[int]] = {}
        for at in range(0, len(text) - _PIECE + 1, _PIECE):
            self._pieces.setdefault(text[at : at + _PIECE], []).append(at)
        self.compared = self.searched = 0

    def holds(self, line: str) -> bool:
        if len(line) < 2 * _PIECE - 1:
            self.searched += len(self._text)
            return self.searched <= _MOST_SEARCHED and line in self._text
        for start in range(_PIECE):
            for at in self._pieces.get(line[start : start + _PIECE], ()):
                self.compared += 1
                if self.compared > _MOST_COMPARED:
                    return False
                if self._text.startswith(line, at - start) and at >= start:
                    return True
        return False


_PIECE = 8
_MOST_COMPARED = 1_000_000
_MOST_SEARCHED = 100_000_000
"""Characters."""


def find_called_type(record: Record, execution: ExecutionFacts) -> str | None:
    """The agent type of the call, as a machine saw it, where the execution is of another."""
    seen = "SELECT 1 FROM observations WHERE execution_id = ? AND source IN ('hook', 'import')"
    if not record.value(f"SELECT EXISTS ({seen})", [execution.execution_id]):
        return None
    # They take as long to import as all else that shows a run, which most often nobody but a
    # person told of.
    from orch_tui.record.ledger.merge import UNKNOWN
    from orch_tui.record.ledger.rebuild import stored_observations
    from orch_tui.record.ledger.statement import Deployed

    called = [
        o.statement.agent_type
        for o in stored_observations(record, execution.execution_id)
        if isinstance(o.statement, Deployed) and o.source in ("hook", "import")
    ]
    named = [name for name in called if name not in (None, UNKNOWN, execution.agent_type)]
    return named[-1] if named else None
