"""Rows of runs, written into the tables as the engine writes them."""

from __future__ import annotations

import hashlib
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

from orch_tui.models.database import Record
from orch_tui.models.values import timestamp

START = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
AT = timestamp(START)
SESSION = "orch-2026-11-01-001"


def rewrite(record: Record, statement: str, *parameters: Any) -> None:
    with record.write():
        record.execute(statement, parameters)


def insert(record: Record, table: str, row: dict[str, Any]) -> None:
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    rewrite(record, f"INSERT INTO {table} ({names}) VALUES ({marks})", *row.values())


def put_session(record: Record, session_id: str = SESSION, **columns: Any) -> None:
    insert(record, "sessions", {"session_id": session_id, "scope": "", "project": "/p"} | columns)


def put(record: Record, *runs: dict[str, Any]) -> None:
    """Executions exec-000, exec-001, ..., an hour apart, unless they say otherwise."""
    with record.write():
        for number, columns in enumerate(runs):
            insert(
                record,
                "agent_executions",
                {
                    "execution_id": f"exec-{number:03d}",
                    "session_id": SESSION,
                    "agent_type": "explore",
                    "deployed_at": timestamp(START + timedelta(hours=number)),
                    "status": "completed",
                    "scope": "",
                    "revision": 1,
                }
                | columns,
            )


def put_output(record: Record, execution_id: str, kind: str, content: Any, **columns: Any) -> None:
    row = {"execution_id": execution_id, "output_type": kind, "content": content}
    insert(record, "outputs", row | columns)


def put_content(record: Record, text: str) -> int:
    """The id of a content, which is stored once."""
    data = text.encode()
    with record.write():
        return int(
            record.value(
                "INSERT INTO contents (sha256, size, encoding, data) VALUES (?, ?, 'zlib', ?) "
                "ON CONFLICT (sha256) DO UPDATE SET size = size RETURNING content_id",
                [hashlib.sha256(data).digest(), len(data), zlib.compress(data)],
            )
        )


def put_briefing(record: Record, *parts: list[Any]) -> int:
    with record.write():
        return int(
            record.value(
                "INSERT INTO briefings (sha256, size, parts) VALUES (?, 0, ?) "
                "RETURNING briefing_id",
                [hashlib.sha256(repr(parts).encode()).digest(), json.dumps(parts)],
            )
        )


def give(record: Record, execution_id: str, source: str, text: str | None = None) -> None:
    """Record that a run was handed an item, with its content unless that is not known."""
    content_id = None if text is None else put_content(record, text)
    insert(
        record,
        "context_allocations",
        {
            "execution_id": execution_id,
            "context_type": "file",
            "context_source": source,
            "content_id": content_id,
        },
    )
