"""What the tables hold, for those who only read and write rows: Peewee is not needed for that."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any, Literal, get_args

APPLICATION_ID = 0x6F726368
"""``orch`` in ASCII: says whose file this is."""

SCHEMA_VERSION = 2

HUB_VERSION = 1
"""Of the schema of a hub that this orch makes, reads and writes (``hub_tables.py``)."""

READING_VERSION = 2
"""What is read from payloads and transcripts, and how statements add up: one more where records of
before are to be read and added up again (``record/rereading.py``)."""

READING_VERSION_FACT = "reading_version"

NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
"""UTC with milliseconds, as every time in the record is written."""

WHEN = "coalesce(deployed_at, completed_at)"
"""The time of an execution, also of one whose deployment nobody saw; as it is indexed."""

MODEL = "coalesce(resolved_model, model)"
"""The model of an execution in SQL: the one that ran; while that is not known, the one that was
asked for. Its table keeps both, and there ``model`` is what was asked for: what plain SQL states
is never overwritten by what was seen."""

WENT_WELL = """CASE WHEN status IN ('completed', 'failed')
AND NOT (unverified IS NOT NULL AND success IS NOT (status = 'failed'))
THEN coalesce(success, status = 'completed') <> 0 END"""
"""Whether an execution was a success, in SQL; NULL while it is waited for, and where something
speaks against what is said of its end (``unverified``). What somebody said of that
(``success``) counts before its status. In Python: ``has_succeeded``."""


def unnamed_scope(claude_session: str) -> str:
    """Render the scope of a session of Claude Code of which nothing but its id is known."""
    return f"Claude Code session {claude_session}"


# The words that the CHECKs let pass

Status = Literal["planning", "executing", "completed", "failed"]
STATUSES: tuple[Status, ...] = get_args(Status)
"""Of a session."""

STATES = ("deployed", "completed", "failed")
"""Of an execution."""

Ending = Literal["completed", "failed"]
ENDINGS: tuple[Ending, ...] = get_args(Ending)
"""Of either."""

OutputType = Literal["deliverable", "validation_result", "insight", "error"]
OUTPUT_TYPES: tuple[OutputType, ...] = get_args(OutputType)

SOURCES = ("manual", "api", "hook", "import", "sql")
ITEM_TYPES = ("file", "reference", "briefing", "shared_context")
PRIORITIES = ("required", "recommended", "optional")


def has_succeeded(
    status: str | None, success: bool | None, unverified: str | None = None
) -> bool | None:
    """Decide whether an execution was a success; None while it is waited for, and where it is in
    doubt. ``WENT_WELL``."""
    if status not in ENDINGS:
        return None
    if unverified is not None and (success is None or bool(success) != (status == "failed")):
        return None
    return status == "completed" if success is None else bool(success)


def timestamp(moment: datetime) -> str:
    """``2026-11-22T10:00:00.000Z``: how the record writes a time; naive ones are local."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_time(value: Any) -> Any:
    """The moment ``value`` names, as the record writes it; what names none is given back.

    Raw SQL and older scripts write SQLite's own form (UTC, as CURRENT_TIMESTAMP), ISO 8601, or
    seconds since 1970.
    """
    try:
        if isinstance(value, int | float):
            moment = datetime.fromtimestamp(value, UTC)
        else:
            moment = datetime.fromisoformat(value)
        return timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (TypeError, ValueError, OverflowError, OSError):
        return value


# What plain SQL may have put into a column, as what the column is meant to hold


def readable(value: Any) -> str | None:
    """A value as text; None stays None."""
    if value is None or type(value) is str:
        return value
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.encode("utf-8", "replace").decode()


def as_bytes(value: Any) -> bytes:
    """A value as bytes: text as UTF-8, what is neither as nothing."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    return value if isinstance(value, bytes) else b""


def whole_number(value: Any) -> int | None:
    """A value as a whole number that SQLite can hold; None where it is none."""
    if type(value) is int:
        return value
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if -(1 << 63) <= number < 1 << 63 else None


def real_number(value: Any) -> float | None:
    """A value as a finite number; None where it is none."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def decoded_json(value: Any) -> Any:
    """JSON as it was meant; what is none stays text, and None stays None."""
    text = readable(value)
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return text


def listed_names(value: Any) -> list[str] | None:
    """Names in a JSON list; what is none is one name, and None stays None."""
    found = decoded_json(value)
    if found is None:
        return None
    return [str(each) for each in found] if isinstance(found, list) else [str(found)]
