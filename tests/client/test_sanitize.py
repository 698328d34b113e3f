"""What is sanitized names no machine and holds no text of the client, and what is ours is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orch_tui.claude_client import transcripts_folder
from tests.client.messages_api import Served, write_served
from tests.client.sanitize import sanitize_run
from tests.client.script import text

OURS = "All of the sums were looked at, and each of them adds."
THEIRS = "These are the words of a client, which are not ours to keep in a repository."


def write_run(folder: Path, record: Any) -> None:
    """Write the least that a run leaves, with one record in its transcript."""
    transcripts = folder / "home/.claude/projects" / transcripts_folder(str(folder / "project"))
    for each in (transcripts, folder / "payloads"):
        each.mkdir(parents=True)
    (transcripts / "s1.jsonl").write_text(json.dumps(record) + "\n")
    events: list[tuple[str, dict[str, Any]]] = [
        ("SubagentStop", {"last_assistant_message": OURS, "cwd": str(folder / "project")}),
        ("Stop", {}),
        ("PostToolUse", {"tool_name": "Bash"}),
        ("PostToolUse", {"tool_name": "Agent", "tool_response": {"content": [text(THEIRS)]}}),
    ]
    for at, (event, fields) in enumerate(events):
        payload = {"hook_event_name": event, **fields}
        (folder / "payloads" / f"{at}-1.json").write_text(json.dumps(payload))
    message = {"id": "m1", "model": "m", "content": [text(OURS)], "usage": {}}
    served = Served("a1", "s1", "worker", 0, "m", "(play worker)", 1.0, {}, error=500)
    main = Served(None, "s1", "main", 0, "m", "(play main)", 2.0, {}, message)
    write_served([served, main], folder / "served.jsonl")


def sanitized(tmp_path: Path, record: Any) -> Any:
    """Give a record of a transcript as it is left."""
    write_run(tmp_path / "run", record)
    sanitize_run(tmp_path / "run", tmp_path / "kept")
    (left,) = (tmp_path / "kept/projects/-home-dev-project").iterdir()
    return json.loads(left.read_text())


def test_a_run_is_left_without_this_machine_and_what_orch_does_not_hear(tmp_path: Path) -> None:
    path = str(tmp_path / "run/project/lib/calc.py")
    assert sanitized(tmp_path, {"path": path}) == {"path": "/home/dev/project/lib/calc.py"}
    kept = [file.read_text() for file in (tmp_path / "kept").rglob("*") if file.is_file()]
    assert not [each for each in kept if str(tmp_path) in each or THEIRS in each]
    lines = (tmp_path / "kept/payloads.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "at": 0,
            "payload": {
                "hook_event_name": "SubagentStop",
                "last_assistant_message": OURS,
                "cwd": "/home/dev/project",
            },
        },
        {
            "at": 3,
            "payload": {
                "hook_event_name": "PostToolUse",
                "tool_name": "Agent",
                "tool_response": {"content": [text(f"<{len(THEIRS)} characters>")]},
            },
        },
    ]
    (agent,) = json.loads((tmp_path / "kept/truth.json").read_text())["agents"]
    assert agent["agent_id"] == "a1"


def test_forms_around_our_words_are_left(tmp_path: Path) -> None:
    told = (
        f"{THEIRS}\n[Subagent hand-back] {THEIRS}\n  {OURS}\n<note>{THEIRS}</note>\nagentId: a1 b"
    )
    size = len(THEIRS)
    assert sanitized(tmp_path, {"type": "user", "message": {"content": told}}) == {
        "type": "user",
        "message": {
            "content": f"<{size} characters>\n[Subagent hand-back] <{size + 1} characters>\n"
            f"  {OURS}\n<note><{size} characters></note>\nagentId: a1 b"
        },
    }


def test_of_what_the_client_tells_the_model_nothing_is_left(tmp_path: Path) -> None:
    record = {"type": "attachment", "uuid": "u1", "attachment": {"type": "x", "lines": [THEIRS]}}
    left = {"type": "attachment", "uuid": "u1", "attachment": {"type": "x"}}
    assert sanitized(tmp_path, record) == left
