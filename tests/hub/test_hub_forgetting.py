"""Who keeps the hub forgets what a machine sent, or what is old; its place in the log stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from orch_tui.errors import NotFoundError, UsageError
from orch_tui.hub.hub_forgetting import ForgottenOnHub, forget_on_hub
from tests.hub.test_taking_away import found_by, hold, log, state

if TYPE_CHECKING:
    from psycopg import Connection

    Connect = Callable[..., Connection[Any]]


def add_run(hub: Connection[Any], origin: str, uid: str, at: str) -> None:
    hub.execute(
        "INSERT INTO runs (uid, origin_id, at, machine, label, agent, made_of, rules) "
        "SELECT %s, origin_id, %s, 'm', 'exec-001', 'debugger', '', 1 FROM origins WHERE uid = %s",
        [uid, at, origin],
    )


@pytest.fixture
def owner(connect: Connect) -> Connection[Any]:
    """A hub to which ann and bob sent a run each, with a text of its own and one they share."""
    hub = connect()
    own, shared = hold(hub, b"ann's own").hex(), hold(hub, b"shared").hex()
    state(hub, "ann", 1, json.dumps({"message": own, "given": shared}))
    both = state(hub, "ann", 2, json.dumps({"of": "both"}))
    state(hub, "bob", 1, json.dumps({"given": shared}))
    log(hub, "bob", 2, both)
    hub.execute("DELETE FROM about")
    for key, origin, seq in (("uid:one", "ann", 1), ("uid:two", "bob", 1)):
        hub.execute(
            "INSERT INTO about SELECT %s, recognition FROM log JOIN origins USING (origin_id) "
            "WHERE uid = %s AND seq = %s",
            [key, origin, seq],
        )
    add_run(hub, "ann", "one", "2026-03-01T10:00:00Z")
    add_run(hub, "bob", "two", "2026-11-01T10:00:00Z")
    return hub


def left(hub: Connection[Any]) -> list[Any]:
    return [
        [row[0] for row in hub.execute(query.encode())]
        for query in (
            "SELECT body FROM statements WHERE body <> '' ORDER BY body",
            "SELECT convert_from(data, 'UTF8') FROM contents ORDER BY content_id",
            "SELECT uid FROM runs",
        )
    ]


@pytest.mark.parametrize(("machine", "before"), [("ann", None), (None, "2026-06-01")])
def test_texts_go_that_nothing_else_names_and_the_log_stays(
    owner: Connection[Any], machine: str | None, before: str | None
) -> None:
    whole = left(owner)
    forget = partial(forget_on_hub, owner, machine=machine, before=before)
    would = forget(dry_run=True)
    assert left(owner) == whole
    assert forget() == would
    assert (would.runs, would.statements, would.texts) == (1, 1, 1)
    assert would.size > len("ann's own")
    bodies, texts, runs = left(owner)
    assert len(bodies) == 2
    assert (texts, runs, found_by(owner)) == (["shared"], ["two"], ["shared"])
    assert owner.execute("SELECT count(*) FROM log").fetchall() == [(4,)]
    assert forget() == ForgottenOnHub(0, 0, 0, 0)


def test_what_to_forget_must_be_said_and_be_there(owner: Connection[Any]) -> None:
    with pytest.raises(UsageError, match="nothing says"):
        forget_on_hub(owner)
    with pytest.raises(NotFoundError, match="carol"):
        forget_on_hub(owner, machine="carol")
