"""The same runs told by hooks and by transcripts, in any order, add up to the same."""

from __future__ import annotations

import random
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from orch_tui.models.database import Record
from orch_tui.record.hooks import payload_ingest, payloads
from orch_tui.record.opening import open_record
from tests.counts import COUNTS
from tests.record import claude_home
from tests.record.claude_home import CWD, S1, S2
from tests.record.empty import write_empty_record
from tests.record.test_importer import executions, take_in

LOOK = {"description": "look", "prompt": "Look at lib", "subagent_type": "Explore"}
WATCH = {"description": "watch", "prompt": "Watch", "model": "opus"}
HELP = {"prompt": "Help", "subagent_type": "helper"}
LAUNCHED = {"isAsync": True, "status": "async_launched", "agentId": "a2"}


def event(second: int, session: str, name: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    at = f"2026-02-11T00:{second // 60:02}:{second % 60:02}.500Z"
    return at, {"hook_event_name": name, "session_id": session, "cwd": CWD, **fields}


def call(tool: str, given: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"tool_name": "Agent", "tool_use_id": tool, "tool_input": given, **fields}


def agent(agent_id: str, agent_type: str, said: str | None = None) -> dict[str, Any]:
    named = {"agent_id": agent_id, "agent_type": agent_type}
    return named if said is None else {**named, "last_assistant_message": said}


INSIDE = agent("a2", "general-purpose")
EVENTS = [
    event(1, S1, "PreToolUse", **call("T1", LOOK)),
    event(2, S1, "SubagentStart", **agent("a000001", "Explore")),
    event(10, S1, "SubagentStop", **agent("a000001", "Explore", "All of lib is fine.\n")),
    event(
        22,
        S1,
        "PostToolUse",
        **call("T1", LOOK, tool_response=claude_home.done("a000001", "All of lib is fine.\n", 400)),
    ),
    event(100, S2, "PreToolUse", **call("T2", WATCH)),
    event(101, S2, "PostToolUse", **call("T2", WATCH, tool_response=LAUNCHED)),
    event(101, S2, "SubagentStart", **INSIDE),
    event(102, S2, "SubagentStop", **agent("a2", "general-purpose", "Done.")),
    event(
        107,
        S2,
        "PostToolUse",
        tool_name="SendMessage",
        tool_use_id="TS",
        tool_response={"success": True, "resumedAgentId": "a2"},
    ),
    event(108, S2, "SubagentStart", **INSIDE),
    event(109, S2, "PreToolUse", **call("T3", HELP, **INSIDE)),
    event(109, S2, "SubagentStart", **agent("a3", "helper")),
    event(110, S2, "SubagentStop", **agent("a3", "helper", "helped")),
    event(
        111,
        S2,
        "PostToolUse",
        **call("T3", HELP, tool_response=claude_home.done("a3", "helped", 5), **INSIDE),
    ),
    event(112, S2, "SubagentStop", **agent("a2", "general-purpose", "Done.")),
]
"""A run in the foreground; one in the background that is resumed and starts another."""

_BY_CLOCK = ("deployed_at", "completed_at", "returns", "duration_ms")
"""A hook tells when it was heard, a transcript when it was written."""


def told(chance: random.Random, share_heard: float) -> dict[str, dict[str, Any]]:
    """What the record says after all transcripts and some of the events, in any order."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_record(write_empty_record(Path(folder) / "x.db")) as record,
    ):
        transcripts = [*claude_home.foreground(), *claude_home.background()]
        todo: list[Any] = [each.write(Path(folder) / "home") for each in transcripts]
        todo += [each for each in EVENTS if chance.random() < share_heard]
        chance.shuffle(todo)
        for each in todo:
            if isinstance(each, Path):
                take_in(record, each)
                continue
            at, payload = each
            with record.write():
                heard = payloads.read_payload(payload, at)
                assert heard is not None
                payload_ingest.ingest_hook_payload(record, CWD, heard, at, {})
        return {
            name: {
                **{column: value for column, value in row.items() if column not in _BY_CLOCK},
                "returned": len(row["returns"]),
            }
            for name, row in executions(record).items()
        }


def test_a_transcript_has_what_its_stop_left_out(record: Record, tmp_path: Path) -> None:
    """A stop without words is a doubt only until somebody says what they were."""
    _, transcript, _ = claude_home.foreground()
    at, stop = EVENTS[2]
    for said in ("", None):
        heard = payloads.read_payload(stop | {"last_assistant_message": said}, at)
        assert heard
        with record.write():
            payload_ingest.ingest_hook_payload(record, CWD, heard, at, {})
        (run,) = executions(record).values()
        assert run["unverified"] == "its final message is empty"
    take_in(record, transcript.write(tmp_path))
    (run,) = executions(record).values()
    assert (run["final_message"], run["unverified"]) == ("All of lib is fine.\n", None)


@cache
def by_transcripts_alone() -> dict[str, dict[str, Any]]:
    return told(random.Random(0), 0)


@pytest.mark.slow
@given(st.randoms(use_true_random=False), st.sampled_from([0.5, 0.9, 1.0]))
@settings(max_examples=COUNTS.histories, phases=[Phase.generate])
def test_neither_order_nor_gaps_change_what_a_run_was(
    chance: random.Random, share_heard: float
) -> None:
    runs = told(chance, share_heard)
    assert runs == by_transcripts_alone()
    assert {name: run["returned"] for name, run in runs.items()} == {"T1": 1, "T2": 2, "T3": 1}
