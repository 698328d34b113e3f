"""What agents and Claude Code tell a session by messages: each run once, with its own words."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.record.hooks import payload_ingest, payloads
from orch_tui.record.ledger.doubt import ELSEWHERE
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.opening import open_record
from orch_tui.record.seen_ends import presume_client_gone
from tests.record import hook_events
from tests.record.claude_home import S1, Transcript, done, notification, tool
from tests.record.empty import write_empty_record
from tests.record.hook_events import SESSION
from tests.record.test_importer import executions, take_in

AGENT = "a0123456789abcde1"
TEAMMATE = "amap-api-0123456789abcdef"
REPORT = "# Review\n\n- line 12: the cursor is not reset"
POINTER = f'This agent\'s report was delivered to you as a message from "{AGENT}". Read it there.\n'
DELIVERED = {"success": True, "message": "delivered"}
WAITING = (
    "<note>This agent stopped with background work of its own still running; the result "
    "below may be interim.</note>\n<result>This agent has not reported yet: it waits.</result>"
)


def launcher(**given: Any) -> Transcript:
    session = Transcript(f"{S1}.jsonl", S1)
    session.hears("go")
    asked = {"prompt": "Review it", "description": "review", "subagent_type": "Explore", **given}
    session.says("p1", {"type": "tool_use", "id": "T1", "name": "Agent", "input": asked})
    return session


def in_background() -> Transcript:
    session = launcher()
    session.gets("T1", "Async agent launched", {"status": "async_launched", "agentId": AGENT})
    return session


def agent_file(name: str = AGENT, start: int = 10) -> Transcript:
    return Transcript(f"{S1}/subagents/agent-{name}.jsonl", S1, name, start=start)


def hands_back(agent: Transcript, call: str, report: str, **answer: Any) -> None:
    agent.says(f"m-{call}", tool(call, "SubagentHandback", message=report))
    agent.gets(call, json.dumps(DELIVERED), DELIVERED)
    agent.lines[-1] |= answer or {"toolEndsTurn": True}


def handed(report: str = REPORT, **more: Any) -> dict[str, Any]:
    return {"kind": "peer", "from": AGENT, "handback": True, "body": report, **more}


def framed(report: str = REPORT) -> str:
    indented = "\n".join(f"  {line}" for line in report.split("\n"))
    return (
        f'Another Claude session sent a message:\n<agent-message from="{AGENT}">\n'
        f"[Subagent hand-back] The report follows:\n{indented}\n</agent-message>"
    )


def attach(session: Transcript, prompt: str, **more: Any) -> None:
    session.add("attachment", attachment={"type": "queued_command", "prompt": prompt, **more})


def imported(folder: Path, files: Iterable[Transcript]) -> dict[str, dict[str, Any]]:
    """The same whatever the order of the files, and unchanged by a second import."""
    found = []
    for number, order in enumerate(permutations(files)):
        home = folder / str(number)
        paths = [each.write(home) for each in order]
        with open_record(write_empty_record(folder / f"{number}.db")) as record:
            for path in paths:
                take_in(record, path)
            found.append(executions(record))
            take_in(record, *paths)
            assert executions(record) == found[-1]
    assert all(each == found[0] for each in found)
    return found[0]


def only(runs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (run,) = runs.values()
    return run


def told_by_hooks(
    folder: Path, events: list[dict[str, Any]], step: int = 3
) -> list[dict[str, Any]]:
    with open_record(write_empty_record(folder / "hooks.db")) as record:
        deliver(record, events, step)
        deliver(record, events, step)
        return rows(record)


def deliver(record: Record, events: list[dict[str, Any]], step: int = 3, first: int = 0) -> None:
    for number, event in enumerate(events, first):
        at = f"2026-11-22T10:{number * step // 60:02}:{number * step % 60:02}.000Z"
        heard = payloads.read_payload(payloads.parse_payload(json.dumps(event).encode()), at)
        if heard:
            with record.write():
                payload_ingest.ingest_hook_payload(record, "/home/dev/app", heard, at, {})


def rows(record: Record) -> list[dict[str, Any]]:
    return record.rows(
        "SELECT *, (SELECT count(*) FROM completions AS c WHERE c.execution_id = e.execution_id) "
        "AS returns FROM agent_executions AS e ORDER BY deployed_at"
    )


def test_a_report_that_was_handed_back_is_what_the_agent_said(tmp_path: Path) -> None:
    session, agent = in_background(), agent_file()
    agent.hears("Review it")
    hands_back(agent, "H1", REPORT)
    session.start = 30
    session.hears(framed(), isMeta=True, origin=handed())
    session.hears(notification(AGENT, "T1", POINTER))
    run = only(imported(tmp_path, [session, agent]))
    assert (run["status"], run["final_message"], run["unverified"]) == ("completed", REPORT, None)
    assert len(run["returns"]) == 1


NOTED = (
    "  Note: the safety classifier was unavailable when reviewing this subagent's work.\n"
    "[Subagent hand-back] The report follows:\n"
    + "\n".join(f"  {line}" for line in REPORT.split("\n"))
)
"""The body where Claude Code has a note on the report (2.1.332)."""


@pytest.mark.parametrize(
    "origin", [handed(), handed(NOTED), handed(handbackToolUseId="H1"), {"kind": "peer"}]
)
@pytest.mark.parametrize("is_attached", [True, False])
def test_the_session_alone_tells_what_was_handed_back(
    tmp_path: Path, origin: dict[str, Any], is_attached: bool
) -> None:
    session = in_background()
    if is_attached:
        attach(session, framed(), origin=origin)
    else:
        session.hears(framed(), isMeta=True, origin=origin)
    session.hears(notification(AGENT, "T1", POINTER))
    run = only(imported(tmp_path, [session]))
    assert (run["final_message"], len(run["returns"])) == (REPORT, 1)


def test_a_pointer_without_a_report_is_doubted(tmp_path: Path) -> None:
    session = launcher()
    session.gets("T1", POINTER, done(AGENT, POINTER, 3, handback="send"))
    run = only(imported(tmp_path, [session]))
    assert (run["final_message"], run["unverified"]) == (None, ELSEWHERE)


def test_a_sentence_after_the_report_is_none(tmp_path: Path) -> None:
    agent = agent_file()
    agent.hears("Review it")
    hands_back(agent, "H1", REPORT, uuid="u1")
    agent.says("m-last", "Report sent.", stop="end_turn")
    run = only(imported(tmp_path, [in_background(), agent]))
    assert (run["final_message"], len(run["returns"])) == (REPORT, 1)


def test_a_report_that_was_refused_was_not_given(tmp_path: Path) -> None:
    agent = agent_file()
    agent.hears("Review it")
    agent.says("m1", tool("H1", "SubagentHandback", message="Draft"))
    agent.gets("H1", "refused", error=True)
    agent.says("m2", "I could not.", stop="end_turn")
    run = only(imported(tmp_path, [in_background(), agent]))
    assert (run["final_message"], len(run["returns"])) == ("I could not.", 1)


def test_an_agent_that_was_told_more_hands_back_again(tmp_path: Path) -> None:
    agent = agent_file()
    agent.hears("Review it")
    hands_back(agent, "H1", "One.")
    agent.hears(
        "The coordinator sent a message while you were working:\nAnd two?\n\nAddress this before "
        "completing your current task.",
        isMeta=True,
        origin={"kind": "coordinator"},
    )
    hands_back(agent, "H2", "Two.")
    with open_record(write_empty_record(tmp_path / "a.db")) as record:
        take_in(record, agent.write(tmp_path))
        assert record.sql("SELECT position, message_id NOTNULL FROM completions") == [
            (1, 1),
            (2, 1),
        ]
        assert record.value("SELECT final_message FROM agent_executions") == "Two."
        (told,) = record.sql("SELECT cast(data AS TEXT) FROM told JOIN contents USING (content_id)")
        assert told == ("And two?",)


@pytest.mark.parametrize("last", ["", "Report sent.", None, REPORT])
def test_hooks_alone_tell_what_was_handed_back(tmp_path: Path, last: str | None) -> None:
    called = hook_events.call("T1", "Review it")
    given = hook_events.event(
        "PostToolUse",
        tool_name="SubagentHandback",
        tool_use_id="H1",
        tool_input={"message": REPORT},
        tool_response=DELIVERED,
        agent_id=AGENT,
        agent_type="Explore",
    )
    stop = hook_events.stop(AGENT, last)
    launched = [called, hook_events.answer(called, hook_events.launched(AGENT))]
    for number, ends in enumerate(([given, stop], [stop, given])):
        folder = tmp_path / str(number)
        folder.mkdir()
        (run,) = told_by_hooks(folder, [*launched, hook_events.start(AGENT), *ends])
        assert (run["final_message"], run["returns"], run["unverified"]) == (REPORT, 1, None)


def test_an_interim_notification_is_no_return(tmp_path: Path) -> None:
    session = in_background()
    interim = notification(AGENT, "T1", "x").replace("<result>x</result>", WAITING)
    session.hears(interim)
    assert only(imported(tmp_path / "1", [session]))["status"] == "deployed"
    session.hears(notification(AGENT, "", "All done.").replace("<tool-use-id></tool-use-id>\n", ""))
    run = only(imported(tmp_path / "2", [session]))
    assert (run["final_message"], len(run["returns"])) == ("All done.", 1)


@pytest.mark.parametrize("prefix", ["", "[SYSTEM NOTIFICATION - NOT USER INPUT]\nOf a <task>.\n\n"])
def test_a_notification_that_came_while_the_launcher_worked_is_read(
    tmp_path: Path, prefix: str
) -> None:
    session = in_background()
    attach(session, prefix + notification(AGENT, "T1", "Found."), commandMode="task-notification")
    session.hears(notification(AGENT, "T1", "Found."))
    run = only(imported(tmp_path, [session]))
    assert (run["status"], run["final_message"], len(run["returns"])) == ("completed", "Found.", 1)


def test_a_notification_of_an_older_release_says_why_it_failed(tmp_path: Path) -> None:
    session = in_background()
    session.hears(
        f"<agent-notification>\n<agent-id>{AGENT}</agent-id>\n<status>failed</status>\n"
        '<summary>Agent "review" failed: Unknown error</summary>\n</agent-notification>'
    )
    run = only(imported(tmp_path, [session]))
    assert (run["status"], run["error_message"]) == (
        "failed",
        'Agent "review" failed: Unknown error',
    )


def test_tags_in_the_words_of_an_agent_say_nothing_of_its_run(tmp_path: Path) -> None:
    session = in_background()
    session.hears(notification(AGENT, "T1", "see <status>failed</status> and <task-id>x</task-id>"))
    assert only(imported(tmp_path, [session]))["status"] == "completed"


def test_two_runs_with_ids_of_their_own_are_never_one(tmp_path: Path) -> None:
    session = Transcript(f"{S1}.jsonl", S1)
    for n in (1, 2):
        session.says(f"p{n}", tool(f"T{n}", "Agent", prompt=f"Do {n}", description=f"part {n}"))
        session.gets(f"T{n}", "launched", {"status": "async_launched", "agentId": f"ab{n}"})
    for n in (1, 2):
        session.hears(notification(f"ab{n}", "REDACTED", f"{n} is done."))
    with open_record(write_empty_record(tmp_path / "a.db")) as record:
        take_in(record, session.write(tmp_path))
        columns = ("scope", "tool_use_id", "final_message", "returns")
        found = [tuple(run[column] for column in columns) for run in rows(record)]
    assert found == [("part 1", "T1", "1 is done.", 1), ("part 2", "T2", "2 is done.", 1)]


# Agents with names


def spawned(session: Transcript) -> None:
    response = {"status": "teammate_spawned", "agent_id": "map-api@session-1", "name": "map-api"}
    session.gets("T1", "Spawned", response)


def mail(text: str) -> str:
    return f'<teammate-message teammate_id="map-api" color="red">\n{text}\n</teammate-message>'


def idle(**more: Any) -> str:
    return mail(json.dumps({"type": "idle_notification", "from": "map-api", **more}))


def teammate_files() -> list[Transcript]:
    session = launcher(name="map-api")
    spawned(session)
    agent = agent_file(TEAMMATE)
    agent.hears('<teammate-message teammate_id="team-lead">\nReview it\n</teammate-message>')
    agent.says("m1", "The table.", stop="end_turn")
    return [session, agent]


def test_the_launch_of_a_named_agent_and_its_run_are_one(tmp_path: Path) -> None:
    session, agent = teammate_files()
    session.start = 20
    session.hears(idle(idleReason="available", result="The table."), origin={"kind": "peer"})
    run = only(imported(tmp_path, [session, agent]))
    assert (run["agent_type"], run["scope"], run["agent_name"]) == ("Explore", "review", "map-api")
    assert (run["status"], run["final_message"], len(run["returns"])) == (
        "completed",
        "The table.",
        1,
    )
    assert (run["tool_use_id"], run["agent_id"]) == ("T1", TEAMMATE)


def test_a_named_agent_that_never_reports_has_the_words_of_its_file(tmp_path: Path) -> None:
    assert only(imported(tmp_path, teammate_files()))["final_message"] == "The table."


def test_what_a_named_agent_wrote_before_it_was_idle_is_its_report(tmp_path: Path) -> None:
    session = launcher(name="map-api")
    spawned(session)
    session.hears(f"Another Claude session sent a message:\n{mail('The table.')}\n\n{idle()}")
    run = only(imported(tmp_path / "1", [session]))
    assert (run["status"], run["final_message"], len(run["returns"])) == (
        "completed",
        "The table.",
        1,
    )
    failed = launcher(name="map-api")
    spawned(failed)
    failed.hears(idle(idleReason="failed", failureReason="overloaded"), origin={"kind": "peer"})
    run = only(imported(tmp_path / "2", [failed]))
    assert (run["status"], run["error_message"]) == ("failed", "overloaded")


def test_hooks_of_a_named_agent_are_of_its_launch(tmp_path: Path) -> None:
    called = hook_events.call("T1", "Map it", name="map-api")
    spawn = {"status": "teammate_spawned", "agent_id": "map-api@session-1", "name": "map-api"}
    events = [
        called,
        hook_events.answer(called, spawn),
        hook_events.start(TEAMMATE, "map-api"),
        hook_events.stop(TEAMMATE, "The table.", "map-api"),
    ]
    (run,) = told_by_hooks(tmp_path, events)
    assert (run["agent_type"], run["agent_id"]) == ("Explore", TEAMMATE)
    assert (run["status"], run["final_message"]) == ("completed", "The table.")


def test_what_an_agent_is_told_after_its_launch_is_recorded_once(tmp_path: Path) -> None:
    called = hook_events.call("T1", "Map it", name="map-api")
    sent = hook_events.event(
        "PostToolUse",
        tool_name="SendMessage",
        tool_use_id="M1",
        tool_input={"to": "map-api", "message": "also lib"},
        tool_response={"success": True, "message": "sent"},
    )
    agent = Transcript(f"{SESSION}/subagents/agent-{TEAMMATE}.jsonl", SESSION, TEAMMATE)
    agent.hears('<teammate-message teammate_id="team-lead">\nMap it\n</teammate-message>')
    agent.says("m1", "The table.", stop="end_turn")
    agent.hears('<teammate-message teammate_id="team-lead">\nalso lib\n</teammate-message>')
    with open_record(write_empty_record(tmp_path / "a.db")) as record:
        deliver(record, [called, sent])
        take_in(record, agent.write(tmp_path))
        assert record.sql("SELECT call FROM told") == [("M1",)]
        (run,) = rows(record)
        assert (run["final_message"], run["returns"]) == ("The table.", 1)


def test_a_name_that_may_mean_two_runs_joins_none(tmp_path: Path) -> None:
    called = hook_events.call("T1", "Map it", name="map-api")
    other = TEAMMATE.replace("0", "1")
    events = [hook_events.stop(each, each, "map-api") for each in (TEAMMATE, other)]
    assert len(told_by_hooks(tmp_path, [*events, called])) == 3


# Interrupted


def test_progress_names_the_agent_of_an_interrupted_launch(tmp_path: Path) -> None:
    session = launcher()
    heard = {"type": "user", "message": {"role": "user", "content": "Review it"}}
    session.add(
        "progress",
        parentToolUseID="T1",
        data={"type": "agent_progress", "agentId": AGENT, "message": heard},
    )
    session.hears("[Request interrupted by user for tool use]")
    agent = agent_file(start=1)
    agent.hears("Review it")
    agent.says("m1", tool("B1", "Bash", command="ls"))
    run = only(imported(tmp_path, [session, agent]))
    assert (run["agent_id"], run["tool_use_id"], run["output_tokens"]) == (AGENT, "T1", 10)
    assert (run["status"], run["ending"]) == ("failed", "interrupted")


# Woken by work of its own


def woken() -> tuple[list[dict[str, Any]], list[Transcript]]:
    called = hook_events.call("T1", "Manage it")
    busy = [{"id": AGENT, "status": "running"}, {"id": "a9", "status": "running"}]
    events = [
        called,
        hook_events.answer(called, hook_events.launched(AGENT)),
        hook_events.start(AGENT),
        hook_events.stop(AGENT, "I wait.", background_tasks=busy),
        hook_events.start(AGENT),
        hook_events.stop(AGENT, "All done.", background_tasks=busy[:1]),
    ]
    agent = Transcript(f"{SESSION}/subagents/agent-{AGENT}.jsonl", SESSION, AGENT)
    agent.hears("Manage it")
    agent.says("m1", "I wait.", stop="end_turn")
    agent.hears(notification("a9", "T9", "Part done."), isMeta=True)
    agent.says("m2", "All done.", stop="end_turn")
    return events, [agent]


def test_what_an_agent_said_while_it_waited_is_no_return(tmp_path: Path) -> None:
    events, files = woken()
    (run, *_) = told_by_hooks(tmp_path, events)
    assert (run["final_message"], run["returns"]) == ("All done.", 1)


def managed() -> list[dict[str, Any]]:
    """A launch, that of its own child, its stop while that runs, the child's end, its own end."""
    called = hook_events.call("T1", "Manage it")
    child = {**hook_events.call("T2", "Do it"), "agent_id": AGENT}
    launched = hook_events.answer(child, hook_events.launched("a9"))
    busy = [{"id": AGENT, "status": "running"}, {"id": "a9", "status": "running"}]
    return [
        called,
        hook_events.answer(called, hook_events.launched(AGENT)),
        hook_events.start(AGENT),
        child,
        {**launched, "agent_id": AGENT},
        hook_events.start("a9"),
        hook_events.stop(AGENT, "I wait.", background_tasks=busy),
        hook_events.stop("a9", "Done.", background_tasks=busy[:1]),
        hook_events.start(AGENT),
        hook_events.stop(AGENT, "All done.", background_tasks=[]),
    ]


