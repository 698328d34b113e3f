"""What may have been meant where nothing was found."""

from __future__ import annotations

import pytest

from orch_tui.models.database import Record
from orch_tui.search.query import search
from tests.search.older_index import make_version_1
from tests.search.rows import put


@pytest.mark.parametrize(
    ("query", "nearest"),
    [
        ("benchmrak", ("benchmark",)),
        ("benhmark ", ("benchmark ",)),
        ("benchmarkk ", ("benchmark ",)),
        ("bemchmark -draft", ("benchmark -draft",)),
        ("documentaton midleware", ("documentation middleware",)),
        ("status:completed docmentation ", ("status:completed documentation ",)),
        ("documantaton ", ("documentation ",)),
        ("recrod", ("record",)),  # part of a name
        ("foo::bar", ('"foo bar"',)),
        ("record@ middleware", ()),
        ("benchmrak status:failed", ()),  # the word is there, but not in one that failed
        ("zzzzzz", ()),
        ("xq", ()),
        ("status:failed", ()),
        ("登陆", ()),
        ("agent:explor-er", ("agent:explore",)),
        ("walrus agent:exlpore", ()),
        ("middleware agent:exlpore", ("middleware agent:explore",)),
        ("-agent:nobody status:failed", ()),
        ("bench", ()),
    ],
)
def test_the_nearest_words_that_find_something_are_offered(
    record: Record, query: str, nearest: tuple[str, ...]
) -> None:
    put(
        record,
        {"scope": "benchmark the middleware", "final_message": "documentation of foo bar"},
        {"scope": "openRecord"},
    )
    page = search(record, query)
    assert page.nearest == nearest
    assert bool(page.hits) == (query == "bench")
    for text in nearest:
        assert search(record, text).hits


def test_two_are_offered_at_most(record: Record) -> None:
    put(
        record,
        *({"scope": word} for word in ("cart", "cast", "cars", "carts", "card", "care", "carp")),
    )
    assert len(search(record, "carx ").nearest) == 2


def test_an_older_index_offers_nothing(record: Record) -> None:
    put(record, {"scope": "benchmark"})
    make_version_1(record)
    assert search(record, "benchmrak").nearest == ()


def test_nothing_nearer_is_offered_on_a_later_page_or_where_a_part_was_searched(
    record: Record,
) -> None:
    put(record, {"scope": "benchmark"}, {"scope": "benchmark"})
    first = search(record, "benchmark", limit=1)
    assert search(record, "benchmrak ").nearest
    assert search(record, "benchmrak ", before=first.next_before).nearest == ()
