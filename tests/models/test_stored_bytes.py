"""What was stored packed once can be read for ever."""

from __future__ import annotations

import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orch_tui.models.stored_bytes import (
    OFTEN,
    inflate,
    pack_bytes,
    pack_text,
    unpack_bytes,
    unpack_text,
)

DIGEST = "7d883d88bc0d2dab1c2aaf1c7e105587a3a5a11bfed4ce5d7c1ec2f06d5580cc"


def test_what_is_often_never_changes() -> None:
    """Another would make every packed statement of every record unreadable."""
    assert hashlib.sha256(OFTEN).hexdigest() == DIGEST


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
    for broken in (packed[:-cut], b"", b"\xff\0", b"x\x9cbroken"):
        with pytest.raises(ValueError):  # noqa: PT011
            inflate(broken)