@pytest.mark.parametrize(
    ("heard", "status"), [(7, "deployed"), (8, "completed"), (9, "deployed"), (10, "completed")]
)
def test_an_agent_that_waits_for_its_own_has_not_returned(
    tmp_path: Path, heard: int, status: str
) -> None:
    """Nor while it works again; where nothing woke it, its stop was its return."""
    runs = told_by_hooks(tmp_path, managed()[:heard])
    run = next(run for run in runs if run["agent_id"] == AGENT)
    assert run["status"] == status
    assert run["returns"] == (status == "completed")
    said = {8: "I wait.", 10: "All done."}
    assert run["final_message"] == said.get(heard)


def test_who_waits_for_its_own_when_its_client_is_killed_is_gone(tmp_path: Path) -> None:
    with open_record(write_empty_record(tmp_path / "a.db")) as record:
        deliver(record, managed()[:7])
        for agent in (AGENT, "a9"):
            presume_client_gone(record, SESSION, agent, "2026-11-22T11:00:00.000Z")
        assert [(run["status"], run["ending"]) for run in rows(record)] == [("failed", "gone")] * 2
        assert list(find_stale_executions(record)) == []


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_who_waits_for_its_own_returns_once_in_whatever_order_it_is_heard(
    tmp_path: Path, seed: int, *, is_late: bool
) -> None:
    """Whether they are taken in so, or the hooks themselves overtook one another."""
    events = managed()
    order = list(range(len(events)))
    random.Random(seed).shuffle(order)
    with open_record(write_empty_record(tmp_path / "a.db")) as record:
        for place, at in enumerate(order):
            deliver(record, [events[at]], first=place if is_late else at)
            assert list(find_stale_executions(record)) == []
        run = next(run for run in rows(record) if run["agent_id"] == AGENT)
        assert (run["final_message"], run["returns"]) == ("All done.", 1)


