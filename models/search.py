"""The full-text index of executions, and how it is kept true to the tables.

One row of ``search_index`` (FTS5, contentless) is one execution; its rowid, the *docid*, follows
the time of the run, so that "newest first" is a walk down the rowids and stops early. ``docid``
is the number of the ten-second slot the run was deployed in, or the next free one above; the
partial index on ``displaced`` tells how far above the furthest is, which makes a time a bound on
docids also for runs that were imported late.

A contentless index can forget a row only if it is told the very text it was given. That text is
never looked up in tables that anybody may edit: ``search_docs.kept`` holds the small fields, and
the final message and the briefing are kept as the ids of immutable rows, which triggers refuse to
change while they are indexed. So nothing done to the record with raw SQL can corrupt the index;
other triggers note in ``search_pending`` which executions it no longer tells the truth about.

Filters are answered by the index too: column ``tags`` holds one token for each value of each
filter, its UTF-8 bytes in hexadecimal, so that the beginning of a value is the beginning of its
token. ``given_index`` holds every content that was given to an agent once.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from orch_tui.models.values import as_time

if TYPE_CHECKING:
    from orch_tui.models.database import Record

COLUMNS = ("scope", "said", "outputs", "sources", "briefing", "tags")

_TOKENIZER = "content='', prefix='3', tokenize='unicode61'"
"""Prefixes of two and three letters cost 0.35 of the text more than those of three alone."""

SEARCH_TABLES = (
    """CREATE TABLE search_docs (
docid INTEGER PRIMARY KEY,
execution_id TEXT NOT NULL UNIQUE,
at TEXT NOT NULL,
displaced INTEGER NOT NULL,
archived INTEGER NOT NULL,
said_id INTEGER,
briefing_id INTEGER,
kept BLOB NOT NULL
)""",
    "CREATE INDEX search_docs_displaced ON search_docs (displaced) WHERE displaced > 0",
    "CREATE INDEX search_docs_said ON search_docs (said_id) WHERE said_id IS NOT NULL",
    "CREATE INDEX search_docs_briefing ON search_docs (briefing_id) WHERE briefing_id IS NOT NULL",
    """CREATE TABLE search_given (
docid INTEGER NOT NULL,
content_id INTEGER NOT NULL,
PRIMARY KEY (docid, content_id)
) WITHOUT ROWID""",
    "CREATE INDEX search_given_content ON search_given (content_id, docid)",
    "CREATE TABLE search_pending (execution_id TEXT NOT NULL)",
    f"CREATE VIRTUAL TABLE search_index USING fts5({', '.join(COLUMNS)}, {_TOKENIZER})",
    f"CREATE VIRTUAL TABLE given_index USING fts5(text, {_TOKENIZER})",
    "CREATE VIRTUAL TABLE search_terms USING fts5vocab('search_index', 'instance')",
    # The default of 1 MB makes bulk loading half as fast; nothing else changes.
    "INSERT INTO search_index (search_index, rank) VALUES ('hashsize', 16777216)",
    "INSERT INTO given_index (given_index, rank) VALUES ('hashsize', 16777216)",
)


def _stale(name: str, event: str, *references: str) -> tuple[str, str]:
    # Not one row per execution: the conflict clause of the statement that fires a trigger
    # (INSERT OR FAIL ...) would overrule an INSERT OR IGNORE in here.
    marks = "".join(
        f"INSERT INTO search_pending (execution_id) SELECT {reference}.execution_id "
        f"WHERE {reference}.execution_id IS NOT NULL; "
        for reference in references
    )
    return name, f"CREATE TRIGGER {name} AFTER {event} BEGIN {marks}END"


_EXECUTION_COLUMNS = (
    "execution_id, session_id, agent_type, deployed_at, status, scope, model, resolved_model, "
    "final_message, error_message, phase, source, briefing_id, bundle_version_id, input_tokens, "
    "output_tokens, retracted_at, unverified"
)
_ALLOCATION_COLUMNS = (
    "execution_id, context_type, context_source, content_id, included_in_deployment"
)
_OUTPUT_COLUMNS = "execution_id, output_type, content, path, retracted_at"

SEARCH_TRIGGERS = dict(
    trigger
    for table, columns in (
        ("agent_executions", _EXECUTION_COLUMNS),
        ("context_allocations", _ALLOCATION_COLUMNS),
        ("outputs", _OUTPUT_COLUMNS),
    )
    for trigger in (
        _stale(f"search_{table}_insert", f"INSERT ON {table}", "NEW"),
        _stale(f"search_{table}_update", f"UPDATE OF {columns} ON {table}", "OLD", "NEW"),
        _stale(f"search_{table}_delete", f"DELETE ON {table}", "OLD"),
    )
) | {
    "search_sessions_update": """CREATE TRIGGER search_sessions_update
