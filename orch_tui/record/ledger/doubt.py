"""Whether a run that is reported as completed is to be believed.

Claude Code has reported runs as completed that ended in an API error or said nothing at all. The
status stays what was reported; the doubt stands beside it, with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from orch_tui.record.messages.patterns import compile_lazily, holds_any

EMPTY = "its final message is empty"
UNHEARD = "nobody heard its final message"
ELSEWHERE = "it handed its report back in a message of its own, which nobody heard"
ENDED_WITH = "it ended with "
SILENT = (EMPTY, UNHEARD, ELSEWHERE)
"""What is doubted where there is no message: whoever has one takes it away."""

ERROR = compile_lazily(
    r"[\W_]{0,6}(?:API Error\b|(?:\w{1,20}\s+)?rate limit (?:reached|exceeded|error)"
    r"|Prompt is too long|\[?Request interrupted by user|Credit balance is too low"
    r"|Invalid API key|(?:Claude(?: AI)? )?usage limit reached|\d-hour limit reached"
    r"|You['’]ve hit your (?:\w{1,10} )?limit|overloaded_error|Context (?:low|limit reached)"
    r"|Conversation too long|Execution error\b|Internal server error|Connection error\b"
    r"|Request timed out|Agent terminated|Error: )",
    re.I,
    where=holds_any(
        *("error", "limit", "too long", "too low", "context low", "interrupted", "api key"),
        *("timed out", "terminated"),
    ),
)
"""How a line begins that Claude Code or the API wrote in place of an agent's words."""

_RATE_LIMIT = compile_lazily(r"rate.?limit|usage limit|hit your|hour limit|\b429\b", re.I)
_LONGEST_ERROR = 2_000
"""Characters; whatever is longer is a report, whichever words it begins with."""

_CUT_OFF = {
    "max_tokens": "cut off: it reached the limit of its output",
    "model_context_window_exceeded": "cut off: its context was full",
    "pause_turn": "cut off: it paused in the middle of a turn",
    "refusal": "the model refused",
}
"""Reasons to stop (of the Messages API) with which an answer is not complete."""


def doubt_of_text(text: str) -> str | None:
    """Say why a final message is not an agent's report; None where nothing speaks against it."""
    begins = text.lstrip()[:_LONGEST_ERROR]
    if not begins:
        return EMPTY
    if len(begins) == _LONGEST_ERROR or not ERROR.match(begins):
        return None
    if begins.startswith("Error: ") and begins.count("\n") > 3:
        return None  # an agent writing about some error
    what = "a rate limit" if _RATE_LIMIT.search(begins) else "an API error"
    return f"{ENDED_WITH}{what}: {' '.join(begins[:120].split())}"


def doubt_of_missing(paths: Iterable[str]) -> str | None:
    """Say why a run is in doubt whose deliverables were missing when they were collected."""
    first, *others = (*paths, "")
    if not first:
        return None
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return f"missing when it was collected: {first}{more}"


def doubt_of_stop(stop_reason: str | None) -> str | None:
    """Say why an answer with this stop reason is not whole; None where it is."""
    return _CUT_OFF.get(stop_reason or "")
