"""What hooks saw becomes executions: each agent one, each return one, in whatever order heard."""

from __future__ import annotations

import json
import os
import random
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.record.deployment import record_deployment
from orch_tui.record.hooks import inbox, pending_transcripts
from orch_tui.record.ledger import briefings
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.opening import open_record
from orch_tui.record.sessions import init_session
from orch_tui.search import maintenance
from tests.counts import COUNTS
from tests.record import hook_events as hooks
from tests.record.empty import write_empty_record
from tests.record.hook_events import Event, deliver

Rows = list[tuple[Any, ...]]

A1 = f"a{1:016x}"
FOUND = "Found it in lib/a.py."
TOOLS = "<tools-used-before-summary>Bash, Read</tools-used-before-summary>\n"
LIMIT = "NOTE: this agent stopped at its 2-turn limit before its end. PARTIAL output\n"
EARLY = "Agent terminated early due to an API error: API Error: 500\n\nPARTIAL output"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


def take(record: Record, root: Path, events: list[Event], **options: Any) -> None:
    deliver(root, events, **options)
    inbox.drain_inbox(record, root)
    assert inbox.list_waiting(root) == []


def runs(record: Record) -> Rows:
    """What does not depend on labels and times."""
    return record.sql(
        "SELECT tool_use_id, agent_id, agent_type, status, scope, final_message, depth, "
        "context_end_tokens, resolved_model, error_message, (SELECT p.tool_use_id FROM "
        "agent_executions AS p WHERE p.execution_id = e.parent_execution_id), "
        "(SELECT count(*) FROM completions AS c WHERE c.execution_id = e.execution_id) "
        "FROM agent_executions AS e ORDER BY tool_use_id, agent_id"
    )


def one(record: Record, *columns: str) -> tuple[Any, ...]:
    (row,) = record.sql(f"SELECT {', '.join(columns)} FROM agent_executions")
    return tuple(row)


@pytest.mark.parametrize("told", [hooks.foreground, hooks.background, hooks.nested])
def test_what_two_hooks_tell_is_recorded_once(record: Record, root: Path, told: Any) -> None:
    """As with the hooks of the settings and of the plugin at once: each event arrives twice."""
    with tempfile.TemporaryDirectory() as folder:
        elsewhere = Path(folder)
        (elsewhere / ".git").mkdir()
        with open_record(elsewhere / "execution.db") as alone:
            take(alone, elsewhere, told())
            expected = runs(alone)
    take(record, root, [event for event in told() for _ in range(2)])
    assert runs(record) == expected and expected


def test_a_foreground_run_is_one_execution(record: Record, root: Path) -> None:
    take(record, root, hooks.foreground())
    assert one(record, "tool_use_id", "agent_id", "agent_type", "status", "final_message") == (
        "toolu_1",
        f"a{1:016x}",
        "Explore",
        "completed",
        "Found it in lib/a.py.",
    )
    assert one(record, "context_end_tokens", "tool_calls", "duration_ms", "depth") == (
        *(43_179, 4, 61_000),
        1,
    )
    assert one(record, "deployed_at", "completed_at") == (
        "2026-11-22T10:00:00.000Z",
        "2026-11-22T10:00:06.000Z",
    )
    assert one(record, "source", "session_id") == ("hook", "claude-3f1c9d52")
    assert briefings.get_briefing(record, one(record, "briefing_id")[0]) == b"find bug 1"
    assert record.value("SELECT count(*) FROM completions") == 1


def test_a_run_in_the_foreground_is_one_execution_all_along(record: Record, root: Path) -> None:
    logs = [hooks.foreground(number) for number in range(20)]
    take(record, root, [event for log in logs for event in log[:2]])
    assert record.value("SELECT count(*) FROM agent_executions") == 20
    end = hooks.event("SessionEnd", reason="other")
    take(record, root, [end], start_ns=hooks.START_NS + 10**12)
    assert record.sql("SELECT status, count(*) FROM agent_executions GROUP BY 1") == [
        ("failed", 20)
    ]


def test_a_log_taken_in_at_once_leaves_no_label_out(record: Record, root: Path) -> None:
    """Though only the end of a run in the foreground says which agent stopped before."""
    take(record, root, [*hooks.foreground(1), *hooks.foreground(2), *hooks.background(3)])
    assert record.sql("SELECT execution_id FROM agent_executions ORDER BY 1") == [
        ("exec-001",),
        ("exec-002",),
        ("exec-003",),
    ]


