"""Records of several people on one hub, as the tests of the exchange have them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orch_tui.errors import HubError
from orch_tui.hub.pull import Followed
from orch_tui.hub.service import HubService, OpenHub
from orch_tui.hub.sync import Synced, SyncPlan, sync_record
from orch_tui.hub.watched_hub import WatchedHub
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep.restore import restore_export
from tests.record import claude_home
from tests.record.test_exchange import ACTS, Machine
from tests.record.test_hooks_and_transcripts import EVENTS
from tests.record.test_importer import take_in

if TYPE_CHECKING:
    from psycopg import Connection

OF_ALL = SyncPlan(followed=Followed(everybody=True))
PUSH = SyncPlan(pulls=False)
EVERYTHING = 3


def live(machine: Machine, acts: int = 12) -> Machine:
    """Let something happen on a machine."""
    machine.open_session()
    machine.deploy()
    for act in ACTS[:acts]:
        act(machine)
    return machine


def opened(connection: Connection[Any]) -> OpenHub:
    """The hub behind a connection, as `open_hub` gives it."""
    ((uid, version, person, may_read, may_push),) = connection.execute(
        "SELECT uid, version, session_user, has_table_privilege('statements', 'SELECT'), "
        "has_any_column_privilege('statements', 'INSERT') FROM hub"
    ).fetchall()
    service = HubService("team", {}, "here")
    return OpenHub(connection, uid, version, "orch", service, person, may_read, may_push)


def sync(machine: Machine, connection: Connection[Any], plan: SyncPlan = OF_ALL) -> Synced:
    """Sync the record of a machine with the hub behind a connection."""
    with WatchedHub(opened(connection)) as hub:
        return sync_record(machine.record, hub, EVERYTHING, machine.name, plan)


def moved(synced: Synced) -> int:
    """Count the rows that a sync moved."""
    pushed, pulled = synced.pushed, synced.pulled
    texts = pushed.contents + pushed.briefings + pulled.contents
    return pushed.statements + pulled.statements + texts + synced.runs


def settle(machines: Sequence[Machine], connection: Connection[Any]) -> list[int]:
    """Sync all, in turn, until nothing moves any more; gives how much moved in each round."""
    rounds: list[int] = []
    while not rounds or rounds[-1]:
        assert len(rounds) < 8, "there is always something new to exchange"
        rounds.append(sum(moved(sync(machine, connection)) for machine in machines))
    return rounds


class CutError(HubError):
    """The connection was cut, by the test."""


class CutHub(WatchedHub):
    """A hub whose connection is cut before its so-manieth question."""

    def __init__(self, hub: OpenHub, answers: int) -> None:
        super().__init__(hub)
        self.answers = answers

    @contextmanager
    def _watched(self) -> Iterator[None]:
        self.answers -= 1
        if self.answers < 0:
            self.hub.connection.close()
            raise CutError("cut", is_away=True)
        with super()._watched():
            yield


def sync_cut(machine: Machine, connection: Connection[Any], answers: int) -> bool:
    """Sync until the connection is cut, after so many answers; tells whether it was."""
    with CutHub(opened(connection), answers) as hub:
        try:
            sync_record(machine.record, hub, EVERYTHING, machine.name, OF_ALL)
        except CutError:
            assert not machine.record.connection.in_transaction
            return True
    return False


def act(
    machine: Machine,
    machines: Sequence[Machine],
    chance: random.Random,
    connect: Callable[[], Connection[Any]],
) -> None:
    """Do on a machine what may happen there: mostly what people and agents do, now and then a sync
    (of all it does or of a part), one that is cut, a file that is passed on, a backup."""
    turn = chance.random()
    files = [path for each in machines for path in each.files]
    if turn < 0.12:
        sync(machine, connect())
    elif turn < 0.22:
        sync(machine, connect(), PUSH)
    elif turn < 0.30:
        sync_cut(machine, connect(), chance.randint(1, 40))
    elif turn < 0.34:
        machine.export()
    elif turn < 0.38 and files:
        restore_export(machine.record, chance.choice(files))
    elif turn < 0.42:
        machine.backup()
    elif turn < 0.45:
        machine.restore_backup()
        machine.files.clear()  # what was told by them is lost, but for who took it in
    else:
        chance.choice(ACTS)(machine)


def copied(machine: Machine, folder: Path, name: str) -> Machine:
    """A copy of the record of a machine, which goes on beside it."""
    copy = Machine(folder, name, machine.chance)
    copy.record.close()
    copy.path.unlink()
    machine.record.backup(copy.path)
    copy.record = open_record(copy.path, clock=copy._now, actor=name)
    return copy


def tell_stories(machines: Sequence[Machine], chance: random.Random) -> list[Callable[[], object]]:
    """What three machines hear of the same runs: one by hooks, one by transcripts, one half of
    each. Gives what happens, each machine's own in order."""
    hooks, transcripts, both = machines
    written = [
        each.write(hooks.folder / "home")
        for each in (*claude_home.foreground(), *claude_home.background())
    ]
    stories: list[list[Callable[[], object]]] = [
        [partial(hooks.hear_event, *event) for event in EVENTS],
        [partial(take_in, transcripts.record, path) for path in written],
        [
            *(partial(both.hear_event, *event) for event in EVENTS[::2]),
            *(partial(take_in, both.record, path) for path in written[::2]),
        ],
    ]
    told = []
    while any(stories):
        told.append(chance.choice([story for story in stories if story]).pop(0))
    return told
