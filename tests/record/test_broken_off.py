"""Whatever is done to whole files is killed, or finds the disk full, at each of its steps: each
file is whole or not there, and the record is what it was or what it should become."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from orch_tui.errors import OrchError
from orch_tui.files import whole_file
from orch_tui.models.database import Record
from orch_tui.paths import hand_over_folder
from orch_tui.record import hand_over, sessions
from orch_tui.record.executions import get_execution
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep.export import export_record
from orch_tui.record.upkeep.forgetting import find_forgettable, forget_runs
from orch_tui.record.upkeep.redaction import redact_secret
from orch_tui.record.upkeep.restore import restore_export
from orch_tui.record.upkeep.restoring import restore_record
from tests.record.test_redaction import KEY, fill
from tests.variants import vary

BRIEFING = b"# Do it\n" * 2_000


def back_up(path: Path) -> None:
    with open_record(path) as record:
        record.backup(path.with_name("copy.db"))


def restore(path: Path) -> None:
    restore_record(path, path.with_name("older.db"))


def export(path: Path) -> None:
    with open_record(path) as record, whole_file(path.with_name("export.jsonl")) as file:
        for line in export_record(record):
            file.write(line.encode() + b"\n")


def take_in(path: Path) -> None:
    with open_record(path) as record:
        restore_export(record, path.with_name("other.jsonl"))


def redact(path: Path) -> None:
    with open_record(path) as record:
        redact_secret(record, KEY, "x")


def forget(path: Path) -> None:
    with open_record(path) as record:
        forget_runs(record, find_forgettable(record, before="2999"))


def leave_briefing(path: Path) -> None:
    with open_record(path) as record:
        hand_over.leave_briefing(record, path.parent, get_execution(record, "exec-1"), BRIEFING)


ACTS: tuple[Callable[[Path], None], ...] = (
    *(back_up, restore, export, take_in, redact, forget, leave_briefing),
)


@pytest.fixture
def path(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record with an older copy of it and an export of another beside it."""
    monkeypatch.setattr(
        "orch_tui.install.hook_settings.state", lambda root: type("State", (), {"hands_over": True})
    )
    fill(record, KEY, tmp_path)
    record.backup(record.path.with_name("older.db"))
    with open_record(tmp_path / "other.db") as other:
        sessions.init_session(other, "from elsewhere", project="/p", session_id="other")
        lines = [f"{line}\n" for line in export_record(other)]
    record.path.with_name("other.jsonl").write_text("".join(lines))
    sessions.init_session(record, "after the copy", project="/p", session_id="late")
    for _ in export_record(record):  # an import states by itself what was not stated yet
        pass
    record.close()
    return record.path


def state(path: Path) -> list[str]:
    """All that the record holds, but for what the index has and what is never the same."""
    with closing(sqlite3.connect(path)) as held:
        assert held.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert held.execute("PRAGMA foreign_key_check").fetchall() == []
        return [
            str(
                held.execute(
                    f"SELECT count(*), total(length(hex({column}))) FROM {table}"
                ).fetchall()
            )
            for table, column in (
                *(("sessions", "scope"), ("agent_executions", "final_message")),
                *(("observations", "payload"), ("contents", "encoding"), ("outputs", "content")),
            )
        ]


def assert_whole(path: Path, states: list[list[str]]) -> None:
    """Each file that has its name is complete, and the record is one of these."""
    assert state(path) in states
    for copy in (path.with_name("copy.db"), *path.parent.glob("*.bak")):
        if copy.exists():
            assert state(copy) in states
    exported = path.with_name("export.jsonl")
    if exported.exists():
        assert [json.loads(line) for line in exported.read_text().splitlines()][-1]["log"]
    for left in (path.parent / "briefings").glob("*.md"):
        assert left.read_bytes() == BRIEFING
    for left in Path(hand_over_folder()).glob("[0-9a-f]*"):
        assert left.read_bytes() == BRIEFING


def begin_anew(path: Path, files: dict[str, bytes]) -> None:
    for place in (path.parent, path.parent / "briefings", Path(hand_over_folder())):
        for each in place.glob("*") if place.is_dir() else ():
            if each.is_file():
                each.unlink()
    for name, data in files.items():
        path.with_name(name).write_bytes(data)


def in_child(act: Callable[[Path], None], path: Path, prepare: Callable[[], None]) -> int:
    """Do it in a fork; gives how that ended: 0, 1 for what an error says, 2 for any other."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ended = 2
    try:
        prepare()
        act(path)
        ended = 0
    except OrchError:
        ended = 1
    except BaseException as error:
        with suppress(OSError):
            os.write(2, f"{error!r}\n".encode())
    finally:
        os._exit(ended)


_STEPS = ("open", "os.", "shutil.", "sqlite3.connect")


def kill_at(step: int) -> None:
    """End this process at its so-manieth call of the system."""
    steps = iter(range(step))

    def look(event: str, arguments: object) -> None:
        if event != "os.kill" and event.startswith(_STEPS) and next(steps, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)


def limits() -> Iterator[int]:
    """Sizes that no file may grow over, as on a disk with little room left."""
    return iter((0, 4_096, 20_000, 100_000, 300_000, 500_000))


@pytest.mark.slow
@pytest.mark.parametrize("act", vary(ACTS, always=1))
def test_killed_at_any_step_all_that_is_there_is_whole(
    path: Path, act: Callable[[Path], None]
) -> None:
    files = {each.name: each.read_bytes() for each in path.parent.glob("*") if each.is_file()}
    before, older = state(path), state(path.with_name("older.db"))
    act(path)
    states = [before, older, state(path)]
    step = 0
    for step in count():
        begin_anew(path, files)
        ended = in_child(act, path, partial(kill_at, step))
        assert_whole(path, states)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
    assert step > 2


@pytest.mark.slow
@pytest.mark.parametrize("act", vary(ACTS, always=1))
def test_where_the_disk_is_full_all_that_is_there_is_whole(
    path: Path, act: Callable[[Path], None]
) -> None:
    files = {each.name: each.read_bytes() for each in path.parent.glob("*") if each.is_file()}
    before, older = state(path), state(path.with_name("older.db"))
    act(path)
    states = [before, older, state(path)]
    for limit in limits():
        begin_anew(path, files)

        def set_limit(limit: int = limit) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        assert in_child(act, path, set_limit) in (0, 1)
        assert_whole(path, states)
