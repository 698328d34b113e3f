"""How bytes stand in ``contents``: raw, compressed, as the message of a run, or no more; and how
long JSON stands in columns that nobody filters by.

The exact bytes of a final message stand once: in ``agent_executions.final_message``, for plain SQL
to read, and the content points there. Whatever takes them away from there, triggers give them
back to the content first.
"""

from __future__ import annotations

import json
import zlib
from typing import Any, Literal

Encoding = Literal["raw", "zlib", "run", "gone"]
"""``run``: ``data`` is the id of the execution whose final message these bytes are, and they are
that message for as long; ``gone`` is the tombstone that redaction leaves."""

STORED_BYTES = (
    "iif(encoding = 'run', (SELECT CAST(final_message AS BLOB) FROM agent_executions "
    "WHERE execution_id = CAST(data AS TEXT)), data)"
)
"""The bytes of a row of ``contents`` as `unpack_bytes` takes them, in SQL."""

_WORTH_TRYING = 128
"""Below this many bytes zlib's own header eats what it saves."""

MOST_UNPACKED = 128 << 20
"""Bytes that something compressed may hold; what is longer is stored as it is. A record may come
from anybody, and a thousandth of their number unpacks to any number of zeros."""


def pack_bytes(data: bytes) -> tuple[Encoding, bytes]:
    """Compress where it pays; gives the encoding and what is stored."""
    if _WORTH_TRYING <= len(data) <= MOST_UNPACKED:
        packed = zlib.compress(data, 6)
        if len(packed) < 0.9 * len(data):
            return "zlib", packed
    return "raw", data


def unpack_bytes(encoding: str, stored: bytes | None) -> bytes | None:
    """Bytes as they were given; None where they were redacted, or plain SQL broke them."""
    if encoding == "gone" or not isinstance(stored, bytes):
        return None
    try:
        return inflate(stored) if encoding == "zlib" else stored
    except ValueError:
        return None


_PACKED_FROM = 100
"""Characters from which on packing a text saves more than its reading costs."""

OFTEN = (
    b'{"prompt":"","first_at":"","runs":{},"launched":{},"stops":[],"prompts":{},"is_inline":false}'
    b'"output_type":"validation_result","insight","error","deliverable","supersedes":["reason":"'
    b'"cost_usd":"price_date":"went_on_after":"resumed":"parent":"planned":"worktree":"'
    b'"agent_kind":"client_version":"error_message":"error_code":"doubt":"broke_off":true,'
    b'"subject":"planned:","waits":["position":1,"session":"session:"subject":"session:","budget":'
    b'"thresholds":"metadata":"phase":3,"state":["planning",null],"title":"'
    b'"subject":"claude:","values":{"created_at":"2026-"project":"project:","scope":"Claude Code '
    b'session "subject":"bundle:","label":"bundle-"name":"removed_at":"'
    b'"claude-haiku-4-5-20251001",3,"claude-sonnet-5-5","claude-opus-5-5",0,1,0.00'
    b'{"files":[["lib/","src/","tests/",".py",".ts",".md",".json"]],"messages":[["msg_0'
    b'["text","["content",{"items":[["file","reference","shared_context","briefing",null,'
    b'"optional","recommended","required",null,"o200k_base","claude-v4.8~o200k",'
    b'"subject":"version:","values":{"agent_type":"bundle":"bundle:","created_at":"2026-items":[[1,'
    b'"tokens":["version":1}}"replaces":true,"whole":true,"ambient_tokens":900,"briefing":"'
    b'"bundle_version":"version:","context_token_count":"estimator":"claude-v4.8~o200k","model":'
    b'"sonnet","session":"session:"opus","haiku",{"agent_id":"a","agent_type":"general-purpose",'
    b'"Explore","unknown","begun":true,"briefing":"deployed_at":"2026-","depth":1,"ran_in":"'
    b'"resolved_model":"claude-scope":"told_in":"tool_use_id":"toolu_","completed_at":"2026-'
    b'"context_end_tokens":"duration_ms":"ending":"returned","message":"model_message":"msg_'
    b'"return_key":"stopped","failed","interrupted","status":"completed","success":true,'
    b'"tool_calls":1,"witness":"parent","agent","words":"T00:00:00.000Z"]]}'
)
"""What statements often say, for zlib."""

