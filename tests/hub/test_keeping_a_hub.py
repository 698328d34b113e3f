"""Who keeps a hub: what is held back and what is forgotten, by the commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import Run
from tests.cli.test_json_help import held_to_schema
from tests.hub.test_held_texts import KEY
from tests.hub.test_hub_forgetting import owner  # noqa: F401  a fixture

if TYPE_CHECKING:
    from typing import Any

    from psycopg import Connection

pytestmark = pytest.mark.usefixtures("service_file")


def test_what_is_held_back_is_named_and_let_go(did: Run, orch: Run) -> None:
    did("init-session", "--scope", "s")
    assert "joined to no hub" in orch("hub", "admin", "held").err
    did("hub", "connect", "ann", "--send", "messages")
    assert did("hub", "admin", "held", "--format", "json").json == []
    did("init-deployment", "--agent-type", "debugger", "--scope", "look")
    said = f"Done. I used {KEY} for it."
    did("record-completion", "-e", "exec-001", "--final-message", said)
    held = orch("hub", "admin", "held", "--format", "json")
    assert held.code == 1
    assert KEY not in held.out + held.err
    (text,) = json.loads(held.out)
    held_to_schema("hub admin held", text)
    assert text["what"] == "the final message of exec-001"
    assert "AWS" in text["looks_like"]
    wrong = orch("hub", "admin", "held", "--allow", "0000000000")
    assert (wrong.code, text["name"] in wrong.err) == (1, True)
    assert "the next sync sends it" in did("hub", "admin", "held", "--allow", text["name"]).err
    assert did("hub", "admin", "held", "--format", "json").json == []


def test_forgetting_on_the_hub_asks_and_tells(
    did: Run,
    orch: Run,
    owner: Connection[Any],  # noqa: F811
) -> None:
    forget = ("hub", "admin", "forget", "owner")
    assert orch(*forget).code == 2
    assert "machine 'carol' is not known" in orch(*forget, "--machine", "carol").err
    assert "--yes" in orch(*forget, "--machine", "ann").err  # nobody can be asked
    would = did(*forget, "--machine", "ann", "--dry-run", "--format", "json").json
    assert (would["runs"], would["texts"], would["forgotten"]) == (1, 1, False)
    done = did(*forget, "--before", "2026-06-01", "--yes", "--format", "json").json
    assert done == {**would, "forgotten": True}
    again = did(*forget, "--machine", "ann", "--yes")
    assert owner.execute("SELECT count(*) FROM runs").fetchall() == [(1,)]
    assert "forgotten" in again.out or "nothing of that" in again.err


def test_only_its_owner_forgets_there(orch: Run, owner: Connection[Any]) -> None:  # noqa: F811
    done = orch("hub", "admin", "forget", "ann", "--machine", "ann", "--yes")
    assert done.code == 1
    assert "does not allow that" in done.err
    assert owner.execute("SELECT count(*) FROM runs").fetchall() == [(2,)]
