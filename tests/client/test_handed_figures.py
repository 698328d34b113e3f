"""A figure that is another one than what the server was sent is told."""

from __future__ import annotations

import json
from typing import Any

from orch_tui.record.transcripts.handed_texts import HandedTexts
from tests.client.handed_figures import compare_figures

SYSTEM = "You look for files and say where they are. " * 40
NOTES = "Today is a day of the week. " * 30
LISTED = "The skills are these and those. " * 50
TOOL = {"name": "Read", "description": "Read a file. " * 60, "input_schema": {"type": "object"}}


def request(**changed: Any) -> dict[str, Any]:
    texts = ["x-anthropic-billing-header: cc_version=2;", SYSTEM, NOTES]
    asked = [{"type": "text", "text": text} for text in (LISTED, "(play one) look")]
    return {
        "system": [{"type": "text", "text": text} for text in texts],
        "tools": [{**TOOL, "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": asked}],
        **changed,
    }


def compared(sent: dict[str, Any], **texts: str) -> list[str]:
    learned = {
        "system prompt": SYSTEM,
        "notes": NOTES,
        "tools": json.dumps(TOOL),
        "skills list": LISTED,
        **texts,
    }
    handed = HandedTexts("s", "a1", "cli", "2.1.332", learned, ())
    return [line.rpartition(" is ")[0] for line in compare_figures("a1", handed, sent)]


def test_the_same_texts_have_the_same_figures() -> None:
    assert compared(request()) == []


def test_a_part_that_is_missing_or_made_up_is_told() -> None:
    assert compared(request(), notes="") == ["a1: the system prompt", "a1: all of it"]
    assert compared(request(tools=[])) == ["a1: the definitions of tools", "a1: all of it"]
    more = {"deferred tools": "Those are loaded on demand. " * 9}
    assert "a1: what is beside the prompt" in compared(request(), **more)
