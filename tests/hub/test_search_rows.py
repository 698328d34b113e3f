"""The vector of a run holds the words that the local index has of it, where they stand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from orch_tui.hub.search_rows import (
    EVERY,
    LONG,
    content_name,
    make_content_words,
    make_search_rows,
    origin_lexeme,
)
from orch_tui.models.database import Record
from orch_tui.record.opening import state_noted_changes
from orch_tui.search.tokens import TEXTS_APART, filter_lexeme
from tests.search.rows import give, put, put_output, put_session, rewrite

if TYPE_CHECKING:
    from psycopg import Connection

    Connect = Callable[..., Connection[Any]]

ODD = "vectorSearch don't 'quoted' back\\slash café 検索する C++ lib/a.py 100% größe"


@pytest.fixture
def record(record: Record) -> Record:
    record.before_commit.remove(state_noted_changes)
    put_session(record)
    return record


def test_a_vector_has_the_words_of_the_index_in_their_order(
    record: Record, connect: Connect
) -> None:
    put(record, {"scope": ODD, "final_message": "the error, then\nthe end"}, {"scope": "other"})
    put_output(record, "exec-000", "insight", "found it")
    give(record, "exec-000", "src/db/a.py", "what it holds")
    hub = connect()
    row = make_search_rows(record, ["exec-000"])["exec-000"]
    held = {
        word: (tuple(places or ()), "".join(weights or ()))
        for word, places, weights in hub.execute(
            "SELECT lexeme, positions, weights FROM unnest(%s::tsvector)", [row.words]
        )
    }
    indexed: dict[str, list[int]] = {}
    for word, offset in record.sql(
        "SELECT term, offset FROM search_terms JOIN search_docs ON docid = doc "
        "WHERE execution_id = 'exec-000' ORDER BY offset"
    ):
        indexed.setdefault(word, []).append(offset)
    texts = {word for word in indexed if not "\ue961" <= word[0] <= "\ue97a" or word[0] == "\ue965"}
    assert texts <= held.keys()
    first = indexed[EVERY][0]
    assert {word: held[word][0] for word in texts} == {
        word: tuple(place - first + 1 for place in indexed[word]) for word in texts
    }
    assert held["don"][1] == "A"
    assert held["error"][1] == "B"
    assert held["found"][1] == "D"
    for name, value in (("agent", "explore"), ("file", "db/a.py"), ("status", "completed")):
        assert filter_lexeme(name, value) in held
    assert EVERY in held
    assert content_name(hashlib.sha256(b"what it holds").digest()) in held
    assert row.other.split(TEXTS_APART) == ["found it", "src/db/a.py"]


def test_what_is_sent_without_texts_tells_none(record: Record) -> None:
    put(record, {"scope": "zanzibar", "final_message": "zanzibar"})
    give(record, "exec-000", "src/zanzibar.py", "zanzibar")
    row = make_search_rows(record, ["exec-000"], with_texts=False)["exec-000"]
    assert "zanzibar" not in row.words + row.other
    assert not row.given
    assert filter_lexeme("agent", "explore") in row.words


def test_whose_run_it_is_stands_in_its_vector(record: Record) -> None:
    for number, mine in ((7, 0), (8, 1)):
        rewrite(
            record,
            "INSERT INTO origins (origin_id, uid, machine, name, mine) "
            "VALUES (?1, 'u' || ?1, 'm', 'm' || ?1, ?2)",
            *(number, mine),
        )
    put(record, {"origin_id": 7}, {})
    rows = make_search_rows(record, ["exec-000", "exec-001"])
    assert origin_lexeme("u7") in rows["exec-000"].words
    assert origin_lexeme("u8") in rows["exec-001"].words
    assert filter_lexeme("session", "orch-2026-11-01-001@m8") in rows["exec-001"].words


def test_a_text_too_long_for_a_vector_is_marked(record: Record, connect: Connect) -> None:
    hub = connect()
    short, often, many, vast = make_content_words(
        [
            "all of it",
            "again " * 300,
            " ".join(f"w{number}" for number in range(17_000)),
            " ".join(f"{number:x}{'word' * 30}" for number in range(9_000)),
        ]
    )
    for words, is_long in ((short, False), (often, True), (many, True), (vast, True)):
        ((found,),) = hub.execute("SELECT %s = ANY(tsvector_to_array(%s))", [LONG, words])
        assert found == is_long
