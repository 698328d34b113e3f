"""What another release changed is told: what is new, what is gone, what grew or shrank."""

from __future__ import annotations

import json
from pathlib import Path

from tests.client.installed_client import VERSION
from tests.client.messages_api import Served, write_served
from tests.client.profile import Profile, list_changes, load_profile, read_profile
from tests.client.run import Run
from tests.client.scenario import Scenario
from tests.client.script import call

OLD = Profile("1", {"event Stop", "event Start"}, {"tools of Plan, print": [100, 200]})


def test_the_same_release_has_changed_nothing() -> None:
    assert list(list_changes(OLD, OLD, all_ran=True)) == []
    near = OLD._replace(sizes={"tools of Plan, print": [99, 202], "another": [1, 1]})
    assert list(list_changes(OLD, near, all_ran=True)) == []


def test_what_is_gone_is_told_where_all_ran() -> None:
    new = Profile("2", {"event Stop", "event End"}, {"tools of Plan, print": [100, 300]})
    grown = "size: tools of Plan, print: 100 to 300 bytes, was 100 to 200"
    assert list(list_changes(OLD, new, all_ran=False)) == ["new: event End", grown]
    told = ["new: event End", "gone: event Start", grown]
    assert list(list_changes(OLD, new, all_ran=True)) == told


def test_a_run_shows_events_keys_models_and_sizes(tmp_path: Path) -> None:
    run = Run(Scenario("s", {}, {}), Path("/claude"), tmp_path)
    (tmp_path / "payloads").mkdir()
    payload = {"hook_event_name": "PreToolUse", "tool_name": "Agent", "tool_input": {"a b": 1}}
    (tmp_path / "payloads" / "1-1.json").write_text(json.dumps(payload))
    transcripts = run.config / "projects" / "-p"
    transcripts.mkdir(parents=True)
    (transcripts / "s1.jsonl").write_text('{"type": "user", "message": {"content": [{"k": 1}]}}\n')
    launch = {**call("Agent", prompt="(play w)", subagent_type="Plan", model="opus"), "id": "t1"}
    message = {"id": "m1", "model": "m", "content": [launch], "usage": {}}
    sizes = {"system": 10, "tools": 20, "messages": 30}
    main = Served(None, "s1", "main", 0, "m", "(play main)", 1.0, sizes, message)
    agent = Served("a1", "s1", "w", 0, "claude-opus-5-5", "(play w)", 2.0, sizes, error=500)
    write_served([main, agent], tmp_path / "served.jsonl")
    profile = read_profile("2", [run])
    assert profile.facts == {
        "event PreToolUse Agent",
        "payload of PreToolUse Agent: hook_event_name",
        "payload of PreToolUse Agent: tool_name",
        "payload of PreToolUse Agent: tool_input",
        "record user: type",
        "record user: message",
        "record user: message.content",
        "record user: message.content.k",
        "model of main session: m",
        "model of Plan with opus: claude-opus-5-5",
    }
    assert profile.sizes["tools of Plan, print"] == [20, 20]


def test_the_stored_one_is_of_the_release_that_is_run() -> None:
    assert load_profile().version == VERSION
