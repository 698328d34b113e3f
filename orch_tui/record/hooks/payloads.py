"""What the payload of one hook event says of agents, as statements for the record.

A pure reading of the JSON that Claude Code hands to hooks (https://code.claude.com/docs/en/hooks);
every field may be missing or of another type. The call of the tool ``Agent`` (``Task`` before
2.1.63) knows what an agent was given, the start and stop of the agent know its id, and only the
result of the call knows both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from typing import Any, Required, TypedDict

from orch_tui.errors import FormatError
from orch_tui.frozen import frozen
from orch_tui.hand_over_hook import EVENT as HAND_OVER_NOTE
from orch_tui.record.agent_words import AgentWords, separate_notes
from orch_tui.record.claude_code import (
    AGENT_TASK,
    LAUNCHERS,
    REPORTER,
    STOPPED,
    STOPPER,
    agent_key,
    describe_failure,
    is_internal,
    name_of_agent,
    nameless_call_key,
    tool_key,
)
from orch_tui.record.ledger.doubt import EMPTY, UNHEARD
from orch_tui.record.ledger.statement import (
    Addressed,
    AgentKind,
    Deployed,
    Noted,
    Returned,
    RunEnd,
)
from orch_tui.record.notifications import TASK_ENDINGS, Notification, read_notifications

RESUMER = "SendMessage"
_TEAMMATE = "teammate_spawned"
DEFAULT_AGENT = "general-purpose"
"""The agent type of a call that names none."""

_REFUSALS = ("Error", "User rejected", "The user doesn't want", "[Request interrupted")
"""How a result that is only text begins where the agent did not run to its end."""


class UnreadableError(FormatError):
    """Not the payload of a hook; says why."""


@frozen
class HookReport:
    """One thing that a payload says of one run."""

    keys: tuple[str, ...]
    statement: Deployed | Noted | Returned | Addressed
    message: str | None = None
    transcript: str | None = None
    """Where the message can be read when there is none here."""
    prompt: str | None = None
    """The text the agent was given."""
    only_known: bool = False
    """Says nothing where nobody has heard of the execution."""
    folder: str = ""
    """Where the agent works, as the payload says; nothing to be relied on."""


@frozen
class SessionEnd:
    """What is still out in this session will not return."""

    reason: str


@frozen
class NotHandedOver:
    """A call that named a briefing and went through as it was."""

    call: tuple[str, ...]
    reason: str


@frozen
class HookStatements:
    """All that one payload says."""

    claude_session: str
    reports: tuple[HookReport, ...] = ()
    end: SessionEnd | None = None
    transcript: str | None = None
    """Of the agent that has returned, or of the session that has ended."""
    not_handed_over: NotHandedOver | None = None


@frozen
class PermissionPayload:
    """An agent asks whether it may call a tool; nothing that the record keeps."""

    claude_session: str
    agent_id: str
    """Empty: the main conversation asks."""
    tool: str
    given: bytes
    """The input of the tool, as JSON."""


def read_permission(payload: Mapping[str, Any]) -> PermissionPayload | None:
    """Read what is asked for; None where it is no such payload."""
    session, agent_id = _text(payload, "session_id"), _text(payload, "agent_id")
    if _text(payload, "hook_event_name") != "PermissionRequest" or not session:
        return None
    given = json.dumps(_mapping(payload, "tool_input")).encode()
    return PermissionPayload(session, agent_id, _text(payload, "tool_name"), given)


def parse_payload(data: bytes) -> dict[str, Any]:
    """Parse a payload into a JSON object.

    Raises:
        UnreadableError: it is none, or says of no event.
    """
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"no JSON: {error}") from None
    if not isinstance(payload, dict):
        raise UnreadableError("no JSON object")
    if not _text(payload, "hook_event_name"):
        raise UnreadableError("it names no hook_event_name")
    return payload


def read_payload(payload: Mapping[str, Any], at: str) -> HookStatements | None:
    """Read the statements of a payload that arrived ``at``; None where it is not about agents.

    Raises:
        UnreadableError: it should, but does not say of which session.
    """
    event = _text(payload, "hook_event_name")
    tool = _text(payload, "tool_name")
    reader = _EVENTS.get(event)
    if reader is None or (tool and tool not in (*LAUNCHERS, RESUMER, STOPPER, REPORTER)):
        return None
    session = _text(payload, "session_id")
    if not session:
        raise UnreadableError("it names no session_id")
    return reader(_Event(payload, event, session, tool, at))


@frozen
class _Event:
    payload: Mapping[str, Any]
    name: str
    session: str
    tool: str
    at: str
    input: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "input", _mapping(self.payload, "tool_input"))

    @property
    def call(self) -> tuple[str, ...]:
        """The keys of the call. Before 2.0.43 it had no id: the prompt stands for it."""
        if tool_use_id := _text(self.payload, "tool_use_id"):
            return tool_key(tool_use_id), f"call:{self.session}/{tool_use_id}"
        return (nameless_call_key(self.session, _text(self.input, "prompt")),)

    @property
    def folder(self) -> str:
        """Where whoever the event is of works."""
        return _text(self.payload, "cwd")

    def agent(self, agent_id: str) -> str:
        return agent_key(self.session, agent_id)

    def transcript_of(self, agent_id: str) -> str | None:
        """Where the agent's own transcript lies, of an event that does not say so."""
        session = _text(self.payload, "transcript_path").removesuffix(".jsonl")
        if not session or "/" in agent_id:
            return None
        return f"{session}/subagents/agent-{agent_id}.jsonl"