@pytest.mark.parametrize("first", ["hooks", "import"])
def test_the_transcript_tells_what_hooks_took_for_a_return(tmp_path: Path, first: str) -> None:
    events, files = woken()
    for event in events:
        event.pop("background_tasks", None)
    with open_record(write_empty_record(tmp_path / "a.db")) as record:
        paths = [each.write(tmp_path) for each in files]
        steps: list[Callable[[], object]] = [
            lambda: deliver(record, events, 30),
            lambda: take_in(record, *paths),
        ]
        ordered = steps if first == "hooks" else steps[::-1]
        for step in ordered:
            step()
        run = next(run for run in rows(record) if run["agent_id"] == AGENT)
        assert (run["final_message"], run["returns"]) == ("All done.", 1)


# What the agent was really handed


@pytest.mark.parametrize("first", ["hooks", "import"])
def test_the_text_that_a_hook_put_in_place_of_the_prompt_is_what_was_handed_over(
    tmp_path: Path, first: str
) -> None:
    called = hook_events.call("T1", "Read the briefing")
    agent = Transcript(f"{SESSION}/subagents/agent-{AGENT}.jsonl", SESSION, AGENT)
    agent.hears("THE WHOLE BRIEFING")
    agent.says("m1", "Done.", stop="end_turn")
    events = [called, hook_events.answer(called, hook_events.launched(AGENT))]
    with open_record(write_empty_record(tmp_path / "a.db")) as record:
        path = agent.write(tmp_path)
        steps: list[Callable[[], object]] = [
            lambda: deliver(record, events),
            lambda: take_in(record, path),
        ]
        ordered = steps if first == "hooks" else steps[::-1]
        for step in ordered:
            step()
        (run,) = rows(record)
        texts = [
            record.value("SELECT sha256 FROM briefings WHERE briefing_id = ?", [run[column]])
            for column in ("briefing_id", "handed_over_id")
        ]
        assert None not in texts and texts[0] != texts[1]


