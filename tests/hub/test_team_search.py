"""A hub finds what the record finds: the same language, the same runs, in pages, newest first."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orch_tui.errors import UsageError
from orch_tui.models.database import Record
from orch_tui.models.values import timestamp
from orch_tui.record.opening import open_record, state_noted_changes
from orch_tui.search.query import Page, search
from tests.counts import COUNTS
from tests.hub.pushed_runs import push_runs
from tests.search.rows import (
    START,
    give,
    put,
    put_briefing,
    put_output,
    put_session,
    rewrite,
)

if TYPE_CHECKING:
    from psycopg import Connection

    from orch_tui.hub.service import OpenHub
    from tests.hub.conftest import Connect


@pytest.fixture
def record(record: Record) -> Record:
    record.before_commit.remove(state_noted_changes)
    put_session(record)
    return record


def opened(connection: Connection[Any], person: str = "orch") -> OpenHub:
    from orch_tui.hub.service import HubService, OpenHub

    place = HubService("team", {}, "here")
    return OpenHub(connection, "uid", 1, "orch", place, person, True, True)


@pytest.fixture
def hub(connect: Connect) -> Connection[Any]:
    return connect()


def find(hub: Connection[Any], record: Record, query: str, **options: Any) -> Page:
    from orch_tui.hub.team_search import search_team

    return search_team(opened(hub), record, query, **{"patience": 60, **options})


def ids(page: Page) -> list[str]:
    found = (hit.execution_id.removesuffix("@ann-laptop") for hit in page.hits)
    return [label.removeprefix("exec-") for label in found]


def become(record: Record, uid: str, machine: str) -> None:
    """Have a record be an origin."""
    rewrite(
        record,
        "INSERT INTO origins (uid, machine, name, mine) VALUES (?1, ?2, ?2, 1)",
        *(uid, machine),
    )


def fill(record: Record) -> None:
    """Runs that differ in all that is searched for."""
    put_session(record, "orch-2026-11-02-001", scope="Search überholt", title="walrus")
    put_session(record, "orch-2026-11-03-001", archived_at=timestamp(START))
    put(
        record,
        {"scope": "vector search", "final_message": "The error, then the end. C++ and a::b"},
        {
            "scope": "vectorSearch index",
            "final_message": "fehlschlag: größe café",
            "status": "failed",
        },
        {"scope": "other", "final_message": "検索する vector", "agent_type": "systematic-debugger"},
        {"final_message": "the\nerror was .NET, cost $5", "session_id": "orch-2026-11-02-001"},
        {"scope": "archived vector", "session_id": "orch-2026-11-03-001"},
        {"scope": "far away", "deployed_at": "2025-01-02T03:04:05.678Z", "model": "claude-opus-4"},
        {"scope": "retracted vector", "retracted_at": timestamp(START)},
        {"scope": "again", "final_message": "the walrus " * 300 + "the error", "phase": 3},
        {"error_message": "Ünverschämt vector", "status": "failed", "input_tokens": 3},
        {"deployed_at": "no time", "scope": "vector of no time"},
    )
    put_output(record, "exec-002", "insight", "found in lib/a.py")
    put_output(record, "exec-000", "deliverable", "docs/plan.md")
    give(record, "exec-000", "lib/a.py:1-4", "the needle of the file")
    give(record, "exec-003", "lib/b.py", "a haystack with C++")
    give(record, "exec-007", "src/lib/a.py", "the needle of the file")
    briefing = put_briefing(record, ["text", "Please look at the briefed vector"])
    rewrite(
        record,
        "UPDATE agent_executions SET briefing_id = ?, revision = revision + 1 "
        "WHERE execution_id = 'exec-005'",
        briefing,
    )


QUERIES = (
    *(
        "",
        "vector",
        "vec",
        "ve",
        "vector ",
        "vector error",
        "search",
        "vectorsearch",
        '"the error"',
    ),
    *('"error then"', '"the error then"', '-"the error"', "-vector", "vector -search", "the"),
    *(
        "C++",
        "-C++",
        "a::b",
        ".NET",
        "$5",
        "C++ vector",
        "grosse",
        "café",
        "GRÖSSE",
        "検索",
        "索す",
    ),
    *(
        "検",
        "walrus",
        '"walrus the"',
        '"the error" walrus',
        "überholt",
        "briefed",
        "a.py",
        "plan.md",
    ),
    *("agent:sys", "agent:explore vector", "status:failed", "status:failed,completed", "phase:3"),
    *(
        "-status:completed",
        "file:a.py",
        "file:lib/a.py",
        'file:"lib/a.py"',
        "file:a.py:3",
        "file:b",
    ),
    *("type:insight", "has:message", "-has:message", "has:deliverable", "has:error", "has:usage"),
    *("model:opus", "model:claude-opus", "session:orch-2026-11-02", "session:walrus", "source:sql"),
    *(
        "given:needle",
        "given:need",
        'given:"the needle"',
        "-given:needle",
        "given:C++",
        "given:zzz",
    ),
    *("given:hay,needle", "part:ecto", "part:ERR", "-part:ecto", "part:ünver", "-part:ÜNVER"),
    *("since:2026-11-01", "until:2026-10-01", "since:2026-11-01T12:00Z vector", "until:2020-01-01"),
    *("nothing_of_this_kind", "agent:nobody", "vector zzz", "part:zzz", "person:nobody"),
    *("-person:nobody", "person:mine", "-machine:mine", 'given:"needle of" vector', "--flag"),
    *('status:"failed" -given:needle -part:zzz', 'session:"orch-2026-11-01-001" vector'),
)


def test_the_same_queries_find_the_same_runs(record: Record, hub: Connection[Any]) -> None:
    fill(record)
    become(record, "o-ann", "ann-laptop")
    push_runs(hub, record)
    for query in QUERIES:
        for archived in (False, True):
            there = find(hub, record, query, include_archived=archived, order="newest")
            here = search(record, query, include_archived=archived, order="newest", patience=60)
            assert ids(there) == ids(here), query
            assert (there.total, there.more, there.mistakes) == (
                here.total,
                here.more,
                here.mistakes,
            )
            best = find(hub, record, query, include_archived=archived)
            assert sorted(ids(best)) == sorted(ids(here)), query
            assert there.looked_back_to is None
    assert find(hub, record, "walrsu").nearest == search(record, "walrsu").nearest == ("walrus",)


WORDS = st.sampled_from(
    ["vector", "vectorSearch", "the", "error", "C++", "a::b", "größe", "検索", "lib/a.py", "don't"]
    + ["x", "ab", "a\\b", "'", "100%", "_", "-", "ﬁne", "ХАРД", "e\u0301", "\ue97a", "\u0e01\u0e02"]
)
TEXTS = st.lists(WORDS, max_size=5).map(" ".join)
QUERY_PARTS = st.one_of(
    WORDS,
    WORDS.map(lambda word: f"-{word}"),
    st.lists(WORDS, min_size=1, max_size=3).map(lambda words: f'"{" ".join(words)}"'),
    st.sampled_from(
        [
            "agent:explore",
            "-status:failed",
            "status:failed",
            "has:message",
            "given:vec",
            "given:the",
        ]
        + ["-given:error", "part:ect", "-part:größe", "file:a.py", "phase:2", "se", "given:C++"]
    ),
)


@pytest.fixture(scope="module")
def shared_hub(server: Any) -> Iterator[Connection[Any]]:
    """A hub for all examples of a property, emptied for each."""
    import psycopg

    from tests.hub.conftest import address

    with psycopg.connect(address(server, "postgres"), autocommit=True) as admin:
        admin.execute("CREATE DATABASE hub_shared TEMPLATE template_hub STRATEGY file_copy")
        with psycopg.connect(address(server, "hub_shared"), autocommit=True) as hub:
            hub.execute("SET search_path TO orch")
            yield hub
        admin.execute("DROP DATABASE hub_shared WITH (FORCE)")


@pytest.mark.slow
@settings(max_examples=COUNTS.histories, suppress_health_check=[HealthCheck.too_slow])
@given(
    runs=st.lists(
        st.fixed_dictionaries(
            {"scope": TEXTS, "final_message": st.none() | TEXTS},
            optional={
                "status": st.sampled_from(["failed", "deployed"]),
                "error_message": TEXTS,
                "phase": st.sampled_from([1, 2]),
            },
        ),
        min_size=1,
        max_size=6,
    ),
    contents=st.lists(TEXTS, max_size=3),
    queries=st.lists(st.lists(QUERY_PARTS, max_size=3).map(" ".join), min_size=1, max_size=6),
)
def test_whatever_is_searched_for_a_hub_finds_what_the_record_does(
    tmp_path_factory: pytest.TempPathFactory,
    shared_hub: Connection[Any],
    runs: list[dict[str, Any]],
    contents: list[str],
    queries: list[str],
) -> None:
    with open_record(tmp_path_factory.mktemp("r") / "execution.db") as record:
        record.before_commit.remove(state_noted_changes)
        put_session(record)
        put(record, *runs)
        for number, text in enumerate(contents):
            give(record, f"exec-{number % len(runs):03d}", f"lib/f{number}.py", text)
        shared_hub.execute("TRUNCATE runs, run_texts, search, contents, content_search")
        push_runs(shared_hub, record)
        for query in queries:
            there = find(shared_hub, record, query, order="newest")
            here = search(record, query, order="newest", patience=60)
            assert ids(there) == ids(here), query


def all_pages(hub: Connection[Any], record: Record, query: str, **options: Any) -> list[str]:
    found: list[str] = []
    before = None
    while True:
        page = find(hub, record, query, before=before, **options)
        found += ids(page)
        if (before := page.next_before) is None:
            return found


@pytest.mark.parametrize("query", ["", "needle", "part:eedl", '"a needle"', "needle+"])
@pytest.mark.parametrize("order", ["newest", "best", "cost", "duration", "agent"])
def test_pages_together_are_the_whole(
    record: Record, hub: Connection[Any], query: str, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = [START - timedelta(days=n * n % 97, hours=n % 3) for n in range(30)]
    put(
        record,
        *(
            {"final_message": "a needle+", "deployed_at": timestamp(at), "cost_usd": n * 7 % 5}
            for n, at in enumerate(moments)
        ),
    )
    push_runs(hub, record)
    whole = all_pages(hub, record, query, order=order, limit=100)
    assert sorted(whole) == [f"{n:03d}" for n in range(30)]
    assert all_pages(hub, record, query, order=order, limit=4) == whole
    monkeypatch.setattr("orch_tui.hub.team_search.MAX_COUNTED", 5)
    monkeypatch.setattr("orch_tui.hub.team_search.MAX_SORTED", 7)
    monkeypatch.setattr("orch_tui.hub.team_search._BATCH", 3)
    in_ranges = all_pages(hub, record, query, order=order, limit=4)
    assert sorted(in_ranges) == sorted(whole)
    if order in ("newest", "best"):
        times = [moments[int(number)] for number in in_ranges]
        assert times == sorted(times, reverse=True)


def test_a_search_whose_time_is_over_says_how_far_back_it_looked_and_goes_on(
    record: Record, hub: Connection[Any]
) -> None:
    put(
        record,
        {"scope": "vector", "deployed_at": timestamp(record.clock() - timedelta(days=1))},
        {"scope": "vector", "deployed_at": timestamp(record.clock() - timedelta(days=400))},
    )
    push_runs(hub, record)
    ticks = iter(range(1000))
    first = find(hub, record, "vector ", patience=2.5, clock=lambda: float(next(ticks)))
    assert ids(first) == ["000"]
    assert first.looked_back_to and first.next_before and first.count_text == "1 so far"
    assert find(hub, record, "vector ", before=first.next_before).hits[0].scope == "vector"
    assert all_pages(hub, record, "vector ", patience=0) == ["000", "001"]


def test_what_is_asked_too_slowly_is_given_up(
    record: Record, hub: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(record, {"scope": "vector"})
    push_runs(hub, record)
    from orch_tui.hub.hub_query import HubCondition

    monkeypatch.setattr(
        "orch_tui.hub.hub_query._part_condition",
        lambda each: HubCondition("pg_sleep(30) IS NOT NULL"),
    )
    page = find(hub, record, "part:ecto", patience=0.1)
    assert page.hits == () and page.looked_back_to and page.next_before


def test_projects_and_machines_of_a_team_are_told_apart(
    record: Record, hub: Connection[Any], connect: Connect, tmp_path: Path
) -> None:
    become(record, "o-ann", "ann-laptop")
    put(record, {"scope": "vector of ann", "run_project": "example.org/one"})
    push_runs(hub, record)
    with open_record(tmp_path / "bob.db") as other:
        other.before_commit.remove(state_noted_changes)
        become(other, "o-bob", "bob-desk")
        put_session(other, "orch-2026-11-09-001", project="/q")
        columns = {"session_id": "orch-2026-11-09-001", "run_project": "example.org/two"}
        put(other, columns | {"scope": "vector of bob"}, {"scope": "third"} | columns)
        push_runs(connect("bob"), other, origin="o-bob", machine="bob-desk")
    found = find(hub, record, "vector ", order="newest")
    assert ids(found) == ["000@bob-desk", "000"] or ids(found) == ["000", "000@bob-desk"]
    assert {(hit.person, hit.machine, hit.is_own) for hit in found.hits} == {
        ("orch", "ann-laptop", True),
        ("bob", "bob-desk", False),
    }
    assert ids(find(hub, record, "", projects=("example.org/one",))) == ["000"]
    assert ids(find(hub, record, "vector", projects=("example.org/two",))) == ["000@bob-desk"]
    assert ids(
        find(hub, record, "project:example.org/t", projects=("example.org/one",), order="newest")
    ) == [
        "001@bob-desk",
        "000@bob-desk",
    ]
    assert ids(find(hub, record, "person:bob vector")) == ["000@bob-desk"]
    assert ids(find(hub, record, "-person:bob")) == ["000"]
    assert ids(find(hub, record, "person:mine")) == ["000"]
    assert ids(find(hub, record, "machine:bob")) == ["001@bob-desk", "000@bob-desk"]
    assert find(hub, record, "machine:nowhere").hits == ()


def test_many_contents_that_match_are_asked_run_by_run(
    record: Record, hub: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orch_tui.hub.team_search._MOST_CONTENTS", 2)
    put(record, *({} for _ in range(8)))
    for number in range(5):
        give(record, f"exec-{number:03d}", f"f{number}", f"needle {number}")
    push_runs(hub, record)
    assert ids(find(hub, record, "given:needle", order="newest")) == [
        "004",
        "003",
        "002",
        "001",
        "000",
    ]
    assert ids(find(hub, record, "-given:needle", order="newest")) == ["007", "006", "005"]
    assert ids(find(hub, record, 'given:"3"')) == ["003"]


def test_an_order_or_a_place_that_is_none_is_named(record: Record, hub: Connection[Any]) -> None:
    with pytest.raises(UsageError, match="'oldest' is no order"):
        find(hub, record, "", order="oldest")
    with pytest.raises(UsageError, match="no place in a list"):
        find(hub, record, "", before="yesterday")


def test_a_member_is_answered_by_the_index_of_words(
    record: Record, hub: Connection[Any], connect: Connect
) -> None:
    """A policy on reading would have PostgreSQL look at every run instead."""
    put(record, {"scope": "vector"})
    push_runs(hub, record)
    member = connect("ann")
    member.execute("SET enable_seqscan = off")
    plan = member.execute(
        "EXPLAIN SELECT run_id FROM search WHERE at >= '2026-11-01' AND at < '2026-12-01' "
        "AND words @@ 'vector'::tsquery ORDER BY at + interval '0' DESC LIMIT 9"
    ).fetchall()
    told = "\n".join(line for (line,) in plan)
    assert "Bitmap Index Scan" in told and "words" in told
    assert ids(find(member, record, "vector")) == ["000"]


def words_of(record: Record, chance: random.Random) -> list[str]:
    """Queries for words and phrases that stand in what was recorded, and for what is told of it."""
    texts = [
        str(text)
        for row in record.sql("SELECT scope, final_message, error_message FROM agent_executions")
        for text in row
        if text
    ]
    found = [word for text in texts for word in text.split()]
    chosen = [chance.choice(found) for _ in range(6)] if found else []
    phrases = [
        " ".join(words[(at := chance.randrange(len(words))) : at + 2])
        for text in texts[:4]
        if (words := text.replace('"', " ").split())
    ]
    agents = [
        f"agent:{agent}" for (agent,) in record.sql("SELECT agent_type FROM agent_executions")
    ]
    return [
        *chosen,
        *(f"-{word}" for word in chosen[:2]),
        *(f'"{phrase}"' for phrase in phrases),
        *(f"part:{word[1:5]}" for word in chosen if len(word) > 5),
        *agents[:2],
        *("", "status:failed", "-status:completed", "has:message", "has:doubt", "has:usage"),
        *("source:hook", "source:import", "has:deliverable", "type:insight", "file:a", "given:the"),
        *("-person:nobody", "machine:a", "-machine:a", "model:claude", "phase:3"),
    ]


_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.nested_given)


@pytest.mark.slow
@given(chance=st.randoms(use_true_random=False))
@settings(max_examples=max(2, COUNTS.histories // 10), suppress_health_check=_SLOW)
def test_a_hub_finds_what_a_record_finds_that_has_all_of_it(
    server: Any, chance: random.Random
) -> None:
    from tests.hub.machines import opened as opened_hub
    from tests.hub.test_sync import world

    with world(server, chance) as made:
        for _ in range(chance.randint(6, 20)):
            made.act()
        made.check()
        record = made.machines[0].record
        hub = opened_hub(made.hub)
        for query in words_of(record, chance):
            options: dict[str, Any] = {"limit": 500, "order": "newest", "include_archived": True}
            there = search_team_of(hub, record, query, **options)
            here = search(record, query, patience=60, **options)
            assert {hit.uid for hit in there.hits} == {hit.uid for hit in here.hits}, query
            assert all(hit.is_here for hit in there.hits)


def search_team_of(hub: OpenHub, record: Record, query: str, **options: Any) -> Page:
    from orch_tui.hub.team_search import search_team

    return search_team(hub, record, query, patience=60, **options)
