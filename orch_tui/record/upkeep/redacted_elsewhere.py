"""Taking out of a record what another one redacted.

The journal of who redacted it, which has come here, tells how long the secret is and how its hash
begins; which texts and statements held it is told beside that. So the secret is found in them, and
taken out of all of this record as `orch redact` does it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from orch_tui.models.database import Record, in_list
from orch_tui.models.stored_bytes import STORED_BYTES, unpack_bytes
from orch_tui.record.exchange.outgoing import find_named_texts, named_hashes, read_statements
from orch_tui.record.ledger import contents
from orch_tui.record.ledger.briefings import iterate_briefings
from orch_tui.record.ledger.contents import is_tombstone
from orch_tui.record.ledger.rebuild import rebuild_from_statements
from orch_tui.record.ledger.statement import unpack_fields
from orch_tui.record.upkeep.redacted_before import RedactedBefore
from orch_tui.search import maintenance

_AT_ONCE = 500


def redact_as_elsewhere(
    record: Record,
    texts: Collection[bytes],
    statements: Collection[bytes],
    unsent_after: int,
    subjects: Iterable[str] = (),
) -> bool:
    """Redact here what was redacted elsewhere; tells whether there was anything to do.

    ``texts`` (contents and briefings, by SHA-256) and ``statements`` (by digest) are those that
    held it there. What was stated here after the statement ``unsent_after`` is looked through, too:
    nobody else has heard of it yet. ``subjects`` are what journals that did not come here say of
    the secrets.
    """
    before = RedactedBefore(record, subjects)
    if before:
        for value in _read_texts(record, texts):
            before.look_at(value)
        for value in _read_statements(record, statements):
            before.look_at(value)
        for value in _read_unsent(record, unsent_after):
            before.look_at(value)
    if before.met:
        from orch_tui.record.upkeep.redaction import redact_again  # with Peewee

        with record.write():
            for secret in sorted(before.met):
                redact_again(record, secret, "it was redacted on another machine")
    emptied = _empty_contents(record, texts)
    if before.met or emptied:
        record.squeeze()
    return bool(before.met) or emptied


def _read_texts(record: Record, texts: Collection[bytes]) -> Iterator[bytes]:
    for listed, some in _lists(texts):
        for encoding, stored in record.sql(
            f"SELECT encoding, {STORED_BYTES} FROM contents WHERE sha256 IN {listed}", some
        ):
            data = unpack_bytes(encoding, stored)
            if data is not None:
                yield data
        for briefing in iterate_briefings(record, f"WHERE sha256 IN {listed}", some):
            if not briefing.is_gone:
                yield briefing.rendered


def _read_statements(record: Record, statements: Collection[bytes]) -> Iterator[Any]:
    for listed, some in _lists(statements):
        for payload, about in record.sql(
            f"SELECT payload, about FROM observations WHERE digest IN {listed}", some
        ):
            yield [unpack_fields(payload), about]


def _read_unsent(record: Record, after: int) -> Iterator[Any]:
    """Read what was stated after a statement, and what that names."""
    named: set[str] = set()
    for _, statement in read_statements(record, "observation_id > ?", [after]):
        named |= named_hashes([statement])
        yield [statement.said, list(statement.about), statement.actor]
    found = find_named_texts(record, named)
    for content in found.contents:
        data = unpack_bytes(content.encoding, content.stored)
        if data is not None:
            yield data
    for briefing in found.briefings:
        yield briefing.parts


def _empty_contents(record: Record, texts: Collection[bytes]) -> bool:
    """Leave of contents that are gone elsewhere their hashes, where their secret is not known."""
    emptied: list[int] = []
    for listed, some in _lists(texts):
        emptied += [
            content_id
            for content_id, encoding, stored in record.sql(
                f"SELECT content_id, encoding, {STORED_BYTES} FROM contents "
                f"WHERE sha256 IN {listed}",
                some,
            )
            if not is_tombstone(encoding, stored)
        ]
    if not emptied:
        return False
    with record.write(), maintenance.changing_texts(record, emptied, ()):
        listed = json.dumps(emptied)
        runs = record.sql(
            "SELECT execution_id FROM completions "
            "WHERE message_id IN (SELECT value FROM json_each(?)) ORDER BY execution_id",
            [listed],
        )
        contents.unshare_messages(record)
        record.execute(
            "UPDATE contents SET encoding = 'gone', data = x'' "
            "WHERE content_id IN (SELECT value FROM json_each(?))",
            [listed],
        )
        rebuild_from_statements(record, list(dict.fromkeys(label for (label,) in runs)))
    return True


def _lists(digests: Collection[bytes]) -> Iterator[tuple[str, list[Any]]]:
    ordered = sorted(digests)
    for start in range(0, len(ordered), _AT_ONCE):
        yield in_list(ordered[start : start + _AT_ONCE])
