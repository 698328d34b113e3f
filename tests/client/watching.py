"""What ``orch watch --doing`` tells of agents while they run, beside what they do then."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from orch_tui.live.agent_state import ENDED
from orch_tui.record.ledger.merge import UNKNOWN

LATE = 2.0
"""Seconds: within one of them a state is known, and of each agent one line a second is told."""

PATIENCE = 30
"""Seconds after the end of the client within which every end is told and recorded."""

OLDER = ("starting", "waiting", "asks", "asks?")
"""States that began before what tells of them was written: a client that begins many agents at once
writes their prompts when it comes to that."""

Line = Mapping[str, Any]


@contextmanager
def watch_agents(
    command: Sequence[str], cwd: Path, environment: Any, target: Path
) -> Iterator[None]:
    """Keep what a command that watches prints, until it recorded the end of every agent."""
    with open(target, "wb") as output:
        process = subprocess.Popen(
            [*command, "watch", "--doing", "--format", "jsonl"],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
        )
        try:
            assert process.stderr
            process.stderr.readline()  # it watches
            yield
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end and list(_list_running(target)):
                time.sleep(0.1)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)


def _read_lines(source: Path) -> list[Line]:
    whole, _, _ = source.read_text().rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def _list_running(source: Path) -> Iterator[str]:
    """Name what was not told to have ended: agents by what they do, runs by the record."""
    last: dict[str, str] = {}
    for told in _read_lines(source):
        if told["event"] == "doing":
            last[f"agent {told['agent_id']}"] = told["state"]
        elif (
            told["agent_type"] != UNKNOWN
        ):  # a transcript without its sidecar: soon one with its run
            last[told["execution_id"]] = told["event"]
    ends = (*ENDED, "completed", "failed")
    yield from (who for who, state in last.items() if state not in ends)


def list_mistaken_states(
    source: Path, parts: Mapping[str, str], expected: Mapping[str, str]
) -> list[str]:
    """Tell in a line each what was told otherwise than an agent did.

    ``parts`` are those that agents play, by their ids; ``expected`` is, by part, a pattern of the
    states that are told one after the other, a blank between them, each with its marks: a ``+``
    and their name. On a machine that has more to do than it can, all of it takes longer.
    """
    by_part: dict[str, list[Line]] = {}
    for each in _read_lines(source):
        if each["event"] == "doing" and each["agent_id"] in parts:
            by_part.setdefault(parts[each["agent_id"]], []).append(each)
    late = LATE * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    mistakes = [f"the end of {who} was not told" for who in _list_running(source)]
    for part, pattern in expected.items():
        told = by_part.get(part, [])
        states = " ".join(_without_repetition("+".join((t["state"], *t["marks"])) for t in told))
        if not re.fullmatch(pattern, states):
            mistakes.append(f"{part} was told to be {states or 'nothing'}, not {pattern}")
        mistakes += [
            f"{part} {t['state']} since {t['since']} was told at {t['at']}"
            for t in told
            if t["state"] not in OLDER and _lag(t) > late
        ]
    return mistakes


def _without_repetition(states: Iterable[str]) -> Iterator[str]:
    last = ""
    for state in states:
        if state != last:
            yield state
        last = state


def _lag(told: Line) -> float:
    at, since = (datetime.fromisoformat(told[name]) for name in ("at", "since"))
    return (at - since).total_seconds()
