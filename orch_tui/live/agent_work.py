"""What the transcript of one agent tells of its work, line by line as it comes."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from orch_tui.frozen import frozen
from orch_tui.live.repetition import Repetition
from orch_tui.live.task_output import MOST_TASKS, RunningCommand, read_task
from orch_tui.live.transcript_tail import LongLine
from orch_tui.live.words import clean_line
from orch_tui.record.claude_code import FORK, INTERRUPTION
from orch_tui.record.ledger.usage import MessageUse
from orch_tui.record.transcripts.transcript_lines import (
    Block,
    Entry,
    EntryMessage,
    Usage,
    decode_blocks,
    decode_string,
    decode_struct,
    join_texts,
)
from orch_tui.text_lines import split_lines

STEPS = 400
"""Steps of an agent that are kept to be shown."""

_WANTED = re.compile(rb'"type"\s*:\s*"(?:assistant|user|api-request|fork-context-ref)"')
"""Nearly all of a transcript's first 100 kB are snapshots of prompts and tools: never decoded."""

_TOOL_USE_ID = re.compile(rb'"tool_use_id"\s*:\s*"([^"\\]{1,200})"')
_TOOL_USE = re.compile(
    rb'"type"\s*:\s*"tool_use"\s*,\s*"id"\s*:\s*"([^"\\]{1,200})"\s*,\s*"name"\s*:\s*"([^"\\]{1,200})"'
)

_ENDS = frozenset(("end_turn", "stop_sequence", "max_tokens", "refusal"))
"""The ``stop_reason`` of a message after which nothing is asked for."""

_IN_BACKGROUND = b"Output is being written to: "

NewestRecord = Literal[
    "", "prompt", "told", "asked", "said", "called", "answered", "ended", "failed", "stopped"
]
"""What the newest record of an agent is; ``asked`` is a request to the model, ``told`` a message
to an agent that has worked already."""


class _Target(msgspec.Struct):
    """What a call is about, as far as one line can say it."""

    file_path: str | None = None
    notebook_path: str | None = None
    command: str | None = None
    pattern: str | None = None
    url: str | None = None
    query: str | None = None
    description: str | None = None
    path: str | None = None
    prompt: str | None = None


@frozen
class OpenCall:
    """A call of a tool that was not answered yet."""

    tool: str
    target: str
    at: float
    """Seconds since 1970."""


@dataclass(slots=True)
class WorkStep:
    """One thing an agent did: words, or a call with what came back."""

    at: float
    tool: str
    """Empty: words."""
    text: str
    took: float | None = None
    """Seconds until the answer; None: there is none yet."""
    size: int | None = None
    """Bytes of the answer."""
    is_error: bool = False
    added: int | None = None
    """Lines that an edit adds, as it was asked for; None: it edits nothing."""
    removed: int | None = None


@dataclass(slots=True)
class _Called:
    call: OpenCall
    digest: int
    step: WorkStep


@dataclass(slots=True)
class _Spent:
    output: int
    cost: float | None


