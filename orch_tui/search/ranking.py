"""How well runs match the words of a query: what they were about first, then what they said."""

from __future__ import annotations

import json
from bisect import insort
from collections.abc import Iterator, Sequence

from orch_tui.models.database import Record
from orch_tui.search.checking import Position
from orch_tui.search.documents import clean_text
from orch_tui.search.matching import WordMatcher
from orch_tui.search.tokens import FoldedText, fold_text

_OPENING = 1000  # bytes of a message in which it counts how often a word stands
_READ_AT_ONCE = 40  # messages
_HALF_LIFE = 30 * 8640  # slots (30 days) in which recency counts half

_IN_SCOPE = 6.0
_OFTEN = 4.0
_IN_MESSAGE = 1.0
_AS_PART = 0.6  # of a name in the scope or the message
_ELSEWHERE = 0.25  # of a word that only another text has
"""What a word counts. Recency adds half at most, so none reaches the one above it by that."""


def rank_positions(
    record: Record, matchers: Sequence[WordMatcher], positions: Sequence[Position]
) -> Iterator[Position]:
    """Rank runs by how well they match, recent ones more; no clock, so that pages agree.

    Whole messages are looked through for the ones that come next only.
    """
    texts = record.sql(
        f"SELECT execution_id, scope, substr(CAST(final_message AS BLOB), 1, {_OPENING}) "
        "FROM agent_executions WHERE execution_id IN (SELECT value FROM json_each(?))",
        [json.dumps([position.execution_id for position in positions])],
    )
    by_id = {position.execution_id: position for position in positions}
    latest = max(position.docid for position in positions)
    runs = []
    for execution_id, scope, opening in texts:
        position = by_id[execution_id]
        recency = 1 + 0.5 ** (1 + (latest - position.docid) / _HALF_LIFE)
        run = RankedRun(matchers, position, clean_text(scope), opening or b"", recency)
        runs.append((run.score_at_most, position, run))
    runs.sort(key=lambda each: each[:2], reverse=True)
    judged: list[tuple[float, Position]] = []
    for number, (at_most, position, run) in enumerate(runs):
        while judged and judged[-1] >= (at_most, position):
            yield judged.pop()[1]
        if run.lacks_message:
            _load_messages(record, [each for _, _, each in runs[number : number + _READ_AT_ONCE]])
        insort(judged, (run.score, position))
    while judged:
        yield judged.pop()[1]


def _load_messages(record: Record, runs: Sequence[RankedRun]) -> None:
    lacking = {run.position.execution_id: run for run in runs if run.lacks_message}
    for execution_id, message in record.sql(
        "SELECT execution_id, final_message FROM agent_executions "
        "WHERE execution_id IN (SELECT value FROM json_each(?))",
        [json.dumps(list(lacking))],
    ):
        lacking[execution_id].take_message(clean_text(message))


class RankedRun:
    """What a run's rank is judged by: its scope, the opening of its message, then the rest."""

    __slots__ = ("_known", "_message", "_recency", "_scope", "_unknown", "position")

    def __init__(
        self,
        matchers: Sequence[WordMatcher],
        position: Position,
        scope: str,
        opening: bytes,
        recency: float,
    ) -> None:
        self.position = position
        self._scope, self._recency = scope, recency
        self._message: str | None = None
        folded_scope, folded = fold_text(scope), fold_text(opening.decode(errors="ignore"))
        self._known = 0.0
        self._unknown = []
        for matcher in matchers:
            times = matcher.count(folded)
            worth = _IN_MESSAGE + _OFTEN * times / (times + 1.5)
            if matcher.stands_in(folded_scope):
                self._known += _IN_SCOPE + worth
            elif times:
                self._known += worth
            else:
                self._unknown.append(matcher)

    @property
    def lacks_message(self) -> bool:
        """Whether its score depends on a message that was not taken yet."""
        return bool(self._unknown) and self._message is None

    def take_message(self, message: str) -> None:
        self._message = message

    @property
    def score_at_most(self) -> float:
        """What it would score if the rest of its message had all words."""
        return (self._known + _IN_MESSAGE * len(self._unknown)) * self._recency

    @property
    def score(self) -> float:
        if self._unknown:
            message = self._message or ""
            # Most stand there as they are sought: then nothing needs to be folded.
            left = [matcher for matcher in self._unknown if not matcher.stands_in(message)]
            self._known += _IN_MESSAGE * (len(self._unknown) - len(left))
            if left:
                whole = FoldedText(f"{self._scope}\n{message}")
                self._known += sum(_judge(matcher, whole) for matcher in left)
            self._unknown = []
        return self._known * self._recency


def _judge(matcher: WordMatcher, text: FoldedText) -> float:
    if matcher.stands_in(text.folded):
        return _IN_MESSAGE
    return _AS_PART if any(matcher.spans(text)) else _ELSEWHERE
