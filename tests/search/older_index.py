"""An index as version 1 made it."""

from __future__ import annotations

import json
import zlib

from orch_tui.models.database import Record
from orch_tui.models.facts import set_fact
from orch_tui.models.stored_bytes import STORED_BYTES
from orch_tui.search.documents import (
    IndexedTexts,
    decode_content,
    load_indexed,
    unpack_small_fields,
)
from orch_tui.search.schema import GIVEN, INDEX_VERSION_FACT, SEARCH_TRIGGERS, TEXTS
from orch_tui.search.tokens import COMMON_TOKEN

VERSION_1 = (
    "CREATE VIRTUAL TABLE search_index USING fts5"
    "(scope, said, outputs, sources, briefing, tags, content='', prefix='3', tokenize='unicode61')",
    "CREATE VIRTUAL TABLE given_index USING fts5"
    "(text, content='', prefix='3', tokenize='unicode61')",
    "CREATE VIRTUAL TABLE search_terms USING fts5vocab('search_index', 'instance')",
)


def make_version_1(record: Record) -> None:
    """Put the index into the tables of version 1, as that one was."""
    ids = [e for (e,) in record.sql("SELECT execution_id FROM search_docs ORDER BY docid")]
    with record.write():
        for table in ("search_terms", TEXTS, GIVEN):
            record.execute(f"DROP TABLE {table}")
        for statement in VERSION_1:
            record.execute(statement)
        for name, trigger in SEARCH_TRIGGERS.items():
            record.execute(f"DROP TRIGGER {name}")
            record.execute(trigger.replace(GIVEN, "given_index"))
        set_fact(record, INDEX_VERSION_FACT, "1")
        for content_id, *stored in record.sql(
            f"SELECT content_id, encoding, {STORED_BYTES} FROM contents "
            "WHERE content_id IN (SELECT content_id FROM search_given)"
        ):
            record.execute(
                "INSERT INTO given_index (rowid, text) VALUES (?, ?)",
                [content_id, decode_content(*stored)],
            )
        for held in load_indexed(record, ids).values():
            document, texts = held.document, IndexedTexts(record, [held.document])
            fields = unpack_small_fields(document.small_fields)
            tags, *_ = document.index_text("", "").split(COMMON_TOKEN)
            record.execute(
                "INSERT INTO search_index (rowid, scope, said, outputs, sources, briefing, tags) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    *(held.docid, fields["scope"], fields.get("message", texts.message(document))),
                    *(fields["outputs"], "\n".join(fields["sources"]), texts.briefing(document)),
                    f"{COMMON_TOKEN} {tags}",
                ],
            )
            record.execute(
                "UPDATE search_docs SET index_version = 1, small_fields = ? WHERE docid = ?",
                [zlib.compress(json.dumps(fields).encode()), held.docid],
            )
