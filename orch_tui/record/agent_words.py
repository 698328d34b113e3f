"""An agent's own words in what Claude Code hands to whoever launched it.

Since 2.1.2xx a result is the agent's words with notes of Claude Code before and behind them, as
content blocks of their own. ``harnessNoteCount`` and ``harnessTailCount`` say how many; older
releases wrote notes without counting them. In a nested agent's file, where only the text that the
model was shown is left, a line at column zero frames the words and each of theirs is indented by
two (measured with the releases 2.1.96 to 2.1.332).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from orch_tui.frozen import frozen
from orch_tui.record.ledger.doubt import ELSEWHERE
from orch_tui.record.ledger.statement import RunEnd
from orch_tui.record.messages.patterns import compile_lazily

_TOOLS_USED = compile_lazily(
    r"\s*<tools-used-before-summary>[^<]{0,10000}</tools-used-before-summary>\s*"
)
_TURN_LIMIT = compile_lazily(r"\s*NOTE: this agent stopped at its (\d{1,9})-turn limit\b")
_ENDED_EARLY = compile_lazily(r"\s*Agent terminated early due to an API error:?\s*([^\n]{0,2000})")
_PARTIAL = compile_lazily(r"\bPARTIAL\b")
_PARTIAL_FOLLOWS = compile_lazily(r"\s*Everything below is PARTIAL output\b")
_FORK_BEGAN = compile_lazily(r"\s*Fork started\b.{0,20}\bthat fork is you\b")
_FRAME = compile_lazily(r"^\[Subagent hand-back\][^\n]*\n?", re.M)
_POINTER = compile_lazily(r"\s*This agent['’]s report was delivered to you as a message\b")
_LONGEST_POINTER = 2_000
"""Characters; whatever is longer is a report, whichever words it begins with."""
_TASK_FRAME = compile_lazily(r"\[Workflow harness\b[^\]\n]*\]")
_MOST_NOTES = 8
"""Notes that one result is searched for; Claude Code writes three at most."""
_INDENT = "  "
_TRACE, _TRACE_END = "[Tool: ", "\n--- RESULT ---\n"


@frozen
class AgentWords:
    """What an agent said at its end, and what Claude Code noted about that."""

    text: str
    """Empty: it said nothing."""
    doubt: str | None = None
    """Why the words are not the whole report."""
    error: str | None = None
    """Why the run failed, though its result is called completed."""
    hit_limit: bool = False
    """It stopped at its limit of turns."""

    @property
    def ending(self) -> RunEnd:
        """Status and reason of the run, as a statement has them."""
        if self.hit_limit:
            return {"status": "completed", "ending": "limit"}
        if self.error is None:
            return {"status": "completed"}
        return {"status": "failed", "error_message": self.error}


def separate_notes(
    texts: Sequence[str], front: int | None = None, tail: int | None = None
) -> AgentWords:
    """Divide the blocks of a result (one text each, empty for other kinds) into words and notes.

    ``front`` and ``tail`` are the counts that Claude Code gave; without counts that can be right,
    the blocks that begin as notes do are taken for notes.
    """
    is_counted = front is not None or tail is not None
    front, tail = front or 0, tail or 0
    if not is_counted or min(front, tail) < 0 or front + tail > len(texts):
        is_counted = False
        front, tail = _count_notes(texts), 0
    end = len(texts) - tail
    words = [text for text in texts[front:end] if text.strip()]
    if words and not is_counted and (noted := _TOOLS_USED.match(words[0])):
        words[0] = words[0][noted.end() :]
    return _judge_notes("\n".join(words), [*texts[:front], *texts[end:]])


def read_framed_words(text: str) -> AgentWords | None:
    """Read words and notes out of the text that the launching model is shown; None: no frame."""
    frame = _FRAME.search(text)
    if frame is None:
        return None
    notes = text[: frame.start()].split("\n")
    if any(line.strip() and not line.startswith(_INDENT) for line in notes):
        return None  # somebody's words about a frame
    words = cut_trailer(text[frame.end() :])
    return _judge_notes(_unindent(words), [_unindent(line) for line in notes])


def separate_joined_notes(text: str, *, is_wrapped: bool = False) -> AgentWords:
    """Divide a result that is one text, its blocks joined by line ends, into words and notes.

    Earlier releases of orch stored results so, and people paste them so: ``is_wrapped`` says that
    a terminal may have broken the lines, so that a note goes on to the next empty line.
    """
    notes: list[str] = []
    rest = text
    while len(notes) < _MOST_NOTES and (end := _end_of_note(rest, is_wrapped, follows=bool(notes))):
        notes.append(rest[:end])
        rest = rest[end:].lstrip("\n")
    return _judge_notes(rest, notes)


def _end_of_note(text: str, is_wrapped: bool, *, follows: bool) -> int:
    """Find where the note ends that a text begins with; 0: it begins with none."""
    if noted := _TOOLS_USED.match(text):
        return noted.end()
    begins = _TURN_LIMIT.match(text) or _ENDED_EARLY.match(text)
    if not begins and not (follows and _PARTIAL_FOLLOWS.match(text)):
        return 0
    start = len(text) - len(text.lstrip())
    ends = re.search(r"\n[ \t]*\n" if is_wrapped else r"\n", text[start:])
    return start + ends.end() if ends else len(text)


def is_told_to_fork(text: str) -> bool:
    """Tell whether a result is what a fork finds in its file for the call that made it."""
    return bool(_FORK_BEGAN.match(text))


def read_framed_task(text: str) -> str:
    """Read the task out of the frame that a workflow puts around it; other prompts stay."""
    first, newline, task = text.partition("\n")
    return _unindent(task) if newline and _TASK_FRAME.match(first) else text


def cut_first_line(text: str) -> str | None:
    """What a prompt is about, in a line."""
    line = text.lstrip()[:400].split("\n")[0].rstrip()
    return (line if len(line) <= 200 else line[:199] + "…") or None


def cut_trailer(text: str) -> str:
    """Cut off the agent's id and figures that Claude Code puts under a result."""
    cut = f"\n{text}".rfind("\nagentId: ")
    if cut < 0:
        cut = f"\n{text}".rfind("\n<usage>")
    return text if cut < 0 else text[: max(cut - 1, 0)]


