"""Knowing again what was redacted, so that an import does not bring it back.

The journal keeps of a secret how many characters it has and how its SHA-256 begins. That tells
nobody what it was, and is enough to recognise it: every stretch of that length is hashed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from orch_tui.models.database import Record

_SUBJECT = re.compile(r"sha256 ([0-9a-f]{8}), (\d+) characters")
_WIDE = ("utf-16-le", "utf-16-be")


def redaction_subject(secret: str, sha256: str) -> str:
    """Say of a secret in the journal what it can be recognised by, and no more."""
    return f"sha256 {sha256[:8]}, {len(secret)} characters"


class RedactedBefore:
    """The secrets that a record was cleaned of, and those of them that were met again."""

    def __init__(self, record: Record) -> None:
        self.met: set[str] = set()
        self._beginnings: dict[int, set[bytes]] = {}
        """Of their SHA-256, by their length."""
        for (subject,) in record.sql("SELECT subject FROM journal WHERE action = 'redact'"):
            if found := _SUBJECT.fullmatch(str(subject)):
                beginning, length = bytes.fromhex(found[1]), int(found[2])
                self._beginnings.setdefault(length, set()).add(beginning)

    def look_at(self, value: Any) -> None:
        """Look for them in all texts of a JSON value, also in JSON and in bytes within one."""
        if not self._beginnings:
            return
        for text in _texts(value):
            for length, beginnings in self._beginnings.items():
                for start in range(len(text) - length + 1):
                    stretch = text[start : start + length]
                    hashed = hashlib.sha256(stretch.encode("utf-8", "surrogatepass"))
                    if hashed.digest()[:4] in beginnings:
                        self.met.add(stretch)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        if value[:1] in ("{", "["):
            with suppress(ValueError, RecursionError):
                yield from _texts(json.loads(value))
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict) and set(value) == {"base64"}:
        data = base64.b64decode(value["base64"])
        yield data.decode("utf-8", "replace")
        for encoding in _WIDE:
            for start in (0, 1):
                yield data[start:].decode(encoding, "replace")
    elif isinstance(value, dict):
        for name, each in value.items():
            yield str(name)
            yield from _texts(each)
