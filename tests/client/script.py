"""What a scripted model says: blocks, answers, refusals.

A conversation is played by the part that the last ``(play NAME)`` in what the user wrote names.
Which of its answers comes next follows from the messages after that text, so that a request that
is sent again gets the same answer again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PLAY = re.compile(r"\(play ([\w-]+)\)")
AGENT_OF = re.compile(r"\{agent of ([\w-]+)\}")
"""In a block: the id of the agent that plays a part. ``{project}`` is the project's folder."""
FILE = re.compile(r"\{file ([\w./-]+)\}")
"""In a block: the text of a file of the project, without white space around it."""

Block = dict[str, Any]


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def call(name: str, /, **given: Any) -> Block:
    return {"type": "tool_use", "name": name, "input": given}


def launch(part: str, words: str, /, **given: Any) -> Block:
    """Call the tool ``Agent`` for an agent that plays a part."""
    given = {"subagent_type": "general-purpose", "run_in_background": False, **given}
    return call("Agent", description=words, prompt=f"(play {part}) {words}", **given)


@dataclass(frozen=True)
class Answer:
    """One answer of the model."""

    blocks: Sequence[Block] = ()
    stop: str | None = None
    """The reason of its end; None: as the blocks have it."""
    waits_for: str | None = None
    """A part whose conversation must be held before this answer is given."""
    held: bool = False
    """It begins when the client is gone, which is never."""
    cut: bool = False
    """The connection ends within the first block."""
    after: float = 0
    """Seconds until it begins."""
    stalls: float = 0
    """Seconds that the stream stands still within the first block."""


@dataclass(frozen=True)
class Refusal:
    """An error in place of an answer."""

    status: int
    kind: str = "api_error"
    times: int = 1 << 30
    then: Answer = Answer()
    """What comes after that many."""


Step = Answer | Refusal
Parts = Mapping[str, Sequence[Step]]


def says(*blocks: Block | str, **how: Any) -> Answer:
    return Answer([text(b) if isinstance(b, str) else b for b in blocks], **how)


def holds(**how: Any) -> Answer:
    return Answer(held=True, **how)


AFTER_THE_SCRIPT = says("There is nothing more to say.")
