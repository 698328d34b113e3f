"""What was stored packed once can be read for ever."""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.models import stored_bytes
from orch_tui.models.stored_bytes import (
    OFTEN,
    OFTEN_IN_BRIEFINGS,
    inflate,
    pack_bytes,
    pack_parts,
    pack_text,
    unpack_bytes,
    unpack_parts,
    unpack_text,
)

DIGESTS = [
    "7d883d88bc0d2dab1c2aaf1c7e105587a3a5a11bfed4ce5d7c1ec2f06d5580cc",
    "6ce14e27d3c9200ab4162d27bf427d5365dda8220c3d18b3476229fab20fad4c",
]


def test_what_is_often_never_changes() -> None:
    """Another would make every packed statement and briefing of every record unreadable."""
    often = (OFTEN, OFTEN_IN_BRIEFINGS)
    assert [hashlib.sha256(each).hexdigest() for each in often] == DIGESTS


def test_the_parts_of_a_briefing_are_read_whatever_they_were_packed_with() -> None:
    parts: list[list[Any]] = [
        ["text", "## Scope\n\n" + "find it " * 40],
        ["content", 7],
        ["text", "\udcff"],
    ]
    text = json.dumps(parts)
    plain = zlib.compress(text.encode())
    for packed in (pack_parts(parts), pack_text(text), plain, text):
        assert unpack_parts(packed) == parts
    assert len(pack_parts(parts)) < len(pack_text(text)) < len(text)


@pytest.mark.slow
@given(st.text(max_size=400), st.integers(1, 9))
def test_a_packed_text_is_the_text(words: str, times: int) -> None:
    text = words * times
    assert unpack_text(pack_text(text)) == text
    assert unpack_text(zlib.compress(text.encode("utf-8", "surrogatepass"))) == text


@given(st.binary(max_size=400), st.integers(1, 9))
def test_packed_bytes_are_the_bytes(some: bytes, times: int) -> None:
    data = some * times
    assert unpack_bytes(*pack_bytes(data)) == data


def test_lone_surrogates_are_packed_too() -> None:
    assert unpack_text(pack_text("\udcff" * 200)) == "\udcff" * 200


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_what_breaks_off_or_is_none_is_no_text(cut: int) -> None:
    packed = pack_text("so it is said " * 30)
    assert isinstance(packed, bytes)
    for broken in (packed[:-cut], b"", b"\xff\0", b"x\x9cbroken", b"x\xbb\0\0\0\0" + packed[6:]):
        with pytest.raises(ValueError):  # noqa: PT011
            inflate(broken)


def test_what_unpacks_to_more_than_any_text_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_bytes, "MOST_UNPACKED", 4_000)
    for size in (4_000, 4_001, 400_000):
        bomb = zlib.compress(b"0" * size)
        assert stored_bytes.unpack_bytes("zlib", bomb) == (b"0" * size if size == 4_000 else None)
    with pytest.raises(ValueError, match="more than 4,000"):
        stored_bytes.unpack_text(zlib.compress(b"0" * 4_001))
    assert stored_bytes.pack_bytes(b"0" * 4_001) == ("raw", b"0" * 4_001)
    assert stored_bytes.pack_text("0" * 4_001) == "0" * 4_001
