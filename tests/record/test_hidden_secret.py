"""The forms in which a secret stands, and what is left without it."""

from __future__ import annotations

import zlib

import pytest

from orch_tui.errors import UsageError
from orch_tui.record.upkeep.hidden_secret import SHORTEST, HiddenSecret, unpack_value


@pytest.mark.parametrize(
    "secret", ["a" * (SHORTEST - 1), "   a   ", "session", b"\xff\xff\xff\xff"]
)
def test_what_would_be_found_everywhere_is_refused(secret: str | bytes) -> None:
    with pytest.raises(UsageError):
        HiddenSecret.of(secret)


def test_each_form_is_taken_out() -> None:
    hidden = HiddenSecret.of('wö"rd-key')
    assert hidden.out_of_text('a wö"rd-key b w\\u00f6\\"rd-key') == "a [redacted] b [redacted]"
    wide = 'wö"rd-key'.encode("utf-16-le")
    assert hidden.out_of_bytes(b"a" + wide) == b"a" + "[redacted]".encode("utf-16-le")
    packed = zlib.compress('say wö"rd-key'.encode())
    assert unpack_value(hidden.out_of(packed)) == b"say [redacted]"
    assert hidden.out_of(7) == 7
