"""What a hub is asked for a query, as a query of PostgreSQL's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orch_tui.hub.hub_query import PlaceCheck, QueryTranslator, all_of, any_of
from orch_tui.models.database import Record
from orch_tui.search.language import parse_query
from orch_tui.search.origins import KnownOrigin

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ORIGINS = (
    KnownOrigin("o-ann", True, True, ("ann",), ("ann-laptop",)),
    KnownOrigin("o-bob", False, False, ("bob",), ("bob-desk",)),
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("vector ", "'vector'"),
        ("vector sear", "'vector' & 'sear':*"),
        ("it's ", "(('it' <-> 's') | ('\ue96c' & 'it' & 's'))"),
        ("-draft ", "'\ue97a' & !('draft')"),
        ("agent:a,b x ", "'x' & ('\ue961a':* | '\ue961b':*)"),
        ('agent:"A" ', "'\ue961a'"),
        ("C++", "'\ue9652b' & 'c'"),
        ("person:bob ", "'\ue972o-bob'"),
        ("-person:bob ", "'\ue97a' & !('\ue972o-bob')"),
        ("person:bob,mine ", ""),
    ],
)
def test_words_and_filters_are_lexemes(record: Record, text: str, words: str) -> None:
    asked = QueryTranslator(record, ORIGINS).translate(
        parse_query(text, NOW), None, include_archived=False
    )
    assert asked.words == words
    assert [condition.sql for condition in asked.conditions] == ["NOT s.archived"]
    assert not asked.finds_nothing


@pytest.mark.parametrize("text", ["person:nobody", "-person:ann,bob", "machine:nowhere x"])
def test_who_is_nobody_finds_nothing(record: Record, text: str) -> None:
    asked = QueryTranslator(record, ORIGINS).translate(
        parse_query(text, NOW), None, include_archived=True
    )
    assert asked.finds_nothing and not asked.conditions


def test_a_project_is_searched_by_its_key(record: Record) -> None:
    translator = QueryTranslator(record, ORIGINS)
    asked = translator.translate(parse_query("", NOW), ("example.org/a",), include_archived=True)
    assert (asked.words, asked.is_plain) == ("'\ue96aexample.org/a'", True)
    other = translator.translate(
        parse_query("project:x", NOW), ("example.org/a",), include_archived=True
    )
    assert (other.words, other.is_plain) == ("'\ue96ax':*", False)


def test_a_phrase_is_looked_for_where_places_are_lacking() -> None:
    def is_met(text: str, *texts: str) -> bool:
        return PlaceCheck(parse_query(text, NOW)).is_met(texts)

    assert is_met('"the error" end', "the end", "is the error")
    assert not is_met('"the error"', "the", "error")
    assert not is_met('-"the error"', "is the error")
    assert is_met('-"the error"', "error the")
    assert is_met('"the err', "the error")


def test_alternatives_and_all_are_put_together() -> None:
    assert any_of([]) == "" and any_of(["a"]) == "a" and any_of(["a", "b"]) == "(a | b)"
    assert all_of([], []) == "" and all_of(["a", ""], ["b"]) == "a & !(b)"
