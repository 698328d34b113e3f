"""A secret that is redacted on one machine is gone everywhere; so is what one forgets."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from orch_tui.models.stored_bytes import inflate
from orch_tui.record.completion import record_completion
from orch_tui.record.ledger.contents import get_content_text
from orch_tui.record.ledger.statement import canonical_json, unpack_fields
from orch_tui.record.upkeep.forgetting import find_forgettable, forget_runs
from orch_tui.record.upkeep.redaction import redact_secret
from tests.hub.machines import settle, sync
from tests.hub.test_sent_levels import words_on
from tests.record.test_exchange import Machine, assert_agreement, view
from tests.record.test_redaction import fill

if TYPE_CHECKING:
    from psycopg import Connection

    Connect = Callable[..., Connection[Any]]
    Make = Callable[[str], Machine]

WORD = "hunter2-zanzibar"


def traces_in(machine: Machine) -> list[str]:
    """Where a record holds the word: in a row of a table, or in bytes of its files."""
    found = [line[:200] for line in machine.record.connection.iterdump() if WORD in line]
    for path in machine.folder.glob("x.db*"):
        if WORD.encode() in path.read_bytes():
            found.append(path.name)
    for table, column in (
        ("contents", "data"),
        ("observations", "payload"),
        ("briefings", "parts"),
    ):
        for (value,) in machine.record.sql(f"SELECT {column} FROM {table}"):
            if isinstance(value, bytes):
                with suppress(ValueError):
                    found += [f"packed in {table}"] * (WORD.encode() in inflate(value))
    return found


def assert_same(machines: list[Machine]) -> None:
    """Records hold the same; a redacted statement may be packed and spaced otherwise."""
    views = [view(machine.record) for machine in machines]
    for each, machine in zip(views, machines, strict=True):
        each["statements"] = sorted(
            (digest, kind, json.loads(about or "[]"), canonical_json(unpack_fields(payload)))
            for digest, kind, about, payload in machine.record.sql(
                "SELECT digest, kind, about, payload FROM observations"
            )
        )
    for each in views[1:]:
        for part, rows in views[0].items():
            assert each[part] == rows, part


@pytest.fixture
def ann(machines: Make) -> Machine:
    made = machines("ann")
    fill(made.record, WORD, made.folder)
    return made


def test_a_redacted_secret_is_gone_from_the_hub_and_from_all(
    ann: Machine, machines: Make, connect: Connect
) -> None:
    bob, carol = machines("bob"), machines("carol")
    settle([ann, bob, carol], connect())
    ((label,),) = carol.record.sql("SELECT execution_id FROM agent_executions")
    record_completion(carol.record, label, final_message=f"Offline I said {WORD}, and more.")
    assert WORD in words_on(connect())
    assert traces_in(bob)
    redact_secret(bob.record, WORD, "it leaked")
    sync(bob, connect("bob"))
    hub = words_on(connect())
    assert WORD not in hub
    assert "[redacted]" in hub
    for machine in (carol, ann, bob):
        sync(machine, connect())
    settle([ann, bob, carol], connect())
    assert WORD not in words_on(connect())
    for machine in (ann, bob, carol):
        assert traces_in(machine) == []
    assert_same([ann, bob, carol])
    late = machines("late")
    sync(late, connect())
    assert_same([ann, late])
    said = late.record.sql("SELECT message_id FROM completions")
    assert "Offline I said [redacted], and more." in {
        get_content_text(late.record, content_id) for (content_id,) in said
    }


def test_who_knows_nothing_of_it_brings_it_back_no_more(
    ann: Machine, machines: Make, connect: Connect
) -> None:
    ann.backup()
    sync(ann, connect())
    redact_secret(ann.record, WORD, "it leaked")
    sync(ann, connect())
    ann.restore_backup()  # an older state of the record, with the secret
    assert traces_in(ann)
    sync(ann, connect())
    settle([ann], connect())
    assert WORD not in words_on(connect())
    assert traces_in(ann) == []


def test_what_one_machine_forgets_goes_from_the_hub_and_from_its_followers(
    ann: Machine, machines: Make, connect: Connect
) -> None:
    bob = machines("bob")
    settle([ann, bob], connect())
    forget_runs(ann.record, find_forgettable(ann.record, session_id="s"))
    sync(ann, connect("orch"))
    hub = words_on(connect())
    assert "All green." not in hub
    assert "filler line" not in hub
    settle([ann, bob], connect())
    assert_agreement([ann, bob])
    assert "[forgotten]" in str(bob.record.sql("SELECT final_message FROM agent_executions"))
