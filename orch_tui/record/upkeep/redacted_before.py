"""Knowing again what was redacted, so that an import does not bring it back.

The journal keeps of a secret how many characters it has and how its SHA-256 begins. That tells
nobody what it was, and is enough to find what may be it: every stretch of that length is hashed.
Whether it is the secret tells a hash with a key that never leaves the record. What another record
redacted, or an orch that kept no such hash, goes by the beginning alone: one stretch in four
thousand million is taken for it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from orch_tui.models import facts
from orch_tui.models.database import Record
from orch_tui.models.values import decoded_json

_SUBJECT = re.compile(r"sha256 ([0-9a-f]{8}), (\d+) characters")
_WIDE = ("utf-16-le", "utf-16-be")


def redaction_subject(secret: str, sha256: str) -> str:
    """Say of a secret in the journal what it can be recognised by, and no more."""
    return f"sha256 {sha256[:8]}, {len(secret)} characters"


def keyed_hash(record: Record, secret: str) -> str:
    """Hash a secret with the key of the record; call it within a write."""
    text = secret.encode("utf-8", "surrogatepass")
    return hmac.digest(facts.ensure_secret(record), text, "sha256").hex()


class RedactedBefore:
    """The secrets that a record was cleaned of, and those of them that were met again."""

    def __init__(self, record: Record, elsewhere: Iterable[str] = ()) -> None:
        """``elsewhere``: what other journals say of secrets, as `redaction_subject` words it."""
        self.met: set[str] = set()
        self._record = record
        self._beginnings: dict[int, dict[bytes, set[str | None]]] = {}
        """Of their SHA-256, by their length, with the hashes that tell; None: nothing more does."""
        for subject, after, origin_id in record.sql(
            "SELECT subject, after, origin_id FROM journal WHERE action = 'redact'"
        ):
            if found := _SUBJECT.fullmatch(str(subject)):
                beginning, length = bytes.fromhex(found[1]), int(found[2])
                told = decoded_json(after) if origin_id is None else None
                known_by = told.get("known_by") if isinstance(told, dict) else None
                of_length = self._beginnings.setdefault(length, {})
                of_length.setdefault(beginning, set()).add(known_by)
        for subject in elsewhere:
            if found := _SUBJECT.fullmatch(subject):
                of_length = self._beginnings.setdefault(int(found[2]), {})
                of_length.setdefault(bytes.fromhex(found[1]), set()).add(None)

    def __bool__(self) -> bool:
        """Tell whether anything was ever redacted."""
        return bool(self._beginnings)

    def look_at(self, value: Any) -> None:
        """Look for them in all texts of a JSON value, also in JSON and in bytes within one."""
        if not self._beginnings:
            return
        for text in _texts(value):
            for length, beginnings in self._beginnings.items():
                for start in range(len(text) - length + 1):
                    stretch = text[start : start + length]
                    hashed = hashlib.sha256(stretch.encode("utf-8", "surrogatepass"))
                    hashes = beginnings.get(hashed.digest()[:4])
                    if hashes and (None in hashes or keyed_hash(self._record, stretch) in hashes):
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
    elif isinstance(value, bytes):
        yield from _texts(value.decode("utf-8", "replace"))
        if b"\0" in value:
            for encoding in _WIDE:
                for start in (0, 1):
                    yield value[start:].decode(encoding, "replace")
    elif isinstance(value, dict):
        for name, each in value.items():
            yield str(name)
            yield from _texts(each)
