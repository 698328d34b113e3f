"""What runs and contents are found by on a hub: the words that the local index cuts, as vectors.

A vector (``tsvector``) holds the words of a run where they stand, and the values of its filters.
The words are cut by FTS5 itself, in memory, out of the very text that the local index is given
(`search.documents`, `search.tokens`), so that the same query finds the same runs. Weights tell
scope (A), the beginning of the final message (B), its rest (C) and other texts (D).

PostgreSQL keeps 256 places of a word, up to the 16,383rd word of a text, and a megabyte of it all;
what is longer is marked (`LONG`), so that a phrase that may stand where no places are kept is
looked for in the texts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

from orch_tui.frozen import frozen
from orch_tui.models.database import Record
from orch_tui.search.documents import (
    Document,
    IndexedTexts,
    build_documents,
    clean_text,
    unpack_small_fields,
)
from orch_tui.search.tokens import (
    COMMON_TOKEN,
    TEXTS_APART,
    filter_lexeme,
    path_suffixes,
    render_index_text,
)

MOST_PLACES = 255
"""Places of a word that a vector keeps."""

LAST_PLACE = 16_383
"""The last place that a vector can tell."""

MOST_BYTES = 1_000_000
"""Of a vector; words behind them are left out. PostgreSQL takes 48,575 more."""

BYTES_WITH_PLACES = 700_000
"""Of a vector; words behind them are without their places."""

LONGEST_WORD = 500
"""Characters of a word by which it is known; PostgreSQL takes 2,046 bytes."""

LONG = filter_lexeme("long", "")
"""Stands in the vector of a text of which not all places are kept."""

EVERY = COMMON_TOKEN
"""Stands in the vector of every run."""

_OPENING_WORDS = 160
"""Words of a message that weigh more than those behind them."""

_SCOPE, _MESSAGE = 0, 1  # where they stand among the texts of a run


@frozen
class SearchRow:
    """What is on a hub, beside its figures, to find a run by.

    ``at`` is when it was deployed; ``words`` the vector as PostgreSQL reads it; ``given`` the
    SHA-256 of each content that it was given. ``other`` holds the texts that are searched beside
    scope, message and error, with ``TEXTS_APART`` between two.
    """

    at: str
    words: str
    archived: bool
    given: tuple[bytes, ...]
    other: str


def make_search_rows(
    record: Record, execution_ids: Sequence[str], *, with_texts: bool = True
) -> dict[str, SearchRow]:
    """Make the rows of some runs as the tables have them now; none of retracted ones.

    ``with_texts``: whether what they were about, said, read and wrote may be known there, or
    figures and names alone.
    """
    documents = build_documents(record, list(execution_ids))
    texts = IndexedTexts(record, list(documents.values()))
    places = _load_places(record, list(documents))
    given = _load_given(record, documents.values())
    cutter = WordCutter()
    fields = {e: unpack_small_fields(document.small_fields) for e, document in documents.items()}
    cut = cutter.cut(
        [
            "\n".join(
                (
                    TEXTS_APART,
                    render_index_text(
                        (
                            fields[e]["scope"],
                            fields[e].get("message", texts.message(document)),
                            fields[e]["outputs"],
                            *fields[e]["sources"],
                            texts.briefing(document),
                            *fields[e].get("session", ()),
                        )
                    ),
                )
            )
            if with_texts
            else ""
            for e, document in documents.items()
        ]
    )
    rows = {}
    for (e, document), words in zip(documents.items(), cut, strict=True):
        contents = tuple(sorted(given[c] for c in document.given_content_ids)) if with_texts else ()
        lexemes = [EVERY, *_filter_lexemes(fields[e]["filters"], places[e], with_texts)]
        lexemes += map(content_name, contents)
        others = (
            (
                fields[e]["outputs"],
                *fields[e]["sources"],
                *fields[e].get("session", ()),
                texts.briefing(document),
            )
            if with_texts
            else ()
        )
        rows[e] = SearchRow(
            at=document.deployed_at,
            words=render_vector(words, lexemes, weigh=True),
            archived=document.archived,
            given=contents,
            other=TEXTS_APART.join(filter(None, others)),
        )
    return rows


def make_content_words(texts: Sequence[str]) -> list[str]:
    """Make the vectors of contents that runs were given."""
    cut = WordCutter().cut([render_index_text([text]) for text in texts])
    return [render_vector(words, (), weigh=False) for words in cut]


def content_name(sha256: bytes) -> str:
    """Make what stands for a content in the vectors of the runs that were given it."""
    return filter_lexeme("given", sha256.hex())


def origin_lexeme(uid: str) -> str:
    """Make what stands in the vectors of the runs of an origin."""
    return filter_lexeme("origin", uid)


@frozen
class _Place:
    """Whose a run is: the uid of its origin, what all call its session, the key of its project."""

    origin_uid: str
    session: str
    project: str


def _load_places(record: Record, ids: list[str]) -> dict[str, _Place]:
    import json

    own = record.rows("SELECT uid, name FROM origins WHERE mine AND closed_at IS NULL LIMIT 1")
    own_uid, own_name = (own[0]["uid"], own[0]["name"]) if own else ("", "")
    rows = record.sql(
        "SELECT e.execution_id, o.uid, s.session_id, s.origin_id, "
        "coalesce(e.run_project, s.project_key, s.project) "
        "FROM agent_executions AS e LEFT JOIN sessions AS s USING (session_id) "
        "LEFT JOIN origins AS o ON o.origin_id = e.origin_id "
        "WHERE e.execution_id IN (SELECT value FROM json_each(?))",
        [json.dumps(ids)],
    )
    return {
        execution_id: _Place(
            uid or own_uid,
            clean_text(session) + (f"@{own_name}" if origin is None and own_name else ""),
            clean_text(project),
        )
        for execution_id, uid, session, origin, project in rows
    }


def _load_given(record: Record, documents: Iterable[Document]) -> dict[int, bytes]:
    import json

    ids = {content_id for document in documents for content_id in document.given_content_ids}
    return dict(
        record.sql(
            "SELECT content_id, sha256 FROM contents "
            "WHERE content_id IN (SELECT value FROM json_each(?))",
            [json.dumps(sorted(ids))],
        )
    )


_OF_FIGURES = ("agent", "status", "model", "phase", "source", "type", "has")
"""The filters whose values tell nothing of a text."""


def _filter_lexemes(
    filters: dict[str, list[str]], place: _Place, with_texts: bool
) -> Iterator[str]:
    """List the values of the filters of a run, as they are the same on every machine."""
    for name in _OF_FIGURES:
        yield from (filter_lexeme(name, value) for value in filters.get(name, ()))
    yield origin_lexeme(place.origin_uid)
    yield filter_lexeme("session", place.session)
    if place.project:
        yield filter_lexeme("project", place.project)
    if not with_texts:
        return
    for name in filters["session"][1:]:  # the first is its label here
        yield filter_lexeme("session", name)
    for path in filters["file"]:
        yield from (filter_lexeme("file", ending) for ending in path_suffixes(path))


# Cutting


class WordCutter:
    """Cuts texts into words as the local index does: by FTS5, in memory."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", isolation_level=None)
        self._database.execute(
            "CREATE VIRTUAL TABLE texts USING fts5(text, content='', tokenize='unicode61')"
        )
        self._database.execute("CREATE VIRTUAL TABLE words USING fts5vocab('texts', 'instance')")

    def cut(self, texts: Sequence[str]) -> list[dict[str, list[int]]]:
        """Cut each text into its words, each with the places where it stands, from 0."""
        database = self._database
        database.execute("BEGIN")
        database.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", enumerate(texts))
        found: list[dict[str, list[int]]] = [{} for _ in texts]
        with closing(database.execute("SELECT term, doc, offset FROM words")) as rows:
            for word, number, place in rows:
                found[number].setdefault(word, []).append(place)
        database.execute("ROLLBACK")
        return found


