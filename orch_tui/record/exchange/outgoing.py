"""Reading what a record states, as any other record can take it in.

Statements go with the contents and briefings that they name, all by names that mean the same
everywhere. An export writes all of them into a file, a hub is sent those after a number.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

from orch_tui.models.database import Record, in_list
from orch_tui.models.stored_bytes import STORED_BYTES, unpack_parts
from orch_tui.models.values import as_bytes, listed_names, readable
from orch_tui.record.ledger import portable
from orch_tui.record.ledger.contents import UNSENT_BYTES
from orch_tui.record.ledger.statement import canonical_json, unpack_fields


class PortableStatement(NamedTuple):
    """A statement as it travels."""

    digest: bytes
    """What it is recognised by."""
    kind: str
    source: str | None
    at: str
    recorded_at: str | None
    actor: str | None
    about: tuple[str, ...]
    said: dict[str, Any]

    def fields(self) -> dict[str, Any]:
        """Give all but the digest by name, as JSON has them."""
        told = {**self._asdict(), "about": list(self.about)}
        del told["digest"]
        return told

    @classmethod
    def of(cls, digest: bytes, told: Mapping[str, Any]) -> Self:
        """Make the statement that somebody else tells of by these fields.

        Raises:
            KeyError: one is missing.
        """
        return cls(
            digest,
            str(told["kind"]),
            _text(told["source"]),
            str(told["at"]),
            _text(told["recorded_at"]),
            _text(told["actor"]),
            tuple(map(str, told["about"])),
            told["said"],
        )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


STATEMENT_COLUMNS = "digest, kind, source, at, recorded_at, actor, about, payload"
"""Of ``observations``, as `make_statement` takes them."""


def read_statements(
    view: Record, condition: str, parameters: Sequence[Any] = ()
) -> Iterator[tuple[int, PortableStatement]]:
    """Read the statements that meet an SQL condition with their numbers here, one in memory at a
    time; what plain SQL left of one that is none any more is left out, as `orch doctor` says."""
    for number, *columns in view.execute(
        f"SELECT observation_id, {STATEMENT_COLUMNS} FROM observations "
        f"WHERE {condition} AND NOT pending ORDER BY observation_id",
        parameters,
    ):
        statement = make_statement(*columns)
        if statement is not None:
            yield number, statement


class LoggedStatement(NamedTuple):
    """What an origin stated as its ``seq``-th."""

    seq: int
    digest: bytes
    statement: PortableStatement | None
    """None where plain SQL left none of it; its number stays taken."""


def read_log(
    view: Record, origin_id: int, after: int, most: int, until: int | None = None
) -> list[LoggedStatement]:
    """Read what an origin stated after its number ``after`` (to ``until``), ``most`` at once."""
    return [
        LoggedStatement(seq, as_bytes(columns[0]), make_statement(*columns))
        for seq, *columns in view.sql(
            f"SELECT seq, {STATEMENT_COLUMNS} FROM log JOIN observations USING (observation_id) "
            "WHERE origin_id = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
            [origin_id, after, _LAST if until is None else until, most],
        )
    ]


_LAST = (1 << 63) - 1
"""The greatest number that SQLite holds."""


def make_statement(
    digest: Any, kind: Any, source: Any, at: Any, recorded: Any, actor: Any, about: Any, said: Any
) -> PortableStatement | None:
    """Make the statement of a row; None where its body is no object."""
    fields = unpack_fields(said)
    if fields is None:
        return None
    return PortableStatement(
        as_bytes(digest),
        readable(kind) or "",
        readable(source),
        readable(at) or "",
        readable(recorded),
        readable(actor),
        tuple(listed_names(about) or ()),
        fields,
    )


_HASH = re.compile(r'(?<=")[0-9a-f]{64}(?=")')


def named_hashes(statements: Iterable[PortableStatement]) -> set[str]:
    """Collect all that statements name by SHA-256, contents and briefings and others, of
    whichever kind the statements are."""
    return {found for each in statements for found in _HASH.findall(canonical_json(each.said))}


class PortableContent(NamedTuple):
    """A content as it travels: packed as the tables hold it."""

    sha256: bytes
    size: int
    encoding: str
    stored: bytes | None


def read_contents(
    view: Record, condition: str = "", parameters: Sequence[Any] = ()
) -> Iterator[PortableContent]:
    """Read the contents that meet an SQL condition, one in memory at a time."""
    for sha256, size, encoding, stored in view.execute(
        f"SELECT sha256, size, encoding, {STORED_BYTES} FROM contents {condition} "
        "ORDER BY content_id",
        parameters,
    ):
        yield PortableContent(sha256, size, encoding, stored)


class PortableBriefing(NamedTuple):
    """A briefing as it travels: ``parts`` name contents by SHA-256. One that was redacted names
    what took its place (``gone``), one that was forgotten nothing (``forgotten``)."""

    sha256: bytes
    size: int
    parts: list[list[Any]]


def read_briefings(
    view: Record, condition: str = "", parameters: Sequence[Any] = ()
) -> Iterator[PortableBriefing]:
    """Read the briefings that meet an SQL condition, one in memory at a time; what plain SQL broke
    is left out."""
    names: dict[tuple[str, Any], str | None] = {}  # many briefings quote the same
    for briefing_id, sha256, size, packed in view.execute(
        f"SELECT briefing_id, sha256, size, parts FROM briefings {condition} ORDER BY briefing_id",
        parameters,
    ):
        parts = unpack_parts(packed)
        if len(names) > _MOST_NAMES:
            names.clear()
        for kind, value in parts:
            if kind in _SHA256_OF and (kind, value) not in names:
                names[kind, value] = _SHA256_OF[kind](view, value)
        named = [
            [kind, names[kind, value] if kind in _SHA256_OF else value] for kind, value in parts
        ]
        is_whole = bool(named) or not size  # else plain SQL broke or deleted its parts
        if parts == [["gone", briefing_id]]:  # nothing took its place
            named = [["forgotten", ""]]
        if is_whole and all(value is not None for _, value in named):
            yield PortableBriefing(sha256, size, named)


_SHA256_OF = {"content": portable.sha256_of_content, "gone": portable.sha256_of_briefing}
"""By the kind of a part of a briefing: what names what it stands for."""
_MOST_NAMES = 50_000
"""That are kept while briefings are read."""


class NamedTexts(NamedTuple):
    """Contents and briefings that statements name, with what those briefings quote."""

    contents: list[PortableContent]
    briefings: list[PortableBriefing]


def find_named_texts(view: Record, hashes: Collection[str]) -> NamedTexts:
    """Find what this record holds of what is named so. Briefings that took the place of others
    come before those."""
    briefings: list[PortableBriefing] = []
    wanted, seen = set(hashes), set(hashes)
    while wanted:
        found = [b for some in _lists(wanted) for b in _named(view, read_briefings, some)]
        briefings = found + briefings
        quoted = {str(v) for b in found for kind, v in b.parts if kind in _SHA256_OF}
        wanted = quoted - seen
        seen |= quoted
    contents = [c for some in _lists(seen) for c in _named(view, read_contents, some)]
    return NamedTexts(contents, briefings)


def find_held_texts(view: Record, hashes: Iterable[str]) -> set[str]:
    """Find which of these hashes are of contents or briefings that the record holds, or knows to be
    gone; one that was only not sent may come yet."""
    held: set[str] = set()
    for some in _lists(hashes):
        listed, digests = in_list(bytes.fromhex(each) for each in some)
        held.update(
            sha256.hex()
            for (sha256,) in view.sql(
                f"SELECT sha256 FROM contents WHERE sha256 IN {listed} "
                "AND NOT (encoding = 'gone' AND data = ?) "
                f"UNION ALL SELECT sha256 FROM briefings WHERE sha256 IN {listed}",
                [*digests, UNSENT_BYTES, *digests],
            )
        )
    return held


def _named(view: Record, read: Any, hashes: Sequence[str]) -> Iterator[Any]:
    listed, digests = in_list(bytes.fromhex(each) for each in hashes)
    yield from read(view, f"WHERE sha256 IN {listed}", digests)


def _lists(hashes: Iterable[str]) -> Iterator[list[str]]:
    """Cut into lists that one statement of SQLite takes."""
    ordered = sorted(hashes)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


_AT_ONCE = 500
