"""The runs of a record, put on a hub as a push would: what the search there stands on."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, Any

from orch_tui.hub.search_rows import make_content_words, make_search_rows
from orch_tui.models.database import Record
from orch_tui.models.values import WENT_WELL

if TYPE_CHECKING:
    from psycopg import Connection


def push_runs(
    hub: Connection[Any], record: Record, *, origin: str = "o-ann", machine: str = "ann-laptop"
) -> None:
    """Put every run of a record on a hub, as those of one origin; over what is there."""
    row = hub.execute(
        "INSERT INTO origins (uid, machine, name, client) VALUES (%s, %s, %s, '1') "
        "ON CONFLICT (uid) DO UPDATE SET machine = excluded.machine RETURNING origin_id",
        [origin, machine, machine],
    ).fetchone()
    assert row is not None
    runs = record.rows(
        f"SELECT e.*, {WENT_WELL} AS went_well, "
        "(SELECT coalesce(e.run_project, s.project_key, s.project) FROM sessions AS s "
        "WHERE s.session_id = e.session_id) AS in_project FROM agent_executions AS e"
    )
    found = make_search_rows(record, [run["execution_id"] for run in runs])
    for run in runs:
        held = found.get(run["execution_id"])
        said = (run["final_message"] or "").encode()
        values = {
            "uid": run["uid"],
            "origin_id": row[0],
            "project": run["in_project"],
            "at": held.at if held else run["deployed_at"],
            "machine": machine,
            "label": run["execution_id"],
            "session": run["session_id"],
            "agent": run["agent_type"],
            "status": run["status"],
            "went_well": None if run["went_well"] is None else bool(run["went_well"]),
            "unverified": run["unverified"],
            "model": run["resolved_model"] or run["model"],
            "input_tokens": run["input_tokens"],
            "output_tokens": run["output_tokens"],
            "duration_ms": run["duration_ms"],
            "cost_usd": run["cost_usd"],
            "archived": bool(held and held.archived),
            "retracted": held is None,
            "said": hashlib.sha256(said).digest(),
            "made_of": b"",
            "rules": 1,
        }
        names = ", ".join(values)
        made = hub.execute(
            f"INSERT INTO runs ({names}) VALUES ({', '.join(['%s'] * len(values))}) "
            f"RETURNING run_id".encode(),
            list(values.values()),
        ).fetchone()
        assert made is not None
        if held is None:
            continue
        hub.execute(
            "INSERT INTO run_texts (run_id, scope, message, error, other) "
            "VALUES (%s, %s, %s, %s, %s)",
            [made[0], run["scope"], run["final_message"], run["error_message"], held.other],
        )
        hub.execute(
            "INSERT INTO search (run_id, at, words, archived) VALUES (%s, %s, %s, %s)",
            [made[0], held.at, held.words, held.archived],
        )
    push_contents(hub, record)


def push_contents(hub: Connection[Any], record: Record) -> None:
    for sha256, size, encoding, data in record.sql(
        "SELECT DISTINCT sha256, size, encoding, data FROM contents "
        "JOIN context_allocations USING (content_id) WHERE encoding IN ('raw', 'zlib')"
    ):
        hub.execute(
            "INSERT INTO contents (sha256, size, encoding, data) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [sha256, size, encoding, data],
        )
        text = data if encoding == "raw" else zlib.decompress(data)
        (words,) = make_content_words([text.decode("utf-8", "replace")])
        hub.execute(
            "INSERT INTO content_search VALUES (%s, %s) ON CONFLICT DO NOTHING", [sha256, words]
        )
