"""The lines of Claude Code's transcripts, read tolerantly.

The format is internal to Claude Code and changes with its releases, so every field is optional
and a line that cannot be understood is left out, never the file it stands in. Most of a line is
skipped unread: only the fields named here are decoded, and the large ones only on demand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from math import isfinite
from typing import Annotated, Any, BinaryIO, TypeVar

import msgspec

from orch_tui.models.values import timestamp

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes; whatever is longer is left out, so that no file can fill the memory."""

_LONGEST_MENDED = 4 * 1024 * 1024
"""Bytes; what is strictly no JSON is taken apart by a reader that needs much more memory."""

NOTHING = msgspec.Raw()

_NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder says of bytes it cannot take apart, or that are nested too deep for it."""

Figure = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
"""Tokens, milliseconds and the like: whatever is greater or less is none of them."""

FilePath = Annotated[str, msgspec.Meta(max_length=4096, pattern=r"^[^\0]*$")]
"""A path the system can be asked about (PATH_MAX of Linux): whatever else is none."""


class Entry(msgspec.Struct):
    """One line of a transcript."""

    type: str | None = None
    uuid: str | None = None
    parentUuid: str | None = None
    isSidechain: bool | None = None
    isMeta: bool | None = None
    isCompactSummary: bool | None = None
    isApiErrorMessage: bool | None = None
    sessionId: str | None = None
    agentId: str | None = None
    attributionAgent: str | None = None
    cwd: FilePath | None = None
    timestamp: str | None = None
    parentToolUseID: str | None = None
    toolEndsTurn: bool | None = None
    """The answer to a call after which the agent is not asked again."""
    version: str | None = None
    """Of the client that wrote the line."""
    origin: msgspec.Raw = NOTHING
    """Who a message is from that no user wrote."""
    attachment: msgspec.Raw = NOTHING
    message: msgspec.Raw = NOTHING
    toolUseResult: msgspec.Raw = NOTHING
    data: msgspec.Raw = NOTHING
    content: msgspec.Raw = NOTHING
    customTitle: str | None = None
    """The name that the user gave the session."""
    aiTitle: str | None = None
    """The name that Claude Code gave it (2.1)."""
    format: str | None = None
    """Only the first line of an export of orch has it."""


class MessageOrigin(msgspec.Struct):
    """``origin`` of an entry."""

    kind: str | None = None
    sender: str | None = msgspec.field(default=None, name="from")
    senderTaskId: str | None = None
    body: str | None = None
    handback: bool | None = None
    handbackToolUseId: str | None = None


class Attachment(msgspec.Struct):
    """``attachment`` of an entry: a message that came while the model was at work."""

    type: str | None = None
    prompt: msgspec.Raw = NOTHING
    origin: msgspec.Raw = NOTHING


class EntryMessage(msgspec.Struct):
    """``message`` of an entry."""

    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    content: msgspec.Raw = NOTHING
    usage: msgspec.Raw = NOTHING


class Block(msgspec.Struct):
    """One piece of a message's content."""

    type: str | None = None
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = NOTHING
    tool_use_id: str | None = None
    is_error: bool | None = None
    content: msgspec.Raw = NOTHING


class CacheCreation(msgspec.Struct):
    ephemeral_1h_input_tokens: Figure | None = None


class Usage(msgspec.Struct):
    """Tokens of one request."""

    input_tokens: Figure | None = None
    cache_creation_input_tokens: Figure | None = None
    cache_read_input_tokens: Figure | None = None
    output_tokens: Figure | None = None
    cache_creation: CacheCreation | None = None

    @property
    def cache_write_1h(self) -> int:
        """The tokens that were written into the cache for an hour."""
        return (self.cache_creation and self.cache_creation.ephemeral_1h_input_tokens) or 0


class ToolInput(msgspec.Struct):
    """What a tool was called with, as far as it matters here."""

    description: str | None = None
    prompt: str | None = None
    subagent_type: str | None = None
    model: str | None = None
    name: str | None = None
    """What the agent can be called by: it becomes a teammate."""
    message: str | None = None
    """Of ``SubagentHandback``."""
    resume: str | None = None
    file_path: FilePath | None = None
    notebook_path: FilePath | None = None


