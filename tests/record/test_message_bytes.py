"""The bytes of a final message stand once, and nothing done to the row of its run loses them."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.record.completion import record_completion
from orch_tui.record.executions import list_completions
from orch_tui.record.ledger import contents
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.opening import ingest_arrivals, open_record
from orch_tui.record.sessions import init_session
from orch_tui.record.upkeep.doctor import examine_record
from orch_tui.record.upkeep.export import export_record
from orch_tui.record.upkeep.redaction import redact_secret
from orch_tui.record.upkeep.restore import restore_export
from orch_tui.search import maintenance
from orch_tui.search.query import search
from tests.record.reporting import report

FIRST = "Everything in the parser is written twice.\n" * 30
SECOND = "Something else was found in the lexer.\n" * 30


@pytest.fixture
def raw(record: Record) -> Iterator[sqlite3.Connection]:
    """What somebody's script opens: plain SQLite, no foreign keys."""
    returned(record, FIRST)
    with closing(sqlite3.connect(record.path, isolation_level=None)) as connection:
        yield connection


def returned(
    record: Record, message: str | bytes, session: str = "s", keys: tuple[str, ...] = ()
) -> str:
    """One run with one final message; gives its label."""
    init_session(record, "look", project="", session_id=session)
    columns = {"session_id": session, "agent_type": "debugger"}
    label = report(record, "deployed", columns, source="manual", keys=keys)
    record_completion(record, label, final_message=message)
    return label


def held(record: Record) -> list[tuple[str, bytes | None]]:
    """The encoding and the bytes of every content, oldest first."""
    rows = record.sql("SELECT content_id, encoding FROM contents ORDER BY content_id")
    return [(encoding, contents.get_content(record, content_id)) for content_id, encoding in rows]


def is_sound(record: Record) -> bool:
    ingest_arrivals(record)
    assert maintenance.check(record) == []
    assert list(find_stale_executions(record)) == []
    assert [f for f in examine_record(record.path) if f.level == "problem"] == []
    for sha256, content_id in record.sql("SELECT sha256, content_id FROM contents"):
        assert hashlib.sha256(contents.get_content(record, content_id) or b"").digest() == sha256
    return True


def test_the_final_message_stands_once(record: Record, raw: sqlite3.Connection) -> None:
    assert held(record) == [("run", FIRST.encode())]
    assert record.value("SELECT final_message FROM agent_executions") == FIRST
    assert record.path.read_bytes().count(FIRST.encode()[:200]) <= 2  # once more in the log
    assert is_sound(record)


EDITS = (
    "UPDATE agent_executions SET final_message = 'by hand'",
    "UPDATE agent_executions SET final_message = NULL",
    "UPDATE agent_executions SET final_message = CAST(final_message AS BLOB), "
    "revision = revision + 1",
    "UPDATE agent_executions SET final_message = 7, revision = revision + 1",
    "UPDATE OR REPLACE agent_executions SET final_message = x'ff00', revision = 9",
    "UPDATE agent_executions SET execution_id = 'renamed'",
    "DELETE FROM agent_executions",
    "REPLACE INTO agent_executions (execution_id, session_id, agent_type) VALUES ('exec-001', 's', "
    "'other')",
    "INSERT OR REPLACE INTO agent_executions (execution_id, session_id, agent_type, uid) "
    "SELECT 'exec-009', 's', 'other', uid FROM agent_executions",
    "INSERT OR IGNORE INTO agent_executions (execution_id, session_id, agent_type) "
    "VALUES ('exec-001', 's', 'other')",
    "INSERT INTO agent_executions (execution_id, session_id, agent_type) "
    "VALUES ('exec-001', 's', 'other') ON CONFLICT DO UPDATE SET final_message = 'upserted'",
)


@pytest.mark.parametrize("edit", EDITS)
def test_its_bytes_outlive_what_plain_sql_does_to_the_row(
    record: Record, raw: sqlite3.Connection, edit: str
) -> None:
    raw.execute(edit)
    assert FIRST.encode() in [data for _, data in held(record)]
    ingest_arrivals(record)
    assert FIRST.encode() in [data for _, data in held(record)]
    (told,) = [finding for finding in examine_record(record.path) if finding.what == "contents"]
    assert told.level == "ok"


def test_a_row_that_takes_the_place_of_two(record: Record, raw: sqlite3.Connection) -> None:
    returned(record, SECOND)
    raw.execute(
        "UPDATE OR REPLACE agent_executions SET execution_id = 'exec-001' "
        "WHERE execution_id = 'exec-002'"
    )
    assert {FIRST.encode(), SECOND.encode()} <= {data for _, data in held(record)}


def test_a_return_that_is_not_the_last_keeps_its_words(
    record: Record, raw: sqlite3.Connection
) -> None:
    raw.execute("UPDATE agent_executions SET final_message = ?", [SECOND])
    ingest_arrivals(record)
    record_completion(
        record, "exec-001", final_message="third", completed_at="2099-01-01T00:00:00.000Z"
    )
    said = [
        contents.get_content_text(record, c.message_id)
        for c in list_completions(record, "exec-001")
    ]
    assert said[-1] == "third" and {FIRST, SECOND} & set(said[:-1])
    assert {FIRST.encode(), SECOND.encode(), b"third"} == {data for _, data in held(record)}
    assert is_sound(record)


