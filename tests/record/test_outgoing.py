"""What a record states is read as others can take it in."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import unpack_bytes
from orch_tui.record.completion import record_completion
from orch_tui.record.exchange.outgoing import (
    PortableStatement,
    find_named_texts,
    named_hashes,
    read_log,
)
from orch_tui.record.ledger.origins import gather_statements
from tests.record.test_redaction import fill


def logged(record: Record) -> int:
    with record.write():
        return gather_statements(record)


def test_a_log_is_read_after_a_number(record: Record, tmp_path: Path) -> None:
    fill(record, "words", tmp_path)
    origin = logged(record)
    every = read_log(record, origin, 0, 1_000)
    assert [each.seq for each in every] == list(range(1, len(every) + 1))
    assert read_log(record, origin, 2, 3) == every[2:5]
    assert read_log(record, origin, 2, 1_000, until=4) == every[2:4]


def test_what_travels_as_json_is_the_same_again(record: Record, tmp_path: Path) -> None:
    fill(record, "words", tmp_path)
    for each in read_log(record, logged(record), 0, 1_000):
        assert each.statement
        told = json.loads(json.dumps(each.statement.fields()))
        assert PortableStatement.of(each.digest, told) == each.statement


def test_the_number_of_a_broken_statement_stays_taken(record: Record, tmp_path: Path) -> None:
    fill(record, "words", tmp_path)
    origin = logged(record)
    record.execute("UPDATE observations SET payload = 'no object' WHERE observation_id = 2")
    read = read_log(record, origin, 0, 3)
    assert [each.statement is None for each in read] == [False, True, False]


def test_texts_come_with_what_briefings_quote(record: Record, tmp_path: Path) -> None:
    fill(record, "words", tmp_path)
    record_completion(record, "exec-1", final_message="All done.")
    told = [each.statement for each in read_log(record, logged(record), 0, 1_000)]
    texts = find_named_texts(record, named_hashes(each for each in told if each))
    held = {c.sha256: unpack_bytes(c.encoding, c.stored) for c in texts.contents}
    assert held[sha256(b"All done.").digest()] == b"All done."
    assert {bytes(s) for (s,) in record.sql("SELECT sha256 FROM briefings")} == {
        each.sha256 for each in texts.briefings
    }
    quoted = {v for b in texts.briefings for kind, v in b.parts if kind == "content"}
    assert quoted and quoted <= {sha256.hex() for sha256 in held}
