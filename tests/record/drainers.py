"""Processes that take in an inbox at the same time, killed or not; run by the tests of it.

    python -m tests.record.drainers ROOT drain
    python -m tests.record.drainers ROOT kill ROUNDS SEED

``kill`` starts two drainers a round and kills both at some moment, until nothing waits.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

from orch_tui.paths import database_path
from orch_tui.record.hooks import inbox
from orch_tui.record.opening import open_record


def drain(root: Path) -> None:
    with open_record(Path(database_path(root)), create=False) as record:
        while inbox.list_waiting(root):
            inbox.drain_inbox(record, root)


def kill(root: Path, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(rounds):
        children = []
        for _ in range(2):
            child = os.fork()
            if not child:
                drain(root)
                os._exit(0)
            children.append(child)
        until = len(inbox.list_waiting(root)) - chance.randrange(
            16
        )  # a moment, not always the same
        while len(inbox.list_waiting(root)) > max(until, 0):
            pass
        for child in children:
            os.kill(child, signal.SIGKILL)
        ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        print(*ended, len(inbox.list_waiting(root)), flush=True)


if __name__ == "__main__":
    if sys.argv[2] == "kill":
        kill(Path(sys.argv[1]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        drain(Path(sys.argv[1]))