def test_a_background_launch_is_no_return(record: Record, root: Path) -> None:
    events = hooks.background()
    take(record, root, events[:3])
    assert one(record, "status", "agent_id") == ("deployed", f"a{1:016x}")
    take(record, root, events[3:], start_ns=hooks.START_NS + 10**11)
    assert one(record, "status", "final_message") == ("completed", "All is well.")


def test_a_nested_agent_knows_its_parent_and_depth(record: Record, root: Path) -> None:
    take(record, root, hooks.nested())
    rows = record.sql(
        "SELECT c.tool_use_id, c.depth, p.tool_use_id, p.depth FROM agent_executions AS c "
        "LEFT JOIN agent_executions AS p ON p.execution_id = c.parent_execution_id ORDER BY 1"
    )
    assert rows == [("toolu_1", 1, None, None), ("toolu_2", 2, "toolu_1", 1)]


def test_a_resumed_agent_returns_again(record: Record, root: Path) -> None:
    take(record, root, hooks.resumed())
    assert one(record, "status", "final_message") == ("completed", "More.")
    assert record.value("SELECT count(*) FROM completions") == 2


def test_a_resumed_agent_may_say_the_same_again(record: Record, root: Path) -> None:
    agent = f"a{1:016x}"
    again = [hooks.message(agent, "toolu_m"), hooks.start(agent), hooks.stop(agent, "Done.")]
    take(record, root, [*hooks.background(1, "Done."), *again])
    assert record.value("SELECT count(*) FROM completions") == 2


def test_a_stop_that_another_hook_refused_is_no_return(record: Record, root: Path) -> None:
    """The agent goes on, and Claude Code says of the next stop that a hook made it."""
    *begun, stop = hooks.background(1, "Half of it.")
    refused = {"stop_hook_active": True}
    held = stop | refused | {"last_assistant_message": "Nearly."}
    last = held | {"last_assistant_message": "All of it."}
    take(record, root, [*begun, stop, held, stop | refused, last])
    assert one(record, "status", "final_message") == ("completed", "All of it.")
    assert record.value("SELECT count(*) FROM completions") == 1


def test_a_stop_after_a_message_is_a_return_whoever_refused_it(record: Record, root: Path) -> None:
    *_, again = resumed = hooks.resumed()
    refused = again | {"stop_hook_active": True, "last_assistant_message": "And more."}
    take(record, root, [*resumed, refused])
    assert record.value("SELECT count(*) FROM completions") == 2
    assert one(record, "final_message") == ("And more.",)


def test_twenty_agents_at_once(record: Record, root: Path) -> None:
    logs = [hooks.background(number, f"Answer {number}.") for number in range(20)]
    take(record, root, [log[step] for step in range(4) for log in logs], step_ms=1)
    rows = record.sql("SELECT tool_use_id, agent_id, final_message FROM agent_executions")
    assert sorted(rows) == sorted((f"toolu_{n}", f"a{n:016x}", f"Answer {n}.") for n in range(20))


@pytest.mark.parametrize(
    "phantom",
    [
        hooks.stop("a9", "now run the tests", agent_type=""),
        hooks.stop("acompact-12ab", "<summary>", agent_type="general-purpose"),
        hooks.event("SubagentStop", stop_hook_active=False),
        hooks.event("Stop", last_assistant_message="Bye."),
        hooks.event("PreToolUse", tool_name="Bash", tool_input={"command": "ls"}, tool_use_id="b"),
        hooks.event("PostToolUse", tool_name="TaskCreate", tool_response={"status": "completed"}),
        hooks.event("TaskCompleted", task_id="1"),
        hooks.event("SessionEnd", reason="clear"),
        hooks.message("a9", "toolu_m"),
    ],
    ids=lambda payload: f"{payload['hook_event_name']} {payload.get('tool_name', '')}",
)
def test_what_is_no_agent_is_no_execution(record: Record, root: Path, phantom: Event) -> None:
    take(record, root, [phantom])
    assert runs(record) == []
    assert record.sql("SELECT * FROM sessions") == []
    assert inbox.list_set_aside(str(root / ".claude/orchestration/inbox")) == []