def _called(event: _Event) -> HookStatements | None:
    if event.tool not in LAUNCHERS:
        return None
    deployed = Deployed(**_call_facts(event), deployed_at=event.at)
    is_apart = bool(_text(event.input, "isolation"))
    return _report_call(event, deployed, folder="" if is_apart else event.folder)


class _CallFacts(TypedDict):
    tool_use_id: str | None
    agent_type: str | None
    scope: str | None
    model: str | None
    agent_name: str | None
    parent: str | None
    depth: int | None


def _call_facts(event: _Event) -> _CallFacts:
    """Read what a call says of the agent it launches, and who called."""
    caller = _text(event.payload, "agent_id")
    return {
        "tool_use_id": _text(event.payload, "tool_use_id") or None,
        "agent_type": _text(event.input, "subagent_type") or DEFAULT_AGENT,
        "scope": _text(event.input, "description") or None,
        "model": _text(event.input, "model") or None,
        "agent_name": _text(event.input, "name") or None,
        "parent": event.agent(caller) if caller else None,
        "depth": None if caller else 1,
    }


def _report_call(
    event: _Event,
    statement: Deployed | Noted | Returned,
    *,
    keys: tuple[str, ...] = (),
    message: str | None = None,
    folder: str = "",
) -> HookStatements:
    """Report a statement about the agent that a call launches, and that its caller runs."""
    prompt = _text(event.input, "prompt") or None
    report = HookReport(event.call + keys, statement, message, prompt=prompt, folder=folder)
    caller = _text(event.payload, "agent_id")
    if not caller:
        return HookStatements(event.session, (report,))
    parent = Noted(agent_id=caller, agent_type=_text(event.payload, "agent_type") or None)
    told = HookReport((event.agent(caller),), parent, folder=event.folder)
    return HookStatements(event.session, (told, report))


