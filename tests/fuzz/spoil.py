"""Making bad input of good: bytes that were changed, cut, doubled, or put in place of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

ODD_BYTES = (
    *(b"", b"\0", b"\n", b"\r", b"\r\n", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc3"),
    *(b"\x1b[2J", "\u202e".encode(), "é".encode(), "\U000e0041".encode(), b"\x7f", b" ", b"\t"),
    *(b"../../..", b"/dev/zero", b"~nosuchuser/x", b"a" * 300, b"a/" * 200, b"https://u:p@h/"),
    *(b"-1", b"99999999999999999999", b"1e400", b"NaN", b"0x10", b"null", b"true", b"%s"),
    *(b"\\", b'"', b"'", b"{", b"}", b"[", b"]", b"<!--", b"-->", b"```", b"---\n", b"{{", b"{%"),
    *(b"#", b":", b"::", b"*", b"**", b"?", b"!", b"@", b"%", b"$(id)", b"`id`", b";", b"|", b"&"),
    b",",
)
"""What means something to somebody who reads it."""

ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**63, -(2**63) - 1, 10**400, 1.5, -0.0, 1e308, 1e-320),
    *("", "\0", "\ud800", "x" * 5000, "\x1b[2J", "../../../x", "~nosuchuser/x", "/dev/zero", "1"),
    *("2026-13-45T99:99:99Z", "9999-12-31T23:59:59.999999Z", "\u202e", "a\nb", " ", "é" * 300),
    *([], {}, [[]], [None], {"": ""}, {"a": {"b": {"c": []}}}, [1, "a", None], {"type": "text"}),
)


def spoil_bytes(random: Random, data: bytes) -> bytes:
    """Change a few things at random places."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        data = random.choice(_WAYS)(random, data)
    return data


def spoil_json(random: Random, data: bytes) -> bytes:
    """Change a value or key in a JSON text, or in a line of one; sometimes its bytes."""
    if random.random() < 0.25:
        return spoil_bytes(random, data)
    lines = data.split(b"\n")
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(len(lines))
        with suppress(ValueError, RecursionError):
            lines[at] = _dump(_spoil_value(random, json.loads(lines[at])))
    if len(lines) > 2 and random.random() < 0.2:
        random.shuffle(lines)
    if random.random() < 0.02:
        deep = random.choice((b"[", b'{"a":'))
        lines[random.randrange(len(lines))] = deep * random.choice((500, 20_000, 200_000))
    return b"\n".join(lines)


def spoil_text(random: Random, text: str) -> str:
    """Change a few things in a text; what is no UTF-8 any more is replaced."""
    return spoil_bytes(random, text.encode()).decode("utf-8", "replace").replace("\0", "?")


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def _spoil_value(random: Random, value: Any) -> Any:
    """Change something in it, however deep."""
    if random.random() < 0.15:
        return random.choice(ODD_VALUES)
    if isinstance(value, dict) and value:
        key = random.choice([*value])
        way = random.random()
        if way < 0.12:
            return {name: held for name, held in value.items() if name != key}
        if way < 0.2:
            return {**value, random.choice(("type", "id", "content", "x", "\0", "")): value[key]}
        return {**value, key: _spoil_value(random, value[key])}
    if isinstance(value, list) and value:
        at = random.randrange(len(value))
        if random.random() < 0.15:
            return [*value, *value]
        return [*value[:at], _spoil_value(random, value[at]), *value[at + 1 :]]
    if isinstance(value, str) and value and random.random() < 0.6:
        return spoil_text(random, value)
    return random.choice(ODD_VALUES)


def _stretch(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.choice((1, 2, 8, 40, 400)))


def _flip(random: Random, data: bytes) -> bytes:
    if not data:
        return b"\0"
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def _cut(random: Random, data: bytes) -> bytes:
    start, end = _stretch(random, data)
    return data[:start] + data[end:]


def _end(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _double(random: Random, data: bytes) -> bytes:
    start, end = _stretch(random, data)
    times = random.choice((2, 2, 3, 50, 2000))
    return data[:start] + (data[start:end] * times)[:200_000] + data[end:]


def _put(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice(ODD_BYTES) * random.choice((1, 1, 1, 2, 300)) + data[at:]


def _replace(random: Random, data: bytes) -> bytes:
    start, end = _stretch(random, data)
    return data[:start] + random.choice(ODD_BYTES) + data[end:]


def _swap(random: Random, data: bytes) -> bytes:
    start, end = _stretch(random, data)
    return data[end:] + data[start:end] + data[:start]


_WAYS: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(_flip, _cut, _end, _double, _put, _put, _replace, _replace, _swap),
)
