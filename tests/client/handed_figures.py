"""What orch learns that agents were handed before their prompt, beside what the server was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orch_tui.prepare.handed_parts import SYSTEM_PROMPT, TOOLS
from orch_tui.prepare.tokens import count_tokens
from orch_tui.record.transcripts.handed_texts import HandedTexts, read_handed_texts
from tests.client.script import PLAY

FAMILY = "v4.8"
NEAR, NEAR_ON_THE_WHOLE = 0.02, 0.03
"""Shares of a part and of all of it by which a figure may be off."""

NOTES = "notes"
"""They stand in the system prompt of a request, in the transcript beside it."""

NOT_OF_THE_MODEL = "x-anthropic-billing-header:"
"""How the line of a system prompt begins that no model is shown."""

FIELDS = ("name", "description", "input_schema")


def list_mistaken_figures(transcripts: Path, requests: Mapping[str, Any]) -> Iterator[str]:
    """Tell in a line each which figure of an agent is another one than that of its first request.

    ``requests`` are the bodies of those, by the agent's id. A fork is handed what its parent was.
    """
    for agent_id, request in requests.items():
        for found in transcripts.rglob(f"agent-{agent_id}.jsonl"):
            handed = read_handed_texts(found)
            if handed is not None and len(request["messages"]) == 1:
                yield from compare_figures(agent_id, handed, request)


def compare_figures(agent_id: str, handed: HandedTexts, request: Any) -> Iterator[str]:
    """Compare what was learned of an agent with the body of its first request."""
    learned = handed.count_parts(FAMILY)
    system = learned.pop(SYSTEM_PROMPT, 0) + learned.pop(NOTES, 0)
    tools = learned.pop(TOOLS, 0)
    beside = sum(learned.values()) + sum(map(_count, handed.instructions))
    sent = _sent(request)
    for name, figure, right in zip(sent, (system, tools, beside), sent.values(), strict=True):
        if abs(figure - right) > max(NEAR * right, 10):
            yield f"{agent_id}: {name} is {figure} tokens, not {right}"
    figure, right = system + tools + beside, sum(sent.values())
    if abs(figure - right) > NEAR_ON_THE_WHOLE * right:
        yield f"{agent_id}: all of it is {figure} tokens, not {right}"


def _sent(request: Any) -> dict[str, int]:
    """Count what the server was sent besides the prompt."""
    (message,) = request["messages"]
    content = message["content"]
    texts = [content] if isinstance(content, str) else [b["text"] for b in content if "text" in b]
    system = [b["text"] for b in request["system"] if not b["text"].startswith(NOT_OF_THE_MODEL)]
    tools = [{name: t[name] for name in FIELDS if name in t} for t in request.get("tools", [])]
    lines = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
    beside = [text for text in texts if not PLAY.search(text)]
    return {
        "the system prompt": _count("\n\n".join(system)),
        "the definitions of tools": count_tokens(lines, family=FAMILY, kind="json").tokens,
        "what is beside the prompt": _count("\n".join(beside)),
    }


def _count(text: str) -> int:
    return count_tokens(text, family=FAMILY, kind="prose").tokens