def _answered(event: _Event) -> HookStatements | None:
    response = event.payload.get("tool_response")
    if event.tool == RESUMER:
        return _resumed(event, response)
    if event.tool == STOPPER:
        return _stopped_task(event)
    if event.tool == REPORTER:
        return _handed_back(event)
    facts = _mapping(event.payload, "tool_response")
    agent_id = _text(facts, "agentId") or _text(facts, "agent_id")
    if _text(facts, "status") == _TEAMMATE:
        agent_id = ""  # the address of its mailbox: its hooks and its file have another name
    call = _call_facts(event)
    if not event.input:
        call["agent_type"] = _text(facts, "agentType") or None
    keys = (event.agent(agent_id),) if agent_id else ()
    resolved_model = _text(facts, "resolvedModel") or None
    folder = _text(facts, "worktreePath")
    end, words = _read_result(response)
    if end is None:
        noted = Noted(**call, agent_id=agent_id or None, resolved_model=resolved_model)
        return _report_call(event, noted, keys=keys, folder=folder)
    is_empty = not words.text and end["status"] == "completed"
    returned = Returned(
        **call,
        **end,
        agent_id=agent_id or None,
        resolved_model=resolved_model,
        echo=True,
        doubt=words.doubt or (EMPTY if is_empty else None),
        duration_ms=_number(facts, "totalDurationMs"),
        tool_calls=_number(facts, "totalToolUseCount"),
        context_end_tokens=_number(facts, "totalTokens") or None,
    )
    return _report_call(event, returned, keys=keys, message=words.text or None, folder=folder)


def _read_result(response: Any) -> tuple[RunEnd | None, AgentWords]:
    """Read how a run ended and its final words; None where the agent is still at work."""
    if isinstance(response, Mapping):
        status = _text(response, "status")
        words = separate_notes(
            _texts(response.get("content")),
            _number(response, "harnessNoteCount"),
            _number(response, "harnessTailCount"),
        )
        if status in ("failed", "error", "stopped", "killed", "cancelled"):
            reason = _text(response, "error") or f"Claude Code says: {status}"
            return {"status": "failed", "error_message": reason}, words
        if status == "completed" or (words.text and not status):
            return words.ending, words
        return None, _NO_WORDS
    words = separate_notes(_texts(response))
    if not words.text and not words.doubt:
        return None, _NO_WORDS
    if words.text.startswith(_REFUSALS):
        return {"status": "failed", "error_message": describe_failure(words.text)}, _NO_WORDS
    return words.ending, words


_NO_WORDS = AgentWords("")


def _failed(event: _Event) -> HookStatements | None:
    if event.tool not in LAUNCHERS:
        return None
    error = describe_failure(_text(event.payload, "error"))
    is_interrupted = event.payload.get("is_interrupt") is True
    if is_interrupted:
        error = f"interrupted: {error}"
    returned = Returned(
        **_call_facts(event),
        status="failed",
        error_message=error,
        ending="interrupted" if is_interrupted else None,
        echo=True,
        duration_ms=_number(event.payload, "duration_ms"),
    )
    return _report_call(event, returned)


def _resumed(event: _Event, response: Any) -> HookStatements | None:
    """Report what an agent was told after its launch, and that it set it to work again where it
    had returned."""
    if isinstance(response, str):
        try:
            response = json.loads(response)
        except (ValueError, RecursionError):
            return None
    if not isinstance(response, Mapping) or response.get("success") is False:
        return None
    resumed = _text(response, "resumedAgentId") or _text(_mapping(response, "pin"), "id")
    agent_id = resumed or _text(event.input, "to")
    if not agent_id:
        return None
    call = _text(event.payload, "tool_use_id") or event.at
    key = event.agent(agent_id)
    reports = [HookReport((key,), Noted(resumed=call), only_known=True)] if resumed else []
    if text := _text(event.input, "message"):
        told = Addressed(at=event.at, call=call)
        reports.append(HookReport((key,), told, message=text, only_known=True))
    return HookStatements(event.session, tuple(reports))


def _handed_back(event: _Event) -> HookStatements | None:
    """Report what an agent gave back by a tool, in place of a last message."""
    response, said = event.payload.get("tool_response"), _text(event.input, "message")
    refused = isinstance(response, Mapping) and response.get("success") is False
    if refused or not said.strip():
        return None
    heard = _report_agent(event, Returned(**_agent_facts(event), by_tool=True), said)
    transcript = event.transcript_of(_text(event.payload, "agent_id"))
    return heard and replace(heard, transcript=transcript)


