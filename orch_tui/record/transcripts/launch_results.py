"""What whoever launched an agent is told of it: results, notifications, answers to waiting."""

from __future__ import annotations

import re
from typing import TypedDict

from orch_tui.record.agent_words import (
    AgentWords,
    cut_trace,
    cut_trailer,
    read_framed_words,
    separate_notes,
)
from orch_tui.record.claude_code import (
    AGENT_TASK,
    INTERRUPTED,
    INTERRUPTED_BY_USER,
    STOPPED,
    agent_key,
    describe_failure,
    tool_key,
)
from orch_tui.record.ledger.doubt import EMPTY, UNHEARD
from orch_tui.record.ledger.merge import UNKNOWN
from orch_tui.record.ledger.statement import Noted, Returned
from orch_tui.record.ledger.usage import RESULT, MessageUse
from orch_tui.record.notifications import (
    TASK_ENDINGS,
    MailboxMessage,
    Notification,
    NotifiedFigures,
    end_of_task,
    read_figures,
    read_handed_back,
    read_mailbox,
    read_notifications,
)
from orch_tui.record.transcripts.reader_state import (
    ParsedChunk,
    ReaderState,
    TranscriptReport,
    hash_text,
)
from orch_tui.record.transcripts.transcript_lines import (
    Block,
    Entry,
    EntryMessage,
    LaunchResult,
    MessageOrigin,
    decode_blocks,
    decode_string,
    decode_struct,
    join_texts,
    list_texts,
)

_NOTICE = b"-notification>"
_OUTCOMES = ("completed", "async_launched", "remote_launched")
_TEAMMATE = "teammate_spawned"
_PEERS = ("Another Claude session sent a message", "<agent-message", "<teammate-message")
"""How a message begins that a session got from another one, or from an agent."""


class _LaunchFacts(TypedDict):
    """Which launch a result is of."""

    agent_type: str
    tool_use_id: str | None
    agent_id: str | None


class _ResultFigures(NotifiedFigures, total=False):
    """What a result says of a run besides its words."""

    resolved_model: str | None
    rendered: bool


