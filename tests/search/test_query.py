"""Finding executions, in order, in pages, with what matched."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orch_tui.errors import UsageError
from orch_tui.models.database import Record
from orch_tui.models.values import timestamp
from orch_tui.record.opening import open_record
from orch_tui.search import maintenance
from orch_tui.search.checking import Position
from orch_tui.search.language import parse_query
from orch_tui.search.query import (
    MAX_COUNTED,
    Cursor,
    IndexQuery,
    complete_filter_names,
    complete_filter_values,
    search,
)
from tests.counts import COUNTS
from tests.search.older_index import make_version_1
from tests.search.rows import (
    SESSION,
    START,
    give,
    put,
    put_briefing,
    put_output,
    put_session,
    rewrite,
)


def ids(record: Record, query: str, **options: Any) -> list[str]:
    """What is found, by number."""
    return [hit.execution_id.removeprefix("exec-") for hit in search(record, query, **options).hits]


# What is found


def test_without_a_query_all_runs_come_newest_first(record: Record) -> None:
    put(record, {}, {}, {})
    page = search(record, "")
    assert [hit.execution_id for hit in page.hits] == ["exec-002", "exec-001", "exec-000"]
    assert (page.total, page.more, page.count_text, page.next_before) == (3, False, "3", None)


def test_an_empty_record_finds_nothing(record: Record) -> None:
    assert search(record, "").hits == search(record, "anything at:all").hits == ()


def test_all_words_must_match_and_the_last_only_begin(record: Record) -> None:
    put(
        record,
        {"scope": "vector search", "final_message": "done"},
        {"scope": "vector index", "final_message": "searching"},
        {"scope": "search only"},
    )
    assert ids(record, "vector sear") == ["000", "001"]
    assert ids(record, "vector search ") == ["000"]
    assert ids(record, "vector se") == ["000", "001"]
    assert ids(record, "vector s") == ["001", "000"]
    assert ids(record, '"vector search"') == ["000"]
    assert ids(record, "search -vector") == ["002"]
    assert ids(record, "-vector") == ["002"]


def test_filters(record: Record) -> None:
    put_session(record, "orch-2026-11-02-001")
    put(
        record,
        {"agent_type": "systematic-debugger", "status": "failed", "model": "opus"},
        {"agent_type": "system-architect", "status": "deployed", "phase": 3, "source": "hook"},
        {"session_id": "orch-2026-11-02-001", "resolved_model": "claude-opus-4-8"},
    )
    put_output(record, "exec-000", "deliverable", "{}", path="lib/vector/Types.ts")
    put_output(record, "exec-001", "insight", "x")
    for query, expected in (
        ("agent:sys", ["001", "000"]),
        ("agent:system-", ["001"]),
        ('agent:"system"', []),
        ("agent:Systematic-Debugger", ["000"]),
        ("agent:systematic,explore", ["002", "000"]),
        ("-agent:sys", ["002"]),
        ("status:waiting", ["001"]),
        ("status:failed,completed", ["002", "000"]),
        ("model:claude", ["002"]),
        ("session:orch-2026-11-02", ["002"]),
        ("phase:3", ["001"]),
        ("phase:exec", ["001"]),
        ("source:hook", ["001"]),
        ("type:insight", ["001"]),
        ("has:deliverable", ["000"]),
        ("file:types.ts", ["000"]),
        ("file:vector/ty", ["000"]),
        ("file:lib/vector/types.ts", ["000"]),
        ("file:ector", []),
        ("agent:sys status:failed", ["000"]),
        ("agent:sys -status:failed", ["001"]),
    ):
        assert ids(record, query) == expected, query


def test_has_tells_what_is_recorded_of_a_run(record: Record) -> None:
    put(
        record,
        {"final_message": "done"},
        {"error_message": "no"},
        {"input_tokens": 7},
        {"output_tokens": 7},
        {"unverified": "says so, does not show it"},
        {},
        {},
        {},
        {},
    )
    for number, kind in (
        (5, "deliverable"),
        (6, "validation_result"),
        (7, "insight"),
        (8, "error"),
    ):
        put_output(record, f"exec-00{number}", kind, "x")
    for what, expected in (
        ("message", ["000"]),
        ("error", ["008", "001"]),
        ("usage", ["003", "002"]),
        ("doubt", ["004"]),
        ("deliverable", ["005"]),
        ("validation", ["006"]),
        ("insight", ["007"]),
        ("bundle", []),
    ):
        assert ids(record, f"has:{what}") == expected, what
        assert len(ids(record, f"-has:{what}")) == 9 - len(expected)
    assert ids(record, "has:de") == ["005"]
    assert ids(record, "has:d") == ["005", "004"]  # doubt and deliverable


def test_a_file_is_found_whatever_its_folders_are_called(record: Record) -> None:
    put(record, {}, {}, {}, {})
    sources = ("c#/A.cs:1-9", "c/A.cs", "-a.md", "exec-001:message")
    for number, source in enumerate(sources):
        give(record, f"exec-{number:03d}", source, source)
    for query, found in {
        "file:c#/A.cs": ["000"],
        "file:c#": ["000"],
        "file:c/": ["001"],
        "file:A.cs": ["001", "000"],
        "file:-a.md": ["002"],
        "file:exec-001:message": [],  # no file
    }.items():
        assert ids(record, query) == found, query


def test_given_searches_what_the_agents_were_given(record: Record) -> None:
    put(record, {"scope": "alpha"}, {"scope": "beta"}, {"scope": "alpha"})
    give(record, "exec-000", "a.md", "hierarchical navigable small worlds")
    give(record, "exec-001", "b.md", "hierarchical clustering")
    for query, expected in (
        ("given:hierarch", ["001", "000"]),
        ('given:"hierarchical navigable"', ["000"]),
        ("given:navig,clust", ["001", "000"]),
        ("given:hierarch given:navig", ["000"]),
        ("given:hierarch alpha ", ["000"]),
        ("alpha -given:hierarch", ["002"]),
        ("-given:hierarch", ["002"]),
        ("given:absent", []),
        ("given:h", ["002", "001", "000"]),  # one letter does not constrain yet
        ("hierarchical ", []),  # what was given is not what was said
    ):
        assert ids(record, query) == expected, query


def test_signs_in_what_was_given_count_beside_a_word_without(record: Record) -> None:
    put(record, {}, {}, {})
    for number, text in enumerate(("x=>y", "x y", "other")):
        give(record, f"exec-{number:03d}", f"{number}.md", text)
    assert ids(record, 'given:"x=>y" ') == ["000"]
    assert ids(record, 'given:"x=>y",other ') == ["002", "000"]
    assert ids(record, '-given:"x=>y" ') == ["002", "001"]


def test_given_by_nearly_all(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many givings are checked run by run, which must find the same."""
    monkeypatch.setattr("orch_tui.search.query._MAX_LISTED", 2)
    put(record, *({"scope": "alpha" if n % 2 else "beta"} for n in range(8)))
    for number in range(7):
        give(record, f"exec-{number:03d}", "a.md", "common constitution")
    assert ids(record, "given:constitution") == [f"00{n}" for n in range(6, -1, -1)]
    assert ids(record, "given:constitution status:completed alpha ") == ["005", "003", "001"]
    assert ids(record, "-given:constitution") == ["007"]
    assert ids(record, "alpha -given:constitution") == ["007"]