# Notifications by hook


def test_a_notification_in_place_of_a_prompt_ends_the_run(tmp_path: Path) -> None:
    called = hook_events.call("T1", "Look")
    launched = [called, hook_events.answer(called, hook_events.launched(AGENT))]
    told = hook_events.event(
        "UserPromptSubmit", prompt=notification(AGENT, "T1", "Found.").replace("1500", "22")
    )
    (run,) = told_by_hooks(tmp_path, [*launched, told])
    assert (run["status"], run["final_message"]) == ("completed", "Found.")
    assert (run["context_end_tokens"], run["tool_calls"]) == (22, 1)


def test_a_stop_and_its_notification_are_one_return(tmp_path: Path) -> None:
    told = hook_events.event("UserPromptSubmit", prompt=notification(AGENT, "T1", "Found."))
    called = hook_events.call("T1", "Look")
    launched = [called, hook_events.answer(called, hook_events.launched(AGENT))]
    for number, ends in enumerate(permutations([hook_events.stop(AGENT, "Found."), told])):
        folder = tmp_path / str(number)
        folder.mkdir()
        (run,) = told_by_hooks(folder, [*launched, *ends])
        assert (run["final_message"], run["returns"]) == ("Found.", 1)


# Hooks of older releases


def nameless(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in each.items() if k != "tool_use_id"} for each in events]