@pytest.mark.parametrize(
    ("response", "status", "said", "error"),
    [
        (hooks.completed("a1", "Done."), "completed", "Done.", None),
        ({"content": [{"type": "text", "text": "Old."}]}, "completed", "Old.", None),
        ([{"type": "text", "text": "List."}], "completed", "List.", None),
        ("Just text.", "completed", "Just text.", None),
        ("Error: Agent type 'x' not found", "failed", None, "Agent type 'x' not found"),
        ("[Request interrupted by user]", "failed", None, "interrupted by the user"),
        ({"status": "killed"}, "failed", None, "Claude Code says: killed"),
        (hooks.launched("a1"), "deployed", None, None),
        ({"status": "remote_launched", "taskId": "t", "sessionUrl": "u"}, "deployed", None, None),
        (None, "deployed", None, None),
        (7, "deployed", None, None),
    ],
)
def test_every_form_of_a_result(
    record: Record, root: Path, response: Any, status: str, said: str | None, error: str | None
) -> None:
    called = hooks.call("toolu_1", "p", tool="Task")
    take(record, root, [called, hooks.answer(called, response)])
    assert one(record, "status", "final_message", "error_message") == (status, said, error)


def test_a_result_without_words_is_doubted(record: Record, root: Path) -> None:
    called = hooks.call("toolu_1", "p")
    take(record, root, [called, hooks.answer(called, hooks.completed("a1", ""))])
    assert one(record, "status", "unverified") == ("completed", "its final message is empty")


def test_a_result_cut_by_a_limit_is_doubted(record: Record, root: Path) -> None:
    """There is no stop then: the result alone tells of the end."""
    called = hooks.call("toolu_1", "find bug 1")
    result = hooks.noted(A1, "turn 1", TOOLS, LIMIT)
    take(record, root, [called, hooks.start(A1), hooks.answer(called, result)])
    status, said, doubt = one(record, "status", "final_message", "unverified")
    assert (status, said) == ("completed", "turn 1") and "2 turns" in doubt


def test_an_agent_that_was_stopped_may_be_resumed(record: Record, root: Path) -> None:
    resumed = [hooks.message(A1, "toolu_m"), hooks.start(A1), hooks.stop(A1, "Now it is done.")]
    take(record, root, [*LOGS["stopped"], *resumed])
    assert one(record, "status", "final_message") == ("completed", "Now it is done.")
    assert record.sql("SELECT status FROM completions ORDER BY position") == [
        ("failed",),
        ("completed",),
    ]


@pytest.mark.parametrize(
    "payload",
    [
        hooks.stopped(A1) | {"tool_response": "Error: no such task"},
        hooks.stopped(A1) | {"tool_response": {"task_id": A1, "task_type": "local_bash"}},
        hooks.stopped("acompact-1"),
        hooks.event("StopFailure", error="rate_limit", last_assistant_message="API Error"),
    ],
)
def test_another_end_is_no_agents(record: Record, root: Path, payload: Event) -> None:
    """Of a shell, of the main conversation, of what Claude Code runs for itself."""
    take(record, root, [*hooks.background()[:-1], payload])
    assert one(record, "status") == ("deployed",)


def test_the_transcript_of_what_broke_off_is_awaited(record: Record, root: Path) -> None:
    """Neither event says where it lies."""
    for payload in (hooks.broken(A1, "API Error: 500"), hooks.stopped(A1)):
        take(record, root, [*hooks.background()[:-1], payload])
        folder = payload["transcript_path"].removesuffix(".jsonl")
        awaited_paths = record.sql(
            "SELECT path FROM import_checkpoints WHERE awaited_since NOTNULL"
        )
        assert (f"{folder}/subagents/agent-{A1}.jsonl",) in awaited_paths


def test_a_stop_without_words_is_doubted(record: Record, root: Path) -> None:
    *begun, stop = hooks.background()
    del stop["last_assistant_message"]
    take(record, root, [*begun, stop])
    assert one(record, "status", "unverified") == ("completed", "nobody heard its final message")