def test_times_bound_what_is_found_also_when_recorded_late(record: Record) -> None:
    moments = [START + timedelta(seconds=second) for second in (0, 1, 2, 3, 600)]
    put(record, *({"deployed_at": timestamp(at), "scope": "x"} for at in moments))
    for words in ("", "x "):
        assert ids(record, f"{words}until:2026-11-01T10:00:02") == ["002", "001", "000"]
        assert ids(record, f"{words}since:2026-11-01T10:00:02") == ["004", "003", "002"]
        assert ids(record, f"{words}since:2026-11-02") == []
        assert len(ids(record, f"{words}until:2026-11-01")) == 5


def test_runs_are_found_by_what_their_session_is_called(record: Record) -> None:
    put_session(record, "named", scope="Mend the build of Schätzungen", claude_session="c1")
    put(record, {"scope": "mend"}, {"session_id": "named", "final_message": "linker fixed"})
    for query in ("build mend", '"the build"', "schatzungen linker", "schat", 'session:"mend the'):
        assert [hit.execution_id for hit in search(record, query).hits] == ["exec-001"], query
    (hit,) = search(record, "build").hits
    assert hit.snippet == "Mend the build of Schätzungen"
    assert [hit.execution_id for hit in search(record, "mend -build ").hits] == ["exec-000"]
    rewrite(record, "UPDATE sessions SET scope = 'Ship it' WHERE session_id = 'named'")
    assert search(record, "build").hits == ()
    assert [hit.execution_id for hit in search(record, 'ship session:"Ship it"').hits] == [
        "exec-001"
    ]
    assert complete_filter_values(record, "session", "sh") == ("ship it",)
    assert maintenance.check(record) == []


