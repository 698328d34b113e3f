"""What each payload of a hook says: payloads in, statements out, every field of them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from orch_tui.hand_over_hook import EVENT as HAND_OVER_NOTE
from orch_tui.install.hook_settings import EVENTS
from orch_tui.record.claude_code import LAUNCHERS, REPORTER, STOPPER
from orch_tui.record.hooks import payloads
from orch_tui.record.hooks.payloads import (
    HookReport,
    HookStatements,
    SessionEnd,
    UnreadableError,
    parse_payload,
    read_payload,
)
from orch_tui.record.ledger.doubt import EMPTY, UNHEARD
from orch_tui.record.ledger.statement import Deployed, Noted, Returned
from tests.record.test_launch_results import notice

AT = "2026-11-22T10:00:00.000Z"
NOTE = "NOTE: this agent stopped at its 2-turn limit before its end. PARTIAL output"
EARLY = "Agent terminated early due to an API error: API Error: 500\n\nPARTIAL output"
CALL = ("tool:T", "call:S/T")
INPUT = {"subagent_type": "Explore", "description": "find", "prompt": "Find it.", "model": "opus"}
ASKED: dict[str, Any] = {
    "tool_use_id": "T",
    "agent_type": "Explore",
    "scope": "find",
    "model": "opus",
    "depth": 1,
}
"""What ``INPUT`` says of an agent that the main conversation launches."""


def event(name: str, **fields: Any) -> dict[str, Any]:
    return {"hook_event_name": name, "session_id": "S", **fields}


def pre(**fields: Any) -> dict[str, Any]:
    given = {"tool_name": "Agent", "tool_use_id": "T", "tool_input": INPUT}
    return event("PreToolUse", **{**given, **fields})


def post(response: Any, **fields: Any) -> dict[str, Any]:
    return pre(**fields) | {"hook_event_name": "PostToolUse", "tool_response": response}


def stop(**fields: Any) -> dict[str, Any]:
    return event("SubagentStop", **{"agent_id": "a1", "agent_type": "Explore", **fields})


def says(*reports: HookReport, **more: Any) -> HookStatements:
    return HookStatements("S", reports, **more)


def of_call(
    statement: Deployed | Noted | Returned, message: str | None = None, *keys: str
) -> HookStatements:
    return says(HookReport((*CALL, *keys), statement, message, prompt="Find it."))


def of_agent(statement: Noted | Returned, message: str | None = None, **more: Any) -> HookReport:
    return HookReport(("agent:S/a1",), statement, message, **more)


def returned(message: str | None = "Found.", *keys: str, **facts: Any) -> HookStatements:
    """The result of the call that ``INPUT`` made."""
    back = Returned(**{**ASKED, "status": "completed", "echo": True, **facts})
    return of_call(back, message, *keys)


def block(text: Any) -> dict[str, Any]:
    return {"type": "text", "text": text}


# Payloads that are none


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "no JSON: Expecting property name enclosed in double quotes"),
        (b"\xff\xfe\xff", "no JSON: "),
        (b"[" * 200_000, "no JSON: maximum recursion depth exceeded"),
        (b"[]", "no JSON object"),
        (b'"PreToolUse"', "no JSON object"),
        (b"{}", "it names no hook_event_name"),
        (b'{"hook_event_name": 1}', "it names no hook_event_name"),
    ],
)
def test_what_is_no_payload_is_refused_with_the_reason(data: bytes, message: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        parse_payload(data)
    assert str(refused.value).startswith(message)


def test_a_payload_is_any_object_that_names_its_event() -> None:
    assert parse_payload(b'{"hook_event_name": "X", "a": [1]}') == {
        "hook_event_name": "X",
        "a": [1],
    }


@pytest.mark.parametrize("session", [None, "", 7])
def test_a_payload_about_agents_has_to_name_its_session(session: Any) -> None:
    with pytest.raises(UnreadableError) as refused:
        read_payload(pre(session_id=session), AT)
    assert refused.value.message == "it names no session_id"


@pytest.mark.parametrize(
    "payload",
    [
        event("Stop"),
        {"hook_event_name": "Notification"},
        {"hook_event_name": "PreToolUse", "tool_name": "Bash"},
        event("PreToolUse", tool_name="SendMessage"),
        event("PreToolUse", tool_name="TaskStop"),
        event("PreToolUse"),
        event("PostToolUseFailure", tool_name="SendMessage", error="no"),
        event("PostToolUseFailure"),
    ],
)
def test_what_is_not_about_agents_says_nothing(payload: dict[str, Any]) -> None:
    assert read_payload(payload, AT) is None


# The call


def test_a_call_says_what_an_agent_is_given() -> None:
    sent = Deployed(**ASKED, deployed_at=AT)
    assert read_payload(pre(), AT) == of_call(sent)
    assert read_payload(pre(tool_name="Task"), AT) == of_call(sent)


def test_a_call_that_says_nothing_launches_the_general_agent() -> None:
    nobody = hashlib.sha256(b"").hexdigest()[:16]
    sent = Deployed(agent_type="general-purpose", depth=1, deployed_at=AT)
    for given in ({}, None, "text", {"prompt": 7, "model": ["opus"]}):
        payload = event("PreToolUse", tool_name="Agent", tool_input=given)
        assert read_payload(payload, AT) == says(HookReport((f"call:S/{nobody}",), sent))


def test_a_call_without_an_id_is_known_by_its_prompt() -> None:
    key = hashlib.sha256(b"Find it.").hexdigest()[:16]
    facts: dict[str, Any] = {**ASKED, "tool_use_id": None}
    assert read_payload(pre(tool_use_id=None), AT) == says(
        HookReport((f"call:S/{key}",), Deployed(**facts, deployed_at=AT), prompt="Find it.")
    )


def test_a_call_by_an_agent_tells_of_the_agent_too() -> None:
    facts: dict[str, Any] = {**ASKED, "depth": None, "parent": "agent:S/a1"}
    sent = HookReport(CALL, Deployed(**facts, deployed_at=AT), prompt="Find it.")
    assert read_payload(pre(agent_id="a1", agent_type="Plan"), AT) == says(
        of_agent(Noted(agent_id="a1", agent_type="Plan")), sent
    )
    assert read_payload(pre(agent_id="a1"), AT) == says(of_agent(Noted(agent_id="a1")), sent)


def test_half_a_character_is_replaced() -> None:
    given = {**INPUT, "description": "a\ud800b"}
    sent = Deployed(**{**ASKED, "scope": "a?b"}, deployed_at=AT)
    assert read_payload(pre(tool_input=given), AT) == of_call(sent)


# Its result

WHOLE = {
    "status": "completed",
    "agentId": "a1",
    "content": [block("Found.")],
    "resolvedModel": "claude-opus-9",
    "totalDurationMs": 61_000,
    "totalToolUseCount": 4,
    "totalTokens": 43_179,
}
FIGURES: dict[str, Any] = {
    "agent_id": "a1",
    "resolved_model": "claude-opus-9",
    "duration_ms": 61_000,
    "tool_calls": 4,
    "context_end_tokens": 43_179,
}
AGENT = "agent:S/a1"


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (WHOLE, returned("Found.", AGENT, **FIGURES)),
        ({"status": "completed", "content": "Found."}, returned()),
        ({"content": [block("Found.")]}, returned()),
        (
            {"status": "completed", "agent_id": "a1", "content": "x"},
            returned("x", AGENT, agent_id="a1"),
        ),
        ({"status": "completed"}, returned(None, doubt=EMPTY)),
        ({"status": "completed", "content": [block(" ")]}, returned(None, doubt=EMPTY)),
        ({"status": "completed", "content": {"text": "x"}}, returned(None, doubt=EMPTY)),
        (
            {"status": "completed", "content": [block("a"), "no block", block(7), block("b")]},
            returned("a\nb"),
        ),
        (
            {"status": "completed", "content": "x", "totalTokens": 0, "totalToolUseCount": 0},
            returned("x", tool_calls=0),
        ),
        (
            {"status": "completed", "content": "x", "totalDurationMs": 0, "totalTokens": 1},
            returned("x", duration_ms=0, context_end_tokens=1),
        ),
        (
            {
                "status": "completed",
                "content": "x",
                "totalDurationMs": (1 << 53) - 1,
                "totalToolUseCount": 1 << 53,
                "totalTokens": -1,
            },
            returned("x", duration_ms=(1 << 53) - 1),
        ),
        (
            {
                "status": "completed",
                "content": "x",
                "totalDurationMs": True,
                "totalToolUseCount": "4",
                "totalTokens": 1.5,
            },
            returned("x"),
        ),
        (
            {"status": "completed", "content": [block(NOTE), block("Half.")]},
            returned(
                "Half.",
                doubt="it stopped at its limit of 2 turns: what it said is a part",
                ending="limit",
            ),
        ),
        (
            {"status": "completed", "content": [block("a"), block("b")], "harnessNoteCount": 1},
            returned("b"),
        ),
        (
            {"status": "completed", "content": [block("a"), block("b")], "harnessTailCount": 1},
            returned("a"),
        ),
        (
            {"status": "completed", "content": [block(EARLY), block("Half.")]},
            returned("Half.", status="failed", error_message="API Error: 500"),
        ),
        (
            {"status": "completed", "content": [block(EARLY), block("")], "harnessNoteCount": 1},
            returned(None, status="failed", error_message="API Error: 500"),
        ),
        *(
            (
                {"status": status},
                returned(None, status="failed", error_message=f"Claude Code says: {status}"),
            )
            for status in ("failed", "error", "stopped", "killed", "cancelled")
        ),
        (
            {"status": "failed", "error": "no memory", "content": "Half."},
            returned("Half.", status="failed", error_message="no memory"),
        ),
        ("Found.", returned()),
        ([block("Found.")], returned()),
        *(
            (text, returned(None, status="failed", error_message=why))
            for text, why in [
                ("Error: no such agent", "no such agent"),
                ("User rejected it", "User rejected it"),
                ("The user doesn't want that", "The user doesn't want that"),
                ("[Request interrupted by user]", "interrupted by the user"),
            ]
        ),
    ],
)
def test_a_result_says_how_the_agent_came_back(response: Any, expected: HookStatements) -> None:
    assert read_payload(post(response), AT) == expected


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (
            {"status": "async_launched", "agentId": "a1", "content": "x", "resolvedModel": "m"},
            of_call(Noted(**ASKED, agent_id="a1", resolved_model="m"), None, AGENT),
        ),
        ({"status": "odd", "content": "x"}, of_call(Noted(**ASKED))),
        ({"totalTokens": 12}, of_call(Noted(**ASKED))),
        ({"agentType": "Plan"}, of_call(Noted(**ASKED))),
        *((response, of_call(Noted(**ASKED))) for response in ("", " ", None, 7, [], ["x"])),
    ],
)
def test_a_result_before_the_end_says_who_is_at_work(
    response: Any, expected: HookStatements
) -> None:
    assert read_payload(post(response), AT) == expected


def test_a_result_without_the_call_knows_the_type_of_the_agent() -> None:
    def noted(**facts: Any) -> HookStatements:
        return says(HookReport(CALL, Noted(tool_use_id="T", depth=1, **facts)))

    assert read_payload(post({"agentType": "Plan"}, tool_input={}), AT) == noted(agent_type="Plan")
    assert read_payload(post({}, tool_input={}), AT) == noted()


def test_a_result_for_an_agent_tells_of_that_agent_too() -> None:
    facts: dict[str, Any] = {
        **ASKED,
        "depth": None,
        "parent": "agent:S/a1",
        "status": "completed",
        "echo": True,
    }
    assert read_payload(post("Found.", agent_id="a1"), AT) == says(
        of_agent(Noted(agent_id="a1")),
        HookReport(CALL, Returned(**facts), "Found.", prompt="Find it."),
    )


# The call failed


@pytest.mark.parametrize(
    ("fields", "facts"),
    [
        ({"error": "Error: no such agent"}, {"error_message": "no such agent"}),
        ({}, {"error_message": "the call of the agent failed"}),
        ({"error": "x", "duration_ms": 12}, {"error_message": "x", "duration_ms": 12}),
        (
            {"error": "x", "is_interrupt": True},
            {"error_message": "interrupted: x", "ending": "interrupted"},
        ),
        ({"error": "x", "is_interrupt": 1}, {"error_message": "x"}),
        ({"error": "x", "is_interrupt": False}, {"error_message": "x"}),
    ],
)
@pytest.mark.parametrize("tool", ["Agent", "Task"])
def test_a_call_that_failed_says_why(
    fields: dict[str, Any], facts: dict[str, Any], tool: str
) -> None:
    payload = pre(tool_name=tool, **fields) | {"hook_event_name": "PostToolUseFailure"}
    assert read_payload(payload, AT) == returned(None, status="failed", **facts)


# Messages to agents, and orders to stop


def tool(name: str, response: Any, **fields: Any) -> dict[str, Any]:
    given = {"tool_name": name, "tool_use_id": "T2", "tool_response": response, **fields}
    return event("PostToolUse", **given)


RESUMED = says(of_agent(Noted(resumed="T2"), only_known=True))


NO_MESSAGES: list[Any] = [None, {}, {"pin": "a1"}, {"pin": {}}, [], "{", "[]", "[" * 200_000]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (tool("SendMessage", {"resumedAgentId": "a1"}), RESUMED),
        (tool("SendMessage", {"pin": {"id": "a1"}}), RESUMED),
        (tool("SendMessage", {"resumedAgentId": "a1", "pin": {"id": "a2"}}), RESUMED),
        (tool("SendMessage", json.dumps({"resumedAgentId": "a1"})), RESUMED),
        (
            tool("SendMessage", {"resumedAgentId": "a1"}, tool_use_id=None),
            says(of_agent(Noted(resumed=AT), only_known=True)),
        ),
        *((tool("SendMessage", response), None) for response in NO_MESSAGES),
    ],
)
def test_a_message_sets_an_agent_to_work_again(
    payload: dict[str, Any], expected: HookStatements | None
) -> None:
    assert read_payload(payload, AT) == expected


STOPPED: dict[str, Any] = {
    "status": "failed",
    "error_message": "stopped",
    "broke_off": True,
    "ending": "stopped",
}


@pytest.mark.parametrize(
    ("path", "transcript"),
    [("/p/S.jsonl", "/p/S/subagents/agent-a1.jsonl"), ("", None), (None, None)],
)
def test_an_order_to_stop_an_agent_ends_it(path: str | None, transcript: str | None) -> None:
    response = {"task_id": "a1", "task_type": "local_agent"}
    assert read_payload(tool("TaskStop", response, transcript_path=path), AT) == says(
        of_agent(Returned(**STOPPED, agent_id="a1")), transcript=transcript
    )


def test_an_agent_whose_name_is_a_path_has_no_transcript() -> None:
    response = {"task_id": "../a1", "task_type": "local_agent"}
    payload = tool("TaskStop", response, transcript_path="/p/S.jsonl")
    stopped = Returned(**STOPPED, agent_id="../a1")
    assert read_payload(payload, AT) == says(HookReport(("agent:S/../a1",), stopped))


@pytest.mark.parametrize(
    "response",
    [
        {"task_id": "a1", "task_type": "local_bash"},
        {"task_id": "", "task_type": "local_agent"},
        {"task_id": "acompact-ff", "task_type": "local_agent"},
        "stopped",
        None,
    ],
)
def test_an_order_to_stop_anything_else_says_nothing(response: Any) -> None:
    assert read_payload(tool("TaskStop", response), AT) is None


# Agents that begin and stop


def test_an_agent_that_starts_has_begun() -> None:
    begun = Noted(begun=True, deployed_at=AT, agent_id="a1", agent_type="Explore")
    payload = event("SubagentStart", agent_id="a1", agent_type="Explore")
    assert read_payload(payload, AT) == says(of_agent(begun))
    typeless = Noted(begun=True, deployed_at=AT, agent_id="a1")
    assert read_payload(event("SubagentStart", agent_id="a1"), AT) == says(of_agent(typeless))
    for agent in (None, "", 7, "aprompt_suggestion-12"):
        assert read_payload(event("SubagentStart", agent_id=agent), AT) is None


def stopped(**facts: Any) -> Returned:
    return Returned(**{"agent_id": "a1", "agent_type": "Explore", **facts})


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (stop(last_assistant_message="Done."), says(of_agent(stopped(), "Done."))),
        (
            stop(last_assistant_message="Done.", agent_transcript_path="/p/a1.jsonl"),
            says(of_agent(stopped(), "Done."), transcript="/p/a1.jsonl"),
        ),
        (
            stop(last_assistant_message=" \n", agent_transcript_path="/p/a1.jsonl"),
            says(
                of_agent(stopped(doubt=EMPTY), transcript="/p/a1.jsonl"), transcript="/p/a1.jsonl"
            ),
        ),
        (
            stop(agent_transcript_path="/p/a1.jsonl"),
            says(
                of_agent(stopped(doubt=UNHEARD), transcript="/p/a1.jsonl"),
                transcript="/p/a1.jsonl",
            ),
        ),
        (stop(), says(of_agent(stopped(doubt=UNHEARD), transcript=""))),
        (
            stop(last_assistant_message="Done.", stop_hook_active=True),
            says(of_agent(stopped(went_on=True), "Done.")),
        ),
        (
            stop(last_assistant_message="Done.", stop_hook_active=1),
            says(of_agent(stopped(), "Done.")),
        ),
        (
            stop(last_assistant_message="Done.", agent_type=""),
            says(of_agent(stopped(agent_type=None), "Done.", only_known=True)),
        ),
        (
            stop(last_assistant_message="Done.", agent_type=None),
            says(of_agent(stopped(agent_type=None), "Done.")),
        ),
        (
            stop(
                last_assistant_message="Done.",
                background_tasks=[{"id": "a1", "status": "running"}, {"id": "b", "status": "done"}],
            ),
            says(of_agent(stopped(), "Done.")),
        ),
        (
            stop(
                last_assistant_message="Done.",
                background_tasks=[
                    7,
                    {"id": "a1", "status": "running"},
                    {"id": "b", "status": "running"},
                ],
            ),
            says(of_agent(stopped(is_waiting=True, running=("b",)), "Done.")),
        ),
        (
            stop(
                last_assistant_message="Done.",
                agent_transcript_path="/p/S/subagents/workflows/wf1/agent-a1.jsonl",
            ),
            says(
                of_agent(stopped(agent_kind="workflow", workflow_run="wf1"), "Done."),
                transcript="/p/S/subagents/workflows/wf1/agent-a1.jsonl",
            ),
        ),
        (stop(agent_id="aside_question-1"), None),
        (stop(agent_id=""), None),
    ],
)
def test_an_agent_that_stops_said_its_last_word(
    payload: dict[str, Any], expected: HookStatements | None
) -> None:
    assert read_payload(payload, AT) == expected


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"last_assistant_message": "API Error: 529", "error": "x"}, "API Error: 529"),
        ({"error": "Error: rate_limit"}, "rate_limit"),
        ({"error": " "}, "an API error"),
        ({}, "an API error"),
    ],
)
def test_an_error_of_the_api_breaks_an_agent_off(fields: dict[str, Any], reason: str) -> None:
    payload = stop(**fields, transcript_path="/p/S.jsonl") | {"hook_event_name": "StopFailure"}
    broken = stopped(status="failed", error_message=reason, broke_off=True)
    transcript = "/p/S/subagents/agent-a1.jsonl"
    assert read_payload(payload, AT) == says(of_agent(broken), transcript=transcript)
    assert read_payload(payload | {"agent_id": None}, AT) is None


def test_a_teammate_that_idles_has_its_transcript_read() -> None:
    name = "scout"
    fields = {"agent_id": "ascout-1d9ce85f586bb1fd", "agent_type": name, "teammate_name": name}
    payload = event("TeammateIdle", **fields, transcript_path="/p/S.jsonl")
    noted = Noted(agent_id=fields["agent_id"], agent_name=name, agent_kind="teammate")
    heard = read_payload(payload, AT)
    assert heard is not None
    assert [report.statement for report in heard.reports] == [noted]
    assert heard.transcript == f"/p/S/subagents/agent-{fields['agent_id']}.jsonl"
    assert read_payload(payload | {"agent_id": None}, AT) is None


def prompt(*notices: str) -> dict[str, Any]:
    return event("UserPromptSubmit", prompt="\n".join(notices), transcript_path="/p/S.jsonl")


RESULT = "<result>\nFound.\n</result>\n"


@pytest.mark.parametrize(
    ("said", "message", "keys", "facts"),
    [
        (notice(rest=RESULT), "Found.", (*CALL, "agent:S/a1"), {"status": "completed"}),
        (notice(), None, (*CALL, "agent:S/a1"), {"status": "completed", "doubt": EMPTY}),
        (
            notice(tool="", rest=RESULT),
            "Found.",
            ("agent:S/a1",),
            {"status": "completed", "tool_use_id": None},
        ),
        (notice(agent="", rest=RESULT), "Found.", CALL, {"status": "completed", "agent_id": None}),
        (
            notice("failed", summary="Agent x"),
            None,
            (*CALL, "agent:S/a1"),
            {"status": "failed", "error_message": "Agent x"},
        ),
    ],
)
def test_a_session_is_told_how_an_agent_in_the_background_ended(
    said: str, message: str | None, keys: tuple[str, ...], facts: dict[str, Any]
) -> None:
    ended = Returned(**{"agent_id": "a1", "tool_use_id": "T", "echo": True, **facts})
    transcript = "/p/S/subagents/agent-a1.jsonl" if ended.agent_id else None
    expected = says(HookReport(keys, ended, message), transcript=transcript)
    assert read_payload(prompt(said), AT) == expected


def test_only_what_ended_an_agent_is_heard_in_a_prompt() -> None:
    others = [
        notice("running"),
        notice(summary="Command ended"),
        notice(agent="", tool=""),
        notice(rest="<result>This agent has not reported yet</result>"),
    ]
    for said in (*others, "Find it.", ""):
        assert read_payload(prompt(said), AT) is None
    both = read_payload(prompt(*others, notice(agent="a2", rest=RESULT)), AT)
    assert both is not None
    assert [getattr(report.statement, "agent_id", None) for report in both.reports] == ["a2"]
    assert both.transcript == "/p/S/subagents/agent-a2.jsonl"


def test_what_an_agent_hands_back_by_a_tool_is_its_last_word() -> None:
    fields = {"agent_id": "a1", "agent_type": "Explore", "transcript_path": "/p/S.jsonl"}

    def hand(said: str, response: Any) -> HookStatements | None:
        payload = tool(REPORTER, response, tool_input={"message": said}, **fields)
        return read_payload(payload, AT)

    expected = says(
        of_agent(stopped(by_tool=True), "Done."), transcript="/p/S/subagents/agent-a1.jsonl"
    )
    assert hand("Done.", {}) == hand("Done.", "kept") == expected
    assert hand("Done.", {"success": False}) is None
    assert hand(" ", {}) is None


@pytest.mark.parametrize(
    ("fields", "end", "transcript"),
    [
        ({"reason": "clear", "transcript_path": "/p/S.jsonl"}, "clear", "/p/S.jsonl"),
        ({}, "other", None),
    ],
)
def test_a_session_that_ends_says_why(
    fields: dict[str, Any], end: str, transcript: str | None
) -> None:
    expected = says(end=SessionEnd(end), transcript=transcript)
    assert read_payload(event("SessionEnd", **fields), AT) == expected


def test_what_is_registered_is_what_is_read() -> None:
    """No hook is started for nothing, and nothing that can be read goes unheard."""
    heard = {*payloads._EVENTS, "PermissionRequest"} - {HAND_OVER_NOTE}
    assert heard == EVENTS.keys()
    tools = {*LAUNCHERS, payloads.RESUMER, STOPPER, REPORTER}
    assert set(str(EVENTS["PostToolUse"]).split("|")) == tools
    for event in ("PreToolUse", "PostToolUseFailure"):
        assert set(str(EVENTS[event]).split("|")) == set(LAUNCHERS)


def test_a_permission_that_is_asked_for_is_read_with_what_the_tool_is_given() -> None:
    asked = {
        "hook_event_name": "PermissionRequest",
        "session_id": "S",
        "agent_id": "a1",
        "tool_name": "Bash",
        "tool_input": {"command": "ls"},
    }
    read = payloads.read_permission(asked)
    assert read == payloads.PermissionPayload("S", "a1", "Bash", b'{"command": "ls"}')
    assert payloads.read_permission({**asked, "hook_event_name": "PreToolUse"}) is None
    assert payloads.read_permission({**asked, "session_id": ""}) is None
    main = payloads.read_permission({**asked, "agent_id": None, "tool_input": "odd"})
    assert main == payloads.PermissionPayload("S", "", "Bash", b"{}")
