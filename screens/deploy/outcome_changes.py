"""What is said of how a run ended, after it came back or where it never did."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from orch_tui.rows import ERROR_CODES
from orch_tui.screens.deploy.return_outcome import WORDS, ReturnOutcome, ask_outcome
from orch_tui.screens.dialogs import Choose
from orch_tui.screens.screen_part import ScreenPart
from orch_tui.screens.theme import SIGNS
from orch_tui.screens.widgets.safe import one_line
from orch_tui.times import ago

if TYPE_CHECKING:
    from orch_tui.recall.run_endings import RunEnding
    from orch_tui.record.completion import RecordedReturn

_ENDED = {
    True: f"{SIGNS['done']} done",
    False: f"{SIGNS['failed']} failed",
    None: f"{SIGNS['doubt']} in doubt",
}


class OutcomeChanges:
    """Asks for an outcome and its reason, and has it recorded."""

    def __init__(self, part: ScreenPart, changed: Callable[[], None]) -> None:
        """``changed`` is called when the record has another outcome."""
        self._part = part
        self._changed = changed

    def ask_what_is_meant(
        self, ending: RunEnding, now: str, *, another: Callable[[], None], again: Callable[[], None]
    ) -> None:
        """Say how a run came back, and ask what is to be done: change that, record ``another``
        message of it, or hand it over ``again``."""
        words = f"“{one_line(ending.words, 200)}”" if ending.words else "It gave no message."
        choices = [
            ("outcome", "change how it ended"),
            ("message", "record another message of it, as one more return"),
            ("again", "hand it over again, as another attempt"),
        ]
        parts = ("came back", _ENDED[ending.went_well], ago(ending.completed_at, now))
        question = " · ".join((one_line(ending.agent_type, 40), *parts))
        acts = {"outcome": lambda: self._amend(ending), "message": another, "again": again}
        self._part.app.push_screen(
            Choose(question, choices, detail=words), lambda what: acts[what]() if what else None
        )

    def _amend(self, ending: RunEnding) -> None:
        was = ReturnOutcome(ending.status)
        if ending.status == "failed":
            code = next((each for each in ERROR_CODES if ending.words.endswith(each)), None)
            reason = ending.words.removesuffix(code or "").removesuffix(", ")
            was = ReturnOutcome("failed", reason, code)
        ask_outcome(
            self._part,
            f"How did {one_line(ending.agent_type, 40)} end?",
            lambda outcome: self._record(ending.execution_id, outcome),
            now=was,
            recorded=ending.status,
        )

    def close(self, execution_id: str, name: str) -> None:
        """Ask why a run failed that never came back."""
        ask_outcome(
            self._part,
            f"Close {one_line(name, 40)} as failed",
            lambda outcome: self._record(execution_id, outcome),
            now=ReturnOutcome("failed"),
            may_be_done=False,
        )

    def _record(self, execution_id: str, outcome: ReturnOutcome) -> None:
        from orch_tui.record.completion import record_completion

        project = self._part.app.project
        self._part.app.news.expect(execution_id)
        self._part.run_in_thread(
            lambda: record_completion(
                project.record,
                execution_id,
                status=outcome.status,
                error_message=outcome.error_message,
                error_code=outcome.error_code,
                supersede=outcome.reason,
            ),
            self._recorded,
            group="record",
        )

    def _recorded(self, recorded: RecordedReturn) -> None:
        name = one_line(recorded.execution.agent_type, 40)
        self._part.notify(f"{name} is {WORDS[recorded.completion.status]}", markup=False)
        self._changed()