def test_nothing_is_awaited_where_no_transcript_can_be(record: Record, root: Path) -> None:
    os.mkfifo(root / "fifo.jsonl")
    for number, path in enumerate(
        ("/etc/passwd", "a\0.jsonl", str(root), str(root / "fifo.jsonl"))
    ):
        *begun, stop = hooks.background(number)
        take(record, root, [*begun, stop | {"agent_transcript_path": path}])
    look = pending_transcripts.find_grown_transcripts(record, None)
    assert look and not look.grown


def test_a_call_that_failed_is_closed(record: Record, root: Path) -> None:
    called = hooks.call("toolu_1", "p")
    failed = called | {"hook_event_name": "PostToolUseFailure", "error": "overloaded"}
    take(record, root, [called, hooks.start("a1"), failed, failed | {"is_interrupt": True}])
    assert one(record, "status", "error_message") == ("failed", "interrupted: overloaded")
    assert record.value("SELECT count(*) FROM completions") == 1


@pytest.mark.parametrize(("first", "apart_ms", "runs"), [(0, 900, 1), (1, 900, 1), (0, 9000, 2)])
def test_hooks_of_a_failure_may_overtake_one_another(
    record: Record, root: Path, first: int, apart_ms: int, runs: int
) -> None:
    called = hooks.call("toolu_1", "p")
    failed = called | {"hook_event_name": "PostToolUseFailure", "error": "overloaded"}
    pair = [failed, hooks.broken("a1", "API Error: 500")]
    take(record, root, [called, pair[first], pair[1 - first]], step_ms=apart_ms)
    assert record.value("SELECT count(*) FROM agent_executions") == runs
    assert set(record.sql("SELECT status FROM agent_executions")) == {("failed",)}


def test_a_beginning_that_overtakes_its_call_is_of_it_when_the_session_ends(
    record: Record, root: Path
) -> None:
    end = hooks.event("SessionEnd", reason="other")
    take(record, root, [hooks.start("a1"), hooks.call("toolu_1", "p"), end])
    assert one(record, "agent_id", "tool_use_id", "status") == ("a1", "toolu_1", "failed")
    assert record.value("SELECT count(*) FROM completions") == 1


def test_the_end_of_the_session_closes_what_is_still_out(record: Record, root: Path) -> None:
    end = hooks.event("SessionEnd", reason="prompt_input_exit")
    other = hooks.call("toolu_9", "q") | {"session_id": "another"}
    take(record, root, [*hooks.foreground(1), *hooks.background(2)[:3], other, end, end])
    rows = record.sql("SELECT tool_use_id, status, error_message FROM agent_executions ORDER BY 1")
    why = "its Claude Code session ended (prompt_input_exit) before it returned"
    assert rows == [
        ("toolu_1", "completed", None),
        ("toolu_2", "failed", why),
        ("toolu_9", "deployed", None),
    ]
    assert record.value("SELECT count(*) FROM completions") == 2
    late = hooks.background(2)[3]
    take(record, root, [late], start_ns=hooks.START_NS + 10**12)
    assert runs(record)[1][3:6] == ("completed", "do toolu_2", "All is well.")
    assert record.value("SELECT count(*) FROM completions") == 2


def test_what_was_deployed_after_the_end_goes_on(record: Record, root: Path) -> None:
    """A session may be resumed under its id; and what was applied may be applied again."""
    events = [hooks.event("SessionEnd", reason="other"), hooks.call("toolu_1", "p")]
    for _ in range(2):
        take(record, root, events)
        assert one(record, "status") == ("deployed",)


def test_a_claude_session_ends_and_goes_on(record: Record, root: Path) -> None:
    def session() -> Any:
        return record.sql("SELECT status, completed_at FROM sessions")

    end = hooks.event("SessionEnd", reason="other")
    take(record, root, [*hooks.background(), end])
    assert session() == [("completed", "2026-11-22T10:00:12.000Z")]
    take(record, root, hooks.foreground(2), start_ns=hooks.START_NS + 10**12)
    assert session() == [("executing", None)]
    take(record, root, [end])  # heard of late
    assert session() == [("executing", None)]
    take(record, root, [end], start_ns=hooks.START_NS + 2 * 10**12)
    take(record, root, [hooks.stop(f"a{1:016x}", "All is well.")])
    assert session()[0][0] == "completed"


CALL = {"type": "tool_use", "name": "Bash"}


