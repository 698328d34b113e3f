"""Everything a record holds, as statements that any other record can take in.

The first line says what the file is; then come the origins, contents and briefings, then what was
stated. Values are JSON: bytes are text where they are UTF-8, else ``{"base64": ...}``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from orch_tui.models import facts
from orch_tui.models.content import TokenCount
from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import inflate, unpack_bytes
from orch_tui.models.values import SCHEMA_VERSION, as_bytes
from orch_tui.prepare.secret_verdicts import is_verdict
from orch_tui.record.exchange.outgoing import (
    STATEMENT_COLUMNS,
    make_statement,
    read_briefings,
    read_contents,
)
from orch_tui.record.ledger.origins import TELLING_ORDER, gather_statements
from orch_tui.record.ledger.raw_sql import ingest_noted_changes
from orch_tui.record.upkeep.export_format import FORMAT, MARKS, VERSION

if TYPE_CHECKING:
    from peewee import ModelSelect


def export_record(record: Record) -> Iterator[str]:
    """A head line, then everything that was stated, with the contents it names: lines of JSON.

    Numbers what was stated since the last time, where the record can be written just now. All
    lines are of one moment, though others write meanwhile, and only one is in memory at a time. Of
    a content, ``data`` is null where it was redacted; of a briefing, ``parts`` name what took its
    place. Derived rows are left out, and so is what
    concerns this machine alone: import checkpoints, drafts, the search index.

    Raises:
        RecordError: the file cannot be read.
    """
    # a connection of its own: the caller may write while it takes the rows
    with Record(record.path, create=False, writable=False) as view:
        if record.writable:
            with record.in_passing(), record.write():
                ingest_noted_changes(record)
                gather_statements(record)
        yield from _lines(view, record.now())


def _lines(view: Record, at: str) -> Iterator[str]:
    with view.read():
        head = {
            "format": FORMAT,
            "version": VERSION,
            "schema_version": SCHEMA_VERSION,
            "exported_at": at,
            "record": facts.get_fact(view, "uid"),
        }
        yield json.dumps(head)
        for rows in (_origins, _contents, _briefings, _token_counts):
            yield from map(json.dumps, rows(view))
        for kind in TELLING_ORDER:
            yield from _statements(view, kind)


def _origins(view: Record) -> Iterator[dict[str, Any]]:
    for row in view.rows(
        "SELECT uid, person, machine, name, began_at, closed_at, mine AND closed_at IS NULL AS own "
        "FROM origins ORDER BY origin_id"
    ):
        own = row.pop("own")
        yield {"origin": row.pop("uid"), **row, **({"exported_here": True} if own else {})}


def _contents(view: Record) -> Iterator[dict[str, Any]]:
    for each in read_contents(view):
        data = unpack_bytes(each.encoding, each.stored)
        row = {"content": each.sha256.hex(), "size": each.size, "data": _printable(data)}
        if each.encoding == "gone":
            row |= {MARKS[each.stored]: True} if each.stored in MARKS else {}
        yield row


def _briefings(view: Record) -> Iterator[dict[str, Any]]:
    for each in read_briefings(view):
        yield {"briefing": each.sha256.hex(), "size": each.size, "parts": each.parts}


def _token_counts(view: Record) -> Iterator[dict[str, Any]]:
    for count in _every(view, TokenCount.select()):
        if is_verdict(count.estimator):
            continue  # nobody takes another's word for it
        yield {
            "counted": count.sha256.hex(),
            "estimator": count.estimator,
            "tokens": count.tokens,
        }


def _every(view: Record, query: ModelSelect[Any]) -> Iterator[Any]:
    """The rows of a query, one in memory at a time. The models are the view's while it begins, not
    while the caller of the export has its turn."""
    with view.models():
        return query.namedtuples().iterator()


def _statements(view: Record, kind: str) -> Iterator[str]:
    """Statements of a kind as they stand: what is JSON already is not read and written again."""
    others = ", ".join(f"'{named}'" for named in TELLING_ORDER if named)
    condition = f"kind NOT IN ({others})" if not kind else f"kind = '{kind}'"
    for *columns, log in view.execute(
        f"SELECT {STATEMENT_COLUMNS}, (SELECT json_group_array(json_array(CAST(uid AS TEXT), "
        "CAST(seq AS INTEGER))) FROM log JOIN origins USING (origin_id) "
        "WHERE log.observation_id = o.observation_id) "
        f"FROM observations AS o WHERE {condition} AND NOT pending ORDER BY observation_id"
    ):
        fields = _quick_fields(*columns) or _careful_fields(*columns)
        if fields is not None:
            yield f'{{"statement":"{as_bytes(columns[0]).hex()}",{fields},"log":{log}}}'


_Told = dict[str, msgspec.Raw]


def _quick_fields(
    digest: Any, kind: Any, source: Any, at: Any, recorded: Any, actor: Any, about: Any, said: Any
) -> str | None:
    """The fields of a statement that stands as orch writes it; None of any other."""
    try:
        body = said.encode() if isinstance(said, str) else inflate(said)
        names = (about or "[]").encode()
        msgspec.json.decode(body, type=_Told)
        msgspec.json.decode(names, type=list[str])
        plain = msgspec.json.encode(_Plain(kind, source, at, recorded, actor))
        return f'{plain[1:-1].decode()},"about":{names.decode()},"said":{body.decode()}'
    except (ValueError, TypeError, AttributeError, RecursionError, msgspec.MsgspecError):
        return None


class _Plain(msgspec.Struct):
    """The fields that are text."""

    kind: Any
    source: Any
    at: Any
    recorded_at: Any
    actor: Any


def _careful_fields(*columns: Any) -> str | None:
    """The fields of a statement in whose row plain SQL may have put anything; None where it is no
    statement any more, as `orch doctor` says."""
    statement = make_statement(*columns)
    return None if statement is None else json.dumps(statement.fields())[1:-1]


def _printable(data: bytes | None) -> Any:
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}