def render_vector(words: dict[str, list[int]], lexemes: Iterable[str], *, weigh: bool) -> str:
    """Render a vector as PostgreSQL reads it, of words with their places and lexemes without."""
    bounds = sorted(words.pop(COMMON_TOKEN, ()))
    weights = _Weights(bounds) if weigh else None
    is_long = False
    said: list[str] = []
    size = 0
    for word, places in words.items():
        kept = [place + 1 for place in places[:MOST_PLACES] if place < LAST_PLACE]
        is_long |= len(kept) < len(places)
        size += len(word[:LONGEST_WORD].encode()) + 8
        if size + 2 * len(kept) > BYTES_WITH_PLACES:
            kept, is_long = [], True
        if size > MOST_BYTES:
            break
        size += 2 * len(kept)
        where = ",".join(
            map(str, kept) if weights is None else (f"{at}{weights.of(at - 1)}" for at in kept)
        )
        said.append(f"{quote_lexeme(word)}:{where}" if where else quote_lexeme(word))
    said += map(quote_lexeme, dict.fromkeys(lexemes))
    if is_long:
        said.append(quote_lexeme(LONG))
    return " ".join(said)


class _Weights:
    """Which weight a place has by the texts that end at the bounds."""

    def __init__(self, bounds: Sequence[int]) -> None:
        far = 2**62
        starts = [*bounds, far, far, far]
        self._scope = starts[_SCOPE]
        self._message = starts[_MESSAGE]
        self._opening = min(starts[_MESSAGE] + _OPENING_WORDS, starts[_MESSAGE + 1])
        self._rest = starts[_MESSAGE + 1]

    def of(self, place: int) -> str:
        if self._scope < place < self._message:
            return "A"
        if self._message < place <= self._opening:
            return "B"
        return "C" if self._message < place < self._rest else ""


def quote_lexeme(word: str) -> str:
    """Quote a word as vectors and queries of PostgreSQL hold it."""
    return "'" + word[:LONGEST_WORD].replace("\\", "\\\\").replace("'", "''") + "'"