@pytest.mark.parametrize("first", ["hooks", "import"])
def test_a_call_without_an_id_is_the_launch_with_its_prompt(tmp_path: Path, first: str) -> None:
    called = hook_events.call("T1", "Review it", tool="Task")
    result = done(None, "Fine.", 5)
    events = nameless([called, hook_events.answer(called, result)])
    session = Transcript(f"{SESSION}.jsonl", SESSION)
    session.says("p1", tool("T1", "Task", prompt="Review it", subagent_type="Explore"))
    session.gets("T1", "Fine.", result)
    for line in session.lines:
        line["version"] = "1.0.128"
    with open_record(write_empty_record(tmp_path / "a.db")) as record:
        path = session.write(tmp_path)
        steps: list[Callable[[], object]] = [
            lambda: deliver(record, events),
            lambda: take_in(record, path),
        ]
        for step in steps if first == "hooks" else steps[::-1]:
            step()
        (run,) = rows(record)
        assert (run["tool_use_id"], run["final_message"], run["returns"]) == ("T1", "Fine.", 1)


def test_an_agent_of_which_a_stop_tells_nothing_is_nobodys(tmp_path: Path) -> None:
    stop = hook_events.event("SubagentStop", agent_id="a36f473", stop_hook_active=False)
    assert told_by_hooks(tmp_path, [stop]) == []


