"""Messages by which a session hears of its agents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orch_tui.record.notifications import (
    MailboxMessage,
    end_of_task,
    read_figures,
    read_handed_back,
    read_mailbox,
    read_notifications,
)
from tests.record.claude_home import notification


def test_a_notification_says_which_agent_ended_how() -> None:
    text = notification("a1", "T1", "\nDone.\n")
    found = read_notifications(f"\n {text}\n")
    assert found is not None
    (only,) = found
    assert (only.agent_id, only.tool_use_id, only.status) == ("a1", "T1", "completed")
    assert (only.words.text, only.text) == ("Done.", text)
    assert (only.is_of_agent, only.is_interim) == (True, False)
    assert only.figures == {"context_end_tokens": 1500, "tool_calls": 1, "duration_ms": 900}
    assert only.ending["status"] == "completed"


@pytest.mark.parametrize("text", ["", "words", f"see {notification('a', 'T', 'x')}", "<task->"])
def test_other_messages_are_none(text: str) -> None:
    assert read_notifications(text) is None


def test_a_message_may_hold_several_and_end_in_the_middle() -> None:
    text = notification("a1", "T1", "One.") + "\n" + notification("a2", "T2", "Two.")[:-30]
    found = read_notifications(f"[SYSTEM NOTIFICATION - ]\n{text}") or []
    assert [each.agent_id for each in found] == ["a1", "a2"]
    elder = "<agent-notification><agent-id>a3</agent-id><status>failed</status>"
    (only,) = read_notifications(elder) or []
    assert (only.agent_id, only.status, only.words.text) == ("a3", "failed", "")


def test_tags_in_the_words_of_an_agent_say_nothing_of_its_run() -> None:
    words = "<status>failed</status> <task-id>b</task-id></result> and <result>"
    (only,) = read_notifications(notification("a1", "T1", words)) or []
    assert (only.agent_id, only.status) == ("a1", "completed")
    assert "<status>failed</status>" in (only.words.text or "")


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("<note>this may be interim</note>", "x"),
        ("<note>tasks still running</note>", "x"),
        ("", "This agent has not reported yet: wait"),
    ],
)
def test_an_agent_that_waits_has_not_returned(note: str, words: str) -> None:
    text = notification("a1", "T1", words).replace("<result>", f"{note}<result>")
    (only,) = read_notifications(text) or []
    assert only.is_interim
    (late,) = read_notifications(notification("a1", "T1", f"so. {note} {words}")) or []
    assert not late.is_interim, "its own words say nothing"


@pytest.mark.parametrize(
    ("status", "reason", "end"),
    [
        ("completed", "so", {"status": "completed"}),
        ("failed", "so", {"status": "failed", "error_message": "so"}),
        ("failed", None, {"status": "failed", "error_message": "failed"}),
        ("failed", "", {"status": "failed", "error_message": "failed"}),
        (
            "killed",
            None,
            {"status": "failed", "error_message": "killed", "broke_off": True, "ending": "stopped"},
        ),
        (
            "stopped",
            "by me",
            {"status": "failed", "error_message": "by me", "broke_off": True, "ending": "stopped"},
        ),
    ],
)
def test_what_did_not_complete_has_failed(status: str, reason: str | None, end: Any) -> None:
    assert end_of_task(status, reason) == end


def test_the_summary_is_the_reason_of_a_failure_alone() -> None:
    (failed,) = read_notifications(notification("a", "T", "x", status="failed")) or []
    (killed,) = read_notifications(notification("a", "T", "x", status="killed")) or []
    assert failed.ending.get("error_message") == 'Agent "look" failed'
    assert killed.ending.get("error_message") == "killed"


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("<usage><total_tokens>5</total_tokens><tool_uses>2</tool_uses></usage>", (5, 2, None)),
        ("subagent_tokens: 7\nduration_ms: 8", (7, None, 8)),
        ("total_tokens: 0", (None, None, None)),
        ("grand_total_tokens: 5", (None, None, None)),
        ("total_tokens: 5" + " " * 985, (5, None, None)),
        ("total_tokens: 5" + " " * 986, (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_figures_stand_at_the_end(text: str, figures: tuple[Any, ...]) -> None:
    assert tuple(read_figures(text).values()) == figures


def test_a_message_without_a_frame_hands_nothing_back() -> None:
    assert read_handed_back("words") == []
    assert read_handed_back('<agent-message from="a1">\nwords\n</agent-message>') == []


def mail(sender: str, text: str) -> str:
    return f'<teammate-message teammate_id="{sender}" color="red">\n{text}\n</teammate-message>'


def test_a_mailbox_holds_messages_in_their_order() -> None:
    text = mail("ann", "one\ntwo") + "\n" + mail("bob", '{"type": "other"}')
    assert read_mailbox(text) == [
        MailboxMessage("ann", "one\ntwo", is_idle=False),
        MailboxMessage("bob", '{"type": "other"}', is_idle=False),
    ]
    assert read_mailbox("words") == read_mailbox("<teammate-message>") == []


@pytest.mark.parametrize(
    ("said", "text", "failure"),
    [
        ({}, "", None),
        ({"result": "Done."}, "Done.", None),
        ({"result": 7}, "", None),
        ({"idleReason": "available", "failureReason": "no"}, "", None),
        ({"idleReason": "failed", "failureReason": "no disk"}, "", "no disk"),
        ({"idleReason": "failed", "failureReason": " "}, "", "failed"),
        ({"idleReason": "failed"}, "", "failed"),
    ],
)
def test_an_idle_teammate_ended_its_turn(said: Any, text: str, failure: str | None) -> None:
    given = json.dumps({"type": "idle_notification", **said})
    assert read_mailbox(mail("ann", given)) == [MailboxMessage("ann", text, True, failure)]


@pytest.mark.parametrize("text", ["{", "{}", "[" * 20, '{"a": ' * 3000, "null"])
def test_what_is_no_note_are_words(text: str) -> None:
    assert read_mailbox(mail("ann", text)) == [MailboxMessage("ann", text, False)]


@pytest.mark.parametrize("tag", ["agent-message from", "teammate-message teammate_id", "result"])
@pytest.mark.parametrize("end", ["", ">", '="a"', '="a">'])
def test_frames_that_do_not_end_are_read_in_time_by_their_length(tag: str, end: str) -> None:
    text = f"<task-notification><{tag}{end}" * 20_000
    assert read_handed_back(text) == []
    assert read_mailbox(text) == []
    assert read_notifications(text)
