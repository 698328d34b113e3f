"""What is on a hub is what its record sends: at each level, after it was raised, and no secret."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from orch_tui.hub.held_texts import allow_held, list_held
from orch_tui.hub.push import gather_for_hub, push_statements
from orch_tui.hub.settings import LEVELS, Level
from orch_tui.hub.sync import Synced, sync_record
from orch_tui.hub.watched_hub import WatchedHub
from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import inflate
from orch_tui.record.completion import record_completion
from orch_tui.record.ledger.briefings import get_briefing
from tests.hub.machines import OF_ALL, opened
from tests.hub.test_held_texts import KEY, hold
from tests.record.test_exchange import Machine, assert_agreement
from tests.record.test_redaction import fill

if TYPE_CHECKING:
    from psycopg import Connection

    Connect = Callable[..., Connection[Any]]
    Make = Callable[[str], Machine]

WORD = "zanzibar"


def sync_at(machine: Machine, connection: Connection[Any], level: Level) -> Synced:
    with WatchedHub(opened(connection)) as hub:
        return sync_record(machine.record, hub, LEVELS.index(level), machine.name, OF_ALL)


def words_on(hub: Connection[Any]) -> str:
    """All that a hub holds, in one text: every column of every table, unpacked."""
    tables = [
        name
        for (name,) in hub.execute(
            "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n "
            "ON n.oid = relnamespace WHERE nspname = 'orch' AND relkind = 'r'"
        ).fetchall()
    ]
    told: list[str] = []
    for table in tables:
        for row in hub.execute(f"SELECT * FROM {table}".encode()).fetchall():
            for value in row:
                told.append(str(value))
                if isinstance(value, bytes):
                    told.append(value.decode("utf-8", "replace"))
                    with suppress(ValueError):
                        told.append(inflate(value).decode("utf-8", "replace"))
    return "\n".join(told)


def texts_of(record: Record) -> dict[str, bytes]:
    return {
        sha256.hex(): data
        for sha256, data in record.sql("SELECT sha256, data FROM contents WHERE encoding = 'raw'")
    }


@pytest.fixture
def ann(machines: Make) -> Machine:
    """A machine whose every text and path holds the word."""
    made = machines("ann")
    fill(made.record, WORD, made.folder)
    return made


def test_figures_hold_no_word_no_path_and_no_hash_of_a_text(
    ann: Machine, machines: Make, connect: Connect
) -> None:
    sync_at(ann, connect("ann"), "figures")
    held = words_on(connect())
    assert WORD not in held.replace(f"tool:{WORD}", "")  # an id of the client
    assert "Sorry" not in held
    hashes = [
        sha256.hex()
        for table in ("contents", "briefings")
        for (sha256,) in ann.record.sql(f"SELECT sha256 FROM {table}")
    ]
    assert not [sha256 for sha256 in hashes if sha256 in held or sha256[:20] in held]
    bob = machines("bob")
    sync_at(bob, connect("bob"), "nothing")
    columns = "agent_type, status, model, success, output_tokens, deployed_at, completed_at"
    asked = f"SELECT {columns} FROM agent_executions"
    assert bob.record.sql(asked) == ann.record.sql(asked)
    ((message, scope),) = bob.record.sql("SELECT final_message, scope FROM agent_executions")
    assert WORD not in f"{message} {scope}"


def test_messages_leave_files_at_home(ann: Machine, machines: Make, connect: Connect) -> None:
    sync_at(ann, connect("ann"), "messages")
    held = words_on(connect())
    assert f"I used {WORD} here" in held
    assert "filler line" not in held  # of the file that was given
    bob = machines("bob")
    sync_at(bob, connect("bob"), "nothing")
    said = "SELECT final_message, scope, error_message FROM agent_executions"
    assert bob.record.sql(said) == ann.record.sql(said)
    briefing = get_briefing(bob.record, bob.record.value("SELECT briefing_id FROM briefings"))
    assert b"[not sent]" in briefing
    assert f"# Do {WORD}".encode() in briefing


@pytest.mark.parametrize("before", ["figures", "messages"])
def test_raised_all_that_others_lacked_comes_to_them(
    ann: Machine, machines: Make, connect: Connect, before: Level
) -> None:
    bob = machines("bob")
    sync_at(ann, connect("ann"), before)
    sync_at(bob, connect("bob"), "nothing")
    assert not texts_of(ann.record).items() <= texts_of(bob.record).items()
    sync_at(ann, connect("ann"), "everything")
    sync_at(bob, connect("bob"), "nothing")
    late = machines("late")
    sync_at(late, connect("eve"), "nothing")
    assert_agreement([ann, bob, late])
    assert texts_of(ann.record).items() <= texts_of(bob.record).items()
    again = sync_at(bob, connect("bob"), "nothing")
    assert again.pulled.statements == 0
    assert sync_at(ann, connect("ann"), "everything").pushed.statements == 0


def test_lowered_it_sends_less_from_now_on(ann: Machine, connect: Connect) -> None:
    sync_at(ann, connect("ann"), "messages")
    ((label,),) = ann.record.sql("SELECT execution_id FROM agent_executions")
    record_completion(ann.record, label, final_message="A timbuktu of words, said later.")
    sync_at(ann, connect("ann"), "figures")
    held = words_on(connect())
    assert WORD in held
    assert "timbuktu" not in held


def test_what_looks_like_a_secret_stays_at_home_until_it_is_let_go(
    machines: Make, connect: Connect
) -> None:
    ann, bob = machines("ann"), machines("bob")
    hold(ann.record)
    sync_at(ann, connect("ann"), "everything")
    assert KEY not in words_on(connect())
    sync_at(bob, connect("bob"), "nothing")
    ((status, message),) = bob.record.sql("SELECT status, final_message FROM agent_executions")
    assert status == "completed"
    assert KEY not in str(message)
    for each in list_held(ann.record, "everything"):
        allow_held(ann.record, "everything", each.name)
    sync_at(ann, connect("ann"), "everything")
    assert KEY in words_on(connect())
    sync_at(bob, connect("bob"), "nothing")
    assert_agreement([ann, bob])


def test_who_only_pushes_raises_too(ann: Machine, connect: Connect) -> None:
    gather_for_hub(ann.record)
    for level in ("figures", "everything"):
        with WatchedHub(opened(connect("ci"))) as hub:
            push_statements(ann.record, hub, None, level=LEVELS.index(level))
    assert WORD in words_on(connect())