def test_the_end_of_a_session_brings_in_agents_whose_files_lie_beside_it(tmp_path: Path) -> None:
    called = hook_events.call("T1", "Review it", tool="Task")
    agent = Transcript("agent-10f144bf.jsonl", SESSION, "10f144bf")
    agent.hears("Review it")
    path = agent.write(tmp_path)
    session = str(path.with_name(f"{SESSION}.jsonl"))
    result = hook_events.completed("10f144bf", "Fine.")
    end = hook_events.event("SessionEnd", reason="other") | {"transcript_path": session}
    with open_record(write_empty_record(tmp_path / "a.db")) as record:
        deliver(record, [called, hook_events.answer(called, result), end])
        awaited = record.sql("SELECT path FROM import_checkpoints WHERE awaited_since NOTNULL")
    assert (str(path),) in awaited


# Agents of workflows

RUN = "wf_210b54e1-c7c"
FRAME = "[Workflow harness \u2014 computed task] It was computed. The text follows:\n  "


def workflow_home(home: Path) -> list[Path]:
    """The file of an agent of a workflow, its journal, and what is noted of the run."""
    agent = Transcript(f"{S1}/subagents/workflows/{RUN}/agent-{AGENT}.jsonl", S1, AGENT)
    agent.hears(f"{FRAME}Find things\n  in lib")
    agent.says("m1", tool("O1", "StructuredOutput", ok=True))
    agent.gets("O1", "ok")
    agent.lines[-1]["toolEndsTurn"] = True
    path = agent.write(home)
    journal = path.with_name("journal.jsonl")
    line = {"type": "result", "agentId": AGENT, "result": {"ok": True}}
    journal.write_text(json.dumps({"type": "launched"}) + "\n" + json.dumps(line) + "\n")
    run = path.parents[3] / "workflows" / f"{RUN}.json"
    run.parent.mkdir(exist_ok=True)
    known = {"type": "workflow_agent", "agentId": AGENT, "phaseTitle": "Find", "label": "find:one"}
    noted = {"runId": RUN, "workflowName": "two-step", "workflowProgress": [{"index": 1}, known]}
    run.write_text(json.dumps({**noted, "timestamp": "2026-02-11T00:00:09.000Z"}))
    return [path, journal, run]


