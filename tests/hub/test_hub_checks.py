"""A hub is looked through, and what can be mended is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from orch_tui.hub.hub_checks import examine_hub, mend_hub
from tests.cli.conftest import Run
from tests.hub.conftest import NOW

if TYPE_CHECKING:
    from psycopg import Connection

    from tests.hub.conftest import Connect


def problems(hub: Connection) -> list[tuple[str, str]]:
    found = examine_hub(hub, "orch", NOW)
    return [(each.what, each.detail) for each in found if each.level == "problem"]


def add_origin(hub: Connection, last_seq: int) -> int:
    row = hub.execute(
        "INSERT INTO origins (uid, machine, name, client, last_seq) "
        "VALUES ('o-1', 'laptop', 'laptop', '1', %s) RETURNING origin_id",
        [last_seq],
    ).fetchone()
    assert row
    return int(row[0])


def add_run(hub: Connection, origin: int) -> int:
    row = hub.execute(
        "INSERT INTO runs (uid, origin_id, at, machine, label, agent, made_of, rules) "
        "VALUES ('r-1', %s, '2026-11-22T10:00Z', 'laptop', 'exec-001', 'a', 'x', 1) "
        "RETURNING run_id",
        [origin],
    ).fetchone()
    assert row
    return int(row[0])


def test_an_empty_hub_is_in_order(connect: Connect) -> None:
    hub = connect()
    assert problems(hub) == []
    assert mend_hub(hub, "orch", NOW) == []


def test_gaps_in_a_log_are_found(connect: Connect) -> None:
    hub = connect()
    origin = add_origin(hub, 3)
    assert problems(hub) == [("log", "laptop says it sent 3, and 0 are there, up to 0")]
    add = "INSERT INTO log VALUES (%s, %s, %s)"
    for seq in (1, 3):
        hub.execute(add, [origin, seq, bytes([seq])])
    assert problems(hub) == [("log", "laptop says it sent 3, and 2 are there, up to 3")]
    hub.execute(add, [origin, 2, b"b"])
    assert problems(hub) == []  # forgotten bodies are none


def test_a_statement_that_nobody_fetches_is_found(connect: Connect) -> None:
    hub = connect()
    hub.execute("INSERT INTO statements VALUES ('a', 1, sha256(''), 'noted', now(), '')")
    assert [what for what, _ in problems(hub)] == ["statements"]


def test_rows_of_the_search_that_are_of_no_run_are_removed(connect: Connect) -> None:
    hub = connect()
    run = add_run(hub, add_origin(hub, 0))
    assert problems(hub) == [("runs", "1 run cannot be found by any word")]
    add = "INSERT INTO search VALUES (%s, '2026-11-22T10:00Z', 'word:1')"
    hub.execute(add, [run])
    assert problems(hub) == []
    hub.execute(add, [run + 1])
    assert problems(hub) == [("runs", "1 run stand in the search and are gone")]
    assert mend_hub(hub, "orch", NOW) == ["1 row of the search were removed, of no run"]
    assert problems(hub) == []


def test_months_are_made_before_they_are_needed(connect: Connect) -> None:
    hub = connect()
    late = datetime(2027, 11, 5, tzinfo=UTC)
    hub.execute("INSERT INTO search VALUES (1, '2027-12-04T10:00Z', 'word:1')")
    found = examine_hub(hub, "orch", late)
    told = [each.detail for each in found if each.what == "months"]
    assert told == ["0 months ahead are made", "1 run lie in no month"]
    assert len(mend_hub(hub, "orch", late)) == 13  # twelve, and what is found and gone
    found = examine_hub(hub, "orch", late)
    assert [each.detail for each in found if each.what == "months"] == ["made until 202811"]


@pytest.mark.usefixtures("service_file")
def test_the_command_says_no_where_something_is_wrong(
    did: Run, orch: Run, connect: Connect
) -> None:
    hub = connect()
    did("hub", "admin", "check", "owner")
    add_run(hub, add_origin(hub, 0))
    hub.execute("DELETE FROM search")
    done = orch("hub", "admin", "check", "owner", "--mend")
    assert done.code == 1
    assert "nothing needed mending" in done.err
    assert "cannot be found by any word" in done.out