class LaunchResultReader:
    """Reads them in the lines of a session or of an agent that launches others."""

    def __init__(self, state: ReaderState, told: ParsedChunk) -> None:
        self.state = state
        self.told = told

    def results(self, entry: Entry, at: str, session: str) -> None:
        """Results of launches, and of tools that wait for agents; notifications."""
        raw = entry.toolUseResult
        tells = raw and any(sign in bytes(raw) for sign in (b'"agentId"', b'"local_agent"'))
        is_awaiting = self.state.launched or self.state.stops
        if not is_awaiting and not tells and _NOTICE not in bytes(entry.message):
            return
        message = decode_struct(entry.message, EntryMessage) if entry.message else None
        if message is None:
            return
        answers = [b for b in decode_blocks(message.content) if b.type == "tool_result"]
        if not answers:
            self.notification(join_texts(message.content), at, session)
        for block in answers:
            tool = block.tool_use_id or ""
            is_awaited = tool in self.state.launched
            is_stop = tool in self.state.stops
            if not tells and not is_awaited and not is_stop:
                continue
            result = decode_struct(raw, LaunchResult) if raw else None
            if is_stop:
                self.state.stops.remove(tool)
                result = result or _result_in_words(block)
            if result and result.task and result.task.task_type == AGENT_TASK:
                self._awaited(result, at, session)
            elif result and result.task_type == AGENT_TASK and result.task_id:
                self._stopped(tool, result.task_id, at, session)
            elif is_awaited or (result and result.agentId and result.status in _OUTCOMES):
                self._result(tool, block, result, decode_string(raw) if raw else None, at, session)

    def _result(
        self,
        tool: str,
        block: Block,
        result: LaunchResult | None,
        error: str | None,
        at: str,
        session: str,
    ) -> None:
        self.state.launched.pop(tool, None)
        text = join_texts(block.content)
        agent = (result and result.agentId) or _trailed(text)
        keys = [tool_key(tool)] if tool else []
        if agent:
            keys.append(agent_key(session, agent))
            if agent not in self.state.agents:
                self.state.agents.append(agent)
        launch = _LaunchFacts(agent_type=UNKNOWN, tool_use_id=tool or None, agent_id=agent or None)
        if result and result.worktreePath:
            self._report(keys, at, session, Noted(**launch), folder=result.worktreePath)
        failed = self._failure(block, result, error, text)
        if failed:
            returned = Returned(
                **launch,
                witness="parent",
                return_key=tool,
                status="failed",
                error_message=failed,
                ending="interrupted" if failed == INTERRUPTED_BY_USER else None,
                completed_at=at or None,
            )
            self._report(keys, at, session, returned)
        elif result and result.content and _is_at_its_end(result):
            self._completed(keys, tool, result, at, session, launch)
        elif (result and _is_at_its_end(result)) or _is_report(result, error, text):
            # without a structured twin there is only the text that the model was shown
            words = read_framed_words(text) or separate_notes([cut_trailer(text).rstrip()])
            told = read_figures(text)
            figures = _ResultFigures(
                context_end_tokens=told["context_end_tokens"],
                tool_calls=told["tool_calls"],
                duration_ms=told["duration_ms"],
                rendered=True,
            )
            self._report_words(keys, tool, words, at, session, launch, figures)
        else:  # launched in the background, or something yet unheard of
            if result and result.status == _TEAMMATE and result.name and tool:
                self.state.teammates[result.name] = tool
            noted = Noted(
                **launch,
                agent_name=result.name if result else None,
                resolved_model=result.resolvedModel if result else None,
            )
            self._report(keys, at, session, noted)

    def _failure(
        self, block: Block, result: LaunchResult | None, error: str | None, text: str
    ) -> str | None:
        """Why a launch came to nothing, if it did."""
        if result and result.wasInterrupted:
            return INTERRUPTED_BY_USER
        if error is None and not (block.is_error and result is None):
            return None
        return describe_failure(error or text)

    def _completed(
        self,
        keys: list[str],
        tool: str,
        result: LaunchResult,
        at: str,
        session: str,
        launch: _LaunchFacts,
    ) -> None:
        words = separate_notes(
            list_texts(result.content), result.harnessNoteCount, result.harnessTailCount
        )
        figures = _ResultFigures(
            context_end_tokens=result.totalTokens or None,
            tool_calls=result.totalToolUseCount,
            duration_ms=result.totalDurationMs,
            resolved_model=result.resolvedModel,
        )
        self._report_words(keys, tool, words, at, session, launch, figures)
        usage = result.usage
        heard = self.state.runs.get(f"progress:{result.agentId}")
        model = result.resolvedModel or (heard and heard.current and heard.current.model)
        if usage and tool:
            use = MessageUse(
                RESULT + tool,
                at,
                model or "",
                usage.input_tokens or 0,
                usage.cache_creation_input_tokens or 0,
                usage.cache_write_1h,
                usage.cache_read_input_tokens or 0,
                usage.output_tokens or 0,
            )
            self.told.uses.setdefault(tuple(keys), []).append(use)

    def _report_words(
        self,
        keys: list[str],
        tool: str,
        words: AgentWords,
        at: str,
        session: str,
        launch: _LaunchFacts,
        figures: _ResultFigures,
    ) -> None:
        returned = Returned(
            **launch,
            **figures,
            **words.ending,
            witness="parent",
            return_key=tool,
            completed_at=at or None,
            doubt=words.doubt or (None if words.text.strip() else EMPTY),
        )
        self._report(keys, at, session, returned, words.text or None)

    def _stopped(self, tool: str, agent: str, at: str, session: str) -> None:
        """The answer of the tool that stops a background agent; nothing else may tell of it."""
        returned = Returned(
            **STOPPED,
            agent_type=UNKNOWN,
            agent_id=agent,
            witness="stop",
            return_key=tool,
            completed_at=at or None,
        )
        self._report([agent_key(session, agent)], at, session, returned)

    def _awaited(self, result: LaunchResult, at: str, session: str) -> None:
        """The answer of a tool that waits for a background agent."""
        task = result.task
        if not task or not task.task_id or task.status not in TASK_ENDINGS:
            return
        returned = Returned(
            **end_of_task(task.status, task.error),
            agent_type=UNKNOWN,
            agent_id=task.task_id,
            witness="task",
        )
        keys = [agent_key(session, task.task_id)]
        message = cut_trace(task.result) if task.result else None
        self._report(keys, at, session, returned, message or None)

    def deliver(self, text: str, origin: MessageOrigin | None, at: str, session: str) -> bool:
        """Read a message that the session got from its agents; False: it is none.

        ``origin`` says who it is from, where that is told.
        """
        if origin and origin.handback and origin.body is not None:
            agent = origin.senderTaskId or origin.sender or ""
            # where Claude Code has a note on it, that and the frame stand in the body, too
            words = read_framed_words(origin.body) or separate_notes([origin.body])
            self._handed_back(agent, words, origin.handbackToolUseId, at, session)
            return True
        if (origin and origin.kind == "peer") or text.lstrip().startswith(_PEERS):
            reports = read_handed_back(text)
            for agent, words in reports:
                self._handed_back(agent, words, None, at, session)
            mail = [m for m in read_mailbox(text) if m.sender in self.state.teammates]
            for message in mail:
                self._mailed(message, at, session)
            return bool(reports or mail)
        return self.notification(text, at, session)

    def _handed_back(
        self, agent: str, words: AgentWords, call: str | None, at: str, session: str
    ) -> None:
        """Report what an agent gave back by a message of its own."""
        if not agent:
            return
        returned = Returned(
            **words.ending,
            agent_type=UNKNOWN,
            agent_id=agent,
            witness="handback",
            return_key=call or hash_text(words.text),
            completed_at=at or None,
            doubt=words.doubt or (None if words.text.strip() else EMPTY),
            by_tool=True,
        )
        self._report([agent_key(session, agent)], at, session, returned, words.text or None)

    def _mailed(self, message: MailboxMessage, at: str, session: str) -> None:
        """Report that a teammate ended its turn; what it wrote before was its report."""
        tool = self.state.teammates[message.sender]
        if not message.is_idle:
            self.state.mailed[message.sender] = message.text
            return
        mailed = self.state.mailed.pop(message.sender, "")
        words = message.text or mailed
        returned = Returned(
            status="failed" if message.failure else "completed",
            error_message=message.failure,
            agent_type=UNKNOWN,
            tool_use_id=tool,
            witness="parent",
            return_key=hash_text(f"{at} {words}"),
            completed_at=at or None,
            doubt=None if words.strip() or message.failure else UNHEARD,
            rendered=None if message.text else True,
        )
        self._report([tool_key(tool)], at, session, returned, words or None)

    def interrupted(self, at: str, session: str) -> None:
        """Report that the user interrupted the agents the session waits for."""
        for tool in self.state.launched:
            returned = Returned(
                **INTERRUPTED,
                agent_type=UNKNOWN,
                tool_use_id=tool,
                witness="parent",
                return_key=tool,
                completed_at=at or None,
            )
            self._report([tool_key(tool)], at, session, returned)

    def notification(self, text: str | None, at: str, session: str) -> bool:
        """What the session is told when an agent in the background ends; False: it is none."""
        notified = read_notifications(text) if text else None
        if notified is None:
            return False
        for each in notified:
            is_agent = each.is_of_agent or each.agent_id in self.state.agents
            if is_agent and each.status in TASK_ENDINGS and not each.is_interim:
                self._notified(each, at, session)
        return True

    def _notified(self, each: Notification, at: str, session: str) -> None:
        is_empty = each.status == "completed" and not each.words.text.strip()
        returned = Returned(
            **each.figures,
            **each.ending,
            agent_type=UNKNOWN,
            agent_id=each.agent_id or None,
            tool_use_id=each.tool_use_id or None,
            witness="parent",
            return_key=hash_text(each.text),
            completed_at=at or None,
            doubt=each.words.doubt or (EMPTY if is_empty else None),
        )
        keys = [agent_key(session, each.agent_id)] if each.agent_id else []
        keys += [tool_key(each.tool_use_id)] if each.tool_use_id else []
        self._report(keys, at, session, returned, each.words.text or None)

    def _report(
        self,
        keys: list[str],
        at: str,
        session: str,
        statement: Noted | Returned,
        message: str | None = None,
        folder: str = "",
    ) -> None:
        if keys:
            report = TranscriptReport(tuple(keys), at, session, statement, message, folder=folder)
            self.told.reports.append(report)


def _is_at_its_end(result: LaunchResult) -> bool:
    """Whether the agent has returned; 1.0 wrote that without a status and an agent."""
    return result.status == "completed" or (
        result.status is None and bool(result.content) and result.totalDurationMs is not None
    )


def _is_report(result: LaunchResult | None, error: str | None, text: str) -> bool:
    """Whether a text alone is what an agent returned, not the note that it was launched."""
    return result is None and error is None and "launched" not in text[:200]


def _result_in_words(block: Block) -> LaunchResult | None:
    """A result of which an agent's own file holds only the text that the model was shown."""
    text = "" if block.is_error else join_texts(block.content)
    return decode_struct(text.encode(), LaunchResult) if text.startswith("{") else None


def _trailed(text: str) -> str | None:
    """The agent named at the end of what the model is shown of a result."""
    found = re.search(r"\bagentId: ([\w.@-]{1,200})", text[-1000:]) if text else None
    return found[1] if found else None
