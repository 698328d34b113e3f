"""What was redacted stays out, whatever export brings it back."""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orch_tui.models.database import Record
from orch_tui.models.migrations.shapes import columns_of, named, parts_of
from orch_tui.record import sessions
from orch_tui.record.completion import record_completion
from orch_tui.record.ledger import journal
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep.doctor import examine_record
from orch_tui.record.upkeep.export import export_record
from orch_tui.record.upkeep.redacted_before import (
    RedactedBefore,
    keyed_hash,
    redaction_subject,
)
from orch_tui.record.upkeep.redaction import redact_secret
from orch_tui.record.upkeep.restore import restore_export
from tests.record.test_migrate import LAST, RECORDS, stored
from tests.record.test_redaction import KEY, fill, traces


@pytest.fixture
def older_export(tmp_path: Path) -> Path:
    path = tmp_path / "older.jsonl"
    path.write_bytes(gzip.decompress((RECORDS / f"{LAST}.jsonl.gz").read_bytes()))
    return path


def written(record: Record, path: Path) -> Path:
    path.write_text("".join(line + "\n" for line in export_record(record)))
    return path


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def redact_as_before(path: Path, secret: str) -> None:
    """What an orch with schema version 1 did: words replaced, briefings by others, no tombstone."""
    cleaned = "[redacted]"
    with closing(sqlite3.connect(path)) as old:
        for trigger in named(parts_of(old), "trigger"):
            old.execute(f"DROP TRIGGER {trigger}")
        for table in named(parts_of(old), "table"):
            if table.startswith(("search_", "given_")):
                continue
            for column in columns_of(old, table):
                old.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?) "
                    f"WHERE typeof({column}) = 'text' AND instr({column}, ?)",
                    [secret, cleaned, secret],
                )
        for number, parts in old.execute("SELECT briefing_id, parts FROM briefings").fetchall():
            if cleaned in parts:
                whole = "".join(value for kind, value in json.loads(parts) if kind == "text")
                old.execute(
                    "UPDATE briefings SET sha256 = ?, size = ? WHERE briefing_id = ?",
                    [sha256_of(whole), len(whole), number],
                )
        old.execute(
            "INSERT INTO journal (actor, action, subject, after) VALUES ('ann', 'redact', ?, '{}')",
            [f"sha256 {sha256_of(secret)[:8]}, {len(secret)} characters"],
        )
        old.commit()


@pytest.mark.slow
@pytest.mark.parametrize(
    "secret",
    [
        "find bug 1",
        *(
            pytest.param(text, marks=pytest.mark.wide)
            for text in ("Second thoughts", "Rebates in the cart")
        ),
    ],
)
@pytest.mark.parametrize("is_older", [True, False])
def test_an_export_from_before_does_not_bring_it_back(
    older_export: Path, tmp_path: Path, secret: str, is_older: bool
) -> None:
    """Redacted by the orch that wrote the export, or by this one."""
    path = stored(LAST, tmp_path)
    assert secret in older_export.read_text()
    if is_older:
        redact_as_before(path, secret)
    with open_record(path) as record:
        for backup in tmp_path.glob("*.bak"):
            backup.unlink()
        if not is_older:
            redact_secret(record, secret, "pasted")
        restored = restore_export(record, older_export)
        assert traces(record, secret) == []
        assert list(find_stale_executions(record)) == []
        assert [f for f in examine_record(record.path) if f.level == "problem"] == []
        assert "what was redacted here before was left out" in restored.remarks or not is_older
        restore_export(record, older_export)
        assert traces(record, secret) == []


def test_what_another_record_says_of_it_is_left_out(record: Record, tmp_path: Path) -> None:
    """It had the run before the redaction, and says more of it afterwards."""
    fill(record, KEY, tmp_path)
    with open_record(tmp_path / "other.db") as other:
        restore_export(other, written(record, tmp_path / "first.jsonl"))
        redact_secret(record, KEY, "pasted")
        (theirs,) = other.sql("SELECT execution_id FROM agent_executions")[0]
        said = f"Once more {KEY}. ".encode() + b"All of it is there. " * 20
        record_completion(other, theirs, final_message=said)
        record_completion(other, theirs, final_message=KEY.encode("utf-16"))
        restored = restore_export(record, written(other, tmp_path / "second.jsonl"))
    assert restored.remarks[-1] == "what was redacted here before was left out"
    assert traces(record, KEY) == []
    entries = [e for e in journal.list_journal(record) if e.action == "redact"]
    assert len({entry.subject for entry in entries}) == 1


@pytest.mark.parametrize(
    "value",
    [
        f"say {KEY}!",
        [["text", f"{KEY}"]],
        {"values": {f"a {KEY}": 1}},
        json.dumps({"deep": [KEY]}),
        b"\xff" + KEY.encode("utf-16-be"),
        b"\xff\0" + KEY.encode(),
    ],
)
def test_it_is_recognised_wherever_it_stands(record: Record, value: Any) -> None:
    sessions.init_session(record, f"scope {KEY}", project="")
    fresh = RedactedBefore(record)
    fresh.look_at(value)
    assert fresh.met == set(), "nothing was redacted yet"
    redact_secret(record, KEY, "pasted")
    before = RedactedBefore(record)
    before.look_at([KEY[1:], KEY[:-1], KEY.lower()])
    assert before.met == set()
    before.look_at(value)
    assert before.met == {KEY}


@pytest.mark.parametrize(
    ("secret", "known_by", "met"),
    [
        ("innocent", "of itself", {"innocent"}),
        ("password", "of itself", set()),
        ("password", None, {"innocent"}),
    ],
)
def test_a_beginning_in_common_is_no_proof_where_a_hash_tells(
    record: Record, secret: str, known_by: str | None, met: set[str]
) -> None:
    with record.write():
        after = {"known_by": keyed_hash(record, secret)} if known_by else {}
        subject = redaction_subject(secret, sha256_of("innocent"))
        journal.log_action(record, "redact", subject=subject, after=after)
        before = RedactedBefore(record)
        before.look_at({"text": "an innocent word"})
    assert before.met == met