def words(text: str) -> Event:
    return {"type": "text", "text": text}


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([{"content": [CALL]}, {"content": [words("The end.")]}], "The end."),
        ([{"content": "The end."}], "The end."),
        ([{"content": [words("The end.")]}, {"content": [words(" ")]}], "The end."),
        ([{"content": [words("I look.")]}, {"content": [CALL]}], None),  # more is being written
        ([{"content": [words("I look."), CALL]}], None),
        ([{"content": [words("I look.")], "stop_reason": "tool_use"}], None),
    ],
)
def test_the_transcript_is_the_fallback(
    record: Record, root: Path, tmp_path: Path, messages: list[Any], said: str | None
) -> None:
    transcript = tmp_path / "agent-a1.jsonl"
    lines = [
        {"type": "user", "message": {"role": "user", "content": "p"}},
        *({"type": "assistant", "message": message} for message in messages),
    ]
    transcript.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"type": "ass')
    stopped = hooks.stop("a1", None) | {"agent_transcript_path": str(transcript)}
    take(record, root, [hooks.start("a1"), stopped])
    assert one(record, "status", "final_message") == ("completed", said)


@pytest.mark.parametrize("name", ["~a\0b/x", "/a\0b", "~nosuchuser/x", "/" + "x" * 300])
def test_a_transcript_that_can_be_no_file_says_nothing(
    record: Record, root: Path, name: str
) -> None:
    stopped = hooks.stop("a1", None) | {"agent_transcript_path": f"{name}.jsonl"}
    take(record, root, [hooks.start("a1"), stopped])
    assert one(record, "status", "final_message") == ("completed", None)


# Planned deployments


@pytest.fixture
def planned(record: Record, root: Path) -> Any:
    session = init_session(record, "scope", project=str(root)).session_id

    def make(briefing: str) -> Any:
        return record_deployment(
            record,
            session,
            catalogue=load_catalogue(),
            limits=Limits(),
            agent_type="Explore",
            briefing=briefing.encode(),
        )

    return make


def test_the_marker_says_which_deployment_it_is(record: Record, root: Path, planned: Any) -> None:
    deployed = planned("# Find it\n")
    label = deployed.execution.execution_id
    prompt = f"Please:\n{deployed.briefing.decode()}"
    called = hooks.call("toolu_1", prompt)
    take(record, root, [called, hooks.answer(called, hooks.completed("a1", "Done."))])
    assert one(record, "execution_id", "tool_use_id", "status") == (label, "toolu_1", "completed")
    assert one(record, "session_id")[0].startswith("orch-")
    assert one(record, "briefing_id")[0] == deployed.execution.briefing_id
    assert record.value("SELECT count(*) FROM sessions") == 1


def test_the_same_marked_text_again_is_another_execution(
    record: Record, root: Path, planned: Any
) -> None:
    prompt = planned("# Find it\n").briefing.decode()
    events = [hooks.call(f"toolu_{n}", prompt) for n in (1, 2)]
    take(record, root, events)
    take(record, root, events)
    rows = record.sql(
        "SELECT tool_use_id, session_id, briefing_id FROM agent_executions ORDER BY 1"
    )
    assert [row[0] for row in rows] == ["toolu_1", "toolu_2"]
    assert rows[0][1:] == rows[1][1:]


def test_the_text_of_the_briefing_says_which_deployment_it_is(
    record: Record, root: Path, planned: Any
) -> None:
    labels = [planned("# Find it\n").execution.execution_id for _ in range(2)]
    for number, label in enumerate(labels, start=1):
        take(record, root, [hooks.call(f"toolu_{number}", "# Find it")])
        assert record.sql(
            "SELECT execution_id FROM agent_executions WHERE tool_use_id = ?", [f"toolu_{number}"]
        ) == [(label,)]


def test_a_marker_of_another_project_is_just_text(record: Record, root: Path) -> None:
    take(record, root, [hooks.call("toolu_1", f"Go.\n\n<!-- orch {'0' * 32} -->\n")])
    assert one(record, "session_id") == ("claude-3f1c9d52",)


# In any order, any number of times, and where some were never heard

