"""One execution as it is indexed: as the tables have it now, and as the index holds it."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import STORED_BYTES, inflate, unpack_bytes, unpack_parts
from orch_tui.models.values import as_time, readable, timestamp, unnamed_scope, whole_number
from orch_tui.search.schema import INDEXED_EXECUTION_COLUMNS
from orch_tui.search.tokens import (
    TEXTS_APART,
    filter_token,
    path_suffix_tokens,
    render_index_text,
)
from orch_tui.source_name import path_of

_SLOT_SECONDS = 10
_EPOCH = datetime(2015, 1, 1, tzinfo=UTC).timestamp()
_OFTEN = (
    b'{"scope":"","outputs":"","sources":["docs/","tests/","src/","lib/",".md",".py",".ts"],'
    b'"filters":{"agent":["general-purpose"],"status":["completed"],"model":["claude-sonnet-",'
    b'"claude-opus-","claude-haiku-"],"session":["orch-202"],"phase":["3"],"source":["hook"],'
    b'"project":["/home/"],"type":["deliverable","validation_result"],'
    b'"has":["message","deliverable","validation","bundle","usage"],"file":["'
)
"""What is in most small fields, for zlib; of one version of the index, as all that is stored."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


def first_docid(at: str) -> int:
    """Give the least docid that a run deployed at this time can have: the number of its slot."""
    try:
        moment = datetime.fromisoformat(at).timestamp()
    except ValueError:
        return 1
    return max(1, int((moment - _EPOCH) // _SLOT_SECONDS))


def slot_end(docid: int) -> str:
    """Give the time before which all runs of this docid or a lower one were deployed."""
    return timestamp(datetime.fromtimestamp(_EPOCH + (docid + 1) * _SLOT_SECONDS, UTC))


@frozen
class Document:
    """What is indexed of one execution. The message and the briefing stand elsewhere."""

    deployed_at: str
    archived: bool
    message_content_id: int | None
    briefing_id: int | None
    small_fields: bytes
    """Compressed JSON of what `unpack_small_fields` gives."""
    given_content_ids: frozenset[int]

    def same_text_as(self, other: Document) -> bool:
        """Tell whether both have the same text, so that only what is beside it changed."""
        mine = (self.message_content_id, self.briefing_id, self.small_fields)
        return mine == (other.message_content_id, other.briefing_id, other.small_fields)

    def index_text(self, message: str, briefing: str) -> str:
        """Render all that is indexed, each text apart from the others."""
        fields = unpack_small_fields(self.small_fields)
        texts = (
            *(fields["scope"], fields.get("message", message), fields["outputs"]),
            *(*fields["sources"], briefing, *fields["session"]),
        )
        tokens = " ".join(_filter_tokens(fields["filters"]))
        return f"{tokens}{TEXTS_APART}{render_index_text(texts)}"


def _filter_tokens(filters: dict[str, list[str]]) -> Iterator[str]:
    for name, values in filters.items():
        if name != "file":
            yield from (filter_token(name, value) for value in values)
    for path in filters["file"]:
        yield from path_suffix_tokens(path)


class Indexed(NamedTuple):
    """A document in the index."""

    docid: int
    version: int
    document: Document


def load_indexed(record: Record, ids: list[str]) -> dict[str, Indexed]:
    """Load what the index holds of these executions."""
    listed = json.dumps(ids, default=readable)
    given: dict[int, set[int]] = {}
    for docid, content_id in record.sql(
        "SELECT g.docid, g.content_id FROM json_each(?) AS j "
        "CROSS JOIN search_docs AS d ON d.execution_id = j.value "
        "CROSS JOIN search_given AS g ON g.docid = d.docid",
        [listed],
    ):
        given.setdefault(docid, set()).add(content_id)
    return {
        execution_id: Indexed(
            docid,
            version,
            Document(at, bool(archived), message, briefing, small, frozenset(given.get(docid, ()))),
        )
        for execution_id, docid, version, at, archived, message, briefing, small in record.sql(
            "SELECT execution_id, docid, index_version, deployed_at, archived, "
            "message_content_id, briefing_id, small_fields "
            "FROM search_docs WHERE execution_id IN (SELECT value FROM json_each(?))",
            [listed],
        )
    }


def build_documents(record: Record, ids: list[str]) -> dict[str, Document]:
    """Build from the tables what to index of these executions; nothing of retracted ones."""
    listed = json.dumps(ids, default=readable)
    runs = record.rows(
        f"SELECT e.{INDEXED_EXECUTION_COLUMNS.replace(', ', ', e.')}, e.handed_over_id, "
        "s.project, s.archived_at, s.scope AS session_scope, s.title, s.claude_session "
        "FROM agent_executions AS e LEFT JOIN sessions AS s USING (session_id) "
        "WHERE e.execution_id IN (SELECT value FROM json_each(?)) AND e.retracted_at IS NULL",
        [listed],
    )
    outputs = _group_by_execution(
        record.sql(
            "SELECT execution_id, output_type, content, path FROM outputs "
            "WHERE execution_id IN (SELECT value FROM json_each(?)) AND retracted_at IS NULL "
            "ORDER BY output_id",
            [listed],
        )
    )
    allocations = _group_by_execution(
        record.sql(
            "SELECT execution_id, context_source, content_id FROM context_allocations "
            "WHERE execution_id IN (SELECT value FROM json_each(?)) "
            "AND included_in_deployment IS NOT 0 AND arrived IS NOT 0 ORDER BY allocation_id",
            [listed],
        )
    )
    return _assemble_documents(record, runs, outputs, allocations)


def _group_by_execution(rows: list[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    grouped: dict[str, list[tuple[Any, ...]]] = {}
    for execution_id, *row in rows:
        grouped.setdefault(execution_id, []).append(tuple(row))
    return grouped


def _assemble_documents(
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
        run["execution_id"]: hashlib.sha256(clean_text(run["final_message"]).encode()).digest()
        for run in runs
        if run["final_message"] is not None
    }
    message_ids = _find_living_contents(record, "sha256", digests.values())
    living = _find_living_contents(
        record, "content_id", {c for some in given.values() for c in some}
    )
    documents = {}
    for run in runs:
        execution_id = run["execution_id"]
        message_id = message_ids.get(digests.get(execution_id))
        fields = _collect_small_fields(
            run, outputs.get(execution_id, []), allocations.get(execution_id, [])
        )
        if message_id is None and run["final_message"] is not None:
            fields["message"] = clean_text(run["final_message"])
        documents[execution_id] = Document(
            deployed_at=_deployment_time(run["deployed_at"]),
            archived=run["archived_at"] is not None,
            message_content_id=message_id,
            briefing_id=whole_number(run["handed_over_id"] or run["briefing_id"]),
            small_fields=_pack(fields),
            given_content_ids=frozenset(c for c in given.get(execution_id, ()) if c in living),
        )
    return documents


def _collect_small_fields(
    run: dict[str, Any], outputs: list[tuple[Any, ...]], allocations: list[tuple[Any, ...]]
) -> dict[str, Any]:
    """Collect the short texts that are indexed, and the values of each filter."""
    sources = list(dict.fromkeys(clean_text(source) for source, _ in allocations if source))
    paths = [path_of(source) for source in sources]
    paths += [
        clean_text(p) if p else _deliverable_path(c) for k, c, p in outputs if k == "deliverable"
    ]
    names = _session_names(run)
    texts = [_render_output(*output) for output in outputs]
    texts += [clean_text(run["error_message"])] if run["error_message"] else []
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
    filters = {
        "agent": [run["agent_type"]],
        "status": [run["status"]],
        "model": _model_names(run["resolved_model"] or run["model"]),
        "session": [run["session_id"], *names],
        "phase": [run["phase"]],
        "source": [run["source"]],
        "project": [run["run_project"] or run["project"]],
        "type": list(kinds),
        "has": [name for name, there in has.items() if there],
        "file": list(dict.fromkeys(path for path in paths if path)),
    }
    return {
        "scope": clean_text(run["scope"]),
        "outputs": "\n".join(dict.fromkeys(text for text in texts if text)),
        "sources": sources,
        "session": names,
        "filters": {kind: [clean_text(v) for v in values if v] for kind, values in filters.items()},
    }


def _model_names(model: Any) -> list[str]:
    """List what a model is called: by its full name, and without the maker's in front."""
    name = clean_text(model)
    return list(dict.fromkeys((name, name.removeprefix("claude-"))))


def _session_names(run: dict[str, Any]) -> list[str]:
    """List what the session of a run is called: its scope and its title, where they differ.

    A session that nobody named has no name: its words would find all such sessions.
    """
    names = dict.fromkeys(clean_text(run[column]) for column in ("session_scope", "title"))
    unnamed = unnamed_scope(run["claude_session"]) if run["claude_session"] else ""
    return [name for name in names if name not in ("", unnamed)]


def clean_text(value: Any) -> str:
    """Make text that can be stored and tokenized: raw SQL may have put anything there."""
    if isinstance(value, str) and value.isascii() and "\0" not in value:
        return value
    if value is None:
        return ""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def _pack(fields: dict[str, Any]) -> bytes:
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    packer = zlib.compressobj(zdict=_OFTEN)
    return packer.compress(text.encode()) + packer.flush()


def _deployment_time(value: Any) -> str:
    """Read when the run was deployed; one of no known time is the oldest."""
    at = as_time(value)
    return at if isinstance(at, str) and _TIME.fullmatch(at) else "0001-01-01T00:00:00.000Z"


def _deliverable_path(content: Any) -> str:
    """Read the path in a deliverable's content, which is the path or the proposal's JSON."""
    found = _decode_json(content)
    if isinstance(found, dict):
        return clean_text(found.get("file_path"))
    return clean_text(content) if found is None else ""


def _render_output(kind: str | None, content: Any, path: Any) -> str:
    """Render the words of an output: a deliverable's path, else what its text or JSON says."""
    if kind == "deliverable":
        return clean_text(path) or _deliverable_path(content)
    found = _decode_json(content)
    return clean_text(content) if found is None else "\n".join(_render_json(found))


def _decode_json(content: Any) -> Any:
    text = clean_text(content)
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _render_json(value: Any) -> Iterator[str]:
    """Render the names and values in JSON, one a line: ``lint fail``, ``coverage 85``."""
    rest = [("", value)]
    while rest:
        name, value = rest.pop()
        if isinstance(value, dict):
            rest += [(clean_text(key), inner) for key, inner in reversed(value.items())]
        elif isinstance(value, list):
            rest += [(name, inner) for inner in reversed(value)]
        elif value is not None:
            yield f"{name} {clean_text(value)}".strip()


def _find_living_contents(record: Record, column: str, values: Iterable[Any]) -> dict[Any, int]:
    """Find the contents among these that were not redacted, by ``column``."""
    wanted = list(values)
    found: dict[Any, int] = {}
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        found |= dict(
            record.sql(
                f"SELECT {column}, content_id FROM contents WHERE encoding <> 'gone' "
                f"AND {column} IN ({', '.join('?' * len(some))})",
                some,
            )
        )
    return found


class IndexedTexts:
    """The final messages and briefings of some documents, read at once."""

    def __init__(self, record: Record, documents: list[Document]) -> None:
        ids = {d.message_content_id for d in documents if d.message_content_id is not None}
        self._messages: dict[int | None, str] = {
            content_id: decode_content(encoding, data)
            for content_id, encoding, data in record.sql(
                f"SELECT content_id, encoding, {STORED_BYTES} FROM contents "
                "WHERE content_id IN (SELECT value FROM json_each(?))",
                [json.dumps(list(ids))],
            )
        }
        briefings = {d.briefing_id for d in documents if d.briefing_id is not None}
        self._briefings: dict[int | None, str] = {
            briefing_id: extract_briefing_text(parts)
            for briefing_id, parts in record.sql(
                "SELECT briefing_id, parts FROM briefings "
                "WHERE briefing_id IN (SELECT value FROM json_each(?))",
                [json.dumps(list(briefings))],
            )
        }

    def message(self, document: Document) -> str:
        return self._messages.get(document.message_content_id, "")

    def briefing(self, document: Document) -> str:
        return self._briefings.get(document.briefing_id, "")


def extract_briefing_text(parts: str | bytes) -> str:
    """Extract the literal text of a briefing, without the items it quotes."""
    return "\n".join(clean_text(str(said)) for kind, said in unpack_parts(parts) if kind == "text")


def load_other_texts(record: Record, docid: int) -> Iterator[tuple[str, str]]:
    """Load what was indexed of a run besides its scope and message, by name, most telling first."""
    packed, briefing_id = record.sql(
        "SELECT small_fields, briefing_id FROM search_docs WHERE docid = ?", [docid]
    )[0]
    fields = unpack_small_fields(packed)
    yield "outputs", fields["outputs"]
    yield "sources", "\n".join(fields["sources"])
    if briefing_id is not None:
        parts = record.value("SELECT parts FROM briefings WHERE briefing_id = ?", [briefing_id])
        yield "briefing", extract_briefing_text(parts)
    yield "session", "\n".join(fields.get("session", ()))


def unpack_small_fields(packed: bytes) -> dict[str, Any]:
    """Unpack ``scope``, ``outputs``, ``sources``, ``session`` (its names) and ``filters`` (their
    values) as indexed.

    ``message`` is there only where the final message is no content of the record, and ``session``
    since version 3 of the index.
    """
    fields: dict[str, Any] = json.loads(read_small_fields(packed))
    return fields


def read_small_fields(packed: bytes) -> str:
    """Read the JSON that `unpack_small_fields` decodes."""
    return inflate(packed, _OFTEN).decode()


def decode_content(encoding: str, stored: bytes | None) -> str:
    """Decode a stored content to text."""
    return clean_text(unpack_bytes(encoding, stored))
