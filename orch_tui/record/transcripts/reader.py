"""What a transcript of Claude Code tells of the agents that ran: statements, usage, files.

One reader for every generation of the format: agents in files of their own, agents inside the
session's file (1.0), results, notifications and progress in the file of whoever launched them.
It goes through the lines once, remembers little, and can be put away and taken up again where a
file has grown. What it tells is the same however often and in whichever pieces a file is read.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from orch_tui.claude_client import parse_release
from orch_tui.record.agent_words import cut_first_line, read_framed_task
from orch_tui.record.claude_code import (
    FORK,
    INTERRUPTED,
    INTERRUPTION,
    LAUNCHERS,
    NAMELESS_CALLS_BEFORE,
    REPORTER,
    STOPPER,
    agent_key,
    describe_failure,
    is_internal,
    name_of_agent,
    nameless_call_key,
    tool_key,
)
from orch_tui.record.ledger.doubt import EMPTY, doubt_of_stop
from orch_tui.record.ledger.file_use import Touched
from orch_tui.record.ledger.merge import UNKNOWN, text_fingerprint
from orch_tui.record.ledger.statement import Addressed, Deployed, Noted, Returned, RunEnd
from orch_tui.record.ledger.usage import MessageUse
from orch_tui.record.notifications import read_mailbox
from orch_tui.record.transcripts.launch_results import LaunchResultReader
from orch_tui.record.transcripts.reader_state import (
    AgentRun,
    CurrentMessage,
    ParsedChunk,
    ReaderState,
    TranscriptReport,
    hash_text,
)
from orch_tui.record.transcripts.transcript_files import session_of_folder, workflow_run_of
from orch_tui.record.transcripts.transcript_lines import (
    Attachment,
    Block,
    Entry,
    EntryMessage,
    LaunchResult,
    MessageOrigin,
    Progress,
    ToolInput,
    Usage,
    decode_blocks,
    decode_string,
    decode_struct,
    join_texts,
    parse_timestamp,
)
from orch_tui.times import between

_WARM_UP = "Warmup"
"""The prompt with which 2.0 warmed its cache up in agents of its own."""

_STRUCTURED = "StructuredOutput"

_PEER = b"-message "
_QUEUED = b'"queued_command"'
_COORDINATOR = "coordinator"
"""Whoever launched an agent, where it sends it a message."""

_MESSAGE_FRAME = re.compile(
    r"The coordinator sent a message[^\n]{0,100}:\n(.*?)(?:\n\nAddress this before [^\n]*)?\s*\Z",
    re.S,
)
_READS = {"Read": "file_path", "NotebookRead": "notebook_path"}
_WRITES = {
    "Write": "file_path",
    "Edit": "file_path",
    "MultiEdit": "file_path",
    "NotebookEdit": "notebook_path",
}
_GOES_ON = ("tool_use", "pause_turn")
"""Reasons to stop after which the same agent goes on by itself."""


class TranscriptReader:
    """Goes through the entries of one file."""

    def __init__(self, path: Path, state: ReaderState | None = None) -> None:
        self.state = state or ReaderState()
        self.told = ParsedChunk()
        self._outcomes = LaunchResultReader(self.state, self.told)
        name = path.stem
        self._file_agent = name.removeprefix("agent-") if name.startswith("agent-") else ""
        self._folder_session = session_of_folder(path) if self._file_agent else ""
        self._workflow_run = workflow_run_of(path)
        self._name = name
        self._roots: dict[str, str] = {}
        self._closed: set[str] = set()

    def take(self) -> ParsedChunk:
        """What has been told since the last call."""
        told, self.told = self.told, ParsedChunk()
        self._outcomes.told = self.told
        return told

    def read(self, entry: Entry) -> None:
        """Take in one line."""
        state = self.state
        state.entries += 1
        at = parse_timestamp(entry.timestamp)
        if entry.sessionId and not state.session:
            state.session = entry.sessionId
        if entry.cwd and not state.cwd:
            state.cwd = entry.cwd
        if entry.version and not state.version:
            state.version = entry.version
            release = parse_release(entry.version)
            state.is_nameless = release is not None and release < NAMELESS_CALLS_BEFORE
        if at and (not state.first_at or at < state.first_at):
            state.first_at = at
        kind = entry.type
        if kind == FORK:
            state.is_fork = True
        agent = self._agent(entry)
        if agent is None:
            self._name_session(entry)
            if kind == "assistant":
                self._launches(entry, at)
            elif kind == "user":
                self._heard_in_session(entry, at)
            elif kind == "attachment":
                self._attached(None, entry, at)
            elif kind == "progress":
                self._progress(entry)
            elif kind == "queue-operation":
                self._outcomes.notification(
                    decode_string(entry.content), at, entry.sessionId or self.session
                )
        elif agent and kind in ("assistant", "user"):
            run = self._run(agent, entry, at)
            if state.is_fork:
                # a copy of the message that launched it, up to the answer to that call
                state.is_fork = kind == "assistant"
            elif kind == "assistant":
                self._says(run, entry, at)
            else:
                self._hears(run, entry, at)
        elif agent and kind == "attachment" and _QUEUED in bytes(entry.attachment):
            self._attached(self._run(agent, entry, at), entry, at)

    def finish(self) -> None:
        """Tell what the end of the file leaves open: a last message is taken for a return."""
        for run in self.state.runs.values():
            self._note(run)
            if run.current:
                self._use(run, run.current)
                if not run.is_hearsay:
                    self._return(run, run.current)

    def _name_session(self, entry: Entry) -> None:
        """Keep what the user calls the session of the file, or asked for first."""
        state = self.state
        if entry.customTitle:
            state.title = cut_first_line(entry.customTitle) or ""
        if entry.aiTitle:
            state.client_title = cut_first_line(entry.aiTitle) or ""
        is_own = entry.type == "user" and not (entry.isMeta or entry.isCompactSummary)
        if is_own and not state.opening and entry.sessionId == state.session:
            message = decode_struct(entry.message, EntryMessage)
            words = join_texts(message.content).strip() if message else ""
            if not words.startswith("<"):  # a command of the client, or its output
                state.opening = cut_first_line(words) or ""

    # Whose line it is

    def _agent(self, entry: Entry) -> str | None:
        """The agent a line belongs to; empty for one that is none of ours, None for no agent."""
        if entry.agentId and entry.isSidechain is not False:
            return "" if is_internal(entry.agentId) else entry.agentId
        if self._file_agent:
            if entry.isSidechain is False or is_internal(self._file_agent):
                return ""  # of whoever launched it: a fork begins with a copy
            return self._file_agent
        if entry.isSidechain and entry.type in ("assistant", "user"):
            self.state.is_inline = True
            return self._chain(entry)
        return "" if entry.isSidechain else None

    def _chain(self, entry: Entry) -> str:
        """Inside a session's file an agent is a chain of lines from a root of its own."""
        uuid = entry.uuid or ""
        root = self._roots.get(entry.parentUuid or "") or f"sidechain:{uuid}"
        self._roots[uuid] = root
        return root

    def _run(self, agent: str, entry: Entry, at: str) -> AgentRun:
        runs = self.state.runs
        run = runs.get(agent)
        if run is None:
            session = entry.sessionId or self._folder_session or self.session
            run = runs[agent] = AgentRun(session, agent_id=agent, first_at=at, cwd=entry.cwd or "")
            if agent.startswith("sidechain:"):
                run.keys.append(agent)
                run.agent_id = ""
            elif self._folder_session:
                run.keys.append(agent_key(self._folder_session, agent))
        if run.agent_id and entry.sessionId:
            key = agent_key(entry.sessionId, run.agent_id)
            if key not in run.keys:
                run.keys.append(key)
        elif run.agent_id and not run.keys:
            run.keys.append(agent_key(run.session, run.agent_id))
        if entry.attributionAgent and not run.agent_type:
            run.agent_type = entry.attributionAgent
        if at and (not run.first_at or at < run.first_at):
            run.first_at = at
        return run

    @property
    def session(self) -> str:
        """The Claude session of the file."""
        return self.state.session or self._folder_session or self._name

    # What an agent says and hears

    def _says(self, run: AgentRun, entry: Entry, at: str) -> None:
        message = decode_struct(entry.message, EntryMessage) if entry.message else None
        if message is None:
            return
        message_id = message.id or entry.uuid or ""
        if not message_id or message_id in self._closed:
            return  # a copy of what was said before
        current = run.current
        if current is None or current.id != message_id:
            self._went_on(run)
            self._close(run)
            current = run.current = CurrentMessage(message_id, at, said_at=at)
        if entry.uuid:
            if entry.uuid in current.uuids:
                return
            current.uuids.append(entry.uuid)
        current.said_at = max(current.said_at, at)
        current.stop = message.stop_reason or current.stop
        current.is_error = current.is_error or bool(entry.isApiErrorMessage)
        if message.model and message.model != "<synthetic>":
            current.model = message.model
        self._count(current, message)
        self._pieces(run, current, message, entry, at)

    def _count(self, current: CurrentMessage, message: EntryMessage) -> None:
        usage = decode_struct(message.usage, Usage) if message.usage else None
        if usage is None:
            return
        current.input = max(current.input, usage.input_tokens or 0)
        current.write = max(current.write, usage.cache_creation_input_tokens or 0)
        current.write_1h = max(current.write_1h, usage.cache_write_1h)
        current.read = max(current.read, usage.cache_read_input_tokens or 0)
        current.output = max(current.output, usage.output_tokens or 0)

    def _pieces(
        self, run: AgentRun, current: CurrentMessage, message: EntryMessage, entry: Entry, at: str
    ) -> None:
        words = decode_string(message.content)
        if words is not None:
            current.texts.append(words)
            return
        for block in decode_blocks(message.content):
            if block.type == "text" and block.text is not None:
                current.texts.append(block.text)
            elif block.type == "tool_use" and block.id and block.id not in current.tools:
                current.tools.append(block.id)
                if block.name in LAUNCHERS:
                    self._launch(block, at, entry.sessionId or run.session, run)
                elif block.name == STOPPER:
                    self.state.stops.append(block.id)
                elif block.name == _STRUCTURED:
                    current.structured.append(block.id)
                    current.reports[block.id] = bytes(block.input).decode("utf-8", "replace")
                elif block.name == REPORTER:
                    given = decode_struct(block.input, ToolInput) if block.input else None
                    current.reports[block.id] = (given and given.message) or ""
                elif block.name in _READS or block.name in _WRITES:
                    self._awaits(run, block)

    def _awaits(self, run: AgentRun, block: Block) -> None:
        """Remember which file a tool was called for, until its result says that it worked."""
        given = decode_struct(block.input, ToolInput) if block.input else None
        path = given and (given.file_path or given.notebook_path)
        if path and block.id:
            action = "read" if block.name in _READS else "written"
            run.tools[block.id] = (action, path)

    def _hears(self, run: AgentRun, entry: Entry, at: str) -> None:
        message = decode_struct(entry.message, EntryMessage) if entry.message else None
        if message is None:
            return
        answers = [b for b in decode_blocks(message.content) if b.type == "tool_result"]
        for block in answers:
            self._answer(run, block, at)
            if run.current and block.tool_use_id in run.current.reports:
                self._handed_over(run, run.current, block, entry, at)
        if answers:  # not necessarily the end of the message: results may come between its calls
            self._outcomes.results(entry, at, entry.sessionId or self.session)
            return
        words = join_texts(message.content)
        origin = decode_struct(entry.origin, MessageOrigin) if entry.origin else None
        if self._outcomes.deliver(words, origin, at, entry.sessionId or run.session):
            run.handed_back = ""
            return
        mail = read_mailbox(words)
        if mail:  # how a teammate is given its task, and told more
            words = "\n\n".join(each.text for each in mail if each.text)
        if words.startswith(INTERRUPTION):
            self._interrupted(run, entry, at)
        elif origin and origin.kind == _COORDINATOR:
            framed = _MESSAGE_FRAME.match(words)
            self._prompted(run, framed[1] if framed else words, at)
        elif mail or (not entry.isMeta and not entry.isCompactSummary):
            self._prompted(run, words, at)
        elif entry.isMeta and not run.prompt and not words.startswith("<"):
            run.prompt = words  # of a skill that runs in a fork; a prompt that follows counts more

    def _answer(self, run: AgentRun, block: Block, at: str) -> None:
        awaited = run.tools.pop(block.tool_use_id or "", None)
        if awaited and not block.is_error:
            action, path = awaited
            touched = self.told.touched.setdefault(tuple(run.keys), [])
            done: Literal["read", "written"] = "read" if action == "read" else "written"
            touched.append(Touched(path, run.cwd, done, at))

    def _heard_in_session(self, entry: Entry, at: str) -> None:
        """What the session's own model gets: results of its tools, messages of its agents."""
        session = entry.sessionId or self.session
        raw = bytes(entry.message)
        if entry.origin or _PEER in raw or (self.state.launched and INTERRUPTION.encode() in raw):
            message = decode_struct(entry.message, EntryMessage)
            words = join_texts(message.content) if message else ""
            origin = decode_struct(entry.origin, MessageOrigin) if entry.origin else None
            if words.startswith(INTERRUPTION):
                self._outcomes.interrupted(at, session)
            elif self._outcomes.deliver(words, origin, at, session):
                return
        self._outcomes.results(entry, at, session)

    def _attached(self, run: AgentRun | None, entry: Entry, at: str) -> None:
        """A message that came while the model was at work: to an agent, or from one."""
        if _QUEUED not in bytes(entry.attachment):
            return
        given = decode_struct(entry.attachment, Attachment)
        if given is None or given.type != "queued_command":
            return
        origin = decode_struct(given.origin, MessageOrigin) if given.origin else None
        words = join_texts(given.prompt)
        session = entry.sessionId or (run.session if run else self.session)
        if not self._outcomes.deliver(words, origin, at, session) and run:
            self._addressed(run, words, at)

    def _prompted(self, run: AgentRun, words: str, at: str) -> None:
        if not run.prompt_at:
            run.prompt = read_framed_task(words)
            self._match(run)
        else:
            self._addressed(run, words, at)
            if run.current:
                self._return(run, run.current)  # it had returned and was called again
        run.prompt_at = at
        run.handed_back = ""
        self._close(run)

    def _addressed(self, run: AgentRun, words: str, at: str) -> None:
        """What it was told after its launch."""
        self._note(run)
        if words.strip():
            self._report(run, at, Addressed(at=at or None), message=words)

    def _match(self, run: AgentRun) -> None:
        """An agent inside the session's file belongs to the launch with the same prompt."""
        if not run.agent_id:
            waiting = self.state.prompts.get(hash_text(run.prompt))
            if waiting:
                run.keys.append(tool_key(waiting.pop(0)))

    def _went_on(self, run: AgentRun) -> None:
        """Its last message was no return, though it looked like one where the file ended then."""
        current = run.current
        if current and not current.tools and not run.is_hearsay and not self._is_warm_up(run):
            self._note(run)
            self._report_interim(run, current)

    def _report_interim(self, run: AgentRun, current: CurrentMessage) -> None:
        text = "\n".join(current.texts)
        noted = Noted(
            went_on_after=current.id, interim_words=text_fingerprint(text) if text.strip() else None
        )
        self._report(run, current.said_at, noted)

    def _interrupted(self, run: AgentRun, entry: Entry, at: str) -> None:
        self._note(run)
        self._went_on(run)
        self._close(run)
        interrupted = Returned(
            witness="agent",
            return_key=entry.uuid or at,
            **INTERRUPTED,
            completed_at=at or None,
        )
        self._report(run, at, interrupted)
        self._outcomes.interrupted(at, run.session)

    def _close(self, run: AgentRun) -> None:
        """The current message is whole: its usage is told, it is never taken up again."""
        if run.current:
            self._note(run)
            self._use(run, run.current)
            self._closed.add(run.current.id)
            run.current = None

    # What is told of an agent

    def _note(self, run: AgentRun) -> None:
        """That it ran, once; again when it turns out to have another key."""
        if run.noted == len(run.keys) or run.is_hearsay or self._is_warm_up(run):
            return
        run.noted = len(run.keys)
        name = name_of_agent(run.agent_id)
        noted = Noted(
            agent_type=run.agent_type if run.agent_type and run.agent_type != name else UNKNOWN,
            agent_name=name,
            agent_kind="teammate" if name else "workflow" if self._workflow_run else None,
            workflow_run=self._workflow_run or None,
            client_version=self.state.version or None,
            agent_id=run.agent_id or None,
            deployed_at=run.first_at or None,
            scope=cut_first_line(run.prompt),
            ran_in=run.session,
        )
        self._report(run, run.first_at, noted, prompt=run.prompt, folder=run.cwd)

    def _is_warm_up(self, run: AgentRun) -> bool:
        return run.prompt == _WARM_UP and not any(key.startswith("tool:") for key in run.keys)

    def _use(self, run: AgentRun, current: CurrentMessage) -> None:
        if self._is_warm_up(run):
            return
        use = MessageUse(
            current.id,
            current.at,
            current.model,
            current.input,
            current.write,
            current.write_1h,
            current.read,
            current.output,
            len(current.tools),
        )
        if use.prompt or use.output or use.tool_calls:
            self.told.uses.setdefault(tuple(run.keys), []).append(use)

    def _return(self, run: AgentRun, current: CurrentMessage) -> None:
        """The message as what the run returned, unless it goes on with tools."""
        ended = current.stop or current.texts or current.is_error
        if current.tools or not ended or current.stop in _GOES_ON or self._is_warm_up(run):
            return
        if run.handed_back:  # releases before 2.1.280 let it say a last sentence
            self._report_interim(run, current)
            return
        text = "\n".join(current.texts)
        end: RunEnd = {"status": "completed"}
        if current.is_error:  # written by Claude Code, in place of the agent's words
            end = {"status": "failed", "error_message": describe_failure(text)}
            text = ""
        returned = Returned(
            **end,
            witness="agent",
            return_key=current.id,
            completed_at=current.said_at or None,
            model_message=current.id,
            blocks=len(current.texts),
            doubt=doubt_of_stop(current.stop) or (None if text.strip() else EMPTY),
            duration_ms=_milliseconds(run.prompt_at or run.first_at, current.said_at),
        )
        self._report(run, current.said_at, returned, message=text or None)

    def _handed_over(
        self, run: AgentRun, current: CurrentMessage, block: Block, entry: Entry, at: str
    ) -> None:
        """What it gave back by tool is its last word, unless the tool refused it."""
        result = decode_struct(entry.toolUseResult, LaunchResult) if entry.toolUseResult else None
        is_refused = bool(block.is_error) or (result is not None and result.success is False)
        by_tool = block.tool_use_id not in current.structured
        if is_refused or not (entry.toolEndsTurn or by_tool):
            return
        self._note(run)
        run.handed_back = current.id
        words = current.reports[block.tool_use_id or ""]
        returned = Returned(
            status="completed",
            witness="agent",
            return_key=current.id,
            completed_at=at or None,
            doubt=None if words.strip() else EMPTY,
            by_tool=by_tool or None,
            duration_ms=_milliseconds(run.prompt_at or run.first_at, at),
        )
        self._report(run, at, returned, message=words or None)

    def _report(
        self,
        run: AgentRun,
        at: str,
        statement: Noted | Returned | Addressed,
        message: str | None = None,
        prompt: str | None = None,
        folder: str = "",
    ) -> None:
        self.told.reports.append(
            TranscriptReport(tuple(run.keys), at, run.session, statement, message, prompt, folder)
        )

    # What whoever launched it says of it

    def _launches(self, entry: Entry, at: str) -> None:
        """Launches among the tool calls of a session's own message."""
        message = decode_struct(entry.message, EntryMessage) if entry.message else None
        for block in decode_blocks(message.content) if message else ():
            if block.type == "tool_use" and block.name in LAUNCHERS and block.id:
                self._launch(block, at, entry.sessionId or self.session, None)
            elif block.type == "tool_use" and block.name == STOPPER and block.id:
                self.state.stops.append(block.id)

    def _launch(self, block: Block, at: str, session: str, launcher: AgentRun | None) -> None:
        given = decode_struct(block.input, ToolInput) if block.input else None
        if given is None or block.id is None or given.prompt is None:
            return
        state = self.state
        state.launched[block.id] = launcher.keys[0] if launcher else ""
        if given.resume:
            key = agent_key(session, given.resume)
            self.told.reports.append(
                TranscriptReport((tool_key(block.id), key), at, session, Noted(agent_type=UNKNOWN))
            )
            return
        keys = [tool_key(block.id)]
        same = state.prompts.setdefault(hash_text(given.prompt), [])
        if not same and state.is_nameless:
            keys.append(nameless_call_key(session, given.prompt))
        same.append(block.id)
        if launcher:
            self._note(launcher)
        deployed = Deployed(
            agent_type=given.subagent_type or "general-purpose",
            scope=given.description or cut_first_line(given.prompt),
            model=given.model,
            agent_name=given.name,
            tool_use_id=block.id,
            deployed_at=at or None,
            depth=None if launcher else 1,
            parent=launcher.keys[0] if launcher else None,
        )
        self.told.reports.append(
            TranscriptReport(tuple(keys), at, session, deployed, prompt=given.prompt)
        )

    def _progress(self, entry: Entry) -> None:
        """What an agent did, as older releases repeated it in the file of whoever launched it."""
        data = decode_struct(entry.data, Progress) if entry.data else None
        if not data or data.type != "agent_progress" or not data.agentId or not data.message:
            return
        said = decode_struct(data.message, Entry)
        if said is None or said.type not in ("assistant", "user") or is_internal(data.agentId):
            return
        at = parse_timestamp(said.timestamp)
        session = entry.sessionId or self.session
        keys = [agent_key(session, data.agentId)]
        if entry.parentToolUseID:
            keys.append(tool_key(entry.parentToolUseID))
        run = self.state.runs.get("progress:" + data.agentId)
        if run is None:
            run = AgentRun(session, data.agentId, keys, at, cwd=entry.cwd or "", is_hearsay=True)
            self.state.runs["progress:" + data.agentId] = run
            linked = Noted(
                agent_type=UNKNOWN, agent_id=data.agentId, tool_use_id=entry.parentToolUseID
            )
            self._report(run, at or parse_timestamp(entry.timestamp), linked)
        message = decode_struct(said.message, EntryMessage) if said.message else None
        if message is None:
            return
        if said.type == "user":
            for block in decode_blocks(message.content):
                if block.type == "tool_result":
                    self._answer(run, block, at)
            return
        self._says(run, said, at)


def _milliseconds(start: str, end: str) -> int | None:
    passed = between(start, end)
    return None if passed is None else int(passed.total_seconds() * 1000)
