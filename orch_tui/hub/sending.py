"""What of a statement is sent to a hub, and how it is written there."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from orch_tui.hub.levels import find_sent_texts, reduce_to_figures
from orch_tui.hub.settings import LEVELS
from orch_tui.record.exchange.outgoing import PortableStatement, named_hashes

FIGURES = LEVELS.index("figures")
EVERYTHING = LEVELS.index("everything")


class SentStatement(NamedTuple):
    """A statement as a hub holds it."""

    recognition: bytes
    level: int
    digest: bytes
    """Of the body."""
    kind: str
    at: str | None
    """As PostgreSQL reads a time; None where it is none."""
    body: str
    keys: tuple[str, ...]
    """Of the run, or the session, plan or bundle that it is about."""
    texts: frozenset[str]
    """Contents and briefings that go with it, by SHA-256, and other hashes that may name some."""


def select(told: PortableStatement, secret: bytes, level: int) -> SentStatement:
    """Select what of a statement is sent at a level; ``secret`` is the hub's."""
    kind, said = told.kind, told.said
    texts: frozenset[str] = frozenset()
    if level <= FIGURES:
        kind, said = reduce_to_figures(kind, said, lambda text: _pseudonym(secret, text))
        # without its digest: texts could be tried against that
        body = canonical_body({**told.fields(), "kind": kind, "said": said, "actor": None})
    else:
        body = canonical_body({**told.fields(), "digest": told.digest.hex()})
        everything = level >= EVERYTHING
        named = named_hashes([told]) if everything else find_sent_texts(kind, said, LEVELS[level])
        texts = frozenset(named)
    return SentStatement(
        recognise(secret, told.digest),
        level,
        hashlib.sha256(body.encode()).digest(),
        storable_text(kind),
        storable_time(told.at),
        body,
        tuple(map(storable_text, list_keys(told))),
        texts,
    )


def _pseudonym(secret: bytes, text: str) -> str:
    """Make what stands for the hash of a text, or for the digest of another statement."""
    try:
        return recognise(secret, bytes.fromhex(text)).hex()
    except ValueError:  # plain SQL may have put in anything
        return recognise(secret, text.encode("utf-8", "replace")).hex()


def recognise(secret: bytes, digest: bytes) -> bytes:
    """Make what a statement is known by on a hub: nobody who lacks its secret can try texts."""
    return hmac.digest(secret, digest, "sha256")


def list_keys(told: PortableStatement) -> list[str]:
    """List by what a statement is found that somebody asks for: keys of the run that it is about,
    or what its fields are of."""
    if told.kind == "journal":
        return []
    subject = told.said.get("subject")
    if told.kind == "set" and isinstance(subject, str):
        return [run_key(subject)]
    return sorted(set(told.about))


def run_key(subject: str) -> str:
    """Give the key of a run whose fields a register holds; other subjects are keys themselves."""
    return f"uid:{subject.removeprefix('run:')}" if subject.startswith("run:") else subject


def canonical_body(said: Mapping[str, Any]) -> str:
    """Write JSON that is the same text for the same value, and that PostgreSQL takes as text."""
    body = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    try:
        body.encode()
    except UnicodeEncodeError:  # lone surrogates: as escapes they are fine
        return json.dumps(said, sort_keys=True, separators=(",", ":"))
    return body


def storable_text(text: str) -> str:
    """Make a text one that PostgreSQL takes: without NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def storable_time(at: str | None) -> str | None:
    """Make a time one that PostgreSQL takes, also of a clock that counts on; None for none."""
    found = _TIME.match(at or "")
    if found is None:
        return None
    try:
        datetime.fromisoformat(found[0])
    except ValueError:  # plain SQL may have put in a 31st of February
        return None
    return found[0]
