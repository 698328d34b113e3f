"""The forms in which a secret stands, and what is left without it."""

from __future__ import annotations

import zlib

import pytest

from orch_tui.errors import UsageError
from orch_tui.record.ledger.contents import GONE
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


@pytest.mark.parametrize(
    "value", [r'{"a": "to\u006ben-1/2"}', r'["token-1\/2"]', '["token-1/2"]', "token-1/2\n"]
)
def test_it_is_found_however_json_escapes_it(value: str) -> None:
    secret = HiddenSecret.of("token-1/2")
    for held in (value, zlib.compress(value.encode())):
        cleaned = unpack_value(secret.out_of(held))
        assert GONE in (cleaned.decode() if isinstance(cleaned, bytes) else cleaned)


def test_what_begins_as_if_compressed_and_is_not_is_left_as_it_is() -> None:
    for value in (b"x\x9c and no more", b"x", b"", "x\x9c", None, 3):
        assert unpack_value(value) is value