def cut_trace(text: str) -> str:
    """Cut off the trace of tool calls that 2.0 put before the words of a background agent."""
    if not text.startswith(_TRACE):
        return text
    trace, mark, words = text.partition(_TRACE_END)
    return words if mark else trace


def _count_notes(texts: Sequence[str]) -> int:
    """Blocks at the front that are notes; the last block is one only if it can be nothing else."""
    for number, text in enumerate(texts):
        is_last = number == len(texts) - 1
        is_note = _TOOLS_USED.fullmatch(text) or (
            not is_last and (_TURN_LIMIT.match(text) or _ENDED_EARLY.match(text))
        )
        if not is_note:
            return number
    return len(texts)


def _judge_notes(text: str, notes: Sequence[str]) -> AgentWords:
    doubt = error = None
    hit_limit = False
    if len(text) < _LONGEST_POINTER and _POINTER.match(text):
        text, doubt = "", ELSEWHERE
    for note in notes:
        if limit := _TURN_LIMIT.match(note):
            hit_limit = True
            doubt = f"it stopped at its limit of {limit[1]} turns: what it said is a part"
        elif early := _ENDED_EARLY.match(note):
            error = early[1].strip() or "an API error"
        elif _PARTIAL.search(note):
            doubt = doubt or "Claude Code says that it is a part of the report"
    return AgentWords(text, doubt, error, hit_limit)


def _unindent(text: str) -> str:
    return "\n".join(line.removeprefix(_INDENT) for line in text.split("\n"))
