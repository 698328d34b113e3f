"""Processes that record at the same time; run by the tests of concurrency and crashes.

    python -m tests.record.writers record EXECUTION_DB NAME COUNT
    python -m tests.record.writers kill EXECUTION_DB ROUNDS SEED

``record`` prints the label of each execution once its deployment and its return are committed.
``kill`` forks two such writers a round and kills both at some moment; it prints what they had
printed, and how they ended. Both begin when standard input ends.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

from orch_tui.models.database import Record
from orch_tui.prepare.budget import Limits
from orch_tui.prepare.catalogue import Catalogue, load_catalogue
from orch_tui.record.completion import record_completion
from orch_tui.record.deployment import record_deployment
from orch_tui.record.opening import open_record
from orch_tui.record.sessions import init_session

MESSAGE = "Changed lib/search.py and ran the tests.\n" * 60


def record_many(record: Record, models: Catalogue, name: str, count: int, out: int = 1) -> None:
    session = init_session(record, f"writer {name}", project="/project").session_id
    for number in range(count):
        deployed = record_deployment(
            record,
            session,
            catalogue=models,
            limits=Limits(),
            agent_type=f"agent-{name}",
            scope=f"{name}/{number}",
            context_token_count=5,
        )
        label = deployed.execution.execution_id
        record_completion(record, label, final_message=f"{name}/{number} done. {MESSAGE}")
        os.write(out, f"{label}\n".encode())  # at once, and whole


def kill(path: Path, rounds: int, seed: int) -> None:
    chance, models = random.Random(seed), load_catalogue()
    for number in range(rounds):
        reader, writer = os.pipe()
        children = []
        for name in ("a", "b"):
            child = os.fork()
            if not child:
                os.close(reader)
                try:
                    with open_record(path, create=False) as record:
                        record_many(record, models, f"{number}{name}", 1000, out=writer)
                except BaseException as error:
                    os.write(2, f"{error!r}\n".encode())
                os._exit(1)  # never reached, unless something broke
            children.append(child)
        os.close(writer)
        acknowledged = b""
        for _ in range(chance.randrange(4)):
            acknowledged += os.read(reader, 4096)
        for _ in range(chance.randrange(20_000)):  # a moment, not always the same
            pass
        for child in children:
            os.kill(child, signal.SIGKILL)
        while rest := os.read(reader, 4096):
            acknowledged += rest
        os.close(reader)
        ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        print(f"{ended[0]} {ended[1]} {acknowledged.decode().replace(chr(10), ' ')}", flush=True)


if __name__ == "__main__":
    sys.stdin.read()
    database = Path(sys.argv[2])
    if sys.argv[1] == "kill":
        kill(database, int(sys.argv[3]), int(sys.argv[4]))
    else:
        with open_record(database, create=False) as opened:
            record_many(opened, load_catalogue(), sys.argv[3], int(sys.argv[4]))