AFTER UPDATE OF project, archived_at ON sessions
WHEN NEW.project IS NOT OLD.project
OR (NEW.archived_at IS NULL) <> (OLD.archived_at IS NULL)
BEGIN INSERT INTO search_pending (execution_id)
SELECT execution_id FROM agent_executions WHERE session_id = NEW.session_id; END""",
}

_INDEXED_CONTENT = (
    "EXISTS (SELECT 1 FROM search_docs WHERE said_id = OLD.content_id) "
    "OR EXISTS (SELECT 1 FROM given_index WHERE rowid = OLD.content_id)"
)
_INDEXED_BRIEFING = "EXISTS (SELECT 1 FROM search_docs WHERE briefing_id = OLD.briefing_id)"
SEARCH_TRIGGERS |= {
    f"search_keeps_{table}_{event.split()[0].lower()}": (
        f"CREATE TRIGGER search_keeps_{table}_{event.split()[0].lower()} "
        f"BEFORE {event} ON {table} WHEN {indexed} "
        f"BEGIN SELECT RAISE(ABORT, '{table}: what is indexed for search stays as it is'); END"
    )
    for table, columns, indexed in (
        ("contents", "content_id, encoding, data", _INDEXED_CONTENT),
        ("briefings", "briefing_id, parts", _INDEXED_BRIEFING),
    )
    for event in (f"UPDATE OF {columns}", "DELETE")
}

# Tokens and docids

KINDS = {
    "agent": "a",
    "file": "f",
    "has": "h",
    "model": "m",
    "phase": "p",
    "project": "j",
    "session": "s",
    "source": "o",
    "status": "t",
    "type": "y",
}
"""The filters that ``tags`` answers, and the letter that begins their tokens."""

_EVERY = "z"
_LONGEST_VALUE = 400  # bytes
_SLOT = 10  # seconds
_EPOCH = datetime(2015, 1, 1, tzinfo=UTC).timestamp()
_DEEPEST = 12  # folders of a path that are told apart
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_LINES_OR_SYMBOL = re.compile(r"(:\d+(-\d*)?|#.*)$")


@lru_cache(maxsize=4096)
def tag(kind: str, value: str) -> str:
    """The token of one filter value. A private-use letter keeps it apart from words of texts."""
    data = value.lower().encode("utf-8", "replace")[:_LONGEST_VALUE]
    return chr(0xE900 + ord(KINDS[kind])) + data.hex()


def tag_value(token: str) -> str:
    """The (lower-cased) value that `tag` made the token of."""
    return bytes.fromhex(token[1:]).decode("utf-8", "replace")


EVERY = chr(0xE900 + ord(_EVERY))
"""The token that every execution has."""


def path_of(source: str) -> str:
    """The path in a context source: without line range, symbol and leading ``./``."""
    return _LINES_OR_SYMBOL.sub("", source).removeprefix("./")


def slot(at: str) -> int:
    """The slot of a time in the record's form: the least docid a run of that time can have."""
    try:
        moment = datetime.fromisoformat(at).timestamp()
    except ValueError:
        return 1
    return max(1, int((moment - _EPOCH) // _SLOT))


# Keeping the index true


def refresh_pending(record: Record) -> None:
    """Bring the index up to date with every execution marked in ``search_pending``.

    Part of every write transaction, just before it is committed.
    """
    pending = [
        execution_id
        for (execution_id,) in record.sql("SELECT DISTINCT execution_id FROM search_pending")
    ]
    if pending:
        refresh(record, pending)
        record.execute("DELETE FROM search_pending")


def refresh(record: Record, execution_ids: Iterable[str]) -> None:
    """Index what the tables say of these executions now; forget those that are gone.

    Runs inside the caller's transaction. Ids in the order of time are indexed fastest.
    """
    rest = iter(execution_ids)
    while batch := list(islice(rest, 1000)):
        _refresh(record, batch)


def rebuild(record: Record) -> None:
    """Make the whole index anew from the tables, inside the caller's transaction."""
    for index in ("search_index", "given_index"):
        record.execute(f"INSERT INTO {index} ({index}) VALUES ('delete-all')")
    for table in ("search_docs", "search_given", "search_pending"):
        record.execute(f"DELETE FROM {table}")
    ids = record.sql("SELECT execution_id FROM agent_executions ORDER BY deployed_at, rowid")
    refresh(record, (execution_id for (execution_id,) in ids))
    optimize(record)


def optimize(record: Record) -> None:
    """Merge the index into one piece: removed words leave the file, searches touch fewer pages.

    Worth its time (about 60 microseconds an execution) after a big import too: a small write
    may otherwise be the one that has to merge what the import left.
    """
    for index in ("search_index", "given_index"):
        record.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")


def check(record: Record) -> list[str]:
    """What is wrong with the index, measured against the tables; nothing, normally."""
    problems = []
    pending = {e for (e,) in record.sql("SELECT DISTINCT execution_id FROM search_pending")}
    ids = [e for (e,) in record.sql("SELECT execution_id FROM agent_executions ORDER BY rowid")]
    ids += [
        e
        for (e,) in record.sql(
            "SELECT execution_id FROM search_docs WHERE execution_id NOT IN "
            "(SELECT execution_id FROM agent_executions)"
        )
    ]
    wrong = [
        execution_id
        for start in range(0, len(ids), 1000)
        for execution_id in _differing(record, ids[start : start + 1000])
        if execution_id not in pending
    ]
    if wrong:
        named = ", ".join(wrong[:3]) + (", ..." if len(wrong) > 3 else "")
        problems.append(f"the search index is not up to date for {len(wrong)} executions: {named}")
    for index, expected in (
        ("search_index", "SELECT docid FROM search_docs"),
        ("given_index", "SELECT content_id FROM contents WHERE encoding <> 'gone'"),
    ):
        lost = f"SELECT rowid FROM {index} EXCEPT {expected}"
        if record.value(f"SELECT count(*) FROM ({lost})"):
            problems.append(f"{index} holds rows that nothing refers to")
    if record.value(
        "SELECT count(*) FROM (SELECT docid FROM search_docs EXCEPT SELECT rowid FROM search_index)"
    ) or record.value(
        "SELECT count(*) FROM search_given WHERE content_id NOT IN (SELECT rowid FROM given_index)"
    ):
        problems.append("rows of the search index are missing")
    return problems + (_broken(record) if record.writable else [])


def _broken(record: Record) -> list[str]:
    from orch_tui.errors import RecordError

    problems = []
    for index in ("search_index", "given_index"):
        try:
            record.execute(f"INSERT INTO {index} ({index}) VALUES ('integrity-check')")
        except RecordError as error:
            problems.append(f"{index} is corrupt: {error}")
    return problems


# One execution, as it is indexed


@dataclass(frozen=True, slots=True)
class _Doc:
    """``kept`` is the compressed JSON of the small fields (see `_kept`)."""

    at: str
    archived: bool
    said_id: int | None
    briefing_id: int | None
    kept: bytes
    given: frozenset[int]

    def says(self, other: _Doc) -> bool:
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
    yield from dict.fromkeys(token for path in tags["file"] for token in _endings(path))


@lru_cache(maxsize=4096)  # the same files are given again and again
def _endings(path: str) -> tuple[str, ...]:
    """The tokens of a path and of what remains of it after each folder."""
    parts = path.split("/")
    starts = range(max(0, len(parts) - _DEEPEST), len(parts))
    endings = ["/".join(parts[start:]) for start in starts if parts[start]]
    return tuple(tag("file", ending) for ending in (*endings, path))


def _refresh(record: Record, ids: list[str]) -> None:
    new, old = _gathered(record, ids), _stored(record, ids)
    same = [e for e, doc in new.items() if e in old and old[e][1] == doc]
    for execution_id in same:
        del new[execution_id], old[execution_id]
    _write(record, new, old)


def _differing(record: Record, ids: list[str]) -> list[str]:
    new, old = _gathered(record, ids), _stored(record, ids)
    return [e for e in ids if new.get(e) != (old[e][1] if e in old else None)]


def _write(record: Record, new: dict[str, _Doc], old: dict[str, tuple[int, _Doc]]) -> None:
    """Replace ``old`` by ``new``, in ascending docids: FTS5 flushes whenever they step back."""
    if not new and not old:
        return
    docids = [(docid,) for docid, _ in old.values()]
    record.executemany("DELETE FROM search_docs WHERE docid = ?", docids)
    record.executemany("DELETE FROM search_given WHERE docid = ?", docids)
    placed = _placed(record, new, old)
    record.executemany(
        "INSERT INTO search_docs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (docid, e, doc.at, docid - slot(doc.at), doc.archived)
            + (doc.said_id, doc.briefing_id, doc.kept)
            for docid, e, doc in placed
        ),
    )
    record.executemany(
        "INSERT INTO search_given VALUES (?, ?)",
        ((docid, content_id) for docid, _, doc in placed for content_id in sorted(doc.given)),
    )
    before = dict(old.values())
    same = {docid for docid, _, doc in placed if docid in before and before[docid].says(doc)}
    changes = [(docid, "delete", doc) for docid, doc in old.values() if docid not in same]
    changes += [(docid, "insert", doc) for docid, _, doc in placed if docid not in same]
    changes.sort(key=lambda change: change[:2])
    texts = _Texts(record, [doc for _, _, doc in changes])
    command = {"delete": "delete", "insert": None}
    record.executemany(
        f"INSERT INTO search_index (search_index, rowid, {', '.join(COLUMNS)}) "
        f"VALUES (?, ?{', ?' * len(COLUMNS)})",
        (
            (command[change], docid, *doc.row(texts.said(doc), texts.briefing(doc)))
            for docid, change, doc in changes
        ),
    )
    _index_given(record, {content_id for _, _, doc in placed for content_id in doc.given})


def _placed(
    record: Record, new: dict[str, _Doc], old: dict[str, tuple[int, _Doc]]
) -> list[tuple[int, str, _Doc]]:
    """Every new doc with its docid: the one it had while its time is the same, else a free one."""
    placed = [(old[e][0], e, d) for e, d in new.items() if e in old and old[e][1].at == d.at]
    taken = {docid for docid, _, _ in placed}
    moving = sorted(
        (slot(d.at), d.at, e, d) for e, d in new.items() if e not in old or old[e][1].at != d.at
    )
    last = 0
    for first, _, execution_id, doc in moving:
        # From its slot up to the last one placed all is taken, where they overlap.
        last = max(first, last + 1)
        while last in taken or (last := _free(record, last)) in taken:
            last += 1
        placed.append((last, execution_id, doc))
    return sorted(placed, key=lambda place: place[0])


def _free(record: Record, docid: int) -> int:
    if not record.value("SELECT 1 FROM search_docs WHERE docid = ?", [docid]):
        return docid
    return int(
        record.value(
            "SELECT docid + 1 FROM search_docs AS d WHERE docid >= ? AND NOT EXISTS "
            "(SELECT 1 FROM search_docs AS n WHERE n.docid = d.docid + 1) ORDER BY docid LIMIT 1",
            [docid],
        )
    )


def _stored(record: Record, ids: list[str]) -> dict[str, tuple[int, _Doc]]:
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
            _Doc(at, bool(archived), said_id, briefing_id, kept, frozenset(given.get(docid, ()))),
        )
        for execution_id, docid, at, archived, said_id, briefing_id, kept in record.sql(
            "SELECT execution_id, docid, at, archived, said_id, briefing_id, kept "
            "FROM search_docs WHERE execution_id IN (SELECT value FROM json_each(?))",
            [listed],
        )
    }


