"""What Claude Code tells a session of its agents by messages: notifications, hand-backs, mailboxes.

Hooks and transcripts hold the same texts. A ``<task-notification>`` (``<agent-notification>`` in
2.0.7x) says how an agent in the background ended; since 2.1.271 its result may only point at the
message by which the agent handed its report back; agents that were launched with a name write
``<teammate-message>``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TypedDict

from orch_tui.frozen import frozen
from orch_tui.record.agent_words import AgentWords, read_framed_words, separate_notes
from orch_tui.record.claude_code import STOPPED
from orch_tui.record.ledger.statement import RunEnd
from orch_tui.record.messages.patterns import compile_lazily

TASK_ENDINGS = ("completed", "failed", "stopped", "killed")
"""What Claude Code calls the state of a task that has ended."""

_BEGINS = compile_lazily(
    r"\s*(?:\[SYSTEM NOTIFICATION\b.{0,4000}?)?<(?:task|agent)-notification>", re.S
)
_BLOCK = compile_lazily(
    r"<(?:task|agent)-notification>.*?(?:</(?:task|agent)-notification>|\Z)", re.S
)
_NAMED = compile_lazily(r"<(task-id|agent-id|tool-use-id|status|summary)>([^<]*)</")
_INTERIM_NOTE = compile_lazily(r"<note>[^<]*\b(?:may be interim|still running)\b")
_INTERIM_RESULT = compile_lazily(r"\s*This agent has not reported yet\b")
_TOKENS = compile_lazily(r"\b(?:total|subagent)_tokens(?:>|: ?)(\d{1,15})")
_TOOL_CALLS = compile_lazily(r"\btool_uses(?:>|: ?)(\d{1,15})")
_DURATION = compile_lazily(r"\bduration_ms(?:>|: ?)(\d{1,15})")
_SENDER = compile_lazily(r'\bfrom="([\w.@-]{1,200})"')
_TEAMMATE = compile_lazily(r'\bteammate_id="([^"<>]{1,200})"')
_LONGEST_TAG = 2_000


class NotifiedFigures(TypedDict):
    """What Claude Code itself says of a run that is at its end."""

    context_end_tokens: int | None
    tool_calls: int | None
    duration_ms: int | None


@frozen
class Notification:
    """One notification of a task in the background."""

    agent_id: str
    tool_use_id: str
    """Empty where the agent was woken, and in older releases."""
    status: str
    summary: str
    words: AgentWords
    figures: NotifiedFigures
    text: str
    """All of it, as it stands in every place that holds it."""
    is_interim: bool
    """The agent waits for background work of its own: it has not returned."""

    @property
    def is_of_agent(self) -> bool:
        """Tell whether the summary names an agent; other tasks are notified, too."""
        return self.summary.startswith("Agent ")

    @property
    def ending(self) -> RunEnd:
        """Status and reason of the run, as a statement has them."""
        if self.status == "completed":
            return self.words.ending
        return end_of_task(self.status, self.summary if self.status == "failed" else None)


def is_interim_result(text: str) -> bool:
    """Tell whether a result says that the agent waits for background work of its own."""
    return bool(_INTERIM_RESULT.match(text))


def end_of_task(status: str, reason: str | None) -> RunEnd:
    """Say what the state of a task means: what was stopped or killed has failed."""
    if status == "completed":
        return {"status": "completed"}
    failed: RunEnd = {"status": "failed", "error_message": reason or status}
    return failed if status == "failed" else {**STOPPED, **failed}


def read_notifications(text: str) -> list[Notification] | None:
    """Read the notifications a message consists of; None where it is none."""
    if not _BEGINS.match(text):
        return None
    return [_notification(block) for block in _BLOCK.findall(text)]


def _notification(block: str) -> Notification:
    head, _, rest = block.partition("<result>")
    named = dict(_NAMED.findall(head))
    if "status" not in named:
        named = dict(_NAMED.findall(rest.rpartition("</result>")[2])) | named
    message = rest.rpartition("</result>")[0].strip("\n")
    return Notification(
        agent_id=named.get("task-id") or named.get("agent-id", ""),
        tool_use_id=named.get("tool-use-id", ""),
        status=named.get("status", ""),
        summary=named.get("summary", ""),
        words=separate_notes([message]),
        figures=read_figures(block),
        text=block.strip(),
        is_interim=bool(_INTERIM_NOTE.search(head) or is_interim_result(message)),
    )


def read_figures(text: str) -> NotifiedFigures:
    """Read Claude Code's own figures in a trailer or notification; 0 means not known."""
    tail = text[-1000:]
    return {
        "context_end_tokens": _read_number(_TOKENS, tail),
        "tool_calls": _read_number(_TOOL_CALLS, tail),
        "duration_ms": _read_number(_DURATION, tail),
    }


def _read_number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return int(found[1]) or None if found else None


def read_handed_back(text: str) -> list[tuple[str, AgentWords]]:
    """Read which agents handed which reports back in a message; empty for other messages."""
    found = _find_messages(text, "agent-message", _SENDER)
    framed = [(agent, read_framed_words(words)) for agent, words in found]
    return [(agent, words) for agent, words in framed if words is not None]


@frozen
class MailboxMessage:
    """One message of an agent that was launched with a name, or to one."""

    sender: str
    text: str
    """Its words; empty where it only says that it is idle."""
    is_idle: bool
    """It ended its turn."""
    failure: str | None = None


def read_mailbox(text: str) -> list[MailboxMessage]:
    """Read the messages that a delivery of a mailbox holds; empty where it is none."""
    return [
        _mailbox_message(*found) for found in _find_messages(text, "teammate-message", _TEAMMATE)
    ]


def _find_messages(text: str, tag: str, named: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Find what stands in tags, each with what its attribute says; in one pass over the text."""
    begins = text.find(f"<{tag}")
    while begins >= 0:
        opened = text.find(">", begins, begins + _LONGEST_TAG)
        who = named.search(text, begins, opened) if opened >= 0 else None
        if who is None:
            begins = text.find(f"<{tag}", begins + 1)
            continue
        closes = text.find(f"</{tag}>", opened)
        if closes < 0:
            return
        yield who[1], text[opened + 1 : closes].removeprefix("\n").removesuffix("\n")
        begins = text.find(f"<{tag}", closes)


def _mailbox_message(sender: str, text: str) -> MailboxMessage:
    try:
        said = json.loads(text) if text.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.get("type") != "idle_notification":
        return MailboxMessage(sender, text, is_idle=False)
    result, why = said.get("result"), said.get("failureReason")
    failure = None
    if said.get("idleReason") == "failed":
        failure = why if isinstance(why, str) and why.strip() else "failed"
    return MailboxMessage(sender, result if isinstance(result, str) else "", True, failure)
