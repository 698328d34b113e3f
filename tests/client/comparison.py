"""What orch recorded of agents, field by field beside what is true."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from orch_tui.prepare.marker import remove_marker
from tests.client.scenario import ANY, Either, Fields
from tests.client.script import PLAY
from tests.client.truth import FIGURES, AgentTruth

USUAL: Fields = {"status": "completed", "completions": 1, "doubted": False, "told": []}
"""What holds of an agent of which nothing else is said."""

SLACK = 1
"""Seconds: what the client rounds of a time."""


def read_recorded(ask: Callable[..., str], database: Path) -> list[Fields]:
    """Read every execution of a record as the fields that are compared.

    ``ask`` runs a command of orch and gives what it prints.
    """
    rows = json.loads(ask("query", "--format", "json", "--limit", "1000"))
    agents = {row["execution_id"]: row["agent_id"] for row in rows}
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        messages = connection.execute("SELECT * FROM usage_messages").fetchall()
    recorded: list[Fields] = []
    for row in rows:
        label = row["execution_id"]
        shown = json.loads(ask("show", label, "--format", "json"))
        usage = {
            message["message_id"]: {figure: message[figure] for figure in FIGURES}
            for message in messages
            if message["execution_id"] == label
        }
        seen = {
            "prompt": shown.get("handed_over", shown["briefing"]),
            "parent": agents.get(row["parent_execution_id"]),
            "reason": row["error_message"],
            "final": row["final_message"] or "",
            "completions": len(shown["said"]),
            "doubted": bool(row["unverified"]),
            "told": [message["text"] for message in shown["told"]],
            "usage": usage,
        }
        recorded.append({**row, **seen})
    return recorded


def list_differences(
    recorded: Iterable[Fields],
    truths: Iterable[AgentTruth],
    agents: Mapping[str, Fields],
    never_ran: Mapping[str, str],
    lasted: tuple[float, float],
) -> list[str]:
    """Tell in a line each what is recorded otherwise than it is true.

    ``agents`` and ``never_ran`` are those of a scenario; ``lasted``: when the run began and ended,
    in seconds since 1970.
    """
    truths = list(truths)
    by_agent = {truth.agent_id: truth for truth in truths}
    by_part = {truth.part: truth for truth in truths}
    # a teammate asks under the address of its mailbox
    by_name = {name: t for t in truths for name, at, _ in [t.agent_id.partition("@")] if at}
    differences: list[str] = []
    seen: list[str] = []
    for row in recorded:
        truth = by_agent.get(row["agent_id"])
        if truth is None and row["agent_name"]:
            truth = by_name.get(row["agent_name"])
        if truth is None and row["agent_id"] is None:  # its call was seen alone
            truth = by_part.get(_part(row["prompt"]))
        if truth:
            seen.append(truth.part)
            want = _want(truth, agents.get(truth.part, {}))
            differences += [f"{truth.part}: {said}" for said in _compare(row, want, lasted)]
        elif never_ran.get(_part(row["prompt"])) != row["status"]:
            differences.append(f"nobody ran: {row['execution_id']}, {row['status']}")
    ran = sorted(truth.part for truth in truths)
    if ran != sorted(agents):
        differences.append(f"asked the model: {ran}, not {sorted(agents)}")
    if sorted(seen) != ran:
        differences.append(f"recorded: {sorted(seen)}, not {ran}")
    return differences


def _want(truth: AgentTruth, known: Fields) -> Fields:
    usage = truth.usage
    sums = {name: sum(each[name] for each in usage.values()) for name in FIGURES}
    return {
        **USUAL,
        "prompt": truth.prompt,
        "agent_type": truth.agent_type or ANY,
        "scope": truth.scope or ANY,
        "requested_model": truth.model,
        "agent_name": truth.name,
        "resolved_model": truth.resolved_model if usage else Either((None, truth.resolved_model)),
        "final": truth.final,
        "usage": usage,
        **(sums if usage else dict.fromkeys(sums, Either((None, 0)))),
        "context_end_tokens": truth.context_end,
        "tool_calls": truth.tool_calls if usage else Either((None, 0)),
        "parent": truth.parent,
        "depth": truth.depth,
        **known,
    }


def _compare(row: Fields, want: Fields, lasted: tuple[float, float]) -> Iterator[str]:
    for name, right in want.items():
        if not _is_right(row[name], right):
            yield f"{name} is {_short(row[name])}, not {_short(right)}"
    if (row["reason"] is None) != (row["status"] not in ("failed", "stopped")):
        yield f"{row['status']}, and the reason is {row['reason']!r}"
    yield from _compare_times(row, lasted)


def _compare_times(row: Fields, lasted: tuple[float, float]) -> Iterator[str]:
    times = [row["deployed_at"], row["completed_at"]]
    told = [datetime.fromisoformat(time).timestamp() for time in times if time]
    if told != sorted(told) or any(
        not lasted[0] - SLACK <= time <= lasted[1] + SLACK for time in told
    ):
        yield f"times: {times}, and the run lasted from {lasted[0]:.3f} to {lasted[1]:.3f}"
    took = row["duration_ms"]
    if took is not None and not 0 <= took <= 1000 * (lasted[1] - lasted[0] + SLACK):
        yield f"it took {took} ms, and the run {lasted[1] - lasted[0]:.3f} s"


def _is_right(got: Any, right: Any) -> bool:
    if isinstance(right, Either):
        return any(_is_right(got, each) for each in right.values)
    if isinstance(right, re.Pattern):
        return right is ANY or re.match(right, got or "") is not None
    if isinstance(right, str) and isinstance(got, str):
        return bool(_words(got) == _words(right))
    return bool(got == right)


def _words(text: str) -> Any:
    """Leave out our own marker, and what the client does: it trims, and spells JSON as it likes."""
    text = remove_marker(text)
    try:
        return json.loads(text) if text.startswith("{") else text.strip()
    except ValueError:
        return text.strip()


def _part(prompt: str | None) -> str:
    parts: Sequence[str] = PLAY.findall(prompt or "")
    return parts[-1] if parts else ""


def _short(value: Any) -> str:
    words = repr(value)
    return words if len(words) <= 200 else f"{words[:200]}..."
