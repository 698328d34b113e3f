"""What Claude Code handed an agent besides files, read from the head of the agent's transcript.

Since 2.1.300 or so a transcript begins with what the first request held: the system prompt, the
definitions of the tools, lists and notes. They are counted, and their figures and hashes kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.prepare.count import FAMILIES, estimate_name
from orch_tui.prepare.handed_parts import (
    DEFERRED,
    GIT_STATUS,
    HEADINGS,
    SKILLS,
    SYSTEM_PROMPT,
    TOOLS,
)
from orch_tui.prepare.tokens import count_tokens
from orch_tui.record.claude_code import agent_key
from orch_tui.record.ledger.keys import owner_of
from orch_tui.record.transcripts.transcript_lines import (
    HandedEntry,
    HandedNote,
    RenderedNote,
    RequestShape,
    decode_list,
    decode_string,
    decode_struct,
    iterate_lines,
)

_PARTS = {
    "skill_listing": SKILLS,
    "deferred_tools_delta": DEFERRED,
    "agent_listing_delta": "agent types",
    "remote_session_change": "attribution",
    "session_context": GIT_STATUS,
    "environment": "environment",
    "model": "environment",
    "date": "environment",
    "instructions": HEADINGS,
}
_MOST = 8 * 1024 * 1024
"""Bytes of a transcript within which its first request is looked for."""


@frozen
class HandedTexts:
    """The texts of an agent's first request that stand in no file, by part."""

    session: str
    agent_id: str
    entrypoint: str
    client_version: str
    texts: dict[str, str]
    instructions: tuple[str, ...]
    """The contents of the instruction files, which are counted where they are found."""

    def count_parts(self, family: str) -> dict[str, int]:
        """Count the tokens of each part for a tokenizer family."""
        counted = {part: _count(text, part, family) for part, text in self.texts.items()}
        if HEADINGS in counted:
            counted[HEADINGS] -= sum(_count(text, HEADINGS, family) for text in self.instructions)
        return {part: tokens for part, tokens in counted.items() if tokens > 0}


def _count(text: str, part: str, family: str) -> int:
    kind = "json" if part == TOOLS else "prose"
    return count_tokens(text.strip(), family=family, kind=kind).tokens


def read_handed_texts(path: Path) -> HandedTexts | None:
    """Read what an agent was handed before it said anything; None where that is not told.

    Raises:
        OSError: the transcript cannot be read.
    """
    texts: dict[str, str] = {}
    instructions: list[str] = []
    for entry in _entries_of_head(path):
        note = decode_struct(entry.attachment, HandedNote) if bytes(entry.attachment) else None
        if note is not None:
            if note.systemPrompt and SYSTEM_PROMPT not in texts:
                texts[SYSTEM_PROMPT] = note.systemPrompt[0]
            instructions += [file.content for file in note.files or () if file.content]
            part = _PARTS.get(note.type or "", "other notes")
            if rendered := _rendered(entry):
                texts[part] = "\n".join(filter(None, (texts.get(part), rendered)))
        shape = decode_struct(entry.shape, RequestShape) if bytes(entry.shape) else None
        if shape is not None and entry.version and entry.sessionId and entry.agentId:
            prompt = texts.get(SYSTEM_PROMPT, "")
            system = "\n".join(block.text or "" for block in shape.system or ())
            texts["notes"] = system.replace(prompt, "", 1)
            texts[TOOLS] = "\n".join(_tool_text(tool) for tool in shape.tools or ())
            return HandedTexts(
                entry.sessionId,
                entry.agentId,
                entry.entrypoint or "cli",
                entry.version,
                {name: text for name, text in texts.items() if text},
                tuple(instructions),
            )
    return None


def _entries_of_head(path: Path) -> Iterator[HandedEntry]:
    """Read the entries up to the first answer; ``entrypoint`` of an earlier one holds for all."""
    read, entrypoint = 0, None
    with path.open("rb") as file:
        for line, size in iterate_lines(file):
            read += size
            entry = decode_struct(line, HandedEntry)
            if entry is None:
                continue
            if entry.type == "assistant" or read > _MOST:
                return
            entrypoint = entry.entrypoint = entry.entrypoint or entrypoint
            yield entry


def _rendered(entry: HandedEntry) -> str:
    """Give an attachment as it stood in the request: those of the system without their tag."""
    notes = decode_list(entry.rendered, RenderedNote) if bytes(entry.rendered) else []
    text = "\n".join(decode_string(note.content) or "" for note in notes)
    if entry.renderedRole == "system":
        text = text.strip().removeprefix(_TAG).removesuffix(_END_TAG)
    return text


_TAG, _END_TAG = "<system-reminder>", "</system-reminder>"


def _tool_text(tool: Any) -> str:
    """Give the definition of a tool as the request spells it."""
    try:
        return json.dumps(json.loads(bytes(tool)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""


def learn_handed_parts(record: Record, paths: Iterable[Path]) -> None:
    """Keep what agents were handed besides files, where their type and release are not known yet.

    Nothing is learned of what cannot be read, and nothing where the record cannot be written now.
    """
    known = set(
        record.sql("SELECT DISTINCT agent_type, client_version, entrypoint FROM ambient_learned")
    )
    for path in paths:
        try:
            begun = next(_entries_of_head(path), None)
            if begun is None or not (begun.sessionId and begun.agentId and begun.version):
                continue
            agent_type = _agent_type(record, agent_key(begun.sessionId, begun.agentId))
            kind = (agent_type, begun.version, begun.entrypoint or "cli")
            if agent_type is None or kind in known:
                continue
            handed = read_handed_texts(path)
        except OSError:
            continue
        if handed is not None:
            known.add((agent_type, handed.client_version, handed.entrypoint))
            _store(record, agent_type, handed)


def _agent_type(record: Record, key: str) -> str | None:
    label = owner_of(record, key)
    agent_type: str | None = record.value(
        "SELECT agent_type FROM agent_executions WHERE execution_id = ? "
        "AND agent_type <> 'unknown' AND coalesce(agent_kind, 'agent') <> 'fork'",
        [label],
    )
    return agent_type


def _store(record: Record, agent_type: str, handed: HandedTexts) -> None:
    rows = [
        (
            *(agent_type, handed.client_version, handed.entrypoint, part, estimate_name(family)),
            tokens,
            hashlib.sha256(handed.texts[part].encode("utf-8", "surrogatepass")).digest(),
        )
        for family in FAMILIES
        for part, tokens in handed.count_parts(family).items()
    ]
    with record.write():
        record.executemany(
            "INSERT INTO ambient_learned (agent_type, client_version, entrypoint, part, estimator, "
            "tokens, sha256) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            rows,
        )
