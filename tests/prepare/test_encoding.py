"""Bytes as text, whatever they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.prepare.encoding import codec_of, decode_text

TEXT = "Größe\r\n漢字 😀\n"


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]
)
def test_a_text_is_read_by_its_mark(codec: str) -> None:
    mark = "\ufeff" if codec.endswith(("le", "be")) else ""
    data = f"{mark}{TEXT}".encode(codec)
    assert decode_text(data) == TEXT
    found, begins = codec_of(data)
    assert data.startswith(begins) and data[len(begins) :].decode(found) == TEXT


def test_without_a_mark_it_is_utf_8_and_else_latin_1() -> None:
    assert codec_of("Größe".encode()) == ("utf-8", b"")
    assert codec_of("Größe".encode("latin-1")) == ("latin-1", b"")
    assert decode_text("Größe".encode("latin-1")) == "Größe"
    assert codec_of(b"") == ("utf-8", b"")


def test_what_is_not_what_its_mark_says_is_shown_all_the_same() -> None:
    assert decode_text(b"\xef\xbb\xbfa\xff") == "a\ufffd"
    assert decode_text(b"\xff\xfea\x00\xd8") == "a\ufffd"


@given(st.binary())
def test_any_bytes_are_some_text(data: bytes) -> None:
    assert len(decode_text(data)) <= len(data)