OFTEN_IN_BRIEFINGS = (
    b'## Instructions\\n\\n## Read first\\n\\n<documents>\\n<document index="1">\\n<source></sou'
    b"rce>\\n<document_content>\\n```bash\\n```javascript\\n```rust\\n```go\\n```json\\n```yaml"
    b'\\n```python\\n[["text", "# Briefing: general-purpose\\n\\n## Scope\\n\\n"], ["text", "\\n'
    b'\\n## Constraints\\n\\n"], ["content", 1], ["text", "\\n\\n## Context\\n\\n### docs/lib/sr'
    b'c/tests/.yaml\\n\\n```yaml\\n"], ["content", 12], ["text", "\\n```\\n\\n### .json\\n\\n```'
    b'json\\n"], ["content", 13], ["text", "\\n```\\n\\n### .ts\\n\\n```typescript\\n"], ["conte'
    b'nt", 14], ["text", "\\n```\\n\\n### .py\\n\\n```python\\n"], ["content", 15], ["text", "\\'
    b'n```\\n\\n### .md\\n\\n```md\\n"], ["content", 16], ["text", "\\n```\\n\\n## Expected deli'
    b"verables\\n\\nWhatever the scope asks for, finished and in place in the project. If someth"
    b"ing cannot be finished, leave the project working and say what is missing.\\n\\n## Report "
    b'back\\n\\n"], ["content", 9], ["text", "\\n"]]'
)
"""What the parts of briefings often say."""

_DICTIONARIES = {zlib.adler32(each): each for each in (OFTEN, OFTEN_IN_BRIEFINGS)}
"""They are a part of the format: what was packed with one can be read with nothing else. By the
checksum that stands in what was packed with it (RFC 1950, 2.2, DICTID), so others may be added."""


def pack_text(text: str, often: bytes = OFTEN) -> str | bytes:
    """A text as columns of packed JSON hold it: as it is where it is short, else compressed."""
    if len(text) < _PACKED_FROM:
        return text
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MOST_UNPACKED:
        return text
    packer = zlib.compressobj(6, zdict=often)
    return packer.compress(data) + packer.flush()


def unpack_text(stored: str | bytes) -> str:
    """The text that `pack_text` made this of; also one that was compressed without what is often.

    Raises:
        ValueError: bytes that are no such text, as plain SQL may have put there.
    """
    return stored if isinstance(stored, str) else inflate(stored).decode("utf-8", "surrogatepass")


def pack_parts(parts: list[list[Any]]) -> str | bytes:
    """The parts of a briefing, as its row holds them."""
    return pack_text(json.dumps(parts), OFTEN_IN_BRIEFINGS)


def unpack_parts(stored: str | bytes) -> list[list[Any]]:
    """The parts of a briefing, each a kind and a value; none where plain SQL broke them."""
    try:
        return [[str(kind), value] for kind, value in json.loads(unpack_text(stored))]
    except (ValueError, TypeError, RecursionError):
        return []


def inflate(stored: bytes, often: bytes = b"") -> bytes:
    """The bytes that were compressed, with what is often or without; ``often``: where it is else.

    Raises:
        ValueError: they were not, or are more than `MOST_UNPACKED`.
    """
    needed = int.from_bytes(stored[2:6], "big")
    reader = zlib.decompressobj(zdict=_DICTIONARIES.get(needed, often))
    try:
        data = reader.decompress(stored, MOST_UNPACKED)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if reader.unconsumed_tail:
        raise ValueError(f"compressed bytes that hold more than {MOST_UNPACKED:,}")
    if not reader.eof:
        raise ValueError("compressed bytes that break off")
    return data


def _give_back(event: str, when: str, runs: str) -> tuple[str, str]:
    name = f"contents_outlive_{event.split()[0].lower()}"
    return (
        name,
        f"""CREATE TRIGGER {name} BEFORE {event} ON agent_executions{when}
BEGIN
  UPDATE contents SET encoding = 'raw', data = {STORED_BYTES}
  WHERE encoding = 'run' AND data IN (
    SELECT CAST(execution_id AS BLOB) FROM agent_executions WHERE {runs});
END""",
    )


_REPLACED = "execution_id = NEW.execution_id OR uid = NEW.uid"

MESSAGE_TRIGGERS = dict(
    (
        # a row that REPLACE takes the place of is deleted without a trigger
        _give_back("INSERT", "", _REPLACED),
        _give_back(
            "UPDATE OF execution_id, uid, final_message",
            "\nWHEN NEW.final_message IS NOT OLD.final_message "
            "OR NEW.execution_id IS NOT OLD.execution_id OR NEW.uid IS NOT OLD.uid",
            f"execution_id = OLD.execution_id OR {_REPLACED}",
        ),
        _give_back("DELETE", "", "execution_id = OLD.execution_id"),
    )
)
"""A final message that is changed or deleted, by whomever, gives its bytes back first."""
