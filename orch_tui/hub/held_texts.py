"""What looks like it holds a secret is held back from the hub, until somebody says that it may go.

Nothing is cut out of it: who finds it a secret takes it out of the record with `orch redact`. Of a
statement that is held back its figures go, of a content or briefing its hash alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orch_tui.errors import NotFoundError
from orch_tui.frozen import frozen
from orch_tui.hub.levels import find_sent_texts
from orch_tui.hub.settings import Level
from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import unpack_bytes
from orch_tui.prepare.secret_verdicts import SecretVerdicts
from orch_tui.prepare.secrets import Secret, find_secrets
from orch_tui.record.exchange.outgoing import (
    PortableBriefing,
    PortableContent,
    PortableStatement,
    find_named_texts,
    read_statements,
)
from orch_tui.record.ledger.journal import log_action
from orch_tui.record.token_counts import RecordedCounts

ALLOWED = "allow"
"""The action of the journal that says that a text may go to a hub; its subject is the SHA-256."""

_NAME = 10
"""Hexadecimal digits by which people name what is held back."""


class SecretsGate:
    """Tells what of a record is held back from the hub."""

    def __init__(self, record: Record) -> None:
        self._verdicts = SecretVerdicts(RecordedCounts(record))
        self._allowed = {
            str(subject)
            for (subject,) in record.sql(
                "SELECT subject FROM journal WHERE action = ? AND origin_id IS NULL", [ALLOWED]
            )
        }

    def find_in_statement(self, statement: PortableStatement) -> tuple[Secret, ...]:
        """Find what looks like a secret in the words of a statement."""
        if statement.digest.hex() in self._allowed:
            return ()
        words = [*_words(statement.said), *statement.about, statement.actor or ""]
        return find_secrets("\n".join(words))

    def find_in_content(self, content: PortableContent) -> tuple[Secret, ...]:
        """Find what looks like a secret in a content."""
        data = unpack_bytes(content.encoding, content.stored)
        return () if data is None else self.find_in_text(content.sha256, data)

    def find_in_text(self, sha256: bytes, data: bytes) -> tuple[Secret, ...]:
        """Find what looks like a secret in the bytes of a text."""
        if sha256.hex() in self._allowed:
            return ()
        return self._verdicts.find_in(data, data.decode("utf-8", "replace"))

    def find_in_briefing(self, briefing: PortableBriefing) -> tuple[Secret, ...]:
        """Find what looks like a secret in the own text of a briefing."""
        if briefing.sha256.hex() in self._allowed:
            return ()
        return find_secrets("\n".join(str(v) for kind, v in briefing.parts if kind == "text"))

    def count_allowed(self) -> int:
        """Count what was let go by a word."""
        return len(self._allowed)

    def keep_verdicts(self) -> None:
        """Keep which contents hold none, so that each is looked into once."""
        self._verdicts.keep()


def _words(value: Any) -> Iterator[str]:
    """List the texts within a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _words(each)
    elif isinstance(value, dict):
        # without their names, which are orch's: a ``return_key`` is no key
        for each in value.values():
            yield from _words(each)


def find_held_runs(record: Record, gate: SecretsGate, labels: Sequence[str]) -> set[str]:
    """Find the runs of which something is held back: what was said of them, or their words."""
    held: set[str] = set()
    for label in labels:
        named: set[str] = set()
        for _, statement in read_statements(record, "execution_id = ?", [label]):
            named.update(find_sent_texts(statement.kind, statement.said, "messages"))
            if gate.find_in_statement(statement):
                held.add(label)
        if label in held:
            continue
        texts = find_named_texts(record, named)
        if any(
            gate.find_in_content(each) for each in texts.contents if each.sha256.hex() in named
        ) or any(map(gate.find_in_briefing, texts.briefings)):
            held.add(label)
    return held


@frozen
class HeldText:
    """Something that is held back."""

    name: str
    what: str
    secrets: tuple[Secret, ...]
    """What it looks like it holds; the words are not shown."""
    sha256: str
    """Of the text, or what the statement is recognised by."""


def list_held(record: Record, level: Level) -> list[HeldText]:
    """List what of a record's own statements, and of what they name, is held back at a level."""
    gate = SecretsGate(record)
    held: list[HeldText] = []
    if level in ("nothing", "figures"):
        return held
    named: set[str] = set()
    for number, statement in read_statements(record, _OWN):
        named.update(find_sent_texts(statement.kind, statement.said, level))
        if found := gate.find_in_statement(statement):
            run = record.value(
                "SELECT execution_id FROM observations WHERE observation_id = ?", [number]
            )
            what = f"what was said of {run}" if run else "what was said of a session or bundle"
            held.append(_held(statement.digest, what, found))
    texts = find_named_texts(record, named)
    for content in texts.contents:
        if found := gate.find_in_content(content):
            told = _describe(record, "content", content.sha256)
            held.append(_held(content.sha256, told, found))
    for briefing in texts.briefings:
        if found := gate.find_in_briefing(briefing):
            told = _describe(record, "briefing", briefing.sha256)
            held.append(_held(briefing.sha256, told, found))
    gate.keep_verdicts()
    return held


def allow_held(record: Record, level: Level, name: str) -> HeldText:
    """Say that something that is held back may go to the hub, by the beginning of its name.

    Raises:
        NotFoundError: nothing of that name is held back.
    """
    held = list_held(record, level)
    for each in held:
        if each.sha256.startswith(name.lower()) and len(name) >= _NAME:
            with record.write():
                log_action(
                    record, ALLOWED, subject=each.sha256, after={"found": [*map(str, each.secrets)]}
                )
            return each
    raise NotFoundError("held text", name, [each.name for each in held])


_OWN = (
    "observation_id NOT IN (SELECT observation_id FROM log JOIN origins USING (origin_id) "
    "WHERE NOT mine)"
)

_HOLDERS = {
    "content": """
        SELECT 'the final message of ' || execution_id FROM completions WHERE message_id = :id
        UNION ALL SELECT coalesce(context_source || ', ', '') || 'given to ' || execution_id
            FROM context_allocations WHERE content_id = :id
        UNION ALL SELECT 'what ' || execution_id || ' was told later'
            FROM told WHERE content_id = :id
        UNION ALL SELECT coalesce(path || ', ', '') || 'delivered by ' || execution_id
            FROM outputs WHERE content_id = :id
        UNION ALL SELECT source || ', in a bundle' FROM bundle_items WHERE content_id = :id
    """,
    "briefing": """
        SELECT 'the briefing of ' || execution_id FROM agent_executions
        WHERE briefing_id = :id OR handed_over_id = :id
    """,
}
"""Where a text stands, by what it is."""


def _describe(record: Record, kind: str, sha256: bytes) -> str:
    """Say where a text stands, where that does not show what is held back."""
    number = record.value(f"SELECT {kind}_id FROM {kind}s WHERE sha256 = ?", [sha256])
    for (told,) in record.sql(f"{_HOLDERS[kind]} LIMIT 1", {"id": number}):
        if not find_secrets(str(told)):
            return str(told)
    return f"a {kind}"


def _held(sha256: bytes, what: str, found: tuple[Secret, ...]) -> HeldText:
    return HeldText(sha256.hex()[:_NAME], what, found, sha256.hex())