def test_archived_sessions_are_hidden_unless_asked(record: Record) -> None:
    put(record, {"scope": "x"})
    rewrite(record, "UPDATE sessions SET archived_at = ?", timestamp(START))
    assert ids(record, "x") == ids(record, "") == []
    assert ids(record, "x", include_archived=True) == ["000"]


def test_a_project_sees_its_own(record: Record) -> None:
    put_session(record, "other", project="/p/q")
    put(record, {}, {"session_id": "other"})
    assert ids(record, "", project=("/p",)) == ["000"]
    assert ids(record, "project:/p") == ["001", "000"]


def test_who_reads_the_query_first_asks_the_same(record: Record) -> None:
    put(record, {"scope": "vector"}, {"scope": "other"}, {"scope": "a vector"})
    query = parse_query("vector ", START)
    assert search(record, query) == search(record, "vector ")


def test_fifty_are_shown_unless_asked_otherwise(record: Record) -> None:
    put(record, *({} for _ in range(51)))
    page = search(record, "")
    assert (len(page.hits), page.total) == (50, 51)
    assert page.next_before is not None
    assert len(search(record, "", limit=51).hits) == 51
    assert search(record, "", limit=51).next_before is None


def test_a_search_that_has_nothing_to_index_takes_no_lock(record: Record) -> None:
    put(record, {"scope": "vector"})
    told: list[str] = []
    record.connection.set_trace_callback(told.append)
    assert ids(record, "vector") == ["000"]
    record.connection.set_trace_callback(None)
    assert told and not any("IMMEDIATE" in statement for statement in told)


@pytest.mark.parametrize("older", [False, True])
def test_a_search_waits_for_no_writer(record: Record, older: bool) -> None:
    put(record, *({"final_message": f"the vector of run {n}"} for n in range(40)))
    if older:
        make_version_1(record)
    record.execute("UPDATE agent_executions SET scope = 'raw' WHERE execution_id = 'exec-007'")
    with Record(record.path) as other:
        other.execute("PRAGMA busy_timeout = 600000")  # whoever waits here waits for ever
        with record.write():
            record.execute("UPDATE agent_executions SET scope = 'not yet'")
            assert ids(other, "vector", limit=30) == [f"{n:03d}" for n in range(39, 9, -1)]
            assert ids(other, '"run 25"') == ["025"]
            assert ids(other, "raw") == ids(other, "yet") == []  # it was not indexed before
        assert len(ids(other, "yet")) == 40


def test_a_run_that_raw_sql_deleted_is_not_found_by_who_only_reads(record: Record) -> None:
    put(record, {"scope": "vector"}, {"scope": "vector"})
    record.execute("DELETE FROM agent_executions WHERE execution_id = 'exec-001'")
    with Record(record.path, writable=False) as reading:
        assert ids(reading, "vector") == ids(reading, "") == ["000"]


def test_an_index_of_another_version_is_asked_too(record: Record) -> None:
    put(record, {"scope": "vector one"}, {"scope": "vector two"}, {"scope": "vector three"})
    before = {text: ids(record, text) for text in ("vector", "vector tw", "", "-two")}
    make_version_1(record)  # there is no table of this version
    assert {text: ids(record, text) for text in before} == before
    assert ids(record, "vector", limit=2) == before["vector"][:2]
    assert complete_filter_values(record, "agent", "") == ("explore",)
    maintenance.index_older(record, 2)  # there are two
    assert {text: ids(record, text) for text in before} == before
    assert ids(record, "vector", limit=2) == before["vector"][:2]


