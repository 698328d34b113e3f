"""Bytes stand once, and are given back as they were given."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.record.ledger.contents import (
    FORGOTTEN_BYTES,
    UNSENT_BYTES,
    encode_given,
    get_content,
    get_content_by_sha256,
    get_content_text,
    share_message,
    store_absent,
    store_content,
    unshare_messages,
)
from orch_tui.record.sessions import init_session
from orch_tui.record.upkeep.export import export_record
from orch_tui.record.upkeep.restore import restore_export
from tests.record.reporting import report

LONG = b"the same again and again\n" * 40


def encoding(record: Record, content_id: int) -> str:
    return str(record.value("SELECT encoding FROM contents WHERE content_id = ?", [content_id]))


@pytest.mark.parametrize("data", [b"", b"\0\xff", b"short", LONG], ids=len)
def test_bytes_stand_once_and_come_back(record: Record, data: bytes) -> None:
    with record.write():
        first, other = store_content(record, data), store_content(record, data + b"!")
        assert store_content(record, data) == first != other
    assert get_content(record, first) == data
    assert get_content_by_sha256(record, hashlib.sha256(data).hexdigest()) == data
    assert record.value("SELECT size FROM contents WHERE content_id = ?", [first]) == len(data)


def test_what_is_not_there_or_broken_is_none(record: Record) -> None:
    assert get_content(record, 7) is None
    assert get_content_by_sha256(record, "00" * 32) is None
    assert get_content_text(record, None) is None
    with record.write():
        packed = store_content(record, LONG)
        record.execute("UPDATE contents SET data = x'00'")
    assert encoding(record, packed) == "zlib"
    assert get_content(record, packed) is None
    with record.write():
        record.execute("UPDATE contents SET encoding = 'gone', data = x''")
    assert (get_content(record, packed), get_content_text(record, packed)) == (None, "[redacted]")


def test_text_that_is_no_utf_8_is_readable(record: Record) -> None:
    with record.write():
        content_id = store_content(record, b"a\xffb")
    assert get_content_text(record, content_id) == "a\N{REPLACEMENT CHARACTER}b"


def test_given_bytes_survive_a_command_line_and_json() -> None:
    assert encode_given(b"\xff") == b"\xff"
    assert encode_given("ü\udcff") == "ü".encode() + b"\xff"
    assert encode_given("\ud800") == b"\xed\xa0\x80"


def runs(record: Record, *messages: str) -> list[str]:
    """Executions whose rows have these final messages."""
    init_session(record, "x", project="/p", session_id="s")
    labels = []
    with record.write():
        for number, message in enumerate(messages):
            columns = {"session_id": "s", "agent_type": "x"}
            label = report(record, "deployed", columns, source="manual", keys=[f"tool:{number}"])
            record.execute(
                "UPDATE agent_executions SET final_message = ?, revision = revision + 1 "
                "WHERE execution_id = ?",
                [message, label],
            )
            labels.append(label)
    return labels


def test_a_message_stands_in_the_row_of_its_run_alone(record: Record) -> None:
    one, two = runs(record, LONG.decode(), LONG.decode())
    with record.write():
        content_id = store_content(record, LONG)
        share_message(record, content_id, one, "other words")
        assert encoding(record, content_id) == "zlib", "not the same bytes"
        share_message(record, content_id, one, LONG.decode())
        share_message(record, content_id, two, LONG.decode())
        shared = record.sql("SELECT encoding, CAST(data AS TEXT) FROM contents")
        assert shared == [("run", one)], "another run's message does not take it over"
        assert get_content(record, content_id) == LONG
        unshare_messages(record, two)
        assert encoding(record, content_id) == "run"
        unshare_messages(record, one)
        assert (encoding(record, content_id), get_content(record, content_id)) == ("zlib", LONG)


def test_every_message_is_given_back_where_no_run_is_named(record: Record) -> None:
    words = ["the first", "the second"]
    with record.write():
        ids = [store_content(record, each.encode()) for each in words]
        for content_id, label, each in zip(ids, runs(record, *words), words, strict=True):
            share_message(record, content_id, label, each)
        assert [encoding(record, content_id) for content_id in ids] == ["run", "run"]
        unshare_messages(record)
    assert [encoding(record, content_id) for content_id in ids] == ["raw", "raw"]
    assert [get_content_text(record, content_id) for content_id in ids] == words


def test_what_was_not_sent_is_stored_when_it_comes_and_what_is_gone_is_not(record: Record) -> None:
    sha256 = hashlib.sha256(LONG).digest()
    with record.write():
        store_absent(record, sha256, len(LONG), UNSENT_BYTES)
        content_id = record.value("SELECT content_id FROM contents WHERE sha256 = ?", [sha256])
        assert get_content_text(record, content_id) == "[not sent]"
        assert store_content(record, LONG) == content_id
        assert get_content(record, content_id) == LONG
        for mark, told in ((FORGOTTEN_BYTES, "[forgotten]"), (b"", "[redacted]")):
            other = LONG + mark
            store_absent(record, hashlib.sha256(other).digest(), len(other), mark)
            assert get_content_text(record, store_content(record, other)) == told


def test_an_export_tells_what_was_not_sent_and_one_that_has_it_fills_it_in(
    record: Record, tmp_path: Path
) -> None:
    whole, part = (Record(tmp_path / name) for name in ("whole.db", "part.db"))
    with whole.write():
        store_content(whole, LONG)
    with part.write():
        store_absent(part, hashlib.sha256(LONG).digest(), len(LONG), UNSENT_BYTES)
    for origin, text in ((part, "[not sent]"), (whole, LONG.decode()), (part, LONG.decode())):
        exported = tmp_path / "export.jsonl"
        exported.write_text("".join(row + "\n" for row in export_record(origin)))
        restore_export(record, exported)
        held = record.sql("SELECT content_id FROM contents")
        assert [get_content_text(record, each) for (each,) in held] == [text]
    whole.close()
    part.close()
