"""What the owner of a hub does with its schema."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orch_tui.hub.administration import make_months
from tests.hub.conftest import NOW

if TYPE_CHECKING:
    from psycopg import Connection

    Connect = Callable[..., Connection[Any]]


def test_months_are_made_around_now_and_again_later(connect: Connect) -> None:
    hub = connect()
    assert make_months(hub, NOW) == []
    far = "INSERT INTO search VALUES (%s, %s, 'word:1'), (%s, %s, 'word:1')"
    hub.execute(far, [1, "2027-12-31 23:59:59.999+00", 2, "2026-11-30 23:59:59.999+00"])
    where = "SELECT run_id, tableoid::regclass::text FROM search ORDER BY run_id"
    assert hub.execute(where).fetchall() == [(1, "search_other"), (2, "search_202611")]
    made = make_months(hub, datetime(2027, 1, 1, tzinfo=UTC))
    assert made == ["search_202712", "search_202801"]
    assert hub.execute(where).fetchall() == [(1, "search_202712"), (2, "search_202611")]


def test_every_month_is_found_by_words_and_by_time(connect: Connect) -> None:
    listed = connect().execute(
        "SELECT tablename, count(*) FILTER (WHERE indexdef LIKE '%USING gin%fastupdate=off%'), "
        "count(*) FROM pg_indexes WHERE tablename LIKE 'search\\_%' GROUP BY 1"
    )
    found = listed.fetchall()
    assert len(found) == 26
    assert {(by_words, all_of_them) for _, by_words, all_of_them in found} == {(1, 3)}
