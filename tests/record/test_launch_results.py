"""What whoever launched an agent is told: a line in, statements and usage out, every field."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from orch_tui.record.ledger.doubt import ELSEWHERE, EMPTY, UNHEARD
from orch_tui.record.ledger.statement import Noted, Returned
from orch_tui.record.ledger.usage import MessageUse
from orch_tui.record.transcripts.launch_results import LaunchResultReader
from orch_tui.record.transcripts.reader_state import (
    AgentRun,
    CurrentMessage,
    ParsedChunk,
    ReaderState,
    TranscriptReport,
    hash_text,
)
from orch_tui.record.transcripts.transcript_lines import Entry, MessageOrigin

AT = "2026-11-22T10:00:00.000Z"
NOTE = "NOTE: this agent stopped at its 2-turn limit before its end. PARTIAL output"
EARLY = "Agent terminated early due to an API error: API Error: 500\n\nPARTIAL output"
TOOL, AGENT = "tool:T", "agent:S/a1"
LATE = " " * 1000
"""Text behind which nothing counts as the end."""


def text(said: Any) -> dict[str, Any]:
    return {"type": "text", "text": said}


def answer(content: Any = "", *, tool: str | None = "T", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": tool, "content": content, **more}


def line(*blocks: Any, result: Any = None) -> dict[str, Any]:
    said: dict[str, Any] = {"message": {"content": list(blocks)}}
    return said | ({} if result is None else {"toolUseResult": result})


def read(
    entry: dict[str, Any],
    *,
    at: str = AT,
    launched: tuple[str, ...] = (),
    stops: tuple[str, ...] = (),
    agents: tuple[str, ...] = (),
    runs: dict[str, AgentRun] | None = None,
) -> tuple[ParsedChunk, ReaderState]:
    state = ReaderState(
        launched=dict.fromkeys(launched, ""),
        stops=list(stops),
        agents=list(agents),
        runs=runs or {},
    )
    told = ParsedChunk()
    reader = LaunchResultReader(state, told)
    reader.results(msgspec.json.decode(json.dumps(entry), type=Entry), at, "S")
    return told, state


def told(
    statement: Noted | Returned, message: str | None = None, *keys: str, at: str = AT
) -> ParsedChunk:
    """What is told where one thing is told, and no usage."""
    return ParsedChunk([TranscriptReport(keys, at, "S", statement, message)])


def returned(message: str | None = "Found.", *keys: str, **facts: Any) -> ParsedChunk:
    """The result of a launch that ended well, as who launched it sees it."""
    given: dict[str, Any] = {
        "agent_type": "unknown",
        "tool_use_id": "T",
        "witness": "parent",
        "return_key": "T",
        "status": "completed",
        "completed_at": AT,
    }
    return told(Returned(**{**given, **facts}), message, *(keys or (TOOL,)))


def known(message: str | None = "Found.", **facts: Any) -> ParsedChunk:
    return returned(message, TOOL, AGENT, agent_id="a1", **facts)


# Results of launches

DONE = {"status": "completed", "agentId": "a1", "content": [text("Found.")]}
WHOLE = {
    **DONE,
    "resolvedModel": "claude-opus-9",
    "totalTokens": 43_179,
    "totalToolUseCount": 4,
    "totalDurationMs": 61_000,
    "usage": {
        "input_tokens": 1,
        "cache_creation_input_tokens": 2,
        "cache_read_input_tokens": 3,
        "output_tokens": 4,
        "cache_creation": {"ephemeral_1h_input_tokens": 5},
    },
}


def test_a_whole_result_is_a_return_and_the_usage_of_its_last_message() -> None:
    chunk, state = read(line(answer("shown"), result=WHOLE), launched=("T", "U"))
    expected = known(
        context_end_tokens=43_179,
        tool_calls=4,
        duration_ms=61_000,
        resolved_model="claude-opus-9",
    )
    use = MessageUse(
        message_id="result:T",
        at=AT,
        model="claude-opus-9",
        input=1,
        cache_write=2,
        cache_write_1h=5,
        cache_read=3,
        output=4,
    )
    expected.uses = {(TOOL, AGENT): [use]}
    assert chunk == expected
    assert state == ReaderState(launched={"U": ""}, agents=["a1"])


@pytest.mark.parametrize(
    ("usage", "runs", "figures"),
    [
        ({}, {}, ("", 0, 0, 0, 0, 0)),
        ({"cache_creation": {}}, {}, ("", 0, 0, 0, 0, 0)),
        ({"output_tokens": 7}, {"progress:a1": AgentRun("S")}, ("", 0, 0, 0, 0, 7)),
        (
            {"input_tokens": 7},
            {"progress:a1": AgentRun("S", current=CurrentMessage("m", AT, "heard"))},
            ("heard", 7, 0, 0, 0, 0),
        ),
    ],
)
def test_usage_without_a_model_is_of_the_model_that_was_heard_of(
    usage: dict[str, Any], runs: dict[str, AgentRun], figures: tuple[Any, ...]
) -> None:
    chunk, _ = read(line(answer(), result={**DONE, "usage": usage}), runs=runs)
    assert chunk.uses == {(TOOL, AGENT): [MessageUse("result:T", AT, *figures)]}


def test_a_result_of_a_call_without_an_id_is_known_by_its_agent() -> None:
    chunk, state = read(line(answer(tool=None), result={**WHOLE, "totalTokens": 0}))
    back = Returned(
        agent_type="unknown",
        agent_id="a1",
        witness="parent",
        return_key="",
        status="completed",
        completed_at=AT,
        tool_calls=4,
        duration_ms=61_000,
        resolved_model="claude-opus-9",
    )
    assert chunk == told(back, "Found.", AGENT)
    assert state == ReaderState(agents=["a1"])


def test_an_agent_is_remembered_once() -> None:
    _, state = read(line(answer(), result=DONE), agents=("a0", "a1"))
    assert state.agents == ["a0", "a1"]


SHOWN = (
    "Found.\nagentId: a1 (to go on, send it a message)\n"
    "<usage>total_tokens: 43\ntool_uses: 0\nduration_ms: 61</usage>"
)
EARLY_AGENT = "agentId: a1".ljust(1_001 - 16) + "\ntotal_tokens: 7"
"""Of the last thousand characters the name lacks one."""
EARLY_TOKENS = "total_tokens: 7".ljust(1_001 - 7) + "\nFound."
FRAMED = f"  {NOTE}\n[Subagent hand-back] it says:\n  Half.\nagentId: a1"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        # with its structured twin
        (line(answer(), result=DONE), known()),
        (line(answer(), result={**DONE, "content": "Found."}), known()),
        (line(answer(), result={**DONE, "content": [text(" ")]}), known(None, doubt=EMPTY)),
        (
            line(answer(), result={**DONE, "content": [text(NOTE), text("Half.")]}),
            known(
                "Half.",
                doubt="it stopped at its limit of 2 turns: what it said is a part",
                ending="limit",
            ),
        ),
        (
            line(answer(), result={**DONE, "content": [text(EARLY), text("Half.")]}),
            known("Half.", status="failed", error_message="API Error: 500"),
        ),
        (
            line(
                answer(),
                result={**DONE, "content": [text("a"), text("b")], "harnessNoteCount": 1},
            ),
            known("b"),
        ),
        (
            line(
                answer(),
                result={**DONE, "content": [text("a"), text("b")], "harnessTailCount": 1},
            ),
            known("a"),
        ),
        (line(answer(is_error=True), result=DONE), known()),
        (line(answer(), result={**DONE, "totalToolUseCount": 0}), known(tool_calls=0)),
        # 1.0 wrote neither a status nor an agent
        (
            line(answer(), result={"content": [text("Found.")], "totalDurationMs": 0}),
            returned(duration_ms=0),
        ),
        # without: the text alone
        (line(answer("Found.")), returned(rendered=True)),
        (line(answer([text("Found."), {"type": "image"}])), returned(rendered=True)),
        (line(answer("")), returned(None, rendered=True, doubt=EMPTY)),
        (line(answer("Found.\n \n")), returned(rendered=True)),
        (line(answer(SHOWN)), known(rendered=True, context_end_tokens=43, duration_ms=61)),
        (
            line(answer(FRAMED)),
            known(
                "Half.",
                rendered=True,
                doubt="it stopped at its limit of 2 turns: what it said is a part",
                ending="limit",
            ),
        ),
        (
            line(answer(EARLY_AGENT)),
            returned(None, rendered=True, context_end_tokens=7, doubt=EMPTY),
        ),
        (
            line(answer(EARLY_TOKENS)),
            returned(EARLY_TOKENS, rendered=True),
        ),
        (
            line(answer(f"{' ' * 193}launched\nFound.")),
            returned(f"{' ' * 193}launched\nFound.", rendered=True),
        ),
        (line(answer("Found."), result={**DONE, "content": []}), known(None, doubt=EMPTY)),
        (
            line(answer("Found."), result={"status": "completed", "agentId": "a1"}),
            known(rendered=True),
        ),
        # it came to nothing
        (
            line(answer(), result={**DONE, "wasInterrupted": True}),
            known(
                None,
                status="failed",
                error_message="interrupted by the user",
                ending="interrupted",
            ),
        ),
        (
            line(answer("shown"), result="Error: no such agent"),
            returned(None, status="failed", error_message="no such agent"),
        ),
        (
            line(answer("shown"), result=""),
            returned(None, status="failed", error_message="shown"),
        ),
        (
            line(answer("Error: no memory", is_error=True)),
            returned(None, status="failed", error_message="no memory"),
        ),
        (
            line(answer(f"Error: x\n{SHOWN}", is_error=True)),
            known(None, status="failed", error_message=f"x\n{SHOWN}"),
        ),
    ],
)
def test_a_result_says_how_the_agent_came_back(
    entry: dict[str, Any], expected: ParsedChunk
) -> None:
    chunk, state = read(entry, launched=("T",))
    assert chunk == expected
    assert state.launched == {}


def launched(*keys: str, **facts: Any) -> ParsedChunk:
    noted = Noted(**{"agent_type": "unknown", "tool_use_id": "T", **facts})
    return told(noted, None, *(keys or (TOOL,)))


AT_WORK = {"status": "async_launched", "agentId": "a1", "resolvedModel": "claude-opus-9"}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            line(answer(), result=AT_WORK),
            launched(TOOL, AGENT, agent_id="a1", resolved_model="claude-opus-9"),
        ),
        (
            line(answer(), result={**AT_WORK, "content": [text("x")], "totalDurationMs": 1}),
            launched(TOOL, AGENT, agent_id="a1", resolved_model="claude-opus-9"),
        ),
        (line(answer(), result={"content": [text("x")]}), launched()),
        (line(answer(), result={"totalDurationMs": 1}), launched()),
        (line(answer(), result={"status": "odd"}), launched()),
        (line(answer("Agent launched.\nagentId: a1")), launched(TOOL, AGENT, agent_id="a1")),
        (line(answer(f"{' ' * 192}launched")), launched()),
    ],
)
def test_a_result_before_the_end_says_who_is_at_work(
    entry: dict[str, Any], expected: ParsedChunk
) -> None:
    assert read(entry, launched=("T",))[0] == expected


@pytest.mark.parametrize("status", ["completed", "async_launched", "remote_launched"])
def test_results_of_launches_nobody_waits_for_are_known_by_their_agent(status: str) -> None:
    (only,) = read(line(answer(), result={**DONE, "status": status}))[0].reports
    assert only.keys == (TOOL, AGENT)


@pytest.mark.parametrize(
    "entry",
    [
        line(answer("Found.")),
        line(answer("Found."), result={"status": "completed"}),
        line(answer(), result={**DONE, "status": "odd"}),
        line(answer(), result={**DONE, "status": None}),
        line(answer(), result={**DONE, "agentId": ""}),
        line(answer(), result='"agentId"'),
        line(text("agentId"), result=DONE),
        {"message": 7, "toolUseResult": DONE},
        {"toolUseResult": DONE},
        {},
    ],
)
def test_what_is_no_result_of_a_launch_says_nothing(entry: dict[str, Any]) -> None:
    chunk, state = read(entry)
    assert chunk == ParsedChunk()
    assert state == ReaderState()


def test_answers_of_other_tools_stand_beside_those_of_launches() -> None:
    entry = line(answer("other", tool="U"), text("x"), answer("Found."), answer("y", tool="V"))
    chunk, state = read(entry, launched=("T", "W"))
    assert chunk == returned(rendered=True)
    assert state == ReaderState(launched={"W": ""})


def test_without_a_time_there_is_none() -> None:
    chunk, _ = read(line(answer(), result=DONE), at="")
    (only,) = known(completed_at=None).reports
    only.at = ""
    assert chunk.reports == [only]
    chunk, _ = read(line(answer(), result="Error: x"), at="", launched=("T",))
    assert chunk.reports[0].statement == Returned(
        agent_type="unknown",
        tool_use_id="T",
        witness="parent",
        return_key="T",
        status="failed",
        error_message="x",
    )


# Tools that stop agents, and that wait for them


def stopped(agent: str = "a1", at: str | None = AT) -> ParsedChunk:
    back = Returned(
        agent_type="unknown",
        agent_id=agent,
        witness="stop",
        return_key="T",
        completed_at=at,
        status="failed",
        error_message="stopped",
        broke_off=True,
        ending="stopped",
    )
    return told(back, None, f"agent:S/{agent}", at=at or "")


ORDER = {"task_id": "a1", "task_type": "local_agent"}


def test_the_answer_of_the_tool_that_stops_an_agent_ends_it() -> None:
    for entry in (line(answer("shown"), result=ORDER), line(answer(json.dumps(ORDER)))):
        chunk, state = read(entry, stops=("T", "U"))
        assert chunk == stopped()
        assert state == ReaderState(stops=["U"])
    assert read(line(answer(), result=ORDER))[0] == stopped()
    assert read(line(answer(), result=ORDER), at="")[0] == stopped(at=None)


@pytest.mark.parametrize(
    "entry",
    [
        line(answer(), result={**ORDER, "task_type": "local_bash"}),
        line(answer(), result={**ORDER, "task_id": ""}),
        line(answer(json.dumps(ORDER), is_error=True)),
        line(answer("stopped a1")),
        line(answer("{")),
    ],
)
def test_the_answer_of_a_tool_that_stopped_no_agent_says_nothing(entry: dict[str, Any]) -> None:
    chunk, state = read(entry, stops=("T",))
    assert chunk == ParsedChunk()
    assert state == ReaderState()


def awaited(message: str | None = None, **facts: Any) -> ParsedChunk:
    given = {"agent_type": "unknown", "agent_id": "a1", "witness": "task"}
    return told(Returned(**{**given, **facts}), message, AGENT)


STOPPED: dict[str, Any] = {
    "status": "failed",
    "error_message": "stopped",
    "broke_off": True,
    "ending": "stopped",
}


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ({"status": "completed", "result": "Found."}, awaited("Found.", status="completed")),
        ({"status": "completed", "error": "x"}, awaited(status="completed")),
        ({"status": "completed", "result": ""}, awaited(status="completed")),
        (
            {"status": "completed", "result": "[Tool: Read]\n--- RESULT ---\nFound."},
            awaited("Found.", status="completed"),
        ),
        (
            {"status": "completed", "result": "[Tool: Read]\n--- RESULT ---\n"},
            awaited(status="completed"),
        ),
        (
            {"status": "failed", "error": "no memory", "result": "Half."},
            awaited("Half.", status="failed", error_message="no memory"),
        ),
        ({"status": "failed"}, awaited(status="failed", error_message="failed")),
        ({"status": "stopped"}, awaited(**STOPPED)),
        ({"status": "killed"}, awaited(**{**STOPPED, "error_message": "killed"})),
        ({"status": "killed", "error": "x"}, awaited(**{**STOPPED, "error_message": "x"})),
        ({"status": "running"}, ParsedChunk()),
        ({}, ParsedChunk()),
        ({"status": "completed", "task_id": ""}, ParsedChunk()),
        ({"status": "completed", "task_id": None}, ParsedChunk()),
        ({"status": "completed", "task_type": "local_bash", "result": "x"}, ParsedChunk()),
    ],
)
def test_the_answer_of_a_tool_that_waits_says_how_the_agent_ended(
    task: dict[str, Any], expected: ParsedChunk
) -> None:
    result = {"agentId": None, "task": {"task_id": "a1", "task_type": "local_agent", **task}}
    chunk, state = read(line(answer(), result=result), launched=("W",))
    assert chunk == expected
    assert state == ReaderState(launched={"W": ""})


# Notifications


def notice(
    status: str = "completed",
    *,
    agent: str = "a1",
    tool: str = "T",
    summary: str = 'Agent "find" ended',
    rest: str = "",
) -> str:
    return (
        f"<task-notification>\n<task-id>{agent}</task-id>\n<tool-use-id>{tool}</tool-use-id>\n"
        f"<status>{status}</status>\n<summary>{summary}</summary>\n{rest}</task-notification>"
    )


def notified(said: str, message: str | None = None, *keys: str, **facts: Any) -> ParsedChunk:
    given = {
        "agent_type": "unknown",
        "agent_id": "a1",
        "tool_use_id": "T",
        "witness": "parent",
        "return_key": hash_text(said.strip()),
        "completed_at": AT,
    }
    return told(Returned(**{**given, **facts}), message, *(keys or (AGENT, TOOL)))


RESULT = "<result>\nFound.\n\nAll.\n</result>\n"
USED = "<total_tokens>12</total_tokens><tool_uses>3</tool_uses><duration_ms>45</duration_ms>"
OLD = "<subagent_tokens>12</subagent_tokens>"
CASES: list[tuple[str, str | None, tuple[str, ...], dict[str, Any]]] = [
    (notice(rest=RESULT), "Found.\n\nAll.", (), {"status": "completed"}),
    (f"\n {notice(rest=RESULT)} \n", "Found.\n\nAll.", (), {"status": "completed"}),
    (notice(), None, (), {"status": "completed", "doubt": EMPTY}),
    (notice(rest="<result>\n</result>"), None, (), {"status": "completed", "doubt": EMPTY}),
    (notice(rest="<result> </result>"), None, (), {"status": "completed", "doubt": EMPTY}),
    (
        notice(rest=RESULT + USED),
        "Found.\n\nAll.",
        (),
        {
            "status": "completed",
            "context_end_tokens": 12,
            "tool_calls": 3,
            "duration_ms": 45,
        },
    ),
    (
        notice(rest=RESULT + OLD),
        "Found.\n\nAll.",
        (),
        {"status": "completed", "context_end_tokens": 12},
    ),
    (notice(rest=USED + LATE + RESULT), "Found.\n\nAll.", (), {"status": "completed"}),
    (
        notice("failed"),
        None,
        (),
        {"status": "failed", "error_message": 'Agent "find" ended'},
    ),
    (
        notice("failed", summary="Agent x", rest=RESULT),
        "Found.\n\nAll.",
        (),
        {"status": "failed", "error_message": "Agent x"},
    ),
    (notice("stopped"), None, (), STOPPED),
    (notice("killed"), None, (), {**STOPPED, "error_message": "killed"}),
    (
        notice(agent="", rest=RESULT),
        "Found.\n\nAll.",
        (TOOL,),
        {"status": "completed", "agent_id": None},
    ),
    (
        notice(tool="", rest=RESULT),
        "Found.\n\nAll.",
        (AGENT,),
        {"status": "completed", "tool_use_id": None},
    ),
]


@pytest.mark.parametrize(("said", "message", "keys", "facts"), CASES)
def test_a_notification_says_how_an_agent_in_the_background_ended(
    said: str, message: str | None, keys: tuple[str, ...], facts: dict[str, Any]
) -> None:
    expected = notified(said, message, *keys, **facts)
    assert read({"message": {"content": said}})[0] == expected
    assert read(line(text(said)))[0] == expected


def test_a_notification_without_a_time_has_none() -> None:
    chunk, _ = read({"message": {"content": notice(rest=RESULT)}}, at="")
    assert chunk.reports[0].statement.completed_at is None  # type: ignore[union-attr]


def test_a_notification_of_an_agent_launched_here_is_known_by_its_name() -> None:
    said = notice(summary="ended", rest=RESULT)
    expected = notified(said, "Found.\n\nAll.", status="completed")
    assert read({"message": {"content": said}}, agents=("a1",))[0] == expected
    assert read({"message": {"content": said}}, agents=("a2",))[0] == ParsedChunk()


def test_a_notification_beside_answers_of_tools_is_somebodys_words() -> None:
    entry = line(text(notice(rest=RESULT)), answer("other", tool="U"))
    assert read(entry)[0] == ParsedChunk()


@pytest.mark.parametrize(
    ("said", "is_notification"),
    [
        (None, False),
        ("", False),
        ("it said <task-notification>", False),
        (notice("running"), True),
        ("<task-notification>", True),
        (notice(agent="", tool="", rest=RESULT), True),
    ],
)
def test_a_notification_that_ends_no_agent_says_nothing(
    said: str | None, is_notification: bool
) -> None:
    chunk = ParsedChunk()
    reader = LaunchResultReader(ReaderState(), chunk)
    assert reader.notification(said, AT, "S") is is_notification
    assert chunk == ParsedChunk()
    assert LaunchResultReader(ReaderState(), chunk).notification(notice(), AT, "S") is True


# Teammates and what agents hand back


def deliver(state: ReaderState, said: str) -> tuple[bool, list[TranscriptReport]]:
    chunk = ParsedChunk()
    heard = LaunchResultReader(state, chunk).deliver(said, None, AT, "S")
    return heard, chunk.reports


def mail(said: str, sender: str = "scout") -> str:
    return f'<teammate-message teammate_id="{sender}">\n{said}\n</teammate-message>'


def idle(**more: Any) -> str:
    return mail(json.dumps({"type": "idle_notification", **more}))


def turn(words: str, **facts: Any) -> TranscriptReport:
    said: dict[str, Any] = {
        "status": "completed",
        "agent_type": "unknown",
        "tool_use_id": "T",
        "witness": "parent",
        "return_key": hash_text(f"{AT} {words}"),
        "completed_at": AT,
    }
    (report,) = told(Returned(**said | facts), words or None, TOOL).reports
    return report


def test_a_teammate_is_known_by_its_name_once_its_launch_was_answered() -> None:
    result = {"status": "teammate_spawned", "name": "scout", "agent_id": "scout@team"}
    _, state = read(line(answer(), result=result), launched=("T",))
    assert state.teammates == {"scout": "T"}
    nameless = {"status": "teammate_spawned", "agent_id": "scout@team"}
    assert read(line(answer(), result=nameless), launched=("T",))[1].teammates == {}
    result = {**AT_WORK, "name": "scout"}
    assert read(line(answer(), result=result), launched=("T",))[1].teammates == {}


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ([mail("Found."), idle()], turn("Found.", rendered=True)),
        ([mail("Looking."), mail("Found."), idle()], turn("Found.", rendered=True)),
        ([mail("Looking."), idle(result="Found.")], turn("Found.")),
        ([idle()], turn("", doubt=UNHEARD, rendered=True)),
        (
            [idle(idleReason="failed", failureReason="no quota")],
            turn("", status="failed", error_message="no quota", rendered=True),
        ),
    ],
)
def test_what_a_teammate_wrote_before_it_was_idle_is_its_report(
    letters: list[str], expected: TranscriptReport
) -> None:
    state = ReaderState()
    state.teammates["scout"] = "T"
    *before, last = [deliver(state, letter) for letter in letters]
    assert all(heard == (True, []) for heard in before)
    assert last == (True, [expected])
    assert state.mailed == {}


def test_mail_of_somebody_else_is_somebodys_words() -> None:
    state = ReaderState()
    assert deliver(state, mail("Found.")) == (False, [])
    assert deliver(state, "Look at <teammate-message") == (False, [])
    state.teammates["scout"] = "T"
    assert deliver(state, f"He wrote: {mail('Found.')}") == (False, [])
    assert state.mailed == {}


@pytest.mark.parametrize(
    ("origin", "agent"),
    [
        (MessageOrigin("peer", "scout", "a1", "Found.", True, "C"), "a1"),
        (MessageOrigin("peer", "a2", None, "Found.", True, "C"), "a2"),
    ],
)
def test_what_an_agent_hands_back_is_its_return(origin: MessageOrigin, agent: str) -> None:
    chunk = ParsedChunk()
    assert LaunchResultReader(ReaderState(), chunk).deliver("any words", origin, AT, "S")
    returned = Returned(
        status="completed",
        agent_type="unknown",
        agent_id=agent,
        witness="handback",
        return_key="C",
        completed_at=AT,
        by_tool=True,
    )
    assert chunk == told(returned, "Found.", f"agent:S/{agent}")


@pytest.mark.parametrize(
    ("said", "doubt", "message"),
    [
        ("", EMPTY, None),
        (" \n", EMPTY, None),
        ("This agent's report was delivered to you as a message.", ELSEWHERE, None),
        ("Found.", None, "Found."),
    ],
)
def test_what_an_agent_hands_back_is_doubted_where_it_is_no_report(
    said: str, doubt: str | None, message: str | None
) -> None:
    chunk = ParsedChunk()
    origin = MessageOrigin("peer", "scout", "a1", said, True, None)
    assert LaunchResultReader(ReaderState(), chunk).deliver("any words", origin, "", "S")
    (report,) = chunk.reports
    assert isinstance(report.statement, Returned) and report.statement.return_key
    assert report.statement.completed_at is None, "nobody says when"
    assert (report.statement.doubt, report.message) == (doubt, message)


@pytest.mark.parametrize(
    "origin", [None, MessageOrigin("peer"), MessageOrigin("human"), MessageOrigin(handback=True)]
)
def test_words_that_nobody_handed_back_are_somebodys_words(origin: MessageOrigin | None) -> None:
    chunk = ParsedChunk()
    assert not LaunchResultReader(ReaderState(), chunk).deliver("any words", origin, AT, "S")
    assert chunk == ParsedChunk()


def test_who_is_a_peer_hands_back_and_who_is_none_notifies() -> None:
    said = f"Two letters came:\n{mail('Found.')}"
    for origin, heard in ((MessageOrigin("peer"), True), (MessageOrigin("human"), False)):
        state, chunk = ReaderState(), ParsedChunk()
        state.teammates["scout"] = "T"
        assert LaunchResultReader(state, chunk).deliver(said, origin, AT, "S") is heard
        chunk = ParsedChunk()
        assert (
            LaunchResultReader(ReaderState(), chunk).deliver(notice(), origin, AT, "S") is not heard
        )


def test_an_interruption_ends_every_launch_that_is_awaited() -> None:
    chunk = ParsedChunk()
    state = ReaderState(launched={"T": "", "U": "a1"})
    LaunchResultReader(state, chunk).interrupted("", "S")
    assert [report.keys for report in chunk.reports] == [("tool:T",), ("tool:U",)]
    for report, call in zip(chunk.reports, ("T", "U"), strict=True):
        ended = report.statement
        assert isinstance(ended, Returned)
        assert (ended.status, ended.ending, ended.return_key) == ("failed", "interrupted", call)
        assert (ended.completed_at, report.message) == (None, None)


def test_the_worktree_of_an_agent_is_told_beside_its_result() -> None:
    chunk, _ = read(line(answer(), result={**AT_WORK, "worktreePath": "/p/trees/a1"}))
    assert [report.folder for report in chunk.reports] == ["/p/trees/a1", ""]
    noted = Noted(agent_type="unknown", tool_use_id="T", agent_id="a1")
    assert chunk.reports[0].statement == noted
