"""The tables of the search index, and the triggers that keep it honest.

One row of ``search_docs`` is one execution as it is indexed. Its *docid* follows the time of the
run, so that "newest first" is a walk down the rowids and stops early: it is the number of the
ten-second slot the run was deployed in, or the next free one above; the partial index on
``displaced`` tells how far above the furthest is, which makes a time a bound on docids also for
runs that were imported late.

The texts of a run are a row of an FTS5 table, with its docid for rowid: one column, since FTS5
names the column at each posting of any but the first. It begins with the tokens of filter values
(see `tokens`): filters are answered together with the words. In a table of their own without
positions they would take half of their 0.09 of the text, but two tables are joined one row after
another. ``given_index`` holds every content that was given to an agent once.

Both are contentless, and such a table can forget a row only if it is told the very text it was
given. That is never looked up in tables that anybody may edit: ``small_fields`` holds the short
texts, and the final message and the briefing are kept as the ids of immutable rows, which triggers
refuse to change while they are indexed. So nothing done to the record with raw SQL can corrupt the
index; other triggers note in ``search_pending`` which executions it no longer tells the truth
about.

The names of both tables end with the version of the index, and each row of ``search_docs`` says in
which version its execution is. What is of another version is indexed anew in shares
(`maintenance.index_older`); until then its tables are asked too, for those executions alone. The
fact `INDEX_VERSION_FACT` of the record is the version in which all were indexed last.
"""

from __future__ import annotations

INDEX_VERSION = 7
"""To be raised with every change of what is indexed of a run, or how."""

INDEX_VERSION_FACT = "index_version"

_TOKENIZER = "content='', prefix='3', tokenize='unicode61'"
"""Prefixes of two and three letters cost 0.35 of the text more than those of three alone."""


def texts_table(version: int = INDEX_VERSION) -> str:
    """Name the table of the texts of runs; that of version 1 had no number."""
    return f"search_index_{version}" if version > 1 else "search_index"


def given_table(version: int = INDEX_VERSION) -> str:
    """Name the table of what was given; up to version 4 it had no number."""
    return f"given_index_{version}" if version > 4 else "given_index"


TEXTS = texts_table()
GIVEN = given_table()

INDEX_TABLES = (
    f"CREATE VIRTUAL TABLE {TEXTS} USING fts5(texts, {_TOKENIZER})",
    f"CREATE VIRTUAL TABLE search_terms USING fts5vocab('{TEXTS}', 'instance')",
    # The default of 1 MB makes bulk loading half as fast; nothing else changes.
    f"INSERT INTO {TEXTS} ({TEXTS}, rank) VALUES ('hashsize', 16777216)",
    f"CREATE VIRTUAL TABLE {GIVEN} USING fts5(text, {_TOKENIZER})",
    f"INSERT INTO {GIVEN} ({GIVEN}, rank) VALUES ('hashsize', 16777216)",
)
"""What is made anew for another version of the index."""

SEARCH_TABLES = (
    """CREATE TABLE search_docs (
docid INTEGER PRIMARY KEY,
execution_id TEXT NOT NULL UNIQUE,
deployed_at TEXT NOT NULL,
displaced INTEGER NOT NULL,
archived INTEGER NOT NULL,
index_version INTEGER NOT NULL,
message_content_id INTEGER,
briefing_id INTEGER,
small_fields BLOB NOT NULL
)""",
    "CREATE INDEX search_docs_displaced ON search_docs (displaced) WHERE displaced > 0",
    "CREATE INDEX search_docs_version ON search_docs (index_version)",
    "CREATE INDEX search_docs_message ON search_docs (message_content_id) "
    "WHERE message_content_id IS NOT NULL",
    "CREATE INDEX search_docs_briefing ON search_docs (briefing_id) WHERE briefing_id IS NOT NULL",
    """CREATE TABLE search_given (
docid INTEGER NOT NULL,
content_id INTEGER NOT NULL,
PRIMARY KEY (docid, content_id)
) WITHOUT ROWID""",
    "CREATE INDEX search_given_content ON search_given (content_id, docid)",
    "CREATE TABLE search_pending (execution_id TEXT NOT NULL)",
    *INDEX_TABLES,
    # That of a record whose index was made before stays.
    "INSERT OR IGNORE INTO record_facts (name, value) "
    f"VALUES ('{INDEX_VERSION_FACT}', '{INDEX_VERSION}')",
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


INDEXED_EXECUTION_COLUMNS = (
    "execution_id, session_id, agent_type, deployed_at, status, scope, model, resolved_model, "
    "final_message, error_message, phase, source, briefing_id, bundle_version_id, input_tokens, "
    "output_tokens, retracted_at, unverified, run_project"
)
_ALLOCATION_COLUMNS = (
    "execution_id, context_type, context_source, content_id, included_in_deployment"
)
_OUTPUT_COLUMNS = "execution_id, output_type, content, path, retracted_at"

SEARCH_TRIGGERS = dict(
    trigger
    for table, columns in (
        ("agent_executions", INDEXED_EXECUTION_COLUMNS),
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
AFTER UPDATE OF project, archived_at, scope, title ON sessions
WHEN NEW.project IS NOT OLD.project OR NEW.scope IS NOT OLD.scope OR NEW.title IS NOT OLD.title
OR (NEW.archived_at IS NULL) <> (OLD.archived_at IS NULL)
BEGIN INSERT INTO search_pending (execution_id)
SELECT execution_id FROM agent_executions WHERE session_id = NEW.session_id; END""",
}

_INDEXED_CONTENT = (
    "EXISTS (SELECT 1 FROM search_docs WHERE message_content_id = OLD.content_id) "
    "OR EXISTS (SELECT 1 FROM search_given WHERE content_id = OLD.content_id) "
    f"OR EXISTS (SELECT 1 FROM {GIVEN} WHERE rowid = OLD.content_id)"
)
_SAME_BYTES = (
    "NEW.content_id = OLD.content_id AND (OLD.encoding = 'run' AND NEW.encoding IN ('raw', 'zlib') "
    "OR OLD.encoding IN ('raw', 'zlib') AND NEW.encoding = 'run' AND OLD.size = "
    "(SELECT length(CAST(final_message AS BLOB)) FROM agent_executions "
    "WHERE execution_id = CAST(NEW.data AS TEXT)))"
)
"""The engine moves the bytes of a final message; what they are stays (`models.stored_bytes`)."""

_INDEXED_BRIEFING = "EXISTS (SELECT 1 FROM search_docs WHERE briefing_id = OLD.briefing_id)"
SEARCH_TRIGGERS |= {
    f"search_keeps_{table}_{event.split()[0].lower()}": (
        f"CREATE TRIGGER search_keeps_{table}_{event.split()[0].lower()} "
        f"BEFORE {event} ON {table} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{table}: what is indexed for search stays as it is'); END"
    )
    for table, event, condition in (
        (
            "contents",
            "UPDATE OF content_id, encoding, data",
            f"({_INDEXED_CONTENT}) AND NOT ({_SAME_BYTES})",
        ),
        ("contents", "DELETE", _INDEXED_CONTENT),
        ("briefings", "UPDATE OF briefing_id, parts", _INDEXED_BRIEFING),
        ("briefings", "DELETE", _INDEXED_BRIEFING),
    )
}