class Task(msgspec.Struct):
    """A background task, as the tool that waits for one answers."""

    task_id: str | None = None
    task_type: str | None = None
    status: str | None = None
    result: str | None = None
    error: str | None = None


class LaunchResult(msgspec.Struct):
    """``toolUseResult`` of an agent."""

    status: str | None = None
    success: bool | None = None
    agentId: str | None = None
    resolvedModel: str | None = None
    totalTokens: Figure | None = None
    totalToolUseCount: Figure | None = None
    totalDurationMs: Figure | None = None
    wasInterrupted: bool | None = None
    usage: Usage | None = None
    content: msgspec.Raw = NOTHING
    harnessNoteCount: int | None = None
    harnessTailCount: int | None = None
    task: Task | None = None
    name: str | None = None
    """Of a teammate."""
    task_id: str | None = None
    """Of the answer of ``TaskStop``, with its type."""
    task_type: str | None = None
    worktreePath: str | None = None


class Progress(msgspec.Struct):
    """``data`` of a progress entry."""

    type: str | None = None
    agentId: str | None = None
    message: msgspec.Raw = NOTHING


class Sidecar(msgspec.Struct):
    """``agent-<id>.meta.json``."""

    agentType: str | None = None
    description: str | None = None
    toolUseId: str | None = None
    parentAgentId: str | None = None
    spawnDepth: Figure | None = None
    model: str | None = None
    """What was asked for; of a teammate, and with ``modelNotNamed``, what it ran on."""
    modelNotNamed: bool | None = None
    stoppedByUser: bool | None = None
    worktreePath: str | None = None
    name: str | None = None
    customAgentType: str | None = None
    """The type of a teammate, whose ``agentType`` is its name, where it is one of the project."""
    spawnedAgentType: str | None = None
    """The same for every type; since 2.1.3xx."""
    taskKind: str | None = None
    isFork: bool | None = None
    inWorkflowRun: bool | None = None
    workflowPhase: str | None = None
    finished: bool | None = None
    """Set when the agent stopped, taken away when it is woken; since 2.1.300 or so."""


class WorkflowAgent(msgspec.Struct):
    """An agent in what is noted of a workflow's run."""

    agentId: str | None = None
    phaseTitle: str | None = None
    label: str | None = None


class WorkflowRun(msgspec.Struct):
    """``workflows/<run>.json``."""

    runId: str | None = None
    timestamp: str | None = None
    workflowName: str | None = None
    workflowProgress: msgspec.Raw = NOTHING


class WorkflowResult(msgspec.Struct):
    """A line of the journal of a workflow's run."""

    type: str | None = None
    agentId: str | None = None
    result: msgspec.Raw = NOTHING


class HandedEntry(msgspec.Struct):
    """A line at the head of an agent's transcript, as far as it tells what the agent was handed."""

    type: str | None = None
    version: str | None = None
    entrypoint: str | None = None
    sessionId: str | None = None
    agentId: str | None = None
    attachment: msgspec.Raw = NOTHING
    rendered: msgspec.Raw = NOTHING
    renderedRole: str | None = None
    shape: msgspec.Raw = NOTHING


class InstructionText(msgspec.Struct):
    """An instruction file as it was handed over."""

    content: str | None = None


class HandedNote(msgspec.Struct):
    """``attachment`` of an entry."""

    type: str | None = None
    systemPrompt: list[str] | None = None
    files: list[InstructionText] | None = None


class RenderedNote(msgspec.Struct):
    """How an attachment stood in the request."""

    content: msgspec.Raw = NOTHING


class SystemBlock(msgspec.Struct):
    """A piece of the system prompt of a request."""

    text: str | None = None


class RequestShape(msgspec.Struct):
    """``shape`` of an entry: what all requests of an agent begin with."""

    system: list[SystemBlock] | None = None
    tools: list[msgspec.Raw] | None = None


S = TypeVar("S", bound=msgspec.Struct)