class AgentWork:
    """What one agent did so far; ``take`` folds one more line into it.

    ``price`` gives the USD of a message, None where no price is known.
    """

    def __init__(self, price: Callable[[MessageUse], float | None]) -> None:
        self._price = price
        self.first_at = 0.0
        self.last_at = 0.0
        """Seconds since 1970 of the oldest and the newest record; 0: there is none."""
        self.newest: NewestRecord = ""
        self.tool_calls = 0
        self.requests = 0
        """Requests since the model last answered or was told something."""
        self.context = 0
        """Tokens of the newest request."""
        self.model = ""
        self.version = ""
        """The release of Claude Code that writes the transcript."""
        self.words = ""
        """The last ones, on one line."""
        self.last_answer_at = 0.0
        self.repetition = Repetition()
        self.steps: deque[WorkStep] = deque(maxlen=STEPS)
        self.tasks: deque[RunningCommand] = deque(maxlen=MOST_TASKS)
        """Commands in the background, as far as they may still run."""
        self._cwd = ""
        self._open: dict[str, _Called] = {}
        self._spent: dict[str, _Spent] = {}
        """By message id: several lines of one message tell the same usage."""
        self._cost = 0.0
        self._unpriced = 0
        self._message_id = ""
        self._is_copied = False
        """The file is a fork's, and what stands here is a copy of its parent's."""

    @property
    def open_calls(self) -> list[OpenCall]:
        """The calls without an answer, oldest first."""
        return [called.call for called in self._open.values()]

    @property
    def cost(self) -> float | None:
        """USD so far; None where a message has no known price."""
        return None if self._unpriced else self._cost

    def take(self, line: bytes | LongLine, now: float) -> None:
        """Fold in one line; what it tells of a time after ``now`` happened now."""
        if isinstance(line, LongLine):
            self._take_long(line.head, now)
            return
        if not _WANTED.search(line):
            return
        entry = decode_struct(line, Entry)
        if entry is None:
            return
        at = _seconds(entry.timestamp, now) or self.last_at
        if entry.type == "api-request":
            self.requests += 1
            self._note("asked", at)
            return
        if entry.type == FORK:
            self._is_copied = True
        if entry.type not in ("assistant", "user"):
            return
        self._cwd = entry.cwd or self._cwd
        self.version = entry.version or self.version
        message = decode_struct(entry.message, EntryMessage) if entry.message else None
        if message is None:
            return
        if self._is_copied:
            if entry.type == "user":  # the answer to the call that launched it: its prompt
                self._is_copied = False
                self._note("prompt", at)
            return
        if entry.type == "assistant":
            self._say(message, at, is_error=bool(entry.isApiErrorMessage))
        else:
            session = entry.sessionId or ""
            self._hear(message, at, session, ends=bool(entry.toolEndsTurn))

    def _note(self, newest: NewestRecord, at: float) -> None:
        self.newest = newest
        self.first_at = self.first_at or at
        self.last_at = max(self.last_at, at)

    # What the agent says

    def _say(self, message: EntryMessage, at: float, *, is_error: bool) -> None:
        self.requests = 0
        self.model = clean_line(message.model or "", 100) or self.model
        self._note("said", at)
        if message.id and message.id != self._message_id:
            self._message_id = message.id
            self._open.clear()  # the model is asked again only when every call was answered
        words = decode_string(message.content)
        blocks = decode_blocks(message.content) if words is None else []
        if words:
            self._speak(words, at)
        calls = 0
        for block in blocks:
            if block.type == "text" and block.text:
                self._speak(block.text, at)
            elif block.type == "tool_use" and block.id:
                calls += 1
                self._call(block, at)
        self._spend(message, at, calls)
        if is_error:
            self.newest = "failed"
        elif message.stop_reason in _ENDS:
            self.newest = "ended"

    def _speak(self, text: str, at: float) -> None:
        self.words = clean_line(text)
        self.steps.append(WorkStep(at, "", self.words))

    def _call(self, block: Block, at: float) -> None:
        given = bytes(block.input)
        tool = clean_line(block.name or "?", 60)
        self._begin(
            block.id or "",
            OpenCall(tool, describe_target(given, self._cwd), at),
            hash((tool, given)),
            count_edited_lines(given) if tool in _EDITORS else (None, None),
        )

    def _begin(
        self,
        call_id: str,
        call: OpenCall,
        digest: int,
        edited: tuple[int | None, int | None] = (None, None),
    ) -> None:
        step = WorkStep(call.at, call.tool, call.target, added=edited[0], removed=edited[1])
        if call_id not in self._open:
            self.tool_calls += 1
            self.steps.append(step)
        self._open[call_id] = _Called(call, digest, step)
        self.newest = "called"

    def _spend(self, message: EntryMessage, at: float, calls: int) -> None:
        usage = decode_struct(message.usage, Usage) if message.usage else None
        if usage is None:
            return
        use = MessageUse(
            message_id=message.id or "",
            at="",
            model=message.model or self.model,
            input=usage.input_tokens or 0,
            cache_write=usage.cache_creation_input_tokens or 0,
            cache_write_1h=usage.cache_write_1h,
            cache_read=usage.cache_read_input_tokens or 0,
            output=usage.output_tokens or 0,
            tool_calls=calls,
        )
        if not (use.prompt or use.output):  # what the client itself says in the model's place
            return
        self.context = use.prompt or self.context
        known = self._spent.get(use.message_id)
        if known is not None:
            if known.output >= use.output:
                return
            self._add(known, -1)
        spent = self._spent[use.message_id] = _Spent(use.output, self._price(use))
        self._add(spent, 1)

    def _add(self, spent: _Spent, sign: int) -> None:
        if spent.cost is None:
            self._unpriced += sign
        else:
            self._cost += sign * spent.cost

    # What it is told, and what its tools answer

    def _hear(self, message: EntryMessage, at: float, session: str, *, ends: bool) -> None:
        words = decode_string(message.content)
        if words is not None:
            self._tell(words, at)
            return
        for block in decode_blocks(message.content):
            if block.type == "tool_result":
                self._answer(block, at, session)
                if ends:
                    self.newest = "ended"
            elif block.type == "text":
                self._tell(block.text or "", at)

    def _tell(self, words: str, at: float) -> None:
        self.requests = 0
        if words.startswith(INTERRUPTION):
            self._open.clear()
            self._note("stopped", at)
        elif self._message_id or self.tool_calls:
            self._note("told", at)
        else:
            self._note("prompt", at)

    def _answer(self, block: Block, at: float, session: str) -> None:
        self.requests = 0
        self._note("answered", at)
        self.last_answer_at = max(self.last_answer_at, at)
        called = self._open.pop(block.tool_use_id or "", None)
        if called is not None:
            content = bytes(block.content)
            called.step.took = max(0.0, at - called.call.at)
            called.step.size = max(0, len(content) - 2)  # without the quotes of JSON
            called.step.is_error = bool(block.is_error)
            self.repetition.add(called.digest, hash(content))
            if _IN_BACKGROUND in content:
                answer = join_texts(block.content)
                if task := read_task(answer, called.call.target, session):
                    self.tasks.append(task)

    def _take_long(self, head: bytes, now: float) -> None:
        """Take from the beginning of a line that was passed over whose call it opens or answers."""
        if answered := _TOOL_USE_ID.search(head):
            called = self._open.pop(answered[1].decode("utf-8", "replace"), None)
            self.requests = 0
            self._note("answered", now)
            self.last_answer_at = now
            if called is not None:
                called.step.took = max(0.0, now - called.call.at)
                self.repetition.add(called.digest, id(called))  # as no other answer
        elif begun := _TOOL_USE.search(head):
            self.requests = 0
            self._note("called", now)
            tool = clean_line(begun[2].decode("utf-8", "replace"), 60)
            self._begin(begun[1].decode("utf-8", "replace"), OpenCall(tool, "", now), hash(head))


