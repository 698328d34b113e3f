"""Changing JSON text in place: what is not changed keeps its bytes, order and formatting."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

_SPACE = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


class JsonItem(NamedTuple):
    """A member of an object or an element of an array, from its first character to its last."""

    key: str | None
    start: int
    value: int
    """Where the value begins."""
    end: int


def items(text: str, start: int) -> list[JsonItem]:
    """What the object or array at ``start`` holds. The text must be valid JSON."""
    found = []
    at = _skip(text, start + 1)
    while text[at] not in "}]":
        begin, key = at, None
        if text[start] == "{":
            key, at = _decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        _, end = _decode(text, at)
        found.append(JsonItem(key, begin, at, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def beginning(text: str) -> int:
    """Where the outermost value begins."""
    return _skip(text, 0)


def member(text: str, start: int, key: str) -> JsonItem | None:
    """The member of the object at ``start`` with this key; of several, the one that counts."""
    return next((item for item in reversed(items(text, start)) if item.key == key), None)


def insert(text: str, start: int, value: Any, *, key: str | None = None) -> str:
    """Add a member or element at the end of the object or array at ``start``."""
    held, newline, unit = items(text, start), _newline(text), _unit(text)
    prefix = "" if key is None else f"{json.dumps(key, ensure_ascii=False)}: "
    outer = _indent(text, start)
    if held and "\n" not in text[start : held[0].start]:
        written = prefix + json.dumps(value, ensure_ascii=False)
        return f"{text[: held[-1].end]}, {written}{text[held[-1].end :]}"
    inner = _indent(text, held[0].start) if held else outer + unit
    rendered = json.dumps(value, ensure_ascii=False, indent=unit).replace("\n", newline + inner)
    written = f"{newline}{inner}{prefix}{rendered}"
    if held:
        return f"{text[: held[-1].end]},{written}{text[held[-1].end :]}"
    end = _skip(text, start + 1)
    return f"{text[: start + 1]}{written}{newline}{outer}{text[end:]}"


def remove(text: str, start: int, number: int) -> str:
    """Take the member or element with this number (from 0) out of the container at ``start``."""
    held = items(text, start)
    if len(held) == 1:
        return text[: start + 1] + text[_skip(text, held[0].end) :]
    if number == 0:
        return text[: held[0].start] + text[held[1].start :]
    return text[: held[number - 1].end] + text[held[number].end :]


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    assert space
    return space.end()


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _indent(text: str, at: int) -> str:
    """The white space at the beginning of the line on which ``at`` stands."""
    line = text.rfind("\n", 0, at) + 1
    return text[line : _skip_blanks(text, line)]


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t":
        at += 1
    return at


def _unit(text: str) -> str:
    """One step of indentation, as the text has it."""
    first = items(text, beginning(text))
    if first and "\n" in text[: first[0].start]:
        return _indent(text, first[0].start) or "  "
    return "  "
