"""One execution as it is indexed: what the tables say of it, and what the index holds of it."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orch_tui.models.database import Record
from orch_tui.models.values import as_time
from orch_tui.search.schema import INDEXED_EXECUTION_COLUMNS
from orch_tui.search.tokens import EVERY, path_of, path_tokens, tag

_SLOT = 10  # seconds
_EPOCH = datetime(2015, 1, 1, tzinfo=UTC).timestamp()
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


def slot(at: str) -> int:
    """The slot of a time in the record's form: the least docid a run of that time can have."""
    try:
        moment = datetime.fromisoformat(at).timestamp()
    except ValueError:
        return 1
    return max(1, int((moment - _EPOCH) // _SLOT))


@dataclass(frozen=True, slots=True)
class Document:
    """``kept`` is the compressed JSON of the small fields (see `_kept`)."""

    at: str
    archived: bool
    said_id: int | None
    briefing_id: int | None
    kept: bytes
    given: frozenset[int]

    def says(self, other: Document) -> bool:
        """Whether both have the same text, so that only what is beside it changed."""
        mine = (self.said_id, self.briefing_id, self.kept)
        return mine == (other.said_id, other.briefing_id, other.kept)

    def row(self, said: str, briefing: str) -> tuple[str, ...]:
        """The text of each column of the index."""
        fields = json.loads(zlib.decompress(self.kept))
        return (
            fields["scope"],
            fields.get("said", said),
            fields["outputs"],
            "\n".join(fields["sources"]),
            briefing,
            " ".join(_tokens(fields["tags"])),
        )


def _tokens(tags: dict[str, list[str]]) -> Iterator[str]:
    yield EVERY
    for kind, values in tags.items():
        if kind != "file":
            yield from (tag(kind, value) for value in values)
    yield from dict.fromkeys(token for path in tags["file"] for token in path_tokens(path))


def stored_documents(record: Record, ids: list[str]) -> dict[str, tuple[int, Document]]:
    """What is indexed of these executions, each with its docid."""
    listed = json.dumps(ids)
    given: dict[int, set[int]] = {}
    for docid, content_id in record.sql(
        "SELECT g.docid, g.content_id FROM json_each(?) AS j "
        "CROSS JOIN search_docs AS d ON d.execution_id = j.value "
        "CROSS JOIN search_given AS g ON g.docid = d.docid",
        [listed],
    ):
        given.setdefault(docid, set()).add(content_id)
    return {
        execution_id: (
            docid,
            Document(
                at, bool(archived), said_id, briefing_id, kept, frozenset(given.get(docid, ()))
            ),
        )
        for execution_id, docid, at, archived, said_id, briefing_id, kept in record.sql(
            "SELECT execution_id, docid, at, archived, said_id, briefing_id, kept "
            "FROM search_docs WHERE execution_id IN (SELECT value FROM json_each(?))",
            [listed],
        )
    }


def gathered_documents(record: Record, ids: list[str]) -> dict[str, Document]:
    """What the tables say of these executions; retracted ones are not searched."""
    listed = json.dumps(ids)
    runs = record.rows(
        f"SELECT e.{INDEXED_EXECUTION_COLUMNS.replace(', ', ', e.')}, s.project, s.archived_at "
        "FROM agent_executions AS e LEFT JOIN sessions AS s USING (session_id) "
        "WHERE e.execution_id IN (SELECT value FROM json_each(?)) AND e.retracted_at IS NULL",
        [listed],
    )
    outputs = _by_execution(
        record.sql(
            "SELECT execution_id, output_type, content, path FROM outputs "
            "WHERE execution_id IN (SELECT value FROM json_each(?)) AND retracted_at IS NULL "
            "ORDER BY output_id",
            [listed],
        )
    )
    allocations = _by_execution(
        record.sql(
            "SELECT execution_id, context_source, content_id FROM context_allocations "
            "WHERE execution_id IN (SELECT value FROM json_each(?)) "
            "AND included_in_deployment IS NOT 0 ORDER BY allocation_id",
            [listed],
        )
    )
    return _documents(record, runs, outputs, allocations)


def _by_execution(rows: list[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    grouped: dict[str, list[tuple[Any, ...]]] = {}
    for execution_id, *row in rows:
        grouped.setdefault(execution_id, []).append(tuple(row))
    return grouped


def _documents(
    record: Record,
    runs: list[dict[str, Any]],
    outputs: dict[str, list[tuple[Any, ...]]],
    allocations: dict[str, list[tuple[Any, ...]]],
) -> dict[str, Document]:
    given = {
        e: frozenset(content_id for _, content_id in rows if content_id is not None)
        for e, rows in allocations.items()
    }
    digests = {
        run["execution_id"]: hashlib.sha256(_plain(run["final_message"]).encode()).hexdigest()
        for run in runs
        if run["final_message"] is not None
    }
    said_ids = _living(record, "sha256", digests.values())
    contents = _living(record, "content_id", {c for some in given.values() for c in some})
    docs = {}
    for run in runs:
        execution_id = run["execution_id"]
        said_id = said_ids.get(digests.get(execution_id))
        fields = _kept(run, outputs.get(execution_id, []), allocations.get(execution_id, []))
        if said_id is None and run["final_message"] is not None:
            fields["said"] = _plain(run["final_message"])
        docs[execution_id] = Document(
            at=_time(run["deployed_at"]),
            archived=run["archived_at"] is not None,
            said_id=said_id,
            briefing_id=run["briefing_id"],
            kept=zlib.compress(_json(fields).encode()),
            given=frozenset(c for c in given.get(execution_id, ()) if c in contents),
        )
    return docs


def _kept(
    run: dict[str, Any], outputs: list[tuple[Any, ...]], allocations: list[tuple[Any, ...]]
) -> dict[str, Any]:
    """The small fields that are indexed, and the values behind ``tags``."""
    sources = list(dict.fromkeys(_plain(source) for source, _ in allocations if source))
    paths = [path_of(s) for s in sources if not s.startswith(("text:", "-"))]
    paths += [_plain(p) if p else _file_path(c) for k, c, p in outputs if k == "deliverable"]
    texts = [_output_text(*output) for output in outputs]
    texts += [_plain(run["error_message"])] if run["error_message"] else []
    kinds = dict.fromkeys(kind for kind, _, _ in outputs if kind)
    has = {
        "message": run["final_message"] is not None,
        "deliverable": "deliverable" in kinds,
        "validation": "validation_result" in kinds,
        "insight": "insight" in kinds,
        "error": "error" in kinds or bool(run["error_message"]),
        "bundle": run["bundle_version_id"] is not None,
        "doubt": run["unverified"] is not None,
        "usage": run["input_tokens"] is not None or run["output_tokens"] is not None,
    }
    tags = {
        "agent": [run["agent_type"]],
        "status": [run["status"]],
        "model": [run["model"], run["resolved_model"]],
        "session": [run["session_id"]],
        "phase": [run["phase"]],
        "source": [run["source"]],
        "project": [run["project"]],
        "type": list(kinds),
        "has": [name for name, there in has.items() if there],
        "file": list(dict.fromkeys(path for path in paths if path)),
    }
    return {
        "scope": _plain(run["scope"]),
        "outputs": "\n".join(dict.fromkeys(text for text in texts if text)),
        "sources": sources,
        "tags": {kind: [_plain(v) for v in values if v] for kind, values in tags.items()},
    }


def _plain(value: Any) -> str:
    """Text as it can be stored and tokenized: raw SQL may have put anything there."""
    if isinstance(value, str) and value.isascii() and "\0" not in value:
        return value
    if value is None:
        return ""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _time(value: Any) -> str:
    """When the run was deployed; one of no known time is the oldest."""
    at = as_time(value)
    return at if isinstance(at, str) and _TIME.fullmatch(at) else "0001-01-01T00:00:00.000Z"


def _file_path(content: Any) -> str:
    """The path in a deliverable's content, which is the path itself or the proposal's JSON."""
    found = _decoded(content)
    if isinstance(found, dict):
        return _plain(found.get("file_path"))
    return _plain(content) if found is None else ""


def _output_text(kind: str | None, content: Any, path: Any) -> str:
    """The words of an output: a deliverable's path, else what its text or JSON says."""
    if kind == "deliverable":
        return _plain(path) or _file_path(content)
    found = _decoded(content)
    return _plain(content) if found is None else "\n".join(_leaves(found))


def _decoded(content: Any) -> Any:
    text = _plain(content)
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _leaves(value: Any) -> Iterator[str]:
    """``lint fail``, ``coverage 85``: the names and values in JSON, one a line."""
    rest = [("", value)]
    while rest:
        name, value = rest.pop()
        if isinstance(value, dict):
            rest += [(_plain(key), inner) for key, inner in reversed(value.items())]
        elif isinstance(value, list):
            rest += [(name, inner) for inner in reversed(value)]
        elif value is not None:
            yield f"{name} {_plain(value)}".strip()


def _living(record: Record, column: str, values: Iterable[Any]) -> dict[Any, int]:
    """The contents among these that were not redacted, by ``column``."""
    return dict(
        record.sql(
            f"SELECT {column}, content_id FROM contents WHERE encoding <> 'gone' "
            f"AND {column} IN (SELECT value FROM json_each(?))",
            [json.dumps(list(values))],
        )
    )


class IndexedTexts:
    """The final messages and briefings of some docs, read at once."""

    def __init__(self, record: Record, docs: list[Document]) -> None:
        said = {doc.said_id for doc in docs if doc.said_id is not None}
        self._said = {
            content_id: content_text(encoding, data)
            for content_id, encoding, data in record.sql(
                "SELECT content_id, encoding, data FROM contents "
                "WHERE content_id IN (SELECT value FROM json_each(?))",
                [json.dumps(list(said))],
            )
        }
        briefings = {doc.briefing_id for doc in docs if doc.briefing_id is not None}
        self._briefings = {
            briefing_id: briefing_text(parts)
            for briefing_id, parts in record.sql(
                "SELECT briefing_id, parts FROM briefings "
                "WHERE briefing_id IN (SELECT value FROM json_each(?))",
                [json.dumps(list(briefings))],
            )
        }

    def said(self, doc: Document) -> str:
        return self._said.get(doc.said_id, "") if doc.said_id is not None else ""

    def briefing(self, doc: Document) -> str:
        return self._briefings.get(doc.briefing_id, "") if doc.briefing_id is not None else ""


def briefing_text(parts: str) -> str:
    """The literal text of a briefing, without the items it quotes."""
    return "\n".join(_plain(value) for kind, value in json.loads(parts) if kind == "text")


def small_fields(kept: bytes) -> dict[str, Any]:
    """``scope``, ``outputs`` and ``sources`` as they were indexed, for snippets."""
    fields: dict[str, Any] = json.loads(zlib.decompress(kept))
    return fields


def content_text(encoding: str, data: bytes) -> str:
    return _plain(zlib.decompress(data) if encoding == "zlib" else bytes(data))
