"""How a run ended, as a person says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orch_tui.errors import UsageError
from orch_tui.screens.dialogs import Ask, Choose
from orch_tui.screens.screen_part import ScreenPart


@dataclass(frozen=True, slots=True)
class ReturnOutcome:
    """What is said of the return besides its message."""

    status: str = "completed"
    error_message: str | None = None
    error_code: str | None = None
    reason: str | None = None
    """Why it ended otherwise than was recorded."""
    is_chosen: bool = False
    """By a person: otherwise a return that is recorded already keeps its outcome."""


def ask_failure(part: ScreenPart, reason: str, then: Callable[[ReturnOutcome], None]) -> None:
    """Ask why a run failed, and for the kind of failure."""
    from orch_tui.rows import ERROR_CODES

    def ask_code(why: str | None) -> None:
        if why is None:
            return
        if not why.strip():
            error = UsageError("a failure needs a reason", hint="nothing was recorded")
            part.refuse(error, "record")
            return
        kinds = [("", "no code"), *((c, f"{c} {name}") for c, name in ERROR_CODES.items())]
        part.app.push_screen(
            Choose("Which kind of failure?", kinds),
            lambda code: (
                None
                if code is None
                else then(ReturnOutcome("failed", why.strip(), code or None, is_chosen=True))
            ),
        )

    part.app.push_screen(Ask("Why did it fail?", value=reason), ask_code)
