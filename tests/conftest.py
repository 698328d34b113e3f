"""What every test stands on: its own home, a clock that is told the time, a real record."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.record.opening import open_record
from tests.counts import DEEP, SEED, WIDE, load_profile
from tests.hub.postgres import LEFT_OUT
from tests.memory_folder import MEMORY, MemoryFolder, has_room

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SCREENS = Path(__file__).parent / "screens"
LONG_NAME = 500
"""Characters or bytes of a text above which it does not stand in the name of a test."""


_in_memory = pytest.StashKey[MemoryFolder]()

# Whatever the developer's shell says, compiled code is kept: else each worker rewrites every test
# again, and each of the hundreds of processes that are started compiles all of orch.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell that starts the tests in the background has them ignore Ctrl-C, and each process that
# they start inherits that: what is tried here is what a terminal's Ctrl-C does.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # before the plugin of hypothesis reads its options
def pytest_configure(config: pytest.Config) -> None:
    """Take the counts of ``tests.counts``, and in deep runs the seed.

    Temporary files are kept in memory where there is room, unless TMPDIR says where (the workers
    of a run are told it).
    """
    if "TMPDIR" not in os.environ and has_room():
        config.stash[_in_memory] = folder = MemoryFolder(MEMORY)
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder.path)
    load_profile()
    if DEEP:
        config.option.hypothesis_seed = SEED


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Take the folder in memory away."""
    if folder := config.stash.get(_in_memory, None):
        folder.remove()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of the screens by their folder: `make quick` leaves them out.

    What is marked ``wide`` runs only with ``ORCH_TESTS=wide`` (or ``deep``).

    Each worker begins with its share of the slow tests, or the last of them would keep one busy
    long after the others are done.
    """
    if not WIDE:
        left_out = [item for item in items if item.get_closest_marker("wide")]
        items[:] = [item for item in items if not item.get_closest_marker("wide")]
        config.hook.pytest_deselected(items=left_out)
    for item in items:
        if SCREENS in item.path.parents:
            item.add_marker("screens")
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = [item for item in items if item.get_closest_marker("slow")]
    rest = [item for item in items if not item.get_closest_marker("slow")]
    share = -(-len(rest) // workers)
    items[:] = [
        item
        for worker in range(workers)
        for item in (*slow[worker::workers], *rest[worker * share : (worker + 1) * share])
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests were left out for want of what they need, and what brings it."""
    reasons = {str(each.longrepr[2]) for each in terminalreporter.stats.get("skipped", ())}
    for reason in sorted(each for each in reasons if LEFT_OUT in each):
        terminalreporter.write_line(reason.removeprefix("Skipped: "))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a long text by its length: workers and logs are told the name of every test."""
    if isinstance(val, str | bytes) and len(val) > LONG_NAME:
        return f"{argname} of {len(val)}"
    return None


def pytest_collection_finish() -> None:
    """What was collected stays to the end: no garbage collection looks through it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)  # an app is made of many objects, all alive to its end


class FakeClock:
    """A second passes at every look, unless it stands still."""

    def __init__(self) -> None:
        self.now = START
        self.step = timedelta(seconds=1)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The homes there will be: beside the folders of tests, each new one had all of them listed."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def records_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests copy their records from one another; nobody is told of it."""
    monkeypatch.setattr("orch_tui.record.provenance.is_known", lambda record: True)


@pytest.fixture(autouse=True)
def own_home(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the developer's settings, hooks or transcripts, nor leaves any."""
    home = next(homes)
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "ORCH_DB", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    for name in ("CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SESSION_ID"):
        monkeypatch.delenv(name, raising=False)
    for name in ("ORCH_SESSION", "TMUX", "TMUX_PANE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSH_CONNECTION", "test")  # leaves the desktop's clipboard alone
    monkeypatch.setenv("ORCH_CONFIG_DIR", str(home / "config"))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setenv("COLUMNS", "100")
    return home


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def empty_record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a record in which nothing was ever recorded: copying it takes less."""
    folder = tmp_path_factory.mktemp("empty") / ".claude"
    open_record(folder / "orchestration" / "execution.db").close()
    return folder


@pytest.fixture
def record(tmp_path: Path, clock: FakeClock, empty_record: Path) -> Iterator[Record]:
    """An empty record in a project folder of its own."""
    folder = shutil.copytree(empty_record, tmp_path / ".claude", dirs_exist_ok=True)
    with open_record(folder / "orchestration" / "execution.db", clock=clock) as opened:
        yield opened
