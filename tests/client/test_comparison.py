"""A record that is wrong in one thing is found wrong, and a right one right."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client.comparison import list_differences
from tests.client.scenario import Fields, either
from tests.client.truth import AgentTruth

USAGE = {
    "input_tokens": 1,
    "cache_write_tokens": 2,
    "cache_read_tokens": 3,
    "output_tokens": 4,
}
TRUTH = AgentTruth(
    agent_id="a1",
    part="worker",
    prompt="(play worker) work",
    agent_type="Explore",
    scope="work",
    model=None,
    name=None,
    resolved_model="claude-opus-5-5",
    final='{"ok": true}',
    usage={"m1": USAGE},
    context_end=10,
    tool_calls=1,
    parent=None,
    depth=1,
)
ROW: Fields = {
    **USAGE,
    "execution_id": "exec-001",
    "agent_id": "a1",
    "agent_type": "Explore",
    "agent_name": None,
    "prompt": "(play worker) work\n",
    "scope": "work",
    "requested_model": None,
    "resolved_model": "claude-opus-5-5",
    "final": '{"ok":true}',
    "status": "completed",
    "completions": 1,
    "doubted": False,
    "told": [],
    "reason": None,
    "usage": {"m1": USAGE},
    "context_end_tokens": 10,
    "tool_calls": 1,
    "parent": None,
    "depth": 1,
    "deployed_at": "2026-11-28T10:00:01.000Z",
    "completed_at": "2026-11-28T10:00:02.000Z",
    "duration_ms": 1000,
}
BEGAN = 1795860000.0


def compare(*rows: Fields, known: Fields | None = None, never_ran: str = "") -> list[str]:
    agents = {"worker": known or {}}
    return list_differences(rows, [TRUTH], agents, {"other": never_ran}, (BEGAN, BEGAN + 3))


def test_a_right_record_is_right() -> None:
    assert compare(ROW) == []


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *((name, 99) for name in [*USAGE, "context_end_tokens", "tool_calls", "depth"]),
        ("prompt", "(play worker) something else"),
        ("final", "ok"),
        ("status", "deployed"),
        ("status", "failed"),
        ("reason", "it broke"),
        ("agent_type", "Plan"),
        ("agent_name", "scout"),
        ("scope", None),
        ("requested_model", "opus"),
        ("resolved_model", None),
        ("usage", {"m1": USAGE, "m2": USAGE}),
        ("parent", "a0"),
        ("completions", 2),
        ("doubted", True),
        ("deployed_at", "2026-11-28T09:00:01.000Z"),
        ("completed_at", "2026-11-28T10:00:00.500Z"),
        ("duration_ms", 60_000),
    ],
)
def test_each_field_that_is_wrong_is_told(field: str, wrong: Any) -> None:
    found = compare({**ROW, field: wrong})
    assert found
    assert all(line.startswith("worker: ") for line in found)


def test_missing_doubled_and_made_up_executions_are_told() -> None:
    assert compare() == ["recorded: [], not ['worker']"]
    assert compare(ROW, ROW) == ["recorded: ['worker', 'worker'], not ['worker']"]
    made_up = {**ROW, "agent_id": "a2", "prompt": "(play other) x", "status": "failed"}
    assert compare(ROW, made_up) == ["nobody ran: exec-001, failed"]
    assert compare(ROW, made_up, never_ran="failed") == []


def test_what_only_we_know_goes_before_what_is_usual() -> None:
    failed = {**ROW, "status": "failed", "reason": "it broke"}
    assert compare(failed, known={"status": "failed"}) == []
    assert compare(failed, known={"status": either("stopped", "failed")}) == []
