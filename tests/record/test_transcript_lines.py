"""Lines of transcripts are read tolerantly: what is wrong is left out, never the line around it."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest

from orch_tui.record.transcripts import transcript_lines
from orch_tui.record.transcripts.transcript_lines import (
    Block,
    Entry,
    Sidecar,
    Usage,
    decode_blocks,
    decode_list,
    decode_string,
    decode_struct,
    iterate_lines,
    join_texts,
    list_texts,
    parse_timestamp,
)


def raw(data: str | bytes) -> msgspec.Raw:
    return msgspec.Raw(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))


def test_a_field_that_is_not_what_it_should_be_is_left_out() -> None:
    entry = decode_struct(b'{"type": 7, "uuid": "u", "isMeta": "yes", "agentId": null}', Entry)
    assert entry == Entry(uuid="u")


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"null", b'"x"', b"7", b"{]", b"[" * 5000, b"\xff\xfe", b"{'a': 1}"]
)
def test_what_is_no_object_is_none(line: bytes) -> None:
    assert decode_struct(line, Entry) is None


@pytest.mark.parametrize(
    "line",
    [
        b'\xef\xbb\xbf{"uuid": "u"}',
        b'{"uuid": "u", "data": NaN}',
        b'{"uuid": "u", "data": -Infinity}',
        b'{"uuid": "u", "data": 9e999}',
        b'{"uuid": "u", "cwd": "a\tb\x00"}',
        b'{"uuid": "u", "data": "\\ud800"}',
        b'{"uuid": "u", "data": "\xff"}',
    ],
)
def test_what_is_nearly_json_is_mended(line: bytes) -> None:
    entry = decode_struct(line, Entry)
    assert entry and entry.uuid == "u"


def test_mending_is_for_lines_of_bearable_length(monkeypatch: pytest.MonkeyPatch) -> None:
    line = b'{"uuid": "u", "data": NaN}'
    monkeypatch.setattr(transcript_lines, "_LONGEST_MENDED", len(line))
    assert decode_struct(line, Entry) == Entry(uuid="u", data=raw("null"))
    monkeypatch.setattr(transcript_lines, "_LONGEST_MENDED", len(line) - 1)
    assert decode_struct(line, Entry) is None


@pytest.mark.parametrize(
    ("value", "figure"),
    [("0", 0), ("1000000000000", 10**12), ("1000000000001", None), ("-1", None), ('"1"', None)]
    + [("1.5", None), ("true", None), ("null", None)],
)
def test_figures_are_whole_and_possible(value: str, figure: int | None) -> None:
    usage = decode_struct(f'{{"input_tokens": {value}, "output_tokens": 3}}'.encode(), Usage)
    assert usage == Usage(input_tokens=figure, output_tokens=3)


def test_a_path_is_one_the_system_can_be_asked_about() -> None:
    def cwd(path: str) -> str | None:
        entry = decode_struct(msgspec.json.encode({"cwd": path, "uuid": "u"}), Entry)
        assert entry and entry.uuid == "u"
        return entry.cwd

    assert cwd("/" + "a" * 4095) == "/" + "a" * 4095
    assert cwd("/" + "a" * 4096) is None
    assert cwd("/a\0b") is None
    assert cwd("") == ""


@pytest.mark.parametrize(
    ("content", "words", "texts"),
    [
        ('"words"', "words", ["words"]),
        ('""', "", [""]),
        ('[{"text": "a"}, {"type": "image"}, {"text": "b"}]', "a\nb", ["a", "", "b"]),
        ('[{"text": 1}, {"text": "b"}]', "b", ["", "b"]),
        ('[7, {"text": "b"}, null]', "b", ["b"]),
        ("[]", "", []),
        ("[,]", "", []),
        ("{}", "", []),
        ("null", "", []),
        ("", "", []),
    ],
)
def test_the_words_of_a_content(content: str, words: str, texts: list[str]) -> None:
    assert join_texts(raw(content)) == words
    assert list_texts(raw(content)) == texts


def test_a_string_is_a_string() -> None:
    assert decode_string(raw('"a\\u00fcb"')) == "aüb"
    assert decode_string(raw('"a\tb"')) == "a\tb"
    assert decode_string(raw(b'"a\xffb"')) == "a\N{REPLACEMENT CHARACTER}b"
    for none in ("7", "null", "", "[]", '"open'):
        assert decode_string(raw(none)) is None


def test_blocks_that_cannot_be_understood_are_left_out() -> None:
    assert decode_blocks(raw('[{"type": "text", "text": "a"}]')) == [Block(type="text", text="a")]
    assert decode_blocks(raw('[{"type": 1, "id": "i"}, "x"]')) == [Block(id="i")]
    assert decode_blocks(raw('{"type": "text"}')) == decode_blocks(raw("[")) == []


def test_a_list_of_objects() -> None:
    assert decode_list(raw('[{"name": "a"}, 7, {"name": 7}]'), Sidecar) == [
        Sidecar(name="a"),
        Sidecar(),
    ]
    assert decode_list(raw("{}"), Sidecar) == decode_list(raw(""), Sidecar) == []


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2026-11-22T10:00:00.000Z", "2026-11-22T10:00:00.000Z"),
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000Z"),
        ("2026-11-22T12:00:00.5+02:00", "2026-11-22T10:00:00.500Z"),
        ("2026-11-22 10:00:00.000Z", "2026-11-22T10:00:00.000Z"),
        ("2026-11-22", "2026-11-22T00:00:00.000Z"),
        ("2026-13-22T10:00:00.000Z", ""),
        ("0001-01-01T00:00:00+14:00", ""),
        ("now", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_time_is_written_as_the_record_writes_it(text: str | None, stamp: str) -> None:
    assert parse_timestamp(text) == stamp


def lines(data: bytes) -> list[tuple[bytes, int]]:
    return list(iterate_lines(io.BytesIO(data)))


def test_lines_come_with_their_sizes_and_the_last_may_be_open() -> None:
    assert lines(b"ab\n\ncd") == [(b"ab\n", 3), (b"\n", 1), (b"cd", 2)]
    assert lines(b"") == []


@pytest.mark.parametrize("tail", [b"", b"ef\n"])
def test_a_line_without_end_comes_as_empty(monkeypatch: pytest.MonkeyPatch, tail: bytes) -> None:
    monkeypatch.setattr(transcript_lines, "LONGEST_LINE", 4)
    following: list[Any] = [(tail, len(tail))] if tail else []
    assert lines(b"abc\n" + tail) == [(b"abc\n", 4), *following]
    assert lines(b"abcd\n" + tail) == [(b"\n", 5), *following]
    assert lines(b"a" * 11 + b"\n" + tail) == [(b"\n", 12), *following]
    assert lines(b"a" * 9) == [(b"\n", 9)]