def _gathered(record: Record, ids: list[str]) -> dict[str, _Doc]:
    """What the tables say of these executions; retracted ones are not searched."""
    listed = json.dumps(ids)
    runs = record.rows(
        f"SELECT e.{_EXECUTION_COLUMNS.replace(', ', ', e.')}, s.project, s.archived_at "
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
    return _docs(record, runs, outputs, allocations)


def _by_execution(rows: list[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    grouped: dict[str, list[tuple[Any, ...]]] = {}
    for execution_id, *row in rows:
        grouped.setdefault(execution_id, []).append(tuple(row))
    return grouped


def _docs(
    record: Record,
    runs: list[dict[str, Any]],
    outputs: dict[str, list[tuple[Any, ...]]],
    allocations: dict[str, list[tuple[Any, ...]]],
) -> dict[str, _Doc]:
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
        docs[execution_id] = _Doc(
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


class _Texts:
    """The final messages and briefings of some docs, read at once."""

    def __init__(self, record: Record, docs: list[_Doc]) -> None:
        said = {doc.said_id for doc in docs if doc.said_id is not None}
        self._said = {
            content_id: _text(encoding, data)
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

    def said(self, doc: _Doc) -> str:
        return self._said.get(doc.said_id, "") if doc.said_id is not None else ""

    def briefing(self, doc: _Doc) -> str:
        return self._briefings.get(doc.briefing_id, "") if doc.briefing_id is not None else ""


def briefing_text(parts: str) -> str:
    """The literal text of a briefing, without the items it quotes."""
    return "\n".join(_plain(value) for kind, value in json.loads(parts) if kind == "text")


def small_fields(kept: bytes) -> dict[str, Any]:
    """``scope``, ``outputs`` and ``sources`` as they were indexed, for snippets."""
    fields: dict[str, Any] = json.loads(zlib.decompress(kept))
    return fields


def _index_given(record: Record, content_ids: set[int]) -> None:
    """Index the contents that are not yet; their text never changes."""
    rows = record.sql(
        "SELECT content_id, encoding, data FROM contents "
        "WHERE content_id IN (SELECT value FROM json_each(?)) "
        "AND NOT EXISTS (SELECT 1 FROM given_index WHERE rowid = content_id) ORDER BY content_id",
        [json.dumps(list(content_ids))],
    )
    record.executemany(
        "INSERT INTO given_index (rowid, text) VALUES (?, ?)",
        ((content_id, _text(*data)) for content_id, *data in rows),
    )


def _text(encoding: str, data: bytes) -> str:
    return _plain(zlib.decompress(data) if encoding == "zlib" else bytes(data))