def _notified(event: _Event) -> HookStatements | None:
    """Report how agents in the background ended, as their session is told in place of a prompt."""
    found = read_notifications(_text(event.payload, "prompt")) or []
    ended = [
        n
        for n in found
        if n.is_of_agent
        and n.status in TASK_ENDINGS
        and not n.is_interim
        and (n.agent_id or n.tool_use_id)
    ]
    if not ended:
        return None
    return HookStatements(
        event.session,
        tuple(_report_notification(event, n) for n in ended),
        transcript=event.transcript_of(ended[0].agent_id) if ended[0].agent_id else None,
    )


def _report_notification(event: _Event, notified: Notification) -> HookReport:
    is_empty = notified.status == "completed" and not notified.words.text.strip()
    returned = Returned(
        **notified.figures,
        **notified.ending,
        agent_id=notified.agent_id or None,
        tool_use_id=notified.tool_use_id or None,
        echo=True,
        doubt=notified.words.doubt or (EMPTY if is_empty else None),
    )
    tool = notified.tool_use_id
    keys = [tool_key(tool), f"call:{event.session}/{tool}"] if tool else []
    if notified.agent_id:
        keys.append(event.agent(notified.agent_id))
    return HookReport(tuple(keys), returned, notified.words.text or None)


def _stopped_task(event: _Event) -> HookStatements | None:
    """Report that a background agent was stopped: nothing else may tell of its end."""
    response = _mapping(event.payload, "tool_response")
    agent_id = _text(response, "task_id")
    if _text(response, "task_type") != AGENT_TASK or not agent_id or is_internal(agent_id):
        return None
    stopped = Returned(**STOPPED, agent_id=agent_id)
    return HookStatements(
        event.session,
        (HookReport((event.agent(agent_id),), stopped),),
        transcript=event.transcript_of(agent_id),
    )


def _started(event: _Event) -> HookStatements | None:
    return _report_agent(event, Noted(**_agent_facts(event), begun=True, deployed_at=event.at))


def _stopped(event: _Event) -> HookStatements | None:
    """Report that an agent stopped, with its last message.

    Stops without an agent type are of nobody's agent, unless somebody has heard of it: what they
    call its last message is the prompt that Claude Code would suggest, and 2.0 told of the agents
    that warmed its cache up.
    """
    said = _text(event.payload, "last_assistant_message")
    said = said if said.strip() else ""
    path = _text(event.payload, "agent_transcript_path")
    doubt = None
    if not said:
        doubt = EMPTY if "last_assistant_message" in event.payload else UNHEARD
    went_on = event.payload.get("stop_hook_active") is True or None
    running = tuple(_other_tasks(event))
    heard = _report_agent(
        event,
        Returned(
            **_agent_facts(event),
            doubt=doubt,
            went_on=went_on,
            is_waiting=bool(running) or None,
            running=running,
        ),
        said or None,
        None if said else path,
    )
    return heard and replace(heard, transcript=path or None)


_MOST_TASKS = 200


def _other_tasks(event: _Event) -> Iterator[str]:
    """Name the tasks besides the agent of an event that are running in the background."""
    tasks, agent_id = event.payload.get("background_tasks"), _text(event.payload, "agent_id")
    for task in tasks[:_MOST_TASKS] if isinstance(tasks, list) else ():
        if isinstance(task, Mapping) and _text(task, "status") == "running":
            task_id = _text(task, "id")
            if task_id != agent_id:
                yield task_id


def _idles(event: _Event) -> HookStatements | None:
    """Report that a teammate has nothing more to do: what it said last stands in its transcript,
    where its stop told nothing of that."""
    heard = _report_agent(event, Noted(**_agent_facts(event)))
    transcript = event.transcript_of(_text(event.payload, "agent_id"))
    return heard and replace(heard, transcript=transcript)


