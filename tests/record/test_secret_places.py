"""Where a secret stands in a record: in which rows, contents, and what names them by hash."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.models.schema import TABLES
from orch_tui.record import sessions
from orch_tui.record.completion import record_completion
from orch_tui.record.ledger import briefings
from orch_tui.record.ledger.statement import unpack_fields
from orch_tui.record.upkeep.hidden_secret import HiddenSecret
from orch_tui.record.upkeep.secret_places import SecretPlaces, find_secret_places, read_hashes
from tests.record.reporting import report

KEY = "skliveTOPSECRETq7Zx"


def find(record: Record, secret: str = KEY) -> SecretPlaces:
    with record.models():
        return find_secret_places(record, HiddenSecret.of(secret), lambda done: None)


def deploy(record: Record, label: str, briefing: bytes, given: tuple[bytes, ...] = ()) -> None:
    with record.write():
        report(
            record,
            "deployed",
            {
                "session_id": "s",
                "agent_type": "a",
                "briefing_id": briefings.store_briefing(record, briefing, given),
            },
            source="api",
            keys=[f"id:{label}"],
        )


@pytest.fixture
def record(record: Record) -> Record:
    sessions.init_session(record, "x", project="/p", session_id="s")
    return record


def test_what_names_a_text_that_moves_is_found(record: Record) -> None:
    text = f"KEY={KEY}\n".encode() + b"filler line\n" * 60
    deploy(record, "e-1", b"# Do\n" + text, (text,))
    deploy(record, "e-2", f"# Do {KEY}".encode())
    deploy(record, "e-3", b"# Do nothing")
    record_completion(record, "e-3", final_message=f"I used {KEY}.")
    found = find(record)
    assert found.counts == {"contents": 2, "briefings": 1, "agent_executions": 1}
    assert len(found.briefings) == 2
    named = [
        (unpack_fields(payload) or {}, execution_id)
        for payload, execution_id in record.sql(
            "SELECT payload, execution_id FROM observations "
            "WHERE observation_id IN (SELECT value FROM json_each(?)) ORDER BY observation_id",
            [json.dumps(found.statements)],
        )
    ]
    assert [label for _, label in named] == ["e-1", "e-2", "e-3"]
    hashes = {*read_hashes(record, "briefings", found.briefings).values()}
    assert {said["briefing"] for said, _ in named[:2]} == hashes
    assert named[2][0]["message"] == hashlib.sha256(f"I used {KEY}.".encode()).hexdigest()
    assert found.runs == {"e-1", "e-2", "e-3"}


def test_nothing_is_found_where_nothing_is(record: Record) -> None:
    deploy(record, "e-1", b"# Do nothing")
    found = find(record)
    assert (found.counts, found.briefings, found.statements, found.runs) == ({}, [], [], set())


@pytest.mark.parametrize(
    "stored",
    [
        KEY,
        KEY.encode(),
        zlib.compress(KEY.encode()),
        f"\0{KEY}",
        f'["\\u0073{KEY[1:]}"]',
        zlib.compress(f'["\\u0073{KEY[1:]}"]'.encode()),
    ],
)
@pytest.mark.parametrize(
    ("table", "column"),
    [("sessions", "metadata"), ("observations", "payload"), ("observations", "actor")],
)
def test_a_column_is_found_whatever_is_stored_in_it(
    record: Record, table: str, column: str, stored: Any
) -> None:
    record.execute(
        f"UPDATE {table} SET {column} = ? WHERE rowid = (SELECT min(rowid) FROM {table})", [stored]
    )
    assert find(record).counts == {table: 1}


def test_a_row_that_holds_it_twice_is_one(record: Record) -> None:
    record.execute(
        "UPDATE observations SET actor = ?, payload = ? WHERE rowid = 1",
        [KEY, zlib.compress(f'{{"a": "{KEY}"}}'.encode())],
    )
    found = find(record)
    assert found.counts == {"observations": 1}
    ((_, key, changed),) = found.rows
    assert key == {"observation_id": 1}
    assert changed == {"actor": "[redacted]", "payload": zlib.compress(b'{"a": "[redacted]"}', 6)}


def test_a_renamed_key_is_given_as_it_will_be(record: Record) -> None:
    sessions.init_session(record, "x", project="/p", session_id=f"s-{KEY}")
    assert find(record).keys_of("sessions") == [{"session_id": "s-[redacted]"}]


def test_progress_counts_the_tables(record: Record, tmp_path: Path) -> None:
    told: list[int] = []
    with record.models():
        find_secret_places(record, HiddenSecret.of(KEY), told.append)
    assert told == [*range(len(TABLES))]
