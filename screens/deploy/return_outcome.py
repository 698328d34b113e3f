"""How a run ended, as a person says it: outcome, reason and kind of failure in one form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orch_tui.prepare.validation import Remark
from orch_tui.rows import ERROR_CODES
from orch_tui.screens.screen_part import ScreenPart
from orch_tui.screens.widgets.form import Field, Form, Values

WORDS = {"completed": "done", "failed": "failed"}
"""What the endings of the record are called on the screen."""
_STATUSES = {word: status for status, word in WORDS.items()}


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


def ask_outcome(
    part: ScreenPart,
    title: str,
    then: Callable[[ReturnOutcome], None],
    *,
    now: ReturnOutcome,
    recorded: str = "",
    may_be_done: bool = True,
) -> None:
    """Ask how a run ended, beginning with ``now``; ``recorded`` is the status that the record has
    already (empty: none): another one needs a reason. Where it cannot be done, why it failed is
    all that is asked."""

    def status_of(values: Values) -> str | None:
        return _STATUSES.get(values.get("outcome", "failed").strip().lower())

    def check(values: Values) -> list[Remark]:
        status = status_of(values)
        if status is None:
            return [Remark("outcome", "done or failed", stops=True)]
        remarks = []
        if not values["why"].strip() and (status == "failed" or recorded not in ("", status)):
            needed = "a failure needs a reason" if status == "failed" else "say why, after all"
            remarks.append(Remark("why", needed, stops=True))
        code = values["kind"].strip()
        if code and (code.upper() not in ERROR_CODES or status != "failed"):
            wrong = (
                "no such kind: leave it empty, or ↓ in the empty line"
                if status == "failed"
                else "only a failure has a kind"
            )
            remarks.append(Remark("kind", wrong, stops=True))
        return remarks

    def answered(values: dict[str, str] | None) -> None:
        if values is None:
            return
        status, why = status_of(values) or "", values["why"].strip() or None
        failed = status == "failed"
        then(
            ReturnOutcome(
                status,
                why if failed else None,
                (values["kind"].strip().upper() or None) if failed else None,
                why if recorded not in ("", status) else None,
                is_chosen=True,
            )
        )

    accept = "takes this outcome" if may_be_done else "closes it as failed"
    endings = [("done", "it did what it was to do"), ("failed", "it did not")]
    fields = [
        *[Field("outcome", "outcome", WORDS[now.status], "done or failed", endings)] * may_be_done,
        Field("why", "why", now.error_message or "", "in a sentence; found again by its words"),
        Field(
            *("kind", "kind", now.error_code or "", "of failure; may stay empty"),
            list(ERROR_CODES.items()),
        ),
    ]
    part.app.push_screen(Form(title, fields, check=check, accept=accept, at="why"), answered)