def test_later_returns_take_the_place_and_earlier_ones_are_packed(record: Record) -> None:
    returned(record, FIRST)
    record_completion(
        record, "exec-001", final_message=SECOND, completed_at="2099-01-01T00:00:00.000Z"
    )
    assert held(record) == [("zlib", FIRST.encode()), ("run", SECOND.encode())]
    said = [
        contents.get_content_text(record, c.message_id)
        for c in list_completions(record, "exec-001")
    ]
    assert said == [FIRST, SECOND]
    assert is_sound(record)


def test_two_runs_that_say_the_same_share_one_copy(record: Record) -> None:
    for _ in range(2):
        returned(record, FIRST)
    assert held(record) == [("run", FIRST.encode())]
    with closing(sqlite3.connect(record.path, isolation_level=None)) as raw:
        raw.execute("DELETE FROM agent_executions WHERE execution_id = 'exec-001'")
    assert held(record) == [("raw", FIRST.encode())]
    with record.write():
        record.execute("INSERT INTO changed_rows (subject) VALUES ('run:exec-002')")
    assert held(record) == [("run", FIRST.encode())]


@pytest.mark.parametrize("message", [b"caf\xe9", b"\xf0\x9f\x98", b"\xed\xa0\x80", "a\0b", ""])
def test_what_is_no_text_keeps_bytes_of_its_own(record: Record, message: str | bytes) -> None:
    label = returned(record, message)
    ((encoding, data),) = held(record)
    assert data == contents.encode_given(message)
    assert encoding == ("raw" if isinstance(message, bytes) else "run")
    assert contents.get_content_text(record, list_completions(record, label)[0].message_id) == (
        record.value("SELECT final_message FROM agent_executions")
    )
    assert is_sound(record)


def test_what_search_finds_follows(record: Record, raw: sqlite3.Connection) -> None:
    def found(words: str) -> int:
        return search(record, words).total

    assert (found("parser"), found("lexer")) == (1, 0)
    raw.execute("UPDATE agent_executions SET final_message = ?", [SECOND])
    ingest_arrivals(record)
    assert (found("parser"), found("lexer")) == (0, 1)
    raw.execute("DELETE FROM agent_executions")
    ingest_arrivals(record)
    assert (found("parser"), found("lexer")) == (0, 0)
    assert maintenance.check(record) == []


def test_no_message_of_another_size_takes_the_place_of_indexed_bytes(record: Record) -> None:
    for message in (FIRST, SECOND):
        returned(record, message)
    with pytest.raises(Exception, match="what is indexed for search stays as it is"):
        record.execute("UPDATE contents SET encoding = 'gone', data = x''")


def test_a_secret_in_a_message_is_redacted(record: Record) -> None:
    returned(record, f"{FIRST} the key is skliveTOPSECRETq7Zx")
    done = redact_secret(record, "skliveTOPSECRETq7Zx", "pasted")
    assert done.places == {"agent_executions": 1, "contents": 1}
    assert b"skliveTOPSECRETq7Zx" not in record.path.read_bytes()
    assert held(record) == [
        ("gone", None),
        ("run", f"{FIRST} the key is [redacted]".encode()),
    ]
    assert maintenance.check(record) == [] and list(find_stale_executions(record)) == []


def test_a_secret_in_the_label_of_a_run_is_redacted(record: Record) -> None:
    returned(record, FIRST, keys=("id:run-skliveTOPSECRETq7Zx",))
    redact_secret(record, "skliveTOPSECRETq7Zx", "pasted")
    assert b"skliveTOPSECRETq7Zx" not in record.path.read_bytes()
    assert held(record) == [("run", FIRST.encode())]
    assert is_sound(record)


def test_an_export_into_an_empty_record_gives_the_same_rows(
    record: Record, raw: sqlite3.Connection, tmp_path: Path
) -> None:
    raw.execute("UPDATE agent_executions SET final_message = ?", [SECOND])
    returned(record, b"caf\xe9")
    ingest_arrivals(record)
    lines = tmp_path / "export.jsonl"
    lines.write_text("\n".join(line for line in export_record(record)))
    with open_record(tmp_path / "other.db") as other:
        restore_export(other, lines)
        assert {data for _, data in held(other)} == {data for _, data in held(record)}
        assert "run" in {encoding for encoding, _ in held(other)}
        rows = "SELECT final_message FROM agent_executions ORDER BY uid"
        assert other.sql(rows) == record.sql(rows)
        assert is_sound(other)


_KILLED = """
import os, signal, sys
from orch_tui.record.ledger import rebuild
from orch_tui.record.opening import open_record
from orch_tui.record.completion import record_completion
from pathlib import Path
write = rebuild._write_completions
def killed(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
rebuild._write_completions = killed
with open_record(Path(sys.argv[1])) as record:
    record_completion(record, "exec-001", final_message="later",
        completed_at="2099-01-01T00:00:00.000Z")
"""


def test_a_kill_between_the_row_and_the_rest_leaves_all_as_it_was(
    record: Record, raw: sqlite3.Connection
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(record.path)], check=False, env=dict(os.environ)
    )
    assert done.returncode == -signal.SIGKILL
    assert held(record) == [("run", FIRST.encode())]
    assert is_sound(record)