_EDITORS = ("Edit", "Write")


class _Edited(msgspec.Struct):
    old_string: str | None = None
    new_string: str | None = None
    content: str | None = None


def count_edited_lines(given: bytes) -> tuple[int | None, int | None]:
    """Count the lines that a call with this input (JSON) adds and removes, without those that its
    old and its new text begin or end with alike; (None, None) where it edits nothing."""
    edited = decode_struct(given, _Edited) if given else None
    if edited is None or (edited.new_string is None and edited.content is None):
        return None, None
    old = split_lines(edited.old_string or "")
    new = split_lines(edited.new_string or edited.content or "")
    same = 0
    for before, after in zip(old, new, strict=False):
        if before != after:
            break
        same += 1
    old, new = old[same:], new[same:]
    same = 0
    for before, after in zip(reversed(old), reversed(new), strict=False):
        if before != after:
            break
        same += 1
    return len(new) - same, len(old) - same


def describe_target(given: bytes, cwd: str) -> str:
    """Say on one line what a call with this input (JSON) is about: a file, from the working folder
    on, a command, a pattern; empty where it says nothing of the kind."""
    target = decode_struct(given, _Target) if given else None
    if target is None:
        return ""
    texts = (getattr(target, name) for name in _Target.__struct_fields__)
    text = next((text for text in texts if text), "")
    if cwd and text.startswith(f"{cwd}/"):
        text = text[len(cwd) + 1 :]
    return clean_line(text)


def _seconds(text: str | None, now: float) -> float:
    """A time of a transcript in seconds since 1970, ``now`` at the latest; 0: it is none."""
    try:
        return min(datetime.fromisoformat(text or "").timestamp(), now)
    except (ValueError, OverflowError, OSError):
        return 0.0