def test_the_newest_come_first_whichever_version_indexed_them(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(record, {}, {}, {}, {})
    make_version_1(record)
    rewrite(record, "UPDATE agent_executions SET scope = 'x' WHERE execution_id < 'exec-002'")
    monkeypatch.setattr("orch_tui.search.query.MAX_COUNTED", 1)
    for limit in (1, 2, 4):
        assert ids(record, "status:completed", limit=limit) == ["003", "002", "001", "000"][:limit]


def test_what_raw_sql_did_is_found_at_once(record: Record) -> None:
    put(record, {"scope": "before"})
    record.execute("UPDATE agent_executions SET scope = 'after'")
    assert ids(record, "after") == ["000"]
    with Record(record.path, writable=False) as reading:
        assert ids(reading, "after") == ["000"]
    with Record(record.path) as bare:  # whose writes index nothing by themselves
        bare.execute("UPDATE agent_executions SET scope = 'at last'")
        assert ids(bare, "last") == ["000"]
        assert ids(bare, "after") == []


def test_mistakes_are_handed_on(record: Record) -> None:
    put(record, {"scope": "x"})
    page = search(record, "x status:lost")
    assert len(page.hits) == 1
    assert "status:lost" in page.mistakes[0]


# Phrases


def test_the_words_of_a_phrase_stand_beside_each_other(record: Record) -> None:
    put(
        record,
        {"final_message": "a vector search engine"},
        {"final_message": "search for a vector"},
        {"final_message": "vector of search"},
        {"final_message": "the vector-search; done"},
        {"final_message": "vectors search"},
        {"final_message": "Vector\n\n  SEARCHES"},
    )
    assert ids(record, '"vector search"') == ["003", "000"]
    assert ids(record, "vector-sear") == ["005", "003", "000"]
    assert ids(record, '"vector search') == ["005", "003", "000"]
    assert ids(record, '"vector search engine" ') == ["000"]
    assert ids(record, "vector search ") == ["003", "002", "001", "000"]
    assert ids(record, '-"vector search"') == ["005", "004", "002", "001"]
    assert ids(record, 'vector -"vector search" ') == ["005", "002", "001"]
    assert ids(record, '"search engine" "a vector"') == ["000"]
    assert ids(record, '"search engine" -"a vector"') == []


def test_a_phrase_is_looked_for_in_every_text_but_not_across_two(record: Record) -> None:
    told = put_briefing(record, ["text", "golden briefing"], ["content", 1], ["text", "rules"])
    put(record, {"scope": "silver scope", "final_message": "iron message", "briefing_id": told})
    put_output(record, "exec-000", "insight", "copper insight")
    give(record, "exec-000", "lib/zinc-source.py")
    for phrase in ("silver scope", "iron message", "copper insight", "golden briefing"):
        assert ids(record, f'"{phrase}"') == ["000"], phrase
        assert ids(record, f'-"{phrase}"') == [], phrase
    assert ids(record, '"zinc source" "iron message" "briefing rules"') == ["000"]
    assert ids(record, '"message silver"') == ids(record, '"scope iron"') == []
    assert ids(record, '"iron message" "scope iron"') == []


def test_a_common_phrase_is_found_behind_many_runs_that_only_have_its_words(
    record: Record,
) -> None:
    texts = ["the phrase" if n % 50 == 0 else "phrase the" for n in range(1000)]
    put(record, *({"final_message": text} for text in texts))
    found = search(record, '"the phrase"')
    assert [int(hit.execution_id[5:]) for hit in found.hits] == list(range(950, -1, -50))
    assert (found.total, found.more) == (20, False)
    assert search(record, '"phrase the"').count_text == ">400"


def test_accents_stand_in_no_way(record: Record) -> None:
    put(record, {"final_message": "re\u0301sume\u0301 final"}, {"final_message": "Résumé: FINAL"})
    assert ids(record, '"resume final"') == ["001", "000"]


WORDS = st.lists(st.sampled_from(["a", "b", "ab", "c"]), min_size=1, max_size=6)


@pytest.mark.slow
@settings(max_examples=COUNTS.histories)
@given(
    messages=st.lists(WORDS, min_size=1, max_size=5),
    phrase=st.lists(st.sampled_from(["a", "b", "ab"]), min_size=2, max_size=3),
    between=st.sampled_from([" ", "_", " - ", "/\n"]),
)
def test_a_phrase_is_found_where_it_stands_and_nowhere_else(
    tmp_path_factory: pytest.TempPathFactory,
    messages: list[list[str]],
    phrase: list[str],
    between: str,
) -> None:
    with open_record(tmp_path_factory.mktemp("r") / "execution.db") as record:
        put_session(record)
        put(record, *({"final_message": between.join(words)} for words in messages))
        having = [
            f"{number:03d}"
            for number, words in enumerate(messages)
            if any(words[n : n + len(phrase)] == phrase for n in range(len(words)))
        ]
        every = {f"{number:03d}" for number in range(len(messages))}
        assert sorted(ids(record, f'"{" ".join(phrase)}"')) == having
        assert set(ids(record, f'-"{" ".join(phrase)}"')) == every - set(having)
        rewrite(record, "UPDATE agent_executions SET final_message = NULL")
        assert ids(record, f'"{" ".join(phrase)}"') == []


# Order


def test_more_than_can_be_ranked_come_newest_first(record: Record) -> None:
    count = MAX_COUNTED + 10
    late = list(range(count))
    late.sort(key=lambda n: n * 7 % count)  # recorded in no order
    put(
        record,
        *(
            {
                "execution_id": f"exec-{n:03d}",
                "deployed_at": timestamp(START + timedelta(seconds=n)),
                "scope": "vector",
            }
            for n in late
        ),
    )
    page = search(record, "vector", limit=30)
    assert (page.total, page.more, page.count_text) == (MAX_COUNTED, True, ">400")
    newest = [f"exec-{n:03d}" for n in reversed(range(count))]
    assert [hit.execution_id for hit in page.hits] == newest[:30]
    assert _all_pages(record, "vector", 100) == newest
    assert _all_pages(record, "", 100) == newest
    assert _all_pages(record, "vector", MAX_COUNTED + 5) == newest  # a page of more than is counted
    assert _all_pages(record, "vector", 2 * count) == newest


def _all_pages(record: Record, query: str, limit: int, **options: Any) -> list[str]:
    found: list[str] = []
    before = None
    while True:
        page = search(record, query, limit=limit, before=before, **options)
        assert len(page.hits) <= limit
        found += [hit.execution_id for hit in page.hits]
        before = page.next_before
        if before is None:
            return found


@pytest.mark.slow
@settings(max_examples=COUNTS.histories)
@given(
    seconds=st.lists(st.integers(0, 100), min_size=1, max_size=40),
    limit=st.integers(1, 7),
    query=st.sampled_from(["", "x", "status:completed"]),
)
def test_pages_together_are_the_whole_in_order(
    tmp_path_factory: pytest.TempPathFactory, seconds: list[int], limit: int, query: str
) -> None:
    """Also where many runs share a slot, so that docids and times disagree."""
    with open_record(tmp_path_factory.mktemp("r") / "execution.db") as record:
        put_session(record)
        moments = [START + timedelta(seconds=second) for second in seconds]
        for number, at in enumerate(moments):  # each in a write of its own
            run = {"execution_id": f"exec-{number:03d}", "deployed_at": timestamp(at)}
            put(record, run | {"scope": "x"})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("orch_tui.search.query.MAX_COUNTED", 5)
            found = _all_pages(record, query, limit)
        assert len(found) == len(set(found)) == len(seconds)
        times = [moments[int(execution_id[-3:])] for execution_id in found]
        if query != "x" or len(seconds) > 5:
            assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("limit", [1, 3, 6])
def test_the_newest_of_a_slot_come_first_though_they_were_recorded_first(
    record: Record, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orch_tui.search.query.MAX_COUNTED", 5)
    newest = [f"exec-{n:03d}" for n in range(20)]
    for number, execution_id in enumerate(newest):
        at = timestamp(START + timedelta(seconds=9 - number / 4))
        put(record, {"execution_id": execution_id, "deployed_at": at, "scope": "x"})
    assert [hit.execution_id for hit in search(record, "", limit=limit).hits] == newest[:limit]
    assert _all_pages(record, "", limit) == _all_pages(record, "x ", limit) == newest


def test_ranked_pages_go_on_where_they_ended(record: Record) -> None:
    put(record, *({"scope": "vector " * (n % 4)} for n in range(20)))
    whole = [hit.execution_id for hit in search(record, "vector").hits]
    assert _all_pages(record, "vector", 4) == whole


def test_a_page_goes_on_though_its_last_run_is_gone(record: Record) -> None:
    put(record, *({} for _ in range(6)))
    page = search(record, "", limit=2)
    rewrite(record, "DELETE FROM agent_executions WHERE execution_id = 'exec-004'")
    assert ids(record, "", limit=2, before=page.next_before) == ["003", "002"]


def test_ranked_pages_begin_again_where_the_last_run_is_found_no_more(record: Record) -> None:
    put(record, *({"scope": "vector " * n} for n in (1, 2, 3)))
    first = search(record, "vector", limit=1)
    gone = first.hits[0].execution_id
    assert ids(record, "vector", before=first.next_before) == [
        hit.execution_id.removeprefix("exec-") for hit in search(record, "vector").hits[1:]
    ]
    rewrite(record, "UPDATE agent_executions SET scope = 'none' WHERE execution_id = ?", gone)
    assert len(ids(record, "vector", before=first.next_before)) == 2


def test_a_page_of_a_range_is_looked_for_however_long_that_takes(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orch_tui.search.checking._BATCH", 2)
    put(record, *({"final_message": "needle+", "cost_usd": n} for n in range(12)))
    first = search(record, "needle+", limit=2, order="cost")
    second = search(record, "needle+", limit=20, order="cost", before=first.next_before, patience=0)
    assert [hit.cost_usd for hit in second.hits] == [*range(9, -1, -1)]


def test_a_run_that_went_from_under_the_index_is_left_out(record: Record) -> None:
    put(record, *({"scope": "vector"} for _ in range(3)))
    record.close()
    with closing(sqlite3.connect(record.path)) as raw:
        raw.execute("DROP TRIGGER IF EXISTS search_execution_delete")
        raw.execute("DELETE FROM agent_executions WHERE execution_id = 'exec-001'")
        raw.execute("DELETE FROM search_pending")
        raw.commit()
    assert ids(record, "vector") == ["002", "000"], "those behind it are shown"


def test_what_is_no_order_is_refused_by_name(record: Record) -> None:
    with pytest.raises(UsageError, match="'dearest' is no order") as refused:
        search(record, "", order="dearest")
    assert "cost" in refused.value.hint and "best" in refused.value.hint


def test_nothing_else_is_offered_where_something_is_found(record: Record) -> None:
    put(record, {"scope": "benchmark"}, {"scope": "benchmarks"})
    page = search(record, "benchmark ", limit=1)
    assert (page.total, page.nearest) == (1, ())
    none = search(record, "benchmrak ", limit=0)
    assert (none.hits, none.next_before) == ((), None)


@pytest.mark.parametrize("before", ["x", "2026-11-01T10:00:00.000Z", "a/1", "x" * 100, "/"])
def test_a_wrong_place_to_go_on_from_is_refused(record: Record, before: str) -> None:
    with pytest.raises(UsageError, match="no place in a list") as raised:
        search(record, "", before=before)
    assert raised.value.hint == "give what the last page named"


# What is shown


def test_a_snippet_shows_the_match_with_its_marks(record: Record) -> None:
    message = "Intro. " * 100 + "then\nthe\tHNSW index, hnsw!" + " tail" * 100
    put(record, {"final_message": message})
    (hit,) = search(record, "hnsw index").hits
    assert "then the HNSW index, hnsw! tail" in hit.snippet
    assert len(hit.snippet) <= 200
    assert [hit.snippet[a:b] for a, b in hit.spans] == ["HNSW", "index", "hnsw"]
    assert hit.snippet.startswith("Intro.")


def test_a_match_elsewhere_is_shown_from_there(record: Record) -> None:
    put(record, {"final_message": "nothing of it", "scope": "vector"})
    give(record, "exec-000", "lib/special.py", "x")
    put_output(record, "exec-000", "insight", "logarithmic complexity")
    for query, shown in (
        ("logarithmic", "logarithmic complexity"),
        ("special", "lib/special.py"),
        ("vector", "nothing of it"),  # the scope is shown anyway
        ("", "nothing of it"),
    ):
        (hit,) = search(record, query).hits
        assert hit.snippet == shown
    assert hit.row()["deployed_at"] == timestamp(START)


def test_a_hit_has_its_values_by_the_names_of_columns(record: Record) -> None:
    columns = {
        "status": "failed",
        "model": "opus",
        "scope": "vector",
        "unverified": "nothing shows it",
        "success": True,
        "input_tokens": 1,
        "output_tokens": 2,
        "cost_usd": 0.5,
    }
    put(record, columns | {"final_message": "said"})
    (hit,) = search(record, "vector").hits
    given = columns.keys() - {"input_tokens", "output_tokens"}
    assert hit.row() == {name: columns[name] for name in given} | {
        "execution_id": "exec-000",
        "session_id": SESSION,
        "agent_type": "explore",
        "deployed_at": timestamp(START),
        "used_tokens": 3,
        "snippet": "said",
        "person": None,
        "machine": None,
    }


def shown(record: Record, message: str, query: str = "needle") -> str:
    rewrite(record, "UPDATE agent_executions SET final_message = ?", message)
    (hit,) = search(record, query).hits
    assert all(hit.snippet[a:b] == "needle" for a, b in hit.spans)
    return hit.snippet


def test_a_snippet_begins_with_a_word_not_far_before_the_match(record: Record) -> None:
    put(record, {"scope": "needle"})
    for message, snippet in (
        ("a needle", "a needle"),
        ("a " + "." * 58 + "needle", "a " + "." * 58 + "needle"),
        ("a " + "." * 59 + "needle", "." * 59 + "needle"),
        ("." * 61 + "needle", "." * 60 + "needle"),
        ("a" * 99 + " needle " + "." * 300, ("a" * 99 + " needle")[100:] + " " + "." * 193),
        ("b" * 99 + ".needle" + "." * 300, "b" * 59 + ".needle" + "." * 134),
        ("." * 300, "." * 200),
        ("line\r\nof\t\v\f\x85\u2028\u2029it   ", "line  of      it"),
    ):
        assert shown(record, message) == snippet, message


@pytest.mark.parametrize(("start", "is_shown"), [(19_994, True), (19_995, False)])
def test_a_match_is_looked_for_in_much_of_a_message(
    record: Record, start: int, is_shown: bool
) -> None:
    put(record, {})
    assert ("needle" in shown(record, "." * start + "needle", "needle ")) == is_shown


def test_the_texts_of_a_run_are_shown_in_order(record: Record) -> None:
    told = put_briefing(record, ["text", "needle of the briefing"])
    put(record, {"final_message": "nothing", "briefing_id": told})
    assert [hit.snippet for hit in search(record, "needle").hits] == ["needle of the briefing"]
    give(record, "exec-000", "needle/source.py")
    give(record, "exec-000", "other.md")
    assert [hit.snippet for hit in search(record, "needle").hits] == ["needle/source.py other.md"]
    put_output(record, "exec-000", "insight", "needle of an output")
    assert [hit.snippet for hit in search(record, "needle").hits] == ["needle of an output"]


def test_accents_and_case_do_not_matter_and_marks_stay_in_place(record: Record) -> None:
    put(record, {"final_message": "İstanbul: Schätzung geändert, файл изменён"})
    for query, marked in (
        ("schatzung", ["Schätzung"]),
        ("GEÄNDERT", ["geändert"]),
        ("файл ", ["файл"]),
        ("измен", ["измен"]),
    ):
        (hit,) = search(record, query).hits
        assert [hit.snippet[a:b] for a, b in hit.spans] == marked


# Completing


def test_names_and_values_are_offered(record: Record) -> None:
    put_session(record, "orch-2026-11-02-001")
    put(
        record,
        {"agent_type": "Systematic-Debugger"},
        {"agent_type": "system-architect", "session_id": "orch-2026-11-02-001"},
        {},
    )
    give(record, "exec-000", "lib/a.py", "x")
    assert complete_filter_names("s") == ("status", "session", "since", "source")
    assert complete_filter_values(record, "agent", "sys") == (
        "system-architect",
        "systematic-debugger",
    )
    assert complete_filter_values(record, "agent", "", limit=2) == ("explore", "system-architect")
    assert complete_filter_values(record, "session", "orch-2026-11-02") == ("orch-2026-11-02-001",)
    assert complete_filter_values(record, "file", "") == ("a.py", "lib/a.py")
    assert complete_filter_values(record, "status", "w") == ("waiting",)
    assert complete_filter_values(record, "status", "W") == ("waiting",)
    assert complete_filter_values(record, "machine", "M") == ("mine",)
    assert complete_filter_names("S") == complete_filter_names("s")
    for name in ("since", "until", "given", "part", "nonsense"):
        assert complete_filter_values(record, name, "") == (), name


def test_values_of_any_letters_are_offered(record: Record) -> None:
    agents = ("a", "übung", "проверка", "検査", "\U0001f600")
    put(record, *({"agent_type": agent} for agent in agents))
    assert complete_filter_values(record, "agent", "") == agents
    assert complete_filter_values(record, "agent", "пр") == ("проверка",)


def test_twenty_values_are_offered_unless_asked_otherwise(record: Record) -> None:
    put(record, *({"agent_type": f"agent-{n:02d}"} for n in range(21)))
    assert complete_filter_values(record, "agent", "a") == tuple(
        f"agent-{n:02d}" for n in range(20)
    )
    assert len(complete_filter_values(record, "agent", "a", limit=21)) == 21


@pytest.mark.parametrize("project", [None, ("/p",)])
def test_of_runs_recorded_within_minutes_no_more_is_fetched_than_of_others(
    record: Record, monkeypatch: pytest.MonkeyPatch, project: tuple[str, ...] | None
) -> None:
    times = [timestamp(START + timedelta(milliseconds=7 * number)) for number in range(60)]
    times[20], times[40] = times[40], times[20]  # two were recorded late
    put(record, *({"deployed_at": at, "run_project": "/p"} for at in times))
    monkeypatch.setattr("orch_tui.search.query.MAX_COUNTED", 6)
    fetched: list[int] = []
    newest = IndexQuery.newest

    def counted(query: IndexQuery, limit: int, cursor: Cursor | None = None) -> list[Position]:
        fetched.append(limit)
        return newest(query, limit, cursor)

    monkeypatch.setattr(IndexQuery, "newest", counted)
    found, cursor, pages = [], None, 0
    while True:
        page = search(record, "", limit=4, before=cursor, project=project)
        found += [hit.execution_id for hit in page.hits]
        pages += 1
        if (cursor := page.next_before) is None:
            break
    ordered = sorted(range(60), key=lambda n: times[n], reverse=True)
    assert found == [f"exec-{n:03}" for n in ordered]
    assert pages == 15 and sum(limit > 7 for limit in fetched) <= 4


@pytest.mark.parametrize("query", ["needle", "part:eedl", "needle+", "needle+ part:eedl"])
@pytest.mark.parametrize("order", ["cost", "duration", "agent"])
@pytest.mark.parametrize("limit", [1, 4, 10, 24, 100])
def test_pages_in_order_of_a_figure_hold_every_run_once_in_that_order(
    record: Record, query: str, order: str, limit: int
) -> None:
    # Three of each figure, some unknown, in no order.
    figures = [(None if n % 6 == 5 else float(n * 7 % 12 // 3)) for n in range(24)]
    put(
        record,
        *(
            {"final_message": "a needle+", "cost_usd": each, "duration_ms": each}
            | {"agent_type": f"a{0 if each is None else 9 - int(each)}"}
            for each in figures
        ),
        {"final_message": "hay"},
    )
    found = _all_pages(record, query, limit, order=order)
    assert sorted(found) == [f"exec-{n:03d}" for n in range(24)]
    assert found == _all_pages(record, query, 1000, order=order)
    if order != "agent":
        ordered = [figures[int(label[-3:])] for label in found]
        known = [each for each in ordered if each is not None]
        assert ordered == sorted(known, reverse=True) + [None] * 4


@pytest.mark.parametrize("query", ["needle", "part:eedl"])
@pytest.mark.parametrize("limit", [1, 4, 5, 7, 100])
def test_more_than_are_ordered_at_once_come_in_ranges_that_each_page_tells(
    record: Record, query: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orch_tui.search.query.MAX_SORTED", 10)
    monkeypatch.setattr("orch_tui.search.checking._BATCH", 5)
    put(record, *({"final_message": "needle", "cost_usd": n % 10} for n in range(25)))
    found: list[str] = []
    before, told = None, []
    while True:
        page = search(record, query, limit=limit, before=before, order="cost", patience=0)
        found += [hit.execution_id for hit in page.hits]
        told.append(page.looked_back_to)
        if (before := page.next_before) is None:
            break
    newest = sorted(range(15, 25), key=lambda n: (n % 10, n), reverse=True)
    older = sorted(range(5, 15), key=lambda n: (n % 10, n), reverse=True)
    assert found == [f"exec-{n:03d}" for n in (*newest, *older, *range(4, -1, -1))]
    assert told[0] is not None and told[-1] is None


def test_a_page_goes_on_though_runs_were_recorded_archived_or_priced_meanwhile(
    record: Record,
) -> None:
    put(record, *({"final_message": "needle+", "cost_usd": n} for n in range(10)))
    for query in ("needle", "needle+"):
        first = search(record, query, limit=4, order="cost")
        label = first.hits[-1].execution_id
        rewrite(record, "UPDATE search_docs SET archived = 1 WHERE execution_id = ?", label)
        second = search(record, query, limit=9, order="cost", before=first.next_before)
        assert [hit.cost_usd for hit in second.hits] == [5, 4, 3, 2, 1, 0]
        rewrite(record, "UPDATE search_docs SET archived = 0 WHERE execution_id = ?", label)
    with pytest.raises(UsageError, match="nothing stands at"):
        search(record, "needle", order="cost", before="2026-11-01T10:00:00Z/7/0/9")
