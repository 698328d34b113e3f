"""Where in a text stands what is looked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orch_tui.search.language import parse_query
from orch_tui.search.matching import (
    LettersMatcher,
    WordMatcher,
    find_spans,
    make_markers,
    word_matchers,
)
from orch_tui.search.tokens import FoldedText

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def matchers(text: str) -> tuple[WordMatcher, ...]:
    return word_matchers(parse_query(text, NOW).required_words)


def test_marks_stand_on_whole_words() -> None:
    text = "Restart: the art of STARTING a start-up, stärt"
    marked = [text[a:b] for a, b in find_spans(text, matchers('"start" '))]
    assert marked == ["start", "stärt"]
    assert [text[a:b] for a, b in find_spans(text, matchers("start"))] == [
        "START",
        "start",
        "stärt",
    ]
    assert [text[a:b] for a, b in find_spans(text, matchers('"start up" the of'))] == [
        "the",
        "of",
        "start-up",
    ]


def test_a_word_is_marked_also_where_what_ends_in_it_stands_before() -> None:
    text = "ab b_b, b b b; bb"
    assert find_spans(text, matchers('"b b" ')) == ((3, 6), (8, 11))


def test_a_word_is_counted_where_it_is_marked() -> None:
    text = "start restart start_up starting start"
    for query, times in (('"start" ', 3), ("start", 4), ('"start up" ', 1), ("end", 0)):
        (matcher,) = matchers(query)
        assert matcher.count(text) == len([*matcher.spans(FoldedText(text))]) == times


def test_marks_that_overlap_or_touch_are_one() -> None:
    assert find_spans("x a b c d a b", matchers('"a b" "b c" ')) == ((2, 7), (10, 13))
    assert find_spans("a b c", matchers('"a b c" "b" ')) == ((0, 5),)


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("search ", "vectorSearch searching research Search", ["Search", "Search"]),
        ("search", "searching reSearched", ["search", "Search"]),
        ("http ", "getHTTPResponse HTTPS http2", ["HTTP", "http"]),
        ("1137 ", "PR1137 11370 1137", ["1137", "1137"]),
        ('"vector search"', "vectorSearch vectorsearch", ["vectorSearch"]),
        ("登录", "我们登录了gen登录", ["登录", "登录"]),
        ("gen后 ", "gen后 regen后", ["gen后"]),
        ("C++ ", "C++ abc++ c++11 c", ["C++", "c++"]),
        ("a::b ", "a::b aa::b a::bb", ["a::b"]),
        ("--flag", "--flags -flag", ["--flag"]),
        ("given:walrus", "the walrus", ["walrus"]),
        ("part:alru", "the walrus", ["alru"]),
        ("-part:alru", "the walrus", []),
        ("strasse", "die STRASSE, Straße", ["STRASSE", "Straße"]),
        ("file ", "ﬁle Ｆｉｌｅ", ["ﬁle", "Ｆｉｌｅ"]),
    ],
)
def test_what_a_query_looks_for_is_marked(query: str, text: str, marked: list[str]) -> None:
    assert [text[a:b] for a, b in find_spans(text, make_markers(query))] == marked


def test_letters_are_marked_wherever_they_stand() -> None:
    text = "Straße, strasse"
    assert [text[a:b] for a, b in find_spans(text, [LettersMatcher("ASS")])] == ["aß", "ass"]
    assert find_spans(text, [LettersMatcher("")]) == ()
