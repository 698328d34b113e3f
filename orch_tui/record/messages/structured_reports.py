"""Final messages that are data: a report as a JSON object, as agents with a schema write it.

Its members are put into the items of a list, under headings that are its keys, and read as those.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from orch_tui.record.messages.patterns import compile_lazily

_REPORTS = compile_lazily(
    r"\b(?:files?|paths?|deliverables?|artifacts?|outputs?|created|modified|changed|changes"
    r"|edited"
    r"|updated|deleted|removed|checks|validation|insights)\b(?! (?:at|on|by)\b)",
    re.I,
)
"""Words of the keys that a report has, and other data seldom."""
_KEY_WORDS = compile_lazily(r"(?<=[a-z])(?=[A-Z])|[_-]+")
_NAMES_FILE = ("path", "file", "file_path", "filePath", "filename", "name")
_STATES = ("status", "result", "outcome", "passed", "success")
"""Members that say how a check went, of which the object is."""
_NO_FILE = compile_lazily(r"[^/.]{1,60}")
_DEEPEST = 12
"""Objects and lists, each in another, that are read."""


def read_report(text: str) -> list[tuple[tuple[str, ...], str]] | None:
    """Read a JSON object as items with their headings; None where it is no report."""
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        report = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not any(_tells_of_work(_in_words(key)) for key in report):
        return None
    return list(_items(report, (), 0))


def _tells_of_work(key: str) -> bool:
    """Tell whether a key is one of a report: ``files created``, but not ``created at``."""
    return bool(_REPORTS.search(key))


def _in_words(key: str) -> str:
    return " ".join(_KEY_WORDS.sub(" ", key).lower().split())


def _items(
    value: Any, headings: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        named = next((key for key in _NAMES_FILE if isinstance(value.get(key), str)), None)
        said = next((value[key] for key in _STATES if key in value), None)
        result = ("passed" if said else "failed") if isinstance(said, bool) else said
        if named and headings and isinstance(result, str) and _NO_FILE.fullmatch(value[named]):
            yield headings, _one_line(f"{value[named]}: {result}")
            return
        if named and headings:
            rest = [str(v) for k, v in value.items() if k != named and isinstance(v, str | int)]
            yield headings, _one_line(f"{_quoted(value[named])} ({', '.join(rest)})")
            return
        if len(headings) > 1 and isinstance(result, str):
            yield headings[:-1], _one_line(f"{headings[-1]}: {result}")
            return
        for key, member in value.items():
            if isinstance(member, dict | list):
                yield from _items(member, (*headings, _in_words(key)), depth + 1)
            else:
                label = _quoted(key) if "/" in key or "." in key else _in_words(key)
                yield headings, _one_line(f"{label}: {_said(member)}")
    elif isinstance(value, list):
        for member in value:
            if isinstance(member, dict | list):
                yield from _items(member, headings, depth + 1)
            else:
                yield headings, _one_line(_said(member))


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _quoted(name: str) -> str:
    return f"`{name}`"


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
