"""What is typed, and what is understood of it."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orch_tui.models.creation import create_schema
from orch_tui.search.language import (
    FILTERS,
    FilterValue,
    Query,
    QueryFilter,
    QueryWord,
    any_word_expression,
    filters_in_words,
    list_written_filters,
    parse_query,
    remove_filter,
)
from orch_tui.search.matching import WordMatcher, find_spans, word_matchers
from orch_tui.search.schema import GIVEN, INDEX_TABLES, TEXTS
from orch_tui.search.tokens import COMMON_TOKEN, FoldedText, filter_token, render_index_text
from tests.counts import COUNTS

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def read(text: str) -> Query:
    return parse_query(text, NOW)


def matchers(text: str) -> tuple[WordMatcher, ...]:
    return word_matchers(read(text).required_words)


def test_words_phrases_and_exclusions() -> None:
    query = read('vector "exact phrase" -draft -"not this" ind')
    assert query.words == (
        QueryWord(("vector",)),
        QueryWord(("exact", "phrase")),
        QueryWord(("draft",), excluded=True),
        QueryWord(("not", "this"), excluded=True),
        QueryWord(("ind",), unfinished=True),
    )
    assert not query.mistakes


def test_a_space_or_a_closing_quote_ends_the_last_word() -> None:
    assert read("vector ").words == (QueryWord(("vector",)),)
    assert read('"vector').words == (QueryWord(("vector",), unfinished=True),)
    assert read('"vector"').words == (QueryWord(("vector",)),)


def test_a_path_is_a_phrase_of_its_parts() -> None:
    assert read("lib/vector-search.ts ").words == (QueryWord(("lib", "vector", "search", "ts")),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("agent:task", QueryFilter("agent", (FilterValue("task"),))),
        (
            'agent:"task-implementor"',
            QueryFilter("agent", (FilterValue("task-implementor", exact=True),)),
        ),
        ("AGENT:x", QueryFilter("agent", (FilterValue("x"),))),
        ("-agent:a,b", QueryFilter("agent", (FilterValue("a"), FilterValue("b")), excluded=True)),
        (
            'file:"my notes.md",lib/a',
            QueryFilter("file", (FilterValue("my notes.md", True), FilterValue("lib/a"))),
        ),
        ("file:./lib/a.py:10-80", QueryFilter("file", (FilterValue("lib/a.py"),))),
        ("file:lib/a.py#Parser.parse", QueryFilter("file", (FilterValue("lib/a.py"),))),
        ("file:lib/a.py:10-", QueryFilter("file", (FilterValue("lib/a.py"),))),
        ("file:c#/a.py", QueryFilter("file", (FilterValue("c#/a.py"),))),
        ("file:c#", QueryFilter("file", (FilterValue("c#"),))),
        ("file:exec-003:message", QueryFilter("file", (FilterValue("exec-003:message"),))),
        ("status:waiting", QueryFilter("status", (FilterValue("deployed", True),))),
        (
            "status:f,comp",
            QueryFilter("status", (FilterValue("failed", True), FilterValue("completed", True))),
        ),
        ("type:valid", QueryFilter("type", (FilterValue("validation_result", True),))),
        ("phase:execute", QueryFilter("phase", (FilterValue("3", True),))),
        ("has:mess", QueryFilter("has", (FilterValue("message", True),))),
    ],
)
def test_filters(text: str, expected: QueryFilter) -> None:
    query = read(text)
    assert query.filters == (expected,)
    assert not query.words
    assert not query.mistakes


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("staus:failed", "status:failed"),
        ('walrus -Staus:failed agnet:"a b" ', 'walrus -status:failed agent:"a b" '),
        ("zzqx:x", ""),
        ("status:failed https://x", ""),
    ],
)
def test_what_is_probably_meant_is_told_whole(text: str, meant: str) -> None:
    assert read(text).meant == meant


def test_a_value_without_letters_is_one_where_values_are_no_words() -> None:
    assert read("model:*** ").filters == (QueryFilter("model", (FilterValue("***"),)),)
    assert not read("agent:- model:*** session:+").mistakes


def test_a_filter_without_its_value_yet_asks_for_nothing() -> None:
    assert read("agent: vector ") == Query(words=(QueryWord(("vector",)),))
    assert read('agent:"').match_expression() == ""


@pytest.mark.parametrize(
    ("text", "words", "mistake"),
    [
        ("agnet:x", ("agnet", "x"), "there is no field agnet; the nearest is agent: agent:x"),
        (
            "agnet:x y",
            ("agnet", "x", "y"),
            "there is no field agnet; the nearest is agent: agent:x",
        ),
        ('agnet:"x" ', ("agnet", "x"), 'there is no field agnet; the nearest is agent: agent:"x"'),
        ("zzqx:x ", ("zzqx", "x"), 'there is no field zzqx; as words it is "zzqx:x"'),
        ("status:lost x", ("x",), "status:lost is none of deployed, waiting, completed, failed"),
        ("since:soon x", ("x",), "'soon' is no date or time"),
        ("-since:2d x", ("x",), "say until:"),
        ("(( x", ("x",), "'((' holds no letter, digit or sign"),
        ("given:(( x", ("x",), "holds no letter, digit or sign"),
    ],
)
def test_mistakes_are_named_and_the_rest_is_searched(
    text: str, words: tuple[str, ...], mistake: str
) -> None:
    query = read(text)
    assert [token for word in query.words for token in word.tokens] == list(words)
    assert len(query.mistakes) == 1
    assert mistake in query.mistakes[0]


@pytest.mark.parametrize("text", ["https://example.org", "TypeError: no", "std::vector", "12:30"])
def test_what_only_looks_like_a_filter_is_no_mistake(text: str) -> None:
    query = read(text)
    assert query.words
    assert not query.mistakes


def test_times_are_local_days_and_the_narrowest_counts() -> None:
    query = read("since:7d since:2026-11-20 until:2026-11-21 until:today")
    assert query.since == "2026-11-20T00:00:00.000Z"
    assert query.until == "2026-11-21T23:59:59.999Z"


def test_of_several_times_those_that_are_times_count() -> None:
    query = read("since:soon,2026-11-20,2026-11-19 until:never,2026-11-21,2026-11-22")
    assert query.since == "2026-11-20T00:00:00.000Z"
    assert query.until == "2026-11-21T23:59:59.999Z"
    assert len(query.mistakes) == 2
    assert read("-since:2d").mistakes == ("-since: is not understood; say until:",)
    assert read("-until:2d").mistakes == ("-until: is not understood; say since:",)


def test_a_known_value_in_quotes_is_the_whole_value() -> None:
    assert read('status:"failed"').filters == (
        QueryFilter("status", (FilterValue("failed", True),)),
    )
    assert read('status:"fail"').mistakes


def test_the_filters_are_named_in_a_line_of_help() -> None:
    named = filters_in_words().split(" ")
    assert named[:3] == ["agent:", "status:", "model:"]
    assert named == [f"{name}:" for name in FILTERS]


def test_what_is_excluded_is_a_whole_word() -> None:
    assert read("-vec").words == (QueryWord(("vec",), excluded=True),)
    assert read('-"vec tor').words == (QueryWord(("vec", "tor"), excluded=True),)


def test_dashes_alone_are_still_to_be_typed() -> None:
    for text in ("-", "--", '-"', "word -"):
        assert not read(text).mistakes
    assert read("word -").words == (QueryWord(("word",)),)


def test_what_cannot_be_in_a_text_parts_words() -> None:
    assert read("a\0b ").words == (QueryWord(("a",)), QueryWord(("b",)))
    assert read("lone\ud800letter ").words == (QueryWord(("lone", "letter")),)


def test_a_query_is_read_up_to_its_limits() -> None:
    assert read("x " * 60).mistakes == ()
    assert read("x " * 61).mistakes == ("only the first 60 words and filters are searched for",)
    assert read("x" * 2000).mistakes == ()
    assert read("x" * 2001).mistakes == ("only the first 2000 characters are searched for",)
    assert read("x" * 2001).words == (QueryWord(("x" * 2000,), unfinished=True),)
    assert len(read("agent:a " * 30 + "x " * 31).words) == 30


def test_one_letter_does_not_constrain_yet() -> None:
    assert read("vector s").match_expression() == '"vector"'
    assert read("s").match_expression() == ""
    assert read("s ").match_expression() == '"s"'
    assert read("lib/s").match_expression() == '"lib"'
    assert read("7").match_expression() == ""
    assert read("sea").match_expression() == '"sea"*'
    assert read("搜").match_expression() == '"搜"*'
    assert read("agent:s given:s").match_expression() == f'("{filter_token("agent", "s")}"*)'
    assert list(read("given:s given:se,s").given_alternatives()) == []


def test_a_letter_that_is_typed_to_its_end_is_a_word() -> None:
    assert [word.tokens for word in read("vector s ").required_words] == [("vector",), ("s",)]
    assert [word.tokens for word in read("lib/s ").required_words] == [("lib", "s")]
    assert [word.tokens for word in read("vector 索").required_words] == [("vector",), ("索",)]


@pytest.mark.parametrize(
    ("text", "is_sign", "is_checked", "is_in_texts"),
    [
        ("→ ", True, False, False),
        ("→→ ", False, True, True),
        ("f→ ", False, True, True),
        ("f ", False, False, False),
        ("-a=>b ", False, True, True),
    ],
)
def test_one_sign_is_known_to_the_index_and_several_are_looked_for_in_the_texts(
    text: str, is_sign: bool, is_checked: bool, is_in_texts: bool
) -> None:
    query = read(text)
    (word,) = query.words
    assert (word.is_sign, word.is_checked) == (is_sign, is_checked)
    assert query.is_in_texts is is_in_texts
    assert query.checked_words == query.words * is_checked


def test_a_part_of_a_text_is_looked_for_in_the_texts() -> None:
    query = read("agent:a part:indexe ")
    assert [each.name for each in query.parts] == ["part"]
    assert query.is_in_texts and query.checked_words == ()
    assert not read("agent:a part:in ").is_in_texts, "it is too short"
    assert [each.name for each in query.told_filters] == ["agent"]


@pytest.mark.parametrize(
    ("text", "finds_nothing"),
    [
        ("", False),
        ("(( ", True),
        ("-(( ))", True),
        ("(( x ", False),
        ("(( agent:x", False),
        ("(( since:2d", False),
        ("(( since:soon", True),
    ],
)
def test_what_asks_only_for_what_cannot_be_searched_finds_nothing(
    text: str, finds_nothing: bool
) -> None:
    assert read(text).finds_nothing is finds_nothing


def test_a_quotation_without_its_end_is_still_to_be_typed() -> None:
    assert read('x "a b').unfinished == ('the quotation "a b has no end: it lacks a "',)
    assert read('agent:"a b').unfinished == ('the quotation "a b has no end: it lacks a "',)
    assert read('x "a b" agent:"a b" ').unfinished == ()


def test_signs_and_pairs_are_asked_for_of_an_index_that_has_them() -> None:
    signs = read("f→ 搜索引 ")
    assert signs.match_expression(version=4) == '"f" AND "搜索引"*'
    assert signs.match_expression(version=5) == signs.match_expression()
    assert signs.match_expression() == '("\ue965e28692" AND "f") AND "搜索 索引"'


def test_two_letters_are_asked_for_as_the_three_letter_beginnings_the_index_has() -> None:
    match = read("lib/se").match_expression()
    assert match.startswith('("lib se" OR "lib sea"* OR "lib seb"*')
    assert match.endswith('"lib se9"*)')
    assert match.count(" OR ") == 36
    assert read("搜索").match_expression() == '"搜索"'
    assert read("搜索引").match_expression() == '"搜索 索引"'
    assert read('"后50条ab"').match_expression() == '"后 50 条 ab"'


def test_phrases_stay_phrases() -> None:
    query = read('"Exact Phrase" -"not this" -draft lib/sea')
    assert query.match_expression() == (
        '("exact phrase" AND "lib sea"*) NOT ("not this" OR "draft")'
    )
    assert [word.tokens for word in query.required_words] == [("exact", "phrase"), ("lib", "sea")]


def test_contents_are_asked_for_phrases() -> None:
    query = read('given:"Exact Phrase",Éxa')
    ((words, excluded),) = query.given_alternatives()
    assert (any_word_expression(words), excluded) == ('"exact phrase" OR "exa"*', False)
    ((words, excluded),) = read("-given:lib/abc").given_alternatives()
    assert (any_word_expression(words), excluded) == ('"lib abc"*', True)


def test_only_exclusions_exclude_from_everything() -> None:
    assert read("-draft ").match_expression() == f'("{COMMON_TOKEN}") NOT ("draft")'


def test_a_value_matches_from_its_beginning_and_in_quotes_as_a_whole() -> None:
    token = filter_token("agent", "task")
    assert read("agent:Task").match_expression() == f'("{token}"*)'
    assert read('agent:"task"').match_expression() == f'("{token}")'
    assert read('agent:"task",x').match_expression() == (
        f'("{token}" OR "{filter_token("agent", "x")}"*)'
    )
    assert read('word -agent:"task"').match_expression() == f'("word") NOT (("{token}"))'
    assert Query().match_expression([token]) == f'("{token}")'
    assert Query().match_expression(["a", "b"]) == '("a" OR "b")'


def test_a_huge_query_is_cut_and_says_so() -> None:
    query = read("word " * 10_000)
    assert len(query.words) == 60
    assert len(query.mistakes) == 2


@pytest.fixture(scope="module")
def index() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    create_schema(connection)
    connection.execute(f"INSERT INTO {TEXTS} (rowid, texts) VALUES (1, 'vector search')")
    return connection


PIECES = st.sampled_from(
    ["-", '"', ":", ",", " ", "agent:", "given:", "since:", "NOT", "AND(", "*", "^", "NEAR(", "\0"]
    + [
        "vec",
        "{tags}",
        "C++",
        "a::b",
        "登录",
        "ข้",
        "part:",
        "\u2705",
        "--x",
        "ß",
        "\ud800",
        "\u202e",
        "e\u0301",
        "İ",
        "\U0001f600",
        "²",
        "\ue961",
        "'",
    ]
)


@pytest.mark.slow
@settings(max_examples=COUNTS.fuzz_inputs)
@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_whatever_is_typed_is_a_query_the_index_accepts(
    index: sqlite3.Connection, text: str
) -> None:
    query = read(text)
    for name, expression in (
        (TEXTS, query.match_expression()),
        *((GIVEN, any_word_expression(words)) for words, _ in query.given_alternatives()),
    ):
        if expression:
            index.execute(
                f"SELECT rowid FROM {name} WHERE {name} MATCH ? LIMIT 1", [expression]
            ).fetchall()
    for start, end in find_spans(text, word_matchers(query.required_words)):
        assert 0 <= start < end <= len(text)


@pytest.mark.slow
@given(st.lists(st.text(alphabet="abcé-_/. Ж", min_size=1).filter(lambda w: w.strip("-_/. "))))
def test_what_stands_in_a_text_is_found_by_typing_it(words: list[str]) -> None:
    """Every text that is not a filter or an exclusion finds itself."""
    text = " ".join(words)
    typed = " ".join(word for word in text.split() if not word.startswith("-"))
    query = read(typed)
    folded = FoldedText(text)
    assert all(any(matcher.spans(folded)) for matcher in word_matchers(query.required_words))
    if not query.match_expression():
        return
    connection = sqlite3.connect(":memory:")
    for statement in INDEX_TABLES:
        connection.execute(statement)
    connection.execute(
        f"INSERT INTO {TEXTS} (rowid, texts) VALUES (1, ?)", [render_index_text([text])]
    )
    found = connection.execute(
        f"SELECT rowid FROM {TEXTS} WHERE {TEXTS} MATCH ?", [query.match_expression()]
    ).fetchall()
    assert found == [(1,)]
    connection.close()


def test_each_filter_is_found_in_its_text_and_taken_out_of_it() -> None:
    text = 'fold agent:impl,"a b" -status:failed words since:7d file: has:nothing'
    written = list_written_filters(text)
    assert [(each.name, each.values, each.excluded, each.understood) for each in written] == [
        ("agent", ("impl", "a b"), False, True),
        ("status", ("failed",), True, True),
        ("since", ("7d",), False, True),
        ("has", ("nothing",), False, False),
    ]
    assert [text[each.start : each.end] for each in written] == [
        *('agent:impl,"a b"', "-status:failed", "since:7d", "has:nothing"),
    ]
    left = 'fold agent:impl,"a b" words since:7d file: has:nothing'
    assert remove_filter(text, written[1]) == left
    for text, left in (
        ("agent:a", ""),
        ("agent:a words", "words"),
        ("words agent:a", "words"),
        ("more  agent:a  words", "more words"),
    ):
        assert remove_filter(text, list_written_filters(text)[0]) == left


@given(st.text(max_size=60) | st.from_regex(r"(-?(agent|since|has):[^ ]{0,5} ?){1,6}"))
def test_taking_out_every_filter_leaves_none(text: str) -> None:
    while written := list_written_filters(text):
        shorter = remove_filter(text, written[-1])
        assert len(shorter) < len(text)
        text = shorter