def test_an_agent_of_a_workflow_has_its_workflow_run_and_phase(tmp_path: Path) -> None:
    paths = workflow_home(tmp_path)
    found = []
    for number, order in enumerate(permutations(paths)):
        with open_record(write_empty_record(tmp_path / f"{number}.db")) as record:
            for path in order:
                assert not take_in(record, path).skipped
            found.append(executions(record))
            take_in(record, tmp_path)
            assert executions(record) == found[-1]
    assert all(each == found[0] for each in found)
    run = only(found[0])
    assert (run["workflow"], run["workflow_run"], run["workflow_phase"]) == (
        "two-step",
        RUN,
        "Find",
    )
    assert (run["agent_kind"], run["scope"]) == ("workflow", "find:one")
    assert (json.loads(run["final_message"]), len(run["returns"])) == ({"ok": True}, 1)


def test_the_journal_tells_what_an_agent_without_a_file_gave_back(tmp_path: Path) -> None:
    path, *others = workflow_home(tmp_path)
    path.unlink()
    with open_record(write_empty_record(tmp_path / "a.db")) as record:
        take_in(record, *others)
        (run,) = rows(record)
        assert (run["status"], json.loads(run["final_message"])) == ("completed", {"ok": True})


def test_hooks_name_the_run_of_a_workflow(tmp_path: Path) -> None:
    stop = hook_events.stop(AGENT, "Found.", "workflow-subagent")
    stop["agent_transcript_path"] = f"/nowhere/subagents/workflows/{RUN}/agent-{AGENT}.jsonl"
    (run,) = told_by_hooks(tmp_path, [stop])
    assert (run["agent_kind"], run["workflow_run"]) == ("workflow", RUN)


