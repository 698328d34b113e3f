"""Records that sync with one hub agree, whatever happened to each and whenever."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orch_tui.record.ledger.rebuild import find_stale_executions
from tests.counts import COUNTS
from tests.hub.conftest import connected, new_hub
from tests.hub.machines import act, copied, moved, settle, sync, tell_stories
from tests.record.test_exchange import ACTS, Machine, assert_agreement

if TYPE_CHECKING:
    from psycopg import Connection

    from orch_tui.hub.postgres import Cluster

EXCHANGE = settings(
    max_examples=COUNTS.exchanges,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class World:
    """Three records and one hub."""

    def __init__(self, folder: Path, chance: random.Random, connect: Callable[[], Any]) -> None:
        self.folder, self.chance, self.connect = folder, chance, connect
        self.hub: Connection[Any] = connect()
        self.machines = [Machine(folder, name, chance) for name in ("ann", "bob", "ci")]
        self._log: set[Any] = set()

    def act(self) -> None:
        """Let something happen on one of the machines."""
        act(self.chance.choice(self.machines), self.machines, self.chance, self.connect)
        self.check_log()

    def check_log(self) -> None:
        """See that nothing in the log of the hub changed, nor who said it first."""
        log = set(
            self.hub.execute(
                "SELECT uid, person, machine, seq, recognition FROM log JOIN origins "
                "USING (origin_id)"
            ).fetchall()
        )
        assert self._log <= log
        self._log = log

    def check(self) -> None:
        """See that all agree: with each other, with one that begins now, and with the hub."""
        self.chance.shuffle(self.machines)
        settle(self.machines, self.hub)
        self.check_log()
        late = Machine(self.folder, "late", self.chance)
        self.machines.append(late)
        # who takes in all at once may find that a call and a run are one, which it then says
        settle(self.machines, self.hub)
        assert_agreement(self.machines)
        for machine in self.machines:
            assert list(find_stale_executions(machine.record)) == []
            assert machine.record.sql("PRAGMA foreign_key_check") == []
            assert moved(sync(machine, self.hub)) == 0
        self._check_statements()
        self._check_runs()
        self._check_labels()

    def _check_statements(self) -> None:
        """Each statement is there once, however many said it and whatever way it came."""
        record = self.machines[0].record
        here = record.value("SELECT count(*) FROM observations")
        ((there, about),) = self.hub.execute(
            "SELECT count(DISTINCT recognition), (SELECT count(*) FROM about WHERE NOT EXISTS "
            "(SELECT 1 FROM statements WHERE statements.recognition = about.recognition)) "
            "FROM statements"
        ).fetchall()
        assert (there, about) == (here, 0)
        lost = self.hub.execute(
            "SELECT name FROM origins WHERE last_seq <> "
            "(SELECT count(*) FROM log WHERE log.origin_id = origins.origin_id)"
        ).fetchall()
        assert lost == []

    def _check_runs(self) -> None:
        """The rows of the hub are what the records add up to, each found by its words."""
        theirs = self.hub.execute(
            "SELECT uid, agent, runs.status, message, scope, retracted FROM runs "
            "JOIN run_texts USING (run_id) WHERE NOT retracted OR made_of <> '' ORDER BY uid"
        ).fetchall()
        mine = self.machines[0].record.sql(
            "SELECT uid, agent_type, status, final_message, scope, retracted_at NOTNULL "
            "FROM agent_executions ORDER BY uid"
        )
        assert theirs == [(*row[:-1], bool(row[-1])) for row in mine]
        ((searched,),) = self.hub.execute("SELECT count(*) FROM search").fetchall()
        assert searched == sum(not row[-1] for row in mine)

    def _check_labels(self) -> None:
        """What an origin calls a run names the same run everywhere else, with its name."""
        meant: dict[str, set[str]] = {}
        for machine in self.machines:
            for label, uid in machine.record.sql(
                "SELECT substr(key, 4), uid FROM execution_keys JOIN agent_executions "
                "USING (execution_id) WHERE key LIKE 'id:%@%'"
            ):
                meant.setdefault(label, set()).add(uid)
        assert {label: uids for label, uids in meant.items() if len(uids) > 1} == {}


@contextmanager
def world(server: Cluster, chance: random.Random) -> Iterator[World]:
    with (
        tempfile.TemporaryDirectory() as name,
        new_hub(server) as address_of,
        ExitStack() as opened,
    ):
        made = World(Path(name), chance, lambda: opened.enter_context(connected(address_of("ann"))))
        yield made
        for machine in made.machines:
            machine.record.close()


@pytest.mark.slow
@given(chance=st.randoms(use_true_random=False))
@EXCHANGE
def test_records_that_sync_agree(server: Cluster, chance: random.Random) -> None:
    with world(server, chance) as made:
        for _ in range(chance.randint(8, 30)):
            made.act()
        if chance.random() < 0.3:  # a copy of a record goes on beside it
            made.machines.append(copied(made.machines[0], made.folder, "copy"))
            for machine in (made.machines[0], made.machines[-1]):
                for _ in range(3):
                    chance.choice(ACTS)(machine)
        made.check()


@pytest.mark.slow
@given(chance=st.randoms(use_true_random=False))
@EXCHANGE
def test_runs_that_several_machines_know_are_the_same(
    server: Cluster, chance: random.Random
) -> None:
    """By hooks on one, by transcripts on another, by half of each on the third."""
    with world(server, chance) as made:
        for happens in tell_stories(made.machines, chance):
            happens()
            if chance.random() < 0.2:
                sync(chance.choice(made.machines), made.hub)
        made.check()