_DECODERS: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def decode_struct(data: bytes | msgspec.Raw, kind: type[S]) -> S | None:
    """A JSON object as ``kind``, without the fields that are not what they should be.

    None: it is no object, or no JSON at all.
    """
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.json.Decoder(kind)
    try:
        result: S = decoder.decode(data)
        return result
    except msgspec.ValidationError:
        return _field_by_field(data, kind)
    except _NO_JSON:
        mended = _mended(bytes(data))
        return None if mended is None else decode_struct(mended, kind)


def _field_by_field(data: bytes | msgspec.Raw, kind: type[S]) -> S | None:
    try:
        held = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except _NO_JSON:
        return None
    values = {}
    for field in msgspec.structs.fields(kind):
        if field.encode_name in held:
            try:
                values[field.name] = msgspec.json.decode(held[field.encode_name], type=field.type)
            except _NO_JSON:
                continue
    return kind(**values)


def _mended(line: bytes) -> bytes | None:
    """JSON that Python understands though it is not strictly valid; None: nobody does.

    Bytes that are no UTF-8, half of a surrogate pair, NaN, control characters in strings, a byte
    order mark before it.
    """
    if len(line) > _LONGEST_MENDED:
        return None
    try:
        value = json.loads(
            line.decode("utf-8", "replace").removeprefix("\ufeff"),
            strict=False,
            parse_constant=lambda name: None,
            parse_float=_finite,
        )
        strict = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
        return strict if strict != line else None
    except (ValueError, RecursionError):
        return None


def _finite(number: str) -> float | None:
    value = float(number)
    return value if isfinite(value) else None


def join_texts(content: msgspec.Raw) -> str:
    """The words of a content: a string, or the texts of its blocks, one below the other."""
    words = decode_string(content)
    if words is not None:
        return words
    return "\n".join(block.text for block in decode_blocks(content) if block.text is not None)


def list_texts(content: msgspec.Raw) -> list[str]:
    """The text of each block of a content, empty for blocks of other kinds."""
    words = decode_string(content)
    return [block.text or "" for block in decode_blocks(content)] if words is None else [words]


def decode_string(raw: msgspec.Raw) -> str | None:
    """A JSON string; None where it is something else."""
    if bytes(memoryview(raw)[:1]) != b'"':
        return None
    try:
        return msgspec.json.decode(raw, type=str)
    except _NO_JSON:
        mended = _mended(bytes(raw))
        return None if mended is None else str(json.loads(mended))


_BLOCKS = msgspec.json.Decoder(list[Block])
_PARTS = msgspec.json.Decoder(list[msgspec.Raw])


def decode_blocks(content: msgspec.Raw) -> list[Block]:
    """The blocks of a content; those that cannot be understood are left out."""
    if bytes(memoryview(content)[:1]) != b"[":
        return []
    try:
        return _BLOCKS.decode(content)
    except _NO_JSON:
        pass
    try:
        parts = _PARTS.decode(content)
    except _NO_JSON:
        return []
    found = (decode_struct(part, Block) for part in parts)
    return [block for block in found if block is not None]


def decode_list(raw: msgspec.Raw, kind: type[S]) -> list[S]:
    """The objects of a JSON list; what is none is left out."""
    try:
        parts = _PARTS.decode(raw)
    except _NO_JSON:
        return []
    return [each for part in parts if (each := decode_struct(part, kind)) is not None]


def parse_timestamp(text: str | None) -> str:
    """A time of a transcript as the record writes it; empty where it is none."""
    if not text:
        return ""
    try:
        at = datetime.fromisoformat(text)
        is_ours = len(text) == 24 and text[23] == "Z" and text[10] == "T" and text[19] == "."
        return text if is_ours else timestamp(at)
    except (ValueError, OverflowError, OSError):
        return ""


def iterate_lines(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Each line with its size in the file; one longer than ``LONGEST_LINE`` comes as empty.

    The last may lack its newline: whoever writes the file may not be done with it.
    """
    while line := file.readline(LONGEST_LINE):
        size = len(line)
        if size == LONGEST_LINE and not line.endswith(b"\n"):
            line = b"\n"
            while rest := file.readline(LONGEST_LINE):
                size += len(rest)
                if rest.endswith(b"\n"):
                    break
        yield line, size