# A client that was killed


@pytest.mark.parametrize(("days", "ending"), [(0, None), (2, "gone")])
def test_what_a_killed_client_did_not_get_back_is_gone(
    tmp_path: Path, days: int, ending: str | None
) -> None:
    called = hook_events.call("T1", "Look")
    launched = [called, hook_events.answer(called, hook_events.launched(AGENT))]
    now = datetime(2026, 11, 22, 11, tzinfo=UTC) + timedelta(days=days)
    path = write_empty_record(tmp_path / "a.db")
    with open_record(path, clock=lambda: now) as record:
        deliver(record, launched)
        for _ in range(2):
            take_in(record)
            (run,) = rows(record)
            assert run["ending"] == ending
        deliver(record, [hook_events.stop(AGENT, "Found.")], 100)
        (run,) = rows(record)
        assert (run["status"], run["ending"], run["returns"]) == ("completed", None, 1)


# A call in the foreground that failed


def failing(tool_use_id: str, prompt: str) -> tuple[dict[str, Any], dict[str, Any]]:
    called = hook_events.call(tool_use_id, prompt)
    failed = called | {"hook_event_name": "PostToolUseFailure", "error": "API Error: 500"}
    return called, failed


def test_a_call_that_failed_is_one_with_the_run_it_began(tmp_path: Path) -> None:
    called, failed = failing("T1", "Look")
    broken = hook_events.broken(AGENT, "API Error: 500")
    (run,) = told_by_hooks(tmp_path, [called, hook_events.start(AGENT), broken, failed])
    assert (run["tool_use_id"], run["agent_id"], run["returns"]) == ("T1", AGENT, 1)
    assert (run["status"], run["error_message"]) == ("failed", "API Error: 500")


def test_a_call_that_may_be_of_another_run_is_left_apart(tmp_path: Path) -> None:
    first, second = failing("T1", "Look"), failing("T2", "Look again")
    broken = [hook_events.broken(agent, "API Error: 500") for agent in ("a1", "a2")]
    events = [first[0], second[0], *broken, first[1], second[1]]
    found = told_by_hooks(tmp_path, events)
    assert sorted(map(str, (run["agent_id"] for run in found))) == ["None", "None", "a1", "a2"]


def test_a_call_that_was_denied_takes_no_run_that_came_later(tmp_path: Path) -> None:
    called, failed = failing("T1", "Look")
    found = told_by_hooks(tmp_path, [called, failed, hook_events.stop(AGENT, "Found.")])
    assert len(found) == 2


# One run told by two copies of its session


def test_the_last_message_is_priced_by_the_model_of_its_run(tmp_path: Path) -> None:
    whole = launcher()
    said = {
        "id": "m1",
        "model": "claude-opus-4-5-20251101",
        "content": [tool("B1", "Bash", command="ls")],
        "usage": {"output_tokens": 9},
    }
    heard = {"type": "assistant", "message": said, "timestamp": "2026-02-11T00:00:02.000Z"}
    data = {"type": "agent_progress", "agentId": AGENT, "message": heard}
    whole.add("progress", parentToolUseID="T1", data=data)
    whole.gets("T1", "Done.", done(AGENT, "Done.", 400))
    before, after = (Transcript(f"{n}.jsonl", S1) for n in (1, 2))
    before.lines, after.lines = whole.lines[:-1], whole.lines[-1:]
    costs = []
    for number, files in enumerate(([whole], [before, after], [after, before])):
        with open_record(write_empty_record(tmp_path / f"{number}.db")) as record:
            for each in files:
                take_in(record, each.write(tmp_path))
            take_in(record, *(each.write(tmp_path) for each in files))
            costs.append(record.sql("SELECT cost_usd, output_tokens FROM agent_executions"))
    assert costs[0] == costs[1] == costs[2]
    assert costs[0][0][0]