LOGS = {
    "foreground": hooks.foreground(),
    "background": hooks.background(),
    "nested": hooks.nested(),
    "resumed": hooks.resumed(),
    "noted": [
        *hooks.foreground()[:-1],
        hooks.answer(hooks.call("toolu_1", "find bug 1"), hooks.noted(A1, FOUND, TOOLS, LIMIT)),
    ],
    "stopped": [*hooks.background()[:-1], hooks.stopped(A1)],
    "stopped after a word": [*hooks.background(), hooks.stopped(A1)],
    "broken": [*hooks.background()[:-1], hooks.broken(A1, "API Error: 500")],
    "broken in the foreground": [
        *hooks.foreground()[:2],
        hooks.answer(hooks.call("toolu_1", "find bug 1"), hooks.noted(A1, "I begin.", EARLY)),
        hooks.broken(A1, "API Error: 500"),
    ],
    "mixed": [*hooks.foreground(1), *hooks.background(2), *hooks.foreground(3, "Nothing.")],
}


def heard(events: list[Event], *, times: list[int] | None = None, step_ms: int = 20_000) -> Rows:
    """What comes of payloads; with ``times``, their places in time, taken in one by one."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        database = root / ".claude/orchestration/execution.db"
        database.parent.mkdir(parents=True)
        with open_record(write_empty_record(database)) as record:
            for number, payload in zip(times or range(len(events)), events, strict=True):
                deliver(root, [payload], start_ns=hooks.START_NS + number * step_ms * 1_000_000)
                if times is not None:
                    inbox.drain_inbox(record, root)
            inbox.drain_inbox(record, root)
            assert record.sql("PRAGMA foreign_key_check") == []
            assert list(find_stale_executions(record)) == []
            assert maintenance.check(record) == []
            return runs(record)


@cache
def heard_in_order(name: str) -> Rows:
    """What comes of a log as it was told, once for all tests."""
    return heard(LOGS[name])


@pytest.mark.parametrize(
    ("name", "status", "said", "error"),
    [
        ("noted", "completed", FOUND, None),
        ("stopped", "failed", None, "stopped"),
        ("stopped after a word", "failed", "All is well.", "stopped"),
        ("broken", "failed", None, "API Error: 500"),
        ("broken in the foreground", "failed", "I begin.", "API Error: 500"),
    ],
)
def test_however_it_ends_it_ends_once(
    name: str, status: str, said: str | None, error: str | None
) -> None:
    ((*_, how, _, words, _, _, _, reason, _, returns),) = heard_in_order(name)
    assert (how, words, reason, returns) == (status, said, error, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", LOGS)
@given(chance=st.randoms())
@settings(max_examples=COUNTS.histories // len(LOGS))
def test_the_order_of_being_heard_changes_nothing(name: str, chance: random.Random) -> None:
    """Payloads keep the time of their arrival, but are taken in one by one in another order."""
    events = LOGS[name]
    order = list(range(len(events)))
    chance.shuffle(order)
    repeats = chance.choices(order, k=3)
    times = [*order, *repeats]
    assert heard([events[n] for n in times], times=times) == heard_in_order(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*LOGS} - {"resumed"}))
@given(chance=st.randoms())
@settings(max_examples=COUNTS.histories // len(LOGS))
def test_the_order_of_arrival_and_repetition_change_nothing(
    name: str, chance: random.Random
) -> None:
    """But for the returns of a resumed agent: nothing else tells which was the last."""
    events = LOGS[name]
    shuffled = [*events, *chance.choices(events, k=3)]
    chance.shuffle(shuffled)
    assert heard(shuffled, step_ms=100) == heard_in_order(name)


@pytest.mark.slow
def test_hearing_all_of_it_twice_changes_nothing() -> None:
    for name, events in LOGS.items():
        assert heard([*events, *events], step_ms=100) == heard_in_order(name)


@pytest.mark.parametrize("name", ["foreground", "background"])
@pytest.mark.parametrize("missing", range(4))
def test_what_was_missed_is_made_up_for_by_the_rest(name: str, missing: int) -> None:
    """But what only the result of the call tells: which agent it started."""
    events = LOGS[name]
    rows = heard([e for n, e in enumerate(events) if n != missing])
    if events[missing]["hook_event_name"] == "PostToolUse":
        assert len(rows) == 2
    else:
        assert len(rows) == 1
        stopped = events[missing]["hook_event_name"] != "SubagentStop" or name == "foreground"
        assert rows[0][3] == ("completed" if stopped else "deployed")
        assert rows[0][2] == "Explore"
