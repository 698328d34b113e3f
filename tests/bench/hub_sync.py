"""Pushing to a hub and pulling from it: ``python -m tests.bench.hub_sync [RUNS]``.

Records the runs of the corpus, pushes them to a PostgreSQL of its own, pulls them into an empty
record, and prints what of each a run took: CPU time of the client and, where the system tells it
(Linux), of the server's backend.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from orch_tui.hub.administration import make_hub
from orch_tui.hub.derived_runs import derive_pushed_runs
from orch_tui.hub.pull import Followed, pull_statements
from orch_tui.hub.push import push_statements, register_origins
from orch_tui.hub.service import HubService, OpenHub
from orch_tui.hub.sync import SyncPlan, mend_forks, sync_record
from orch_tui.hub.watched_hub import WatchedHub
from orch_tui.models.database import Record, utc_now
from orch_tui.record.opening import open_record
from tests.bench.engine import record_corpus
from tests.hub.postgres import programs_for_tests, running_server

if TYPE_CHECKING:
    from psycopg import Connection

EVERYTHING = 3
_TICK = 1 / os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """What something took, in seconds."""

    client: float
    server: float | None
    wall: float


def measured(connection: Connection[Any], work: Callable[[], object]) -> Cost:
    """Measure what some work takes here and in the backend of a connection."""
    backend = connection.info.backend_pid
    before = time.process_time(), _server_seconds(backend), time.perf_counter()
    work()
    after = time.process_time(), _server_seconds(backend), time.perf_counter()
    server = None if None in (before[1], after[1]) else (after[1] or 0) - (before[1] or 0)
    return Cost(after[0] - before[0], server, after[2] - before[2])


def _server_seconds(backend: int) -> float | None:
    try:
        fields = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) * _TICK


@contextmanager
def empty_hub() -> Iterator[OpenHub]:
    """A hub in which nothing is yet, on a server that ends with it."""
    import psycopg

    programs = programs_for_tests()
    if programs is None:
        raise SystemExit("there is no PostgreSQL: the extra dev-hub is not installed")
    with running_server(programs) as cluster:
        place = f"postgresql:///postgres?host={cluster.sockets}&user=orch"
        with psycopg.connect(place, autocommit=True) as connection:
            make_hub(connection, "orch", utc_now())
            connection.execute("SET search_path TO orch")
            service = HubService("team", {}, "here")
            yield OpenHub(connection, "uid", 1, "orch", service, "orch", True, True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=1_000)
    count = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name, empty_hub() as hub, WatchedHub(hub) as asked:
        folder = Path(name)
        with open_record(folder / "ann.db") as record, open_record(folder / "late.db") as late:
            record_corpus(record, count, max(20, count // 10))
            _push(record, asked, count)
            pull = measured(
                hub.connection,
                lambda: pull_statements(late, asked, Followed(everybody=True)),
            )
            _show("pull, applied and indexed", pull, count)
            again = SyncPlan(followed=Followed(everybody=True))
            nothing = measured(
                hub.connection, lambda: sync_record(record, asked, EVERYTHING, None, again)
            )
            print(f"nothing new: {1e3 * nothing.client:.1f} ms CPU here")


def _push(record: Record, asked: WatchedHub, count: int) -> None:
    connection = asked.hub.connection
    gather = measured(connection, lambda: mend_forks(record, asked, None, EVERYTHING))
    _show("number what is new", gather, count)
    push = measured(connection, lambda: push_statements(record, asked, None))
    _show("push statements and texts", push, count)
    origins = register_origins(record, asked, None)
    derive = measured(connection, lambda: derive_pushed_runs(record, asked, origins))
    _show("derive and push the rows of runs", derive, count)
    print(f"all of a push: {count / (gather.wall + push.wall + derive.wall):,.0f} runs/s")


def _show(what: str, cost: Cost, count: int) -> None:
    server = "" if cost.server is None else f", {1e3 * cost.server / count:.2f} ms on the server"
    print(
        f"{what}: {1e3 * cost.client / count:.2f} ms CPU a run here{server}; "
        f"{count / cost.wall:,.0f} runs/s"
    )


if __name__ == "__main__":
    main()
