"""What is true of the agents of a run, as the server knows it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.client.messages_api import Served
from tests.client.script import PLAY

Usage = Mapping[str, int]

FIGURES = {
    "input_tokens": "input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
    "cache_read_tokens": "cache_read_input_tokens",
    "output_tokens": "output_tokens",
}
"""The columns of the record, and what the API calls them."""


@dataclass(frozen=True)
class AgentTruth:
    """One agent, by what was asked for it and what it was answered."""

    agent_id: str
    part: str
    prompt: str
    agent_type: str | None
    """None: the call is not to be seen, as in workflows; so are the two below."""
    scope: str | None
    model: str | None
    name: str | None
    resolved_model: str
    final: str
    usage: Mapping[str, Usage]
    """By the id of each message that arrived as a whole."""
    context_end: int | None
    tool_calls: int
    parent: str | None
    """The id of the agent that launched it; None: the main session did."""
    depth: int


def read_truth(served: Iterable[Served]) -> list[AgentTruth]:
    """Tell what is true of each agent that asked, in the order of their first requests."""
    served = list(served)
    calls = _launches(served)
    by_agent: dict[str, list[Served]] = {}
    for one in served:
        if one.agent:
            by_agent.setdefault(one.agent, []).append(one)
    parents = {agent: calls.get(own[0].part, (None, {}))[0] for agent, own in by_agent.items()}
    return [_describe(agent, own, calls, parents) for agent, own in by_agent.items()]


def _launches(served: Iterable[Served]) -> dict[str, tuple[str | None, dict[str, Any]]]:
    """Find, by the part of the launched agent, who launched it and with what."""
    found: dict[str, tuple[str | None, dict[str, Any]]] = {}
    for one in served:
        for block in _blocks(one):
            if block["type"] == "tool_use" and block["name"] == "Agent":
                for part in PLAY.findall(block["input"]["prompt"]):
                    found.setdefault(part, (one.agent, block["input"]))
    return found


def _describe(
    agent: str,
    own: list[Served],
    calls: Mapping[str, tuple[str | None, dict[str, Any]]],
    parents: Mapping[str, str | None],
) -> AgentTruth:
    given = calls.get(own[0].part, (None, {}))[1]
    # of an answer that is cut at each try, the client takes what came of the last one
    arrived = [one for one in own if one.message and not one.broken] or own[-1:]
    messages = [one.message for one in arrived if one.message and one.message["content"]]
    usage = {
        message["id"]: {ours: message["usage"][theirs] for ours, theirs in FIGURES.items()}
        for message in messages
    }
    blocks = [block for one in arrived for block in _blocks(one)]
    last = arrived[-1] if arrived else None
    return AgentTruth(
        agent_id=agent,
        part=own[0].part,
        prompt=own[0].prompt,
        agent_type=given.get("subagent_type"),
        scope=given.get("description"),
        model=given.get("model"),
        name=given.get("name"),
        resolved_model=own[-1].model,
        final=_answer(last) if last else "",
        usage=usage,
        context_end=sum(list(usage.values())[-1].values()) if usage else None,
        tool_calls=sum(block["type"] == "tool_use" for block in blocks),
        parent=parents[agent],
        depth=_depth(agent, parents),
    )


def _answer(served: Served) -> str:
    """Give the words of an answer, or what it hands to StructuredOutput."""
    for block in _blocks(served):
        if block["type"] == "tool_use" and block["name"] == "StructuredOutput":
            return json.dumps(block["input"])
    return "\n".join(block["text"] for block in _blocks(served) if block["type"] == "text")


def _depth(agent: str, parents: Mapping[str, str | None]) -> int:
    depth, above = 1, parents[agent]
    while above:
        depth, above = depth + 1, parents[above]
    return depth


def _blocks(served: Served) -> list[dict[str, Any]]:
    return served.message["content"] if served.message else []