def _broken_off(event: _Event) -> HookStatements | None:
    """Report that an error of the API ended an agent; no other stop tells of it."""
    error = _text(event.payload, "last_assistant_message") or _text(event.payload, "error")
    reason = describe_failure(error) if error.strip() else "an API error"
    returned = Returned(
        **_agent_facts(event), status="failed", error_message=reason, broke_off=True
    )
    heard = _report_agent(event, returned)
    transcript = event.transcript_of(_text(event.payload, "agent_id"))
    return heard and replace(heard, transcript=transcript)


class _AgentFacts(TypedDict, total=False):
    agent_id: Required[str]
    agent_type: str | None
    agent_name: str
    agent_kind: AgentKind
    workflow_run: str


def _agent_facts(event: _Event) -> _AgentFacts:
    """Read which agent an event is about; its id is empty in the main conversation.

    A teammate's hooks give its name for its type.
    """
    agent_id = _text(event.payload, "agent_id")
    agent_type = _text(event.payload, "agent_type") or None
    name = name_of_agent(agent_id)
    if name and name == agent_type:
        return {"agent_id": agent_id, "agent_name": name, "agent_kind": "teammate"}
    facts: _AgentFacts = {"agent_id": agent_id, "agent_type": agent_type}
    folder = os.path.dirname(_text(event.payload, "agent_transcript_path"))
    if os.path.dirname(folder).endswith("/subagents/workflows"):
        facts["agent_kind"] = "workflow"
        facts["workflow_run"] = os.path.basename(folder)
    return facts


def _report_agent(
    event: _Event,
    statement: Noted | Returned,
    message: str | None = None,
    transcript: str | None = None,
) -> HookStatements | None:
    """Report a statement about the agent of an event; None where it is nobody's agent."""
    agent_id = statement.agent_id or ""
    if not agent_id or is_internal(agent_id):
        return None
    said_nothing = event.name == "SubagentStop" and "last_assistant_message" not in event.payload
    phantom = event.payload.get("agent_type", "" if said_nothing else None) == ""
    return HookStatements(
        event.session,
        (
            HookReport(
                (event.agent(agent_id),),
                statement,
                message,
                transcript=transcript,
                only_known=phantom,
                folder=event.folder,
            ),
        ),
    )


def _not_handed_over(event: _Event) -> HookStatements:
    """Report a note of the hand-over hook; it was left by nobody else."""
    reason = _text(event.payload, "reason")
    return HookStatements(event.session, not_handed_over=NotHandedOver(event.call, reason))


def _ended(event: _Event) -> HookStatements:
    end = SessionEnd(_text(event.payload, "reason") or "other")
    return HookStatements(
        event.session, end=end, transcript=_text(event.payload, "transcript_path") or None
    )


_EVENTS = {
    "PreToolUse": _called,
    "PostToolUse": _answered,
    "PostToolUseFailure": _failed,
    "SubagentStart": _started,
    "SubagentStop": _stopped,
    "StopFailure": _broken_off,
    "TeammateIdle": _idles,
    "UserPromptSubmit": _notified,
    "SessionEnd": _ended,
    HAND_OVER_NOTE: _not_handed_over,
}


def _text(mapping: Mapping[str, Any], name: str) -> str:
    """Get a text without what no file or database takes; empty where there is none."""
    value = mapping.get(name)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _number(mapping: Mapping[str, Any], name: str) -> int | None:
    value = mapping.get(name)
    return value if type(value) is int and 0 <= value < 1 << 53 else None


def _mapping(mapping: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = mapping.get(name)
    return value if isinstance(value, Mapping) else {}


def _texts(content: Any) -> list[str]:
    """List the text of each block of a result, empty for blocks of other kinds."""
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, list):
        return []
    return [_text(block, "text") if isinstance(block, Mapping) else "" for block in content]
