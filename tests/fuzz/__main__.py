"""Give orch thousands of bad inputs of every kind, and tell what it does not stand.

    python -m tests.fuzz [--count 20000] [--seed 7] [KIND ...]
    python -m tests.fuzz --seed 7 --only 1234 transcripts     # one of them again

Each input is taken, or refused with a word: a command that breaks, takes over 5 s of processor time
or 500 MiB more than it began with fails. It ends with 1 where anything did.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

from tests.fuzz.kinds import KINDS
from tests.fuzz.laboratory import Laboratory, WrongError

SECONDS = 5
MEBIBYTES = 500
_SOME_WRONG = 3
_AT_MOST = 60
"""Seconds an input may take where the machine is busy, or where no signal is answered."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--count", type=int, default=20_000, help="inputs, of all kinds together")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 0))
    parser.add_argument("--only", type=int, help="the input of this number alone")
    parser.add_argument("--from", dest="first", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}")
    options = parser.parse_args()
    kinds = options.kinds or [*KINDS]
    if unknown := set(kinds) - set(KINDS):
        parser.error(f"no kind {', '.join(unknown)}: {', '.join(KINDS)}")
    if options.only is not None:
        return int(not _work(kinds[0], options.seed, options.only, options.only + 1))
    each = options.count // len(kinds)
    if options.here:
        return 0 if _work(kinds[0], options.seed, options.first, each) else _SOME_WRONG
    wrong = {kind: _run_kind(kind, options.seed, each) for kind in kinds}
    print(f"{each * len(kinds):,} inputs of {len(kinds)} kinds, seed {options.seed}")
    for kind, numbers in wrong.items():
        if numbers:
            print(f"{kind}: {len(numbers)} of {each:,} went wrong: {numbers[:10]}")
    return int(any(wrong.values()))


def _run_kind(kind: str, seed: int, count: int) -> list[int]:
    """Run the inputs of a kind in a process, and another where that one ended; gives the wrong."""
    wrong: list[int] = []
    first = 0
    while first < count:
        words = ["--here", "--count", str(count), "--seed", str(seed), "--from", str(first), kind]
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz", *words], stdout=subprocess.PIPE, text=True
        )
        assert worker.stdout
        at = first
        for line in worker.stdout:
            what, _, rest = line.partition(" ")
            if what == "input":
                at = int(rest)
            elif what == "wrong":
                wrong.append(at)
                print(f"{kind} {at}: {rest.strip()}", flush=True)
            else:
                print(f"    {line}", end="", flush=True)
        code = worker.wait()
        if code not in (0, _SOME_WRONG):
            wrong.append(at)
            print(f"{kind} {at}: the process ended with {code}", flush=True)
        first = count if code in (0, _SOME_WRONG) else at + 1
    return wrong


def _work(kind: str, seed: int, first: int, end: int) -> bool:
    """Run some inputs of a kind in this process; tells whether all went well."""
    right = True
    with tempfile.TemporaryDirectory(prefix="orch-fuzz-", dir=_memory()) as folder:
        home = Path(folder, "home")
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "CLAUDE_CONFIG_DIR", "ORCH_DB"):
            os.environ.pop(name, None)
        os.environ |= {"HOME": str(home), "TMPDIR": folder, "COLUMNS": "100"}
        tempfile.tempdir = None
        lab = Laboratory(Path(folder))
        began = _used()
        most = began + (MEBIBYTES << 20)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        signal.signal(signal.SIGPROF, _took_too_long)
        for number in range(first, end):
            print("input", number, flush=True)
            lab.reset()
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            signal.alarm(_AT_MOST)  # its signal ends the process
            try:
                KINDS[kind](lab, Random(f"{seed} {kind} {number}"))
                lab.check_outside()
            except (WrongError, MemoryError) as error:
                right = False
                print("wrong", str(error).replace("\n", "\n| ") or repr(error), flush=True)
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
                signal.alarm(0)
        os.chdir("/")
    return right


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _used() -> int:
    """Bytes of data of this process."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[5]
    except OSError:
        return 256 << 20
    return int(pages) * resource.getpagesize()


def _took_too_long(number: int, frame: object) -> None:
    raise WrongError(f"it took over {SECONDS} s")


if __name__ == "__main__":
    sys.exit(main())
