"""Run scenarios with the real client and tell what orch recorded otherwise than it is true.

    python -m tests.client [--version 2.1.340] [--short] [--keep FOLDER] [--learn] [SCENARIO ...]

What events, shapes, models and sizes are other ones than those of the release that the scenarios
were written with is told, and is no fault. It ends with 0 where all is right, with 1 where
something differs, and with 3 and a line that says why where it could not run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.client.installed_client import VERSION, CannotRunError, install_client
from tests.client.judge import judge_run
from tests.client.profile import (
    Profile,
    list_changes,
    load_profile,
    read_profile,
    store_profile,
)
from tests.client.run import Run, run_scenario
from tests.client.scenario import Scenario
from tests.client.scenarios import SCENARIOS

AT_ONCE = 3


def main() -> int:
    options = _read_options()
    try:
        client = install_client(options.version)
    except CannotRunError as error:
        print(error, file=sys.stderr)
        return 3
    wanted = [
        scenario
        for scenario in SCENARIOS
        if (
            scenario.name in options.names if options.names else scenario.short or not options.short
        )
    ]
    with _folder(options.keep) as folder:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            results = list(threads.map(lambda each: _try(each, client, folder), wanted))
        profile = read_profile(options.version, [run for _, run in results if run])
    if options.learn:
        store_profile(profile)
    else:
        _tell_changes(profile, all_ran=all(run for _, run in results) and wanted == SCENARIOS)
    codes = [code for code, _ in results]
    return 1 if 1 in codes else max(codes)


def _try(scenario: Scenario, client: Path, folder: Path) -> tuple[int, Run | None]:
    """Run and judge a scenario; give 0, 1 or 3, and the run."""
    run = None
    try:
        run = run_scenario(scenario, client, folder)
        found, took = judge_run(run), f" ({run.ended - run.began:.1f} s)"
    except CannotRunError as error:
        print(f"{scenario.name}: {error}", file=sys.stderr)
        return 3, None
    except Exception as error:  # one that breaks does not stop the rest
        found, took = [f"{type(error).__name__}: {error}"], ""
    told = [f"{'WRONG' if found else 'right'}  {scenario.name}{took}", *found]
    print("\n       ".join(told), flush=True)
    return (1 if found else 0), run


def _tell_changes(profile: Profile, all_ran: bool) -> None:
    known = load_profile()
    if changes := list(list_changes(known, profile, all_ran)):
        print(f"\n{profile.version} beside {known.version}:")
        print("\n".join(f"       {change}" for change in changes))


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="orch-client-") as folder:
        yield Path(folder).resolve()


def _read_options() -> argparse.Namespace:
    names = [scenario.name for scenario in SCENARIOS]
    options = argparse.ArgumentParser(prog="python -m tests.client", description=__doc__)
    options.add_argument("--version", default=VERSION, help="of the client")
    options.add_argument("--short", action="store_true", help="those of a short look")
    options.add_argument("--keep", type=Path, metavar="FOLDER", help="keep what the runs leave")
    options.add_argument("--learn", action="store_true", help="store what the release is like")
    options.add_argument("names", nargs="*", metavar="SCENARIO", help=", ".join(names))
    given = options.parse_args()
    if unknown := [name for name in given.names if name not in names]:
        options.error(f"no such scenario: {', '.join(unknown)}; there are {', '.join(names)}")
    return given


if __name__ == "__main__":
    sys.exit(main())
